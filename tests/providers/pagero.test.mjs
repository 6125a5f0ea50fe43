// Pagero Online: one assertion for every documented line, one test for every refusal.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startPagero } from "./index.mjs";
import { refusals, rotation } from "./kernel/refusals.mjs";
import { claimsOf, clients, visitor } from "./kernel/visitor.mjs";

const paths = {
  authorization: "/oauth/v2/oauth-authorize",
  token: "/oauth/v2/oauth-token",
};
const [, server] = clients;
const { client_id: clientId, client_secret } = server;
const secret = { client_secret };
const basic = (id, password) => ({
  authorization: `Basic ${Buffer.from([id, password].map(encodeURIComponent).join(":")).toString("base64")}`,
});
let pagero;

before(async () => {
  pagero = await startPagero({
    clients: [server],
    appOrigins: ["http://127.0.0.1:9"],
  });
});
after(() => pagero.close());

const fresh = () => visitor(pagero, paths, clientId);

test("the token answer: bearer, opaque tokens with their prefixes, an empty scope, claims, 600", async () => {
  const { access_token, refresh_token, ...rest } = await fresh().signIn(
    {},
    secret,
  );
  assert.match(access_token, /^_0XBPWQQ_[\da-f-]{36}$/);
  assert.match(refresh_token, /^_1XBPWQQ_[\da-f-]{36}$/);
  assert.deepEqual(rest, {
    token_type: "bearer",
    scope: "",
    claims: "publicid",
    expires_in: 600,
  });
});

test("with scope all the access token is a JWT", async () => {
  const { access_token, scope } = await fresh().signIn(
    { scope: "all" },
    secret,
  );
  assert.equal(claimsOf(access_token).aud, clientId);
  assert.equal(scope, "");
});

test("openid adds an id_token, and nothing else does", async () => {
  const { id_token } = await fresh().signIn(
    { scope: "openid", nonce: "n" },
    secret,
  );
  assert.equal(claimsOf(id_token).nonce, "n");
  assert.equal((await fresh().signIn({}, secret)).id_token, undefined);
});

test("the callback carries code, iss, and the state, which is optional", async () => {
  const { response } = await fresh().authorize();
  assert.deepEqual(Object.keys(response), ["code", "state", "iss"]);
  assert.equal(response.iss, pagero.url);
  const without = await fresh().authorize({ state: undefined });
  assert.deepEqual(Object.keys(without.response), ["code", "iss"]);
});

test("prompt=login is taken, and asks again", async () => {
  const one = fresh();
  await one.authorize();
  assert.ok((await one.authorize({ prompt: "none" })).response.code);
  const { location } = await one.authorize({ prompt: "login" }, null);
  assert.match(location, /^\/interaction\//);
});

test("the secret is needed even with PKCE, by Basic or in the body", async () => {
  const trade = async (fields, options) => {
    const one = fresh();
    const { response } = await one.authorize();
    return (await one.trade(response.code, fields, options)).status;
  };
  assert.equal(await trade({}), 401);
  assert.equal(await trade({ client_secret: "wrong" }), 401);
  assert.equal(await trade(secret), 200);
  assert.equal(
    await trade(
      { client_id: undefined },
      { headers: basic(clientId, client_secret) },
    ),
    200,
  );
  assert.equal(
    await trade(
      { client_id: undefined },
      { headers: basic(clientId, "wrong") },
    ),
    401,
  );
});

test("the secret does not stand in for the verifier", async () => {
  const one = fresh();
  const { response } = await one.authorize();
  assert.equal(
    (await one.trade(response.code, { ...secret, code_verifier: undefined }))
      .status,
    400,
  );
});

test("a refresh token can be used once, and a new one comes with each answer, rolling for three years", async () => {
  assert.equal(pagero.control.settings.refreshTokenTtl, 3 * 365 * 24 * 3600);
  const one = fresh();
  const { refresh_token } = await one.signIn({}, secret);
  const { body } = await one.refresh(refresh_token, secret);
  assert.notEqual(body.refresh_token, refresh_token);
  assert.equal((await one.refresh(refresh_token, secret)).status, 400);
});

test("a refresh needs the secret, too", async () => {
  const one = fresh();
  const { refresh_token } = await one.signIn({}, secret);
  assert.equal((await one.refresh(refresh_token)).status, 401);
  assert.equal((await one.refresh(refresh_token, secret)).status, 200);
});

test("the lifetime of refresh tokens rolls: each is good for as long as is said when it is given", async () => {
  const { settings } = pagero.control;
  const { refreshTokenTtl } = settings;
  const one = fresh();
  const { refresh_token } = await one.signIn({}, secret);
  settings.refreshTokenTtl = 0;
  const { status, body } = await one.refresh(refresh_token, secret);
  settings.refreshTokenTtl = refreshTokenTtl;
  assert.equal(status, 200);
  assert.equal((await one.refresh(body.refresh_token, secret)).status, 400);
});

test("the legacy endpoints: 300 seconds, refresh tokens for a year, and scope all", async () => {
  const { settings } = pagero.control;
  const year = 365 * 24 * 3600;
  assert.deepEqual(settings.legacy, {
    accessTokenTtl: 300,
    refreshTokenTtl: year,
  });
  const one = visitor(
    pagero,
    { authorization: "/oauth2/authorize", token: "/oauth2/token" },
    clientId,
  );
  const { expires_in, scope } = await one.signIn({}, secret);
  assert.deepEqual([expires_in, scope], [300, "all"]);
  settings.legacy.refreshTokenTtl = 0;
  const { refresh_token: over } = await one.signIn({}, secret);
  settings.legacy.refreshTokenTtl = year;
  const { refresh_token } = await one.signIn({}, secret);
  assert.equal((await one.refresh(over, secret)).status, 400);
  assert.equal((await one.refresh(refresh_token, secret)).status, 200);
});

test("revocation by Basic with the parameter token: 200 and nothing; not by a secret in the body", async () => {
  const one = fresh();
  const { refresh_token } = await one.signIn({}, secret);
  const path = "/oauth/v2/oauth-revoke";
  const fields = { token: refresh_token };
  const inBody = await one.token(
    { ...fields, client_id: clientId, ...secret },
    { path },
  );
  assert.equal(inBody.status, 401);
  const headers = basic(clientId, client_secret);
  const { status, body } = await one.token(fields, { path, headers });
  assert.deepEqual([status, body], [200, ""]);
  assert.equal((await one.refresh(refresh_token, secret)).status, 400);
});

test("there is no discovery, no JWK Set, no userinfo and no logout", async () => {
  for (const path of [
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
    "/.well-known/jwks.json",
    "/userinfo",
    "/logout",
  ])
    assert.equal((await fresh().get(path)).status, 404, path);
});

test("no page of any origin may read an answer", async () => {
  const headers = { origin: "http://127.0.0.1:9" };
  const answer = await fresh().go(paths.token, { method: "OPTIONS", headers });
  assert.equal(answer.headers.get("access-control-allow-origin"), null);
});

const invalidGrant = { status: 400, error: "invalid_grant" };
const refused = {
  code: invalidGrant,
  redirect: invalidGrant,
  refresh: invalidGrant,
  client: { status: 401, error: "invalid_client" },
  grant: { status: 400, error: "unsupported_grant_type" },
  scope: { status: 400, error: "invalid_scope" },
  page: "Invalid redirect_uri",
};
const system = {
  ...{ name: "Pagero", server: () => pagero, paths, refused },
  ...{ login: { scope: "openid all" }, clientId, secret },
};
refusals(system);
rotation(system);
