// What a sign-in does not need is a wasm of its own: when it comes, and what happens where it does not.

import {
  begin,
  call,
  expireStored,
  open,
  optionsFor,
  returnFrom,
  signIn,
  storedSession,
} from "../support/driver.mjs";
import { expect, quick, test } from "../support/fixtures.mjs";

test.use(quick);

const secondary = /secondary-inline/;

const refuse = (page) => page.route(secondary, (route) => route.abort());

test("comes once somebody is signed in, and never before a login leaves", async ({
  page,
  app,
  scripted,
}) => {
  const options = optionsFor(app, scripted);
  await open(page, app);
  app.reset();
  await returnFrom(page, app, options);
  expect(app.loads("wasm-inline")).toBe(1);
  expect(app.loads("secondary-inline")).toBe(0);
  const { status } = await begin(page, options);
  expect(status).toBe("signedIn");
  await expect.poll(() => app.loads("secondary-inline")).toBe(1);
});

test("a sign-in and its token do without it", async ({
  page,
  app,
  scripted,
}) => {
  const options = optionsFor(app, scripted);
  await refuse(page);
  await signIn(page, app, options);
  expect((await call(page, "getAccessToken")).value).toMatch(/at-/);
  // The next page has them, too.
  await open(page, app);
  expect((await begin(page, options)).status).toBe("signedIn");
  expect((await call(page, "getAccessToken")).value).toMatch(/at-/);
});

test("a refresh without it says why, loses nothing, and works once it comes", async ({
  page,
  app,
  scripted,
  browserName,
}) => {
  const options = optionsFor(app, scripted);
  await refuse(page);
  await signIn(page, app, options);
  const before = await storedSession(page, options);
  const { error } = await call(page, "getAccessToken", { forceRefresh: true });
  expect(error).toMatchObject({
    code: "wasm_load_failed",
    retryable: true,
    details: { problem: "network" },
  });
  expect(error.hint).toContain("serve the file");
  expect(scripted.count("token")).toBe(1);
  expect(await storedSession(page, options)).toEqual(before);
  expect(await page.evaluate(() => auth.state.status)).toBe("signedIn");
  await page.unroute(secondary);
  // Firefox remembers a failed import for the life of the page.
  if (browserName === "firefox") {
    await open(page, app);
    await begin(page, options);
  }
  const { value } = await call(page, "getAccessToken", { forceRefresh: true });
  expect(value).toMatch(/at-/);
  expect(scripted.count("token")).toBe(2);
});

test("a stored session whose token has expired is not lost without it", async ({
  page,
  app,
  scripted,
}) => {
  const options = optionsFor(app, scripted);
  await signIn(page, app, options);
  await expireStored(page, options);
  await refuse(page);
  await open(page, app);
  const state = await begin(page, options);
  expect(state).toMatchObject({
    status: "signedOut",
    reason: "unavailable",
    error: { code: "wasm_load_failed" },
  });
  expect((await storedSession(page, options)).text).toBeDefined();
  await page.unroute(secondary);
  await open(page, app);
  expect((await begin(page, options)).status).toBe("signedIn");
});

test("a callback over a stored session waits for it, and is not lost", async ({
  page,
  app,
  scripted,
  browserName,
}) => {
  test.skip(
    browserName === "firefox",
    "Firefox remembers a failed import for the life of the page",
  );
  const options = optionsFor(app, scripted);
  await signIn(page, app, options);
  await open(page, app, "/orders");
  await returnFrom(page, app, options, { appState: "kept" });
  await refuse(page);
  expect(await begin(page, options)).toMatchObject({
    status: "signedOut",
    reason: "unavailable",
    error: { code: "wasm_load_failed" },
  });
  expect(scripted.count("token")).toBe(1);
  await page.unroute(secondary);
  const { value } = await call(page, "handleCallback");
  expect(value).toMatchObject({ returnTo: "/orders", appState: "kept" });
  expect(scripted.count("token")).toBe(2);
});

test("a logout without it says so, and leaves nothing", async ({
  page,
  app,
  scripted,
}) => {
  const options = optionsFor(app, scripted);
  await refuse(page);
  await signIn(page, app, options);
  const { error } = await call(page, "logout");
  expect(error.code).toBe("wasm_load_failed");
  expect((await storedSession(page, options)).text).toBeUndefined();
  expect(await page.evaluate(() => auth.state.status)).toBe("signedOut");
  // Nor does it come back.
  await page.evaluate(() => dispatchEvent(new Event("focus")));
  expect((await call(page, "getAccessToken")).error.code).toBe(
    "login_required",
  );
});
