// A provider that lies about one thing at a time: the table of tests/lies, on one page.

import { test as base } from "@playwright/test";
import { openStage } from "../lies/stage.mjs";
import { tables } from "../lies/table.mjs";
import { tellRow } from "../lies/telling.mjs";
import { bundlePage } from "../support/app.mjs";
import { expect, watchErrors } from "../support/fixtures.mjs";

const test = base.extend({
  /** A page that a worker keeps: a failed row ends the worker, and so the page. */
  stage: [
    async ({ browser }, use) => {
      const context = await browser.newContext();
      const page = await context.newPage();
      const uncaught = [];
      watchErrors(page, uncaught);
      const stage = await openStage(page, await bundlePage());
      await use({ ...stage, uncaught });
      await stage.close();
      await context.close();
    },
    { scope: "worker" },
  ],
});

// A row says all that there is to see, and a trace costs more than the row.
test.use({ trace: "off" });

let [told, believed] = [0, 0];

for (const { subject, rows } of tables)
  test.describe(subject, () => {
    for (const row of rows)
      test(row.title, async ({ stage }) => {
        [stage.told, stage.believed] = [0, 0];
        try {
          await tellRow(stage, row);
        } finally {
          told += stage.told;
          believed += stage.believed;
        }
        expect(stage.uncaught, "errors that nobody caught").toEqual([]);
      });
  });

test.afterAll(() => console.log(`${told} lies told, ${believed} believed`));
