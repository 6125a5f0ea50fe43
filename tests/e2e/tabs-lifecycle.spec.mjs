// What happens in one tab reaches those that it is for, whether they are awake, frozen or in the back/forward cache, and also in the middle of a refresh.

import {
  call,
  open,
  requestUrl,
  handle,
  untilState,
} from "../support/driver.mjs";
import { quick } from "../support/fixtures.mjs";
import { authorize } from "../support/sign-in.mjs";
import { expect, state, tabsIn, test, watchAnswers } from "../support/tabs.mjs";

test.use(quick);

/** Logs out without leaving the page. */
const logOut = (page) =>
  page.evaluate(() => auth.logout({ navigate: () => {} }));

/** Waits until each of these tabs shows nobody, and holds nothing. */
async function expectSignedOut(all, pages, reason = "loggedOutElsewhere") {
  for (const page of pages) {
    await untilState(page, "signedOut");
    expect(await state(page)).toMatchObject({ user: null, reason });
    const { error } = await call(page, "getAccessToken");
    expect(error).toMatchObject({
      code: "login_required",
      details: { reason },
    });
    const held = await page.evaluate(
      ([storage, key]) => window[storage].getItem(key),
      [all.storage ?? "sessionStorage", all.key],
    );
    expect(held).toBeNull();
  }
}

test("a tab that is frozen while it looks into the mailbox keeps nobody waiting", async ({
  tabs,
  ownBrowser,
  browserName,
}) => {
  test.skip(browserName === "firefox", "Firefox's driver freezes no page");
  const all = await tabs({ context: await ownBrowser.start() });
  const first = await all.signedIn();
  const frozen = await tabsIn.ice(all, await all.duplicate(first));
  // As if it had begun just before: what it asks for is answered, and it cannot hear of that.
  await frozen.page.evaluate(() => void dispatchEvent(new Event("focus")));
  const stored = await first.evaluate(() => window.stored());
  await all.expire([first, frozen.page]);
  const [{ token }] = await all.expectValid([first]);
  const began = Date.now();
  const back = [await all.reopened(stored), await frozen.resume()];
  const calls = await all.expectValid(back);
  expect(calls.map((call) => call.token)).toEqual([token, token]);
  expect(all.refreshes).toBe(1);
  // Whoever waits for a transaction does so for ten seconds.
  expect(Date.now() - began).toBeLessThan(10_000);
});

test.describe("a logout", () => {
  test("reaches clones and other tabs of the same user at once, and no tab of another user", async ({
    tabs,
  }) => {
    const all = await tabs();
    const first = await all.signedIn();
    const clones = await all.clones(first, 2);
    const duplicate = await all.duplicate(first);
    const signedInApart = await all.signedIn();
    const bob = await all.signedIn("bob");
    const alices = [first, ...clones, duplicate, signedInApart];
    await logOut(clones[0]);
    await expectSignedOut(all, [clones[0]], "loggedOut");
    await expectSignedOut(
      all,
      alices.filter((page) => page !== clones[0]),
    );
    await all.expectValid([bob], "bob");
    await all.expire([bob]);
    await all.expectValid([bob], "bob");
  });

  test("reaches tabs of one localStorage", async ({ tabs }) => {
    const all = await tabs({ storage: "localStorage" });
    const first = await all.signedIn();
    const others = [await all.unrelated(), await all.unrelated()];
    await logOut(others[0]);
    await expectSignedOut(all, [others[0]], "loggedOut");
    await expectSignedOut(all, [first, others[1]]);
    expect((await state(await all.unrelated())).status).toBe("signedOut");
  });

  test("reaches a tab that was closed, when it is reopened with its old storage", async ({
    tabs,
  }) => {
    const all = await tabs();
    const first = await all.signedIn();
    const stored = await first.evaluate(() => window.stored());
    await logOut(first);
    const reopened = await all.reopened(stored);
    // Its view is fresh, so it may be shown until the Rust side has looked.
    await call(reopened, "preload");
    await expectSignedOut(all, [reopened]);
    // A clone of what was left stays signed out, also after a new sign-in.
    await all.signIn(first);
    await call(reopened, "getAccessToken");
    expect((await state(reopened)).status).toBe("signedOut");
    await all.expectValid([first]);
  });

  test("reaches a tab in the back/forward cache before it shows anybody", async ({
    tabs,
    ownBrowser,
  }) => {
    const all = await tabs({ context: await ownBrowser.start() });
    const first = await all.signedIn();
    const cached = await tabsIn.cache(all, await all.duplicate(first));
    await logOut(first);
    await expectSignedOut(all, await cached.back());
  });

  test("reaches a frozen tab when it is resumed", async ({
    tabs,
    ownBrowser,
    browserName,
  }) => {
    test.skip(browserName === "firefox", "Firefox's driver freezes no page");
    const all = await tabs({ context: await ownBrowser.start() });
    const first = await all.signedIn();
    const frozen = await tabsIn.ice(all, await all.duplicate(first));
    await logOut(first);
    await expectSignedOut(all, [await frozen.resume()]);
  });

  for (const storage of [undefined, "localStorage"])
    for (const who of ["itself", "another tab"])
      test(`of ${who} in mid-refresh, over ${storage ?? "sessionStorage"}: the answer changes nothing, and its refresh token is revoked`, async ({
        tabs,
      }) => {
        const all = await tabs({ storage, options: { refresh: "onDemand" } });
        const page = await all.signedIn();
        const other = storage
          ? await all.unrelated()
          : (await all.clones(page, 1))[0];
        await all.expire([page, other]);
        const { answers, next, hold } = watchAnswers(all.op);
        let leaves;
        hold(new Promise((resolve) => (leaves = resolve)));
        const answered = next();
        await page.evaluate(() => {
          window.refreshing = attempt(() => auth.getAccessToken());
        });
        await answered;
        await logOut(who === "itself" ? page : other);
        await untilState(page, "signedOut");
        leaves();
        const { error } = await page.evaluate(() => window.refreshing);
        expect(error.code).toBe("login_required");
        const [{ refreshToken }] = answers;
        const revoked = () =>
          all.op.control.requests
            .filter(({ endpoint }) => endpoint === "revocation")
            .some(({ body }) => body.includes(refreshToken));
        await expect.poll(revoked).toBe(true);
        await expectSignedOut(
          all,
          [page],
          who === "itself" ? "loggedOut" : "loggedOutElsewhere",
        );
        expect((await state(other)).status).toBe("signedOut");
      });
});

test.describe("a sign-in in mid-refresh", () => {
  for (const storage of [undefined, "localStorage"])
    for (const user of ["alice", "bob"])
      for (const order of ["before", "after"])
        test(`of ${user} over alice's session in ${storage ?? "a cloned sessionStorage"}, ${order} the answer, leaves every tab with a session of its own user`, async ({
          tabs,
        }) => {
          const all = await tabs({ storage, options: { refresh: "onDemand" } });
          const page = await all.signedIn();
          const other = storage
            ? await all.unrelated()
            : (await all.clones(page, 1))[0];
          await all.expire([page, other]);
          const { next, hold } = watchAnswers(all.op);
          let leaves;
          hold(new Promise((resolve) => (leaves = resolve)));
          const answered = next();
          const back = await authorize(
            await requestUrl(other),
            all.op.issuer,
            user,
          );
          await page.evaluate(() => {
            window.refreshing = attempt(() => auth.getAccessToken());
          });
          await answered;
          hold(undefined);
          if (order === "after") leaves();
          const { error } = await handle(other, back);
          expect(error).toBeUndefined();
          await all.expectValid([other], user);
          leaves();
          await page.evaluate(() => window.refreshing);
          // A sessionStorage is each tab's own: another user in one leaves the others.
          const shown = storage ? user : "alice";
          await expect
            .poll(async () => (await state(page)).user?.sub)
            .toBe(shown);
          await all.expectValid([page], shown);
          await all.expectValid([other], user);
          await all.expire([page, other]);
          await all.expectValid([page], shown);
          await all.expectValid([other], user);
          expect(all.refusals).toBe(0);
        });
});

test("offline, the user stays known and nothing leaves the page; back online, the tabs are fresh by one request", async ({
  tabs,
  context,
}) => {
  const all = await tabs();
  const page = await all.signedIn();
  const [clone] = await all.clones(page, 1);
  const pages = [page, clone];
  await context.setOffline(true);
  await all.expire(pages);
  const urls = pages.map((page) => page.url());
  const [first] = await all.wake(pages);
  expect(first.error).toMatchObject({ code: "network", retryable: true });
  for (const page of pages) {
    await untilState(page, "signedIn", "stale");
    expect(await state(page)).toMatchObject({ user: { sub: "alice" } });
  }
  expect(all.refreshes).toBe(0);
  await context.setOffline(false);
  for (const page of pages) await untilState(page, "signedIn", "fresh");
  await all.expectValid(pages);
  expect(all.refreshes).toBe(1);
  expect(pages.map((page) => page.url())).toEqual(urls);
});

test("a tab that is opened offline with an expired session shows its user", async ({
  tabs,
  context,
}) => {
  const all = await tabs();
  const page = await all.signedIn();
  await all.expire([page]);
  await open(page, all.app);
  all.op.control.failNext("discovery", "reset", Infinity);
  all.op.control.failNext("token", "reset", Infinity);
  expect(await all.begin(page)).toMatchObject({
    status: "signedIn",
    freshness: "stale",
    user: { sub: "alice" },
  });
  all.op.control.clearFaults();
  await page.evaluate(() => dispatchEvent(new Event("online")));
  await untilState(page, "signedIn", "fresh");
  await all.expectValid([page]);
});

test("a tab that goes into the back/forward cache in mid-refresh comes back valid, and its clones were not kept waiting", async ({
  tabs,
  ownBrowser,
  app,
}) => {
  const all = await tabs({
    context: await ownBrowser.start(),
    options: { refresh: "onDemand" },
  });
  const first = await all.signedIn();
  const leaver = await all.duplicate(first);
  await all.expire([first, leaver]);
  // It was not handled: nothing is rotated.
  all.op.control.failNext("token", "hang");
  await leaver.evaluate(() => void auth.getAccessToken().catch(() => {}));
  await expect.poll(() => all.refreshes).toBe(1);
  await leaver.goto(`${app.url}/frame?src=about:blank`);
  await all.expectValid([first]);
  await leaver.evaluate(() => history.back());
  // Engines may have thrown it out of the cache; then it begins anew.
  await leaver.waitForFunction(() => "createAuth" in window);
  if (await leaver.evaluate(() => !window.auth)) await all.begin(leaver);
  await all.expectValid([leaver]);
  expect(all.refreshes).toBe(2);
  expect(all.refusals).toBe(0);
});
