import { parseArgs } from "node:util";
import { choose } from "../bench/contestants/index.mjs";
import { perDue, report, runSoak } from "../bench/soak.mjs";
import { inCheckout } from "./checkout.mjs";
import { main } from "./main.mjs";
import { buildSteps } from "./package.mjs";
import { runStep, runSteps } from "./progress.mjs";
import { nodeModules, rustToolchain } from "./setup.mjs";

// npm run soak [-- CONTESTANT …] [-- --minutes N] [-- --seed S]

await main(async () => {
  const { values, positionals } = parseArgs({
    args: process.argv.slice(2).filter((word) => word !== "--"),
    options: {
      minutes: { type: "string", default: "60" },
      seed: { type: "string", default: String(Date.now() % 1_000_000) },
    },
    allowPositionals: true,
  });
  const contestants = choose(positionals, "soak");
  const { seed } = values;
  const minutes = Number(values.minutes);
  if (!(minutes > 0))
    throw new Error(`--minutes ${values.minutes}: not a number of minutes`);
  if (!process.env.COUNTERSIGN_PKG)
    await runSteps([rustToolchain, nodeModules, ...buildSteps()]);
  const file = inCheckout("target", "soak", `${seed}.jsonl`);
  const result = await runStep({
    name: `soak, seed ${seed}`,
    hint: `${minutes} min`,
    run: (say) => runSoak(contestants, { seed, minutes, file, say }),
    summary: ({ losses }) => `${losses.length} losses`,
  });
  console.log(`\n${report(result, seed)}\n`);
  const own = result.lanes.filter(
    ({ contestant }) => contestant.name === "countersign",
  );
  for (const loss of result.losses)
    if (loss.contestant === "countersign") console.log(JSON.stringify(loss));
  const wrong = own.filter(
    ({ tally }) =>
      tally.avoidable > 0 ||
      tally.stayed > 0 ||
      tally.broken > 0 ||
      perDue(tally) > 1,
  );
  const of = ({ avoidable, stayed, broken, due, requests }) =>
    `${avoidable} avoidable losses, ${stayed} tabs valid after a logout, ${broken} pages that hung, ${requests} requests for ${due} due refreshes`;
  const lanes = wrong.map(({ storage, tally }) => `${storage}: ${of(tally)}`);
  const hung = result.losses.flatMap(({ broken }) => broken ?? []);
  if (wrong.length > 0)
    throw new Error(
      `seed ${seed}, ${[...lanes, ...hung].join("; ")}; see ${file}`,
    );
});
