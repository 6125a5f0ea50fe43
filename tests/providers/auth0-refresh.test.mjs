// Auth0's refresh tokens: rotating or not, bound to a session or not, and how they are refused and revoked.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { audience } from "./auth0/server.mjs";
import { startAuth0 } from "./index.mjs";
import { clients, visitor } from "./kernel/visitor.mjs";

const paths = { authorization: "/authorize", token: "/oauth/token" };
const login = { scope: "openid profile email offline_access" };
let auth0;

before(async () => {
  auth0 = await startAuth0({ clients });
});
after(() => auth0.close());

const fresh = () => visitor(auth0, paths);
const revoke = (one, token) =>
  one.token({ client_id: "spa", token }, { path: "/oauth/revoke" });

test("refuses a bad refresh token with 403 and invalid_grant", async () => {
  const { status, body } = await fresh().refresh("unknown");
  assert.deepEqual(
    [status, body],
    [
      403,
      {
        error: "invalid_grant",
        error_description: "Unknown or invalid refresh token.",
      },
    ],
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
  assert.equal((await revoke(one, access_token)).status, 200);
  assert.ok(auth0.control.introspect(access_token), "refresh tokens only");
  const { status, body } = await revoke(one, refresh_token);
  assert.deepEqual([status, body], [200, ""]);
  assert.equal((await one.refresh(refresh_token)).status, 403);
  assert.equal((await revoke(one, "unknown")).status, 200);
});

test("no refresh token for an API that does not Allow Offline Access", async () => {
  const { settings } = auth0.control;
  settings.offlineAccess = false;
  const { refresh_token } = await fresh().signIn(login);
  settings.offlineAccess = true;
  assert.equal(refresh_token, undefined);
  assert.ok((await fresh().signIn(login)).refresh_token);
});

test("a refresh without the parameter is told Missing Refresh Token", async () => {
  const one = fresh();
  const { refresh_token } = await one.signIn(login);
  const { status, body } = await one.refresh(undefined);
  assert.equal(status, 400);
  assert.match(body.error_description, /Missing Refresh Token/);
  assert.equal((await one.refresh(refresh_token)).status, 200);
});

test("a blocked user: user is blocked, at a refresh and at a login", async () => {
  const { settings } = auth0.control;
  const one = fresh();
  const { refresh_token } = await one.signIn(login);
  settings.blocked = true;
  const { status, body } = await one.refresh(refresh_token);
  const { response } = await one.authorize(login);
  settings.blocked = false;
  assert.deepEqual(
    [status, body],
    [403, { error: "invalid_grant", error_description: "user is blocked" }],
  );
  assert.deepEqual(
    [response.error, response.error_description],
    ["unauthorized", "user is blocked"],
  );
  assert.equal((await one.refresh(refresh_token)).status, 200);
});

test("without rotation a refresh token stays, and none comes with a refresh", async () => {
  const { control } = auth0;
  control.setRotation(false);
  const one = fresh();
  const { refresh_token } = await one.signIn(login);
  for (const times of [1, 2]) {
    const { status, body } = await one.refresh(refresh_token);
    assert.deepEqual([status, body.refresh_token], [200, undefined], times);
  }
  control.setRotation(true);
});

test("rotation is switched on: an exchange gives a rotating token, and deletes the non-rotating ones of that user, client and API, but for online ones", async () => {
  const { control } = auth0;
  control.setRotation(false);
  const one = fresh();
  const two = fresh();
  const first = (await one.signIn(login)).refresh_token;
  const alike = (await two.signIn(login)).refresh_token;
  const bound = (await two.signIn(online)).refresh_token;
  const otherApi = (await two.signIn({ ...login, audience })).refresh_token;
  control.setRotation(true);
  const { body } = await one.refresh(first);
  assert.ok(body.refresh_token);
  for (const gone of [first, alike])
    assert.equal((await one.refresh(gone)).status, 403);
  for (const kept of [otherApi, bound])
    assert.equal((await two.refresh(kept)).status, 200);
  const { body: next } = await one.refresh(body.refresh_token);
  assert.notEqual(next.refresh_token, body.refresh_token);
});

test("rotation is switched off: an exchange gives a non-rotating token, and revokes the family", async () => {
  const { control } = auth0;
  const one = fresh();
  const { refresh_token } = await one.signIn(login);
  control.setRotation(false);
  const { body } = await one.refresh(refresh_token);
  assert.equal((await one.refresh(refresh_token)).status, 403);
  const again = await one.refresh(body.refresh_token);
  control.setRotation(true);
  assert.deepEqual([again.status, again.body.refresh_token], [200, undefined]);
});

const online = { scope: "openid online_access" };

test("online_access gives a refresh token that does not rotate, and is not told back", async () => {
  const one = fresh();
  const { refresh_token } = await one.signIn(online);
  for (const times of [1, 2]) {
    const { status, body } = await one.refresh(refresh_token);
    assert.deepEqual([status, body.refresh_token], [200, undefined], times);
    assert.equal(body.scope, "openid");
  }
});

test("online_access is bound to the session at the server, offline_access is not", async () => {
  const ends = [
    (one) => one.go("/v2/logout?client_id=spa"),
    () => auth0.control.dropSessions(),
  ];
  for (const end of ends)
    for (const [scopes, status] of [
      [online, 403],
      [login, 200],
    ]) {
      const one = fresh();
      const { refresh_token } = await one.signIn(scopes);
      await end(one);
      assert.equal((await one.refresh(refresh_token)).status, status);
    }
});

test("another's logout leaves an online_access token alone", async () => {
  const [one, two] = [fresh(), fresh()];
  const { refresh_token } = await one.signIn(online);
  await two.signIn(online);
  await two.go("/v2/logout?client_id=spa");
  assert.equal((await one.refresh(refresh_token)).status, 200);
});

test("an online_access token does not expire by itself", async () => {
  const { settings } = auth0.control;
  const { refreshTokenTtl } = settings;
  settings.refreshTokenTtl = 0;
  const one = fresh();
  const { refresh_token } = await one.signIn(online);
  const other = await one.signIn(login);
  settings.refreshTokenTtl = refreshTokenTtl;
  assert.equal((await one.refresh(refresh_token)).status, 200);
  assert.equal((await one.refresh(other.refresh_token)).status, 403);
});

test("revoking an online_access token ends the session, another one does not", async () => {
  for (const [scopes, error] of [
    [online, "login_required"],
    [login, undefined],
  ]) {
    const one = fresh();
    const { refresh_token } = await one.signIn(scopes);
    assert.equal((await revoke(one, refresh_token)).status, 200);
    const { response } = await one.authorize({ ...scopes, prompt: "none" });
    assert.equal(response.error, error);
  }
});

test("refuses online_access together with offline_access", async () => {
  const both = "openid online_access offline_access";
  const { response } = await fresh().authorize({ scope: both });
  assert.deepEqual(
    [response.error, response.error_description],
    [
      "invalid_request",
      "Cannot request both online_access and offline_access scopes",
    ],
  );
  assert.ok((await fresh().authorize(online)).response.code);
});
