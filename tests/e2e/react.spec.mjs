// React 19, in a browser.

import { testOf } from "../frameworks/bundle.mjs";
import { prepare, shows, visit } from "../frameworks/driver.mjs";
import { reactTests } from "../frameworks/react.mjs";
import { renderReact } from "../frameworks/server.mjs";
import { test as base } from "../support/fixtures.mjs";

const test = testOf(base, "react.jsx");

reactTests(test, "19", renderReact);

test("use(auth.ready) suspends until it is known who is signed in", async ({
  page,
  app,
  scripted,
}) => {
  await prepare(page, app, scripted);
  await visit(page, app, "/suspense", "settled: signedOut");
  await visit(page, app, "/members", "member: alice");
  await visit(page, app, "/suspense", "settled: signedIn");
});
