// What a part of `npm test` did: { passed, failed, failures: [name], notRun: [{ name, reason }] }, read from each runner's own output.

/** A tally of nothing. */
export const none = () => ({ passed: 0, failed: 0, failures: [], notRun: [] });

/** One thing that passed as a whole. */
export const pass = () => ({ ...none(), passed: 1 });

/** One thing that failed as a whole. */
export const fail = (name) => ({ ...none(), failed: 1, failures: [name] });

/** The sum of two tallies. */
export const plus = (a, b) => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  failures: [...a.failures, ...b.failures],
  notRun: [...a.notRun, ...b.notRun],
});

/** Tests that did not run, all for one reason. */
export const notRun = (names, reason) => ({
  ...none(),
  notRun: names.map((name) => ({ name, reason })),
});

/** `cargo test`, natively or through wasm-bindgen's runner. */
export function cargoTally(output) {
  const tally = none();
  for (const [, passed, failed] of output.matchAll(
    /^test result: \w+\. (\d+) passed; (\d+) failed;/gm,
  )) {
    tally.passed += Number(passed);
    tally.failed += Number(failed);
  }
  for (const [, name, reason] of output.matchAll(
    /^test (\S+(?: - .+?)?) \.\.\. ignored(?:, (.+))?$/gm,
  ))
    tally.notRun.push({ name, reason: reason ?? "ignored" });
  for (const [, name] of output.matchAll(
    /^test (\S+(?: - .+?)?) \.\.\. FAIL/gm,
  ))
    tally.failures.push(name);
  return tally;
}

/** Playwright's JSON report. */
export function playwrightTally(report) {
  const tests = playwrightTests(report.suites ?? []).map(({ name, test }) => {
    if (test.status === "unexpected") return fail(name);
    if (test.status !== "skipped") return pass();
    const reason = test.annotations?.[0]?.description ?? "skipped";
    return notRun([name], reason);
  });
  const errors = (report.errors ?? []).map(({ message }) => fail(message));
  return [...errors, ...tests].reduce(plus, none());
}

/** The names in Playwright's JSON report. */
export const playwrightNames = (report) =>
  playwrightTests(report.suites ?? []).map(({ name }) => name);

const playwrightTests = (suites, above = []) =>
  suites.flatMap((suite) => [
    ...(suite.specs ?? []).flatMap((spec) =>
      spec.tests.map((test) => ({
        name: [...above, suite.title, spec.title].join(" > "),
        test,
      })),
    ),
    ...playwrightTests(suite.suites ?? [], [...above, suite.title]),
  ]);

/** The TAP of `node --test`. */
export function nodeTally(output) {
  const count = (key) =>
    Number(output.match(new RegExp(`^# ${key} (\\d+)$`, "m"))?.[1] ?? 0);
  const skipped = [
    ...output.matchAll(/^\s*ok \d+ - (.+?) # (?:SKIP|TODO) ?(.*)$/gm),
  ];
  const failures = [...output.matchAll(/^\s*not ok \d+ - (.+)$/gm)];
  return {
    passed: count("pass"),
    failed: count("fail") + count("cancelled"),
    failures: failures.map(([, name]) => name),
    notRun: skipped.map(([, name, reason]) => ({
      name,
      reason: reason || "skipped",
    })),
  };
}

/** How far a run of libFuzzer came: executions, covered edges, inputs that each cover something of their own. */
export function fuzzerTally(output) {
  const last = (pattern) => Number([...output.matchAll(pattern)].at(-1)?.[1]);
  return {
    executions: last(/^stat::number_of_executed_units: (\d+)$/gm) || 0,
    edges: last(/^#\d+\s.*? cov: (\d+) /gm) || 0,
    inputs: last(/^#\d+\s.*? corp: (\d+)\//gm) || 0,
  };
}
