import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import {
  codeGrant,
  head,
  honest,
  origin,
  redirectUri,
  refreshGrant,
  revocation,
  secret,
  start,
  verifier,
} from "./support.mjs";

// What the relay must not be talked into. Beside each misuse stands an honest request that differs in one thing.

let relay;
before(async () => (relay = await start()));
after(() => relay.close());
beforeEach(() => {
  relay.upstream.requests.length = 0;
  relay.upstream.answer = honest;
});

/** The twin passes, the misuse does not, and nothing of it reaches the server. */
function misuse(name, status, { body = codeGrant, ...twin }, change) {
  test(name, async () => {
    const accepted = await relay.post(body, twin);
    assert.equal(accepted.status, 200, "the honest twin");
    assert.equal(relay.upstream.requests.length, 1);
    const { body: changed = body, ...more } = change;
    const answer = await relay.post(changed, { ...twin, ...more });
    assert.equal(answer.status, status);
    assert.equal(relay.upstream.requests.length, 1, "nothing reached it");
    assert.equal(answer.headers["cache-control"], "no-store");
    assert.ok(!answer.text.includes(secret));
  });
}

const without = (fields, name) => {
  const { [name]: gone, ...rest } = fields;
  return rest;
};
const twice = (fields, name, value = fields[name]) =>
  `${new URLSearchParams(fields)}&${new URLSearchParams({ [name]: value })}`;

// ── Grants and rights of the client that are not the browser's ───────────────

for (const [name, fields] of Object.entries({
  "the client's own grant": {
    grant_type: "client_credentials",
    scope: "admin",
  },
  "a password": { grant_type: "password", username: "a", password: "b" },
  "a token exchange": {
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    subject_token: "t",
    subject_token_type: "urn:ietf:params:oauth:token-type:access_token",
  },
  "a JWT as a grant": {
    grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
    assertion: "e30.e30.e30",
  },
  "a SAML assertion as a grant": {
    grant_type: "urn:ietf:params:oauth:grant-type:saml2-bearer",
    assertion: "PHNhbWw",
  },
  "a device code": {
    grant_type: "urn:ietf:params:oauth:grant-type:device_code",
    device_code: "d",
  },
  "backchannel authentication": {
    grant_type: "urn:openid:params:grant-type:ciba",
    auth_req_id: "r",
  },
  "a grant in another case": { ...codeGrant, grant_type: "Authorization_Code" },
  "a grant with a blank": { ...codeGrant, grant_type: "authorization_code " },
  "a grant that is a property of every object": {
    ...codeGrant,
    grant_type: "constructor",
  },
  "an empty grant": { ...codeGrant, grant_type: "" },
  "no grant": without(codeGrant, "grant_type"),
}))
  misuse(`${name} is not relayed`, 400, {}, { body: fields });

for (const name of [
  "client_secret",
  "client_assertion",
  "client_assertion_type",
  "assertion",
  "actor_token",
  "subject_token",
  "requested_token_use",
  "username",
  "audience",
  "__proto__",
  "Code",
])
  for (const [grant, body] of [
    ["code", codeGrant],
    ["refresh", refreshGrant],
  ])
    misuse(
      `${name} beside a ${grant} is refused`,
      400,
      { body },
      { body: { ...body, [name]: "x".repeat(43) } },
    );

misuse(
  "an empty client_secret is refused as well",
  400,
  {},
  { body: { ...codeGrant, client_secret: "" } },
);
misuse(
  "another client's client_id is refused",
  400,
  {},
  { body: { ...codeGrant, client_id: "another" } },
);
misuse(
  "another client's client_id is refused at a revocation, too",
  400,
  { body: revocation, path: "/oauth/revoke" },
  { body: { ...revocation, client_id: "another" } },
);
misuse(
  "a client that authenticates itself is refused",
  400,
  {},
  { headers: { authorization: "Basic YTpi" } },
);
misuse(
  "a grant at the revocation is refused",
  400,
  { body: revocation, path: "/oauth/revoke" },
  { body: { ...revocation, grant_type: "client_credentials" } },
);
misuse(
  "a revocation without a token is refused",
  400,
  { body: revocation, path: "/oauth/revoke" },
  { body: { token_type_hint: "refresh_token" } },
);

// ── Codes that are not this application's ────────────────────────────────────

for (const uri of [
  "https://app.example/callback/",
  "https://app.example/callback?x=1",
  "https://app.example/CALLBACK",
  "https://app.example/x/../callback",
  "https://app.example:443/callback",
  "https://app.example/callback#f",
  "https://admin.example/callback",
])
  misuse(
    `a code that went to ${uri} is not traded`,
    400,
    {},
    { body: { ...codeGrant, redirect_uri: uri } },
  );

for (const name of ["redirect_uri", "code", "code_verifier"]) {
  misuse(
    `a code without its ${name} is not traded`,
    400,
    {},
    { body: without(codeGrant, name) },
  );
  misuse(
    `a code with an empty ${name} is not traded`,
    400,
    {},
    { body: { ...codeGrant, [name]: "" } },
  );
}
for (const [name, value] of Object.entries({
  short: verifier.slice(1),
  long: "v".repeat(129),
  malformed: `${verifier}+`,
}))
  misuse(
    `a code with a ${name} verifier is not traded (RFC 7636 §4.1)`,
    400,
    {},
    { body: { ...codeGrant, code_verifier: value } },
  );
misuse(
  "a code is not traded as if it were refreshed",
  400,
  { body: refreshGrant },
  { body: { ...refreshGrant, code: "a-code" } },
);
misuse(
  "a refresh without a refresh token is refused",
  400,
  { body: refreshGrant },
  { body: without(refreshGrant, "refresh_token") },
);

// ── Repeated and malformed parameters ────────────────────────────────────────

for (const name of Object.keys(codeGrant))
  misuse(
    `${name} twice is refused (RFC 6749 §3.2)`,
    400,
    {},
    { body: twice(codeGrant, name) },
  );
misuse(
  "a second grant behind the first is refused",
  400,
  {},
  { body: twice(codeGrant, "grant_type", "client_credentials") },
);
misuse(
  "a second client_id in another spelling is refused",
  400,
  {},
  { body: `${new URLSearchParams(codeGrant)}&client%5Fid=another` },
);
for (const [name, value] of Object.entries({
  "a line break": "%0D%0AX-Injected:%201",
  "a NUL": "a%00b",
  "bytes that are no UTF-8": "%FF%FE",
  "letters beyond ASCII": "%C3%BC",
}))
  misuse(
    `${name} in a code is refused`,
    400,
    { body: new URLSearchParams(codeGrant).toString() },
    { body: `${new URLSearchParams(codeGrant)}`.replace("a-code", value) },
  );
misuse(
  "raw bytes beyond ASCII are refused",
  400,
  { body: new URLSearchParams(codeGrant).toString() },
  { body: `${new URLSearchParams(codeGrant)}`.replace("a-code", "ü") },
);

// ── Who asks, and how ────────────────────────────────────────────────────────

for (const [name, value] of Object.entries({
  "another origin": "https://evil.example",
  "no origin": undefined,
  "an opaque origin": "null",
  "the origin without its scheme": "app.example",
  "the origin by http": "http://app.example",
  "the origin with another port": "https://app.example:8443",
  "an origin that begins alike": "https://app.example.evil.example",
  "two origins": `${origin}, https://evil.example`,
}))
  misuse(
    `a request from ${name} is refused`,
    403,
    {},
    { headers: { origin: value } },
  );
for (const site of ["cross-site", "same-site", "none"])
  misuse(
    `a request that the browser calls ${site} is refused`,
    403,
    {},
    { headers: { "sec-fetch-site": site } },
  );

test("a browser that does not say which site it comes from is believed by its origin", async () => {
  const headers = { "sec-fetch-site": undefined };
  assert.equal((await relay.post(codeGrant, { headers })).status, 200);
});

test("no other origin is told that it may read an answer", async () => {
  const { headers } = await relay.post(codeGrant);
  const preflight = await relay.post("", {
    method: "OPTIONS",
    headers: {
      origin: "https://evil.example",
      "access-control-request-method": "POST",
      "content-type": undefined,
    },
  });
  assert.equal(preflight.status, 405);
  for (const answer of [headers, preflight.headers])
    for (const name of Object.keys(answer))
      assert.doesNotMatch(name, /^access-control-/);
});

for (const method of ["GET", "PUT", "PATCH", "DELETE"])
  misuse(`${method} is refused`, 405, {}, { method });
misuse(
  "HEAD is refused",
  405,
  {},
  { method: "HEAD", body: "", headers: { "content-length": undefined } },
);

for (const [name, type] of Object.entries({
  JSON: "application/json",
  "multipart form": "multipart/form-data; boundary=x",
  "plain text": "text/plain",
  "a form in another charset":
    "application/x-www-form-urlencoded; charset=utf-7",
  "two types": "application/x-www-form-urlencoded, application/json",
  "no type": undefined,
}))
  misuse(
    `${name} is not taken for a form`,
    415,
    {},
    { headers: { "content-type": type } },
  );
misuse(
  "a revocation as JSON is refused",
  415,
  { body: revocation, path: "/oauth/revoke" },
  {
    body: JSON.stringify(revocation),
    headers: { "content-type": "application/json" },
  },
);
misuse(
  "an encoded body is refused",
  415,
  {},
  { headers: { "content-encoding": "gzip" } },
);

// ── Size and time ────────────────────────────────────────────────────────────

const grown = (length) => {
  const body = new URLSearchParams({ ...refreshGrant, refresh_token: "" });
  const room = length - body.toString().length;
  return { ...refreshGrant, refresh_token: "r".repeat(room) };
};
misuse(
  "a body of more than 16 kB is refused",
  413,
  { body: grown(16_384) },
  { body: grown(16_385) },
);

test("a body that is announced as huge is refused before it comes", async () => {
  const answer = await relay.raw(head(["Content-Length: 1000000000"]));
  assert.match(answer, /^HTTP\/1\.1 413 /);
});

test("chunks that never end are refused at the limit", async () => {
  const chunk = `1001\r\n${"a".repeat(4097)}\r\n`;
  const answer = await relay.raw(
    head(["Transfer-Encoding: chunked"]) + chunk.repeat(4),
  );
  assert.match(answer, /^HTTP\/1\.1 413 /);
  assert.equal(relay.upstream.requests.length, 0);
});

test("a body that does not come in time is given up, one that does is relayed", async (t) => {
  const other = await start({ limits: { receive: 100 } });
  t.after(() => other.close());
  const body = new URLSearchParams(codeGrant).toString();
  const start1 = head([`Content-Length: ${body.length}`]);
  assert.match(await other.raw(start1 + body), /^HTTP\/1\.1 200 /);
  const slow = await other.raw(start1 + body.slice(0, -1));
  assert.match(slow, /^HTTP\/1\.1 408 /);
  assert.equal(other.upstream.requests.length, 1);
});

test("headers that come by the drop are given up", async (t) => {
  const other = await start({
    timeouts: { headersTimeout: 100, connectionsCheckingInterval: 20 },
  });
  t.after(() => other.close());
  const answer = await other.raw(head().slice(0, -2));
  assert.match(answer, /^HTTP\/1\.1 408 /);
});

// ── Other places, other requests ─────────────────────────────────────────────

for (const target of [
  "/oauth/token?grant_type=client_credentials",
  "/oauth/token/",
  "//oauth/token",
  "/oauth/../oauth/token",
  "/oauth/%74oken",
  "/oauth/token#x",
  "/oauth/token;x",
  "/OAUTH/TOKEN",
  "http://evil.example/oauth/token",
  "http://evil.example/",
  "//evil.example/oauth/token",
  "/http://evil.example/",
  "/oauth/introspect",
  "*",
  "/",
])
  test(`${target} leads nowhere`, async () => {
    const body = new URLSearchParams(codeGrant).toString();
    const length = [`Content-Length: ${body.length}`];
    assert.match(await relay.raw(head(length) + body), /^HTTP\/1\.1 200 /);
    assert.match(
      await relay.raw(head(length, target) + body),
      /^HTTP\/1\.1 40[04] /,
    );
    assert.equal(relay.upstream.requests.length, 1);
  });

test("without a revocation endpoint there is no revocation", async (t) => {
  const other = await start({ revocationEndpoint: undefined });
  t.after(() => other.close());
  const path = "/oauth/revoke";
  assert.equal((await relay.post(revocation, { path })).status, 200);
  assert.equal((await other.post(revocation, { path })).status, 404);
});

test("no header of the browser reaches the server, and no Host changes where it is", async () => {
  const forwarded = {
    host: "evil.example",
    cookie: "session=1",
    "x-forwarded-for": "1.2.3.4",
    "x-forwarded-host": "evil.example",
    forwarded: "host=evil.example",
    dpop: "e30.e30.e30",
    "x-http-method-override": "GET",
    "x-original-url": "/admin",
    accept: "text/html",
    te: "trailers",
  };
  const answer = await relay.post(codeGrant, { headers: forwarded });
  assert.equal(answer.status, 200);
  const [{ headers }] = relay.upstream.requests;
  assert.equal(headers.host, new URL(relay.upstreamUrl).host);
  assert.equal(headers.accept, "application/json");
  for (const name of ["origin", "referer", ...Object.keys(forwarded).slice(1)])
    if (name !== "accept") assert.equal(headers[name], undefined, name);
});

const form = new URLSearchParams(codeGrant).toString();
const chunked = `${form.length.toString(16)}\r\n${form}\r\n0\r\n\r\n`;
const inOne = `Content-Length: ${form.length}`;
const inChunks = "Transfer-Encoding: chunked";

for (const [name, lines, body, twin = [inOne]] of [
  ["two lengths", [inOne, "Content-Length: 4"], form],
  ["a blank before a colon", [inOne.replace(":", " :")], form],
  ["a folded header", [inOne, "X-Folded: a", " b: c"], form],
  ["a bare line feed", [inOne, "X-Bare: a\nX-More: b"], form],
  ["a NUL in a header", [inOne, "X-Nul: a\0b"], form],
  ["a length beside chunks", [inOne, inChunks], chunked, [inChunks]],
  ["chunks of another kind", [`${inChunks}x`], chunked, [inChunks]],
  ["chunks in chunks", [`${inChunks}, chunked`], chunked, [inChunks]],
  ["chunks below another", [`${inChunks}, identity`], chunked, [inChunks]],
])
  test(`a request with ${name} is refused, the same without is relayed`, async () => {
    assert.match(await relay.raw(head(twin) + body), /^HTTP\/1\.1 200 /);
    const answer = await relay.raw(head(lines) + body);
    assert.match(answer, /^HTTP\/1\.1 4\d\d /);
    assert.equal(relay.upstream.requests.length, 1);
  });

for (const [name, line] of Object.entries({
  "two origins": "Origin: https://evil.example",
  "two types": "Content-Type: application/json",
  "a proxy's idea of its body": "Content-Encoding: identity",
}))
  test(`a request with ${name} is refused, the same without is relayed`, async () => {
    assert.match(await relay.raw(head([inOne]) + form), /^HTTP\/1\.1 200 /);
    const answer = await relay.raw(head([inOne, line]) + form);
    assert.match(answer, /^HTTP\/1\.1 4\d\d /);
    assert.equal(relay.upstream.requests.length, 1);
  });

test("a refused request ends its connection, whatever it wanted", async () => {
  const first = head(["Content-Length: 1000"]).replace("close", "keep-alive");
  const answer = await relay.raw(first.replace(origin, "https://evil.example"));
  assert.match(answer, /^HTTP\/1\.1 403 /);
  assert.match(answer, /\r\nconnection: close\r\n/i);
});

test("a request smuggled behind another is one of its own", async () => {
  const body = new URLSearchParams(codeGrant).toString();
  const first = head([`Content-Length: ${body.length}`]).replace(
    "close",
    "keep-alive",
  );
  const second = head(["Content-Length: 0"]).replace(
    origin,
    "https://evil.example",
  );
  const answer = await relay.raw(first + body + second);
  assert.deepEqual(answer.match(/HTTP\/1\.1 \d+/g), [
    "HTTP/1.1 200",
    "HTTP/1.1 403",
  ]);
  assert.equal(relay.upstream.requests.length, 1);
});

test("a code with the redirect URI of another client's listing is not traded by a relay that lists none such", async (t) => {
  const uri = "https://app.example/other";
  const other = await start({ redirectUris: [redirectUri, uri] });
  t.after(() => other.close());
  const body = { ...codeGrant, redirect_uri: uri };
  assert.equal((await other.post(body)).status, 200);
  assert.equal((await relay.post(body)).status, 400);
});
