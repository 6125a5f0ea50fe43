import { nodeModules } from "../setup.mjs";
import { fail, none, notRun, pass, plus } from "../tally.mjs";
import { projects } from "./projects.mjs";

/** The rows that run every time, as a part of `npm test`; each counts as one test. */
export const packagingPart = {
  group: "packaging",
  name: "packaging matrix",
  engine: "chromium",
  browser: true,
  needs: [nodeModules],
  after: "build",
  async run(say) {
    // What it imports is there after the set-up only.
    const { matrixText, nameOf, runMatrix } = await import("./matrix.mjs");
    const chosen = projects
      .map((project) => ({
        ...project,
        modes: project.modes.filter(({ ci }) => ci),
      }))
      .filter(({ modes }) => modes.length > 0);
    const rows = await runMatrix(chosen, (name, run) => {
      say(name);
      return run(say);
    });
    console.log(`\n${matrixText(rows)}\n`);
    const tallies = rows.map((row) => {
      if (row.notRun) return notRun([nameOf(row)], row.why);
      return row.why ? fail(nameOf(row)) : pass();
    });
    return tallies.reduce(plus, none());
  },
};
