import { pass } from "../support/clock.mjs";
import { range } from "../support/figures.mjs";
import { lifetime, startStage } from "../support/stage.mjs";
import { open, signIn } from "../support/tabs.mjs";
import { collect, inTurns } from "../support/turns.mjs";

const calls = 1000;

/** As many calls at once for a token that is expired. */
export const concurrent = {
  name: "concurrent",
  title: `Expired token, ${calls} calls at once`,
  unit: "ms to the last token",
  digits: 0,
  better: "less",
  async run(contestants, { quick, step, failed }) {
    const stage = await startStage(contestants);
    const times = collect();
    const counts = collect();
    try {
      await inTurns(
        contestants,
        { step, failed, name: "concurrent calls", rounds: quick ? 1 : 5 },
        async (contestant) => {
          const one = await once(stage, contestant);
          counts.add(contestant, one);
          if (one.missed === 0 && one.valid) times.add(contestant, one.ms);
        },
      );
    } finally {
      await stage.close();
    }
    const rows = counts.rows(contestants, (contestant) => ({
      requests: range(counts.of(contestant).map(({ requests }) => requests)),
      "calls without a token": range(
        counts.of(contestant).map(({ missed }) => missed),
      ),
      valid: counts.of(contestant).every(({ valid }) => valid) ? "yes" : "no",
    }));
    return {
      groups: [
        {
          name: "",
          rows: rows.map((row) => ({ ...row, numbers: times.of(row) })),
        },
      ],
    };
  },
};

async function once(stage, contestant) {
  const site = stage.site(contestant);
  site.settings = stage.settings(contestant, contestant.storages[0]);
  site.ahead = stage.aheadBy();
  const context = await stage.browser.newContext();
  try {
    const page = await open(context, site);
    await signIn(page, site);
    // What is done when the page is idle is done.
    await page.waitForTimeout(500);
    stage.control.resetCounters();
    site.ahead = pass(lifetime + 60);
    const { ms, failed, valid } = await page.evaluate(
      ([count, ahead]) => window.bench.calls(count, ahead),
      [calls, site.ahead],
    );
    const requests = stage.control.count("token", "refresh_token");
    return { ms, requests, missed: failed, valid };
  } finally {
    await context.close();
  }
}
