import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { declarationsOf } from "../../scripts/declarations.mjs";

let folder;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "countersign-"));
});

after(() => rm(folder, { recursive: true, force: true }));

/** The text for the first of these files, told beside the entry `known`. */
async function told(files, known) {
  const file = (name) => join(folder, `${name}.d.ts`);
  for (const [name, text] of Object.entries(files))
    await writeFile(file(name), text);
  const [first] = Object.keys(files);
  return declarationsOf(
    file(first),
    known && { name: "lib", file: file(known) },
  );
}

test("what an entry reaches is told with its comments, and exported only where it is", async () => {
  const text = await told({
    entry: `import type { Hidden } from "./far.js";
      /** Makes. */
      export declare function make(): Hidden;
      export declare function make(x: string): Hidden;
      declare const unreached: number;`,
    far: `export interface Hidden { readonly deep: Deep; }
      /** Deep. */
      type Deep = Promise<1>;
      export interface Elsewhere {}`,
  });
  assert.equal(
    text,
    `/** Makes. */
export declare function make(): Hidden;

export declare function make(x: string): Hidden;

interface Hidden {
  readonly deep: Deep;
}

/** Deep. */
type Deep = Promise<1>;

export {};
`,
  );
});

test("what no user can reach of a class is left out, and that nobody makes one stays", async () => {
  const text = await told({
    entry: `export declare class Thing {
      #own; private secret: string; protected half: string; readonly open: string;
      private constructor();
    }`,
  });
  for (const word of ["half", "open", "private constructor()"])
    assert.ok(text.includes(word), word);
  for (const word of ["#own", "secret"]) assert.ok(!text.includes(word), word);
});

test("what the first entry has comes from there, by the name that it has there", async () => {
  const text = await told(
    {
      other: `import { Near } from "./shared.js";
        import type { Peer as P } from "peer";
        export { Value } from "./shared.js";
        export type { Value as OnlyType } from "./shared.js";
        export type * from "./shared.js";
        export declare const x: [Near, P];`,
      shared: `export interface Near {} export declare class Value {}`,
      lib: `export { Near as Public, Value } from "./shared.js";`,
    },
    "lib",
  );
  assert.equal(
    text,
    `export type { Public as Near, Value as OnlyType } from "lib";

export { Value } from "lib";

import type { Peer as P } from "peer";

import type { Public as Near } from "lib";

export declare const x: [Near, P];

export {};
`,
  );
});

test("what an entry adds to other modules is told", async () => {
  const text = await told({
    entry: `import "./adds.js"; export declare const x: 1;`,
    adds: `declare module "vue" { interface Globals { $auth: Mine } }
      interface Mine {}
      export {};`,
  });
  for (const word of ['declare module "vue"', "$auth: Mine", "interface Mine"])
    assert.ok(text.includes(word), word);
});

test("two declarations of one name are refused, and so is a name that is not there", async () => {
  const two = told({
    entry: `import type { A } from "./a.js"; import type { B } from "./b.js";
      export declare const x: [A, B];`,
    a: `interface Same { a: 1 } export interface A { same: Same }`,
    b: `interface Same { b: 1 } export interface B { same: Same }`,
  });
  await assert.rejects(two, /two declarations are named Same/);
  const missing = told({
    entry: `export { Gone } from "./a.js";`,
    a: `export {};`,
  });
  await assert.rejects(missing, /Gone is not there/);
  const unnamed = told({
    entry: `export declare const x: import("./a.js").A;`,
    a: `export interface A {}`,
  });
  await assert.rejects(unnamed, /name the type/);
});
