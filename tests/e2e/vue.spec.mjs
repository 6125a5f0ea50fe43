// Vue 3 and its router, in a browser.

import { testOf } from "../frameworks/bundle.mjs";
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
} from "../frameworks/driver.mjs";
import { signInReallyFrom } from "../frameworks/really.mjs";
import { renderVue } from "../frameworks/server.mjs";
import { test as base, expect, quick } from "../support/fixtures.mjs";

const test = testOf(base, "vue.js");

test.use(quick);

/** Follows a route, and gives what became of it: a failed navigation's error, by its code. */
const push = (page, path) =>
  page.evaluate(async (path) => {
    const outcome = await router.push(path).catch(({ code }) => code);
    return typeof outcome === "object" ? "cancelled" : outcome;
  }, path);

for (const [name, setup, path] of [
  ["", {}, "/members/7?tab=2#part"],
  [" of a router with a base", { base: "/base" }, "/base/members/7?tab=2#part"],
  [" of a router with a hash", { hash: true }, "/#/members/7?tab=2#part"],
])
  test(`a guarded route${name} signs in by one login, and comes back to its place`, async ({
    page,
    app,
    scripted,
  }) => {
    const redirectUri = `${app.url}${setup.base ?? ""}/`;
    await prepare(page, app, scripted, { ...setup, more: { redirectUri } });
    await visit(page, app, path, "member: alice");
    expect(page.url()).toBe(app.url + path);
    expect(logins(scripted)).toBe(1);
    expect(scripted.count("token")).toBe(1);
    // Loaded anew it is the same place.
    await page.reload();
    await shows(page, "member: alice");
    expect(await page.evaluate(() => router.currentRoute.value.params.id)).toBe(
      "7",
    );
    expect(logins(scripted)).toBe(1);
  });

for (const [name, setup, start] of [
  ["", {}, ""],
  [" of a router with a base", { base: "/base" }, "/base"],
  [" of a router with a hash", { hash: true }, "/#"],
])
  test(`a guarded route${name} that is followed from another comes back to itself`, async ({
    page,
    app,
    scripted,
  }) => {
    const redirectUri = `${app.url}${setup.base ?? ""}/`;
    await prepare(page, app, scripted, { ...setup, more: { redirectUri } });
    await visit(page, app, `${start}/elsewhere?a=b`, "home");
    await page.evaluate(() => void router.push("/members/7?tab=2#part"));
    await shows(page, "member: alice");
    expect(page.url()).toBe(`${app.url}${start}/members/7?tab=2#part`);
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
    await page.goto(`${app.url}/members/7`);
    if (!handles) {
      await page.waitForURL((url) => url.searchParams.has("state"));
      await nothingMore(page, scripted, 1);
      await page.evaluate(() => void auth.handleCallback());
    }
    await shows(page, "member: alice");
    expect(page.url()).toBe(`${app.url}/members/7`);
    expect(logins(scripted)).toBe(1);
  });

test("a silent login that the provider refuses is not tried again", async ({
  page,
  app,
  scripted,
}) => {
  const redirectUri = `${app.url}/callback`;
  const login = { prompt: "none" };
  scripted.answerNext("authorization", (req) => {
    const asked = new URL(req.url, scripted.issuer).searchParams;
    const back = new URL(asked.get("redirect_uri"));
    back.searchParams.set("error", "login_required");
    back.searchParams.set("state", asked.get("state"));
    back.searchParams.set("iss", scripted.issuer);
    return { redirect: back.href };
  });
  await prepare(page, app, scripted, { login, more: { redirectUri } });
  await visit(page, app, "/members", "home");
  await expect(page.locator("header")).toHaveText("interactionRequired");
  expect(await push(page, "/members")).toBe("authorization_error");
  await nothingMore(page, scripted, 1);
});

test("signs in at a provider of the real kind", async ({ page, app, op }) => {
  await prepare(page, app, op);
  await signInReallyFrom(page, app, "/members/7");
  await shows(page, "member: ");
  expect(page.url()).toBe(`${app.url}/members/7`);
});

test("a route that nobody guards starts no login", async ({
  page,
  app,
  scripted,
}) => {
  await prepare(page, app, scripted);
  await visit(page, app, "/", "home");
  await expect(page.locator("header")).toHaveText("noSession");
  await nothingMore(page, scripted, 0);
});

test("after a failed callback guarded routes fail with its error, and start no login", async ({
  page,
  app,
  scripted,
}) => {
  await prepare(page, app, scripted);
  refuseCode(scripted);
  await visit(page, app, "/members", "home");
  await expect(page.locator("header")).toHaveText("callbackFailed");
  expect(await push(page, "/members")).toBe("token_error");
  expect(await page.evaluate(() => failures)).toEqual(["token_error "]);
  await shows(page, "home");
  await nothingMore(page, scripted, 1);
});

test("after a failed callback guarded routes lead to where the application says, and start no login", async ({
  page,
  app,
  scripted,
}) => {
  const redirectUri = `${app.url}/members`;
  await prepare(page, app, scripted, {
    signedOut: "/bye",
    more: { redirectUri },
  });
  refuseCode(scripted);
  await visit(page, app, "/members", "bye token_error");
  expect(page.url()).toBe(`${app.url}/bye`);
  await nothingMore(page, scripted, 1);
  expect(await page.evaluate(() => failures)).toEqual([]);
});

test("after a logout guarded routes are cancelled, and start no login", async ({
  page,
  app,
  scripted,
}) => {
  await prepare(page, app, scripted);
  await visit(page, app, "/members", "member: alice");
  await page.evaluate(() => auth.logout({ local: true }));
  await shows(page, "nobody null");
  expect(await push(page, "/members/7")).toBe("cancelled");
  expect(page.url()).toBe(`${app.url}/members`);
  await nothingMore(page, scripted, 1);
});

test("a logout that comes back to a guarded route ends where the application says", async ({
  page,
  app,
  scripted,
}) => {
  const postLogoutRedirectUri = `${app.url}/members`;
  const more = { postLogoutRedirectUri };
  await prepare(page, app, scripted, { signedOut: { path: "/bye" }, more });
  await visit(page, app, "/members", "member: alice");
  await page.click("text=log out");
  await shows(page, "bye");
  await expect(page.locator("header")).toHaveText("loggedOut");
  await nothingMore(page, scripted, 1);
  await page.click("text=sign in");
  await page.waitForFunction(() => window.auth?.state.status === "signedIn");
  expect(logins(scripted)).toBe(2);
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
  await shows(page, "nobody null");
  await expect(page.locator("header")).toHaveText("loggedOutElsewhere");
  await nothingMore(page, scripted, 2);
});

test("listens to the client as long as its scope lives, and no longer", async ({
  page,
  app,
  scripted,
}) => {
  await prepare(page, app, scripted);
  await visit(page, app, "/members", "member: alice");
  const subscribers = () => page.evaluate(() => counts.subscribers);
  // The status and the page.
  expect(await subscribers()).toBe(2);
  await page.evaluate(() => router.push("/"));
  await shows(page, "home");
  expect(await subscribers()).toBe(1);
  await page.evaluate(() => {
    window.scope = effectScope();
    window.outside = scope.run(() => useAuth());
  });
  expect(await subscribers()).toBe(2);
  const user = () => page.evaluate(() => outside.user.value?.sub ?? null);
  expect(await user()).toBe("alice");
  await page.evaluate(() => scope.stop());
  expect(await subscribers()).toBe(1);
  await page.evaluate(() => app.unmount());
  expect(await subscribers()).toBe(0);
});

test("a loop of logins ends, and the router hears of it", async ({
  page,
  app,
  scripted,
}) => {
  await withoutClicks(page);
  await prepare(page, app, scripted, { lost: "/callback" });
  await page.goto(`${app.url}/members`);
  await expect.poll(() => logins(scripted)).toBe(3);
  await page.waitForFunction(() => window.failures?.length > 0);
  expect(await page.evaluate(() => failures)).toEqual(["login_loop "]);
  await nothingMore(page, scripted, 3);
});

test("a page that the Back button brings back does what a page that is loaded anew does", async ({
  page,
  app,
  scripted,
}) => {
  await prepare(page, app, scripted, { stay: true });
  const left = () => page.evaluate(() => window.left.length);
  const back = () =>
    page.evaluate(() =>
      dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })),
    );
  await page.goto(`${app.url}/members`);
  await page.waitForFunction(() => window.left?.length === 1);
  await back();
  await expect.poll(left).toBe(2);
  // Where another route was shown when it was left, it stays there.
  await visit(page, app, "/", "home");
  await page.evaluate(() => {
    window.outcome = router.push("/members").then(String);
  });
  await expect.poll(left).toBe(1);
  await back();
  expect(await page.evaluate(() => outcome)).toContain("Navigation aborted");
  await page.waitForTimeout(500);
  expect(await left()).toBe(1);
  await shows(page, "home");
  expect(page.url()).toBe(`${app.url}/`);
});

test("a login that the application aborts is not started again", async ({
  page,
  app,
  scripted,
}) => {
  await prepare(page, app, scripted, { aborted: true });
  await visit(page, app, "/", "home");
  expect(await push(page, "/members")).toBe("aborted");
  await nothingMore(page, scripted, 0);
});

test("without the plugin useAuth names what was forgotten", async ({
  page,
  app,
  scripted,
}) => {
  await prepare(page, app, scripted, { alone: true });
  await page.goto(app.url);
  await page.waitForFunction(() => window.failures?.length > 0);
  const forgotten = "invalid_config createAuthPlugin";
  expect(await page.evaluate(() => failures)).toContain(forgotten);
});

test("takes over what a server rendered, without a complaint, and then shows who is signed in", async ({
  page,
  app,
  scripted,
}) => {
  const said = complaints(page);
  await prepare(page, app, scripted);
  await visit(page, app, "/members", "member: alice");
  const html = await renderVue("/members");
  expect(html).toContain("nobody");
  serve(app, "/members", html);
  await visit(page, app, "/members", "member: alice");
  await expect(page.locator("header")).toHaveText("signedIn");
  expect(await page.locator("#root main").count()).toBe(1);
  expect(said).toEqual([]);
});
