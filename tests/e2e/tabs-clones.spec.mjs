// Clones: tabs with a copy of one sessionStorage, at a provider that rotates refresh tokens and ends a family at the first reuse.

import { quick } from "../support/fixtures.mjs";
import { expect, tabsIn, test } from "../support/tabs.mjs";

test.use(quick);

test("a thousand calls at once are one refresh", async ({ tabs }) => {
  const all = await tabs();
  const page = await all.signedIn();
  await all.expire([page]);
  all.op.control.setDelay("token", 100);
  const tokens = await page.evaluate(() =>
    Promise.all(Array.from({ length: 1000 }, () => auth.getAccessToken())),
  );
  expect(new Set(tokens).size).toBe(1);
  expect(all.refreshes).toBe(1);
  await all.expectValid([page]);
});

for (const count of [10, 50])
  test(`${count} clones, with one closed, one frozen and one in the back/forward cache, are refreshed by one request`, async ({
    tabs,
    ownBrowser,
    browserName,
  }) => {
    test.setTimeout(90_000);
    const all = await tabs({ context: await ownBrowser.start() });
    const first = await all.signedIn();
    const awake = [first, ...(await all.clones(first, count - 1))];
    const closed = awake.pop();
    const stored = await closed.evaluate(() => window.stored());
    await closed.close();
    // A page that others were opened from stays out of the back/forward cache.
    const cached = await tabsIn.cache(all, await all.duplicate(first));
    const frozen =
      browserName === "chromium"
        ? await tabsIn.ice(all, await all.duplicate(first))
        : undefined;
    if (!frozen) console.log("not frozen: Firefox's driver cannot");

    await all.expire([...awake, ...(frozen ? [frozen.page] : [])]);
    all.op.control.setDelay("token", 50);
    const [{ token }] = await all.expectValid(awake);
    expect(all.refreshes).toBe(1);

    const back = [
      await all.reopened(stored),
      ...(await cached.back()),
      ...(frozen ? [await frozen.resume()] : []),
    ];
    const calls = await all.expectValid(back);
    expect(calls.map((call) => call.token)).toEqual(back.map(() => token));
    expect(all.refreshes).toBe(1);

    // And all of them are of one family still.
    await all.expire([...awake, ...back]);
    await all.expectValid([...awake, ...back]);
    expect(all.refreshes).toBe(2);
  });

test("a tab that is reopened with its old storage after two rotations is valid, and refreshes with the others", async ({
  tabs,
}) => {
  const all = await tabs();
  const first = await all.signedIn();
  const stored = await first.evaluate(() => window.stored());
  for (const refreshes of [1, 2]) {
    await all.expire([first]);
    await all.expectValid([first]);
    expect(all.refreshes).toBe(refreshes);
  }
  const old = await all.reopened(stored);
  const [{ token }] = await all.expectValid([old]);
  expect(token).toBe((await all.expectValid([first]))[0].token);
  expect(all.refreshes).toBe(2);
  await all.expire([first, old]);
  await all.expectValid([old, first]);
  expect(all.refreshes).toBe(3);
});

test("the last tab, closed and reopened with its old storage after two rotations, finds its session in the mailbox", async ({
  tabs,
}) => {
  const all = await tabs();
  const first = await all.signedIn();
  const stored = await first.evaluate(() => window.stored());
  for (let times = 0; times < 2; times += 1) {
    await all.expire([first]);
    await all.expectValid([first]);
  }
  await first.close();
  // Its tokens are over as well: it has to send a refresh token, and the right one.
  all.clocks.passed += 100_000;
  const reopened = await all.reopened(stored);
  await all.expectValid([reopened]);
  expect(all.refreshes).toBe(3);
  expect(all.refusals).toBe(0);
});
