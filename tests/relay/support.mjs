// What the relay's tests stand on: an upstream that demands the secret, the relay before it, and requests of any shape.

import { createServer, request } from "node:http";
import { connect } from "node:net";
import { createRelayServer } from "../../www-demo/relay.mjs";
import { close, listen } from "../support/app.mjs";

export const origin = "https://app.example";
export const redirectUri = "https://app.example/callback";
export const clientId = "the client";
// Every character that one of the encodings on the way would change.
export const secret = 's3cret /+%&=:"\\?';

export const verifier = "v".repeat(43);
export const codeGrant = {
  grant_type: "authorization_code",
  code: "a-code",
  redirect_uri: redirectUri,
  code_verifier: verifier,
  client_id: clientId,
};
export const refreshGrant = {
  grant_type: "refresh_token",
  refresh_token: "a-refresh-token",
  client_id: clientId,
};
export const revocation = { token: "a-refresh-token", client_id: clientId };

export const tokens = { access_token: "an-access-token", token_type: "bearer" };

/** Starts an upstream and a relay before it; `upstream.answer` is how it answers next, and from then on. */
export async function start(options = {}) {
  const upstream = { requests: [], answer: honest };
  const server = createServer(async (req, res) => {
    let body = "";
    for await (const chunk of req) body += chunk;
    const { method, url, headers } = req;
    upstream.requests.push({ method, url, headers, body });
    upstream.answer(req, res, body);
  });
  const upstreamUrl = await listen(server);
  const lines = [];
  const relay = createRelayServer({
    tokenEndpoint: `${upstreamUrl}/token`,
    revocationEndpoint: `${upstreamUrl}/revoke`,
    clientId,
    clientSecret: secret,
    origins: [origin],
    redirectUris: [redirectUri],
    log: (line) => lines.push(line),
    ...options,
  });
  const url = await listen(relay);
  return {
    url,
    upstreamUrl,
    upstream,
    /** What the relay logged. */
    lines,
    post: (body, more = {}) => ask(url, { body, ...more }),
    raw: (text, after) => raw(url, text, after),
    async close() {
      await close(relay);
      await close(server);
    },
  };
}

/** Whoever knows the secret gets tokens. */
export function honest(req, res, body) {
  const json = req.headers["content-type"] === "application/json";
  const fields = json ? JSON.parse(body) : fieldsOf(body);
  const decode = (text) => new URLSearchParams(`v=${text}`).get("v");
  const [, base64 = ""] = (req.headers.authorization ?? "").split("Basic ");
  const basic = Buffer.from(base64, "base64").toString().split(":").map(decode);
  const [id, given] = req.headers.authorization
    ? basic
    : [fields.client_id, fields.client_secret];
  const known = id === clientId && given === secret;
  if (known && req.url === "/revoke") return res.end();
  answerJson(res, known ? 200 : 401, known ? tokens : { error: "no client" });
}

export function answerJson(res, status, value, headers = {}) {
  res.writeHead(status, { "content-type": "application/json", ...headers });
  res.end(JSON.stringify(value));
}

export const fieldsOf = (body) => Object.fromEntries(new URLSearchParams(body));

/** A browser's request, unless told otherwise; a header that is `undefined` is not sent. */
export function ask(
  url,
  { method = "POST", path = "/oauth/token", headers = {}, body = "" } = {},
) {
  const text =
    typeof body === "string" ? body : new URLSearchParams(body).toString();
  const sent = {
    origin,
    "sec-fetch-site": "same-origin",
    "content-type": "application/x-www-form-urlencoded;charset=UTF-8",
    "content-length": Buffer.byteLength(text),
    ...headers,
  };
  for (const name of Object.keys(sent))
    if (sent[name] === undefined) delete sent[name];
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const options = { hostname, port, method, path, headers: sent };
    const req = request(options, async (res) => {
      let text = "";
      for await (const chunk of res) text += chunk;
      const { statusCode: status, headers } = res;
      resolve({ status, headers, text, json: text && JSON.parse(text) });
    });
    req.once("error", reject);
    req.end(text);
  });
}

/** Sends bytes as they are and gives the whole answer; `after(socket)` may send more. */
export function raw(url, text, after = () => {}) {
  return new Promise((resolve, reject) => {
    const socket = connect(new URL(url).port, "127.0.0.1");
    let answer = "";
    socket.setEncoding("latin1");
    socket.on("data", (chunk) => (answer += chunk));
    socket.once("close", () => resolve(answer));
    socket.once("error", reject);
    socket.write(text);
    after(socket);
  });
}

/** The head of a raw request, honest but for what is added. */
export function head(lines = [], target = "/oauth/token") {
  return [
    `POST ${target} HTTP/1.1`,
    "Host: app.example",
    `Origin: ${origin}`,
    "Content-Type: application/x-www-form-urlencoded",
    "Connection: close",
    ...lines,
    "",
    "",
  ].join("\r\n");
}
