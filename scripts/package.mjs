import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { inCheckout } from "./checkout.mjs";
import { run } from "./command.mjs";
import { coreFiles, coreSteps } from "./core.mjs";

const pkg = inCheckout("pkg");
const staging = inCheckout("target/pkg");
const packed = inCheckout("dist-pack");

/** From the sources to `pkg`. */
export const buildSteps = () => [
  ...coreSteps(),
  { name: "compiling TypeScript, assembling pkg", run: assemble },
];

/** From `pkg` to the tarball. */
export const packStep = { name: "packing the tarball", run: pack };

async function assemble() {
  await rm(staging, { recursive: true, force: true });
  await mkdir(staging, { recursive: true });
  await run("tsc", ["-p", "pkg-template", "--outDir", staging]);
  const files = [
    ...coreFiles,
    inCheckout("pkg-template/package.json"),
    inCheckout("pkg-template/README.md"),
    inCheckout("LICENSE"),
  ];
  for (const file of files) await copyFile(file, join(staging, basename(file)));
  // What errors and doc comments point at.
  await mkdir(join(staging, "docs"));
  for (const page of [
    "errors",
    "frameworks",
    "providers",
    "relay",
    "security",
    "testing",
  ])
    await copyFile(
      inCheckout(`docs/${page}.md`),
      join(staging, `docs/${page}.md`),
    );
  // To copy, with the page about it.
  await copyFile(
    inCheckout("www-demo/relay.mjs"),
    join(staging, "docs/relay.mjs"),
  );
  // One rename, so that a server of `pkg` never sees half of it.
  const old = inCheckout("target/pkg-old");
  await rm(old, { recursive: true, force: true });
  if (existsSync(pkg)) await rename(pkg, old);
  await rename(staging, pkg);
}

async function pack() {
  await rm(packed, { recursive: true, force: true });
  await mkdir(packed, { recursive: true });
  await run("npm", ["pack", "--silent", "--pack-destination", packed], {
    cwd: pkg,
  });
  return tarball();
}

/** Where the tarball lies. */
export async function tarball() {
  const { name, version } = JSON.parse(
    await readFile(join(pkg, "package.json"), "utf8"),
  );
  return join(packed, `${name}-${version}.tgz`);
}
