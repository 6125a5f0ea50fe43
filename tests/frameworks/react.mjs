// What holds of the React adapter in every version that it is for.

import { signInReallyFrom } from "./really.mjs";
import {
  complaints,
  logins,
  nothingMore,
  prepare,
  refuseCode,
  serve,
  shows,
  visit,
  withoutClicks,
} from "./driver.mjs";
import { expect, quick } from "../support/fixtures.mjs";

/** The tests, with the fixtures of one version. `render(path)` gives the application as a server renders it. */
export function reactTests(test, version, render) {
  test.use(quick);

  test.describe(`React ${version}`, () => {
    test("a guarded page signs in by one login and one token request, in StrictMode, and comes back to its place", async ({
      page,
      app,
      scripted,
    }) => {
      await prepare(page, app, scripted);
      await visit(page, app, "/members?tab=2#part", "member: alice");
      expect(page.url()).toBe(`${app.url}/members?tab=2#part`);
      expect(logins(scripted)).toBe(1);
      expect(scripted.count("token")).toBe(1);
      expect(await page.evaluate(() => React.version)).toMatch(
        new RegExp(`^${version}\\.`),
      );
      // One object of actions, whatever the state was.
      await expect(page.locator("header")).toHaveAttribute("data-actions", "1");
    });

    test("two guarded places of a page sign in by one login", async ({
      page,
      app,
      scripted,
    }) => {
      await prepare(page, app, scripted, { more: { authorizationParams: {} } });
      await visit(page, app, "/twice", "member: alice");
      await expect(page.locator("main")).toHaveCount(2);
      expect(logins(scripted)).toBe(1);
    });

    for (const handles of [true, false])
      test(`a response that the application handles itself ${handles ? "is waited for" : "causes no other login until then"}`, async ({
        page,
        app,
        scripted,
      }) => {
        const more = { callback: "manual", redirectUri: `${app.url}/members` };
        await prepare(page, app, scripted, { more, handles });
        await page.goto(`${app.url}/members`);
        if (!handles) {
          await page.waitForURL((url) => url.searchParams.has("state"));
          await shows(page, "fallback");
          await nothingMore(page, scripted, 1);
          await page.evaluate(() => void auth.handleCallback());
        }
        await shows(page, "member: alice");
        expect(page.url()).toBe(`${app.url}/members`);
        expect(logins(scripted)).toBe(1);
      });

    test("signs in at a provider of the real kind", async ({
      page,
      app,
      op,
    }) => {
      await prepare(page, app, op);
      await signInReallyFrom(page, app, "/members");
      await shows(page, "member: ");
      expect(page.url()).toBe(`${app.url}/members`);
    });

    test("a page that nobody guards starts no login", async ({
      page,
      app,
      scripted,
    }) => {
      await prepare(page, app, scripted);
      await visit(page, app, "/", "home");
      await expect(page.locator("header")).toHaveText("noSession");
      await nothingMore(page, scripted, 0);
    });

    test("a failed callback is shown, and starts no login", async ({
      page,
      app,
      scripted,
    }) => {
      await prepare(page, app, scripted);
      refuseCode(scripted);
      await visit(page, app, "/members", "error: token_error");
      await nothingMore(page, scripted, 1);
      // Nor does a place that is entered later.
      await page.evaluate(() => go("/"));
      await shows(page, "home");
      await page.evaluate(() => go("/members"));
      await shows(page, "error: token_error");
      await nothingMore(page, scripted, 1);
    });

    test("a failed callback that the application does not show is thrown to the nearest boundary", async ({
      page,
      app,
      scripted,
      uncaught,
    }) => {
      await prepare(page, app, scripted, { bare: true });
      refuseCode(scripted);
      await visit(page, app, "/members", "boundary: token_error");
      await nothingMore(page, scripted, 1);
      // React 18 tells the window, too, while it is developed with.
      expect(
        uncaught.splice(0).filter((text) => !/AuthError/.test(text)),
      ).toEqual([]);
    });

    test("a logout starts no login, and the page offers one", async ({
      page,
      app,
      scripted,
    }) => {
      const postLogoutRedirectUri = `${app.url}/members`;
      await prepare(page, app, scripted, { more: { postLogoutRedirectUri } });
      await visit(page, app, "/members", "member: alice");
      await page.click("text=log out");
      await page.waitForURL((url) => url.pathname === "/members");
      await shows(page, "signed out");
      await nothingMore(page, scripted, 1);
      await page.click("text=sign in");
      await shows(page, "member: alice");
      expect(logins(scripted)).toBe(2);
    });

    test("a logout without a place for it shows the fallback, and starts no login", async ({
      page,
      app,
      scripted,
    }) => {
      await prepare(page, app, scripted, { bare: true });
      await visit(page, app, "/members", "member: alice");
      await page.evaluate(() => auth.logout({ local: true }));
      await shows(page, "fallback");
      await nothingMore(page, scripted, 1);
    });

    test("renders again when the session changes in another tab", async ({
      page,
      app,
      scripted,
    }) => {
      await prepare(page, app, scripted);
      await visit(page, app, "/members", "member: alice");
      const other = await page.context().newPage();
      await visit(other, app, "/members", "member: alice");
      await other.evaluate(() => auth.logout({ local: true }));
      await shows(page, "signed out");
      await expect(page.locator("header")).toHaveText("loggedOutElsewhere");
      await nothingMore(page, scripted, 2);
    });

    test("listens to the client while it is mounted, and no longer", async ({
      page,
      app,
      scripted,
    }) => {
      await prepare(page, app, scripted);
      await visit(page, app, "/members", "member: alice");
      const subscribers = () => page.evaluate(() => counts.subscribers);
      // The status, the guard, and the page in it.
      expect(await subscribers()).toBe(3);
      await page.evaluate(() => go("/"));
      await shows(page, "home");
      expect(await subscribers()).toBe(1);
      await page.evaluate(() => root.unmount());
      await expect(page.locator("main")).toHaveCount(0);
      expect(await subscribers()).toBe(0);
    });

    for (const [name, bare, text] of [
      ["is shown", false, "error: login_loop"],
      ["is thrown to the nearest boundary", true, "boundary: login_loop"],
    ])
      test(`a loop of logins ends, and ${name}`, async ({
        page,
        app,
        scripted,
        uncaught,
      }) => {
        await withoutClicks(page);
        await prepare(page, app, scripted, { bare, lost: "/callback" });
        await visit(page, app, "/members", text);
        await nothingMore(page, scripted, 3);
        expect(
          uncaught.splice(0).filter((text) => !/AuthError/.test(text)),
        ).toEqual([]);
      });

    test("a page that the Back button brings back does what a page that is loaded anew does", async ({
      page,
      app,
      scripted,
    }) => {
      await prepare(page, app, scripted, { stay: true });
      await visit(page, app, "/members", "fallback");
      const left = () => page.evaluate(() => window.left.length);
      await expect.poll(left).toBe(1);
      await page.evaluate(() =>
        dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })),
      );
      await expect.poll(left).toBe(2);
      await shows(page, "fallback");
      // Where nobody waits any more, nothing is started.
      await page.evaluate(() => go("/"));
      await shows(page, "home");
      await page.evaluate(() =>
        dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })),
      );
      await page.waitForTimeout(500);
      expect(await left()).toBe(2);
    });

    test("a login that the application aborts is not started again", async ({
      page,
      app,
      scripted,
    }) => {
      await prepare(page, app, scripted, { aborted: true });
      await visit(page, app, "/members", "error: aborted");
      await nothingMore(page, scripted, 0);
    });

    test("outside of a provider useAuth names what was forgotten", async ({
      page,
      app,
      scripted,
      uncaught,
    }) => {
      await prepare(page, app, scripted);
      await visit(page, app, "/alone", "boundary: invalid_config AuthProvider");
      expect(
        uncaught.splice(0).filter((text) => !/AuthError/.test(text)),
      ).toEqual([]);
    });

    test("takes over what a server rendered, without a complaint, and then shows who is signed in", async ({
      page,
      app,
      scripted,
    }) => {
      const said = complaints(page);
      await prepare(page, app, scripted, { wait: true });
      await visit(page, app, "/members", "member: alice");
      const html = await render("/members");
      expect(html).toContain("fallback");
      serve(app, "/members", html);
      await visit(page, app, "/members", "member: alice");
      expect(await page.locator("#root main").count()).toBe(1);
      expect(said).toEqual([]);
    });
  });
}
