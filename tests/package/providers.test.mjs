import assert from "node:assert/strict";
import { test } from "node:test";

// What `countersign/providers` gives, on a server as well as in a browser: plain data.

const { auth0, cidaas, pagero, upbond } =
  await import("../../pkg/providers.js");

/** Every way to name a tenant, and its origin. */
const domains = {
  "tenant.example": "https://tenant.example",
  "tenant.eu.example": "https://tenant.eu.example",
  "Tenant.Example": "https://tenant.example",
  "https://tenant.example": "https://tenant.example",
  "https://tenant.example/": "https://tenant.example",
  "tenant.example/": "https://tenant.example",
  "https://tenant.example:8443": "https://tenant.example:8443",
  "http://127.0.0.1:4444": "http://127.0.0.1:4444",
  "http://localhost:4444/": "http://localhost:4444",
  "http://[::1]:4444": "http://[::1]:4444",
};

const nonsense = [
  undefined,
  null,
  7,
  {},
  [],
  "",
  " ",
  "tenant",
  "tenant example",
  "tenant.example/path",
  "tenant.example//",
  "tenant.example?x=1",
  "tenant.example#x",
  "user@tenant.example",
  "https://user:secret@tenant.example",
  "http://tenant.example",
  "http://127.0.0.1.example",
  "http://10.0.0.1",
  "ftp://tenant.example",
  "javascript:alert(1)",
  "//tenant.example",
  "https://",
  "https:///tenant.example",
  "tenant.example:99999",
  "tenant.example:",
  "tenant..example",
  ".example",
  "256.256.256.256",
  "tenant.example\\evil.example",
  "tenant.example\n",
  "tenant.\ud800.example",
];

const relay = { tokenEndpoint: "/relay/token" };
const of = {
  auth0,
  upbond,
  cidaas,
  pagero: (domain) => pagero({ domain, ...relay }),
};
/** The origin that a provider's options are for. */
const originOf = ({ issuer, metadata }) =>
  new URL(issuer ?? metadata.authorization_endpoint).origin;

for (const [name, options] of Object.entries(of)) {
  test(`${name} takes a domain or the URL of its root`, () => {
    for (const [domain, origin] of Object.entries(domains))
      assert.equal(originOf(options(domain)), origin, domain);
  });

  test(`${name} refuses what is neither, by name`, () => {
    const own = name === "upbond" || name === "pagero";
    // There `undefined` is the vendor's own domain.
    for (const domain of nonsense.slice(own ? 1 : 0))
      assert.throws(
        () => options(domain),
        ({ code, details }) =>
          code === "invalid_config" && details.option === "domain",
        JSON.stringify(domain),
      );
  });
}

test("auth0 has an issuer with a slash, its own logout, and revokes by a form", () => {
  assert.deepEqual(auth0("tenant.auth0.com"), {
    issuer: "https://tenant.auth0.com/",
    metadata: { revocation_endpoint: "https://tenant.auth0.com/oauth/revoke" },
    logout: {
      endpoint: "https://tenant.auth0.com/v2/logout",
      params: {
        post_logout_redirect_uri: "returnTo",
        id_token_hint: null,
        state: null,
      },
    },
  });
});

test("upbond has an issuer without a slash, its own logout, and revokes by JSON", () => {
  assert.deepEqual(upbond(), {
    issuer: "https://auth3.upbond.io",
    metadata: { revocation_endpoint: "https://auth3.upbond.io/oauth/revoke" },
    revocation: "json",
    logout: {
      endpoint: "https://auth3.upbond.io/v2/logout",
      params: {
        post_logout_redirect_uri: "returnTo",
        id_token_hint: null,
        state: null,
      },
    },
  });
});

test("upbond sends codes and tokens to a relay where there is one, by a form", () => {
  const { metadata, revocation } = upbond(undefined, relay);
  assert.deepEqual(metadata, { token_endpoint: "/relay/token" });
  assert.equal(revocation, "form");
  const both = { ...relay, revocationEndpoint: "/relay/revoke" };
  assert.deepEqual(upbond(undefined, both).metadata, {
    token_endpoint: "/relay/token",
    revocation_endpoint: "/relay/revoke",
  });
});

test("cidaas is plain OpenID Connect, unless it is to be left by an access token", () => {
  assert.deepEqual(cidaas("demo.cidaas.de"), {
    issuer: "https://demo.cidaas.de",
  });
  const { logout } = cidaas("demo.cidaas.de", { accessTokenHint: true });
  assert.deepEqual(logout, {
    endpoint: "https://demo.cidaas.de/session/end_session",
    params: { access_token_hint: "access_token_hint", id_token_hint: null },
  });
});

test("pagero is plain OAuth with endpoints by hand, through a relay", () => {
  assert.deepEqual(pagero(relay), {
    oidc: false,
    metadata: {
      authorization_endpoint:
        "https://sso.pageroonline.com/oauth/v2/oauth-authorize",
      token_endpoint: "/relay/token",
    },
  });
  const issuer = "https://issuer.example";
  const revocationEndpoint = "/relay/revoke";
  const options = pagero({ ...relay, revocationEndpoint, issuer });
  assert.equal(options.issuer, issuer);
  assert.equal(options.metadata.revocation_endpoint, "/relay/revoke");
});

test("pagero without a relay is refused by name", () => {
  for (const [options, option] of [
    [undefined, "options"],
    [{}, "tokenEndpoint"],
    [{ tokenEndpoint: 7 }, "tokenEndpoint"],
    [{ ...relay, revocationEndpoint: 7 }, "revocationEndpoint"],
  ])
    assert.throws(
      () => pagero(options),
      ({ code, details }) =>
        code === "invalid_config" && details.option === option,
    );
});
