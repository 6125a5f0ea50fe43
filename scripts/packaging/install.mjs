import { createHash } from "node:crypto";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { inCheckout } from "../checkout.mjs";
import { run } from "../command.mjs";
import { tarball } from "../package.mjs";

// A project of tests/packaging as its user has it: a folder of its own, with the tarball installed.

/** Where the copy of a project lies. */
export const folderOf = (name) => inCheckout("target/packaging", name);

/** What a project's folder keeps from one run to the next. */
const kept = ["node_modules", "package.json", "package-lock.json", ".stamp"];

/** What a user who tries a project by hand leaves behind. */
const made = /^(node_modules|dist|build|\..+)$/;

/**
 * Copies a project and installs what its lock file names, and the tarball; what has not changed since the last run is
 * not installed again. Gives whether anything was.
 *
 * Not by `npm ci`: it refuses a lock file that does not name every platform's optional packages.
 */
export async function install(name, say) {
  const [source, folder] = [
    inCheckout("tests/packaging", name),
    folderOf(name),
  ];
  const packed = await tarball();
  const inputs = ["package.json", "package-lock.json"];
  const wanted = await hash([
    ...inputs.map((file) => join(source, file)),
    packed,
  ]);
  const stamp = join(folder, ".stamp");
  const found = await readFile(stamp, "utf8").catch(() => "");
  if (found === wanted) return false;
  await remove(stamp);
  await mkdir(folder, { recursive: true });
  for (const file of inputs) await cp(join(source, file), join(folder, file));
  // Another tarball of the same version would count as installed.
  await remove(join(folder, "node_modules/countersign"));
  const quiet = ["--prefer-offline", "--no-audit", "--no-fund"];
  await run("npm", ["install", ...quiet, packed], {
    ...{ cwd: folder, onLine: say, limit: 10 },
  });
  await writeFile(stamp, wanted);
  return true;
}

async function hash(files) {
  const all = createHash("sha256");
  for (const file of files) all.update(await readFile(file));
  return all.digest("hex");
}

/** Lays a project's own files into its folder, with these texts in place of others, and `variant` in place of `entry`. Nothing that a tool has made before is left. */
export async function lay(name, texts, { variant, entry }) {
  const [source, folder] = [
    inCheckout("tests/packaging", name),
    folderOf(name),
  ];
  for (const each of await readdir(folder))
    if (!kept.includes(each)) await remove(join(folder, each));
  for (const cache of [".cache", ".vite"])
    await remove(join(folder, "node_modules", cache));
  await cp(source, folder, {
    recursive: true,
    filter: (path) =>
      path === source ||
      !(made.test(basename(path)) || kept.includes(basename(path))),
  });
  if (variant) await cp(join(folder, variant), join(folder, entry));
  for (const each of await readdir(source, { recursive: true })) {
    if (!/\.(js|jsx|ts|svelte)$/.test(each) || each.includes("node_modules"))
      continue;
    const text = await readFile(join(folder, each), "utf8");
    const filled = Object.entries(texts).reduce(
      (all, [from, to]) => all.replaceAll(from, to),
      text,
    );
    await writeFile(join(folder, each), filled);
  }
}

const remove = (path) => rm(path, { recursive: true, force: true });
