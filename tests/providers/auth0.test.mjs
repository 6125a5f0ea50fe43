// Auth0: one assertion for every documented line, one test for every refusal.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createLocalJWKSet, jwtVerify } from "jose";
import { audience } from "./auth0/server.mjs";
import { startAuth0 } from "./index.mjs";
import { refusals, rotation } from "./kernel/refusals.mjs";
import { app, bye, claimsOf, clients, headerOf, visitor } from "./kernel/visitor.mjs";

const paths = { authorization: "/authorize", token: "/oauth/token" };
const login = { scope: "openid profile email offline_access" };
let auth0;

before(async () => {
  auth0 = await startAuth0({ clients, appOrigins: ["http://127.0.0.1:9"] });
});
after(() => auth0.close());

const fresh = () => visitor(auth0, paths);

test("the issuer is the domain with a slash at its end, in metadata and tokens", async () => {
  assert.match(auth0.issuer, /^http:\/\/127\.0\.0\.1:\d+\/$/);
  const { body } = await fresh().get("/.well-known/openid-configuration");
  assert.equal(body.issuer, auth0.issuer);
  const { id_token } = await fresh().signIn(login);
  assert.equal(claimsOf(id_token).iss, auth0.issuer);
});

test("its endpoints: GET /authorize, POST /oauth/token, /oauth/revoke, GET /userinfo", async () => {
  const { body } = await fresh().get("/.well-known/openid-configuration");
  assert.deepEqual(
    ["authorization", "token", "revocation", "userinfo"].map((name) => new URL(body[`${name}_endpoint`]).pathname),
    ["/authorize", "/oauth/token", "/oauth/revoke", "/userinfo"],
  );
});

test("the token answer: access_token, id_token, token_type, expires_in; a refresh token only with offline_access", async () => {
  const full = await fresh().signIn(login);
  assert.deepEqual(Object.keys(full).sort(), ["access_token", "expires_in", "id_token", "refresh_token", "token_type"]);
  assert.equal(full.token_type, "Bearer");
  const small = await fresh().signIn({ scope: "openid" });
  assert.equal(small.refresh_token, undefined);
  const none = await fresh().signIn({ scope: "offline_access" });
  assert.equal(none.id_token, undefined);
});

test("a refresh answer has scope, and a new ID Token if openid was asked for", async () => {
  const one = fresh();
  const { refresh_token } = await one.signIn(login);
  const { body } = await one.refresh(refresh_token);
  assert.equal(body.scope, login.scope);
  assert.equal(typeof body.id_token, "string");
  assert.equal(claimsOf(body.id_token).nonce, undefined);
});

test("an access token is a JWT with aud [api, userinfo], azp and permissions for an audience, and opaque without", async () => {
  const { access_token } = await fresh().signIn({ ...login, audience });
  const claims = claimsOf(access_token);
  assert.deepEqual(claims.aud, [audience, `${auth0.issuer}userinfo`]);
  assert.deepEqual([claims.azp, claims.permissions], ["spa", []]);
  const opaque = (await fresh().signIn(login)).access_token;
  assert.throws(() => claimsOf(opaque));
  const byResource = await fresh().signIn({ ...login, resource: audience });
  assert.equal(claimsOf(byResource.access_token).aud[0], audience);
});

test("an ID Token is signed with RS256 by a key of the JWK Set, for this client and nonce", async () => {
  const { id_token } = await fresh().signIn({ ...login, nonce: "n-0" });
  const { body } = await fresh().get("/.well-known/jwks.json");
  const { payload } = await jwtVerify(id_token, createLocalJWKSet(body), {
    issuer: auth0.issuer,
    audience: "spa",
    algorithms: ["RS256"],
  });
  assert.equal(payload.nonce, "n-0");
  assert.match(payload.sub, /^auth0\|/);
  assert.equal(headerOf(id_token).typ, "JWT");
});

test("custom claims are namespaced, and updated_at is a text", async () => {
  const claims = claimsOf((await fresh().signIn(login)).id_token);
  assert.deepEqual(claims["https://app.example.com/roles"], ["reader"]);
  assert.match(claims.updated_at, /^\d{4}-\d\d-\d\dT/);
});

test("with an organization, by id or by name in any case, the ID Token names it: org_id and org_name", async () => {
  for (const organization of ["org_wonderland01", "Wonderland"]) {
    const { id_token, access_token } = await fresh().signIn({ ...login, organization, audience });
    const { org_id, org_name } = claimsOf(id_token);
    assert.deepEqual([org_id, org_name], ["org_wonderland01", "wonderland"]);
    assert.equal(claimsOf(access_token).org_id, "org_wonderland01");
  }
  assert.equal(claimsOf((await fresh().signIn(login)).id_token).org_id, undefined);
});

test("refuses an organization that it does not know, and an invitation without one", async () => {
  const unknown = await fresh().authorize({ organization: "org_nobody" });
  assert.equal(unknown.response.error, "invalid_request");
  const alone = await fresh().authorize({ invitation: "ticket" });
  assert.equal(alone.response.error, "invalid_request");
  const both = await fresh().authorize({ invitation: "ticket", organization: "wonderland" });
  assert.ok(both.response.code);
});

test("refuses plain PKCE: only S256", async () => {
  for (const code_challenge_method of ["plain", undefined]) {
    const { response } = await fresh().authorize({ code_challenge_method });
    assert.equal(response.error, "invalid_request");
  }
});

test("removes the fragment of a redirect_uri", async () => {
  const { location } = await fresh().authorize({ ...login, redirect_uri: `${app}#there` });
  assert.ok(location.startsWith(`${app}?code=`));
});

test("prompt=none: login_required without a session, a code with one", async () => {
  const one = fresh();
  const refused = await one.authorize({ ...login, prompt: "none" });
  assert.deepEqual(
    [refused.response.error, refused.response.state],
    ["login_required", "s1"],
  );
  await one.authorize(login);
  assert.ok((await one.authorize({ ...login, prompt: "none" })).response.code);
});

test("errors come in the fragment where response_mode says so", async () => {
  const { location } = await fresh().authorize({ prompt: "none", response_mode: "fragment" });
  assert.ok(location.startsWith(`${app}#error=login_required`));
});

test("an Action refuses with access_denied and its own text, or with unauthorized", async () => {
  const { settings } = auth0.control;
  for (const error of ["access_denied", "unauthorized"]) {
    settings.action = { error, error_description: "Please verify your email before logging in." };
    const { response } = await fresh().authorize(login);
    assert.equal(response.error, error);
    assert.equal(response.error_description, "Please verify your email before logging in.");
  }
  settings.action = null;
  assert.ok((await fresh().authorize(login)).response.code);
});

test("refuses a bad refresh token with 403 and invalid_grant", async () => {
  const { status, body } = await fresh().refresh("unknown");
  assert.deepEqual(
    [status, body],
    [403, { error: "invalid_grant", error_description: "Unknown or invalid refresh token." }],
  );
});

test("mfa_required comes with an mfa_token", async () => {
  auth0.control.settings.mfa = true;
  const { status, body } = await fresh().refresh("any");
  auth0.control.settings.mfa = false;
  assert.deepEqual([status, body.error], [403, "mfa_required"]);
  assert.equal(typeof body.mfa_token, "string");
});

test("too many requests: 429 too_many_requests", async () => {
  auth0.control.settings.rateLimited = true;
  const { status, body } = await fresh().refresh("any");
  auth0.control.settings.rateLimited = false;
  assert.deepEqual([status, body.error], [429, "too_many_requests"]);
});

test("an overlap period lets the previous token be used again, and only that one", async () => {
  const { settings } = auth0.control;
  settings.leeway = 60;
  const one = fresh();
  const first = await one.signIn(login);
  const { body: second } = await one.refresh(first.refresh_token);
  assert.equal((await one.refresh(first.refresh_token)).status, 200);
  await one.refresh(second.refresh_token);
  assert.equal((await one.refresh(first.refresh_token)).status, 403);
  settings.leeway = 0;
});

test("rotation does not extend the lifetime; 30 days by default", async () => {
  const { settings } = auth0.control;
  assert.equal(settings.refreshTokenTtl, 30 * 24 * 3600);
  settings.refreshTokenTtl = 1;
  const one = fresh();
  const { refresh_token } = await one.signIn(login);
  const { body } = await one.refresh(refresh_token);
  settings.refreshTokenTtl = 30 * 24 * 3600;
  await new Promise((resolve) => setTimeout(resolve, 1100));
  assert.equal((await one.refresh(body.refresh_token)).status, 403);
});

test("POST /oauth/revoke takes a refresh token from a public client: 200 and nothing", async () => {
  const one = fresh();
  const { refresh_token, access_token } = await one.signIn(login);
  const revoke = (token) => one.token({ client_id: "spa", token }, { path: "/oauth/revoke" });
  assert.equal((await revoke(access_token)).status, 200);
  assert.ok(auth0.control.introspect(access_token), "refresh tokens only");
  const { status, body } = await revoke(refresh_token);
  assert.deepEqual([status, body], [200, ""]);
  assert.equal((await one.refresh(refresh_token)).status, 403);
  assert.equal((await revoke("unknown")).status, 200);
});

test("/userinfo wants openid, and tells how much is left", async () => {
  const one = fresh();
  const { access_token } = await one.signIn(login);
  const { status, headers, body } = await one.get("/userinfo", access_token);
  assert.equal(status, 200);
  assert.equal(body.email, "alice@example.com");
  for (const name of ["limit", "remaining", "reset"]) assert.ok(headers.has(`x-ratelimit-${name}`), name);
  const plain = await fresh().signIn({ scope: "offline_access" });
  assert.equal((await one.get("/userinfo", plain.access_token)).status, 401);
  assert.equal((await one.get("/userinfo")).status, 401);
});

test("/v2/logout takes client_id and returnTo, and gives no state back", async () => {
  const one = fresh();
  await one.authorize(login);
  const at = (more) => `/v2/logout?${new URLSearchParams({ client_id: "spa", ...more })}`;
  const answer = await one.go(at({ returnTo: bye, state: "s", federated: "" }));
  assert.equal(answer.headers.get("location"), bye);
  const { response } = await one.authorize({ prompt: "none" });
  assert.equal(response.error, "login_required");
  assert.equal((await one.go(at({ returnTo: "https://evil.example/" }))).status, 400);
  assert.equal((await one.go(at({}))).status, 200);
});

test("/oidc/logout takes what RP-Initiated Logout says, and gives the state back", async () => {
  const query = new URLSearchParams({ client_id: "spa", post_logout_redirect_uri: bye, state: "s" });
  const answer = await fresh().go(`/oidc/logout?${query}`);
  assert.equal(answer.headers.get("location"), `${bye}?state=s`);
});

test("pages of the application's origins may ask, others may not read", async () => {
  for (const [origin, allowed] of [
    ["http://127.0.0.1:9", "http://127.0.0.1:9"],
    ["https://evil.example", null],
  ]) {
    const { headers } = await fresh().go("/oauth/token", { method: "OPTIONS", headers: { origin } });
    assert.equal(headers.get("access-control-allow-origin"), allowed);
  }
});

const refused = {
  code: { status: 403, error: "invalid_grant" },
  redirect: { status: 403, error: "invalid_grant" },
  refresh: { status: 403, error: "invalid_grant" },
  client: { status: 401, error: "access_denied" },
  grant: { status: 403, error: "unauthorized_client" },
  scope: { status: 403, error: "invalid_scope" },
  page: "Callback URL mismatch.",
};
const system = { name: "Auth0", server: () => auth0, paths, refused, login };
refusals(system);
rotation(system);
