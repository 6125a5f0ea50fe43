import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { inCheckout, root } from "./checkout.mjs";
import { probe, run } from "./command.mjs";
import { finishGlue } from "./glue.mjs";
import { bindgen, runBindgen } from "./setup.mjs";

// Rust to the three files of the package that are not TypeScript.

// Apart from what `cargo build` makes: the standard library is another one.
const target = inCheckout("target/package");
const compiled = join(
  target,
  "wasm32-unknown-unknown/release/countersign.wasm",
);
const work = inCheckout("target/core");
const inWork = (name) => join(work, name);

/** The files that `coreSteps` makes. */
export const coreFiles = [
  "core.wasm",
  "core.js",
  "wasm-inline.js",
  "secondary-inline.js",
].map(inWork);

/** What the result depends on. */
const inputs = [
  "src",
  "heap",
  "Cargo.toml",
  "Cargo.lock",
  ".cargo/config.toml",
  "rust-toolchain.toml",
  "scripts/bindgen/src",
  "scripts/bindgen/Cargo.lock",
  "scripts/core.mjs",
  "scripts/glue.mjs",
  "scripts/secondary/src",
  "scripts/secondary/Cargo.toml",
  "scripts/secondary/Cargo.lock",
  "scripts/streams/src",
  "scripts/streams/Cargo.toml",
  "scripts/streams/Cargo.lock",
  "node_modules/binaryen/package.json",
];

/**
 * The functions by which the second wasm is entered (scripts/secondary): methods, by their names. Each is called only where
 * it is loaded: after `Auth::load_secondary`, or by what one of the others begins.
 */
const doors = [
  ...["fulfil_loaded", "refresh_loaded", "settle_loaded", "look_loaded"],
  ...["decode_loaded", "publish_record"],
  // What the session hears of only from these.
  ...["refresh_started", "refreshed", "refresh_failed"],
  ...["user_confirmed", "user_changed"],
  ...["heard_of_family", "surpassed", "placed", "appeared"],
];

const wasmOptFlags = [
  // Flat code shows the relooper what `-Oz` alone does not see (docs/size.md).
  ...["-Oz", "--flatten", "--rereloop", "-Oz", "-Oz"],
  // What compresses better out of line than in.
  "--one-caller-inline-max-function-size=20",
  // Named one by one: `--all-features` writes encodings that other tools cannot read.
  "--enable-bulk-memory",
  "--enable-sign-ext",
  "--enable-nontrapping-float-to-int",
  "--enable-reference-types",
  "--enable-multivalue",
  "--enable-mutable-globals",
];

/** The steps from Rust to `coreFiles`; none of them has anything to do while no input changes. */
export function coreSteps() {
  let stale;
  const needed = () => (stale ??= isStale());
  return [
    { ...bindgen, needed },
    {
      name: "compiling Rust to wasm",
      hint: compileHint(),
      needed,
      run: compile,
    },
    { name: "making the web module", needed, run: makeModule },
    { name: "wasm-opt", needed, run: optimise },
    { name: "cutting the wasm in two", needed, run: cut },
    { name: "taking the wasm apart", needed, run: takeApart },
    { name: "deflating the wasm", needed, run: inline },
  ];
}

const compileHint = () =>
  existsSync(compiled) ? undefined : "about 2 min the first time";

async function isStale() {
  if (!coreFiles.every((file) => existsSync(file))) return true;
  const stamp = await readFile(inWork("stamp"), "utf8").catch(() => "");
  return stamp !== (await inputsHash());
}

async function inputsHash() {
  const hash = createHash("sha256");
  for (const input of inputs) await addTo(hash, input);
  return hash.digest("hex");
}

async function addTo(hash, path) {
  const content = await readFile(inCheckout(path)).catch((error) => {
    if (error.code !== "EISDIR") throw error;
  });
  if (content)
    return hash.update(`${path}\0${content.length}\0`).update(content);
  for (const name of (await readdir(inCheckout(path))).sort())
    await addTo(hash, `${path}/${name}`);
}

/**
 * The standard library is compiled along, so that a panic is a trap and nothing else: no message is put together, no
 * place in the source is named. That takes an eighth off the wasm. The switches are unstable, so the pinned compiler is
 * told to take them; what they do to another compiler does not matter.
 */
const immediateAbort = [
  "-Zunstable-options",
  "-Cpanic=immediate-abort",
  "-Zlocation-detail=none",
  "-Zfmt-debug=none",
];
/**
 * What LLVM does for speed and not for size: a structure is copied by one instruction, not by a load and a store for each
 * of its words, nothing is computed in two places to save it in a third or kept in a local to save it later, a loop has
 * no pointer beside its index, and what both ways of a branch begin with stands before it (docs/size.md).
 */
const smallCode = [
  "--max-store-memcpy=1",
  "--max-store-memmove=1",
  "--enable-pre=false",
  "--disable-lsr",
  "--hoist-common-insts",
  "--disable-machine-cse",
  "--disable-licm-promotion",
].map((flag) => `-Cllvm-args=${flag}`);
const linkerMap = join(target, "core.map");
/** Pointers to functions are numbers that nothing else is, and it is told where which data lie (scripts/secondary). */
const linkedForSplit = ["--table-base=9000000", `-Map=${linkerMap}`].map(
  (flag) => `-Clink-arg=${flag}`,
);
const wasm32 = ["--target", "wasm32-unknown-unknown"];

async function compile(say) {
  await run("cargo", ["fetch", "--locked", ...wasm32], { onLine: say });
  await compileSmall("std", target, [], say, linkedForSplit);
}

/** Compiles a crate together with as much of the standard library as it has. */
async function compileSmall(std, folder, more, say, linked = []) {
  const flags = JSON.stringify([
    ...immediateAbort,
    ...smallCode,
    ...(await remapFlags()),
    ...linked,
  ]);
  await run(
    "cargo",
    [
      ...["build", "--locked", "--release", "--lib", ...wasm32, ...more],
      ...[`-Zbuild-std=${std}`, "-Zbuild-std-features=optimize_for_size"],
      ...["--config", `target.wasm32-unknown-unknown.rustflags=${flags}`],
      ...["--target-dir", folder],
    ],
    { onLine: say, env: { RUSTC_BOOTSTRAP: "1" } },
  );
}

/** Panic messages name source files: without this, those of the machine that built the package. */
async function remapFlags() {
  const sources = join(cargoHome(), "registry", "src");
  const registries = await readdir(sources).catch(() => []);
  const sysroot = await probe("rustc", ["--print", "sysroot"]);
  return [
    [root.replace(/\/$/, ""), "."],
    ...registries.map((name) => [join(sources, name), "crates"]),
    [join(sysroot, "lib/rustlib/src/rust"), "rust"],
  ].map(([from, to]) => `--remap-path-prefix=${from}=${to}`);
}

const cargoHome = () => process.env.CARGO_HOME ?? join(homedir(), ".cargo");

async function makeModule() {
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
  await runBindgen(compiled, work, "module");
}

async function optimise() {
  const [input, output] = [inWork("module_bg.wasm"), inWork("optimised.wasm")];
  await run("wasm-opt", [
    ...[input, "-o", output, "--debuginfo"],
    ...doors.map((name) => `--no-inline=*>::${name}`),
    ...wasmOptFlags,
  ]);
  const [before, after] = await Promise.all([
    readFile(input),
    readFile(output),
  ]);
  if (after.length >= before.length)
    throw new Error(
      `wasm-opt left ${after.length} of ${before.length} bytes: it did not run as it should`,
    );
  await WebAssembly.compile(after);
}

/** What a sign-in does not need becomes a wasm of its own, and the glue calls both parts by short names. */
async function cut(say) {
  const folder = inCheckout("target/secondary");
  const manifest = inCheckout("scripts/secondary/Cargo.toml");
  const crate = ["--manifest-path", manifest, "--target-dir", folder];
  await run("cargo", ["build", "--locked", ...crate], { onLine: say });
  const parts = ["primary.wasm", "secondary.wasm"].map(inWork);
  const { output } = await run(join(folder, "debug/secondary"), [
    ...[inWork("optimised.wasm"), linkerMap, ...parts, ...doors],
  ]);
  const renamed = output
    .trim()
    .split("\n")
    .map((line) => line.split(" "));
  await writeFile(
    inWork("core.js"),
    await finishGlue(inWork("module.js"), renamed),
  );
  for (const part of parts) {
    const bytes = await readFile(part);
    await WebAssembly.compile(bytes);
    for (const place of [root, homedir(), cargoHome()])
      if (bytes.includes(place))
        throw new Error(`${part} names a path of this machine, ${place}`);
  }
}

/** Makes the streams of the default entry, and what puts them together in the page (scripts/streams). */
async function takeApart(say) {
  const folder = inCheckout("target/streams");
  const crate = ["--manifest-path", inCheckout("scripts/streams/Cargo.toml")];
  const build = ["build", "--locked", ...crate, "--target-dir", folder];
  await run("cargo", build, { onLine: say });
  for (const [part, whole, streams] of [
    ["primary.wasm", "core.wasm", "core.streams"],
    ["secondary.wasm", "secondary.normal.wasm", "secondary.streams"],
  ])
    await run(join(folder, "debug/streams"), [
      ...[inWork(part), inWork(whole), inWork(streams)],
    ]);
  await compileSmall("core", folder, crate, say);
  await run("wasm-opt", [
    join(folder, "wasm32-unknown-unknown/release/streams.wasm"),
    ...["-o", inWork("joiner.wasm"), "--strip-producers", ...wasmOptFlags],
  ]);
}

/** What the page puts together is what the package has, and an engine takes it. */
async function holdJoined(joiner, streams, wasm) {
  const { instance } = await WebAssembly.instantiate(joiner);
  const { memory, join, __heap_base } = instance.exports;
  const to = __heap_base.value + streams.length;
  memory.grow((to + wasm.length + 2) >> 16);
  new Uint8Array(memory.buffer).set(streams, __heap_base.value);
  join(__heap_base.value, to);
  if (!wasm.equals(new Uint8Array(memory.buffer, to, wasm.length)))
    throw new Error("the streams do not come together as the wasm");
  await WebAssembly.compile(wasm);
}

async function inline() {
  await inlinePart("core.wasm", "core.streams", "wasm-inline.js");
  await inlinePart(
    ...["secondary.normal.wasm", "secondary.streams", "secondary-inline.js"],
  );
  await writeFile(inWork("stamp"), await inputsHash());
}

async function inlinePart(...names) {
  const { deflateAsync } = (await import("@gfx/zopfli")).default;
  const [wasm, streams, joiner] = await Promise.all(
    [...names.slice(0, 2), "joiner.wasm"].map((name) => readFile(inWork(name))),
  );
  await holdJoined(joiner, streams, wasm);
  const both = Buffer.concat([joiner, streams]);
  const deflated = await deflateAsync(both, {
    numiterations: 100,
    // As many as it likes: the streams differ.
    blocksplittingmax: 0,
  });
  const bytes = Buffer.from(deflated).toString("base64");
  await writeFile(
    inWork(names[2]),
    `export const bytes = () => "${bytes}";\nexport const joiner = ${joiner.length};\n`,
  );
}
