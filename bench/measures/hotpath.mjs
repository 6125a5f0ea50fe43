import { readFile } from "node:fs/promises";
import { startStage } from "../support/stage.mjs";
import { open, signIn } from "../support/tabs.mjs";
import { collect, inTurns } from "../support/turns.mjs";

const variants = [
  { name: "without options", options: false },
  { name: "with options", options: true },
];

/** Seconds that a token lives: msal-browser renews what has less than five minutes. */
const life = 3600;

/** How long an expired token may take to be renewed. */
const patience = 12_000;

/** Calls per second for a token that is there. */
export const hotpath = {
  name: "hotpath",
  title: "Cached access token",
  unit: "calls per second",
  digits: 0,
  better: "more",
  async run(contestants, { quick, step, failed }) {
    // With its own clock, since the page's is read at every call.
    const stage = await startStage(contestants, { inline: [], life });
    const pages = new Map();
    const speeds = variants.map(collect);
    const live = new Map();
    const turns = { step, failed };
    const lacks = ({ lacks }, { name }) => lacks[`hotpath, ${name}`];
    try {
      await inTurns(
        contestants,
        { ...turns, name: "signing in", rounds: 1 },
        async (contestant) =>
          pages.set(contestant.name, await signedIn(stage, contestant)),
      );
      // The first round is for the compiler of the engine.
      const rounds = quick ? 3 : 10;
      await inTurns(
        contestants,
        { ...turns, name: "cached token", rounds },
        async (contestant, round) => {
          const page = pages.get(contestant.name);
          for (const [at, variant] of variants.entries()) {
            if (lacks(contestant, variant)) continue;
            const speed = await page.evaluate((how) => bench.hotpath(how), {
              ms: 300,
              options: variant.options,
            });
            if (round > 0) speeds[at].add(contestant, speed);
          }
        },
      );
      await inTurns(
        contestants,
        { ...turns, name: "is the deadline looked at", rounds: 1 },
        async (contestant) =>
          live.set(
            contestant.name,
            await renewals(stage, pages.get(contestant.name)),
          ),
      );
    } finally {
      await stage.close();
    }
    return {
      groups: variants.map(({ name }, at) => ({
        name,
        rows: speeds[at].rows(contestants, (contestant) => ({
          "requests once it is expired": live.get(contestant.name),
        })),
        missing: contestants
          .filter((one) => lacks(one, variants[at]))
          .map((one) => ({ name: one.name, reason: lacks(one, variants[at]) })),
      })),
    };
  },
};

async function signedIn(stage, contestant) {
  const site = stage.site(contestant);
  site.settings = stage.settings(contestant, contestant.storages[0]);
  const page = await open(await stage.browser.newContext(), site);
  await signIn(page, site);
  return page;
}

/** How many requests follow when the clock of the page is set beyond the token's life: none, if nobody looks. */
async function renewals({ control }, page) {
  const clock = new URL("../page/clock.js", import.meta.url);
  await page.addScriptTag({ content: await readFile(clock, "utf8") });
  control.resetCounters();
  await page.evaluate(
    async ([ahead, patience]) => {
      clock.ahead = ahead;
      const over = new Promise((resolve) => setTimeout(resolve, patience));
      await Promise.race([bench.hotpath({ ms: 0 }).catch(() => {}), over]);
    },
    [(life + 60) * 1000, patience],
  );
  return control.count("token", "refresh_token");
}
