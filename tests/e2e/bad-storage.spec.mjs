// A storage that is full, denied, damaged or newer: what can be kept is kept, and nothing is trusted that cannot be.

import {
  begin,
  call,
  expireStored,
  open,
  optionsFor,
  sessionKey,
  signIn,
  signInHere,
  store,
  storedIn,
  storedSession,
  untilMoment,
} from "../support/driver.mjs";
import { expect, quick, test } from "../support/fixtures.mjs";

test.use(quick);

const state = (page) => page.evaluate(() => plain(auth.state));

// ── The storage ─────────────────────────────────────────────────────────────

/** From now on every page refuses to store what a pattern fits. */
const full = (page, source) =>
  page.addInitScript((source) => {
    const { setItem } = Storage.prototype;
    window.refuses = new RegExp(source);
    Storage.prototype.setItem = function (key, value) {
      if (window.refuses?.test(key))
        throw new DOMException("full", "QuotaExceededError");
      return setItem.call(this, key, value);
    };
  }, source);

test.describe("a sessionStorage", () => {
  test("that is full refuses a login before it leaves", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await full(page, ".");
    await open(page, app);
    await begin(page, options);
    const outcome = await page.evaluate(async () => {
      let left = false;
      const { error } = await attempt(() =>
        auth.login({ navigate: () => (left = true) }),
      );
      return { left, error, stored: stored() };
    });
    expect(outcome).toMatchObject({
      left: false,
      error: { code: "storage", details: { operation: "write" } },
      stored: {},
    });
    expect(page.url()).toBe(`${app.url}/`);
    // The twin.
    await page.evaluate(() => (window.refuses = null));
    expect((await signInHere(page, scripted)).value.state.status).toBe(
      "signedIn",
    );
  });

  test("without room for the session lets it live in memory, with a warning", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await full(page, ":session:");
    await open(page, app);
    await begin(page, options);
    expect((await signInHere(page, scripted)).value.state.status).toBe(
      "signedIn",
    );
    expect(await untilMoment(page, "warning")).toMatchObject({
      code: "storage_fallback",
      hint: expect.stringMatching(/./),
    });
    expect((await storedSession(page, options)).text).toBeUndefined();
    const { value } = await call(page, "getAccessToken", {
      forceRefresh: true,
    });
    expect(value).toMatch(/^at-/);
    // Told once, however often it happens.
    const warnings = await page.evaluate(
      () => moments.filter(({ type }) => type === "warning").length,
    );
    expect(warnings).toBe(1);
  });

  test("that fills up later keeps no record whose refresh token is dead", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await full(page, "^$");
    await signIn(page, app, options);
    await page.evaluate(() => (window.refuses = /:session:/));
    const { value } = await call(page, "getAccessToken", {
      forceRefresh: true,
    });
    expect(value).toMatch(/^at-/);
    expect(await untilMoment(page, "warning")).toMatchObject({
      code: "storage_fallback",
    });
    expect((await storedSession(page, options)).text).toBeUndefined();
    expect((await state(page)).status).toBe("signedIn");
  });

  for (const how of ["property", "methods"])
    test(`that is denied (${how}) refuses logins with storage; nothing else breaks`, async ({
      page,
      app,
      scripted,
    }) => {
      const options = optionsFor(app, scripted);
      await page.addInitScript((how) => {
        const deny = () => {
          throw new DOMException("denied", "SecurityError");
        };
        if (how === "property")
          Object.defineProperty(window, "sessionStorage", { get: deny });
        else
          for (const name of ["getItem", "setItem", "removeItem"])
            Storage.prototype[name] = deny;
      }, how);
      await open(page, app);
      expect(await begin(page, options)).toMatchObject({
        status: "signedOut",
        reason: "noSession",
        error: null,
      });
      const { error } = await call(page, "login");
      expect(error).toMatchObject({
        code: "storage",
        details: { operation: "write" },
      });
      expect(page.url()).toBe(`${app.url}/`);
      const prefix = await page.evaluate(() =>
        auth.isCallback("/callback?code=x&state=cs-0-x"),
      );
      expect(prefix).toBe(false);
      expect(await call(page, "logout", { local: true })).toEqual({});
    });
});

// ── Stored sessions ─────────────────────────────────────────────────────────

test.describe("a stored session", () => {
  test("T29: that is truncated or of another type counts as none, and is left alone", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await signIn(page, app, options);
    const { text, record } = await storedSession(page, options);
    const changed = (change) => {
      const copy = structuredClone(record);
      change(copy);
      return JSON.stringify(copy);
    };
    const damaged = [
      ...[1, 2, 20, 0.25, 0.5, 0.75].map((part) =>
        text.slice(0, part < 1 ? Math.floor(text.length * part) : part),
      ),
      text.slice(0, -1),
      `${text}x`,
      "null",
      "7",
      "[]",
      "{}",
      '"text"',
      "\u0000",
      "[".repeat(100_000),
      changed((copy) => (copy.v = 0)),
      changed((copy) => (copy.v = "1")),
      changed((copy) => delete copy.view),
      changed((copy) => delete copy.grant),
      changed((copy) => (copy.view.tokens = [])),
      changed((copy) => (copy.view.tokens = {})),
      changed((copy) => (copy.view.tokens[""].access_token = 7)),
      changed((copy) => (copy.view.tokens[""].received_at = "now")),
      changed((copy) => (copy.view.user = { sub: 7 })),
      changed((copy) => (copy.view.scope = "openid")),
      changed((copy) => (copy.grant.family = "short")),
      changed((copy) => (copy.grant.family_key = null)),
      changed((copy) => (copy.grant.refresh_token = {})),
      changed((copy) => (copy.grant.generation = 7)),
    ];
    const asked = scripted.requests.length;
    await page.evaluate(() => auth.dispose());
    for (const [index, bytes] of damaged.entries()) {
      const row = `${index}: ${bytes.slice(0, 40)}`;
      await store(page, options, bytes);
      await begin(page, options);
      // The facade may have believed the view for a moment; the Rust side has the last word.
      const preloaded = await call(page, "preload");
      expect.soft(preloaded, row).toEqual({});
      expect.soft(await state(page), row).toMatchObject({
        status: "signedOut",
        reason: "noSession",
        error: null,
      });
      const { error } = await call(page, "getAccessToken");
      expect.soft(error, row).toMatchObject({ code: "login_required" });
      const after = (await storedIn(page))[sessionKey(options)];
      expect.soft(after, row).toBe(bytes);
      await page.evaluate(() => auth.dispose());
    }
    expect(scripted.requests.length).toBe(asked);
    // The twin: as it was, it is a session; and over a damaged one a sign-in writes.
    await store(page, options, text);
    expect((await begin(page, options)).status).toBe("signedIn");
    await page.evaluate(() => auth.dispose());
    await store(page, options, text.slice(0, 50));
    await begin(page, options);
    await signInHere(page, scripted);
    expect((await storedSession(page, options)).record.v).toBe(1);
  });

  test("of a newer version is neither read, nor overwritten, nor removed", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await signIn(page, app, options);
    const { text } = await storedSession(page, options);
    const newer = text.replace('"v":1', '"v":2');
    expect(newer).not.toBe(text);
    await store(page, options, newer);
    await open(page, app);
    expect(await begin(page, options)).toMatchObject({
      status: "signedOut",
      reason: "noSession",
    });
    // A sign-in lives in memory, says so, and refreshes there.
    expect((await signInHere(page, scripted)).value.state.status).toBe(
      "signedIn",
    );
    expect(await untilMoment(page, "warning")).toMatchObject({
      code: "storage_fallback",
    });
    expect(
      (await call(page, "getAccessToken", { forceRefresh: true })).value,
    ).toMatch(/^at-/);
    expect((await storedSession(page, options)).text).toBe(newer);
    expect(await call(page, "logout", { local: true })).toEqual({});
    expect((await storedSession(page, options)).text).toBe(newer);
    // Also where the logout itself fails.
    await signInHere(page, scripted);
    const failed = await page.evaluate(() =>
      attempt(() =>
        auth.logout({
          navigate: () => {
            throw new RangeError("not now");
          },
        }),
      ),
    );
    expect(failed.error).toMatchObject({ name: "RangeError" });
    expect((await storedSession(page, options)).text).toBe(newer);
  });

  test("whose view lies about a token that is over is asked about", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await signIn(page, app, options);
    await expireStored(page, options, 3600);
    const { record } = await storedSession(page, options);
    await open(page, app);
    expect((await begin(page, options)).status).toBe("signedIn");
    const { value } = await call(page, "getAccessToken");
    expect(value).not.toBe(record.view.tokens[""].access_token);
    expect(scripted.count("token")).toBe(2);
  });
});
