import { brotliCompressSync } from "node:zlib";
import { build } from "esbuild";

/**
 * Bundles the page as an application would: the package by its name, its Wasm
 * side as a chunk of its own. `roles` says which file is which part of the
 * package, so that the page can show what was loaded, and when.
 */
export async function bundle({ entry, packageDirectory }) {
  const { outputFiles, metafile } = await build({
    // The facade as a second entry, so that it is not mixed into the page's own script.
    entryPoints: { main: entry, countersign: "countersign" },
    outdir: "/assets",
    absWorkingDir: "/",
    bundle: true,
    format: "esm",
    target: "es2022",
    splitting: true,
    minify: true,
    metafile: true,
    write: false,
    logLevel: "silent",
    plugins: [packageAt(packageDirectory)],
  }).catch((cause) => {
    throw new Error(
      `The demo could not be bundled. Is the package built (npm run build)?\n${cause.message}`,
    );
  });
  return {
    scripts: outputFiles.map((file) => [
      file.path,
      compress(file.contents, "text/javascript"),
    ]),
    roles: rolesOf(metafile),
  };
}

export function compress(contents, type) {
  return { type, body: contents, brotli: brotliCompressSync(contents) };
}

/** Resolves `countersign` as an installed package: by the `exports` of its manifest. */
function packageAt(packageDirectory) {
  return {
    name: "package-at",
    setup({ onResolve, resolve }) {
      onResolve(
        { filter: /^countersign(\/|$)/ },
        ({ path, kind, pluginData }) =>
          pluginData === packageDirectory
            ? undefined
            : resolve(path, {
                kind,
                resolveDir: packageDirectory,
                pluginData: packageDirectory,
              }),
      );
    },
  };
}

function rolesOf({ outputs }) {
  const main = Object.keys(outputs).find((path) => /\bmain\.js$/.test(path));
  const roles = {};
  const visit = (path, role) => {
    if (path in roles) return;
    roles[path] = role;
    for (const { path: next, kind } of outputs[path]?.imports ?? []) {
      visit(next, kind === "dynamic-import" ? "core" : role);
    }
  };
  roles[main] = "page";
  for (const { path, kind } of outputs[main].imports) {
    visit(path, kind === "dynamic-import" ? "core" : "facade");
  }
  return Object.fromEntries(
    Object.entries(roles).map(([path, role]) => [`/${path}`, role]),
  );
}
