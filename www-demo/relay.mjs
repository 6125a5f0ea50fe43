// A relay for servers that insist on a client secret: it stands on the application's own origin, adds the secret to the
// token and revocation requests of a browser, and lends nothing else of the client's rights. No dependencies; see
// docs/relay.md. Alone: `RELAY_…=… node relay.mjs`. In a server of yours: `createRelay(options)`.

import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

/** Bytes and milliseconds. The upstream deadline lies below countersign's own (10 s), so that its answer is heard. */
const defaultLimits = {
  body: 16_384,
  receive: 5_000,
  answer: 262_144,
  upstream: 8_000,
};

/** What each grant needs and may have besides. Whatever is not named here is refused, other grants included. */
const grants = {
  // RFC 6749 §4.1.3, RFC 7636 §4.5, RFC 8707 §2.2.
  authorization_code: {
    needs: ["grant_type", "code", "redirect_uri", "code_verifier"],
    may: ["resource"],
  },
  // RFC 6749 §6.
  refresh_token: {
    needs: ["grant_type", "refresh_token"],
    may: ["scope", "resource"],
  },
};

/** RFC 7009 §2.1. */
const revocation = { needs: ["token"], may: ["token_type_hint"] };

/** The only parameter that may come more than once (RFC 6749 §3.2, RFC 8707 §2). */
const repeatable = "resource";

/**
 * Makes a request handler for `node:http`. It answers requests for its own paths and returns `true`; other requests it
 * leaves alone and returns `false`. The request's body must not have been read before.
 *
 * - `tokenEndpoint`, `revocationEndpoint` (optional): the server's, absolute; fixed, whatever a request says.
 * - `clientId`, `clientSecret`; `authMethod`: `"basic"` or `"body"` (RFC 6749 §2.3.1).
 * - `origins`: those of the application, as browsers write them; the relay must be served from the same.
 * - `redirectUris`: those of the application, exactly as they are registered.
 * - `revocation`: `"form"` (RFC 7009) or `"json"`, as the server wants it; a browser always sends a form.
 * - `tokenPath`, `revocationPath`: where the relay answers.
 * - `log(line)`: one line per request; never a value that came with it.
 */
export function createRelay(options) {
  const config = checked(options);
  const endpoints = new Map([[config.tokenPath, tokenRequest]]);
  if (config.revocationEndpoint !== undefined)
    endpoints.set(config.revocationPath, revocationRequest);

  return (req, res) => {
    // The whole target, compared as it came: no query, no other spelling of the path, no absolute form.
    const upstreamRequest = endpoints.get(req.url);
    if (upstreamRequest === undefined) return false;
    const started = performance.now();
    const note = { what: "" };
    handle(req, config, upstreamRequest, note)
      .catch(refused)
      .then(({ status, headers = {}, body = "", problem }) => {
        const took = Math.round(performance.now() - started);
        const words = [req.method, req.url, note.what, status, `${took} ms`];
        if (problem) words.push(`(${problem})`);
        config.log(words.filter((word) => word !== "").join(" "));
        send(res, status, headers, body);
      });
    return true;
  };
}

async function handle(req, config, upstreamRequest, note) {
  if (req.method !== "POST")
    throw refusal(405, "only POST is answered", { allow: "POST" });
  checkHeaders(req, config);
  const fields = readFields(await readBody(req, config.limits));
  const request = upstreamRequest(fields, config);
  note.what = request.what;
  return ask(request, config);
}

// ── What comes in ────────────────────────────────────────────────────────────

/** Held against other sites in the user's browser; a program can write any `Origin`. */
function checkHeaders({ headers, headersDistinct }, { origins, limits }) {
  // A browser sends `Origin` with every POST, and no script can set it.
  if (!origins.includes(headers.origin))
    throw refusal(403, "this is not the application's own origin");
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin")
    throw refusal(403, "the relay must be on the application's own origin");
  // Client authentication is the relay's business.
  if (headers.authorization !== undefined)
    throw refusal(400, "an Authorization header is not relayed");
  const types = headersDistinct["content-type"] ?? [];
  if (types.length !== 1 || !formType.test(types[0]))
    throw refusal(415, "the body must be application/x-www-form-urlencoded");
  if (headers["content-encoding"] !== undefined)
    throw refusal(415, "the body must not be encoded");
  if (Number(headers["content-length"] ?? 0) > limits.body)
    throw refusal(413, "the body is too large");
}

const formType = /^application\/x-www-form-urlencoded(?: *; *charset=utf-8)?$/i;

async function readBody(req, { body: limit, receive }) {
  const chunks = [];
  let length = 0;
  let late;
  const deadline = new Promise((_, reject) => {
    const tooSlow = () => reject(refusal(408, "the body came too slowly"));
    late = setTimeout(tooSlow, receive);
  });
  const arrival = new Promise((resolve, reject) => {
    req.on("data", (chunk) => {
      length += chunk.length;
      if (length > limit) reject(refusal(413, "the body is too large"));
      else chunks.push(chunk);
    });
    req.once("end", resolve);
    req.once("error", () => reject(refusal(400, "the body broke off")));
  });
  try {
    await Promise.race([arrival, deadline]);
  } finally {
    clearTimeout(late);
  }
  return Buffer.concat(chunks).toString("latin1");
}

/** The parameters: none empty, and all of printable ASCII (RFC 6749 Appendix A). */
function readFields(body) {
  const fields = new Map();
  for (const [name, value] of new URLSearchParams(body)) {
    const before = fields.get(name) ?? [];
    if (before.length > 0 && name !== repeatable)
      throw refusal(400, `a parameter came twice${named(name)}`);
    if (!/^[\x20-\x7e]+$/.test(value))
      throw refusal(400, `a parameter is empty or malformed${named(name)}`);
    fields.set(name, [...before, value]);
  }
  return fields;
}

// ── What goes out ────────────────────────────────────────────────────────────

function tokenRequest(fields, config) {
  const [grantType = ""] = fields.get("grant_type") ?? [];
  if (!Object.hasOwn(grants, grantType))
    throw refusal(400, "this grant is not relayed");
  const params = pick(fields, grants[grantType], config);
  if (grantType === "authorization_code") {
    const [redirectUri] = fields.get("redirect_uri");
    if (!config.redirectUris.includes(redirectUri))
      throw refusal(400, "the redirect_uri is not one of this application's");
    // RFC 7636 §4.1.
    const [verifier] = fields.get("code_verifier");
    if (!/^[\w.~-]{43,128}$/.test(verifier))
      throw refusal(400, "the code_verifier is malformed");
  }
  return { what: grantType, url: config.tokenEndpoint, params };
}

function revocationRequest(fields, config) {
  const params = pick(fields, revocation, config);
  const asJson = config.revocation === "json";
  return { what: "", url: config.revocationEndpoint, params, asJson };
}

/** The parameters that may go on, as pairs. `client_id` may come, but the relay says who the client is. */
function pick(fields, { needs, may }, { clientId }) {
  for (const name of needs)
    if (!fields.has(name)) throw refusal(400, `${name} is missing`);
  const known = [...needs, ...may];
  for (const name of fields.keys())
    if (!known.includes(name) && name !== "client_id")
      throw refusal(400, `a parameter is not relayed${named(name)}`);
  if ((fields.get("client_id") ?? [clientId])[0] !== clientId)
    throw refusal(400, "the client_id is another client's");
  return known.flatMap((name) =>
    (fields.get(name) ?? []).map((value) => [name, value]),
  );
}

async function ask({ url, params, asJson = false }, config) {
  const { clientId, clientSecret, authMethod, limits } = config;
  const headers = { accept: "application/json" };
  const sent = [...params];
  // A server that wants JSON wants the secret in it.
  if (authMethod === "body" || asJson)
    sent.push(["client_id", clientId], ["client_secret", clientSecret]);
  else headers.authorization = basic(clientId, clientSecret);
  headers["content-type"] = asJson
    ? "application/json"
    : "application/x-www-form-urlencoded";
  const body = asJson
    ? JSON.stringify(Object.fromEntries(sent))
    : new URLSearchParams(sent).toString();
  try {
    // A redirect would carry the secret to another place.
    const response = await fetch(url, {
      method: "POST",
      headers,
      body,
      redirect: "manual",
      signal: AbortSignal.timeout(limits.upstream),
    });
    return passOn(response, await readAnswer(response, limits.answer), config);
  } catch (error) {
    // Not the message: it may quote the request.
    return unavailable(error.cause?.code ?? error.name);
  }
}

/** RFC 6749 §2.3.1: both parts are form-encoded first. A blank as %20, which every server understands. */
function basic(clientId, clientSecret) {
  const encoded = (text) => formEncoded(text).replaceAll("+", "%20");
  const text = [clientId, clientSecret].map(encoded).join(":");
  return `Basic ${Buffer.from(text).toString("base64")}`;
}

const formEncoded = (text) =>
  new URLSearchParams([["", text]]).toString().slice(1);

async function readAnswer(response, limit) {
  const chunks = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > limit) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

// ── What goes back ───────────────────────────────────────────────────────────

/** Status and JSON as they are; anything else, on the application's own origin, would be a page of somebody else's. */
function passOn({ status, headers }, body, config) {
  if (body === null) return unavailable("the answer is too large");
  if (status < 200 || (status >= 300 && status < 400))
    return unavailable(`status ${status}`);
  const value = jsonObject(body);
  if (body.trim() !== "" && value === null)
    return unavailable(`status ${status}, and no JSON`);
  // As it came, and without the escapes that JSON allows.
  const text = body + JSON.stringify(value);
  if (config.spellings.some((spelling) => text.includes(spelling)))
    return unavailable("the answer holds the secret");
  const retryAfter = headers.get("retry-after") ?? "";
  return {
    status,
    headers: /^[\w ,:]{1,40}$/.test(retryAfter)
      ? { "retry-after": retryAfter }
      : {},
    body,
  };
}

function jsonObject(body) {
  try {
    const value = JSON.parse(body);
    return typeof value === "object" && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

const unavailable = (problem) => ({
  ...errorAnswer(
    502,
    "temporarily_unavailable",
    "the server gave no usable answer",
  ),
  problem,
});

/** A request that is not relayed. `invalid_request` ends no session: the client is wrong, not its tokens. */
function refusal(status, description, headers = {}) {
  const answer = {
    ...errorAnswer(status, "invalid_request", description),
    // Nobody need read the rest of its body.
    headers: { connection: "close", ...headers },
  };
  return Object.assign(new Error(description), { answer });
}

function refused(error) {
  if (error.answer) return { ...error.answer, problem: error.message };
  return {
    ...errorAnswer(500, "server_error", "the relay failed"),
    problem: error.name,
  };
}

const errorAnswer = (status, error, error_description) => ({
  status,
  body: JSON.stringify({ error, error_description }),
});

/** A parameter's name, where it is one: a body that went wrong may have a token in its place. */
const named = (name) => (/^[a-z_]{1,30}$/.test(name) ? `: ${name}` : "");

function send(res, status, headers, body) {
  // RFC 6749 §5.1; and nothing here is a page.
  res.writeHead(status, {
    "cache-control": "no-store",
    "content-type": "application/json",
    "x-content-type-options": "nosniff",
    ...headers,
  });
  res.end(body);
}

// ── Configuration ────────────────────────────────────────────────────────────

const isOneOf =
  (...values) =>
  (value) =>
    values.includes(value);
const isList = (of) => (value) =>
  Array.isArray(value) && value.length > 0 && value.every(of);
const isOrigin = (value) =>
  URL.canParse(value) && new URL(value).origin === value;
const isRedirectUri = (value) => URL.canParse(value) && !value.includes("#");
const isPath = (value) => /^\/[\w./-]*$/.test(value);

/** Every option: what it must be, and in words. */
const kinds = {
  tokenEndpoint: [isUpstream, "an https URL"],
  revocationEndpoint: [
    (value) => value === undefined || isUpstream(value),
    "an https URL",
  ],
  clientId: [(value) => /^[\x20-\x7e]+$/.test(value ?? ""), "given"],
  clientSecret: [(value) => value?.length >= 8, "8 characters or more"],
  authMethod: [isOneOf("basic", "body"), "basic or body"],
  revocation: [isOneOf("form", "json"), "form or json"],
  origins: [isList(isOrigin), "origins, such as https://app.example.com"],
  redirectUris: [isList(isRedirectUri), "absolute URLs without fragment"],
  tokenPath: [isPath, "a path"],
  revocationPath: [isPath, "a path"],
};

function checked(options) {
  const config = {
    authMethod: "basic",
    revocation: "form",
    tokenPath: "/oauth/token",
    revocationPath: "/oauth/revoke",
    log: () => {},
    ...options,
    limits: { ...defaultLimits, ...options.limits },
  };
  for (const [name, [holds, wanted]] of Object.entries(kinds))
    if (!holds(config[name]))
      throw new Error(`relay: ${name} (${variable(name)}) must be ${wanted}`);
  const { clientId, clientSecret } = config;
  return { ...config, spellings: spellingsOf(clientId, clientSecret) };
}

/** With TLS, or on this machine. */
function isUpstream(endpoint) {
  if (!URL.canParse(endpoint ?? "")) return false;
  const { protocol, hostname, username, hash } = new URL(endpoint);
  const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
  const safe = protocol === "https:" || (protocol === "http:" && loopback);
  return safe && username === "" && hash === "";
}

/** As an answer that echoes the request could hold it. */
const spellingsOf = (clientId, clientSecret) => [
  clientSecret,
  encodeURIComponent(clientSecret),
  formEncoded(clientSecret),
  JSON.stringify(clientSecret).slice(1, -1),
  basic(clientId, clientSecret).slice("Basic ".length),
];

const variable = (name) =>
  `RELAY_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;

/** The options of {@link createRelay} by the environment: `clientId` is `RELAY_CLIENT_ID`; lists are separated by spaces. */
export function optionsFrom(env) {
  const options = {};
  for (const name of Object.keys(kinds)) {
    const text = env[variable(name)];
    if (text) options[name] = name.endsWith("s") ? text.split(/ +/) : text;
  }
  return options;
}

/** A server that does nothing but relay. */
export function createRelayServer(options) {
  const relay = createRelay(options);
  // Headers that come by the drop would hold a connection.
  const timeouts = {
    headersTimeout: 5_000,
    requestTimeout: 10_000,
    connectionsCheckingInterval: 1_000,
    ...options.timeouts,
  };
  return createServer(timeouts, (req, res) => {
    if (relay(req, res)) return;
    send(res, 404, {}, JSON.stringify({ error: "not_found" }));
  });
}

const program = process.argv[1] ?? "";
if (import.meta.url === pathToFileURL(program).href) {
  const { RELAY_HOST = "127.0.0.1", RELAY_PORT = "8787" } = process.env;
  const log = (line) => console.log(line);
  try {
    const server = createRelayServer({ ...optionsFrom(process.env), log });
    server.listen(Number(RELAY_PORT), RELAY_HOST, () => {
      console.log(`relay on http://${RELAY_HOST}:${server.address().port}`);
    });
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
