// The same where Web Locks are missing or refuse, where IndexedDB is missing, and without both.

import { quick } from "../support/fixtures.mjs";
import { call, untilMoment, untilState } from "../support/driver.mjs";
import { expect, state, tally, test, TIMES } from "../support/tabs.mjs";

test.use(quick);

const without = {
  "without Web Locks": { lacks: ["locks"], warning: "no_locks" },
  "where Web Locks refuse": { lacks: ["lock requests"], warning: "no_locks" },
  "without IndexedDB": { lacks: ["indexedDB"], warning: "no_mailbox" },
};

for (const [name, { lacks, warning }] of Object.entries(without))
  test.describe(name, () => {
    for (const storage of [undefined, "localStorage"])
      test(`ten tabs over ${storage ?? "cloned sessionStorages"} are refreshed by one request, twice; a logout reaches them`, async ({
        tabs,
      }) => {
        const all = await tabs({ storage, lacks });
        const first = await all.signedIn();
        const others = storage
          ? await all.unrelatedTo(first, 9)
          : await all.clones(first, 9);
        const pages = [first, ...others];
        all.op.control.setDelay("token", 50);
        for (const times of [1, 2]) {
          await all.expire(pages);
          await all.expectValid(pages);
          expect(all.refreshes).toBe(times);
        }
        const warned = await Promise.all(
          pages.map((page) =>
            page.evaluate(() =>
              moments.filter(({ type }) => type === "warning"),
            ),
          ),
        );
        expect(warned.flat()).toContainEqual(
          expect.objectContaining({ code: warning }),
        );
        await others[0].evaluate(() => auth.logout({ navigate: () => {} }));
        for (const page of pages) await untilState(page, "signedOut");
      });

    test("the winner, closed right after its answer, leaves the session to the others", async ({
      tabs,
    }) => {
      const all = await tabs({ lacks, options: { refresh: "onDemand" } });
      const first = await all.signedIn();
      const winner = await all.duplicate(first);
      await all.expire([first, winner]);
      await winner.evaluate(() => auth.getAccessToken().then(() => {}));
      await winner.close();
      await all.expectValid([first]);
      expect(all.refreshes).toBe(1);
    });
  });

test("without Web Locks and without IndexedDB tabs do what they can", async ({
  tabs,
}) => {
  test.setTimeout(30_000 + TIMES * 8_000);
  const all = await tabs({
    lacks: ["locks", "indexedDB"],
    options: { refresh: "onDemand" },
  });
  let kept = 0;
  let refreshes = 0;
  for (let round = 0; round < TIMES; round += 1) {
    const first = await all.signedIn();
    const pages = [first, ...(await all.clones(first, 3))];
    expect((await untilMoment(first, "warning")).code).toMatch(/^no_/);
    all.op.control.resetCounters();
    all.op.control.setDelay("token", 50);
    await all.expire(pages);
    const counted = tally(await all.wake(pages));
    if (counted["200 alice"] === pages.length) kept += 1;
    else console.log(`round ${round}:`, counted);
    refreshes += all.refreshes;
    for (const page of pages) await page.close();
  }
  console.log(
    `without both: ${kept} of ${TIMES} kept, ${refreshes} refreshes (best effort)`,
  );
  // Nothing is promised but that they try: one after the other is the rule, and not the luck.
  expect(kept).toBeGreaterThan(TIMES / 2);
});
