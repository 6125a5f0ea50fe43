import assert from "node:assert/strict";
import { test } from "node:test";
import {
  cargoTally,
  fuzzerTally,
  nodeTally,
  playwrightTally,
} from "../../scripts/tally.mjs";

// The gate is only as good as its reading of the runners.

test("cargo's suites are added up, with the names of what failed and what did not run", () => {
  const output = `
running 3 tests
test pkce::rfc7636_appendix_b ... ok
test pkce::later ... ignored, needs a network
test pkce::broken ... FAILED

test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s

running 1 test
test flows ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s
`;
  assert.deepEqual(cargoTally(output), {
    passed: 2,
    failed: 1,
    failures: ["pkce::broken"],
    notRun: [{ name: "pkce::later", reason: "needs a network" }],
  });
});

test("wasm-bindgen's own words for the same are understood", () => {
  const output = `
test tests::adds ... ok
test tests::breaks ... FAIL

test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 filtered out; finished in 0.02s
`;
  const { passed, failures } = cargoTally(output);
  assert.deepEqual([passed, failures], [1, ["tests::breaks"]]);
});

test("a compile error has no tests to count", () => {
  const { passed, failed } = cargoTally("error[E0432]: unresolved import");
  assert.deepEqual([passed, failed], [0, 0]);
});

test("Playwright's nested suites are added up", () => {
  const spec = (title, status) => ({ title, tests: [{ status }] });
  const report = {
    errors: [{ message: "cannot start" }],
    suites: [
      {
        title: "login.spec.mjs",
        specs: [spec("signs in", "expected"), spec("breaks", "unexpected")],
        suites: [{ title: "two tabs", specs: [spec("later", "skipped")] }],
      },
    ],
  };
  assert.deepEqual(playwrightTally(report), {
    passed: 1,
    failed: 2,
    failures: ["cannot start", "login.spec.mjs > breaks"],
    notRun: [{ name: "login.spec.mjs > two tabs > later", reason: "skipped" }],
  });
});

test("the TAP of node is read by its summary", () => {
  const output = `
ok 1 - one
ok 2 - two # SKIP no display
not ok 3 - three
# tests 3
# pass 1
# fail 1
# cancelled 0
# skipped 1
`;
  assert.deepEqual(nodeTally(output), {
    passed: 1,
    failed: 1,
    failures: ["three"],
    notRun: [{ name: "two", reason: "no display" }],
  });
});

test("a fuzzer's last word counts", () => {
  const output = `
INFO: seed corpus: files: 54 min: 1b max: 4000b total: 14563b rss: 28Mb
#55\tINITED cov: 900 ft: 2100 corp: 50/12Kb exec/s: 0 rss: 29Mb
#803971\tREDUCE cov: 1197 ft: 6126 corp: 1275/319Kb lim: 5895 exec/s: 26799 rss: 31Mb L: 81/5657 MS: 2 ChangeByte-EraseBytes-
#804454\tDONE   cov: 1198 ft: 6127 corp: 1276/321Kb lim: 5895 exec/s: 25950 rss: 31Mb
Done 804454 runs in 31 second(s)
stat::number_of_executed_units: 804454
stat::average_exec_per_sec:     25950
`;
  assert.deepEqual(fuzzerTally(output), {
    executions: 804454,
    edges: 1198,
    inputs: 1276,
  });
  assert.deepEqual(fuzzerTally("no such file"), {
    executions: 0,
    edges: 0,
    inputs: 0,
  });
});
