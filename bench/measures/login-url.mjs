import { median } from "../support/figures.mjs";
import { startStage } from "../support/stage.mjs";
import { open } from "../support/tabs.mjs";
import { collect, inTurns } from "../support/turns.mjs";

/** From the call of a login to the URL that it leaves for. */
export const loginUrl = {
  name: "login-url",
  title: "Login URL",
  unit: "µs",
  digits: 0,
  better: "less",
  async run(contestants, { quick, step, failed }) {
    const stage = await startStage(contestants, { inline: [], isolated: true });
    const pages = new Map();
    const times = collect();
    const count = quick ? 50 : 200;
    const ask = (contestant, count) =>
      pages.get(contestant.name).evaluate((how) => bench.loginUrls(how), {
        count,
        endpoint: `${stage.settings(contestant, "").issuer}authorize`,
      });
    const turns = { step, failed };
    try {
      await inTurns(
        contestants,
        { ...turns, name: "learning the metadata", rounds: 1 },
        async (contestant) => {
          const site = stage.site(contestant);
          site.settings = stage.settings(contestant, contestant.storages[0]);
          const page = await open(await stage.browser.newContext(), site);
          if (!(await page.evaluate(() => crossOriginIsolated)))
            throw new Error("the page has only a coarse clock");
          pages.set(contestant.name, page);
          await ask(contestant, 20);
        },
      );
      await inTurns(
        contestants,
        { ...turns, name: "login URL", rounds: quick ? 3 : 9 },
        async (contestant) =>
          times.add(contestant, median(await ask(contestant, count))),
      );
    } finally {
      await stage.close();
    }
    return { groups: [{ name: "", rows: times.rows(contestants) }] };
  },
};
