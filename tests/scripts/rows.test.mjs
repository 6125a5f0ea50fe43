import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { inCheckout } from "../../scripts/checkout.mjs";
import {
  namedTests,
  pageOf,
  problemsOf,
  testsOf,
} from "../../scripts/rows.mjs";
import { requirements, sections } from "../requirements.mjs";

const ids = requirements.map(({ id }) => id);

test("a test is found by the rows that its name begins with", () => {
  const rust = `
#[test]
fn cb2_cb3_iss_is_compared() {}
#[test]
#[ignore = "later"]
async fn t13_nobody_is_sent_away() {}
#[test]
fn id_tokens_are_read() {}
fn cb4_is_no_test() {}
#[test]
fn rfc9207_is_an_address() {}`;
  assert.deepEqual(testsOf("tests/x.rs", rust, ids), [
    {
      ids: ["CB2", "CB3"],
      name: "cb2_cb3_iss_is_compared",
      file: "tests/x.rs",
      where: "native",
    },
    {
      ids: ["T13"],
      name: "t13_nobody_is_sent_away",
      file: "tests/x.rs",
      where: "native",
    },
  ]);
  // Spelled apart, or this file would be said to hold them.
  const script = `
TEST("CB9, T15: a \\"code\\" is gone", async () => {});
  TEST(
    \`T34: \${policy} is kept\`, async () => {});
TEST.describe("CB1: no test", () => {
  TEST("T1: is in it", async () => {});
});
TEST.skip("CB2: not run", () => {});
TEST("ES256: an algorithm", () => {});`.replaceAll("TEST", "test");
  const found = testsOf("tests/e2e/x.spec.mjs", script, ids);
  assert.deepEqual(
    found.map((one) => one.ids),
    [["CB9", "T15"], ["T34"], ["T1"]],
  );
  assert.equal(found[2].name, "T1: CB1: no test is in it");
});

test("a row without a test, a test without a row and a missing heading are told", async () => {
  const rows = [
    { id: "CB1" },
    { id: "CB2" },
    { id: "CB3", documented: "README.md#How safe is it" },
    { id: "CB4", documented: "README.md#Nothing of the kind" },
  ];
  const tests = testsOf(
    "tests/x.rs",
    "#[test]\nfn cb1_cb99_x() {}",
    rows.map(({ id }) => id),
  );
  assert.deepEqual(await problemsOf(rows, tests), [
    'tests/x.rs: "cb1_cb99_x" is named after CB99, which is no row',
    "CB2: no test holds it",
    'CB4: README.md has no heading "Nothing of the kind"',
  ]);
});

test("every requirement has a test that holds it, and docs/conformance.md says which", async () => {
  const tests = await namedTests(ids);
  assert.deepEqual(await problemsOf(requirements, tests), []);
  const page = await readFile(inCheckout("docs/conformance.md"), "utf8");
  assert.equal(page, pageOf(sections, tests), "run: npm run conformance");
});
