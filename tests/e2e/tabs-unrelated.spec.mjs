// Unrelated tabs, each in a process of its own, with one session in localStorage.

import { quick } from "../support/fixtures.mjs";
import { expect, state, tabsIn, test } from "../support/tabs.mjs";

test.use(quick);

const storage = "localStorage";

for (const count of [10, 50])
  test(`${count} unrelated tabs, with one closed, one frozen and one in the back/forward cache, are refreshed by one request`, async ({
    tabs,
    ownBrowser,
    browserName,
  }) => {
    test.setTimeout(90_000);
    const context = await ownBrowser.start();
    const all = await tabs({ context, storage });
    const first = await all.signedIn();
    const awake = [first, ...(await all.unrelatedTo(first, count - 1))];
    for (const page of awake.slice(1))
      expect((await state(page)).status).toBe("signedIn");
    if (browserName === "chromium")
      expect(await ownBrowser.renderers()).toBeGreaterThanOrEqual(count);
    else console.log("own processes: Firefox gives all tabs of a site a few");
    await awake.pop().close();
    const cached = await tabsIn.cache(all, await all.unrelated());
    const frozen =
      browserName === "chromium"
        ? await tabsIn.ice(all, await all.unrelated())
        : undefined;
    if (!frozen) console.log("not frozen: Firefox's driver cannot");

    await all.expire([...awake, ...(frozen ? [frozen.page] : [])]);
    all.op.control.setDelay("token", 50);
    const [{ token }] = await all.expectValid(awake);
    expect(all.refreshes).toBe(1);

    const back = [
      await all.unrelated(),
      ...(await cached.back()),
      ...(frozen ? [await frozen.resume()] : []),
    ];
    const calls = await all.expectValid(back);
    expect(calls.map((call) => call.token)).toEqual(back.map(() => token));
    expect(all.refreshes).toBe(1);

    await all.expire([...awake, ...back]);
    await all.expectValid([...awake, ...back]);
    expect(all.refreshes).toBe(2);
  });

for (const storage of [undefined, "localStorage"])
  test(`tabs over ${storage ?? "sessionStorage"} are kept fresh together, by the timer of one of them`, async ({
    tabs,
  }) => {
    const all = await tabs({ storage });
    all.op.control.setAccessTokenTtl(6);
    const first = await all.signedIn();
    const pages = [first, ...(await all.clones(first, 3))];
    const refreshed = (times) =>
      Promise.all(
        pages.map((page) =>
          page.waitForFunction(
            (times) =>
              moments.filter(({ type }) => type === "refreshed").length >=
              times,
            times,
          ),
        ),
      );
    for (const times of [1, 2]) {
      await refreshed(times);
      const states = await Promise.all(pages.map(state));
      expect(new Set(states.map(({ expiresAt }) => expiresAt)).size).toBe(1);
      expect(all.refreshes).toBe(times);
    }
    expect(all.refusals).toBe(0);
  });
