// Concurrent callers, clones and unrelated tabs, all waking with an expired token.

import { machine, pass } from "./support/clock.mjs";
import { markdown, range, spread } from "./support/figures.mjs";
import { lifetime, startStage, tokenDelay } from "./support/stage.mjs";
import { clone, lifecycle, open, signIn } from "./support/tabs.mjs";
import { inTurns } from "./support/turns.mjs";

/** Milliseconds after which a call counts as failed, and in which a tab whose call failed asks again. */
const limit = 10_000;
const patience = 2500;

/** How many tabs are opened at a time. */
const hands = 4;

/** Calls in one tab; clones by `window.open` over sessionStorage; tabs with own renderer processes over localStorage. */
export const races = ({ calls, tabs }) => [
  ...(calls
    ? [{ name: `${calls} calls in one tab`, storage: "session", calls }]
    : []),
  ...tabs.map((count) => ({
    name: `${count} clones, sessionStorage`,
    storage: "session",
    tabs: count,
    family: true,
  })),
  ...tabs.map((count) => ({
    name: `${count} unrelated tabs, localStorage`,
    storage: "local",
    tabs: count,
  })),
];

/**
 * Runs every race `repeats` times for every contestant, interleaved, and gives
 * `[{ race, contestant, runs: [{ ms, requests, failures, signedIn, valid, of, lost }] }]`. Who fails is out; with `spare`
 * nobody runs again who is `beaten`.
 */
export async function runRaces(
  list,
  contestants,
  { repeats, step, failed, spare = false },
) {
  const stage = await startStage(contestants);
  const results = [];
  try {
    for (const race of list) {
      const runs = new Map();
      const able = contestants.filter(({ storages }) =>
        storages.includes(race.storage),
      );
      const turns = { rounds: repeats, name: race.name, step, failed };
      await inTurns(able, turns, async (contestant) => {
        const own = runs.get(contestant) ?? [];
        const earlier = results
          .filter(
            (one) =>
              one.contestant === contestant &&
              one.race.storage === race.storage &&
              one.race.family === race.family,
          )
          .flatMap((one) => one.runs);
        if (spare && beaten(own, earlier)) return;
        const run = await runOnce(stage, race, contestant);
        runs.set(contestant, [...own, run]);
      });
      for (const [contestant, all] of runs)
        results.push({ race, contestant, runs: all });
    }
  } finally {
    await stage.close();
  }
  return results;
}

/** Whether another run would tell nothing: one of this race is there, and all, of races like it too, have lost every tab, at least twice. */
export function beaten(own, earlier) {
  const all = [...earlier, ...own];
  return (
    own.length > 0 && all.length > 1 && all.every(({ valid }) => valid === 0)
  );
}

async function runOnce(stage, race, contestant) {
  const site = stage.site(contestant);
  site.settings = stage.settings(contestant, race.storage);
  site.ahead = stage.aheadBy();
  const context = await stage.browser.newContext();
  try {
    const first = await open(context, site);
    await signIn(first, site);
    return race.calls
      ? await runCalls(stage, site, race, first)
      : await runTabs(stage, site, race, first);
  } finally {
    await context.close();
  }
}

async function runCalls(stage, site, race, page) {
  stage.control.resetCounters();
  site.ahead = pass(lifetime + 60);
  const { ms, failed } = await page.evaluate(
    ([count, ahead]) => window.bench.calls(count, ahead),
    [race.calls, site.ahead],
  );
  const requests = refreshes(stage);
  return { ms, requests, failures: failed, ...(await prove([page])) };
}

async function runTabs(stage, site, race, first) {
  const pages = [first];
  const frozen =
    race.family && race.tabs > 2 ? await siblings(first, pages) : undefined;
  await inHands(race.tabs - pages.length, async () => {
    pages.push(
      race.family ? await clone(first) : await open(first.context(), site),
    );
  });
  if (!race.family) await ownProcesses(stage, pages.length);

  const awake = pages.filter((page) => page !== frozen);
  stage.control.resetCounters();
  site.ahead = pass(lifetime + 60);
  // Late enough for every tab to have been told.
  const at = machine() + 500 + 20 * awake.length;
  const answers = await all(awake, "ask", { at, ahead: site.ahead, limit });
  const requests = refreshes(stage);
  const failed = awake.filter((_, tab) => !answers[tab].valid);
  const later = await all(failed, "insist", { patience });
  if (frozen) {
    await lifecycle(frozen, "active");
    await all([frozen], "insist", { ahead: site.ahead, patience });
  }
  const proof = await prove(pages);
  const times = [...answers, ...later].filter(({ valid }) => valid);
  return {
    ms:
      proof.valid === proof.of ? Math.max(...times.map(({ ms }) => ms)) : null,
    requests,
    failures: failed.length,
    ...proof,
  };
}

/** What every page gives, all at once. */
const all = (pages, method, how) =>
  Promise.all(
    pages.map((page) =>
      page.evaluate(
        ([method, how]) => window.bench[method](how),
        [method, how],
      ),
    ),
  );

/** Of the clones, one was closed before and one sleeps while the others wake. */
async function siblings(first, pages) {
  const closed = await clone(first);
  await closed.close();
  const frozen = await clone(first);
  pages.push(frozen);
  await lifecycle(frozen, "frozen");
  return frozen;
}

/** Unrelated tabs must not wait for each other in one process. */
async function ownProcesses(stage, tabs) {
  const renderers = await stage.renderers();
  if (renderers < tabs)
    throw new Error(`${tabs} tabs share ${renderers} renderer processes`);
}

/** Asks every tab afterwards for a token that the API takes. */
async function prove(pages) {
  const proofs = await all(pages, "ask", { limit });
  return {
    signedIn: proofs.filter(({ signedIn }) => signedIn).length,
    valid: proofs.filter(({ valid }) => valid).length,
    of: pages.length,
  };
}

const refreshes = ({ control }) => control.count("token", "refresh_token");

async function inHands(times, work) {
  let left = times;
  const hand = async () => {
    while (left > 0) {
      left -= 1;
      await work();
    }
  };
  await Promise.all(Array.from({ length: hands }, hand));
}

/** The tables, one for each race. */
export function report(results) {
  const head = [
    "",
    "requests to the token endpoint",
    "calls that failed first",
    "signed in afterwards",
    "valid afterwards",
    "ms to the last valid one",
    "sessions lost",
  ];
  const races = [...new Set(results.map(({ race }) => race))];
  const tables = races.map((race) => {
    const rows = results
      .filter((result) => result.race === race)
      .map(({ contestant: { name, version }, runs }) => {
        const each = (key) => runs.map((run) => run[key]);
        const whole = runs.filter(({ valid, of }) => valid === of);
        return [
          `${name} ${version}`,
          range(each("requests")),
          range(each("failures")),
          ofAll(each("signedIn"), runs[0].of),
          ofAll(each("valid"), runs[0].of),
          whole.length === 0 ? "–" : spread(whole.map(({ ms }) => ms)),
          `${runs.filter(({ valid }) => valid === 0).length} of ${runs.length}`,
        ];
      });
    return `### ${race.name}\n\n${markdown(head, rows)}`;
  });
  return `${tables.join("\n\n")}\n\nProvider: rotation, detection of reuse, no grace period, token answers after ${tokenDelay} ms. Times are medians (least–most) of the repeats in which every tab was valid afterwards; – where there was none.`;
}

const ofAll = (numbers, all) => `${range(numbers)} of ${all}`;
