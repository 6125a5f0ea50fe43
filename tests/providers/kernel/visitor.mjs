// A visitor of an emulation, without a browser: signs in on its page, trades codes, keeps its cookies.

import { random, s256 } from "./server.mjs";

export const app = "http://127.0.0.1:9/callback";
export const bye = "http://127.0.0.1:9/bye";

/** A public client, and one with a secret. */
export const clients = [
  { client_id: "spa", redirect_uris: [app], post_logout_redirect_uris: [bye] },
  {
    client_id: "server",
    client_secret: "s3cret/with:signs",
    redirect_uris: [app],
    post_logout_redirect_uris: [bye],
  },
];

/** `paths` are those of the authorization and token endpoints. */
export function visitor({ url }, paths, clientId = "spa") {
  let cookie = "";
  const verifier = random(32);
  const request = {
    client_id: clientId,
    redirect_uri: app,
    response_type: "code",
    state: "s1",
    code_challenge: s256(verifier),
    code_challenge_method: "S256",
  };

  async function go(at, options = {}) {
    const headers = { ...options.headers, cookie };
    const answer = await fetch(new URL(at, url), {
      ...options,
      headers,
      redirect: "manual",
    });
    const set = answer.headers.get("set-cookie");
    if (set) [cookie] = set.split(";");
    return answer;
  }

  /** The answer to an authorization request; `undefined` leaves a parameter out. */
  async function authorize(changes = {}, login = ["alice", "wonderland"]) {
    const params = new URLSearchParams();
    for (const [name, value] of Object.entries({ ...request, ...changes }))
      for (const one of [value].flat())
        if (one !== undefined) params.append(name, one);
    const first = await go(`${paths.authorization}?${params}`);
    const location = first.headers.get("location");
    if (!location?.startsWith("/interaction/") || login === null)
      return outcome(first);
    const body = new URLSearchParams({ login: login[0], password: login[1] });
    return outcome(await go(`${location}/login`, { method: "POST", body }));
  }

  async function outcome(answer) {
    const location = answer.headers.get("location");
    if (!location) return { status: answer.status, page: await answer.text() };
    const { searchParams, hash } = new URL(location, url);
    const fragment = new URLSearchParams(hash.slice(1));
    const response = Object.fromEntries([...searchParams, ...fragment]);
    return { status: answer.status, location, response };
  }

  /** A form to the token endpoint: status, headers and body. */
  async function token(fields, { headers, path = paths.token } = {}) {
    const body = new URLSearchParams();
    for (const [name, value] of Object.entries(fields))
      if (value !== undefined) body.set(name, value);
    return read(await go(path, { method: "POST", body, headers }));
  }

  /** Trades a code; `changes` replace fields. */
  async function trade(code, changes = {}, options) {
    const fields = {
      grant_type: "authorization_code",
      client_id: clientId,
      code,
      redirect_uri: app,
      code_verifier: verifier,
      ...changes,
    };
    return token(fields, options);
  }

  const refresh = (refresh_token, changes = {}, options) =>
    token(
      {
        grant_type: "refresh_token",
        client_id: clientId,
        refresh_token,
        ...changes,
      },
      options,
    );

  /** Signs in: what the token endpoint gave. */
  async function signIn(changes = {}, traded = {}, options) {
    const { response } = await authorize(changes);
    return (await trade(response.code, traded, options)).body;
  }

  const get = async (at, token) =>
    read(
      await go(at, {
        headers: token ? { authorization: `Bearer ${token}` } : {},
      }),
    );

  return {
    ...{ authorize, trade, token, refresh, signIn, get, go, read },
    ...{ request, verifier },
  };
}

async function read(answer) {
  const text = await answer.text();
  const isJson = /json/.test(answer.headers.get("content-type") ?? "");
  const body = isJson && text ? JSON.parse(text) : text;
  return { status: answer.status, headers: answer.headers, body };
}

/** The claims of a JWT that was checked elsewhere. */
export const claimsOf = (jwt) =>
  JSON.parse(Buffer.from(jwt.split(".")[1], "base64url").toString());
export const headerOf = (jwt) =>
  JSON.parse(Buffer.from(jwt.split(".")[0], "base64url").toString());
