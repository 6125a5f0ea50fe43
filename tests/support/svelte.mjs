// Svelte's compiler as a plugin of esbuild.

import { readFile } from "node:fs/promises";
import { compile } from "svelte/compiler";

/** Compiles components for a browser, `"client"`, or for a server, `"server"`. */
export const svelte = (generate) => ({
  name: "svelte",
  setup({ onLoad }) {
    onLoad({ filter: /\.svelte$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      const { js } = compile(source, { filename: path, generate });
      return { contents: js.code, loader: "js" };
    });
  },
});
