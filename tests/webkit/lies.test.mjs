// A provider that lies about one thing at a time, in WebKitGTK: the table of tests/lies, on one page.

import { after, before, describe, test } from "node:test";
import { openStage } from "../lies/stage.mjs";
import { tables } from "../lies/table.mjs";
import { tellRow } from "../lies/telling.mjs";
import { bundlePage } from "../support/app.mjs";
import { startWebkit } from "../support/webkit.mjs";

let browser;
let stage;
/** Why there is no page to tell anything to any more. */
let broken;

before(async () => {
  browser = await startWebkit();
  stage = await openStage(browser.page, await bundlePage());
});

after(async () => {
  await browser?.close();
  await stage?.close();
  console.log(`${stage?.told} lies told, ${stage?.believed} believed`);
});

for (const { subject, rows } of tables)
  describe(subject, () => {
    for (const row of rows)
      test(row.title, { timeout: 30_000 }, async () => {
        if (broken) throw broken;
        try {
          await tellRow(stage, row);
        } catch (error) {
          await stage.enter().catch((reason) => (broken = reason));
          throw error;
        }
      });
  });
