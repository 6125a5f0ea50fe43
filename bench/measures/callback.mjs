import { spoiled } from "../support/answers.mjs";
import { watchRequests } from "../support/rounds.mjs";
import { startStage } from "../support/stage.mjs";
import { open, throughProvider } from "../support/tabs.mjs";
import { collect, inTurns } from "../support/turns.mjs";

/** Milliseconds that every answer takes. */
const delay = 50;
const endpoints = ["discovery", "jwks", "userinfo", "preflight"];

/** From the client's creation on the page that the provider sent the browser to, until there is a session. */
export const callback = {
  name: "callback",
  title: `Callback, ${delay} ms per request`,
  unit: "ms",
  digits: 0,
  better: "less",
  async run(contestants, { quick, step, failed }) {
    const stage = await startStage(contestants, {
      inline: [],
      delays: Object.fromEntries(endpoints.map((name) => [name, delay])),
    });
    const times = collect();
    const counted = new Map();
    const turns = { step, failed };
    try {
      await inTurns(
        contestants,
        { ...turns, name: "callback, counting", rounds: 1 },
        async (contestant) => {
          const counts = await once(stage, contestant, { watch: true });
          hold(counts, contestant);
          const spoiled = await withSpoiled(stage, contestant);
          counted.set(contestant.name, {
            requests: counts.requests,
            "round trips": counts.roundTrips,
            "own files": counts.files,
            "signature checked": spoiled.signedIn
              ? "no"
              : `yes: ${spoiled.reason}`,
          });
        },
      );
      await inTurns(
        contestants,
        { ...turns, name: "callback", rounds: quick ? 2 : 9 },
        async (contestant) => {
          const timing = await once(stage, contestant, {});
          hold(timing, contestant);
          times.add(contestant, timing.known - timing.begun);
        },
      );
    } finally {
      await stage.close();
    }
    const more = ({ name }) => counted.get(name);
    return { groups: [{ name: "", rows: times.rows(contestants, more) }] };
  },
};

function hold({ signedIn, reason }, { name }) {
  if (!signedIn) throw new Error(`${name} is not signed in: ${reason}`);
}

/** A sign-in whose ID Token has a signature that does not fit. */
async function withSpoiled(stage, contestant) {
  stage.editAnswers(spoiled);
  try {
    return await once(stage, contestant, {});
  } finally {
    stage.editAnswers();
  }
}

/** A sign-in in a new browser context, and what its callback page says. */
async function once(stage, contestant, { watch }) {
  const site = stage.site(contestant);
  site.settings = stage.settings(contestant, contestant.storages[0]);
  const context = await stage.browser.newContext();
  try {
    const page = await open(context, site);
    const watched = watch && (await watchRequests(page, site.settings.issuer));
    await throughProvider(page, site);
    await page.waitForFunction(
      (origin) => location.origin === origin && "bench" in window,
      site.url,
    );
    const timing = await page.evaluate(() => window.bench.timing());
    return { ...timing, ...(await watched?.stop()) };
  } finally {
    await context.close();
  }
}
