// cidaas: authorization requests that are pushed, kept under a requestId, or interrupted by a precheck.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startCidaas } from "./index.mjs";
import { pushing } from "./kernel/pushing.mjs";
import { app, clients, visitor } from "./kernel/visitor.mjs";

const paths = { authorization: "/authz-srv/authz", token: "/token-srv/token" };
const login = { scope: "openid" };
const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;
let cidaas;

before(async () => {
  cidaas = await startCidaas({ clients });
});
after(() => cidaas.close());

const fresh = () => visitor(cidaas, paths);
const post = (one, path, document, headers) =>
  one.go(path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(document),
  });

test("POST /authz-srv/authrequest/authz/generate keeps a request: requestId, groupname, lang, view_type", async () => {
  const one = fresh();
  const path = "/authz-srv/authrequest/authz/generate";
  const asked = { ...one.request, ...login, nonce: "1", view_type: "register" };
  const kept = await (await post(one, path, asked)).json();
  const { requestId, ...rest } = kept.data;
  assert.deepEqual([kept.success, kept.status], [true, 200]);
  assert.match(requestId, uuid);
  assert.deepEqual(rest, {
    groupname: "default",
    lang: "",
    view_type: "register",
  });
  const nothing = Object.keys(one.request).map((name) => [name, undefined]);
  const none = Object.fromEntries(nothing);
  const { response } = await one.authorize({ ...none, requestId });
  assert.equal(response.state, "s1");
  assert.equal((await one.trade(response.code)).body.viewtype, "register");
});

test("refuses to keep a request of an unknown client, or to a foreign redirect_uri", async () => {
  const path = "/authz-srv/authrequest/authz/generate";
  const one = fresh();
  for (const [fields, status] of [
    [{ client_id: "nobody" }, 400],
    [{ redirect_uri: `${app}/` }, 400],
    [{}, 200],
  ]) {
    const answer = await post(one, path, { ...one.request, ...fields });
    assert.equal(answer.status, status);
  }
});

test("the language is that of Accept-Language", async () => {
  const path = "/authz-srv/authrequest/authz/generate";
  const one = fresh();
  const headers = { "accept-language": "de-DE,de;q=0.9" };
  const answer = await post(one, path, one.request, headers);
  assert.equal((await answer.json()).data.lang, "de-DE");
  const { body } = await one.get("/.well-known/openid-configuration");
  assert.deepEqual(body.ui_locales_supported, ["en-US", "de-DE"]);
});

/** A login that a precheck interrupts: what the page was told. */
async function interrupted(one, changes) {
  cidaas.control.settings.precheck = "scope_consent";
  const { location } = await one.authorize({ ...login, ...changes });
  cidaas.control.settings.precheck = null;
  return new URL(location, cidaas.url);
}

test("a precheck leads away with error, track_id, sub, requestId and suggested_url, and on to the code", async () => {
  const one = fresh();
  const at = await interrupted(one);
  const told = Object.fromEntries(at.searchParams);
  assert.equal(told.error, "scope_consent");
  for (const name of ["track_id", "sub", "requestId"])
    assert.match(told[name], uuid, name);
  assert.ok(told.suggested_url.startsWith(cidaas.url));
  assert.equal((await one.go(at)).status, 200);
  const next = `/login-srv/precheck/continue/${told.track_id}`;
  const resume = () => one.go(next, { method: "POST" });
  const { searchParams } = new URL((await resume()).headers.get("location"));
  assert.equal(searchParams.get("state"), "s1");
  assert.equal((await one.trade(searchParams.get("code"))).status, 200);
  assert.equal((await resume()).status, 400, "once");
});

test("/token-srv/prelogin/metadata/{track_id} tells of it: 200, 204 for an unknown one, 400 for what is no UUID", async () => {
  const one = fresh();
  const track_id = (await interrupted(one)).searchParams.get("track_id");
  const ask = (id) => one.get(`/token-srv/prelogin/metadata/${id}`);
  const { status, body } = await ask(track_id);
  assert.deepEqual([status, body.data.track_id], [200, track_id]);
  const unknown = track_id.replace(/^./, (one) => (one === "0" ? "1" : "0"));
  assert.equal((await ask(unknown)).status, 204);
  assert.equal((await ask("nonsense")).status, 400);
});

test("prompt=none cannot pass a precheck: interaction_required", async () => {
  const one = fresh();
  await one.authorize(login);
  const at = await interrupted(one, { prompt: "none" });
  assert.equal(at.searchParams.get("error"), "interaction_required");
  const { response } = await one.authorize({ ...login, prompt: "none" });
  assert.ok(response.code);
});

const [spa, server] = clients;
const system = { server: () => cidaas, paths, path: "/authz-srv/par", login };
const refused = { status: 401, error: "invalid_client" };
for (const client of [spa, server])
  pushing({
    ...{ ...system, refused, client },
    name: `cidaas' ${client.client_secret ? "client with a secret" : "public client"}`,
  });

test("a browser pushes from an allowed_web_origin: another is refused with 403 and AUTH10043", async () => {
  const { origin } = new URL(app);
  for (const [from, status] of [
    [origin, 201],
    ["https://evil.example", 403],
  ]) {
    const one = fresh();
    const headers = { origin: from };
    const options = { path: "/authz-srv/par", headers };
    const answer = await one.token({ ...one.request, ...login }, options);
    assert.equal(answer.status, status);
    if (status === 201) assert.equal(answer.body.expires_in, 90);
    else assert.match(answer.body.error_description, /AUTH10043/);
  }
});
