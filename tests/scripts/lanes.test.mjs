import assert from "node:assert/strict";
import { test } from "node:test";
import { inLanes } from "../../scripts/lanes.mjs";

/** What was going on as each began, and how each ended. */
async function run(all, lanes) {
  const going = new Set();
  const seen = [];
  await inLanes(all, lanes, async ({ name, turns = 1 }) => {
    seen.push([name, [...going].join(" ")]);
    going.add(name);
    for (let turn = 0; turn < turns; turn += 1)
      await new Promise((resolve) => setImmediate(resolve));
    going.delete(name);
  });
  assert.equal(going.size, 0);
  return seen;
}

test("as many go on at a time as there are lanes, in their order", async () => {
  const all = [{ name: "a", turns: 9 }, { name: "b" }, { name: "c" }];
  assert.deepEqual(await run(all, 2), [
    ["a", ""],
    ["b", "a"],
    ["c", "a"],
  ]);
  assert.deepEqual(await run(all, 1), [
    ["a", ""],
    ["b", ""],
    ["c", ""],
  ]);
});

test("what fills the machine is alone in it", async () => {
  const all = [
    { name: "a", turns: 3 },
    { name: "b", turns: 9 },
    { name: "whole", whole: true, turns: 5 },
    { name: "c", turns: 3 },
    { name: "d" },
  ];
  assert.deepEqual(await run(all, 3), [
    ["a", ""],
    ["b", "a"],
    ["whole", ""],
    ["c", ""],
    ["d", "c"],
  ]);
});

test("an error of one is that of all", async () => {
  const work = () => Promise.reject(new Error("no"));
  await assert.rejects(inLanes([{ name: "a" }], 2, work), /no/);
});
