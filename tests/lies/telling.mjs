// How a row of the table is told, in whatever engine: the honest twin, which is accepted, and then the lie to the session
// that the twin brought; where the row asks for it, to somebody who is not signed in, too. The page is not left for it.

import { expect } from "@playwright/test";
import { optionsFor, sessionKey } from "../support/driver.mjs";
import { leakIn } from "../support/leaks.mjs";
import { secrets } from "../support/scripted.mjs";

/**
 * Tells one row. `stage` counts what was told, and what was believed. The very twin that was accepted a moment ago, in a
 * session that is still there, is not told once more.
 */
export async function tellRow(stage, row) {
  const chosen = row.asked === "evil" ? stage.evil : stage.provider;
  const options = optionsFor(stage.app, chosen, {
    ...{ callback: "manual", timeout: 2 },
    ...(typeof row.given?.options === "function"
      ? row.given.options(stage)
      : row.given?.options),
  });
  const scene = { stage, ...stage, chosen, options, row };
  for (const { requests, issued } of [stage.provider, stage.evil])
    requests.length = issued.length = 0;
  // What is known of a server's keys and endpoints is believed for a while: each telling about them has a client of its own.
  const anew = row.asksAgain || row.lie.jwks || row.often?.jwks;
  if (row.toNobody) {
    await begin(scene, true);
    await tellLie(scene, false);
  }
  // A client gives one URL one answer, however often it is handed it.
  const used = row.toNobody || stage.options !== JSON.stringify(options);
  const twin = [row.twin, row.given, row.attempt, JSON.stringify(options)];
  const toldBefore = twin.every((part, at) => part === stage.twin?.[at]);
  if (used || (anew && !toldBefore)) await begin(scene, false);
  if (!toldBefore) await tellTwin(scene);
  stage.twin = twin;
  if (anew) await begin(scene, false);
  await tellLie(scene, true);
  for (let again = row.again ?? 0; again > 0; again -= 1)
    await tellLie(scene, true);
  // Nobody is to have a client that was lied to about those.
  if (anew || row.attempt === "refetch") stage.options = undefined;
  stage.forget ||= row.attempt === "refetch";
}

/** A new client, which knows no keys; with what is stored, or without. */
async function begin({ stage, options, row }, empty) {
  const { asksAgain = false } = row;
  if (empty) stage.twin = undefined;
  const forget = asksAgain || stage.forget;
  await stage.act(
    ["begin", { options, forget, empty }],
    // Where the row is not about it, metadata is there before.
    ...(forget && !asksAgain ? [["login", {}]] : []),
  );
  stage.forget = asksAgain;
  stage.options = JSON.stringify(options);
  stage.keysKnown = false;
}

async function tellLie(scene, lives) {
  const { stage, row } = scene;
  const strangers = countStrangers(scene);
  const allowed = allowedIn(scene);
  stage.told += 1;
  const seen = await attempt(scene, merged(row.given, row.lie));
  const { outcome, before, after } = seen;
  if (row.harmless) expectAccepted(scene, seen);
  else {
    if (outcome.value && !isSilent(row, lives)) stage.believed += 1;
    expectRefused(scene, seen, lives);
  }
  await untilKeysAreAsked(scene, seen);
  expect({
    ...{ unheard: seen.unheard, prototypes: after.prototypes },
    sent: unexpected(seen.sent(), allowed),
    strangers: countStrangers(scene),
    left: whatLeftHome(scene),
    leak: leakIn(JSON.stringify(told(row, seen)), secretsOf(scene, seen)),
  }).toEqual({
    ...{ unheard: [], prototypes: before.prototypes },
    ...{ sent: [], strangers, left: [], leak: undefined },
  });
  // A response of nobody's takes no login away from the one that is to come.
  if (row.survives)
    expectAccepted(scene, await stage.act(["land", seen.honest]));
}

async function tellTwin(scene) {
  const { row, stage } = scene;
  const seen = await attempt(scene, merged(row.given, row.twin));
  expectAccepted(scene, seen);
  expect(seen.unheard, "twins that nobody heard").toEqual([]);
  stage.keysKnown = true;
}

/** What holds for lie and twin alike, and then the one thing in which they differ. */
function merged(given = {}, told = {}) {
  const merge = (name) => {
    const [first, second] = [given[name], told[name]];
    return typeof first === "function" && typeof second === "function"
      ? (value, ...rest) => second(first(value, ...rest), ...rest)
      : (second ?? first);
  };
  const names = Object.keys({ ...given, ...told });
  return Object.fromEntries(names.map((name) => [name, merge(name)]));
}

/** Does what the row is about, with a provider that says what it is told to. */
async function attempt(scene, telling) {
  const { chosen, row } = scene;
  const within = (tell) => (honest, req, res) =>
    tell(honest, { ...scene, req, res });
  for (const endpoint of ["discovery", "jwks", "token", "userinfo"]) {
    const said = telling[endpoint];
    if (typeof said === "string") chosen.answerNext(endpoint, said, Infinity);
    else if (said) chosen.tell(endpoint, within(said));
  }
  const { claims, sign } = telling;
  if (claims || sign) {
    const both = [claims, sign].map(
      (change) => change && ((...all) => change(...all, scene)),
    );
    chosen.idTokenNext({ claims: both[0], sign: both[1] }, Infinity);
  }
  const mark = chosen.requests.length;
  const sent = () => chosen.requests.slice(mark);
  const result = await attempts[row.attempt ?? "signIn"](scene, telling);
  return { ...result, sent, unheard: chosen.forgive() };
}

/** The whole way: the request, where the browser is sent, and the callback. */
async function signIn(scene, telling) {
  const { act, chosen, row } = scene;
  const asked = await act(["login", row.given?.login ?? {}]);
  if (asked.outcome.error) return asked;
  const authorize = telling.authorize ?? chosen.authorize;
  const requested = asked.outcome.value;
  const honest = authorize(requested, scene);
  const way = { ...scene, requested };
  const back = telling.callback?.(new URL(honest), way) ?? honest;
  const landed = await act(["land", String(back)]);
  return { ...landed, before: asked.before, honest };
}

/** Asks for the user's claims, in a session that is made for it where there is none. */
async function userInfo(scene) {
  const { after } = await scene.act();
  const { status, error } = after.state;
  if (status !== "signedIn" || error) await signIn(scene, {});
  return scene.act(["call", ["fetchUserInfo"]]);
}

/** Signs in, and refreshes by another client for which what was discovered has grown old. */
async function refetch(scene) {
  const { act, options } = scene;
  await signIn(scene, {});
  const anew = { options, forget: false, empty: false };
  await act(["age"], ["begin", anew]);
  return act(["call", ["getAccessToken", { forceRefresh: true }]]);
}

const attempts = { signIn, userInfo, refetch };

/** With a live session a callback that belongs to no login is a bookmark or a reload: nothing to complain about. */
const isSilent = ({ expect }, lives) =>
  lives && expect.code === "stale_callback";

/** The error is the one that the row has, and the session what it was, byte by byte. */
function expectRefused(scene, { outcome, before, after }, lives) {
  const { row } = scene;
  const silent = isSilent(row, lives);
  const kept = ({ sessions, state, elsewhere, cookies, address }) => ({
    ...{ sessions, elsewhere, cookies, address },
    user: state.user,
  });
  const told = (error) => error && { code: error.code, details: error.details };
  const expected =
    typeof row.expect === "function" ? row.expect(scene) : row.expect;
  // A login that was refused before it left changes nothing; a callback that was refused is told in the state.
  const { status, reason } = after.state;
  expect({
    error: told(outcome.error),
    state: { status, reason, error: told(after.state.error) },
    ...kept(after),
  }).toEqual({
    error: silent ? undefined : expected,
    state: {
      status: lives ? "signedIn" : "signedOut",
      reason: lives ? undefined : row.untold ? "noSession" : "callbackFailed",
      error: silent || row.untold ? null : expected,
    },
    ...kept(before),
  });
}

/** Signed in, with a token that the server gave. */
function expectAccepted(
  { chosen, options, row },
  { outcome: { error }, after },
) {
  const { status, user, error: told } = after.state;
  expect({ error, status, told }).toEqual({
    ...{ error: undefined, status: "signedIn", told: null },
  });
  if (row.harmless) expect(user.sub).toBe("alice");
  const record = JSON.parse(after.sessions[sessionKey(options)]);
  const { access_token: token } = record.view.tokens[""];
  const given = (one) => token.startsWith(one);
  expect(secrets.has(token) || chosen.issued.some(given)).toBe(true);
}

/** The keys are asked for while the code is on its way: not to be taken for a request of the next row. */
async function untilKeysAreAsked({ stage, row }, { sent }) {
  if (stage.keysKnown || !row.sent.includes("token") || row.keysElsewhere)
    return;
  const asked = () => sent().some(({ endpoint }) => endpoint === "jwks");
  await expect.poll(asked, "the keys").toBe(true);
  stage.keysKnown = true;
}

/** How often each endpoint may be asked; for keys nobody asks again who has just done so. */
const allowedIn = ({ row, stage: { keysKnown } }) => ({
  ...Object.fromEntries(row.sent.map((name) => [name, 1])),
  ...(row.asksAgain && { discovery: 1 }),
  ...(row.harmless && !row.attempt && { token: 1, jwks: 1 }),
  ...row.often,
  ...(keysKnown && row.attempt !== "refetch" && { jwks: 0 }),
});

/** What was sent and is not allowed: another endpoint, too often, or with a word about who asks. */
const unexpected = (sent, allowed) =>
  sent.flatMap(({ endpoint, headers }) => {
    allowed[endpoint] = (allowed[endpoint] ?? 0) - 1;
    const { cookie, referer, authorization } = headers;
    const bearer = endpoint === "userinfo" ? undefined : authorization;
    const word = cookie ?? referer ?? bearer;
    return word || allowed[endpoint] < 0 ? [`${endpoint} ${word}`] : [];
  });

/** Requests that no lie may cause: scripts come when they are needed, and the browser asks for its icon when it likes. */
const countStrangers = ({ app, evil, provider, chosen, row }) =>
  app.requests.filter(({ path }) => !/^\/(assets\/|favicon)/.test(path))
    .length +
  (row.visits ? 0 : (chosen === evil ? provider : evil).requests.length);

/** RFC 9700 §4.4: no code or token of the honest server ever reaches the evil one. */
function whatLeftHome({ provider, evil }) {
  const seen = JSON.stringify(
    evil.requests.map(({ url, body, headers }) => [url, `${body}`, headers]),
  );
  return provider.issued.filter((secret) => seen.includes(secret));
}

/** All that an application hears; what is stored beside the session holds no secret either, once a login is over. */
const told = (
  { sent, attempt },
  { outcome, after: { state, heard, rest } },
) => [
  // A refresh gives the token, and nothing else is to.
  attempt === "refetch" ? outcome.error : outcome,
  ...[state, heard],
  sent.includes("token") && rest,
];

/** What both servers gave, what the client keeps, and what only the token endpoint is told. */
const secretsOf = ({ provider, evil }, { before: { sessions } }) => [
  ...provider.issued,
  ...evil.issued,
  ...Object.values(sessions)
    .map(JSON.parse)
    .flatMap(({ view, grant }) => [
      ...Object.values(view.tokens).map((token) => token.access_token),
      ...[grant.refresh_token, grant.id_token, grant.family_key],
    ]),
  ...[...provider.requests, ...evil.requests].map(({ body }) =>
    body.get("code_verifier"),
  ),
];
