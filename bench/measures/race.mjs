import { races, runRaces } from "../race.mjs";
import { range } from "../support/figures.mjs";

/** Many callers and many tabs at once, with an expired token. */
export const race = {
  name: "race",
  title: "Expired token, everybody at once",
  unit: "ms to the last valid token",
  digits: 0,
  better: "less",
  async run(contestants, { quick, step }) {
    const list = races({ calls: 1000, tabs: [10] });
    const repeats = quick ? 1 : 3;
    const results = await runRaces(list, contestants, { repeats, step });
    return {
      groups: list.map((one) => ({
        name: one.name,
        rows: results
          .filter(({ race }) => race === one)
          .map(({ contestant: { name, version }, runs }) => ({
            name,
            version,
            numbers: runs
              .filter(({ valid, of }) => valid === of)
              .map(({ ms }) => ms),
            more: {
              requests: range(runs.map(({ requests }) => requests)),
              "valid afterwards": `${range(runs.map(({ valid }) => valid))} of ${runs[0].of}`,
            },
          })),
      })),
    };
  },
};
