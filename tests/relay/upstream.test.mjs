import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { createRelay } from "../../www-demo/relay.mjs";
import {
  answerJson,
  ask,
  clientId,
  codeGrant,
  honest,
  origin,
  redirectUri,
  refreshGrant,
  secret,
  start,
  tokens,
} from "./support.mjs";

// A server that is down, slow or hostile, and a relay that is set up wrongly.

let relay;
before(async () => {
  relay = await start({ limits: { upstream: 500, answer: 10_000 } });
});
after(() => relay.close());
beforeEach(() => {
  relay.upstream.requests.length = 0;
  relay.upstream.answer = honest;
  relay.lines.length = 0;
});

const basic = Buffer.from(
  [clientId, secret].map((text) => encodeURIComponent(text)).join(":"),
).toString("base64");

const send = (status, body, headers) => (req, res) => {
  res.writeHead(status, headers);
  res.end(body);
};
const page = { "content-type": "text/html" };

for (const [name, answer] of Object.entries({
  "breaks off": (req, res) => res.destroy(),
  "does not answer": () => {},
  "answers by the drop": (req, res) => {
    res.writeHead(200);
    res.write("{");
  },
  "sends a page": send(200, "<h1>Welcome</h1>", page),
  "sends a page with an error": send(503, "<h1>Sorry</h1>", page),
  "sends JSON that is no object": send(200, "[]"),
  "sends null": send(200, "null"),
  "sends too much": send(200, JSON.stringify({ a: "a".repeat(10_000) })),
  "nests its answer without end": send(200, '{"a":'.repeat(1_900)),
  "redirects the request": send(307, "", { location: "/elsewhere" }),
  "redirects to a page": send(302, "{}", { location: "https://evil.example/" }),
  "repeats the secret": send(200, JSON.stringify({ a: `is ${secret}!` })),
  "repeats the secret in escapes": send(
    400,
    `{"error":"${[...secret].map((letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`).join("")}"}`,
  ),
  "repeats the secret as it was sent": send(400, `{"error":"${basic}"}`),
  "repeats the secret in a URL": send(
    400,
    `{"error":"${encodeURIComponent(secret)}"}`,
  ),
  "repeats the secret in a form": send(
    400,
    `{"error":"${new URLSearchParams({ a: secret })}"}`,
  ),
}))
  test(`a server that ${name} is unavailable for now`, async () => {
    assert.equal((await relay.post(refreshGrant)).status, 200);
    relay.upstream.answer = answer;
    const { status, json, text, headers } = await relay.post(refreshGrant);
    assert.equal(status, 502);
    assert.equal(json.error, "temporarily_unavailable");
    assert.equal(headers["content-type"], "application/json");
    assert.equal(headers.location, undefined);
    // Neither redirect was followed, and nothing was asked twice.
    assert.equal(relay.upstream.requests.length, 2);
    for (const said of [text, ...relay.lines])
      for (const spelling of [secret, basic, encodeURIComponent(secret)])
        assert.ok(!said.includes(spelling));
  });

test("a server that is not there is unavailable for now, and its address stays unsaid", async (t) => {
  const tokenEndpoint = "http://127.0.0.1:1/token";
  const other = await start({ tokenEndpoint });
  t.after(() => other.close());
  const { status, text } = await other.post(refreshGrant);
  assert.equal(status, 502);
  assert.ok(!text.includes("127.0.0.1"));
});

test("an answer may neither split the response nor set headers of its own", async () => {
  relay.upstream.answer = (req, res) =>
    res.socket.end(
      "HTTP/1.1 200 OK\r\nRetry-After: 1\r\n\tX-Injected: 1\r\nContent-Length: 2\r\n\r\n{}",
    );
  const answer = await relay.post(refreshGrant);
  assert.equal(answer.headers["x-injected"], undefined);
  for (const value of ["1; path=/", "<1>", "9".repeat(41)]) {
    relay.upstream.answer = (req, res) =>
      answerJson(res, 429, {}, { "retry-after": value });
    const { status, headers } = await relay.post(refreshGrant);
    assert.equal(status, 429);
    assert.equal(headers["retry-after"], undefined);
  }
  const date = "Sat, 21 Nov 2026 08:00:00 GMT";
  relay.upstream.answer = (req, res) =>
    answerJson(res, 429, {}, { "retry-after": date });
  const { headers } = await relay.post(refreshGrant);
  assert.equal(headers["retry-after"], date);
});

test("whatever the server calls its JSON, the browser is told that it is JSON", async () => {
  relay.upstream.answer = send(200, '{"a":"<script>"}', page);
  const { status, headers } = await relay.post(refreshGrant);
  assert.equal(status, 200);
  assert.equal(headers["content-type"], "application/json");
  assert.equal(headers["x-content-type-options"], "nosniff");
});

// ── Set-up ───────────────────────────────────────────────────────────────────

const options = {
  tokenEndpoint: "https://id.example/token",
  clientId,
  clientSecret: secret,
  origins: [origin],
  redirectUris: [redirectUri],
};

test("a relay is made from what it needs", () => {
  assert.equal(typeof createRelay(options), "function");
});

for (const [name, wrong] of Object.entries({
  tokenEndpoint: [
    undefined,
    "",
    "/token",
    "http://id.example/token",
    "https://user:pass@id.example/token",
    "https://id.example/token#x",
    "file:///token",
  ],
  revocationEndpoint: ["", "http://id.example/revoke"],
  clientId: [undefined, "", "a\nb"],
  clientSecret: [undefined, "", "short"],
  authMethod: ["none", "private_key_jwt"],
  revocation: ["xml"],
  origins: [undefined, [], ["*"], ["null"], [`${origin}/`], ["app.example"]],
  redirectUris: [undefined, [], ["/callback"], [`${redirectUri}#x`]],
  tokenPath: ["oauth/token", "/oauth/token?x", "https://id.example/"],
}))
  for (const value of wrong)
    test(`a relay is not made with ${name} ${JSON.stringify(value)}`, () => {
      assert.throws(
        () => createRelay({ ...options, [name]: value }),
        ({ message }) => message.includes(name) && !message.includes(secret),
      );
    });

const program = fileURLToPath(
  new URL("../../www-demo/relay.mjs", import.meta.url),
);
const run = (env) => {
  const child = spawn(process.execPath, [program], { env });
  let said = "";
  const ready = new Promise((resolve) => {
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk) => {
        said += chunk;
        resolve();
      });
  });
  return { child, ready, said: () => said };
};

test("alone it takes its options from the environment", async (t) => {
  const { child, ready, said } = run({
    RELAY_TOKEN_ENDPOINT: `${relay.upstreamUrl}/token`,
    RELAY_CLIENT_ID: clientId,
    RELAY_CLIENT_SECRET: secret,
    RELAY_AUTH_METHOD: "body",
    RELAY_ORIGINS: `https://other.example ${origin}`,
    RELAY_REDIRECT_URIS: redirectUri,
    RELAY_TOKEN_PATH: "/here",
    RELAY_PORT: "0",
  });
  t.after(() => child.kill());
  await ready;
  const [, url] = /relay on (\S+)/.exec(said());
  const answer = await ask(url, { path: "/here", body: codeGrant });
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.json, tokens);
  assert.ok(!said().includes(secret));
});

test("alone without its secret it says so, and ends", async () => {
  const { child, said } = run({
    RELAY_TOKEN_ENDPOINT: "https://id.example/token",
    RELAY_CLIENT_ID: clientId,
  });
  const [code] = await once(child, "close");
  assert.equal(code, 1);
  assert.match(said(), /RELAY_CLIENT_SECRET/);
});
