import { blank } from "../contestants/index.mjs";
import { median } from "../support/figures.mjs";
import { startStage } from "../support/stage.mjs";
import { signIn } from "../support/tabs.mjs";
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
  {
    name: "stored session, slow 4G, a quarter of the processor",
    slow: true,
    session: true,
  },
  { name: "stored session, not throttled", session: true },
];

/** From the navigation until the client knows whether somebody is signed in. */
export const startup = {
  name: "startup",
  title: "Start-up until the state is known",
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
          { step, failed, name: situation.name, rounds: quick ? 2 : 9 },
          async (contestant) => {
            if (situation.session && noSession(contestant)) return;
            times[at].add(contestant, await once(stage, contestant, situation));
          },
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
          missing: situations[at].session
            ? contestants
                .filter(noSession)
                .map((one) => ({ name: one.name, reason: noSession(one) }))
            : [],
        };
      }),
    };
  },
};

const noSession = ({ lacks }) => lacks["startup, stored session"];

async function once(stage, contestant, { slow, warm, session }) {
  const site = stage.site(contestant);
  site.settings = stage.settings(contestant, contestant.storages[0]);
  const context = await stage.browser.newContext();
  try {
    const page = await context.newPage();
    if (session) {
      await page.goto(`${site.url}/`);
      if (contestant !== blank) await signIn(page, site);
      // What is done when the page is idle is done.
      await page.waitForTimeout(300);
    }
    // The second time the engine keeps what it compiled.
    if (warm || session) for (let i = 0; i < 2; i += 1) await visit(page, site);
    if (slow) await throttle(page);
    const { known, signedIn, reason } = await visit(page, site);
    const expected = Boolean(session) && contestant !== blank;
    if (signedIn !== expected || reason)
      throw new Error(reason ?? `signed in: ${signedIn}`);
    return known;
  } finally {
    await context.close();
  }
}

async function throttle(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  await session.send("Network.emulateNetworkConditions", slow4G);
  await session.send("Emulation.setCPUThrottlingRate", { rate: 4 });
}

async function visit(page, site) {
  await page.goto(`${site.url}/`);
  return page.evaluate(() => window.bench.timing());
}
