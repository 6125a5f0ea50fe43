// A Content Security Policy: what it has to allow, and what is said where it does not.

import { enough, lacking, withPolicy } from "../support/csp.mjs";
import { begin, call, open, optionsFor, signIn } from "../support/driver.mjs";
import { expect, quick, test } from "../support/fixtures.mjs";

test.use(quick);

const violations = (page) => page.evaluate(() => window.violations);

for (const name of Object.keys(enough("")))
  test(`${name}: a user signs in, refreshes and calls the API`, async ({
    page,
    app,
    scripted,
  }) => {
    withPolicy(app, enough(scripted.issuer)[name]);
    await signIn(page, app, optionsFor(app, scripted));
    const renewed = await call(page, "getAccessToken", { forceRefresh: true });
    expect(renewed.value).toMatch(/^at-/);
    const { authorization } = await page.evaluate(async () =>
      (await auth.fetch("/api/me")).json(),
    );
    expect(authorization).toBe(`Bearer ${renewed.value}`);
    expect(await violations(page)).toEqual([]);
  });

test("without 'wasm-unsafe-eval' a stored session and the page itself go on; the rest says what to add", async ({
  page,
  app,
  scripted,
}) => {
  const options = optionsFor(app, scripted);
  withPolicy(app, enough(scripted.issuer)["the least"]);
  await signIn(page, app, options);
  const { value } = await call(page, "getAccessToken");
  withPolicy(app, lacking(scripted.issuer).wasm);
  await open(page, app);
  expect((await begin(page, options)).status).toBe("signedIn");
  const { error } = await call(page, "getAccessToken", { forceRefresh: true });
  expect(error).toMatchObject({
    code: "wasm_load_failed",
    details: { problem: "csp" },
    hint: expect.stringContaining("'wasm-unsafe-eval'"),
  });
  expect((await call(page, "getAccessToken")).value).toBe(value);
  await page.click("html");
  expect(await page.title()).toBe("clicked");
});

test("whose connect-src lacks the issuer: network, with a hint that names it", async ({
  page,
  app,
  scripted,
}) => {
  withPolicy(app, lacking(scripted.issuer).issuer);
  await open(page, app);
  await begin(page, optionsFor(app, scripted));
  const { error } = await call(page, "login");
  expect(error).toMatchObject({
    code: "network",
    details: { endpoint: "discovery" },
    hint: expect.stringMatching(/CORS.*connect-src/),
  });
  expect(scripted.requests).toEqual([]);
  // Both documents that an issuer may have.
  const forbidden = (path) =>
    `connect-src ${scripted.issuer}/.well-known/${path}`;
  expect(await violations(page)).toEqual([
    forbidden("openid-configuration"),
    forbidden("oauth-authorization-server"),
  ]);
});
