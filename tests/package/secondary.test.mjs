// The cut of a wasm in two (scripts/secondary): by a small module, and as the package has it.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = new URL("../../", import.meta.url).pathname;
const tool = join(root, "target/secondary/debug/secondary");
const work = join(root, "target/core");

/**
 * `run` goes by the door, behind which are a function that it shares with `run`, one that only the door's code calls, and one
 * of a virtual table that only the door's code has the address of. The pointers in the data end with zeros, which a segment
 * may leave out.
 */
const source = `(module
  (type $f (func (result i32)))
  (import "./glue_bg.js" "__wbg_log_0123456789abcdef" (func $log))
  (import "./glue_bg.js" "plain" (func $plain))
  (memory (export "memory") 1)
  (table 9000004 funcref)
  (elem (i32.const 9000001) $pointed $kept $of-table)
  (global $stack (mut i32) (i32.const 7))
  (export "run" (func $run))
  (export "kept_0123456789abcdef" (func $through))
  (data (i32.const 1024) "\\43\\54\\89")
  (data (i32.const 1028) "\\42\\54\\89")
  (func $shared (result i32) (i32.const 40))
  (func $<A>::door_loaded (result i32)
    (call $log)
    (i32.add
      (i32.add (call $shared) (call $own))
      (i32.add
        (call_indirect (type $f) (i32.const 9000001))
        (call_indirect (type $f) (i32.load (i32.const 1024))))))
  (func $own (result i32) (global.get $stack))
  (func $pointed (result i32) (i32.const 300))
  (func $of-table (result i32) (i32.const 1000))
  (func $kept (result i32) (i32.const 5))
  (func $through (result i32)
    (call $plain)
    (call_indirect (type $f) (i32.load offset=1028 (i32.const 0))))
  (func $run (result i32) (i32.add (call $shared) (call $<A>::door_loaded))))`;

const map = `    Addr      Off     Size Out     In      Symbol
     400      100        4         one.o:(.data..vtable.one)
     404      104        4         one.o:(.data..vtable.two)
`;

let folder;
before(async () => (folder = await mkdtemp(join(tmpdir(), "cut-"))));
after(() => rm(folder, { recursive: true }));

async function cut(text, ...doors) {
  const at = (name) => join(folder, name);
  await writeFile(at("in.wat"), text);
  await writeFile(at("in.map"), map);
  const assembler = join(root, "node_modules/.bin/wasm-as");
  await run(assembler, [at("in.wat"), "-g", "-o", at("in.wasm")]);
  const files = ["in.wasm", "in.map", "one.wasm", "two.wasm"].map(at);
  const { stdout } = await run(tool, [...files, ...doors]);
  const [one, two] = await Promise.all(files.slice(2).map((f) => readFile(f)));
  return { one, two, renamed: stdout.trim().split("\n") };
}

const exportsOf = (bytes) =>
  WebAssembly.Module.exports(new WebAssembly.Module(bytes));

test("what only the door reaches is elsewhere, and works once it is there", async () => {
  const { one, two, renamed } = await cut(source, "door_loaded");
  assert.deepEqual(renamed, [
    "module ./glue_bg.js a",
    "import __wbg_log_0123456789abcdef a",
    "export kept_0123456789abcdef a",
  ]);
  let logged = 0;
  const { instance } = await WebAssembly.instantiate(one, {
    a: { a: () => ++logged, plain() {} },
  });
  const { run, a } = instance.exports;
  assert.equal(a(), 5, "a pointer in the data of the first part");
  assert.throws(run, WebAssembly.RuntimeError);
  await WebAssembly.instantiate(two, { p: instance.exports });
  assert.equal(run(), 40 + 40 + 7 + 300 + 1000);
  assert.equal(logged, 1);
  assert.equal(a(), 5);
  assert.ok(!one.includes("door_loaded"), "names stay behind");
});

test("parts of two builds do not go together", async () => {
  const { one } = await cut(source, "door_loaded");
  const other = source.replace("i32.const 300", "i32.const 301");
  const { two } = await cut(other, "door_loaded");
  const { instance } = await WebAssembly.instantiate(one, {
    a: { a() {}, plain() {} },
  });
  await assert.rejects(
    WebAssembly.instantiate(two, { p: instance.exports }),
    WebAssembly.LinkError,
  );
});

test("a door that is not there, or twice, is told", async () => {
  await assert.rejects(cut(source, "other_loaded"), /no function other_loaded/);
  const twice = source.replace("$own ", "$<B>::door_loaded ");
  await assert.rejects(
    cut(twice.replace("call $own", "call $<B>::door_loaded"), "door_loaded"),
    /more than one function door_loaded/,
  );
});

test("the parts of the package link, and no function is exported for it", async () => {
  const [one, two] = await Promise.all(
    ["core.wasm", "secondary.normal.wasm"].map((name) =>
      readFile(join(work, name)),
    ),
  );
  const module = new WebAssembly.Module(two);
  assert.deepEqual(WebAssembly.Module.exports(module), []);
  const shared = WebAssembly.Module.imports(module);
  assert.deepEqual(shared.map(({ kind }) => kind).sort(), [
    "global",
    "memory",
    "table",
    "table",
  ]);
  for (const { name, kind } of shared)
    assert.ok(
      exportsOf(one).some((it) => it.name === name && it.kind === kind),
      name,
    );
  assert.ok(two.length > one.length / 4, "it is worth a file of its own");
});
