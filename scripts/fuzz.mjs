import { copyFile, mkdir, readdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { inCheckout } from "./checkout.mjs";
import { probe, run } from "./command.mjs";
import { main } from "./main.mjs";
import { runStep, runSteps } from "./progress.mjs";
import { cargoFuzz, rustToolchain } from "./setup.mjs";
import { aligned } from "./table.mjs";
import { fuzzerTally } from "./tally.mjs";

// npm run fuzz [-- TARGET …] [-- --seconds N]

const folder = "target/fuzz";

/**
 * Compiled by the stable toolchain: coverage needs no unstable switch, and a sanitizer would look for what a crate
 * without `unsafe` cannot do. Overflow is checked (fuzz/Cargo.toml).
 */
const build = {
  name: "compiling the fuzz targets",
  hint: "about a minute the first time",
  async run(say) {
    const manifest = ["--manifest-path", "fuzz/Cargo.toml"];
    await run("cargo", ["fetch", "--locked", ...manifest], { onLine: say });
    const options = ["--sanitizer", "none", "--target-dir", folder];
    await run("cargo", ["fuzz", "build", ...options], { onLine: say });
  },
};

await main(async () => {
  const { targets, seconds } = await choose(process.argv.slice(2));
  await runSteps([rustToolchain, cargoFuzz, build]);
  const programs = await programFolder();
  const results = [];
  for (const [index, target] of targets.entries()) {
    const step = {
      name: target,
      hint: `${seconds} s`,
      run: (say) => fuzz(join(programs, target), target, seconds, say),
      summary,
    };
    results.push(await runStep(step, `[${index + 1}/${targets.length}]`));
  }
  report(results);
});

/** The targets asked for, all of them when none is named, and for how long each. */
async function choose(words) {
  const { values, positionals } = parseArgs({
    args: words.filter((word) => word !== "--"),
    options: { seconds: { type: "string", default: "60" } },
    allowPositionals: true,
  });
  const seconds = Number(values.seconds);
  if (!Number.isInteger(seconds) || seconds < 1)
    throw new Error(`--seconds ${values.seconds}: not a number of seconds`);
  const known = (await readdir(inCheckout("fuzz/fuzz_targets")))
    .map((file) => basename(file, ".rs"))
    .sort();
  const unknown = positionals.filter((target) => !known.includes(target));
  if (unknown.length > 0)
    throw new Error(
      `There is no target ${unknown.join(", ")}. The targets: ${known.join(", ")}`,
    );
  return { targets: positionals.length > 0 ? positionals : known, seconds };
}

async function programFolder() {
  const host = await probe("rustc", ["--print", "host-tuple"]);
  return inCheckout(folder, host, "release");
}

/** Runs one target; it ends before its time when it finds something. */
async function fuzz(program, target, seconds, say) {
  // What it learns stays in `target`, where the next run begins; the committed corpus is only read.
  const learnt = inCheckout(folder, "corpus", target);
  const findings = inCheckout(folder, "findings", target);
  const corpus = inCheckout("fuzz/corpus", target);
  await rm(findings, { recursive: true, force: true });
  for (const path of [learnt, findings, corpus])
    await mkdir(path, { recursive: true });
  const options = [
    `-max_total_time=${seconds}`,
    "-max_len=16384",
    "-timeout=10",
    "-rss_limit_mb=1024",
    "-print_final_stats=1",
    `-dict=${inCheckout("fuzz/dictionary.txt")}`,
    `-artifact_prefix=${findings}/`,
  ];
  const { status, output } = await run(program, [...options, learnt, corpus], {
    onLine: say,
    check: false,
    nice: true,
  });
  const found = await keep(findings, corpus);
  if (status !== 0)
    console.log(`\n${output.trimEnd().split("\n").slice(-40).join("\n")}\n`);
  return { target, ...fuzzerTally(output), found, failed: status !== 0 };
}

/** Copies what was found to the committed corpus, which `cargo test` replays. */
async function keep(findings, corpus) {
  const names = await readdir(findings);
  const kept = names.map((name) => `found-${name}`.slice(0, 24));
  for (const [index, name] of names.entries())
    await copyFile(join(findings, name), join(corpus, kept[index]));
  return kept;
}

function summary({ executions, found }) {
  return `${executions} executions, ${found.length} findings`;
}

function report(results) {
  const head = ["target", "executions", "edges", "inputs", "findings"];
  const rows = results.map(
    ({ target, executions, edges, inputs, found, failed }) => [
      target,
      executions,
      edges,
      inputs,
      found.length || (failed ? "did not run" : 0),
    ],
  );
  console.log(`\n${aligned([head, ...rows])}\n`);
  for (const { target, found } of results)
    for (const name of found)
      console.log(`found: fuzz/corpus/${target}/${name}`);
  if (results.some(({ failed }) => failed)) process.exitCode = 1;
}
