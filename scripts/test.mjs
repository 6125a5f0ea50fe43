import { availableParallelism } from "node:os";
import { browsers } from "./browsers.mjs";
import { inLanes } from "./lanes.mjs";
import { main } from "./main.mjs";
import { parts } from "./parts.mjs";
import { runStep, runSteps } from "./progress.mjs";
import { aligned } from "./table.mjs";
import { fail, notRun, plus } from "./tally.mjs";

/** Most parts wait, or have one thread, for the most of their time. */
const lanes = Math.min(availableParallelism(), 3);

await main(async () => {
  const chosen = choose(process.argv.slice(2));
  const broken = await setUp(chosen);
  const results = [];
  await inLanes(chosen, lanes, async (part, index) => {
    const place = `[${index + 1}/${chosen.length}]`;
    results.push(await runPart(part, broken, results, place));
  });
  const order = ({ part }) => chosen.indexOf(part);
  report(results.sort((a, b) => order(a) - order(b)));
});

/** The parts asked for by their group, with the build where one of them needs it; all of them when none is named. */
function choose(groups) {
  const known = [...new Set(parts.map(({ group }) => group))];
  const unknown = groups.filter((group) => !known.includes(group));
  if (unknown.length > 0)
    throw new Error(
      `There is no part ${unknown.join(", ")}. The parts: ${known.join(", ")}`,
    );
  if (groups.length === 0) return parts;
  const wanted = new Set(groups);
  for (const { group, after } of parts)
    if (wanted.has(group) && after) wanted.add(after);
  return parts.filter(({ group }) => wanted.has(group));
}

/** Runs what the parts need, once each, and gives the steps that failed with their errors. */
async function setUp(chosen) {
  const steps = new Set(chosen.flatMap(({ needs }) => needs));
  const engines = new Set(
    chosen.filter(({ browser }) => browser).map(({ engine }) => engine),
  );
  if (engines.size > 0) steps.add(browsers([...engines]));
  const broken = new Map();
  console.log("Set-up");
  await runSteps(
    [...steps].map((step) => ({
      ...step,
      run: (say) =>
        step.run(say).catch((error) => {
          console.log(`\n${error.message}\n`);
          broken.set(step.name, `the set-up step "${step.name}" failed`);
        }),
    })),
  );
  return broken;
}

async function runPart(part, broken, results, place) {
  const start = performance.now();
  const reason = obstacle(part, broken, results);
  if (reason) console.log(`${place} ${title(part)}: not run, ${reason}`);
  const run = (say) =>
    part.run(say).catch((error) => {
      console.log(`\n${error.message}\n`);
      return fail(title(part));
    });
  const tally = reason
    ? notRun([title(part)], reason)
    : await runStep({ name: title(part), run, summary }, place);
  return { part, tally, seconds: (performance.now() - start) / 1000 };
}

function title({ name, engine }) {
  return engine ? `${name}, ${engine}` : name;
}

function summary({ passed, failed }) {
  return `${passed} passed, ${failed} failed`;
}

/** Why a part cannot run. */
function obstacle({ needs, after }, broken, results) {
  const step = needs.find(({ name }) => broken.has(name));
  if (step) return broken.get(step.name);
  const before = results.find(({ part }) => part.group === after);
  return before?.tally.passed === 0 ? `the part "${after}" failed` : undefined;
}

function report(results) {
  const total = results.map(({ tally }) => tally).reduce(plus);
  const rows = results.map(({ part, tally, seconds }) => [
    part.name,
    part.engine,
    tally.passed,
    tally.failed,
    tally.notRun.length,
    seconds.toFixed(1),
  ]);
  const head = ["part", "engine", "passed", "failed", "not run", "seconds"];
  console.log(`\n${aligned([head, ...rows], 2)}\n`);
  for (const { part, tally } of results)
    for (const { name, reason } of tally.notRun)
      console.log(`not run (${title(part)}): ${name}: ${reason}`);
  for (const { part, tally } of results)
    for (const name of tally.failures)
      console.log(`failed (${title(part)}): ${name}`);
  const empty = results.filter(
    ({ tally }) => tally.passed + tally.failed === 0,
  );
  for (const { part } of empty) console.log(`no test ran: ${title(part)}`);
  console.log(`\n${total.passed} passed, ${total.failed} failed`);
  if (total.failed > 0 || empty.length > 0) process.exitCode = 1;
}
