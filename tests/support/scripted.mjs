// A provider that is honest unless it is told to lie, about one thing at a time: real keys, a real PKCE check, codes and
// refresh tokens that work once. It asks no questions: whoever comes is signed in.

import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { close, listen } from "./app.mjs";
import { algorithms, keys as keysOfAll, signed } from "./signing.mjs";

const token = () => randomBytes(16).toString("base64url");

/** Every code and token that was given out, and every `state` and verifier that was seen, by all of them. */
export const secrets = new Set();

const endpoints = {
  "/.well-known/openid-configuration": "discovery",
  "/.well-known/oauth-authorization-server": "discovery",
  "/jwks": "jwks",
  "/token": "token",
  "/authorize": "authorization",
  "/userinfo": "userinfo",
  "/revoke": "revocation",
  "/logout": "end_session",
};

/**
 * Starts one. `issuer` is how it calls itself, where that is not its address; a function makes it of that. All have the
 * same keys but those that have the `"other"` ones.
 */
export async function startScripted({
  clientId = "spa",
  issuer: name,
  whose = "own",
} = {}) {
  const { own, other, weak } = await keysOfAll();
  const keys =
    whose === "own" ? { own, other, weak } : { own: other, other: own, weak };
  const codes = new Map();
  const refreshTokens = new Map();
  const accessTokens = new Map();
  const requests = [];
  const issued = [];
  const lies = [];
  const settings = {
    expiresIn: 300,
    alg: "RS256",
    sub: "alice",
    refreshToken: true,
    allowedHeaders: "*, authorization, content-type, x-extra",
  };
  let address;

  // Tokens may be longer than headers usually are.
  const server = createServer({ maxHeaderSize: 1 << 16 }, (req, res) => {
    handle(req, res).catch((error) => {
      res.statusCode = 500;
      res.end(String(error.stack));
    });
  });
  address = await listen(server);
  const issuer = typeof name === "function" ? name(address) : (name ?? address);

  async function handle(req, res) {
    const url = new URL(req.url, address);
    const endpoint = endpoints[url.pathname] ?? "other";
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
    const honest = await truth(endpoint, url, body, req.headers);
    const answer = lie?.after ? await lie.after(honest, req, res) : honest;
    return answer === null ? undefined : send(res, answer);
  }

  async function truth(endpoint, url, body, headers) {
    if (endpoint === "discovery") return { json: metadata() };
    if (endpoint === "jwks") return { json: { keys: published() } };
    if (endpoint === "authorization")
      return { redirect: authorize(url.searchParams) };
    if (endpoint === "token") return exchange(body);
    if (endpoint === "userinfo") return userInfo(headers.authorization);
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
    userinfo_endpoint: `${issuer}/userinfo`,
    end_session_endpoint: `${issuer}/logout`,
    response_types_supported: ["code"],
    response_modes_supported: ["query", "fragment"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: algorithms,
    code_challenge_methods_supported: ["S256"],
    authorization_response_iss_parameter_supported: true,
  });

  const published = () => algorithms.map((alg) => keys.own[alg].jwk);

  /** The honest answer to an authorization request: where the browser is sent. */
  function authorize(params) {
    const redirectUri = params.get("redirect_uri");
    if (params.get("client_id") !== clientId || !redirectUri)
      throw new Error("another client's request");
    const code = issue(token());
    secrets.add(params.get("state"));
    codes.set(code, {
      redirectUri,
      challenge: params.get("code_challenge"),
      method: params.get("code_challenge_method"),
      nonce: params.get("nonce"),
      scope: params.get("scope"),
      sub: settings.sub,
    });
    const back = new URL(redirectUri);
    const fragment = params.get("response_mode") === "fragment";
    const answer = fragment ? new URLSearchParams() : back.searchParams;
    answer.set("code", code);
    answer.set("state", params.get("state"));
    answer.set("iss", issuer);
    if (fragment) back.hash = answer;
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
    const accessToken = issue(`at-${token()}`);
    accessTokens.set(accessToken, grant);
    const honest = {
      iss: issuer,
      sub: grant.sub,
      aud: clientId,
      iat: now,
      exp: now + 3600,
      nonce: grant.nonce,
    };
    const claims = lie?.claims ? lie.claims(honest, accessToken) : honest;
    const idToken = lie?.sign
      ? await lie.sign(claims, keys)
      : signed(claims, keys.own[settings.alg]);
    const answer = {
      access_token: accessToken,
      token_type: "Bearer",
      expires_in: settings.expiresIn,
      scope: grant.scope,
      id_token: issue(idToken),
    };
    if (settings.refreshToken) {
      answer.refresh_token = issue(`rt-${token()}`);
      refreshTokens.set(answer.refresh_token, grant);
    }
    return answer;
  }

  /** OIDC Core §5.3. */
  function userInfo(authorization) {
    const [scheme, accessToken] = authorization?.split(" ") ?? [];
    const grant = scheme === "Bearer" && accessTokens.get(accessToken);
    if (grant) return { json: { sub: settings.sub } };
    const headers = { "www-authenticate": 'Bearer error="invalid_token"' };
    return { status: 401, headers, text: "" };
  }

  /** Notes what nobody but the client may ever see. */
  function issue(secret) {
    issued.push(secret);
    secrets.add(secret);
    return secret;
  }

  function take(subject) {
    const lie = lies.find((lie) => lie.subject === subject);
    if (!lie) return undefined;
    lie.heard = true;
    lie.times -= 1;
    if (lie.times <= 0) lies.splice(lies.indexOf(lie), 1);
    return lie;
  }

  const instead = (answer) => async (req, res) => {
    if (answer === "reset") req.socket.destroy();
    if (typeof answer === "string") return null;
    return typeof answer === "function" ? answer(req, res) : answer;
  };
  const edited = (edit) => async (honest) => ({
    ...honest,
    json: await edit(honest.json),
  });

  return {
    issuer,
    address,
    clientId,
    keys,
    requests,
    settings,
    /** Every code and token that it gave. */
    issued,
    /** Answers an authorization request as a browser would see it: the URL of the callback. */
    authorize: (url) => authorize(new URL(url).searchParams),
    /** How many requests an endpoint has had. */
    count: (endpoint) =>
      requests.filter((one) => one.endpoint === endpoint).length,
    /**
     * The next request to an endpoint gets this answer: `{ status, type, text, json, headers, redirect }`, `"reset"`,
     * `"hang"`, or what a function of request and response gives; `null` when it has answered by itself.
     */
    answerNext: (subject, answer, times = 1) =>
      void lies.push({ subject, before: instead(answer), times }),
    /** The next honest JSON answer of an endpoint is edited. */
    editNext: (subject, edit, times = 1) =>
      void lies.push({ subject, after: edited(edit), times }),
    /** The next answer of an endpoint waits for this promise, after the work was done. */
    holdNext(endpoint, until) {
      const after = async (honest) => {
        await until;
        return honest;
      };
      lies.push({ subject: endpoint, after, times: 1 });
    },
    /** From now on an endpoint gives what `change(honest, req, res)` makes of each answer; `null` when it has answered by itself. */
    tell: (subject, change) =>
      void lies.push({ subject, after: change, times: Infinity }),
    /** The next ID Token: `claims(honest, accessToken)` gives other claims, `sign(claims, keys)` the whole token. */
    idTokenNext: ({ claims, sign }, times = 1) =>
      void lies.push({ subject: "id_token", claims, sign, times }),
    claimNext: (claims) =>
      void lies.push({ subject: "id_token", claims, times: 1 }),
    /** Lies that are still to be told. */
    get untold() {
      return lies.map(({ subject }) => subject);
    },
    /** Back to honesty; gives the lies that nobody heard. */
    forgive() {
      const forgiven = lies.splice(0);
      return forgiven.filter(({ heard }) => !heard).map((lie) => lie.subject);
    },
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
