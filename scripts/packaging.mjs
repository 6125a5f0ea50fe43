import { browsers } from "./browsers.mjs";
import { main } from "./main.mjs";
import { projects } from "./packaging/projects.mjs";
import { buildSteps, packStep } from "./package.mjs";
import { runStep, runSteps } from "./progress.mjs";
import { nodeModules, rustToolchain } from "./setup.mjs";

await main(async () => {
  const chosen = choose(process.argv.slice(2));
  await runSteps([
    rustToolchain,
    nodeModules,
    browsers(["chromium"]),
    ...buildSteps(),
    packStep,
  ]);
  // What it imports is there after the set-up only.
  const { matrixText, runMatrix } = await import("./packaging/matrix.mjs");
  const steps = chosen.reduce((sum, { modes }) => sum + 1 + modes.length, 0);
  let count = 0;
  const rows = await runMatrix(chosen, (name, run) =>
    runStep({ name, run }, `[${(count += 1)}/${steps}]`),
  );
  console.log(`\n${matrixText(rows)}\n`);
  if (rows.some(({ why, notRun }) => why && !notRun)) process.exitCode = 1;
});

/** The projects named, or all of them. */
function choose(names) {
  const known = projects.map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new Error(
      `There is no project ${unknown.join(", ")}. The projects: ${known.join(", ")}`,
    );
  if (names.length === 0) return projects;
  return projects.filter(({ name }) => names.includes(name));
}
