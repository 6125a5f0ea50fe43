import { readFileSync } from "node:fs";
import { mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { inCheckout } from "./checkout.mjs";
import { run } from "./command.mjs";
import { entries } from "./entries.mjs";
import { main } from "./main.mjs";

// Every public entry in the program of a stranger, who checks libraries, too, by the pinned TypeScript and by an older one.

const folder = inCheckout("target/types");

/** What are-the-types-wrong brings along. In its `lib.dom.d.ts` nothing can be iterated: that was a library of its own then. */
function olderTsc() {
  const there = inCheckout("node_modules/@arethetypeswrong/core/package.json");
  const manifest = createRequire(there).resolve("typescript/package.json");
  const { version } = JSON.parse(readFileSync(manifest, "utf8"));
  if (!/^5\./.test(version)) throw new Error(`TypeScript ${version} is no 5`);
  return [`TypeScript ${version}`, join(dirname(manifest), "bin/tsc")];
}

const compilers = [["the pinned TypeScript", "tsc"], olderTsc()];

await main(async () => {
  const list = await entries("pkg");
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, "node_modules"), { recursive: true });
  await symlink(
    inCheckout("pkg"),
    join(folder, "node_modules/countersign"),
    "junction",
  );
  await writeFile(
    join(folder, "entries.ts"),
    list
      .map(({ name }, index) => `export * as entry${index} from "${name}";\n`)
      .join(""),
  );
  for (const use of ["options.ts", "testing.ts"])
    await writeFile(
      join(folder, use),
      await readFile(inCheckout("tests/types", use)),
    );
  const failed = [];
  for (const [module, moduleResolution] of [
    ["esnext", "bundler"],
    ["nodenext", "nodenext"],
  ])
    for (const [title, tsc] of compilers) {
      const compilerOptions = {
        ...{ module, moduleResolution, target: "es2022", noEmit: true },
        ...{ strict: true, exactOptionalPropertyTypes: true },
        ...{ lib: ["es2022", "dom"], types: [], skipLibCheck: false },
      };
      const project = join(folder, `${moduleResolution}.json`);
      const files = ["entries.ts", "options.ts", "testing.ts"];
      await writeFile(project, JSON.stringify({ compilerOptions, files }));
      const words = [...(tsc === "tsc" ? [] : [tsc]), "-p", project];
      const { status, output } = await run(
        tsc === "tsc" ? tsc : process.execPath,
        words,
        { check: false },
      );
      console.log(
        `${status === 0 ? "ok    " : "failed"} ${list.length} entries, ${moduleResolution}, ${title}`,
      );
      if (status !== 0) failed.push(output.trim());
    }
  if (failed.length > 0) throw new Error(failed.join("\n\n"));
});
