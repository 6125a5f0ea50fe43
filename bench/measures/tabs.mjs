import { races, runRaces } from "../race.mjs";

const counts = [1, 10, 50, 100];
const kinds = [
  { name: "clones", family: true },
  { name: "unrelated", family: undefined },
];
const plots = [
  {
    name: "until the last tab has its token",
    unit: "ms",
    of: ({ ms }) => ms,
  },
  {
    name: "requests to the token endpoint",
    unit: "requests",
    of: ({ requests }) => requests,
  },
];

/** What a refresh costs the more tabs there are, all asking at once. */
export const tabs = {
  name: "tabs",
  title: "An expired token in more and more tabs",
  digits: 0,
  better: "less",
  async run(contestants, { quick, step, failed }) {
    const own = contestants.filter(({ name }) => name === "countersign");
    if (own.length === 0) return { groups: [] };
    const list = races({ tabs: quick ? counts.slice(0, 2) : counts });
    const how = { repeats: quick ? 1 : 3, step, failed };
    const results = await runRaces(list, own, how);
    for (const { race, runs } of results)
      for (const { valid, of } of runs)
        if (valid < of)
          throw new Error(`${race.name}: ${valid} of ${of} tabs are valid`);
    const points = (kind, of) =>
      results
        .filter(({ race }) => race.family === kind.family)
        .map(({ race, runs }) => ({ at: race.tabs, numbers: runs.map(of) }));
    return {
      groups: plots.map(({ name, unit, of }) => ({
        name,
        unit,
        across: "tabs",
        lines: kinds.map((kind) => ({
          name: kind.name,
          points: points(kind, of),
        })),
      })),
    };
  },
};
