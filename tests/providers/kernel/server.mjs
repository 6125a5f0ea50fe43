// What the emulations have in common: an authorization server with real keys, a real PKCE check, codes that work once,
// and families of refresh tokens. What a system says otherwise is in its `character`.

import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { pagePolicy } from "../../../www-demo/op/pages.mjs";
import { createTraffic } from "../../../www-demo/op/traffic.mjs";
import { findUser } from "../../../www-demo/op/users.mjs";
import { createAuthorization } from "./authorization.mjs";
import { createGrants } from "./grants.mjs";

const here = (path) => new URL(`../../../www-demo/${path}`, import.meta.url);
const assets = {
  "/assets/tokens.css": here("tokens.css"),
  "/assets/op.css": here("op/op.css"),
};

export const random = (bytes = 24) => randomBytes(bytes).toString("base64url");
export const seconds = () => Math.floor(Date.now() / 1000);
export const s256 = (verifier) =>
  createHash("sha256").update(verifier).digest("base64url");

/** Compares secrets in a time that says nothing of them. */
export function isSame(a, b) {
  const [left, right] = [a, b].map((text) =>
    createHash("sha256").update(String(text)).digest(),
  );
  return timingSafeEqual(left, right);
}

/** A refusal: what kind it is, and what the system may be told of it. */
export class Refusal extends Error {
  constructor(kind, details = {}) {
    super(kind);
    this.kind = kind;
    this.details = details;
  }
}

// Making a key takes long; nobody's test depends on whose it is.
let made;
const makeKeys = () =>
  (made ??= (async () => {
    const { publicKey, privateKey } = await generateKeyPair("RS256");
    const kid = random(12);
    const jwk = { ...(await exportJWK(publicKey)), kid, alg: "RS256" };
    return { kid, privateKey, jwk: { ...jwk, use: "sig" } };
  })());

/**
 * Starts a server of such a character on loopback: `{ issuer, url, control, close }`.
 *
 * `clients` are `{ client_id, client_secret?, redirect_uris, post_logout_redirect_uris?, grant_types? }`; `host` is what it
 * calls itself: a custom domain. A character is `(server) => ({ routes, issuer, settings, metadata, tokens, refuse,
 * handlers, … })`; see the four beside this folder.
 */
export async function startServer(
  character,
  {
    port = 0,
    host = "127.0.0.1",
    clients = [],
    appOrigins = [],
    delays,
    log,
  } = {},
) {
  const origins = new Set(appOrigins);
  const known = new Map();
  const server = { origins, clients: known, key: await makeKeys() };
  const http = createServer((req, res) => {
    traffic.pass(req, res, route).catch((error) => fail(res, error));
  });
  await new Promise((resolve, reject) => {
    http.once("error", reject);
    http.listen(port, "127.0.0.1", resolve);
  });
  server.url = `http://${host}:${http.address().port}`;
  server.character = character(server);
  server.settings = {
    accessTokenTtl: 86400,
    refreshTokenTtl: 30 * 24 * 3600,
    idTokenTtl: 36000,
    rotate: true,
    leeway: 0,
    ...server.character.settings,
  };
  const { routes } = server.character;
  const traffic = createTraffic({ delays, log, paths: routes });
  server.grants = createGrants(server);
  server.authorization = createAuthorization(server);
  server.sign = (claims, header = {}) =>
    new SignJWT(claims)
      .setProtectedHeader({
        alg: "RS256",
        typ: "JWT",
        kid: server.key.kid,
        ...header,
      })
      .sign(server.key.privateKey);
  for (const client of clients) setClient(client);

  function setClient(client) {
    known.set(client.client_id, client);
    for (const uri of client.redirect_uris ?? [])
      origins.add(new URL(uri).origin);
  }

  async function route(req, res) {
    const url = new URL(req.url, server.url);
    const { pathname } = url;
    if (pathname in assets) {
      res.setHeader("content-type", "text/css; charset=utf-8");
      return res.end(await readFile(assets[pathname]));
    }
    if (pathname.startsWith("/interaction/"))
      return server.authorization.interact(req, res, pathname);
    // A path that ends in a slash stands for all below it.
    const isAt = (path) =>
      path === pathname || (path.endsWith("/") && pathname.startsWith(path));
    const name = Object.keys(routes).find((name) =>
      [routes[name]].flat().some(isAt),
    );
    if (name === undefined) return page(res, 404, "<h1>Not Found</h1>");
    const { handlers = {}, cors = isOpen } = server.character;
    if (cors(name)) allowOrigin(req, res);
    if (req.method === "OPTIONS") return res.writeHead(204).end();
    const handle = handlers[name] ?? common[name];
    return handle(req, res, { url, server });
  }

  // The browser goes to these itself.
  const isOpen = (name) => !["authorization", "end_session"].includes(name);

  function allowOrigin(req, res) {
    res.setHeader("vary", "Origin");
    if (!origins.has(req.headers.origin)) return;
    res.setHeader("access-control-allow-origin", req.headers.origin);
    res.setHeader("access-control-allow-methods", "GET, POST");
    res.setHeader("access-control-allow-headers", allowedHeaders);
  }

  const control = createControl({ server, traffic, setClient });
  return {
    issuer: server.character.issuer,
    url: server.url,
    control,
    async close() {
      await new Promise((resolve) => {
        http.close(resolve);
        http.closeAllConnections();
      });
    },
  };
}

const allowedHeaders = "authorization, content-type, x-account-id, dpop";

/** How an endpoint answers where a character has nothing of its own. */
const common = {
  discovery: (req, res, { server }) =>
    json(res, 200, server.character.metadata()),
  jwks: (req, res, { server }) => json(res, 200, { keys: [server.key.jwk] }),
  authorization: (req, res, { url, server }) =>
    server.authorization.begin(req, res, url.searchParams),
  token: async (req, res, { server }) =>
    answer(res, server, async () => {
      const read = server.character.takesJson ? formOrJson : form;
      return server.grants.token(req, await read(req));
    }),
  async revocation(req, res, { server }) {
    return answer(res, server, async () => {
      await server.grants.revoke(req, await form(req));
    });
  },
  async userinfo(req, res, { server }) {
    return answer(res, server, async () => {
      const grant = server.grants.bearer(req);
      return server.character.userinfo(grant, req, res);
    });
  },
};

/** Answers with what the work gives, or as the character refuses. */
export async function answer(res, server, work, status = 200) {
  try {
    const body = await work();
    return body === undefined ? empty(res, status) : json(res, status, body);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { kind, details } = error;
    // What the authorization endpoint would say, in its words.
    const { description: error_description } = details;
    if (error_description !== undefined)
      return json(res, 400, { error: kind, error_description });
    const { status, body, headers } = server.character.refuse(kind, details);
    for (const [name, value] of Object.entries(headers ?? {}))
      res.setHeader(name, value);
    return body === undefined ? empty(res, status) : json(res, status, body);
  }
}

export function json(res, status, body) {
  res.statusCode = status;
  res.setHeader("content-type", "application/json; charset=utf-8");
  res.setHeader("cache-control", "no-store");
  return res.end(JSON.stringify(body));
}

export function empty(res, status) {
  res.statusCode = status;
  return res.end();
}

export function page(res, status, html, origins = []) {
  res.statusCode = status;
  res.setHeader("content-type", "text/html; charset=utf-8");
  res.setHeader("cache-control", "no-store");
  res.setHeader("content-security-policy", pagePolicy(origins));
  return res.end(html);
}

export function redirect(res, location) {
  res.writeHead(302, { location, "cache-control": "no-store" });
  return res.end();
}

async function text(req) {
  let body = "";
  for await (const chunk of req) {
    body += chunk;
    if (body.length > 100_000) throw new Refusal("invalid_request");
  }
  return body;
}

/** A form body; each parameter stands in it once (RFC 6749 §3.2), but for `resource`. */
export async function form(req) {
  const type = req.headers["content-type"] ?? "";
  if (!/^application\/x-www-form-urlencoded\b/.test(type))
    throw new Refusal("content_type");
  const fields = new URLSearchParams(await text(req));
  for (const name of fields.keys())
    if (name !== "resource" && fields.getAll(name).length > 1)
      throw new Refusal("invalid_request");
  return fields;
}

/** A JSON body, read as if it had been a form. */
export async function jsonForm(req) {
  if (!/^application\/json\b/.test(req.headers["content-type"] ?? ""))
    throw new Refusal("content_type");
  try {
    return new URLSearchParams(JSON.parse(await text(req)));
  } catch {
    throw new Refusal("invalid_request");
  }
}

/** Either, for a system that takes both. */
export const formOrJson = (req) =>
  /^application\/json\b/.test(req.headers["content-type"] ?? "")
    ? jsonForm(req)
    : form(req);

function fail(res, error) {
  if (res.headersSent) return res.destroy();
  res.statusCode = error instanceof Refusal ? 400 : 500;
  res.setHeader("content-type", "text/plain; charset=utf-8");
  return res.end(`The provider failed: ${error.message}\n`);
}

function createControl({ server, traffic, setClient }) {
  const { settings, grants } = server;
  return {
    /** What can be changed while it runs; each character adds its own. */
    settings,
    setAccessTokenTtl: (seconds) => (settings.accessTokenTtl = seconds),
    get accessTokenTtl() {
      return settings.accessTokenTtl;
    },
    setRotation: (on) => (settings.rotate = on),
    setClient,
    requests: traffic.requests,
    count: traffic.count,
    get counters() {
      return traffic.counters;
    },
    resetCounters: traffic.resetCounters,
    setDelay: traffic.setDelay,
    failNext: traffic.failNext,
    clearFaults: traffic.clearFaults,
    sign: (claims, { header } = {}) => server.sign(claims, header),
    /** What a token stands for, or `null` when it is unknown, expired or revoked. */
    introspect(token) {
      const grant = grants.accessTokens.get(token);
      if (!grant || grant.exp <= seconds()) return null;
      const { name, email } = findUser(grant.sub)?.claims ?? {};
      const { sub, client_id, scope, iat, exp } = grant;
      return { sub, client_id, scope, iat, exp, name, email };
    },
    revokeGrants: grants.revokeAll,
    dropAccessTokens: () => grants.accessTokens.clear(),
    dropSessions: () => server.authorization.sessions.clear(),
  };
}
