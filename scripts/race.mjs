import { parseArgs } from "node:util";
import { races, report, runRaces } from "../bench/race.mjs";
import { choose } from "../bench/contestants/index.mjs";
import { main } from "./main.mjs";
import { buildSteps } from "./package.mjs";
import { runStep, runSteps } from "./progress.mjs";
import { nodeModules, rustToolchain } from "./setup.mjs";

// npm run race [-- CONTESTANT …] [-- --repeats N] [-- --tabs 10,50] [-- --calls 1000] [-- --quick]

await main(async () => {
  const { values, positionals } = parseArgs({
    args: process.argv.slice(2).filter((word) => word !== "--"),
    options: {
      repeats: { type: "string" },
      tabs: { type: "string" },
      calls: { type: "string", default: "1000" },
      quick: { type: "boolean", default: false },
    },
    allowPositionals: true,
  });
  const contestants = choose(positionals, "race");
  const repeats = Number(values.repeats ?? (values.quick ? 1 : 3));
  const tabs = (values.tabs ?? (values.quick ? "10" : "10,50")).split(",");
  const list = races({ calls: Number(values.calls), tabs: tabs.map(Number) });
  if (!process.env.COUNTERSIGN_PKG)
    await runSteps([rustToolchain, nodeModules, ...buildSteps()]);
  const failed = new Map();
  const how = { repeats, step: runStep, failed };
  const results = await runRaces(list, contestants, how);
  console.log(`\n${report(results)}\n`);
  const own = results.filter(
    ({ contestant }) => contestant.name === "countersign",
  );
  const wrong = own.filter(({ runs }) =>
    runs.some(
      ({ requests, failures, valid, of }) =>
        requests !== 1 || failures > 0 || valid < of,
    ),
  );
  if (failed.size > 0)
    throw new Error(`Failed: ${[...failed.keys()].join("; ")}`);
  if (wrong.length > 0)
    throw new Error(
      `countersign needs one request, and loses no tab; not so in: ${wrong.map(({ race }) => race.name).join("; ")}`,
    );
});
