import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inCheckout } from "./checkout.mjs";
import { run } from "./command.mjs";
import { declarationsOf } from "./declarations.mjs";
import { entries } from "./entries.mjs";
import { main } from "./main.mjs";

// The public API, as its users see it, against the committed snapshot: a change is to be meant, and seen in review.

const committed = inCheckout("pkg-template/api");
const made = inCheckout("target/api");

await main(async () => {
  const update = process.argv.includes("--update");
  const folder = update ? committed : join(made, "api");
  const list = await make(folder);
  if (update)
    return console.log(`${list.length} entries are in pkg-template/api.`);
  const { status, output } = await run(
    "diff",
    ["-ruN", "pkg-template/api", "target/api/api"],
    { check: false },
  );
  if (status > 1) throw new Error(output);
  if (status === 1)
    throw new Error(
      `${output}\nThe public API is not the one in pkg-template/api. If that is meant: npm run api -- --update`,
    );
  console.log(`The public API is as in pkg-template/api: ${list.join(", ")}.`);
});

/** Writes a file for each entry, and nothing else, into `folder`; names the entries. */
async function make(folder) {
  const types = join(made, "types");
  await rm(made, { recursive: true, force: true });
  await run("tsc", [
    ...["-p", "pkg-template", "--emitDeclarationOnly"],
    ...["--outDir", types],
  ]);
  const list = await entries("pkg-template");
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(folder))
    if (name.endsWith(".d.ts")) await rm(join(folder, name));
  const [first] = list;
  const known = { name: first.name, file: join(types, first.types) };
  for (const each of list) {
    const file = join(types, each.types);
    const text = await declarationsOf(file, each === first ? undefined : known);
    await writeFile(join(folder, each.types), text);
  }
  await compile(folder, list, known.name);
  return list.map(({ name }) => name);
}

/** What the snapshot says is whole: it compiles by itself. */
async function compile(folder, list, first) {
  const project = join(made, "tsconfig.json");
  const compilerOptions = {
    ...{ module: "esnext", moduleResolution: "bundler", target: "es2022" },
    ...{ strict: true, exactOptionalPropertyTypes: true, noEmit: true },
    ...{ lib: ["es2022", "dom"], types: [] },
    paths: { [first]: [join(folder, list[0].types)] },
  };
  const files = list.map(({ types }) => join(folder, types));
  await writeFile(project, JSON.stringify({ compilerOptions, files }));
  await run("tsc", ["-p", project]);
}
