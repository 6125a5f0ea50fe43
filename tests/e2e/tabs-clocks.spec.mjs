// Device clocks that are a day off, all tabs of a device alike.

import { handle, open, requestUrl } from "../support/driver.mjs";
import { quick } from "../support/fixtures.mjs";
import { authorize } from "../support/sign-in.mjs";
import { expect, state, test } from "../support/tabs.mjs";

test.use(quick);

const DAY = 86_400_000;

for (const [name, off] of [
  ["ahead", DAY],
  ["behind", -DAY],
]) {
  for (const how of ["jumps", "is wrong at the start"])
    test(`a stored session lives on where the clock ${how}, a day ${name}: one refresh, then quiet`, async ({
      tabs,
    }) => {
      const all = await tabs();
      const first = await all.signedIn();
      const pages = [first, ...(await all.clones(first, 2))];
      all.clocks.ahead = off;
      if (how === "jumps") await all.setClocks(pages);
      else await Promise.all(pages.map((page) => all.open(page)));
      await all.expectValid(pages);
      expect(all.refreshes).toBeLessThanOrEqual(1);
      const { refreshes } = all;
      for (let times = 0; times < 5; times += 1) {
        await Promise.all(
          pages.map((page) =>
            page.evaluate(() => {
              dispatchEvent(new Event("focus"));
              document.dispatchEvent(new Event("visibilitychange"));
            }),
          ),
        );
        await all.expectValid(pages);
      }
      expect(all.refreshes).toBe(refreshes);
      // It still knows when a token is over, and survives that the clock is put right.
      await all.expire(pages);
      await all.expectValid(pages);
      expect(all.refreshes).toBe(refreshes + 1);
      all.clocks.ahead = 0;
      await all.setClocks(pages);
      await all.expectValid(pages);
      expect(all.refreshes).toBeLessThanOrEqual(refreshes + 2);
      expect(all.refusals).toBe(0);
    });

  test(`a sign-in where the clock is a day ${name} is refused once, with the skew, and not repeated`, async ({
    tabs,
    app,
    op,
  }) => {
    const all = await tabs();
    all.clocks.ahead = off;
    const page = await all.unrelated();
    const back = await authorize(await requestUrl(page), op.issuer, "alice");
    const { error } = await handle(page, back);
    expect(error).toMatchObject({ code: "invalid_id_token" });
    const { skewSeconds } = error.details;
    // What the clock of this device shows, against the provider's.
    expect(Math.abs(Math.abs(skewSeconds) - DAY / 1000)).toBeLessThan(4000);
    expect(await state(page)).toMatchObject({
      status: "signedOut",
      reason: "callbackFailed",
      error: { code: "invalid_id_token", details: { skewSeconds } },
    });
    await open(page, app);
    expect(await all.begin(page)).toMatchObject({ status: "signedOut" });
    expect(op.control.count("token")).toBe(1);
    expect(op.control.count("authorization")).toBeLessThanOrEqual(3);
  });
}
