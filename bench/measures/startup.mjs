import { blank } from "../contestants/index.mjs";
import { median } from "../support/figures.mjs";
import { startStage } from "../support/stage.mjs";
import { collect, inTurns } from "../support/turns.mjs";

/** 1.6 Mbit/s down, 750 kbit/s up, 150 ms: what Lighthouse calls slow 4G. */
const slow4G = {
  offline: false,
  latency: 150,
  downloadThroughput: (1.6 * 1024 * 1024) / 8,
  uploadThroughput: (750 * 1024) / 8,
};

const situations = [
  { name: "slow 4G, a quarter of the processor, cold cache", slow: true },
  {
    name: "slow 4G, a quarter of the processor, warm cache",
    slow: true,
    warm: true,
  },
  { name: "not throttled, cold cache" },
  { name: "not throttled, warm cache", warm: true },
];

/** From the navigation until the client knows that nobody is signed in. */
export const startup = {
  name: "startup",
  title: "Start-up until the state is known, nobody signed in",
  unit: "ms",
  digits: 0,
  better: "less",
  async run(contestants, { quick, step, failed }) {
    const all = [blank, ...contestants];
    const stage = await startStage(all, { inline: [] });
    const times = situations.map(collect);
    try {
      for (const [at, situation] of situations.entries())
        await inTurns(
          all,
          { step, failed, name: situation.name, rounds: quick ? 3 : 15 },
          async (contestant) =>
            times[at].add(contestant, await once(stage, contestant, situation)),
        );
    } finally {
      await stage.close();
    }
    return {
      groups: situations.map(({ name }, at) => {
        const base = median(times[at].of(blank));
        return {
          name,
          rows: times[at].rows(all, (contestant) => ({
            "× blank": (median(times[at].of(contestant)) / base).toFixed(2),
          })),
        };
      }),
    };
  },
};

async function once(stage, contestant, { slow, warm }) {
  const site = stage.site(contestant);
  site.settings = stage.settings(contestant, contestant.storages[0]);
  const context = await stage.browser.newContext();
  try {
    // The second time the engine keeps what it compiled.
    if (warm) for (let i = 0; i < 2; i += 1) await visit(context, site);
    return await visit(context, site, slow);
  } finally {
    await context.close();
  }
}

async function visit(context, site, slow) {
  const page = await context.newPage();
  if (slow) {
    const session = await context.newCDPSession(page);
    await session.send("Network.enable");
    await session.send("Network.emulateNetworkConditions", slow4G);
    await session.send("Emulation.setCPUThrottlingRate", { rate: 4 });
  }
  await page.goto(`${site.url}/`);
  const { known, signedIn, reason } = await page.evaluate(() =>
    window.bench.timing(),
  );
  if (signedIn || reason) throw new Error(reason ?? "somebody is signed in");
  await page.close();
  return known;
}
