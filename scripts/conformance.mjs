import { writeFile } from "node:fs/promises";
import { requirements, sections } from "../tests/requirements.mjs";
import { inCheckout } from "./checkout.mjs";
import { main } from "./main.mjs";
import { namedTests, pageOf, problemsOf } from "./rows.mjs";

await main(async () => {
  const tests = await namedTests(requirements.map(({ id }) => id));
  const problems = await problemsOf(requirements, tests);
  await writeFile(inCheckout("docs/conformance.md"), pageOf(sections, tests));
  console.log(
    `${requirements.length} rows, ${tests.length} tests: docs/conformance.md`,
  );
  if (problems.length > 0) throw new Error(problems.join("\n"));
});
