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
  { name: "stored session, not throttled", session: true },
];

/** The same tab once more after the last of them: a sign-in takes longer than what is measured. */
const slowSession = {
  name: "stored session, slow 4G, a quarter of the processor",
  session: true,
};

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
    const groups = [...situations, slowSession];
    const times = groups.map(collect);
    try {
      for (const [at, situation] of situations.entries())
        await inTurns(
          all,
          { step, failed, name: situation.name, rounds: quick ? 2 : 7 },
          async (contestant) => {
            if (situation.session && noSession(contestant)) return;
            const all = await once(stage, contestant, situation);
            all.forEach((known, more) =>
              times[at + more].add(contestant, known),
            );
          },
        );
    } finally {
      await stage.close();
    }
    return {
      groups: groups.map(({ name, session }, at) => {
        const base = median(times[at].of(blank));
        return {
          name,
          rows: times[at].rows(all, (contestant) => ({
            "× blank": (median(times[at].of(contestant)) / base).toFixed(2),
          })),
          missing: session
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

/** Milliseconds; of a stored session those without and with the throttle. */
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
    const expected = Boolean(session) && contestant !== blank;
    const times = [];
    for (const slowly of session ? [false, true] : [slow]) {
      if (slowly) await throttle(page);
      const { known, signedIn, reason } = await visit(page, site);
      if (signedIn !== expected || reason)
        throw new Error(reason ?? `signed in: ${signedIn}`);
      times.push(known);
    }
    return times;
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
