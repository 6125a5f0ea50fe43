// Auth0's two ways to log out.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { generateKeyPair, SignJWT } from "jose";
import { startAuth0 } from "./index.mjs";
import { bye, claimsOf, clients, visitor } from "./kernel/visitor.mjs";

const paths = { authorization: "/authorize", token: "/oauth/token" };
const login = { scope: "openid" };
const evil = "https://evil.example/";
let auth0;

before(async () => {
  auth0 = await startAuth0({ clients });
});
after(() => auth0.close());

const fresh = () => visitor(auth0, paths);
const v2 = (one, params) => one.go(`/v2/logout?${new URLSearchParams(params)}`);
const oidc = (one, params) =>
  one.go(`/oidc/logout?${new URLSearchParams(params)}`);
const post = (one, params) =>
  one.go("/oidc/logout", { method: "POST", body: new URLSearchParams(params) });
const placeOf = (answer) => answer.headers.get("location");

/** Somebody who is signed in, and what the ID Token says. */
async function somebody() {
  const one = fresh();
  const { id_token } = await one.signIn(login);
  return { one, id_token, ...claimsOf(id_token) };
}

async function isSignedIn(one) {
  const { response } = await one.authorize({ ...login, prompt: "none" });
  return response.code !== undefined;
}

test("/v2/logout takes client_id and returnTo, and gives no state back", async () => {
  const { one } = await somebody();
  const answer = await v2(one, {
    ...{ client_id: "spa", returnTo: bye, state: "s", federated: "" },
  });
  assert.equal(placeOf(answer), bye);
  assert.equal(await isSignedIn(one), false);
});

test("/v2/logout refuses a returnTo that is not allowed, and goes to the first that is without one", async () => {
  const refused = await v2(fresh(), { client_id: "spa", returnTo: evil });
  assert.deepEqual([refused.status, placeOf(refused)], [400, null]);
  assert.equal(placeOf(await v2(fresh(), { client_id: "spa" })), bye);
});

test("without a client_id the tenant's own Allowed Logout URLs count", async () => {
  const { settings } = auth0.control;
  assert.equal((await v2(fresh(), { returnTo: bye })).status, 400);
  settings.allowedLogoutUrls = [bye];
  assert.equal(placeOf(await v2(fresh(), { returnTo: bye })), bye);
  settings.allowedLogoutUrls = [];
  assert.equal((await v2(fresh(), {})).status, 200);
});

test("metadata name /oidc/logout, unless the tenant says no", async () => {
  const ask = async () =>
    (await fresh().get("/.well-known/openid-configuration")).body;
  const { url, control } = auth0;
  assert.equal((await ask()).end_session_endpoint, `${url}/oidc/logout`);
  control.settings.endSessionDiscovery = false;
  assert.equal("end_session_endpoint" in (await ask()), false);
  control.settings.endSessionDiscovery = true;
});

test("/oidc/logout by GET and by POST: an id_token_hint alone names the client, and the state comes back", async () => {
  for (const send of [oidc, post]) {
    const { one, id_token } = await somebody();
    const answer = await send(one, {
      ...{ id_token_hint: id_token, post_logout_redirect_uri: bye },
      ...{ state: "s", ui_locales: "en", federated: "" },
    });
    assert.equal(placeOf(answer), `${bye}?state=s`);
    assert.equal(await isSignedIn(one), false);
  }
});

test("/oidc/logout refuses a POST that is no form", async () => {
  const { one, id_token } = await somebody();
  const answer = await one.go("/oidc/logout", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ id_token_hint: id_token }),
  });
  assert.equal(answer.status, 400);
  assert.equal(await isSignedIn(one), true);
});

test("an id_token_hint may be expired, but has to be its own: not another key's, and not alg none", async () => {
  const { one, sid, sub } = await somebody();
  const claims = { iss: auth0.issuer, aud: "spa", sub, sid, exp: 1 };
  const { privateKey } = await generateKeyPair("RS256");
  const header = { alg: "RS256", typ: "JWT" };
  const encode = (part) =>
    Buffer.from(JSON.stringify(part)).toString("base64url");
  const ask = (id_token_hint) =>
    oidc(one, { id_token_hint, post_logout_redirect_uri: bye });
  for (const hint of [
    `${encode({ alg: "none", typ: "JWT" })}.${encode(claims)}.`,
    await new SignJWT(claims).setProtectedHeader(header).sign(privateKey),
    await auth0.control.sign({ ...claims, iss: evil }),
    "nonsense",
    "",
  ]) {
    const answer = await ask(hint);
    assert.deepEqual([answer.status, placeOf(answer)], [400, null], hint);
  }
  assert.equal(await isSignedIn(one), true);
  assert.equal(placeOf(await ask(await auth0.control.sign(claims))), bye);
});

test("a logout_hint is the sid, and goes with a client_id", async () => {
  const { one, sid } = await somebody();
  const to = { post_logout_redirect_uri: bye };
  const alone = await oidc(one, { logout_hint: sid, ...to });
  assert.equal(alone.status, 400, "the tenant allows no URL");
  const { one: two, sid: other } = await somebody();
  const params = { logout_hint: other, client_id: "spa", ...to };
  assert.equal(placeOf(await oidc(two, params)), bye);
  assert.equal(await isSignedIn(two), false);
});

test("refuses hints that do not belong together", async () => {
  const { one, id_token, sid } = await somebody();
  const hint = { id_token_hint: id_token, post_logout_redirect_uri: bye };
  for (const other of [{ logout_hint: "other" }, { client_id: "server" }])
    assert.equal((await oidc(one, { ...hint, ...other })).status, 400);
  assert.equal(await isSignedIn(one), true);
  const same = { logout_hint: sid, client_id: "spa" };
  assert.equal(placeOf(await oidc(one, { ...hint, ...same })), bye);
});

test("asks without a hint, or with one of another session; confirmed, it goes on", async () => {
  const { id_token: foreign } = await somebody();
  const to = { client_id: "spa", post_logout_redirect_uri: bye };
  for (const hint of [
    {},
    { logout_hint: "other" },
    { id_token_hint: foreign },
  ]) {
    const { one } = await somebody();
    const asked = await oidc(one, { ...to, ...hint });
    assert.equal(asked.status, 200);
    assert.match(await asked.text(), /Do you want to log out\?/);
    assert.equal(await isSignedIn(one), true);
    const confirmed = { ...to, ...hint, confirmed: "yes" };
    assert.equal(placeOf(await post(one, confirmed)), bye);
    assert.equal(await isSignedIn(one), false);
  }
});

test("does not ask where the tenant has switched that off", async () => {
  const { settings } = auth0.control;
  const { one } = await somebody();
  settings.logoutPrompt = false;
  const answer = await oidc(one, { client_id: "spa" });
  settings.logoutPrompt = true;
  assert.equal(placeOf(answer), bye);
  assert.equal(await isSignedIn(one), false);
});

test("/oidc/logout refuses a URL that is not allowed", async () => {
  const { one, id_token } = await somebody();
  const params = { id_token_hint: id_token, post_logout_redirect_uri: evil };
  const answer = await oidc(one, params);
  assert.deepEqual([answer.status, placeOf(answer)], [400, null]);
});
