// A clone has no npm packages: every command begins without them, and installs them.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

const root = new URL("../../", import.meta.url);

/** What a file imports before anything of it runs, and what these import. */
async function imported(url, found = new Map()) {
  if (found.has(url.href)) return found;
  const source = await readFile(url, "utf8");
  const names = [
    ...source.matchAll(/^(?:import|export)\b[^;"']*?["']([^"']+)["'];/gm),
  ].map(([, name]) => name);
  found.set(url.href, names);
  for (const name of names)
    if (name.startsWith(".")) await imported(new URL(name, url), found);
  return found;
}

test("no command imports an npm package before it has installed it", async () => {
  const { scripts } = JSON.parse(
    await readFile(new URL("package.json", root), "utf8"),
  );
  const files = Object.values(scripts).flatMap(
    (line) => line.match(/(?<=^node )scripts\/[\w-]+\.mjs/) ?? [],
  );
  assert.ok(files.length > 5, `${files}`);
  for (const file of files)
    for (const [where, names] of await imported(new URL(file, root)))
      for (const name of names)
        assert.match(name, /^(node:|\.)/, `${file}, by ${where}`);
});

test("and the twin: what `installed.mjs` runs does", async () => {
  const names = [...(await imported(new URL("scripts/bench.mjs", root)))];
  assert.ok(names.flat(2).includes("esbuild"));
});
