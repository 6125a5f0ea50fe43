// The applications of this folder, for browsers and for Node, with the React of the workspace or an older framework.

import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { bundlePage, packed } from "../support/app.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** Where a package of `older` lies, which `npm test` installs. */
export function older(name) {
  const path = here(`older/node_modules/${name}`);
  if (existsSync(path)) return path;
  throw new Error("run npm ci in tests/frameworks/older, as npm test does");
}

/** Where React 18 lies. */
export const react18 = () => ({
  react: older("react"),
  "react-dom": older("react-dom"),
});

/** The tests' fixture with such a page: `react.jsx`, or `vue.js`. */
export const testOf = (base, page, alias = () => ({})) =>
  base.extend({
    scripts: [
      async ({}, use) => use(await bundlePage(here(page), [], alias())),
      { scope: "worker" },
    ],
  });

/** Runs a program of an application's server in this Node: gives what it exports. */
export async function onServer(program, { alias = {}, plugins = [] } = {}) {
  const folder = await mkdtemp(join(tmpdir(), "countersign-server-"));
  // Playwright compiles again what it takes for a test's own, which takes it ten seconds here.
  const outfile = join(folder, "node_modules/server.mjs");
  try {
    await build({
      stdin: { contents: program, resolveDir: here("."), loader: "jsx" },
      outfile,
      bundle: true,
      format: "esm",
      platform: "node",
      jsx: "automatic",
      // What the bundled CommonJS asks for by `require`.
      banner: {
        js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
      },
      logLevel: "silent",
      alias,
      plugins: [packed, ...plugins],
    });
    return await import(pathToFileURL(outfile).href);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
