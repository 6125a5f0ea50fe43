import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { findEngine, missing } from "./browsers.mjs";
import { checkSize } from "./bytes.mjs";
import { inCheckout } from "./checkout.mjs";
import { run } from "./command.mjs";
import { buildSteps, packStep, tarball } from "./package.mjs";
import { packagingPart } from "./packaging/part.mjs";
import {
  geckodriver,
  nodeModules,
  olderFrameworks,
  rustToolchain,
  wasmBindgenCli,
  wasmPack,
} from "./setup.mjs";
import {
  cargoTally,
  fail,
  nodeTally,
  none,
  notRun,
  pass,
  playwrightNames,
  playwrightTally,
  plus,
} from "./tally.mjs";

// The parts of `npm test`. A part is { group, name, engine, browser?, needs: [step], after?: group, whole?, run(say) -> tally }.
// One that others come `after` is `whole` (lanes.mjs).

const wasm32 = ["--target", "wasm32-unknown-unknown"];
const toolchain = [rustToolchain, nodeModules];

/** In minutes: a command that takes longer hangs, and the other parts are to have their turn. */
const limit = 25;

/** Every part, in the order in which they run. */
export const parts = [
  checks("format", "format", "", [
    ["cargo fmt", "cargo", ["fmt", "--check"]],
    ...[
      "heap",
      "scripts/bindgen",
      "scripts/secondary",
      "scripts/streams",
      "fuzz",
    ].map((folder) => [
      `cargo fmt, ${folder}`,
      "cargo",
      ["fmt", "--check", "--manifest-path", `${folder}/Cargo.toml`],
    ]),
    ["prettier", "prettier", ["--check", "--log-level", "warn", "."]],
  ]),
  checks("lint", "clippy, rustdoc", "native", [
    clippy(["--all-targets"]),
    clippy(["--all-targets", "--no-default-features"]),
    clippy(["--all-targets", "--features", "testing"]),
    // Its targets are compiled on demand only, so a dependency of the SDK's that it does not know of would go unnoticed.
    [
      "fuzz/Cargo.lock",
      "cargo",
      ["fetch", "--locked", "--manifest-path", "fuzz/Cargo.toml"],
    ],
    doc([]),
  ]),
  checks("lint", "clippy, rustdoc", "wasm32", [
    clippy([...wasm32, ...wasmTargets()]),
    clippy([...wasm32, "--lib", "--no-default-features"]),
    doc(wasm32),
  ]),
  {
    group: "unit",
    name: "unit and flow tests",
    engine: "native",
    needs: toolchain,
    run: (say) =>
      cargoTest("cargo", ["test", "--features", "testing", "--no-fail-fast"], {
        say,
      }),
  },
  nodePart({
    group: "unit",
    name: "scripts",
    engine: "node",
    folder: "tests/scripts",
  }),
  nodePart({
    group: "relay",
    name: "the relay",
    engine: "node",
    folder: "tests/relay",
  }),
  nodePart({
    group: "providers",
    name: "the four emulated systems",
    engine: "node",
    folder: "tests/providers",
  }),
  ...["chromium", "firefox", "webkit"].map(wasmPart),
  {
    group: "build",
    name: "build and pack",
    engine: "",
    whole: true,
    needs: toolchain,
    run: async (say) => {
      for (const step of [...buildSteps(), packStep]) {
        if (step.needed && !(await step.needed())) continue;
        say(step.name);
        await step.run(say);
      }
      return pass();
    },
  },
  {
    ...checks("types", "types and exports", "", [
      ["tsc, the package", "tsc", ["-p", "pkg-template", "--noEmit"]],
      ["tsc, the demo", "tsc", ["-p", "www-demo"]],
      ["tsc, tests/types", "tsc", ["-p", "tests/types", "--noEmit"]],
      ["tsc, routers", "tsc", ["-p", "tests/types/routers", "--noEmit"]],
      ["every entry, libraries checked", "node", ["scripts/types.mjs"]],
      ["snippets of the documents", "node", ["scripts/snippets.mjs"]],
      ["npm run api", "node", ["scripts/api.mjs"]],
      ["publint", "publint", async () => ["run", await tarball(), "--strict"]],
      [
        "are-the-types-wrong",
        "attw",
        async () => [
          await tarball(),
          ...["--profile", "esm-only", "--exclude-entrypoints", "core.wasm"],
        ],
      ],
    ]),
    after: "build",
  },
  {
    group: "size",
    name: "byte budget",
    engine: "",
    needs: [nodeModules],
    after: "build",
    run: async () => {
      console.log(`\n${await checkSize()}\n`);
      return pass();
    },
  },
  {
    ...nodePart({
      group: "frameworks",
      name: "adapters on a server",
      engine: "node",
      folder: "tests/frameworks",
      after: "build",
    }),
    needs: [nodeModules, olderFrameworks],
  },
  nodePart({
    group: "webkit",
    name: "end to end",
    engine: "webkit",
    folder: "tests/webkit",
    after: "build",
    display: true,
  }),
  nodePart({
    group: "package",
    name: "the packed tarball",
    engine: "chromium",
    folder: "tests/package",
    after: "build",
  }),
  packagingPart,
  raceAndSoak(),
  ...["chromium", "firefox"].map(e2ePart),
];

/** Runs commands that pass or fail as a whole; each counts as one test. */
function checks(group, name, engine, list) {
  return {
    group,
    name,
    engine,
    needs: toolchain,
    run: async (say) => {
      let tally = none();
      for (const [title, command, args, env] of list) {
        say(title);
        try {
          const words = typeof args === "function" ? await args() : args;
          await run(command, words, { onLine: say, env, limit });
          tally = plus(tally, pass());
        } catch (error) {
          console.log(`\n${title}: ${error.message}\n`);
          const last = error.message.trim().split("\n").at(-1);
          tally = plus(tally, fail(`${title}: ${last}`));
        }
      }
      return tally;
    },
  };
}

function clippy(args) {
  const words = ["clippy", ...args, "--", "-D", "warnings"];
  return [`clippy ${args.join(" ")}`, "cargo", words];
}

function doc(args) {
  const words = ["doc", "--no-deps", "--document-private-items", ...args];
  return ["rustdoc", "cargo", words, { RUSTDOCFLAGS: "-Dwarnings" }];
}

/** One race and two minutes of soak, by countersign alone: each passes or fails as a whole. */
function raceAndSoak() {
  const env = { COUNTERSIGN_PKG: inCheckout("pkg") };
  const words = (name, ...more) => [
    `scripts/${name}.mjs`,
    "countersign",
    ...more,
  ];
  const list = [
    [
      "npm run race -- countersign --quick",
      "node",
      words("race", "--quick"),
      env,
    ],
    [
      "npm run soak -- countersign --minutes 2",
      "node",
      words("soak", "--minutes", "2"),
      env,
    ],
  ];
  const part = checks("tabs", "race and soak", "chromium", list);
  return {
    ...part,
    browser: true,
    // A page that does not answer in a minute hangs, so nothing else may keep the machine busy.
    whole: true,
    needs: [nodeModules],
    after: "build",
    run: async (say) => {
      const lack = missing("chromium");
      const names = list.map(([name]) => name);
      return lack ? notRun(names, lack) : part.run(say);
    },
  };
}

/** What is compiled for a browser run: the unit tests at the foot of each file, and tests/browser. */
function wasmTargets() {
  const own = existsSync(inCheckout("tests/browser/main.rs"));
  return ["--lib", ...(own ? ["--test", "browser"] : [])];
}

function wasmPart(engine) {
  const flags = {
    chromium: () => ["--chrome", "--chromedriver", findEngine(engine).driver],
    firefox: () => ["--firefox", "--geckodriver", findEngine(engine).driver],
    webkit: () => ["--safari", "--safaridriver", findEngine(engine).driver],
  };
  return {
    group: "wasm",
    name: "wasm tests",
    engine,
    browser: true,
    needs: [
      ...toolchain,
      wasmBindgenCli,
      wasmPack,
      ...(engine === "firefox" ? [geckodriver] : []),
    ],
    async run(say) {
      const lack = missing(engine);
      if (lack) return notRun(await wasmNames(), lack);
      const targets = ["--", ...wasmTargets()];
      const words = ["test", "--headless", "--mode", "no-install"];
      const command = ["wasm-pack", ...words, ...flags[engine](), ...targets];
      const [first, ...rest] =
        engine === "webkit" ? [...onDisplay, ...command] : command;
      return cargoTest(first, rest, {
        say,
        // The runner takes the first driver that it knows of: it is to know one.
        env: {
          GECKODRIVER: undefined,
          SAFARIDRIVER: undefined,
          CHROMEDRIVER: undefined,
          WASM_BINDGEN_TEST_DRIVER_TIMEOUT: "30",
          WASM_BINDGEN_TEST_TIMEOUT: "300",
        },
      });
    },
  };
}

/** WebKitGTK needs a display. */
const onDisplay = ["xvfb-run", "-a"];

/** The tests of tests/browser by their source, for a machine that cannot run them. */
async function wasmNames() {
  const folder = inCheckout("tests/browser");
  const files = await readdir(folder).catch(() => []);
  const texts = await Promise.all(
    files.map((file) => readFile(join(folder, file), "utf8")),
  );
  const found = texts.flatMap((text) =>
    [...text.matchAll(/#\[wasm_bindgen_test\]\s*(?:async )?fn (\w+)/g)].map(
      ([, name]) => name,
    ),
  );
  return [...found, "the unit tests of src, in wasm"];
}

async function cargoTest(command, args, { say, env }) {
  const { status, output } = await run(command, args, {
    onLine: say,
    env,
    check: false,
    limit,
  });
  // How much of the fuzz corpus ran, target by target.
  const replayed = output.match(/replayed \d+ inputs: \w+/g) ?? [];
  if (replayed.length > 0) console.log(`\n${replayed.join("\n")}\n`);
  return settled(cargoTally(output), status, output);
}

/** A runner that failed without a failed test did not get as far as its tests. */
function settled(tally, status, output) {
  if (status === 0 && tally.failed === 0) return tally;
  console.log(`\n${output.trimEnd().split("\n").slice(-80).join("\n")}\n`);
  return tally.failed > 0 ? tally : plus(tally, fail("the runner itself"));
}

/** Specs with many tabs, or one that never waits: as many at once as there are cores. All others wait for servers and timers: half as many more. */
const manyTabs = "(tabs-[a-z-]+|share|demo|lies)\\.spec";

const cores = availableParallelism();

function e2ePart(engine) {
  return {
    group: "e2e",
    name: "end to end",
    engine,
    browser: true,
    needs: [nodeModules, olderFrameworks],
    after: "build",
    whole: true,
    async run(say) {
      const project = ["test", `--project=${engine}`];
      const lack = missing(engine);
      if (lack) {
        const { report } = await playwright(engine, [...project, "--list"]);
        return notRun(playwrightNames(report), lack);
      }
      let tally = none();
      for (const [name, workers, some] of [
        [engine, Math.ceil(1.5 * cores), `--grep-invert=${manyTabs}`],
        [`${engine}-tabs`, cores, `--grep=${manyTabs}`],
      ]) {
        const words = [...project, some, `--workers=${workers}`];
        const { report, status, output } = await playwright(name, words, say);
        tally = plus(tally, settled(playwrightTally(report), status, output));
      }
      return tally;
    },
  };
}

async function playwright(name, args, say) {
  const file = inCheckout(`target/e2e/${name}.json`);
  await mkdir(inCheckout("target/e2e"), { recursive: true });
  await rm(file, { force: true });
  // Each has a folder of its own, which it clears when it begins.
  const output = `--output=test-results/${name}`;
  const words = [...args, output, "--reporter=list,json"];
  const result = await run("playwright", words, {
    onLine: say,
    check: false,
    limit,
    env: { PLAYWRIGHT_JSON_OUTPUT_FILE: file },
  });
  const report = existsSync(file)
    ? JSON.parse(await readFile(file, "utf8"))
    : {};
  return { ...result, report };
}

function nodePart({ group, name, engine, folder, after, display = false }) {
  const browser = engine !== "node";
  return {
    group,
    name,
    engine,
    browser,
    needs: [nodeModules],
    after,
    async run(say) {
      const files = await testFiles(folder);
      if (files.length === 0) return none();
      const lack = browser && missing(engine);
      if (lack) return notRun(await testNames(files), lack);
      const words = ["node", "--test", "--test-reporter=tap", ...files];
      const [first, ...rest] = display ? [...onDisplay, ...words] : words;
      const { status, output } = await run(first, rest, {
        // TAP has many lines for a test, and one that says which.
        onLine: (line) => /^\s*(not )?ok \d/.test(line) && say(line),
        check: false,
        limit,
      });
      return settled(nodeTally(output), status, output);
    },
  };
}

async function testFiles(folder) {
  const names = await readdir(inCheckout(folder)).catch(() => []);
  return names
    .filter((name) => name.endsWith(".test.mjs"))
    .map((name) => `${folder}/${name}`);
}

async function testNames(files) {
  const texts = await Promise.all(
    files.map((file) => readFile(inCheckout(file), "utf8")),
  );
  return texts.flatMap((text) =>
    [...text.matchAll(/^\s*(?:test|it)\(\s*(["'`])(.+?)\1/gm)].map(
      ([, , name]) => name,
    ),
  );
}
