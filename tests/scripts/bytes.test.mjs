import assert from "node:assert/strict";
import { test } from "node:test";
import { overBudget } from "../../scripts/bytes.mjs";

const facade = (brotli) => ({ countersign: { facade: { brotli } } });
const key = "countersign: facade brotli";

test("growth up to 2 % passes", () => {
  const budget = { limits: { [key]: 7000 }, measured: { [key]: 5000 } };
  assert.deepEqual(overBudget(facade(5100), budget), []);
});

test("growth beyond it names the part and both figures", () => {
  const budget = { limits: {}, measured: { [key]: 5000 } };
  assert.deepEqual(overBudget(facade(5101), budget), [
    "countersign: facade brotli grew from 5000 to 5101 bytes (+2.0 %)",
  ]);
});

test("a limit holds whatever was measured before", () => {
  const budget = { limits: { [key]: 7000 }, measured: { [key]: 7000 } };
  assert.deepEqual(overBudget(facade(7001), budget), [
    "countersign: facade brotli is 7001 bytes, its limit is 7000",
  ]);
});
