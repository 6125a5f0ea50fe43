import { padded } from "../support/answers.mjs";
import { startStage } from "../support/stage.mjs";
import { open, signIn } from "../support/tabs.mjs";
import { inTurns } from "../support/turns.mjs";

const apis = Array.from(
  { length: 100 },
  (_, at) => `https://api-${at}.example/`,
);

/** What grows, and what is measured of it. A line belongs to the plot of its number. */
const growths = [
  {
    across: "APIs",
    sizes: [1, 10, 100],
    plots: [
      { name: "cached read, the APIs in turn", unit: "ns", lines: ["read"] },
      { name: "refresh of one API's token", unit: "ms", lines: ["refresh"] },
      { name: "refresh of all, asked for at once", unit: "ms", lines: ["all"] },
    ],
    prepare({ control }) {
      for (const api of apis) control.setResource(api, "read");
    },
    settings: ({ scope, ...more }, count) => ({
      ...more,
      scope: `${scope} read`,
      apis: apis.slice(0, count),
    }),
    async measure(page, { apis }) {
      // Until then only the first API has a token.
      const all = await renewals(page, apis, 1);
      const read = await reads(page, { apis });
      return { read, all, refresh: await renewals(page, apis.slice(0, 1), 5) };
    },
  },
  {
    across: "kB of each token",
    sizes: [1, 4, 16],
    plots: [
      { name: "cached read", unit: "ns", lines: ["read"] },
      { name: "with the provider", unit: "ms", lines: ["callback", "refresh"] },
      { name: "start with a stored session", unit: "ms", lines: ["start"] },
    ],
    prepare({ editAnswers, control }, size) {
      editAnswers(padded(size * 1024, control.sign));
    },
    settings: (settings) => settings,
    async measure(page, { url }) {
      const callback = [await duration(page)];
      const read = await reads(page, {});
      const refresh = await renewals(page, undefined, 5);
      const start = [];
      for (let i = 0; i < 5; i += 1) {
        await page.goto(url);
        start.push(await duration(page));
      }
      return { callback, read, refresh, start };
    },
  },
];

/** What countersign's costs grow with. */
export const growth = {
  name: "growth",
  title: "What countersign's costs grow with",
  digits: 2,
  better: "less",
  async run(contestants, how) {
    const [own] = contestants.filter(({ name }) => name === "countersign");
    const groups = [];
    if (own)
      for (const one of growths) groups.push(...(await curves(own, one, how)));
    return { groups };
  },
};

async function curves(own, { across, sizes, plots, ...one }, how) {
  const { quick, step, failed } = how;
  // Its own delay would hide the rest.
  const stage = await startStage([own], { inline: [], delays: { token: 0 } });
  const site = stage.site(own);
  const found = new Map();
  const numbers = (line, size) => found.get(`${line} ${size}`) ?? [];
  try {
    for (const size of sizes) {
      await one.prepare(stage, size);
      const settings = stage.settings(own, own.storages[0]);
      site.settings = one.settings(settings, size);
      const name = `${size} ${across}`;
      const turns = { step, failed, name, rounds: quick ? 1 : 5 };
      await inTurns([own], turns, async () => {
        const context = await stage.browser.newContext();
        try {
          const page = await open(context, site);
          const { signedIn } = await signIn(page, site);
          if (!signedIn) throw new Error(`not signed in, ${name}`);
          const { apis } = site.settings;
          const all = await one.measure(page, { apis, url: `${site.url}/` });
          for (const [line, more] of Object.entries(all))
            found.set(`${line} ${size}`, [...numbers(line, size), ...more]);
        } finally {
          await context.close();
        }
      });
    }
  } finally {
    await stage.close();
  }
  return plots.map(({ name, unit, lines }) => ({
    name: `${name}, by ${across}`,
    unit,
    across,
    lines: lines.map((line) => ({
      name: line,
      points: sizes.map((size) => ({ at: size, numbers: numbers(line, size) })),
    })),
  }));
}

/** Nanoseconds; the first time is for the compiler of the engine. */
async function reads(page, how) {
  const numbers = [];
  for (let i = 0; i < 4; i += 1) {
    const speed = await page.evaluate((how) => window.bench.hotpath(how), {
      ms: 100,
      ...how,
    });
    numbers.push(1e9 / speed);
  }
  return numbers.slice(1);
}

async function renewals(page, apis, times) {
  const numbers = [];
  for (let i = 0; i < times; i += 1)
    numbers.push(await page.evaluate((apis) => window.bench.renew(apis), apis));
  return numbers;
}

/** From the client's creation until it knows its state. */
async function duration(page) {
  const { begun, known, signedIn, reason } = await page.evaluate(() =>
    window.bench.timing(),
  );
  if (!signedIn) throw new Error(reason ?? "nobody is signed in");
  return known - begun;
}
