import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";

// wasm-bindgen's web module holds one instance in module-level state, for the life of the page. The package needs a new
// one after a trap, which leaves borrows open and awaiting promises hanging, and it needs to hear of the trap.

/** Turns wasm-bindgen's web module into `createCore(module, trapped, secondary)`, which makes an instance of its own at each call; `secondary` loads the other module. */
export async function finishGlue(file, renamed) {
  const port = JSON.stringify(await crateFile(file, "port.js"));
  const tabs = JSON.stringify(await crateFile(file, "tabs.js"));
  const bundled = await bundle(`
    export { AuthCore, initSync } from ${JSON.stringify(file)};
    export { endAll, setSecondary } from ${port};`);
  const [body, exported] = splitExports(rename(bundled, renamed));
  // Who loads the first module needs it, too: it stands outside.
  const [lasting] = splitExports(
    await bundle(`export { lasting } from ${tabs};`),
  );
  // The locks that a dead instance holds are given back, its timers and listeners end.
  const guarded = `wasm = guard(instance.exports, (cause) => { ${exported.endAll}(); trapped(cause); });
    ${exported.setSecondary}(async () => { await WebAssembly.instantiate(await secondary(), { p: instance.exports }); });`;
  const random = "globalThis.crypto.getRandomValues(";
  const own = body
    .replace(...once(body, "wasm = instance.exports;", guarded))
    // One module, named once for each place that imports it: a bundler would warn of the second.
    .replace(/("[^"]+\.js"): (\w+),\s*(?=\1)/g, "")
    // Taken when the core is made, as everything else in port.js.
    .replace(...once(body, random, "getRandomValues("))
    .replace(...once(body, code(lasting), ""));
  const source = `${guard}
export ${code(lasting)}
export function createCore(module, trapped, secondary) {
const getRandomValues = globalThis.crypto?.getRandomValues?.bind(crypto);
${own}
${exported.initSync}({ module });
return ${exported.AuthCore};
}`;
  const { transform } = await esbuild();
  const { code: minified } = await transform(source, {
    minify: true,
    format: "esm",
    target: "es2022",
    legalComments: "none",
  });
  return minified;
}

/** A module with all that it imports, without what nobody uses. */
async function bundle(contents) {
  const { build } = await esbuild();
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: "." },
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    // wasm-bindgen names a module once for each place in Rust that imports it: the same module each time.
    logOverride: { "duplicate-object-key": "silent" },
  });
  return outputFiles[0].text;
}

/** When it is needed: this file is read before the npm packages are there. */
const esbuild = () => import("esbuild");

/** A file of the crate's own JavaScript, where wasm-bindgen has put it. */
async function crateFile(file, name) {
  const snippets = join(dirname(file), "snippets");
  const [crate] = await readdir(snippets);
  return join(snippets, crate, "src/browser", name);
}

/** The function alone, without what stands before it. */
const code = (text) => text.slice(text.indexOf("function ")).trim();

/** The module's statements, and by which names its exports go in there. */
function splitExports(source) {
  const match = /\nexport \{([^}]*)\};\s*$/.exec(source);
  if (!match) throw new Error("the bundled glue does not end with its exports");
  const pairs = match[1].split(",").map((item) => {
    const [local, name = local] = item.trim().split(" as ");
    return [name, local];
  });
  return [source.slice(0, match.index), Object.fromEntries(pairs)];
}

/** The names that the wasm has now. */
function rename(source, renamed) {
  const patterns = {
    module: (old) => [`"${old}"`, (name) => `"${name}"`],
    import: (old) => [new RegExp(`\\b${old}\\b`, "g"), (name) => name],
    export: (old) => [
      new RegExp(`\\bwasm\\.${old}\\b`, "g"),
      (name) => `wasm.${name}`,
    ],
  };
  return renamed.reduce((text, [what, old, name]) => {
    const [pattern, replacement] = patterns[what](old);
    return text.replaceAll(pattern, replacement(name));
  }, source);
}

/** A replacement that must fit exactly once: another wasm-bindgen may write another line. */
function once(text, from, to) {
  const count = text.split(from).length - 1;
  if (count !== 1)
    throw new Error(`the glue has "${from}" ${count} times, not once`);
  return [from, () => to];
}

/** Whatever is thrown out of wasm passed frames whose destructors did not run: the instance is of no use after it, and nothing of it runs any more, timers and late answers included. */
const guard = `
function guard(exports, trapped) {
  let dead = false;
  const call = (run) => (...args) => {
    // What the glue takes apart: several results, and none of them.
    if (dead) return [];
    try {
      return run(...args);
    } catch (cause) {
      dead = true;
      trapped(cause);
      throw cause;
    }
  };
  const guarded = {};
  for (const [name, value] of Object.entries(exports)) {
    guarded[name] = typeof value === "function" ? call(value) : value;
  }
  return guarded;
}`;
