// What an application may say, and every way of saying it wrong: refused by name, before anything is stored or sent.

import {
  call,
  open,
  optionsFor,
  signIn,
  storedIn,
} from "../support/driver.mjs";
import { expect, quick, test } from "../support/fixtures.mjs";

test.use(quick);

const state = (page) => page.evaluate(() => plain(auth.state));

test("every wrong option is refused by its name, and every right one taken", async ({
  page,
  app,
  scripted,
}) => {
  const good = optionsFor(app, scripted);
  const wrong = {
    issuer: [
      undefined,
      null,
      7,
      "",
      "id.example",
      "/id",
      "//id.example",
      "ftp://id.example",
      "https://",
      "https://id.example?x=1",
      "https://id.example#x",
      "https://user@id.example",
      "https://id example",
      "http://id.example",
      "http://127.0.0.1.example",
      "http://localhost.example",
      "https://id.example/\ud800",
      {},
    ],
    clientId: [undefined, null, 7, "", {}, "\udc00"],
    redirectUri: [
      null,
      7,
      "https://app.example/#x",
      "https://user@app.example/",
      "ftp://app.example/",
      "javascript:alert(1)",
      "https://",
      "data:text/html,x",
    ],
    postLogoutRedirectUri: [null, 7, "ftp://x", "https://app.example/#x"],
    scope: [null, 7, "", "profile", [], ["profile"], 'openid "x"', "openid ü"],
    callback: [null, "later", 7, true],
    refresh: [null, "never", false],
    storage: [null, "local", 7, {}, { getItem: 1 }],
    clockTolerance: [-1, 601, 1.5, "30", null, "NaN"],
    timeout: [0, 301, 0.5, "10", null],
    transport: [null, "fetch", {}],
    log: ["console", {}],
    onCallback: ["go", 1],
    apiOrigins: [
      null,
      7,
      "https://api.example",
      {},
      ["api.example"],
      ["/x"],
      [7],
      [null],
      ["data:x"],
      ["blob:x"],
    ],
    clientSecret: ["s3cret", undefined],
    client_secret: ["s3cret", undefined],
    oidc: [null, "false", 0],
    responseMode: [null, "form_post", 7],
    revocation: [null, "xml", true],
    shareWithNewTabs: [null, "yes", 1],
    metadata: [
      null,
      7,
      "x",
      [],
      { token_endpoint: 7 },
      { token_endpoint: "javascript:alert(1)" },
      { token_endpoint: "https://id.example/#x" },
      { authorization_endpoint: "http://[" },
      { jwks_uri: "ftp://id.example" },
      { mtls_endpoint: "https://user@id.example" },
      { anything: 7 },
      { anything: null },
      { anything: {} },
      { anything: ["x", 7] },
      { anything: "\ud800" },
      { issuer: "https://evil.example" },
    ],
    logout: [
      null,
      "https://id.example",
      [],
      {},
      { endpoint: 7 },
      { endpoint: "javascript:alert(1)" },
      { endpoint: "/logout#x" },
      { endpoint: "/logout", params: null },
      { endpoint: "/logout", params: ["state"] },
      { endpoint: "/logout", params: { returnTo: "x" } },
      { endpoint: "/logout", params: { "": "x" } },
      { endpoint: "/logout", params: { state: "" } },
      { endpoint: "/logout", params: { state: 7 } },
      { endpoint: "/logout", params: { state: "\ud800" } },
    ],
    allowInsecureIssuer: [null, 7],
    authorizationParams: [
      { extra: { state: "x" } },
      { extra: { nonce: "x" } },
      { extra: { code_challenge: "x" } },
      { extra: { redirect_uri: "x" } },
      { extra: { response_type: "token" } },
      { extra: { "": "x" } },
      { extra: { x: 7 } },
      { maxAge: -1 },
      { maxAge: 1.5 },
      { prompt: 7 },
      { scope: "openid ü" },
      { loginHint: {} },
      { audience: 7 },
      { organization: ["org_1"] },
      { invitation: null },
      { acrValues: {} },
      { uiLocales: 7 },
      { display: true },
      { resource: "api" },
      { resource: "/api" },
      { resource: "https://api.example/#x" },
      { resource: "" },
      { resource: ["https://api.example", 7] },
      { claims: "{}" },
      { claims: [] },
      { claims: null },
      { authorizationDetails: { type: "x" } },
      { authorizationDetails: ["x"] },
      { authorizationDetails: [{ type: "x" }, {}] },
      { authorizationDetails: [{ type: 7 }] },
      { extra: "state" },
      { extra: null },
      [],
      7,
    ],
  };
  await open(page, app);
  const before = await storedIn(page);
  for (const [name, values] of Object.entries(wrong)) {
    const outcomes = await page.evaluate(
      ([good, name, values]) =>
        Promise.all(
          values.map((value) =>
            attempt(() => {
              createAuth({ ...good, [name]: value }).dispose();
            }),
          ),
        ),
      [good, name, values],
    );
    outcomes.forEach(({ error }, index) => {
      const row = `${name}: ${JSON.stringify(values[index])}`;
      expect.soft(error, row).toMatchObject({
        name: "AuthError",
        code: "invalid_config",
        details: { problem: expect.stringMatching(/./) },
        retryable: false,
      });
      expect
        .soft(error?.details.option, row)
        .toMatch(namedAs(name, values[index]));
    });
  }
  const unusable = await page.evaluate(() =>
    Promise.all(
      [undefined, null, 7, "x", () => {}, Symbol("x")].map((options) =>
        attempt(() => {
          createAuth(options).dispose();
        }),
      ),
    ),
  );
  for (const { error } of unusable)
    expect.soft(error).toMatchObject({ code: "invalid_config" });
  const right = {
    issuer: [
      "https://id.example",
      "https://id.example/tenant/",
      "http://localhost:1",
      "http://127.0.0.2",
      "http://[::1]:8",
    ],
    redirectUri: [undefined, "/callback", "here", "https://app.example/x?y=z"],
    scope: [undefined, "openid", ["openid", "profile"], "profile openid"],
    clockTolerance: [0, 600, undefined],
    timeout: [1, 300],
    apiOrigins: [[], ["https://api.example/v1?x#y", "http://127.0.0.1:1"]],
    authorizationParams: [
      {},
      { extra: { foo: "", claims: "{}" }, maxAge: 0 },
      { resource: "https://api.example/v1?x" },
      { resource: ["urn:api", "https://api.example"] },
      { claims: { userinfo: { email: null } } },
      { authorizationDetails: [{ type: "payment", amount: { value: 1 } }] },
      { acrValues: "a b", uiLocales: ["de", "en"], display: "touch" },
      { audience: "", organization: "org_1", invitation: "t" },
    ],
    oidc: [true, undefined],
    responseMode: ["query", "fragment"],
    revocation: ["form", "json"],
    shareWithNewTabs: [true, false, undefined],
    metadata: [
      {},
      { token_endpoint: "/relay", jwks_uri: "https://id.example/jwks" },
      { issuer: scripted.issuer, anything: true, more: ["x"], text: "" },
    ],
    logout: [
      { endpoint: "/logout?x" },
      { endpoint: "https://id.example", params: { state: null } },
    ],
    postLogoutRedirectUri: ["/", undefined],
  };
  for (const [name, values] of Object.entries(right)) {
    const outcomes = await page.evaluate(
      ([good, name, values]) =>
        Promise.all(
          values.map((value) =>
            attempt(() => {
              createAuth({ ...good, [name]: value }).dispose();
              return "made";
            }),
          ),
        ),
      [good, name, values],
    );
    expect.soft(outcomes, name).toEqual(values.map(() => ({ value: "made" })));
  }
  expect(await storedIn(page)).toEqual(before);
});

/** By which name what is wrong with an option is told: its own, or that of the member. */
function namedAs(name, value) {
  if (/secret/i.test(name)) return /^clientSecret$/;
  const [member] = typeof value === "object" ? Object.keys(value ?? {}) : [];
  if (name === "authorizationParams")
    return new RegExp(`^${member ?? name}(\\.\\w*)?$`);
  return /^(metadata|logout)$/.test(name)
    ? new RegExp(`^${name}(\\.\\w*)*$`)
    : new RegExp(`^${name}$`);
}

test("without OpenID Connect an issuer is needed only where endpoints are missing, and no scope", async ({
  page,
  app,
}) => {
  await open(page, app);
  const both = {
    authorization_endpoint: "https://id.example/authorize",
    token_endpoint: "https://id.example/token",
  };
  const { authorization_endpoint, token_endpoint } = both;
  const issuer = "https://id.example";
  for (const [options, refused] of [
    [{ oidc: false }, "issuer"],
    [{ oidc: false, metadata: {} }, "issuer"],
    [{ oidc: false, metadata: { authorization_endpoint } }, "issuer"],
    [{ oidc: false, metadata: { token_endpoint } }, "issuer"],
    [{ oidc: false, metadata: both }, null],
    [{ oidc: false, issuer }, null],
    [{ oidc: false, issuer, metadata: both }, null],
    [{ oidc: false, issuer: "/x", metadata: both }, "issuer"],
    [{ oidc: false, issuer: null, metadata: both }, "issuer"],
    [{ metadata: both }, "issuer"],
    [{ oidc: true, metadata: { ...both, jwks_uri: "/jwks" } }, "issuer"],
    [{ oidc: false, issuer, scope: "profile" }, null],
    [{ oidc: false, issuer, scope: "" }, null],
    [{ oidc: false, issuer, scope: "ü" }, "scope"],
    [{ oidc: true, issuer, scope: "profile" }, "scope"],
    [{ oidc: false, metadata: { ...both, issuer } }, "metadata.issuer"],
    [{ oidc: false, issuer, metadata: { ...both, issuer } }, null],
  ]) {
    const { error, value } = await page.evaluate(
      (options) =>
        attempt(() => {
          createAuth({ clientId: "spa", ...options }).dispose();
          return "made";
        }),
      options,
    );
    const row = JSON.stringify(options);
    if (refused === null) expect.soft(value, row).toBe("made");
    else
      expect.soft(error, row).toMatchObject({
        code: "invalid_config",
        details: { option: refused },
      });
  }
});

test("a client secret is refused with the way to a relay", async ({
  page,
  app,
  scripted,
}) => {
  await open(page, app);
  const options = optionsFor(app, scripted, { clientSecret: "s3cret" });
  const { error } = await page.evaluate(
    (options) => attempt(() => createAuth(options)),
    options,
  );
  expect(error.details.problem).toContain("docs/relay.md");
  expect(JSON.stringify(error)).not.toContain("s3cret");
});

test("T41: an http issuer beyond loopback works only if it is repeated, exactly", async ({
  page,
  app,
}) => {
  await open(page, app);
  const outcomes = await page.evaluate(async (redirectUri) => {
    const issuer = "http://id.example/x";
    const make = (allowInsecureIssuer) =>
      attempt(() => {
        const options = { issuer, clientId: "spa", redirectUri };
        createAuth({ ...options, allowInsecureIssuer }).dispose();
        return "made";
      });
    return [
      await make(undefined),
      await make("http://id.example/X"),
      await make("http://id.example/x/"),
      await make("http://id.example"),
      await make("http://id.example/x"),
    ];
  }, `${app.url}/callback`);
  const refused = {
    error: expect.objectContaining({
      code: "invalid_config",
      details: {
        option: "issuer",
        problem: expect.stringContaining("allowInsecureIssuer"),
      },
    }),
  };
  expect(outcomes).toEqual([
    refused,
    refused,
    refused,
    refused,
    { value: "made" },
  ]);
});

test("AR10, AR12, T13: wrong options of login and logout are refused by name, before anything is stored or sent", async ({
  page,
  app,
  scripted,
}) => {
  const params = { post_logout_redirect_uri: "returnTo" };
  const logout = { endpoint: `${scripted.issuer}/logout`, params };
  const options = optionsFor(app, scripted, { logout });
  await signIn(page, app, options);
  const before = await storedIn(page);
  const asked = scripted.requests.length;
  for (const [login, option] of [
    [{ returnTo: "https://evil.example/" }, "returnTo"],
    [{ returnTo: "//evil.example/" }, "returnTo"],
    [{ returnTo: "\\\\evil.example/" }, "returnTo"],
    [{ returnTo: "javascript:alert(1)" }, "returnTo"],
    [{ returnTo: "data:," }, "returnTo"],
    [{ returnTo: 7 }, "returnTo"],
    [{ returnTo: "http://[" }, "returnTo"],
    [{ returnTo: "/\ud800" }, "returnTo"],
    [{ scope: "profile" }, "scope"],
    [{ scope: "openid \n" }, "scope"],
    [{ prompt: 7 }, "prompt"],
    [{ maxAge: -1 }, "maxAge"],
    [{ extra: { state: "x" } }, "extra"],
    [{ extra: { client_secret: "x" } }, "extra"],
    [{ resource: "not a URI" }, "resource"],
    [{ claims: 7 }, "claims"],
    [{ authorizationDetails: [{}] }, "authorizationDetails.type"],
    [{ acrValues: 7 }, "acrValues"],
    [{ organization: {} }, "organization"],
    [{ invitation: 7 }, "invitation"],
    [{ extra: { a: "\ud800" } }, "extra.a"],
  ]) {
    const { error } = await call(page, "login", login);
    expect.soft(error, JSON.stringify(login)).toMatchObject({
      code: "invalid_config",
      details: { option },
    });
  }
  for (const [logout, option] of [
    ...["ftp://x", 7, null, "/#x"].map((postLogoutRedirectUri) => [
      { postLogoutRedirectUri },
      "postLogoutRedirectUri",
    ]),
    ...["no", 0, null].map((revoke) => [{ revoke }, "revoke"]),
    [{ extra: { state: "x" } }, "extra"],
    [{ extra: { id_token_hint: "x" } }, "extra"],
    [{ extra: { access_token_hint: "x" } }, "extra"],
    [{ extra: { returnTo: "x" } }, "extra"],
    [{ extra: { a: 7 } }, "extra.a"],
    [{ extra: 7 }, "extra"],
  ]) {
    const { error } = await call(page, "logout", logout);
    expect.soft(error, JSON.stringify(logout)).toMatchObject({
      code: "invalid_config",
      details: { option },
    });
  }
  expect(await storedIn(page)).toEqual(before);
  expect(scripted.requests.length).toBe(asked);
  expect((await state(page)).status).toBe("signedIn");
});
