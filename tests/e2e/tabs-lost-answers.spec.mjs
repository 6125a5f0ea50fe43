// Answers to a refresh that never come: the page is reloaded, left or killed, the network goes, and the server may have rotated.

import { kill, reload } from "../support/crash.mjs";
import { open, untilState } from "../support/driver.mjs";
import { quick } from "../support/fixtures.mjs";
import { expect, state, tally, test, watchAnswers } from "../support/tabs.mjs";

test.use(quick);

/** Begins a refresh on a page that does not live to see its end, and waits until the server has it. */
async function beginRefresh(all, page) {
  const { refreshes } = all;
  await page.evaluate(() => void auth.getAccessToken().catch(() => {}));
  await expect.poll(() => all.refreshes).toBe(refreshes + 1);
}

const leaving = {
  "a reload": (all, page) => page.reload(),
  "a navigation": (all, page) =>
    page.goto(`${all.app.url}/frame?src=about:blank`),
};

for (const [name, leave] of Object.entries(leaving)) {
  test(`${name} in mid-refresh keeps a session whose refresh token the server did not rotate`, async ({
    tabs,
  }) => {
    const all = await tabs({ options: { refresh: "onDemand" } });
    const page = await all.signedIn();
    const [clone] = await all.clones(page, 1);
    await all.expire([page, clone]);
    all.op.control.failNext("token", "hang");
    await beginRefresh(all, page);
    await leave(all, page);
    await all.open(page);
    await all.expectValid([page, clone]);
    expect(all.refreshes).toBe(2);
    expect(all.refusals).toBe(0);
  });

  test(`${name} in mid-refresh, while the server rotates, ends the session as answerLost everywhere, after one question`, async ({
    tabs,
  }) => {
    const all = await tabs({ options: { refresh: "onDemand" } });
    const page = await all.signedIn();
    const [clone] = await all.clones(page, 1);
    await all.expire([page, clone]);
    const { answers } = watchAnswers(all.op);
    all.op.control.setDelay("token", 500);
    await beginRefresh(all, page);
    await expect.poll(() => answers.length).toBe(1);
    await leave(all, page);
    all.op.control.setDelay("token", 0);
    const calls = await all.wake([clone]);
    expect(tally(calls)).toEqual({ "login_required answerLost": 1 });
    await open(page, all.app);
    expect(await all.begin(page)).toMatchObject({ status: "signedOut" });
    expect(await state(clone)).toMatchObject({
      status: "signedOut",
      reason: "answerLost",
      error: { code: "token_error", details: { error: "invalid_grant" } },
    });
    // The one that was refused is not tried again.
    expect(all.refreshes).toBe(2);
    expect(all.refusals).toBe(1);
  });

  test(`${name} the moment the answer has come loses nothing`, async ({
    tabs,
  }) => {
    const all = await tabs({ options: { refresh: "onDemand" } });
    const page = await all.signedIn();
    const [clone] = await all.clones(page, 1);
    await all.expire([page, clone]);
    // In the turn of the answer, the page goes: nothing runs after that.
    const way = name === "a reload" ? "/" : "/frame?src=about:blank";
    await page.evaluate(
      ([way, key]) => {
        const { commit } = IDBTransaction.prototype;
        IDBTransaction.prototype.commit = function () {
          commit.call(this);
          const { grant } = JSON.parse(stored()[key]);
          if (grant.generation > 1 && !grant.unanswered) location.replace(way);
        };
        void auth.getAccessToken().catch(() => {});
      },
      [way, all.key],
    );
    await page.waitForFunction(() => !window.auth);
    await all.open(page);
    await all.expectValid([clone, page]);
    expect(all.refreshes).toBe(1);
  });
}

test("a network that goes in mid-refresh, before the server has rotated, costs nothing", async ({
  tabs,
}) => {
  const all = await tabs({ options: { refresh: "onDemand" } });
  const page = await all.signedIn();
  const [clone] = await all.clones(page, 1);
  await all.expire([page, clone]);
  // Engines send a request on a cut connection once more, or ten times, by themselves.
  all.op.control.failNext("token", "reset", Infinity);
  const [{ error }] = await all.wake([page]);
  expect(error).toMatchObject({ code: "network", retryable: true });
  expect(await state(page)).toMatchObject({
    status: "signedIn",
    freshness: "stale",
    user: { sub: "alice" },
  });
  all.op.control.clearFaults();
  await all.expectValid([clone]);
  await all.expectValid([page]);
  expect(all.refusals).toBe(0);
});

test("a network that goes after the server has rotated ends the session as answerLost, when the server has refused", async ({
  tabs,
}) => {
  const all = await tabs({ options: { refresh: "onDemand" } });
  const page = await all.signedIn();
  const [clone] = await all.clones(page, 1);
  await all.expire([page, clone]);
  all.op.control.failNext("token", "lose");
  const calls = await all.wake([page]);
  // Chromium sends it once more by itself, and sees only the refusal; the mark is there all the same.
  if (calls[0].error.code === "network") {
    expect((await state(page)).status).toBe("signedIn");
    await page.evaluate(() => attempt(() => auth.getAccessToken()));
  }
  await untilState(page, "signedOut");
  const { reason } = await state(page);
  expect(["answerLost", "refreshRejected"]).toContain(reason);
  await untilState(clone, "signedOut");
  expect(all.refusals).toBe(1);
});

/** Makes the page stand still for ever in the turn of the answer, at such a step; the page says so just before. */
const standStill = (page, step) =>
  page.evaluate((step) => {
    const stand = () => {
      const request = new XMLHttpRequest();
      request.open("GET", "/api/stands-still", false);
      request.send();
      for (;;);
    };
    const { setItem } = Storage.prototype;
    Storage.prototype.setItem = function (key, value) {
      const { grant } = JSON.parse(value);
      const isAnswer = grant?.generation > 1 && !grant.unanswered;
      if (step === "store" && isAnswer) stand();
      setItem.call(this, key, value);
    };
    const { add } = IDBObjectStore.prototype;
    let added = false;
    IDBObjectStore.prototype.add = function (letter, key) {
      if (step === "add" && key[1] > 1) stand();
      added = key[1] > 1;
      return add.call(this, letter, key);
    };
    const { commit } = IDBTransaction.prototype;
    IDBTransaction.prototype.commit = function () {
      commit.call(this);
      if (step === "release" && added) stand();
    };
  }, step);

const stops = {
  store: "between answer and store",
  add: "between store and mailbox",
  release: "as soon as the mailbox has it",
};

test.describe("a renderer that is killed", () => {
  test.skip(
    ({ browserName }) => browserName === "firefox",
    "Firefox's driver cannot kill a page's process",
  );

  for (const storage of [undefined, "localStorage"])
    for (const [call, name] of Object.entries(stops))
      test(`${name}, over ${storage ?? "sessionStorage"}, ${call === "store" ? "loses the session with the reason answerLost" : "loses nothing"}`, async ({
        tabs,
        context,
      }) => {
        const all = await tabs({ storage, options: { refresh: "onDemand" } });
        const other = await all.signedIn();
        const page = storage
          ? await all.unrelated()
          : await all.duplicate(other);
        await all.expire([page, other]);
        await standStill(page, call);
        const session = await context.newCDPSession(page);
        await session.send("Page.enable");
        await page.evaluate(
          () => void setTimeout(() => auth.getAccessToken().catch(() => {})),
        );
        const stood = () =>
          all.app.requests.some(({ path }) => path === "/api/stands-still");
        await expect.poll(stood).toBe(true);
        await kill(page, session);
        if (call === "store") {
          const calls = await all.wake([other]);
          expect(tally(calls)).toEqual({ "login_required answerLost": 1 });
          expect(all.refreshes).toBe(2);
          return;
        }
        // The tab is reloaded by its user, and has what it stored; the others have it from the mailbox.
        const reloaded = await reload(session);
        await reloaded.waitForFunction(() => "createAuth" in window);
        await all.begin(reloaded);
        const order = call === "add" ? [reloaded, other] : [other, reloaded];
        for (const one of order) await all.expectValid([one]);
        expect(all.refreshes).toBe(1);
      });
});
