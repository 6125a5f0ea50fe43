// Two windows of one session in WebKitGTK, as far as its WebDriver goes: it cannot kill, freeze or cut off a page.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { By } from "selenium-webdriver";
import { startProvider } from "../../www-demo/op/provider.mjs";
import { bundlePage, startApp } from "../support/app.mjs";
import { authorize } from "../support/sign-in.mjs";
import { startWebkit, WAIT } from "../support/webkit.mjs";

let app;
let provider;
let webkit;
let driver;
let page;
let options;
const windows = {};

before(async () => {
  app = await startApp(await bundlePage());
  provider = await startProvider({
    clients: [{ client_id: "spa", redirect_uris: [`${app.url}/callback`] }],
  });
  options = {
    issuer: provider.issuer,
    clientId: "spa",
    redirectUri: `${app.url}/callback`,
    scope: "openid offline_access",
  };
  webkit = await startWebkit();
  ({ driver, page } = webkit);
});

after(async () => {
  await webkit?.close();
  await Promise.all([app, provider].map((server) => server?.close()));
});

const begin = () =>
  page.evaluate(async (options) => {
    start(options);
    const { status } = await auth.ready;
    await auth.preload();
    return status;
  }, options);

const ready = () => page.waitForFunction(() => "createAuth" in window);

/** In this window, from now on. */
const inWindow = (name) => driver.switchTo().window(windows[name]);

test("a window that another one opened is signed in, too", async () => {
  await page.goto(`${app.url}/`);
  await ready();
  assert.equal(await begin(), "signedOut");
  const request = await page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        auth.login({ navigate: resolve }).catch(reject);
      }),
  );
  const back = await authorize(request, provider.issuer, "alice");
  await page.evaluate((back) => auth.handleCallback(back).then(() => {}), back);
  windows.first = await driver.getWindowHandle();
  // By a click: without one its windows are blocked.
  await page.evaluate((url) => {
    const button = document.body.appendChild(document.createElement("button"));
    button.textContent = "open";
    button.onclick = () => window.open(url);
  }, `${app.url}/`);
  await driver.findElement(By.css("button")).click();
  await driver.wait(
    async () => (await driver.getAllWindowHandles()).length === 2,
    WAIT,
  );
  const handles = await driver.getAllWindowHandles();
  windows.clone = handles.find((handle) => handle !== windows.first);
  await inWindow("clone");
  await ready();
  assert.equal(await begin(), "signedIn");
});

test("both are refreshed by one request, and valid", async () => {
  provider.control.resetCounters();
  provider.control.setDelay("token", 200);
  for (const name of ["first", "clone"]) {
    await inWindow(name);
    await page.evaluate(() => {
      const { now } = Date;
      Date.now = () => now.call(Date) + 400_000;
      window.asked = attempt(() => auth.getAccessToken());
    });
  }
  const tokens = [];
  for (const name of ["first", "clone"]) {
    await inWindow(name);
    const { value } = await page.evaluate(() => window.asked);
    tokens.push(value);
  }
  assert.equal(provider.control.count("token"), 1);
  assert.equal(tokens[0], tokens[1]);
  assert.ok(await provider.control.introspect(tokens[0]));
});

test("a logout in one reaches the other", async () => {
  await inWindow("clone");
  await page.evaluate(() => auth.logout({ navigate: () => {} }));
  await inWindow("first");
  await page.waitForFunction(() => auth.state.status === "signedOut");
  const { reason } = await page.evaluate(() => plain(auth.state));
  assert.equal(reason, "loggedOutElsewhere");
});
