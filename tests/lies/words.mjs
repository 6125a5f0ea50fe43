// The words of which the table is made: what can be said otherwise, and what is expected of who hears it.

import { expect } from "@playwright/test";

/**
 * A row: `lie` is refused as `expected` says, `twin` is accepted, and the two differ in one thing.
 *
 * A telling has the answers of endpoints (`discovery`, `jwks`, `token`, `userinfo`: what a function makes of the honest
 * one, `"reset"` or `"hang"`), `claims` and `sign` of the ID Token, `authorize` (where the browser is sent instead) and
 * `callback` (the URL on which it lands). `more` may have
 * - `given`: what lie and twin have in common, with `login` and `options` of the client;
 * - `toNobody`: told to somebody who is not signed in, too; `again`: so many times more;
 * - `asksAgain`: metadata is forgotten before;
 * - `survives`: the login is still waiting, and takes the honest response;
 * - `attempt`: `"userInfo"` or `"refetch"` in a session, instead of a sign-in; `untold`: what is refused is not in the state;
 * - `asked: "evil"`: the user chose the other provider; `visits`: the client is led to the honest one by it;
 * - `sent`: the endpoints that may be asked, `often`: more than once.
 */
export const refused = (
  requirement,
  [name, lie],
  expected,
  [twinName, twin] = ["the honest one"],
  more = {},
) => ({
  title: `${requirement}: ${name} is refused; ${twinName} is accepted`,
  requirement,
  lie,
  twin,
  expect: expected,
  ...more,
});

/** A row whose lie is heard and changes nothing: what comes of it is what would have come without. */
export const ignored = (requirement, [name, lie], more = {}) => ({
  title: `${requirement}: ${name} changes nothing`,
  requirement,
  lie,
  harmless: true,
  ...more,
});

// ── What is said ────────────────────────────────────────────────────────────

/** Another claim in the ID Token; a function makes it of the claims and the access token. */
export const claim = (name, value) => ({
  claims: (claims, accessToken) => ({
    ...claims,
    [name]: typeof value === "function" ? value(claims, accessToken) : value,
  }),
});

/** Changes the JSON of an answer; a text goes out as it is. */
const changed = (change) => (honest, scene) => {
  const made = change(honest.json, scene);
  return typeof made === "string" || Buffer.isBuffer(made)
    ? { ...honest, type: "application/json", json: undefined, text: made }
    : { ...honest, json: made };
};

/** Another member in an answer; `undefined` leaves it out. */
export const member = (name, value) =>
  changed((json, scene) => ({
    ...json,
    [name]: typeof value === "function" ? value(json[name], scene) : value,
  }));

/** Members of an answer written by hand: `1e400` and what else JSON.stringify would not write. */
export const written = (members) =>
  changed((json) => {
    const names = Object.keys(members);
    const kept = Object.entries(json).filter(([name]) => !names.includes(name));
    const honest = JSON.stringify(Object.fromEntries(kept));
    const ours = names.map(
      (name) => `${JSON.stringify(name)}:${members[name]}`,
    );
    return `${honest.slice(0, -1)},${ours.join(",")}}`;
  });

/** The text of the honest answer, changed. */
export const spelled = (change) =>
  changed((json) => change(JSON.stringify(json)));

/** The honest answer, with another status or other headers. */
export const withStatus = (status) => (honest) => ({ ...honest, status });
export const withHeaders = (headers) => (honest) => ({ ...honest, headers });

/** Something else instead. */
export const instead = (answer) => () => answer;
export const page = (status = 200) =>
  instead({ status, type: "text/html", text: "<!doctype html><p>proxy</p>" });

/** What takes long: a byte and then another, for as long as somebody listens. */
export const drip = (honest, { res }) => {
  res.writeHead(200, { "content-type": "application/json" });
  const timer = setInterval(() => res.write(" "), 100);
  res.on("close", () => clearInterval(timer));
  return null;
};

// ── What is expected ────────────────────────────────────────────────────────

export const idToken = (claim, problem, skewSeconds = null) => ({
  code: "invalid_id_token",
  details: { claim, problem, skewSeconds },
});
export const skewed = (claim, problem) =>
  idToken(claim, problem, expect.any(Number));
export const answered = (endpoint, status, problem) => ({
  code: "invalid_response",
  details: { endpoint, status, problem },
});
export const unreachable = (endpoint) => ({
  code: "network",
  details: { endpoint },
});
export const late = (endpoint) => ({
  code: "timeout",
  details: { endpoint, seconds: 1 },
});
export const stale = (problem, untrusted = null) => ({
  code: "stale_callback",
  details: { problem, returnTo: null, untrusted },
});
export const metadata = (field, problem) => ({
  code: "invalid_metadata",
  details: { field, problem },
});
export const oauthError = (code, details) => ({
  code,
  details: { error_description: null, error_uri: null, ...details },
});
