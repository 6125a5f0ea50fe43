// What a page of the application offers to the driver, for whichever contestant is bundled with it.

import { create } from "contestant";

const settings = JSON.parse(document.querySelector("#settings").textContent);
const client = create(settings);
const started = Promise.resolve(client.start()).catch(reasonOf);

window.bench = { signIn, signOut, calls, ask, insist, state };

/** Milliseconds after which a call that failed is made again. */
const pause = 500;

/** When this page began to ask. */
let woken = 0;

/** Settles when the client knows its state. */
async function state() {
  await started;
  return { signedIn: Boolean(client.signedIn()) };
}

function signIn() {
  client.signIn();
}

function signOut() {
  return client.signOut();
}

/** As many calls at once: how long the last one took, and what they gave. */
async function calls(count, ahead) {
  await started;
  clock.ahead = ahead;
  const start = performance.now();
  const results = await Promise.allSettled(
    Array.from({ length: count }, () => client.token()),
  );
  const ms = performance.now() - start;
  const tokens = results.filter(({ status }) => status === "fulfilled");
  return {
    ms,
    failed: count - tokens.length,
    tokens: new Set(tokens.map(({ value }) => value)).size,
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
