import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import {
  answerJson,
  clientId,
  codeGrant,
  fieldsOf,
  head,
  honest,
  refreshGrant,
  revocation,
  secret,
  start,
  tokens,
  verifier,
} from "./support.mjs";

// What the relay is there for.

let relay;
before(async () => (relay = await start()));
after(() => relay.close());
beforeEach(() => {
  relay.upstream.requests.length = 0;
  relay.upstream.answer = honest;
  relay.lines.length = 0;
});

test("a code is traded with the secret that the browser does not have", async () => {
  const { status, json, headers } = await relay.post(codeGrant);
  assert.equal(status, 200);
  assert.deepEqual(json, tokens);
  assert.equal(headers["cache-control"], "no-store");
  assert.equal(headers["content-type"], "application/json");
  const [asked] = relay.upstream.requests;
  assert.equal(asked.method, "POST");
  assert.equal(asked.url, "/token");
  const { client_id, ...sent } = codeGrant;
  assert.deepEqual(fieldsOf(asked.body), sent);
});

test("a refresh token is traded, with a narrower scope if the browser wants one", async () => {
  const more = { ...refreshGrant, scope: "read" };
  const { status } = await relay.post(more);
  assert.equal(status, 200);
  const { client_id, ...sent } = more;
  assert.deepEqual(fieldsOf(relay.upstream.requests[0].body), sent);
});

test("a token is revoked, and the empty answer passed on", async () => {
  const path = "/oauth/revoke";
  const { status, text } = await relay.post(revocation, { path });
  assert.equal(status, 200);
  assert.equal(text, "");
  const [asked] = relay.upstream.requests;
  assert.equal(asked.url, "/revoke");
  assert.deepEqual(fieldsOf(asked.body), { token: revocation.token });
});

test("a request without a client_id is the client's all the same", async () => {
  const { client_id, ...sent } = codeGrant;
  assert.equal((await relay.post(sent)).status, 200);
});

test("resource may come more than once (RFC 8707 §2)", async () => {
  const body = new URLSearchParams(codeGrant);
  body.append("resource", "https://a.example");
  body.append("resource", "https://b.example");
  assert.equal((await relay.post(body)).status, 200);
  const sent = new URLSearchParams(relay.upstream.requests[0].body);
  assert.deepEqual(sent.getAll("resource"), [
    "https://a.example",
    "https://b.example",
  ]);
});

test("with authMethod body the secret goes into the body", async (t) => {
  const other = await start({ authMethod: "body" });
  t.after(() => other.close());
  assert.equal((await other.post(codeGrant)).status, 200);
  const [{ body, headers }] = other.upstream.requests;
  assert.deepEqual(fieldsOf(body), { ...codeGrant, client_secret: secret });
  assert.equal(headers.authorization, undefined);
});

test("with revocation json the form becomes JSON with the secret in it", async (t) => {
  const other = await start({ revocation: "json" });
  t.after(() => other.close());
  const path = "/oauth/revoke";
  assert.equal((await other.post(revocation, { path })).status, 200);
  assert.deepEqual(JSON.parse(other.upstream.requests[0].body), {
    token: revocation.token,
    client_id: clientId,
    client_secret: secret,
  });
  // The token endpoint goes on taking forms.
  assert.equal((await other.post(codeGrant)).status, 200);
});

test("a body that comes in chunks is read like any other", async () => {
  const body = new URLSearchParams(codeGrant).toString();
  const half = Math.floor(body.length / 2);
  const chunks = [body.slice(0, half), body.slice(half), ""].map(
    (text) => `${text.length.toString(16)}\r\n${text}\r\n`,
  );
  const answer = await relay.raw(
    head(["Transfer-Encoding: chunked"]) + chunks.join(""),
  );
  assert.match(answer, /^HTTP\/1\.1 200 /);
});

test("what the server refuses is passed on as it is", async () => {
  const error = { error: "invalid_grant", error_description: "used" };
  relay.upstream.answer = (req, res) => answerJson(res, 400, error);
  const { status, json } = await relay.post(refreshGrant);
  assert.equal(status, 400);
  assert.deepEqual(json, error);
});

test("a server that asks for patience is heard: 429 and Retry-After are passed on", async () => {
  relay.upstream.answer = (req, res) =>
    answerJson(
      res,
      429,
      { error: "slow_down" },
      { "retry-after": "17", "x-own": "1", "set-cookie": "a=b" },
    );
  const { status, headers } = await relay.post(refreshGrant);
  assert.equal(status, 429);
  assert.equal(headers["retry-after"], "17");
  assert.equal(headers["x-own"], undefined);
  assert.equal(headers["set-cookie"], undefined);
});

test("a 401 comes without its challenge, which would make a browser ask for a password", async () => {
  relay.upstream.answer = (req, res) =>
    answerJson(
      res,
      401,
      { error: "invalid_client" },
      { "www-authenticate": "Basic" },
    );
  const { status, headers, json } = await relay.post(codeGrant);
  assert.equal(status, 401);
  assert.equal(json.error, "invalid_client");
  assert.equal(headers["www-authenticate"], undefined);
});

test("the log says what was asked and how it went, and no value of it", async () => {
  await relay.post(codeGrant);
  await relay.post({ ...codeGrant, code_verifier: "short-and-secret" });
  relay.upstream.answer = (req, res) => res.destroy();
  await relay.post(refreshGrant);
  assert.equal(relay.lines.length, 3);
  assert.match(
    relay.lines[0],
    /^POST \/oauth\/token authorization_code 200 \d+ ms$/,
  );
  assert.match(relay.lines[1], /400 \d+ ms \(the code_verifier is malformed\)/);
  assert.match(relay.lines[2], /refresh_token 502 \d+ ms \(UND_ERR_SOCKET\)/);
  const said = relay.lines.join("\n");
  for (const value of [
    codeGrant.code,
    refreshGrant.refresh_token,
    verifier,
    "short-and-secret",
    tokens.access_token,
    secret,
    clientId,
  ])
    assert.ok(!said.includes(value), value);
});
