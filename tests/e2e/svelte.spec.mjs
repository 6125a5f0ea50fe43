import { fileURLToPath } from "node:url";
import { nothingMore, withoutClicks } from "../frameworks/driver.mjs";
import { bundlePage } from "../support/app.mjs";
import { optionsFor } from "../support/driver.mjs";
import { expect, quick, test as base } from "../support/fixtures.mjs";
import { svelte } from "../support/svelte.mjs";

const main = fileURLToPath(
  new URL("../frameworks/svelte/main.js", import.meta.url),
);

const test = base.extend({
  scripts: [
    async ({}, use) => use(await bundlePage(main, [svelte("client")])),
    { scope: "worker" },
  ],
});

test.use(quick);

/** Opens the application, with this client on every page of it. */
async function open(page, app, options, path = "/") {
  await page.addInitScript((options) => {
    window.options = options;
  }, options);
  await page.goto(app.url + path);
}

/** Sees a guarded place, after having been sent to sign in. */
async function enter(page, app, scripted, path = "/guarded") {
  await open(page, app, optionsFor(app, scripted), path);
  await expect(page.locator("#guarded")).toHaveText(`alice at ${path}`);
}

test.describe("in Svelte", () => {
  test("a guarded place sends its visitor to sign in and back to it", async ({
    page,
    app,
    scripted,
  }) => {
    await enter(page, app, scripted, "/guarded?page=2#here");
    expect(page.url()).toBe(`${app.url}/guarded?page=2#here`);
    await expect(page.locator("#store")).toHaveText("signedIn");
    await expect(page.locator("#runes")).toHaveText("signedIn");
    await expect(page.locator("#name")).toHaveText("alice");
    // Each state once.
    expect(await page.evaluate(() => effects)).toEqual([
      "derived loading",
      "loading",
      "derived signedIn",
      "signedIn",
    ]);
    // The next page knows who is signed in, and asks nobody.
    await page.reload();
    await expect(page.locator("#guarded")).toContainText("alice");
    expect(await page.evaluate(() => effects)).toEqual([
      "derived signedIn",
      "signedIn",
    ]);
    expect(scripted.count("authorization")).toBe(1);
  });

  test("a place that is asked for, and not yet shown, is the one to come back to", async ({
    page,
    app,
    scripted,
  }) => {
    await open(page, app, optionsFor(app, scripted));
    await expect(page.locator("#store")).toHaveText("signedOut");
    await page.evaluate(() => void load("/guarded?from=home"));
    await expect(page.locator("#guarded")).toHaveText(
      "alice at /guarded?from=home",
    );
    expect(scripted.count("authorization")).toBe(1);
  });

  test("a preload starts no login, and the click after it does", async ({
    page,
    app,
    scripted,
  }) => {
    await withoutClicks(page);
    await open(page, app, optionsFor(app, scripted));
    await expect(page.locator("#store")).toHaveText("signedOut");
    const preload = () =>
      page.evaluate(() =>
        load("/guarded").catch(({ code, details }) => [code, details.reason]),
      );
    expect(await preload()).toEqual(["login_required", "noSession"]);
    await nothingMore(page, scripted, 0);
    await page.evaluate(() => {
      navigator.userActivation.isActive = true;
      void load("/guarded");
    });
    await expect(page.locator("#guarded")).toHaveText("alice at /guarded");
    expect(scripted.count("authorization")).toBe(1);
  });

  test("a page that the Back button brings back starts a login for the place that it shows, and for no other", async ({
    page,
    app,
    scripted,
  }) => {
    await open(page, app, optionsFor(app, scripted));
    await expect(page.locator("#store")).toHaveText("signedOut");
    const left = () => page.evaluate(() => window.left.length);
    const leave = (path) =>
      page.evaluate((path) => {
        window.left = [];
        window.outcome = "pending";
        const navigate = (url) => void window.left.push(url);
        const settle = () => (window.outcome = "settled");
        load(path, { navigate }).then(settle, settle);
      }, path);
    const back = () =>
      page.evaluate(() =>
        dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })),
      );
    await leave("/");
    await expect.poll(left).toBe(1);
    await back();
    await expect.poll(left).toBe(2);
    await back();
    await expect.poll(left).toBe(3);
    await page.reload();
    await expect(page.locator("#store")).toHaveText("signedOut");
    await leave("/guarded");
    await expect.poll(left).toBe(1);
    await back();
    await page.waitForTimeout(500);
    expect(await left()).toBe(1);
    expect(await page.evaluate(() => window.outcome)).toBe("pending");
  });

  test("runes follow a client of the application's own tests to a state that was there before", async ({
    page,
    app,
    scripted,
  }) => {
    await open(page, app, optionsFor(app, scripted));
    await expect(page.locator("#store")).toHaveText("signedOut");
    await page.evaluate(() => {
      window.remove();
      window.first = fake.signedOut();
      window.auth = fake.createFakeAuth(window.first);
      window.show();
    });
    await expect(page.locator("#runes")).toHaveText("signedOut");
    await page.evaluate(() => auth.setState(fake.signedIn({ sub: "ada" })));
    await expect(page.locator("#name")).toHaveText("ada");
    await page.evaluate(() => auth.setState(first));
    await expect(page.locator("#runes")).toHaveText("signedOut");
    await expect(page.locator("#name")).toHaveText("nobody");
  });

  test("a user of the real provider signs in at a guarded place", async ({
    page,
    app,
    op,
  }) => {
    await open(page, app, optionsFor(app, op), "/guarded");
    await page.click('button.user:has-text("alice")');
    await expect(page.locator("#guarded")).toHaveText("alice at /guarded");
  });

  test("a failed callback is shown, and starts no login", async ({
    page,
    app,
    scripted,
  }) => {
    scripted.answerNext("authorization", (req) => {
      const asked = new URL(req.url, scripted.issuer).searchParams;
      const back = new URL(asked.get("redirect_uri"));
      back.searchParams.set("error", "access_denied");
      back.searchParams.set("state", asked.get("state"));
      back.searchParams.set("iss", scripted.issuer);
      return { redirect: back.href };
    });
    await open(page, app, optionsFor(app, scripted), "/guarded");
    await expect(page.locator("#error")).toHaveText("authorization_error");
    await page.evaluate(() => go("/guarded"));
    await expect(page.locator("#refused")).toHaveText("authorization_error");
    await expect(page.locator("#hint")).toContainText("docs/errors.md");
    expect(scripted.count("authorization")).toBe(1);
    // Whoever wants to may.
    await page.click("#login");
    await expect(page.locator("#guarded")).toHaveText("alice at /guarded");
    expect(scripted.count("authorization")).toBe(2);
  });

  test("a logout is shown everywhere, and starts no login", async ({
    page,
    app,
    scripted,
  }) => {
    await enter(page, app, scripted);
    await page.click("#logout");
    await expect(page.locator("#store")).toHaveText("signedOut");
    await expect(page.locator("#runes")).toHaveText("signedOut");
    await expect(page.locator("#name")).toHaveText("nobody");
    await page.evaluate(() => go("/"));
    await page.evaluate(() => go("/guarded"));
    await expect(page.locator("#refused")).toHaveText("login_required");
    expect(scripted.count("authorization")).toBe(1);
  });

  test("nobody listens once its components are gone, and one that comes again is up to date", async ({
    page,
    app,
    scripted,
  }) => {
    await enter(page, app, scripted);
    const listeners = () => page.evaluate(() => window.listeners);
    // `$auth`, and all that read `current`.
    expect(await listeners()).toBe(2);
    await page.click("#toggle");
    await expect.poll(listeners).toBe(1);
    await page.evaluate(() => auth.logout({ local: true }));
    await page.click("#toggle");
    await expect(page.locator("#runes")).toHaveText("signedOut");
    await expect(page.locator("#name")).toHaveText("nobody");
    expect(await listeners()).toBe(2);
    await page.evaluate(() => window.remove());
    await expect.poll(listeners).toBe(0);
    await page.evaluate(() => window.show());
    await expect(page.locator("#runes")).toHaveText("signedOut");
    expect(await listeners()).toBe(2);
  });

  for (const [name, option] of [
    ["lost", "setAuth"],
    ["outside", "getAuth"],
    ["late", "setAuth"],
    ["nothing", "auth"],
    ["forgotten", "auth"],
  ])
    test(`the adapter used in a wrong way, ${name}, names what is wrong`, async ({
      page,
      app,
      scripted,
    }) => {
      await open(page, app, optionsFor(app, scripted));
      await expect(page.locator("#store")).toHaveText("signedOut");
      const thrown = await page.evaluate((name) => thrownBy(name), name);
      expect(thrown).toMatchObject({ code: "invalid_config", option });
      // The page goes on.
      await page.click("#login");
      await expect(page.locator("#store")).toHaveText("signedIn");
    });
});
