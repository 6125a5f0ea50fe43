// A Content Security Policy in WebKitGTK: what it has to allow, and what is said where it does not.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bundlePage, startApp } from "../support/app.mjs";
import { enough, lacking, withPolicy } from "../support/csp.mjs";
import { begin, call, open, optionsFor } from "../support/driver.mjs";
import { startScripted } from "../support/scripted.mjs";
import { startWebkit, WAIT } from "../support/webkit.mjs";

let app;
let provider;
let webkit;
let page;

before(async () => {
  app = await startApp(await bundlePage());
  provider = await startScripted();
  webkit = await startWebkit();
  ({ page } = webkit);
});

after(async () => {
  await webkit?.close();
  await Promise.all([app?.close(), provider?.close()]);
});

for (const name of Object.keys(enough("")))
  test(`${name}: a user signs in, refreshes and calls the API`, async () => {
    withPolicy(app, enough(provider.issuer)[name]);
    await signIn();
    const renewed = await call(page, "getAccessToken", { forceRefresh: true });
    assert.match(renewed.value, /^at-/);
    const { authorization } = await page.evaluate(async () =>
      (await auth.fetch("/api/me")).json(),
    );
    assert.equal(authorization, `Bearer ${renewed.value}`);
    assert.deepEqual(await violations(), []);
  });

test("without 'wasm-unsafe-eval' a stored session and the page itself go on; the rest says what to add", async () => {
  withPolicy(app, enough(provider.issuer)["the least"]);
  await signIn();
  const { value } = await call(page, "getAccessToken");
  withPolicy(app, lacking(provider.issuer).wasm);
  await open(page, app);
  assert.equal((await begin(page, options())).status, "signedIn");
  const { error } = await call(page, "getAccessToken", { forceRefresh: true });
  assert.equal(error.code, "wasm_load_failed");
  assert.equal(error.details.problem, "csp");
  assert.match(error.hint, /'wasm-unsafe-eval'/);
  assert.equal((await call(page, "getAccessToken")).value, value);
  await page.evaluate(() => document.documentElement.click());
  assert.equal(await webkit.driver.getTitle(), "clicked");
});

test("whose connect-src lacks the issuer: network, with a hint that names it", async () => {
  withPolicy(app, lacking(provider.issuer).issuer);
  await fresh();
  provider.requests.length = 0;
  const { error } = await call(page, "login");
  assert.equal(error.code, "network");
  assert.deepEqual(error.details, { endpoint: "discovery" });
  assert.match(error.hint, /CORS.*connect-src/);
  assert.deepEqual(provider.requests, []);
  assert.match((await violations()).join(), /connect-src/);
});

const options = () => optionsFor(app, provider);

const violations = () => page.evaluate(() => window.violations);

/** A page on which nobody is signed in. */
async function fresh() {
  await open(page, app);
  await page.evaluate(() => sessionStorage.clear());
  await open(page, app);
  assert.equal((await begin(page, options())).status, "signedOut");
}

async function signIn() {
  await fresh();
  await page.evaluate(() => {
    void auth.login();
  });
  await webkit.driver.wait(
    async () => (await webkit.driver.getCurrentUrl()).includes("/callback?"),
    WAIT,
  );
  await page.waitForFunction(() => "createAuth" in window);
  assert.equal((await begin(page, options())).status, "signedIn");
}
