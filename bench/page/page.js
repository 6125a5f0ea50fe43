// What a page of the application offers to the driver, for whichever contestant is bundled with it.

import { create } from "contestant";

const settings = JSON.parse(document.querySelector("#settings").textContent);
const begun = performance.now();
const client = create(settings);
const started = Promise.resolve(client.start()).catch(reasonOf);
const known = started.then(() => performance.now());

window.bench = {
  signIn,
  signOut,
  calls,
  ask,
  insist,
  state,
  timing,
  hotpath,
  renew,
  loginUrls,
  load,
};

/** Milliseconds after which a call that failed is made again. */
const pause = 500;

/** When this page began to ask. */
let woken = 0;

/** Settles when the client knows its state. */
async function state() {
  await started;
  return { signedIn: Boolean(client.signedIn()) };
}

/**
 * When the client was made and when it knew its state, in milliseconds from the navigation on; how many files of the
 * application's own it has fetched meanwhile, and what went wrong.
 */
async function timing() {
  const settled = await known;
  const files = performance
    .getEntriesByType("resource")
    .filter(
      ({ name, startTime }) =>
        name.startsWith(location.origin) &&
        startTime >= begun &&
        startTime <= settled,
    );
  const reason = await started;
  return {
    begun,
    known: settled,
    files: files.length,
    signedIn: Boolean(client.signedIn()),
    reason: typeof reason === "string" ? reason : null,
  };
}

/**
 * Asks for the token that there is for so many milliseconds, one call after the other: calls per second. `apis` are those
 * whose tokens are asked for in turn.
 */
async function hotpath({ ms, options, apis }) {
  await started;
  const { token, cached = token, cachedWith } = client;
  let turn = 0;
  const inTurn = () => client.tokenOf(apis[(turn = (turn + 1) % apis.length)]);
  const call = apis ? inTurn : options ? cachedWith : cached;
  if (typeof (await call()) !== "string") throw new Error("no token");
  const start = performance.now();
  let count = 0;
  let now;
  do {
    for (let i = 0; i < 100; i += 1) await call();
    count += 100;
    now = performance.now();
  } while (now - start < ms);
  return (count / (now - start)) * 1000;
}

/** How many milliseconds it takes to renew the tokens of these APIs, all asked for at once; of the default one without. */
async function renew(apis = [undefined]) {
  await started;
  const start = performance.now();
  await Promise.all(apis.map((api) => client.renew(api)));
  return performance.now() - start;
}

/** Asks so many times for the URL of a login, each time as if it were the first: microseconds each. */
async function loginUrls({ count, endpoint }) {
  await started;
  const times = [];
  const before = stored();
  for (let i = 0; i < count; i += 1) {
    restore(before);
    await client.prepareLogin?.();
    // Else one call would follow the other in the same turn.
    await sleep(0);
    const start = performance.now();
    const url = await client.loginUrl();
    times.push((performance.now() - start) * 1000);
    if (!String(url).startsWith(endpoint))
      throw new Error(`not a login: ${url}`);
  }
  restore(before);
  return times;
}

const storages = () => [localStorage, sessionStorage];
const stored = () => storages().map((storage) => ({ ...storage }));

/** What a login has left behind is not there for the next one. */
function restore(contents) {
  storages().forEach((storage, at) => {
    storage.clear();
    for (const [key, value] of Object.entries(contents[at]))
      storage.setItem(key, value);
  });
}

/** Loads what is otherwise loaded when it is needed; says whether there is such a thing. */
async function load() {
  await started;
  await client.load?.();
  return client.load !== undefined;
}

function signIn() {
  client.signIn();
}

function signOut() {
  return client.signOut();
}

/** As many calls at once: how long the last one took, how many failed, and whether the API takes what all others gave. */
async function calls(count, ahead) {
  await started;
  clock.ahead = ahead;
  const { token, cached = token } = client;
  const start = performance.now();
  const results = await Promise.allSettled(
    Array.from({ length: count }, () => cached()),
  );
  const ms = performance.now() - start;
  const tokens = results.filter(({ status }) => status === "fulfilled");
  const different = new Set(tokens.map(({ value }) => value));
  const valid = await Promise.all([...different].map(taken));
  return {
    ms,
    failed: count - tokens.length,
    valid: valid.every(Boolean),
  };
}

/**
 * Sets the clock ahead at the machine's time `at`, and asks once for a token that the API takes: `ms` is how long that
 * took, from the first `ask` with an `at` on.
 */
async function ask({ at, ahead = clock.ahead, limit }) {
  if (at !== undefined) await sleep(Math.max(0, at - clock.machine()));
  clock.ahead = ahead;
  if (at !== undefined) woken = performance.now();
  const answer = { valid: false, ms: null, reason: null };
  try {
    const token = await within(client.token(), limit);
    answer.ms = performance.now() - woken;
    answer.valid = await taken(token);
    if (!answer.valid) answer.reason = "the API refused the token";
  } catch (error) {
    answer.reason = reasonOf(error);
  }
  return { ...answer, signedIn: Boolean(client.signedIn()) };
}

/** Asks until there is a valid token or `patience` milliseconds are over. A page that is signed out asks twice and no more. */
async function insist({ patience, ...how }) {
  const start = performance.now();
  const left = () => patience - (performance.now() - start);
  for (let failures = 0; ; failures += 1) {
    const answer = await ask({ ...how, limit: Math.max(left(), 100) });
    const over = left() < 0 || (!answer.signedIn && failures > 0);
    if (answer.valid || over) return answer;
    await sleep(pause);
  }
}

/** Whether the API takes a token. */
async function taken(token) {
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch("/me", { headers });
  return response.ok;
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function within(promise, ms) {
  const late = sleep(ms).then(() => {
    throw new Error("no answer in time");
  });
  return Promise.race([promise, late]);
}

function reasonOf(error) {
  return `${error?.code ?? error?.name ?? "Error"}: ${error?.message ?? error}`;
}
