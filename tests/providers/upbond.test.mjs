// UPBOND Login 3.0: one assertion for every documented line, one test for every refusal.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startUpbond } from "./index.mjs";
import { refusals } from "./kernel/refusals.mjs";
import { bye, claimsOf, clients, visitor } from "./kernel/visitor.mjs";

const paths = { authorization: "/authorize", token: "/oauth/token" };
const login = { scope: "openid profile offline_access" };
let upbond;

before(async () => {
  upbond = await startUpbond({ clients });
});
after(() => upbond.close());

const fresh = (clientId) => visitor(upbond, paths, clientId);
const revoke = (
  one,
  document,
  headers = { "content-type": "application/json" },
) => one.go("/oauth/revoke", { method: "POST", headers, body: document });

test("discovery and JWK Set are at their well-known places", async () => {
  const { body } = await fresh().get("/.well-known/openid-configuration");
  assert.equal(body.issuer, upbond.url);
  assert.equal(body.token_endpoint, `${upbond.url}/oauth/token`);
  const jwks = await fresh().get("/.well-known/jwks.json");
  assert.equal(jwks.body.keys.length, 1);
});

test("an account's discovery is asked for with x-account-id, and names the account's userinfo endpoint", async () => {
  upbond.control.settings.accountId = "acc-1";
  const ask = (headers) =>
    fresh().go("/.well-known/openid-configuration", { headers });
  assert.equal((await ask({})).status, 404);
  assert.equal((await ask({ "x-account-id": "acc-2" })).status, 404);
  const found = await ask({
    "x-account-id": "acc-1",
    authorization: "Bearer x",
  });
  const { userinfo_endpoint } = await found.json();
  assert.equal(userinfo_endpoint, `${upbond.url}/accounts/acc-1/userinfo`);
  const one = fresh();
  const { access_token } = await one.signIn(login);
  assert.equal(
    (await one.get(userinfo_endpoint, access_token)).body.sub,
    "alice",
  );
  const other = userinfo_endpoint.replace("acc-1", "acc-2");
  assert.equal((await one.get(other, access_token)).status, 404);
  upbond.control.settings.accountId = null;
  assert.equal((await one.get(userinfo_endpoint, access_token)).status, 404);
});

test("a refresh token comes with offline_access only", async () => {
  assert.equal(
    (await fresh().signIn({ scope: "openid profile" })).refresh_token,
    undefined,
  );
  assert.ok((await fresh().signIn(login)).refresh_token);
});

test("scope takes OIDC scopes, namespaced custom claims and scopes of an API", async () => {
  const scope = "openid https://app.example.com/roles read:orders";
  const { access_token } = await fresh().signIn({
    scope,
    audience: "https://api.example.com",
  });
  assert.equal(claimsOf(access_token).scope, scope);
});

test("a social provider's error code comes back as it is: KOE101, WAE102, WCE102, TGE102", async () => {
  const { settings } = upbond.control;
  for (const error of ["KOE101", "WAE102", "WCE102", "TGE102"]) {
    const error_description = `${error}: wrong app key`;
    settings.social = { error, error_description };
    const { response } = await fresh().authorize(login);
    assert.deepEqual(
      [
        response.error,
        response.error_description,
        response.state,
        response.iss,
      ],
      [error, error_description, "s1", upbond.url],
    );
  }
  settings.social = null;
  assert.ok((await fresh().authorize(login)).response.code);
});

test("the token answer: access, refresh and ID Token, Bearer, 86400, and no scope", async () => {
  const { refresh_token, ...rest } = await fresh().signIn(login);
  assert.equal(typeof refresh_token, "string");
  assert.deepEqual(Object.keys(rest).sort(), [
    "access_token",
    "expires_in",
    "id_token",
    "token_type",
  ]);
  assert.deepEqual([rest.token_type, rest.expires_in], ["Bearer", 86400]);
});

test("the refresh answer: access and ID Token, 86400, scope, and no new refresh token", async () => {
  const one = fresh();
  const { refresh_token } = await one.signIn(login);
  const { body } = await one.refresh(refresh_token);
  assert.deepEqual(Object.keys(body).sort(), [
    "access_token",
    "expires_in",
    "id_token",
    "scope",
    "token_type",
  ]);
  assert.deepEqual([body.expires_in, body.scope], [86400, login.scope]);
  assert.equal((await one.refresh(refresh_token)).status, 200);
});

test("a refresh takes a reduced set of scopes", async () => {
  const one = fresh();
  const { refresh_token } = await one.signIn(login);
  const { body } = await one.refresh(refresh_token, { scope: "openid" });
  assert.equal(body.scope, "openid");
});

test("Login 3.0 supports only S256", async () => {
  for (const code_challenge_method of ["plain", undefined]) {
    const { response } = await fresh().authorize({ code_challenge_method });
    assert.equal(response.error, "invalid_request");
  }
});

test("state is recommended, not required: without one the callback has none", async () => {
  const { response } = await fresh().authorize({ ...login, state: undefined });
  assert.ok(response.code && response.state === undefined);
});

test("audience or resource make a JWT for that API; an empty scope is taken, an unknown resource refused", async () => {
  const byResource = await fresh().signIn({
    scope: "",
    resource: "https://api.example.com",
  });
  assert.equal(
    claimsOf(byResource.access_token).aud,
    "https://api.example.com",
  );
  assert.equal(byResource.id_token, undefined);
  const byAudience = await fresh().signIn({
    ...login,
    audience: "API_IDENTIFIER",
  });
  assert.equal(claimsOf(byAudience.access_token).aud, "API_IDENTIFIER");
  const { response } = await fresh().authorize({
    resource: "https://other.example",
  });
  assert.equal(response.error, "invalid_target");
});

test("any additional parameter is taken", async () => {
  const { response } = await fresh().authorize({
    ...login,
    line_bot_prompt: "normal",
  });
  assert.ok(response.code);
});

test("the callback names the issuer", async () => {
  assert.equal((await fresh().authorize(login)).response.iss, upbond.url);
});

test("redirect_uri_mismatch, Invalid redirect URI: exact, to the last slash", async () => {
  const { page } = await fresh().authorize({
    redirect_uri: "http://127.0.0.1:9/callback/",
  });
  assert.match(page, /redirect_uri_mismatch[\s\S]*Invalid redirect URI/);
});

test("invalid_client, Client authentication failed", async () => {
  const { status, body } = await fresh("server").trade("any", {
    client_secret: "wrong",
  });
  assert.deepEqual(
    [status, body],
    [
      401,
      {
        error: "invalid_client",
        error_description: "Client authentication failed",
      },
    ],
  );
});

test("invalid_token, The access token is invalid or expired", async () => {
  const { status, body } = await fresh().get("/userinfo", "unknown");
  assert.deepEqual(
    [status, body],
    [
      401,
      {
        error: "invalid_token",
        error_description: "The access token is invalid or expired",
      },
    ],
  );
});

test("the classic code flow wants the client_secret, without PKCE", async () => {
  const classic = {
    code_challenge: undefined,
    code_challenge_method: undefined,
  };
  const { client_secret } = clients[1];
  for (const [secret, status] of [
    [client_secret, 200],
    ["wrong", 401],
    [undefined, 401],
  ]) {
    const one = fresh("server");
    const { response } = await one.authorize({ ...login, ...classic });
    const answer = await one.trade(response.code, {
      client_secret: secret,
      code_verifier: undefined,
    });
    assert.equal(answer.status, status);
  }
});

test("client credentials are for clients with a secret", async () => {
  const { client_secret } = clients[1];
  const grant = { grant_type: "client_credentials" };
  const server = await fresh().token({
    ...grant,
    client_id: "server",
    client_secret,
  });
  assert.equal(server.status, 200);
  const spa = await fresh().token({ ...grant, client_id: "spa" });
  assert.equal(spa.status, 400);
});

test("POST /oauth/revoke takes JSON, and answers 200 with nothing; a form it refuses", async () => {
  const one = fresh();
  const { refresh_token } = await one.signIn(login);
  const form = await revoke(one, `client_id=spa&token=${refresh_token}`, {
    "content-type": "application/x-www-form-urlencoded",
  });
  assert.equal(form.status, 400);
  const answer = await revoke(
    one,
    JSON.stringify({ client_id: "spa", token: refresh_token }),
  );
  assert.deepEqual([answer.status, await answer.text()], [200, ""]);
  assert.equal((await one.refresh(refresh_token)).status, 400);
});

test("revocation by a client with a secret wants it in the JSON, too", async () => {
  const one = fresh("server");
  const { client_secret } = clients[1];
  for (const [secret, status] of [
    [client_secret, 200],
    [undefined, 401],
  ]) {
    const body = JSON.stringify({
      client_id: "server",
      client_secret: secret,
      token: "any",
    });
    assert.equal((await revoke(one, body)).status, status);
  }
});

test("userinfo says Not found for a user without a record, until one is posted", async () => {
  const one = fresh();
  const { access_token } = await one.signIn(login);
  upbond.control.settings.unknownUser = true;
  assert.deepEqual((await one.get("/userinfo", access_token)).body, {
    error: "Not found",
  });
  const headers = { authorization: `Bearer ${access_token}` };
  await one.go("/userinfo", { method: "POST", headers });
  assert.equal((await one.get("/userinfo", access_token)).body.sub, "alice");
});

test("/v2/logout takes client_id and returnTo", async () => {
  const at = (returnTo) =>
    `/v2/logout?${new URLSearchParams({ client_id: "spa", returnTo })}`;
  const answer = await fresh().go(at(bye));
  assert.equal(answer.headers.get("location"), bye);
  assert.equal((await fresh().go(at("https://evil.example/"))).status, 400);
});

const refused = {
  code: { status: 400, error: "invalid_grant" },
  redirect: { status: 400, error: "redirect_uri_mismatch" },
  refresh: { status: 400, error: "invalid_grant" },
  client: { status: 401, error: "invalid_client" },
  grant: { status: 400, error: "unsupported_grant_type" },
  scope: { status: 400, error: "invalid_scope" },
  page: "redirect_uri_mismatch",
};
refusals({ name: "UPBOND", server: () => upbond, paths, refused, login });
