// The text that carries a wasm is read from the source of the function that gives it, where there is one.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as carried from "../../pkg/wasm-inline.js";
import { joined } from "../../pkg/streams.js";

const { joiner } = carried;
const fail = (problem, url, cause) => new Error(problem, { cause });
const text = carried.bytes();

/** A function with this source; `given` is what it gives when it is called. */
const written = (source, given) =>
  Object.assign(() => given(), { toString: () => source });

const never = () => assert.fail("it was called");

for (const [name, bytes] of [
  ["as the package has it", carried.bytes],
  ["as most minifiers write it", written(`()=>"${text}"`, never)],
  [
    "as a transpiler writes it",
    written(`function(){return "${text}";}`, never),
  ],
  ["with other quotes", written(`()=>'${text}'`, () => text)],
  ["as a template", written(`()=>\`${text}\``, () => text)],
  ["counted", written(`()=>{cov("f");return "${text}"}`, () => text)],
  [
    "without a source",
    written("function bytes() { [native code] }", () => text),
  ],
])
  test(`a wasm is made of its text, ${name}`, async () => {
    const module = await joined({ bytes, joiner }, fail);
    assert.ok(module instanceof WebAssembly.Module);
    assert.ok(WebAssembly.Module.exports(module).length > 5);
  });
