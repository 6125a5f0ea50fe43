// The memory of the wasm: one page for stack, data and heap, and what happens when something takes more.

import {
  call,
  handle,
  open,
  begin,
  optionsFor,
  requestUrl,
  signIn,
  watchWasm,
} from "../support/driver.mjs";
import { expect, quick, test } from "../support/fixtures.mjs";

test.use(quick);

const pages = (page) => page.evaluate(() => memoryPages());

test("one page is enough to sign in and to renew the token", async ({
  page,
  app,
  scripted,
}) => {
  await watchWasm(page);
  const options = optionsFor(app, scripted);
  await open(page, app);
  await begin(page, options);
  const back = scripted.authorize(await requestUrl(page));
  expect((await handle(page, back)).value).toBeTruthy();
  await call(page, "getAccessToken", { forceRefresh: true });
  expect(await pages(page)).toEqual([1]);
});

test("a large document is read, and what comes after it", async ({
  page,
  app,
  scripted,
}) => {
  await watchWasm(page);
  await signIn(page, app, optionsFor(app, scripted));
  const filling = "x".repeat(900_000);
  for (let times = 0; times < 3; times += 1) {
    scripted.answerNext("userinfo", { json: { sub: "alice", filling } });
    expect((await call(page, "fetchUserInfo")).value).toEqual({
      sub: "alice",
      filling,
    });
  }
  const [grown] = await pages(page);
  expect(grown).toBeGreaterThan(14);
  // What was freed is used again.
  expect(grown).toBeLessThan(100);
  const renewed = await call(page, "getAccessToken", { forceRefresh: true });
  expect(renewed.value).toBeTruthy();
  expect(await pages(page)).toEqual([grown]);
});

test("what is nested without end is an error with a code, and the stack holds", async ({
  page,
  app,
  scripted,
}) => {
  await watchWasm(page);
  await signIn(page, app, optionsFor(app, scripted));
  const ask = (text) => {
    scripted.answerNext("userinfo", { text });
    return call(page, "fetchUserInfo");
  };
  for (const open of ["[", '{"a":', '[{"a":'])
    for (const start of ["", '{"sub":"alice","a":']) {
      const { error } = await ask(start + open.repeat(100_000));
      expect(error).toMatchObject({
        code: "invalid_response",
        details: { endpoint: "userinfo" },
      });
    }
  // As deep as it may be.
  const deep = "[".repeat(31) + "]".repeat(31);
  const { value } = await ask(`{"sub":"alice","deep":${deep}}`);
  expect(JSON.stringify(value.deep)).toBe(deep);
  expect(await page.evaluate(() => instances)).toBe(1);
});
