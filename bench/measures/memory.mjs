import { blank } from "../contestants/index.mjs";
import { median } from "../support/figures.mjs";
import { startStage } from "../support/stage.mjs";
import { open, signIn } from "../support/tabs.mjs";
import { collect, inTurns } from "../support/turns.mjs";

const moments = [
  { name: "after the start, nobody signed in" },
  { name: "the same, with the wasm loaded", load: true },
  { name: "after a sign-in", signIn: true },
];

/** What a page keeps more than one without an SDK. */
export const memory = {
  name: "memory",
  title: "Memory over a blank page",
  unit: "KiB",
  digits: 0,
  better: "less",
  async run(contestants, { quick, step, failed }) {
    const all = [blank, ...contestants];
    const stage = await startStage(all, { inline: ["wasm"] });
    const sums = moments.map(collect);
    const shares = moments.map(() => new Map());
    try {
      await inTurns(
        all,
        { step, failed, name: "memory", rounds: quick ? 1 : 3 },
        async (contestant) => {
          for (const [at, moment] of moments.entries()) {
            const kept = await once(stage, contestant, moment);
            if (!kept) continue;
            sums[at].add(contestant, (kept.heap + kept.wasm) / 1024);
            shares[at].set(contestant.name, kept.wasm / 1024);
          }
        },
      );
    } finally {
      await stage.close();
    }
    return {
      groups: moments.map(({ name }, at) => {
        const base = median(sums[0].of(blank));
        const rows = sums[at].rows(contestants, (contestant) => ({
          "of which wasm": shares[at].get(contestant.name).toFixed(0),
        }));
        return {
          name,
          rows: rows.map((row) => ({
            ...row,
            numbers: row.numbers.map((sum) => sum - base),
          })),
        };
      }),
    };
  },
};

/** Bytes, or nothing where there is no such moment. */
async function once(stage, contestant, moment) {
  if (contestant === blank && (moment.load || moment.signIn)) return undefined;
  const site = stage.site(contestant);
  site.settings = stage.settings(contestant, contestant.storages[0]);
  const context = await stage.browser.newContext();
  try {
    const page = await open(context, site);
    if (moment.signIn) await signIn(page, site);
    if (moment.load && !(await page.evaluate(() => window.bench.load())))
      return undefined;
    // What is to be done when the page is idle is done.
    await page.waitForTimeout(500);
    return await kept(page);
  } finally {
    await context.close();
  }
}

async function kept(page) {
  await page.evaluate(() => {
    // The engine has a table of 64 KiB as soon as a page has written a few numbers as text, as every application has.
    for (let number = 0; number < 1000; number += 1) String(number);
  });
  const session = await page.context().newCDPSession(page);
  for (let i = 0; i < 3; i += 1)
    await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  await session.detach();
  const wasm = await page.evaluate(() => window.wasmBytes());
  return { heap: usedSize, wasm };
}
