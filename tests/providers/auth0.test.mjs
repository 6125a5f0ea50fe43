// Auth0: one assertion for every documented line, one test for every refusal.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createLocalJWKSet, jwtVerify } from "jose";
import { audience } from "./auth0/server.mjs";
import { startAuth0 } from "./index.mjs";
import { pushing } from "./kernel/pushing.mjs";
import { refusals, rotation } from "./kernel/refusals.mjs";
import {
  app,
  claimsOf,
  clients,
  headerOf,
  visitor,
} from "./kernel/visitor.mjs";

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
    ["authorization", "token", "revocation", "userinfo"].map(
      (name) => new URL(body[`${name}_endpoint`]).pathname,
    ),
    ["/authorize", "/oauth/token", "/oauth/revoke", "/userinfo"],
  );
});

test("the token answer: access_token, id_token, token_type, expires_in; a refresh token only with offline_access", async () => {
  const full = await fresh().signIn(login);
  assert.deepEqual(Object.keys(full).sort(), [
    "access_token",
    "expires_in",
    "id_token",
    "refresh_token",
    "token_type",
  ]);
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
});

test("resource stands in for audience where the tenant's Resource Parameter Compatibility Profile says so", async () => {
  const { settings } = auth0.control;
  settings.resourceParameter = true;
  const byResource = await fresh().signIn({ ...login, resource: audience });
  assert.equal(claimsOf(byResource.access_token).aud[0], audience);
  const unknown = await fresh().authorize({
    ...login,
    resource: "https://other.example/",
  });
  assert.equal(unknown.response.error, "access_denied");
  const both = await fresh().authorize({
    ...login,
    audience,
    resource: "https://other.example/",
  });
  assert.ok(both.response.code, "audience comes first");
  settings.resourceParameter = false;
  const { access_token } = await fresh().signIn({
    ...login,
    resource: audience,
  });
  assert.throws(() => claimsOf(access_token), "ignored otherwise");
});

test("refuses an audience that is no API of the tenant: access_denied, Service not found", async () => {
  const unknown = "https://other.example/";
  const { response } = await fresh().authorize({ ...login, audience: unknown });
  assert.deepEqual(
    [response.error, response.error_description, response.state],
    ["access_denied", `Service not found: ${unknown}`, "s1"],
  );
  auth0.control.settings.audiences.push(unknown);
  const { access_token } = await fresh().signIn({
    ...login,
    audience: unknown,
  });
  auth0.control.settings.audiences.pop();
  assert.equal(claimsOf(access_token).aud[0], unknown);
});

test("connection is taken", async () => {
  assert.ok(
    (await fresh().authorize({ ...login, connection: "google-oauth2" }))
      .response.code,
  );
});

test("dpop_jkt and a DPoP proof are taken, and change nothing: tokens stay Bearer tokens", async () => {
  const one = fresh();
  const { response } = await one.authorize({
    ...login,
    dpop_jkt: "A".repeat(43),
  });
  const { status, body } = await one.trade(
    response.code,
    {},
    { headers: { dpop: "e30.e30.e30" } },
  );
  assert.deepEqual([status, body.token_type], [200, "Bearer"]);
  const at = (scheme) =>
    one.go("/userinfo", {
      headers: { authorization: `${scheme} ${body.access_token}` },
    });
  assert.equal((await at("DPoP")).status, 401);
  assert.equal((await at("Bearer")).status, 200);
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
  auth0.control.settings.organizationNames = true;
  for (const organization of ["org_wonderland01", "Wonderland"]) {
    const { id_token, access_token } = await fresh().signIn({
      ...login,
      organization,
      audience,
    });
    const { org_id, org_name } = claimsOf(id_token);
    assert.deepEqual([org_id, org_name], ["org_wonderland01", "wonderland"]);
    assert.equal(claimsOf(access_token).org_id, "org_wonderland01");
  }
  auth0.control.settings.organizationNames = false;
  assert.equal(
    claimsOf((await fresh().signIn(login)).id_token).org_id,
    undefined,
  );
});

test("organization names are the tenant's choice: without them a name is refused, and org_name is not told", async () => {
  const { settings } = auth0.control;
  const byName = { ...login, organization: "wonderland" };
  assert.equal(
    (await fresh().authorize(byName)).response.error,
    "invalid_request",
  );
  const { id_token } = await fresh().signIn({
    ...login,
    organization: "org_wonderland01",
  });
  const { org_id, org_name } = claimsOf(id_token);
  assert.deepEqual([org_id, org_name], ["org_wonderland01", undefined]);
  settings.organizationNames = true;
  assert.ok((await fresh().authorize(byName)).response.code);
  settings.organizationNames = false;
});

test("refuses an organization that it does not know, and an invitation without one", async () => {
  const unknown = await fresh().authorize({ organization: "org_nobody" });
  assert.equal(unknown.response.error, "invalid_request");
  const alone = await fresh().authorize({ invitation: "ticket" });
  assert.equal(alone.response.error, "invalid_request");
  const both = await fresh().authorize({
    invitation: "ticket",
    organization: "org_wonderland01",
  });
  assert.ok(both.response.code);
});

test("refuses plain PKCE: only S256", async () => {
  for (const code_challenge_method of ["plain", undefined]) {
    const { response } = await fresh().authorize({ code_challenge_method });
    assert.equal(response.error, "invalid_request");
  }
});

test("removes the fragment of a redirect_uri", async () => {
  const { location } = await fresh().authorize({
    ...login,
    redirect_uri: `${app}#there`,
  });
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

test("prompt=none with a session: consent_required, interaction_required, or Multifactor authentication required", async () => {
  const { settings } = auth0.control;
  const one = fresh();
  await one.authorize(login);
  for (const [error, error_description] of [
    ["consent_required", "Consent required"],
    ["interaction_required", "Interaction required"],
    ["login_required", "Multifactor authentication required"],
  ]) {
    settings.silent = { error, error_description };
    const { response } = await one.authorize({ ...login, prompt: "none" });
    assert.deepEqual(
      [response.error, response.error_description],
      [error, error_description],
    );
    assert.ok(
      (await one.authorize(login)).response.code,
      "not without prompt=none",
    );
  }
  settings.silent = null;
  assert.ok((await one.authorize({ ...login, prompt: "none" })).response.code);
});

test("errors come in the fragment where response_mode says so", async () => {
  const { location } = await fresh().authorize({
    prompt: "none",
    response_mode: "fragment",
  });
  assert.ok(location.startsWith(`${app}#error=login_required`));
});

test("an Action refuses with access_denied and its own text, or with unauthorized", async () => {
  const { settings } = auth0.control;
  for (const error of ["access_denied", "unauthorized"]) {
    settings.action = {
      error,
      error_description: "Please verify your email before logging in.",
    };
    const { response } = await fresh().authorize(login);
    assert.equal(response.error, error);
    assert.equal(
      response.error_description,
      "Please verify your email before logging in.",
    );
  }
  settings.action = null;
  assert.ok((await fresh().authorize(login)).response.code);
});

test("/userinfo wants openid, and tells how much is left", async () => {
  const one = fresh();
  const { access_token } = await one.signIn(login);
  const { status, headers, body } = await one.get("/userinfo", access_token);
  assert.equal(status, 200);
  assert.equal(body.email, "alice@example.com");
  for (const name of ["limit", "remaining", "reset"])
    assert.ok(headers.has(`x-ratelimit-${name}`), name);
  const plain = await fresh().signIn({ scope: "offline_access" });
  assert.equal((await one.get("/userinfo", plain.access_token)).status, 401);
  assert.equal((await one.get("/userinfo")).status, 401);
});

test("/userinfo is limited: 429 with the headers that say until when", async () => {
  const one = fresh();
  const { access_token } = await one.signIn(login);
  auth0.control.settings.rateLimited = true;
  const { status, headers, body } = await one.get("/userinfo", access_token);
  auth0.control.settings.rateLimited = false;
  assert.deepEqual(
    [status, body.error, headers.get("x-ratelimit-remaining")],
    [429, "too_many_requests", "0"],
  );
  assert.ok(Number(headers.get("x-ratelimit-reset")) > 0);
  assert.equal((await one.get("/userinfo", access_token)).status, 200);
});

test("pages of the application's origins may ask, others may not read", async () => {
  for (const [origin, allowed] of [
    ["http://127.0.0.1:9", "http://127.0.0.1:9"],
    ["https://evil.example", null],
  ]) {
    const { headers } = await fresh().go("/oauth/token", {
      method: "OPTIONS",
      headers: { origin },
    });
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
pushing({
  ...system,
  path: "/oauth/par",
  client: clients[1],
  refused: refused.client,
});

test("a public client may not push an authorization request", async () => {
  const one = fresh();
  const { status, body } = await one.token(
    { ...one.request, ...login },
    { path: "/oauth/par" },
  );
  assert.deepEqual([status, body.error], [401, "access_denied"]);
});
