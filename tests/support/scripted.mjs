// A provider that is honest unless it is told to lie, once, about one thing: real keys, a real PKCE check, codes and
// refresh tokens that work once. It asks no questions: whoever comes is signed in.

import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { close, listen } from "./app.mjs";

const token = () => randomBytes(16).toString("base64url");

/** Every code and token that was given out, and every `state` and verifier that was seen, by all of them. */
export const secrets = new Set();
const makeKey = async (alg) => {
  const { publicKey, privateKey } = await generateKeyPair(alg);
  const kid = `${alg}-${token()}`;
  const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: "sig" };
  return { alg, kid, jwk, privateKey };
};

// Making an RSA key takes long; nobody's test depends on whose it is.
let made;
const keysOfAll = () =>
  (made ??= Promise.all([
    makeKey("RS256"),
    makeKey("ES256"),
    makeKey("RS256"),
    makeKey("ES256"),
  ]));

/** Starts one. `issuer` is how it calls itself, where that is not its address; a function makes it of that. */
export async function startScripted({ clientId = "spa", issuer: name } = {}) {
  const [rs256, es256, otherRs256, otherEs256] = await keysOfAll();
  const codes = new Map();
  const refreshTokens = new Map();
  const requests = [];
  const lies = [];
  const settings = {
    expiresIn: 300,
    alg: "RS256",
    sub: "alice",
    refreshToken: true,
    allowedHeaders: "*, authorization, content-type, x-extra",
  };
  let address;

  const server = createServer((req, res) => {
    handle(req, res).catch((error) => {
      res.statusCode = 500;
      res.end(String(error.stack));
    });
  });
  address = await listen(server);
  const issuer = typeof name === "function" ? name(address) : (name ?? address);

  async function handle(req, res) {
    const url = new URL(req.url, address);
    const endpoint =
      {
        "/.well-known/openid-configuration": "discovery",
        "/jwks": "jwks",
        "/token": "token",
        "/authorize": "authorization",
        "/logout": "end_session",
        "/userinfo": "userinfo",
        "/revoke": "revocation",
      }[url.pathname] ?? "other";
    res.setHeader("access-control-allow-origin", "*");
    res.setHeader("access-control-allow-headers", settings.allowedHeaders);
    res.setHeader("access-control-expose-headers", "WWW-Authenticate");
    if (req.method === "OPTIONS") return res.writeHead(204).end();
    let body = "";
    for await (const chunk of req) body += chunk;
    const entry = {
      endpoint,
      url: req.url,
      body: new URLSearchParams(body),
      headers: req.headers,
      at: Date.now(),
      answered: null,
      cut: false,
    };
    requests.push(entry);
    for (const name of ["state", "code", "code_verifier", "refresh_token"])
      for (const value of [entry.body.get(name), url.searchParams.get(name)])
        if (value) secrets.add(value);
    res.once("finish", () => (entry.answered = Date.now()));
    res.once("close", () => (entry.cut = !res.writableEnded));
    return answer(req, res, url, entry);
  }

  async function answer(req, res, url, { endpoint, body }) {
    const lie = take(endpoint);
    if (lie?.before) {
      const instead = await lie.before(req, res);
      if (instead === null) return undefined;
      if (instead) return send(res, instead);
    }
    const honest = await truth(endpoint, url, body);
    return send(res, lie?.after ? await lie.after(honest) : honest);
  }

  async function truth(endpoint, url, body) {
    if (endpoint === "discovery") return { json: metadata() };
    if (endpoint === "jwks") return { json: { keys: keys() } };
    if (endpoint === "authorization")
      return { redirect: authorize(url.searchParams) };
    if (endpoint === "token") return exchange(body);
    if (endpoint === "userinfo") return { json: { sub: settings.sub } };
    if (endpoint === "end_session") {
      const to = url.searchParams.get("post_logout_redirect_uri");
      if (!to) return { type: "text/html", text: "<title>signed out</title>" };
      const back = new URL(to);
      const state = url.searchParams.get("state");
      if (state) back.searchParams.set("state", state);
      return { redirect: back.href };
    }
    return { type: "text/html", text: "<title>nothing here</title>" };
  }

  const metadata = () => ({
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    end_session_endpoint: `${issuer}/logout`,
    userinfo_endpoint: `${issuer}/userinfo`,
    response_types_supported: ["code"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["RS256", "ES256"],
    code_challenge_methods_supported: ["S256"],
    authorization_response_iss_parameter_supported: true,
  });

  const keys = () => [rs256.jwk, es256.jwk];

  /** The honest answer to an authorization request: where the browser is sent. */
  function authorize(params) {
    const redirectUri = params.get("redirect_uri");
    if (params.get("client_id") !== clientId || !redirectUri)
      throw new Error("another client's request");
    const code = token();
    secrets.add(code).add(params.get("state"));
    codes.set(code, {
      redirectUri,
      challenge: params.get("code_challenge"),
      method: params.get("code_challenge_method"),
      nonce: params.get("nonce"),
      scope: params.get("scope"),
      sub: settings.sub,
    });
    const back = new URL(redirectUri);
    back.searchParams.set("code", code);
    back.searchParams.set("state", params.get("state"));
    back.searchParams.set("iss", issuer);
    return back.href;
  }

  async function exchange(body) {
    const refuse = (error) => ({ status: 400, json: { error } });
    if (body.get("client_id") !== clientId) return refuse("invalid_client");
    if (body.get("grant_type") === "refresh_token") {
      const grant = refreshTokens.get(body.get("refresh_token"));
      refreshTokens.delete(body.get("refresh_token"));
      return grant ? { json: await tokens(grant) } : refuse("invalid_grant");
    }
    const grant = codes.get(body.get("code"));
    codes.delete(body.get("code"));
    const challenge = createHash("sha256")
      .update(body.get("code_verifier") ?? "")
      .digest("base64url");
    const fits =
      grant !== undefined &&
      body.get("grant_type") === "authorization_code" &&
      grant.redirectUri === body.get("redirect_uri") &&
      grant.method === "S256" &&
      grant.challenge === challenge;
    return fits ? { json: await tokens(grant) } : refuse("invalid_grant");
  }

  async function tokens(grant) {
    const lie = take("id_token");
    const now = Math.floor(Date.now() / 1000);
    const honest = {
      iss: issuer,
      sub: grant.sub,
      aud: clientId,
      iat: now,
      exp: now + 3600,
      nonce: grant.nonce,
    };
    const claims = lie?.claims ? lie.claims(honest) : honest;
    const idToken = lie?.sign
      ? await lie.sign(claims, signers)
      : await sign(claims);
    const answer = {
      access_token: `at-${token()}`,
      token_type: "Bearer",
      expires_in: settings.expiresIn,
      scope: grant.scope,
      id_token: idToken,
    };
    if (settings.refreshToken) {
      answer.refresh_token = `rt-${token()}`;
      refreshTokens.set(answer.refresh_token, grant);
      secrets.add(answer.refresh_token);
    }
    secrets.add(answer.access_token).add(answer.id_token);
    return answer;
  }

  const signWith = (claims, key, header = {}) =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: key.alg, kid: key.kid, ...header })
      .sign(key.privateKey);
  const own = () => (settings.alg === "ES256" ? es256 : rs256);
  const sign = (claims) => signWith(claims, own());
  const signers = {
    sign,
    signWith,
    rs256,
    es256,
    otherRs256,
    otherEs256,
  };

  function take(subject) {
    const index = lies.findIndex((lie) => lie.subject === subject);
    if (index < 0) return undefined;
    const lie = lies[index];
    lie.times -= 1;
    if (lie.times <= 0) lies.splice(index, 1);
    return lie;
  }

  return {
    issuer,
    address,
    clientId,
    requests,
    settings,
    signers,
    /** Answers an authorization request as a browser would see it: the URL of the callback. */
    authorize: (url) => authorize(new URL(url).searchParams),
    /** How many requests an endpoint has had. */
    count: (endpoint) =>
      requests.filter((one) => one.endpoint === endpoint).length,
    /** The next request to an endpoint gets this answer: `{ status, type, text, json, headers, redirect }`, or `"reset"`, `"hang"`; a function of request and response may answer by itself, and give `null`. */
    answerNext(endpoint, instead, times = 1) {
      const before = (req, res) => {
        if (instead === "reset") req.socket.destroy();
        if (typeof instead === "string") return null;
        return typeof instead === "function" ? instead(req, res) : instead;
      };
      lies.push({ subject: endpoint, before, times });
    },
    /** The next honest JSON answer of an endpoint is edited. */
    editNext(endpoint, edit, times = 1) {
      const after = async (honest) => ({
        ...honest,
        json: await edit(honest.json),
      });
      lies.push({ subject: endpoint, after, times });
    },
    /** The next answer of an endpoint waits for this promise, after the work was done. */
    holdNext(endpoint, until) {
      const after = async (honest) => {
        await until;
        return honest;
      };
      lies.push({ subject: endpoint, after, times: 1 });
    },
    /** The next ID Token has other claims. */
    claimNext: (claims) => lies.push({ subject: "id_token", claims, times: 1 }),
    /** The next ID Token is signed otherwise: `sign(claims, signers)` gives the whole token. */
    signNext: (sign) => lies.push({ subject: "id_token", sign, times: 1 }),
    /** Lies that nobody has heard. */
    get untold() {
      return lies.map(({ subject }) => subject);
    },
    /** Back to honesty: for a lie whose number of hearers the engine decides. */
    forgive: () => void (lies.length = 0),
    /** No refresh token is known any more. */
    revoke: () => refreshTokens.clear(),
    /** The refresh tokens that would still be taken. */
    get alive() {
      return [...refreshTokens.keys()];
    },
    close: () => close(server),
  };
}

function send(res, { status = 200, type, text, json, headers = {}, redirect }) {
  res.statusCode = redirect ? 303 : status;
  if (redirect) res.setHeader("location", redirect);
  if (type !== null)
    res.setHeader(
      "content-type",
      type ?? (json === undefined ? "text/plain" : "application/json"),
    );
  for (const [name, value] of Object.entries(headers))
    res.setHeader(name, value);
  res.end(text ?? (json === undefined ? "" : JSON.stringify(json)));
}
