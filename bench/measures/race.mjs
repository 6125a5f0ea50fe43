import { races, runRaces } from "../race.mjs";
import { range } from "../support/figures.mjs";

/** Many tabs at once, with an expired token. */
export const race = {
  name: "race",
  title: "Expired token, all tabs at once",
  unit: "ms to the last valid token",
  digits: 0,
  better: "less",
  async run(contestants, { quick, step, failed }) {
    const list = races({ tabs: quick ? [10] : [10, 50] });
    const repeats = quick ? 1 : 3;
    const how = { repeats, step, failed, spare: true };
    const results = await runRaces(list, contestants, how);
    return {
      groups: list.map((one) => ({
        name: one.name,
        missing: contestants
          .filter(({ storages }) => !storages.includes(one.storage))
          .map(({ name }) => ({
            name,
            reason: "it keeps no session in this storage",
          })),
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
