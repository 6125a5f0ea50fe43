import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { inCheckout } from "./checkout.mjs";
import { probe, run } from "./command.mjs";

// Every step here is idempotent and quick when there is nothing to do.

/** The pinned Rust toolchain with its wasm target. */
export const rustToolchain = {
  name: "Rust toolchain and wasm target",
  hint: "a download, the first time",
  async needed() {
    const rustup = await probe("rustup", ["--version"]);
    if (rustup === undefined)
      throw new Error("rustup is missing: install Rust by https://rustup.rs");
    const [{ components, targets }, installed, active] = await Promise.all([
      wantedToolchain(),
      probe("rustup", ["component", "list", "--installed"]),
      probe("rustc", ["--version"]),
    ]);
    const has = (name) =>
      installed?.split("\n").some((line) => line.startsWith(name));
    return (
      active === undefined ||
      !components.every(has) ||
      !targets.every((target) => has(`rust-std-${target}`))
    );
  },
  async run(say) {
    const { channel, components, targets } = await wantedToolchain();
    const install = ["toolchain", "install", channel, "--no-self-update"];
    await run("rustup", [...install, "--profile", "minimal"], { onLine: say });
    const toolchain = ["--toolchain", channel];
    await run("rustup", ["component", "add", ...toolchain, ...components], {
      onLine: say,
    });
    await run("rustup", ["target", "add", ...toolchain, ...targets], {
      onLine: say,
    });
  },
};

async function wantedToolchain() {
  const file = await readFile(inCheckout("rust-toolchain.toml"), "utf8");
  const text = (key) => file.match(new RegExp(`^${key} = "(.+)"$`, "m"))[1];
  const list = (key) =>
    JSON.parse(file.match(new RegExp(`^${key} = (\\[.+\\])$`, "m"))[1]);
  return {
    channel: text("channel"),
    components: list("components"),
    targets: list("targets"),
  };
}

/** What package-lock.json names, in node_modules. */
export const nodeModules = {
  name: "npm packages",
  hint: "about 30 s",
  async needed() {
    const wanted = await lockedPackages("package-lock.json");
    const present = await lockedPackages("node_modules/.package-lock.json");
    return Object.entries(wanted).some(
      ([path, { version, optional }]) =>
        path !== "" &&
        present[path]?.version !== version &&
        !(optional && present[path] === undefined),
    );
  },
  run: (say) => run("npm", ["ci", "--no-audit", "--no-fund"], { onLine: say }),
};

/** Frameworks that are older than those of the workspace, for the adapters' tests. */
export const olderFrameworks = {
  name: "older frameworks",
  hint: "a download of 5 MB, the first time",
  async needed() {
    const folder = "tests/frameworks/older";
    const wanted = await lockedPackages(`${folder}/package-lock.json`);
    const present = await lockedPackages(
      `${folder}/node_modules/.package-lock.json`,
    );
    return Object.entries(wanted).some(
      ([path, { version }]) =>
        path !== "" && present[path]?.version !== version,
    );
  },
  run: (say) =>
    run("npm", ["ci", "--no-audit", "--no-fund"], {
      cwd: inCheckout("tests/frameworks/older"),
      onLine: say,
    }),
};

async function lockedPackages(path) {
  const file = inCheckout(path);
  if (!existsSync(file)) return {};
  return JSON.parse(await readFile(file, "utf8")).packages;
}

const bindgenCommand = inCheckout("target", "bindgen", "debug", "bindgen");

/** The small program of scripts/bindgen that makes the web module. */
export const bindgen = {
  name: "compiling the wasm-bindgen step",
  hint: "about 30 s the first time",
  async run(say) {
    const [core, tool] = await Promise.all([
      lockedCrate("Cargo.lock", "wasm-bindgen"),
      lockedCrate("scripts/bindgen/Cargo.lock", "wasm-bindgen-cli-support"),
    ]);
    if (core !== tool)
      throw new Error(
        `Cargo.lock has wasm-bindgen ${core}, scripts/bindgen/Cargo.lock ${tool}: they must be equal`,
      );
    const cargo = ["build", "--locked", "--target-dir", "target/bindgen"];
    const manifest = ["--manifest-path", "scripts/bindgen/Cargo.toml"];
    await run("cargo", [...cargo, ...manifest], { onLine: say });
  },
};

/** Makes the web module of a compiled core. */
export const runBindgen = (input, outDir, outName) =>
  run(bindgenCommand, [input, outDir, outName]);

async function lockedCrate(path, name) {
  const lock = await readFile(inCheckout(path), "utf8");
  return lock.match(new RegExp(`name = "${name}"\\nversion = "(.+)"`))?.[1];
}

/** The wasm-bindgen that wasm-pack looks for: the version of the crate, exactly. */
export const wasmBindgenCli = cargoTool({
  crate: "wasm-bindgen-cli",
  version: await lockedCrate("Cargo.lock", "wasm-bindgen"),
  commands: ["wasm-bindgen", "wasm-bindgen-test-runner"],
  time: "2 to 4 min",
});

export const wasmPack = cargoTool({
  crate: "wasm-pack",
  version: "0.15.1",
  commands: ["wasm-pack"],
  time: "2 to 3 min",
});

export const geckodriver = cargoTool({
  crate: "geckodriver",
  version: "0.37.1",
  commands: ["geckodriver"],
  time: "about 2 min",
});

export const cargoFuzz = cargoTool({
  crate: "cargo-fuzz",
  version: "0.13.2",
  commands: ["cargo-fuzz"],
  time: "about 1 min",
});

/** A tool from crates.io, built into `.tools` unless the machine has that version. */
function cargoTool({ crate, version, commands, time }) {
  return {
    name: `${crate} ${version}`,
    hint: `built from source, ${time}`,
    async needed() {
      const found = await Promise.all(
        commands.map((command) => probe(command, ["--version"])),
      );
      return !found.every((text) => text?.split(/\s/).includes(version));
    },
    run(say) {
      const from = ["--version", version, "--locked", crate];
      return run("cargo", ["install", "--root", ".tools", ...from], {
        onLine: say,
        // They run for seconds, so their compile time counts for more than their speed.
        env: {
          CARGO_PROFILE_RELEASE_OPT_LEVEL: "1",
          CARGO_PROFILE_RELEASE_LTO: "off",
          CARGO_PROFILE_RELEASE_CODEGEN_UNITS: "16",
          CARGO_PROFILE_RELEASE_DEBUG: "false",
          CARGO_PROFILE_RELEASE_STRIP: "true",
        },
      });
    },
  };
}
