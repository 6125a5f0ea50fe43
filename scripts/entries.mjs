import { readFile } from "node:fs/promises";
import { inCheckout } from "./checkout.mjs";

/** The entries of the package that have types: `{ name, types }`, as an application writes them and as a file of `folder`. */
export async function entries(folder) {
  const manifest = inCheckout(folder, "package.json");
  const { name, exports } = JSON.parse(await readFile(manifest, "utf8"));
  return Object.entries(exports)
    .filter(([, { types }]) => types)
    .map(([path, { types }]) => ({
      name: path.replace(/^\./, name),
      types: types.replace(/^\.\//, ""),
    }));
}
