import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { cpus, platform, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { choose, contestants } from "../bench/contestants/index.mjs";
import { measures } from "../bench/measures/index.mjs";
import { page } from "../bench/support/plot.mjs";
import { tables } from "../bench/support/report.mjs";
import { summary } from "../bench/support/summary.mjs";
import { findEngine, missing } from "./browsers.mjs";
import { inCheckout } from "./checkout.mjs";
import { probe } from "./command.mjs";
import { main } from "./main.mjs";
import { buildSteps } from "./package.mjs";
import { runStep, runSteps } from "./progress.mjs";
import { nodeModules, rustToolchain } from "./setup.mjs";

// npm run bench [-- MEASURE …] [-- CONTESTANT …] [-- --quick]

const folder = inCheckout("bench/results");
const fileOf = ({ name }) => join(folder, `${name}.json`);

await main(async () => {
  const { values, positionals } = parseArgs({
    args: process.argv.slice(2).filter((word) => word !== "--"),
    options: { quick: { type: "boolean", default: false } },
    allowPositionals: true,
  });
  const isMeasure = (word) => measures.some(({ name }) => name === word);
  const named = positionals.filter(isMeasure);
  const names = positionals.filter((word) => !isMeasure(word));
  const chosen = measures.filter(
    ({ name }) => named.length === 0 || named.includes(name),
  );
  choose(names);
  const lack = missing("chromium");
  if (lack) throw new Error(lack);
  if (!process.env.COUNTERSIGN_PKG)
    await runSteps([rustToolchain, nodeModules, ...buildSteps()]);
  await mkdir(folder, { recursive: true });
  // Before a measure sets the clock ahead.
  const date = new Date().toISOString().slice(0, 10);
  const about = { ...values, date, machine: await machine() };
  const failed = [];
  for (const [at, measure] of chosen.entries()) {
    console.log(`\n${measure.name}, ${at + 1} of ${chosen.length}`);
    const result = await run(measure, names, about).catch((error) => {
      // The others go on.
      failed.push(`${measure.name}: ${error.message}`);
      console.log(`\n${measure.name} failed: ${error.stack}`);
    });
    if (!result) continue;
    await writeFile(fileOf(measure), `${JSON.stringify(result, null, 2)}\n`);
    await writeFile(join(folder, "index.html"), page(await all()));
    console.log(`\n${tables(result)}`);
    for (const { name, failed: reason } of result.missing)
      if (reason) failed.push(`${name} in ${measure.name}`);
  }
  const results = await all();
  if (results.length > 1)
    console.log(
      `\nAll medians that are there; bold is ahead of countersign\n\n${summary(results)}`,
    );
  console.log(
    `\n${about.machine}${values.quick ? "\nOne short round: no figures to quote." : ""}\nPlots: bench/results/index.html\n`,
  );
  if (failed.length > 0) throw new Error(`Failed: ${failed.join("; ")}`);
});

async function run({ name, title, unit, digits, better, run }, names, about) {
  const able = contestants.filter(
    (one) => names.length === 0 || names.includes(one.name),
  );
  const failures = new Map();
  const { groups } = await run(
    able.filter(({ lacks }) => !lacks[name]),
    { quick: about.quick, step: runStep, failed: failures },
  );
  const lacking = able
    .filter(({ lacks }) => lacks[name])
    .map((one) => ({ name: one.name, reason: one.lacks[name] }));
  const broken = [...failures].map(([name, reason]) => ({
    name,
    reason: `failed: ${reason}`,
    failed: true,
  }));
  if (failures.has("blank"))
    throw new Error(`the page without an SDK: ${failures.get("blank")}`);
  // Who failed on the way has a median of fewer rounds than the others: none at all.
  const whole = groups.map((group) =>
    group.rows
      ? { ...group, rows: group.rows.filter((row) => !failures.has(row.name)) }
      : group,
  );
  return {
    measure: name,
    ...{ title, unit, digits, better, ...about },
    missing: [...lacking, ...broken],
    groups: whole,
  };
}

/** The results that are there, in the order of the measures. */
async function all() {
  const there = await readdir(folder);
  const files = measures.filter(({ name }) => there.includes(`${name}.json`));
  return Promise.all(
    files.map(async (one) => JSON.parse(await readFile(fileOf(one), "utf8"))),
  );
}

/** What it was measured on. */
async function machine() {
  const [{ model }, ...others] = cpus();
  const { browser } = findEngine("chromium");
  const said = (await probe(browser, ["--version"])) ?? "";
  const [version] = /(Chromium|Google Chrome) [\d.]+/.exec(said) ?? [
    "Chromium",
  ];
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  return `${others.length + 1} cores of ${model.trim()}, ${gigabytes} GiB, ${platform()}, ${version}, Node.js ${process.versions.node}`;
}
