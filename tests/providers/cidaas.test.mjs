// cidaas: one assertion for every documented line, one test for every refusal.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { generateKeyPair, SignJWT } from "jose";
import { startCidaas } from "./index.mjs";
import { refusals, rotation } from "./kernel/refusals.mjs";
import { s256 } from "./kernel/server.mjs";
import { app, bye, claimsOf, clients, visitor } from "./kernel/visitor.mjs";

const paths = { authorization: "/authz-srv/authz", token: "/token-srv/token" };
const login = { scope: "openid profile email offline_access" };
const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;
let cidaas;

before(async () => {
  cidaas = await startCidaas({ clients });
});
after(() => cidaas.close());

const fresh = () => visitor(cidaas, paths);

test("the issuer is the base URL without a slash, and discovery names every endpoint", async () => {
  const { body } = await fresh().get("/.well-known/openid-configuration");
  assert.equal(body.issuer, cidaas.url);
  const at = {
    authorization_endpoint: "/authz-srv/authz",
    token_endpoint: "/token-srv/token",
    introspection_endpoint: "/token-srv/introspect",
    revocation_endpoint: "/token-srv/revoke",
    userinfo_endpoint: "/users-srv/userinfo",
    jwks_uri: "/.well-known/jwks.json",
    end_session_endpoint: "/session/end_session",
    check_session_iframe: "/session/check_session",
    device_authorization_endpoint: "/authz-srv/device/authz",
  };
  for (const [name, path] of Object.entries(at))
    assert.equal(body[name], cidaas.url + path);
});

test("discovery lists all hybrids, three modes, HS256, plain, and no none", async () => {
  const { body } = await fresh().get("/.well-known/openid-configuration");
  assert.equal(body.response_types_supported.length, 7);
  assert.deepEqual(body.response_modes_supported, [
    "query",
    "fragment",
    "form_post",
  ]);
  assert.deepEqual(body.id_token_signing_alg_values_supported, [
    "HS256",
    "RS256",
  ]);
  assert.ok(!body.token_endpoint_auth_methods_supported.includes("none"));
  assert.deepEqual(body.code_challenge_methods_supported, ["plain", "S256"]);
  assert.deepEqual(body.scopes_supported.slice(-4), [
    "offline_access",
    "identities",
    "roles",
    "groups",
  ]);
  assert.equal(body.claims_parameter_supported, false);
  for (const extra of [
    "introspection_async_update_endpoint",
    "social_provider_token_resolver_endpoint",
    "scim_endpoint",
  ])
    assert.ok(body[extra], extra);
});

test("a public client signs in all the same, with a code that is a UUID", async () => {
  const one = fresh();
  const { response } = await one.authorize(login);
  assert.match(response.code, uuid);
  assert.equal((await one.trade(response.code)).status, 200);
});

test("the token answer has sub, id_token_expires_in and more besides, and a refresh token that is a UUID", async () => {
  const tokens = await fresh().signIn(login);
  assert.deepEqual(
    [tokens.token_type, tokens.expires_in, tokens.id_token_expires_in],
    ["Bearer", 86400, 86400],
  );
  assert.match(tokens.sub, uuid);
  assert.match(tokens.refresh_token, uuid);
  assert.equal(tokens.sub, claimsOf(tokens.id_token).sub);
});

test("an access token is a JWT whose aud is the client, with scopes as an array and no scope", async () => {
  const claims = claimsOf((await fresh().signIn(login)).access_token);
  assert.equal(claims.aud, "spa");
  assert.deepEqual(claims.scopes, login.scope.split(" "));
  assert.equal(claims.scope, undefined);
  for (const name of [
    "ua_hash",
    "sid",
    "isub",
    "auth_time",
    "jti",
    "roles",
    "groups",
    "psub",
    "consents",
  ])
    assert.ok(name in claims, name);
});

test("the token endpoint takes JSON, as its JavaScript SDK sends it, and a form", async () => {
  for (const type of [
    "application/json",
    "application/x-www-form-urlencoded",
  ]) {
    const one = fresh();
    const ask = async (fields) => {
      const write = type.endsWith("json")
        ? JSON.stringify
        : (all) => String(new URLSearchParams(all));
      const headers = { "content-type": type };
      return one.read(
        await one.go(paths.token, {
          method: "POST",
          headers,
          body: write(fields),
        }),
      );
    };
    const { response } = await one.authorize(login);
    const traded = await ask({
      ...{
        grant_type: "authorization_code",
        client_id: "spa",
        redirect_uri: app,
      },
      ...{ code: response.code, code_verifier: one.verifier },
    });
    assert.equal(traded.status, 200, type);
    const { refresh_token } = traded.body;
    const renewed = await ask({
      grant_type: "refresh_token",
      client_id: "spa",
      refresh_token,
    });
    assert.equal(renewed.status, 200, type);
  }
});

test("the token answer tells of the login, too: session_state, viewtype, grant_type, userstate", async () => {
  const { session_state, viewtype, grant_type, userstate } =
    await fresh().signIn({ ...login, view_type: "register" });
  assert.match(session_state, /^[\w-]{43}\.[\w-]+$/);
  assert.deepEqual(
    [viewtype, grant_type, userstate],
    ["register", "login", "active"],
  );
  assert.equal((await fresh().signIn(login)).viewtype, "login");
});

test("a nonce may be the time, as its JavaScript SDK has it", async () => {
  const nonce = String(Date.now());
  const { id_token } = await fresh().signIn({ ...login, nonce });
  assert.equal(claimsOf(id_token).nonce, nonce);
});

test("the check session iframe is at /session/check_session", async () => {
  const { status } = await fresh().get("/session/check_session");
  assert.equal(status, 200);
});

test("the ID Token holds the access token by at_hash", async () => {
  const { id_token, access_token } = await fresh().signIn(login);
  const half = createHash("sha256")
    .update(access_token)
    .digest()
    .subarray(0, 16);
  assert.equal(claimsOf(id_token).at_hash, half.toString("base64url"));
});

test("a verifier of the documentation's samples is shorter than RFC 7636 allows, and is refused", async () => {
  const code_verifier = "some-random-string";
  const one = fresh();
  const { response } = await one.authorize({
    ...login,
    code_challenge: s256(code_verifier),
  });
  const { status, body } = await one.trade(response.code, { code_verifier });
  assert.deepEqual([status, body.error], [400, "invalid_grant"]);
  const long = { code_verifier: code_verifier.repeat(3) };
  const again = await one.authorize({
    ...login,
    code_challenge: s256(long.code_verifier),
  });
  assert.equal((await one.trade(again.response.code, long)).status, 200);
});

test("view_type and requestId are taken", async () => {
  const { response } = await fresh().authorize({
    ...login,
    view_type: "register",
    requestId: "r",
  });
  assert.ok(response.code);
});

test("plain PKCE is taken, since discovery says so", async () => {
  const one = fresh();
  const plain = {
    code_challenge: one.verifier,
    code_challenge_method: "plain",
  };
  const { response } = await one.authorize({ ...login, ...plain });
  assert.equal((await one.trade(response.code)).status, 200);
});

test("errors in OAuth's form: invalid_grant with its long description", async () => {
  const { status, body } = await fresh().trade("unknown");
  assert.deepEqual(
    [status, body],
    [
      400,
      {
        error: "invalid_grant",
        error_description:
          "The provided authorization grant is invalid : invalid code or expired or already used or revoked",
      },
    ],
  );
});

test("errors in its own form: error is an object, with the words inside", async () => {
  cidaas.control.settings.errors = "cidaas";
  const { status, body } = await fresh().refresh("unknown");
  cidaas.control.settings.errors = "oauth";
  assert.equal(status, 400);
  assert.deepEqual([body.success, body.status], [false, 400]);
  assert.deepEqual(
    [body.error.code, body.error.type, body.error.status, body.error.error],
    [24007, "LoginException", 400, "invalid token passed"],
  );
  assert.ok(body.error.referenceNumber);
});

test("errors as free text: userinfo without a good token", async () => {
  const one = fresh();
  const { body } = await one.get("/users-srv/userinfo", "unknown");
  assert.equal(body.error, "Access denied for this resource");
  assert.ok(body.refnumber && body.error_description === undefined);
  const { access_token, sub } = await one.signIn(login);
  assert.equal(
    (await one.get("/users-srv/userinfo", access_token)).body.sub,
    sub,
  );
});

test("revocation at /token-srv/revoke", async () => {
  const one = fresh();
  const { refresh_token } = await one.signIn(login);
  await one.token(
    { client_id: "spa", token: refresh_token },
    { path: "/token-srv/revoke" },
  );
  assert.equal((await one.refresh(refresh_token)).status, 400);
});

const introspect = async (one, document, authorization) => {
  const headers = {
    "content-type": "application/json",
    ...(authorization && { authorization }),
  };
  const body = JSON.stringify(document);
  return one.read(
    await one.go("/token-srv/introspect", { method: "POST", headers, body }),
  );
};
const [, { client_id, client_secret }] = clients;
const basic = (id, secret) =>
  `Basic ${Buffer.from([id, secret].map(encodeURIComponent).join(":")).toString("base64")}`;

test("/token-srv/introspect tells a client with a secret, or a bearer of a token, what a token stands for", async () => {
  const one = fresh();
  const { access_token: token, sub } = await one.signIn(login);
  for (const authorization of [
    basic(client_id, client_secret),
    `Bearer ${token}`,
  ]) {
    const { status, body } = await introspect(
      one,
      { token, token_type_hint: "access_token" },
      authorization,
    );
    assert.equal(status, 200);
    assert.deepEqual(
      [body.active, body.token_type, body.sub, body.aud],
      [true, "Bearer", sub, "spa"],
    );
    assert.deepEqual(
      [body.scopes, body.scope],
      [login.scope.split(" "), login.scope],
    );
    const unknown = await introspect(
      one,
      { token: `${token}x` },
      authorization,
    );
    assert.deepEqual(unknown.body, { active: false, token_type: "Bearer" });
  }
});

test("/token-srv/introspect refuses a wrong secret, a public client, a bad bearer and a request without a token", async () => {
  const one = fresh();
  const { access_token: token } = await one.signIn(login);
  for (const [document, authorization, status, error] of [
    [{ token }, basic(client_id, "wrong"), 401, "invalid_client"],
    [{ token, client_id: "spa" }, undefined, 401, "invalid_client"],
    [{ token }, "Bearer unknown", 400, "invalid_request"],
    [{}, basic(client_id, client_secret), 400, "invalid_request"],
  ]) {
    const answer = await introspect(one, document, authorization);
    assert.deepEqual([answer.status, answer.body.error], [status, error]);
  }
});

test("end_session by GET and POST, with an id_token_hint or an access_token_hint, and a state", async () => {
  const one = fresh();
  const { id_token, access_token } = await one.signIn(login);
  const ask = (params) =>
    one.go(`/session/end_session?${new URLSearchParams(params)}`);
  const to = { post_logout_redirect_uri: bye, state: "s" };
  for (const hint of [
    { id_token_hint: id_token },
    { access_token_hint: access_token },
  ])
    assert.equal(
      (await ask({ ...hint, ...to })).headers.get("location"),
      `${bye}?state=s`,
    );
  const posted = await one.go("/session/end_session", {
    method: "POST",
    body: new URLSearchParams({ id_token_hint: id_token, ...to }),
  });
  assert.equal(posted.headers.get("location"), `${bye}?state=s`);
});

test("without a hint the post_logout_redirect_uri is ignored; one that is not registered is refused", async () => {
  const one = fresh();
  const { id_token } = await one.signIn(login);
  const ask = (params) =>
    one.go(`/session/end_session?${new URLSearchParams(params)}`);
  const without = await ask({ post_logout_redirect_uri: bye });
  assert.deepEqual(
    [without.status, without.headers.get("location")],
    [200, null],
  );
  const evil = {
    post_logout_redirect_uri: "https://evil.example/",
    id_token_hint: id_token,
  };
  assert.equal((await ask(evil)).status, 400);
});

test("an id_token_hint may be expired, but has to be its own: not another key's, and not alg none", async () => {
  const { privateKey } = await generateKeyPair("RS256");
  const ask = (hint) =>
    fresh().go(
      `/session/end_session?${new URLSearchParams({ id_token_hint: hint, post_logout_redirect_uri: bye })}`,
    );
  const claims = { iss: cidaas.url, aud: "spa", sub: "s", exp: 1 };
  const own = await ask(await cidaas.control.sign(claims));
  assert.equal(own.headers.get("location"), bye);
  const payload = Buffer.from(JSON.stringify(claims)).toString("base64url");
  const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString("base64url");
  const foreign = new SignJWT(claims).setProtectedHeader({
    alg: "RS256",
    typ: "JWT",
  });
  for (const hint of [
    `${none}.${payload}.`,
    await foreign.sign(privateKey),
    await cidaas.control.sign({ ...claims, iss: "https://other.example" }),
    "nonsense",
  ]) {
    const answer = await ask(hint);
    assert.deepEqual(
      [answer.status, answer.headers.get("location")],
      [200, null],
      hint,
    );
  }
});

const invalidGrant = { status: 400, error: "invalid_grant" };
const refused = {
  code: invalidGrant,
  redirect: invalidGrant,
  refresh: invalidGrant,
  client: { status: 401, error: "invalid_client" },
  grant: { status: 400, error: "unsupported_grant_type" },
  scope: { status: 400, error: "invalid_scope" },
  page: "invalid redirect_uri",
};
const system = {
  name: "cidaas",
  server: () => cidaas,
  paths,
  refused,
  login,
  takesJson: true,
};
refusals(system);
rotation(system);
