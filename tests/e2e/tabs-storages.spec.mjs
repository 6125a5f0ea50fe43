// Storages that are full, or lose what they were given, in one tab of several.

import { call, untilMoment } from "../support/driver.mjs";
import { quick } from "../support/fixtures.mjs";
import { dice, expect, SEED, state, test } from "../support/tabs.mjs";

test.use(quick);

for (const storage of [undefined, "localStorage"])
  test(`a full ${storage ?? "sessionStorage"} ends no session: the others have it from the mailbox`, async ({
    tabs,
  }) => {
    const all = await tabs({ storage, options: { refresh: "onDemand" } });
    const page = await all.signedIn();
    const other = storage ? await all.unrelated() : await all.duplicate(page);
    for (const one of storage ? [page, other] : [page])
      await one.evaluate(() => {
        const { setItem } = Storage.prototype;
        Storage.prototype.setItem = function (key, value) {
          if (key.includes(":session:"))
            throw new DOMException("full", "QuotaExceededError");
          return setItem.call(this, key, value);
        };
      });
    for (const times of [1, 2, 3]) {
      await all.expire([page, other]);
      await all.expectValid(times === 2 ? [other, page] : [page, other]);
      expect(all.refreshes).toBe(times);
    }
    expect(await untilMoment(page, "warning")).toMatchObject({
      code: "storage_fallback",
    });
    expect(all.refusals).toBe(0);
  });

test("a storage that loses one write in ten ends no session", async ({
  tabs,
  context,
}) => {
  // An object of the application's own, over a storage that all its tabs share.
  const losses = Array.from({ length: 500 }, dice("storage")).map(
    (random) => random < 0.1,
  );
  await context.addInitScript((losses) => {
    window.lost = 0;
    window.flaky = {
      getItem: (key) => localStorage.getItem(key),
      setItem(key, value) {
        if (losses.shift()) window.lost += 1;
        else localStorage.setItem(key, value);
      },
      removeItem: (key) => localStorage.removeItem(key),
    };
  }, losses);
  const all = await tabs({
    storage: "flaky",
    options: { refresh: "onDemand" },
  });
  const page = await all.signedIn();
  const other = await all.unrelated();
  const rounds = 30;
  for (let round = 1; round <= rounds; round += 1) {
    await all.expire([page, other]);
    await all.expectValid([page, other]);
    expect(all.refreshes, `seed ${SEED}`).toBe(round);
    if (round % 10 === 0) await all.open(round % 20 ? page : other);
  }
  const lost = await page.evaluate(() => window.lost);
  const lostByOther = await other.evaluate(() => window.lost);
  console.log(`writes lost: ${lost} and ${lostByOther} since the last reload`);
  expect(all.refusals).toBe(0);
  expect((await state(await all.unrelated())).status).toBe("signedIn");
  await call(page, "logout", { local: true });
});
