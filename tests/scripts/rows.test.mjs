import assert from "node:assert/strict";
import { test } from "node:test";
import { problemsOf, testsOf } from "../../scripts/rows.mjs";
import { requirements } from "../requirements.mjs";

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
TEST.describe("CB1: no test", () => {});
TEST.skip("CB2: not run", () => {});
TEST("ES256: an algorithm", () => {});`.replaceAll("TEST", "test");
  assert.deepEqual(
    testsOf("tests/e2e/x.spec.mjs", script, ids).map((found) => found.ids),
    [["CB9", "T15"], ["T34"]],
  );
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
