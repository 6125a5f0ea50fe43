import {
  begin,
  call,
  expireStored,
  open,
  optionsFor,
  requestUrl,
  signIn,
  signInHere,
  signInReally,
  storedIn,
  storedSession,
  untilMoment,
  untilState,
  watchWasm,
} from "../support/driver.mjs";
import { expect, quick, test } from "../support/fixtures.mjs";

test.use(quick);

/** A page whose clock is the test's, with a session of tokens that live an hour. */
async function hourly({ page, app, scripted }, more = {}) {
  scripted.settings.expiresIn = 3600;
  const options = optionsFor(app, scripted, more);
  await page.clock.install();
  await open(page, app);
  await begin(page, options);
  await signInHere(page, scripted);
  expect(scripted.count("token")).toBe(1);
  return options;
}

test.describe("getAccessToken", () => {
  test("serves a fresh token without crossing into wasm", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await watchWasm(page);
    await signIn(page, app, options);
    await call(page, "preload");
    const outcome = await page.evaluate(async () => {
      const before = crossings.length;
      const tokens = new Set();
      for (let n = 0; n < 100; n += 1) tokens.add(await auth.getAccessToken());
      tokens.add(await auth.getAccessToken({ minValidity: 200 }));
      for (let n = 0; n < 100; n += 1) auth.state;
      const cached = crossings.length - before;
      await auth.getIdToken();
      return { cached, counted: crossings.length > before, of: tokens.size };
    });
    // The twin shows that a crossing would have been seen.
    expect(outcome).toEqual({ cached: 0, counted: true, of: 1 });
  });

  test("RF3: refreshes once for a hundred callers at once", async ({
    page,
    app,
    op,
  }) => {
    const options = optionsFor(app, op, { refresh: "onDemand" });
    op.control.setAccessTokenTtl(1);
    await signInReally(page, app, options);
    await begin(page, options);
    const old = (await storedSession(page, options)).record;
    op.control.setAccessTokenTtl(300);
    await untilState(page, "signedIn", "stale");
    op.control.resetCounters();
    op.control.setDelay("token", 100);
    const tokens = await page.evaluate(() =>
      Promise.all(Array.from({ length: 100 }, () => auth.getAccessToken())),
    );
    expect(new Set(tokens).size).toBe(1);
    expect(tokens[0]).not.toBe(old.view.tokens[""].access_token);
    expect(op.control.count("token")).toBe(1);
    expect(await op.control.introspect(tokens[0])).not.toBeNull();
    expect(await untilMoment(page, "refreshed")).toBeTruthy();
  });

  test("refreshes when the token is not good for as long as was asked, or when forced", async ({
    page,
    app,
    scripted,
  }) => {
    scripted.settings.expiresIn = 100;
    const options = optionsFor(app, scripted);
    await signIn(page, app, options);
    const first = (await call(page, "getAccessToken", { minValidity: 50 }))
      .value;
    expect(scripted.count("token")).toBe(1);
    scripted.settings.expiresIn = 1000;
    const second = (await call(page, "getAccessToken", { minValidity: 500 }))
      .value;
    expect(second).not.toBe(first);
    expect(scripted.count("token")).toBe(2);
    const third = (await call(page, "getAccessToken", { forceRefresh: true }))
      .value;
    expect(third).not.toBe(second);
    expect((await call(page, "getAccessToken")).value).toBe(third);
    expect(scripted.count("token")).toBe(3);
  });

  test("hands out what it got, however short the server made it", async ({
    page,
    app,
    scripted,
  }) => {
    scripted.settings.expiresIn = 1000;
    const options = optionsFor(app, scripted);
    await signIn(page, app, options);
    const { value } = await call(page, "getAccessToken", {
      minValidity: 100_000,
    });
    expect(value).toMatch(/^at-/);
    expect(scripted.count("token")).toBe(2);
  });

  test("stops waiting when its caller does; the refresh goes on for the others", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await signIn(page, app, options);
    let answer;
    scripted.holdNext("token", new Promise((resolve) => (answer = resolve)));
    await page.evaluate(() => {
      const controller = new AbortController();
      window.abort = () => controller.abort(new Error("enough"));
      const { signal } = controller;
      const forceRefresh = true;
      window.impatient = attempt(() =>
        auth.getAccessToken({ forceRefresh, signal }),
      );
      window.patient = attempt(() => auth.getAccessToken({ forceRefresh }));
    });
    await expect.poll(() => scripted.count("token")).toBe(2);
    const { error } = await page.evaluate(() => {
      abort();
      return impatient;
    });
    expect(error).toMatchObject({ code: "aborted" });
    answer();
    const { value } = await page.evaluate(() => patient);
    expect(value).toMatch(/^at-/);
    expect(scripted.count("token")).toBe(2);
    const late = await page.evaluate(() =>
      attempt(() =>
        auth.getAccessToken({
          forceRefresh: true,
          signal: AbortSignal.abort(),
        }),
      ),
    );
    expect(late.error).toMatchObject({ code: "aborted" });
  });

  test("is asked of the wasm side once while it is under way, and anew for another user", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await watchWasm(page);
    await signIn(page, app, options);
    await call(page, "preload");
    let answer;
    scripted.holdNext("token", new Promise((resolve) => (answer = resolve)));
    const ask = (name) =>
      page.evaluate((name) => {
        window.asked ??= () =>
          crossings.filter((name) => /refresh/.test(name)).length;
        const before = asked();
        const forceRefresh = true;
        window[name] = attempt(() => auth.getAccessToken({ forceRefresh }));
        // Long enough for it to get there.
        return new Promise((resolve) =>
          setTimeout(() => resolve(asked() - before), 50),
        );
      }, name);
    expect(await ask("first")).toBe(1);
    expect(await ask("second")).toBe(0);
    scripted.settings.sub = "bob";
    expect((await signInHere(page, scripted)).error).toBeUndefined();
    expect(await ask("another")).toBe(1);
    answer();
    const [first, second, another] = await page.evaluate(() =>
      Promise.all([first, second, window.another]),
    );
    expect(second).toEqual(first);
    const { record } = await storedSession(page, options);
    expect(record.view.user.sub).toBe("bob");
    expect(another.value).toBe(record.view.tokens[""].access_token);
  });
});

test.describe("a rotated refresh token", () => {
  test("RF1: is stored in the very turn of the answer", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await open(page, app);
    // The answer comes to us first, and goes on piece by piece: with the end of its body begins the turn.
    await page.evaluate((options) => {
      const transport = async (request, endpoint) => {
        const response = await fetch(request);
        if (endpoint !== "token") return response;
        const text = await response.text();
        const stream = new ReadableStream({
          start(controller) {
            controller.enqueue(new TextEncoder().encode(text));
            window.finish = () => {
              controller.close();
              // No task of the page comes before this one.
              const { port1, port2 } = new MessageChannel();
              port1.onmessage = () => {
                window.after = stored();
              };
              port2.postMessage(null);
            };
            if (!window.byHand) window.finish();
            else window.waiting = true;
          },
        });
        const { headers } = response;
        return new Response(stream, { headers });
      };
      start({ ...options, transport });
    }, options);
    await signInHere(page, scripted);
    await page.evaluate(() => {
      window.byHand = true;
      window.refreshing = attempt(() =>
        auth.getAccessToken({ forceRefresh: true }),
      );
    });
    await page.waitForFunction(() => window.waiting);
    const before = (await storedSession(page, options)).record;
    // The old one is dead by now; the record says that a refresh is under way.
    expect(scripted.alive).not.toContain(before.grant.refresh_token);
    expect(before.grant.unanswered).toBe(true);
    await page.evaluate(() => finish());
    await page.waitForFunction(() => window.after);
    const after = await page.evaluate(() => window.after);
    const [key] = Object.keys(after).filter((key) => key.includes(":session:"));
    const { grant, view } = JSON.parse(after[key]);
    expect(scripted.alive).toEqual([grant.refresh_token]);
    expect(grant).toMatchObject({ generation: 2, unanswered: false });
    expect(view.generation).toBe(2);
    const { value } = await page.evaluate(() => refreshing);
    expect(value).toBe(view.tokens[""].access_token);
  });

  test("is there after the page was left the moment its answer came", async ({
    page,
    app,
    op,
  }) => {
    const options = optionsFor(app, op);
    await signInReally(page, app, options);
    await page.evaluate(async (options) => {
      const transport = async (request, endpoint) => {
        const response = await fetch(request);
        if (endpoint === "token" && window.leaveNow)
          response
            .clone()
            .text()
            .then(() => location.replace("/left"));
        return response;
      };
      start({ ...options, transport });
      await auth.ready;
    }, options);
    const old = (await storedSession(page, options)).record;
    op.control.resetCounters();
    await Promise.all([
      page.waitForURL(`${app.url}/left`),
      page.evaluate(() => {
        window.leaveNow = true;
        void auth.getAccessToken({ forceRefresh: true });
      }),
    ]);
    await page.waitForFunction(() => "createAuth" in window);
    const { record } = await storedSession(page, options);
    expect(record.grant.refresh_token).not.toBe(old.grant.refresh_token);
    expect(record.grant.generation).toBe(2);
    // The provider rotates: had the old one been kept, this refresh would end the session.
    await begin(page, options);
    const { value } = await call(page, "getAccessToken", {
      forceRefresh: true,
    });
    expect(await op.control.introspect(value)).toMatchObject({ sub: "alice" });
    expect(op.control.count("token", "refresh_token")).toBe(2);
  });
});

test.describe("the timer", () => {
  test("refreshes ahead of expiry, again and again", async ({
    page,
    app,
    scripted,
  }) => {
    await hourly({ page, app, scripted });
    await page.clock.fastForward("58:30");
    expect(scripted.count("token")).toBe(1);
    // A minute to a minute and a quarter before the end.
    await page.clock.fastForward("00:35");
    await expect.poll(() => scripted.count("token")).toBe(2);
    await untilMoment(page, "refreshed");
    expect(
      await page.evaluate(() =>
        states.every(({ freshness }) => freshness !== "stale"),
      ),
    ).toBe(true);
    await page.clock.fastForward("58:30");
    expect(scripted.count("token")).toBe(2);
    await page.clock.fastForward("00:35");
    await expect.poll(() => scripted.count("token")).toBe(3);
  });

  test("RF9: survives sleep: what was missed is made up for", async ({
    page,
    app,
    scripted,
  }) => {
    await hourly({ page, app, scripted });
    // Every timer that was due fires once, late, as after a night in a closed laptop.
    await page.clock.fastForward("08:00:00");
    await expect.poll(() => scripted.count("token")).toBe(2);
    await untilState(page, "signedIn", "fresh");
    expect((await call(page, "getAccessToken")).value).toMatch(/^at-/);
    expect(scripted.count("token")).toBe(2);
  });

  test("RF9: looks at the clock when the page comes back", async ({
    page,
    app,
    scripted,
  }) => {
    await hourly({ page, app, scripted });
    // The wall clock goes on while no timer runs.
    const now = await page.evaluate(() => Date.now());
    await page.clock.setSystemTime(now + 2 * 3600_000);
    expect(scripted.count("token")).toBe(1);
    await page.evaluate(() =>
      document.dispatchEvent(
        // As engines fire it.
        new Event("visibilitychange", { bubbles: true }),
      ),
    );
    await expect.poll(() => scripted.count("token")).toBe(2);
  });

  for (const [name, hours] of [
    ["put back", -2],
    ["put ahead", 2],
  ])
    test(`hands out no token beyond its life where the wall clock was ${name}`, async ({
      page,
      app,
      scripted,
    }) => {
      await hourly({ page, app, scripted }, { refresh: "onDemand" });
      const { value } = await call(page, "getAccessToken");
      const now = await page.evaluate(() => Date.now());
      await page.clock.setSystemTime(now + hours * 3600_000);
      if (hours < 0) {
        expect((await call(page, "getAccessToken")).value).toBe(value);
        await page.clock.fastForward("01:00:01");
      }
      expect((await call(page, "getAccessToken")).value).not.toBe(value);
      expect(scripted.count("token")).toBe(2);
    });

  test("keeps the token of a real server fresh, in real time", async ({
    page,
    app,
    op,
  }) => {
    op.control.setAccessTokenTtl(8);
    const options = optionsFor(app, op);
    await signInReally(page, app, options);
    const { expiresAt } = await begin(page, options);
    await page.waitForFunction(
      () => moments.some(({ type }) => type === "refreshed"),
      null,
      { timeout: 10_000 },
    );
    expect(Date.now()).toBeLessThan(expiresAt);
    expect(op.control.count("token", "refresh_token")).toBe(1);
    expect(await page.evaluate(() => plain(auth.state))).toMatchObject({
      status: "signedIn",
      freshness: "fresh",
    });
  });

  for (const [refresh, status] of [
    ["onDemand", "signedIn"],
    ["off", "signedOut"],
  ])
    test(`rests with refresh: "${refresh}"`, async ({
      page,
      app,
      scripted,
    }) => {
      await hourly({ page, app, scripted }, { refresh });
      await page.clock.fastForward("59:30");
      expect(await page.evaluate(() => auth.state.freshness)).toBe("fresh");
      await page.clock.fastForward("01:00");
      await untilState(page, status);
      const outcome = await call(page, "getAccessToken");
      if (refresh === "onDemand") {
        expect(outcome.value).toMatch(/^at-/);
        expect(scripted.count("token")).toBe(2);
      } else {
        expect(await page.evaluate(() => plain(auth.state))).toMatchObject({
          status: "signedOut",
          reason: "expired",
        });
        expect(outcome.error).toMatchObject({
          code: "login_required",
          details: { reason: "expired" },
        });
        expect(scripted.count("token")).toBe(1);
      }
    });

  test("ends a session without a refresh token with its access token", async ({
    page,
    app,
    scripted,
  }) => {
    scripted.settings.refreshToken = false;
    const options = await hourly({ page, app, scripted });
    await page.clock.fastForward("59:59");
    expect((await call(page, "getAccessToken")).value).toMatch(/^at-/);
    await page.clock.fastForward("00:02");
    await untilState(page, "signedOut");
    expect(await untilMoment(page, "signedOut")).toMatchObject({
      reason: "expired",
    });
    expect((await storedSession(page, options)).text).toBeUndefined();
  });
});

test.describe("a refresh that fails", () => {
  const failures = {
    "an HTML page": { status: 502, type: "text/html", text: "<h1>bad</h1>" },
    "a server error": { status: 500, json: { error: "server_error" } },
    "too many requests": { status: 429, text: "" },
    "a cut connection": "reset",
    "an empty 200": { text: "" },
    "a 200 that is no token answer": { json: { hello: "world" } },
  };
  for (const [name, answer] of Object.entries(failures))
    test(`by ${name} leaves the session as it was`, async ({
      page,
      app,
      scripted,
    }) => {
      const options = optionsFor(app, scripted, { refresh: "onDemand" });
      await signIn(page, app, options);
      const before = (await storedSession(page, options)).record;
      // Engines send a request on a cut connection once more, or ten times, by themselves.
      const times = answer === "reset" ? Infinity : 1;
      scripted.answerNext("token", answer, times);
      const { error } = await call(page, "getAccessToken", {
        forceRefresh: true,
      });
      expect(error.name).toBe("AuthError");
      expect(["invalid_response", "token_error", "network"]).toContain(
        error.code,
      );
      expect(await page.evaluate(() => plain(auth.state))).toMatchObject({
        status: "signedIn",
        user: { sub: "alice" },
        error: { code: error.code },
      });
      expect(await untilMoment(page, "refreshFailed")).toMatchObject({
        error: { code: error.code },
        retryAt: null,
      });
      const after = (await storedSession(page, options)).record;
      expect(after.view).toEqual(before.view);
      expect(after.grant).toEqual({
        ...before.grant,
        // Without an answer, or with a success that cannot be read, it may have rotated.
        unanswered: answer === "reset" || !("status" in answer),
      });
      // What is held is still good, and a later refresh brings another.
      expect((await call(page, "getAccessToken")).value).toBe(
        before.view.tokens[""].access_token,
      );
      scripted.forgive();
      // Within a second of a failure the answer would be the same, and is given without asking.
      let fresh;
      await expect
        .poll(async () => {
          const again = { forceRefresh: true };
          fresh = (await call(page, "getAccessToken", again)).value;
          return fresh;
        })
        .toMatch(/^at-/);
      expect(fresh).not.toBe(before.view.tokens[""].access_token);
      expect((await page.evaluate(() => plain(auth.state))).error).toBeNull();
    });

  test("because the grant is gone ends the session", async ({
    page,
    app,
    op,
  }) => {
    const options = optionsFor(app, op);
    await signInReally(page, app, options);
    await begin(page, options);
    op.control.revokeGrants("alice");
    const { error } = await call(page, "getAccessToken", {
      forceRefresh: true,
    });
    expect(error).toMatchObject({
      code: "login_required",
      details: { reason: "refreshRejected" },
    });
    expect(await page.evaluate(() => plain(auth.state))).toMatchObject({
      status: "signedOut",
      reason: "refreshRejected",
      error: { code: "token_error", details: { error: "invalid_grant" } },
    });
    expect((await storedSession(page, options)).text).toBeUndefined();
    expect(JSON.stringify(await storedIn(page))).not.toMatch(/alice|eyJ/);
  });

  test("because of this client's registration keeps the session and does not ask again", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await signIn(page, app, options);
    await expireStored(page, options);
    scripted.answerNext("token", {
      status: 401,
      json: { error: "invalid_client" },
    });
    await open(page, app);
    const state = await begin(page, options);
    expect(state).toMatchObject({
      status: "signedIn",
      freshness: "stale",
      error: { code: "token_error", details: { error: "invalid_client" } },
    });
    const asked = scripted.count("token");
    const { error } = await call(page, "getAccessToken");
    expect(error).toMatchObject({
      code: "token_error",
      details: { error: "invalid_client", status: 401 },
    });
    expect(scripted.count("token")).toBe(asked);
  });

  test("is tried again by itself", async ({ page, app, scripted }) => {
    await hourly({ page, app, scripted });
    scripted.answerNext("token", { status: 503, type: "text/html" });
    await page.clock.fastForward("59:10");
    const failed = await untilMoment(page, "refreshFailed");
    expect(failed.error.code).toBe("invalid_response");
    expect(failed.retryAt).toBeGreaterThan(0);
    await page.clock.fastForward("00:02");
    await expect.poll(() => scripted.count("token")).toBe(3);
    await untilMoment(page, "refreshed");
    expect((await page.evaluate(() => plain(auth.state))).error).toBeNull();
  });

  test("T37: because it is about another user ends the session", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await signIn(page, app, options);
    scripted.claimNext((claims) => ({ ...claims, sub: "mallory" }));
    const { error } = await call(page, "getAccessToken", {
      forceRefresh: true,
    });
    expect(error).toMatchObject({
      code: "login_required",
      details: { reason: "userChanged" },
    });
    expect(await page.evaluate(() => plain(auth.state))).toMatchObject({
      status: "signedOut",
      reason: "userChanged",
      error: { code: "subject_mismatch", details: { endpoint: "token" } },
    });
    expect((await storedSession(page, options)).text).toBeUndefined();
  });
});

test.describe("a trap in wasm", () => {
  const pending = {
    getAccessToken: [/refresh/, { forceRefresh: true }],
    login: [/beginLogin/],
    getIdToken: [/idToken/],
  };
  for (const [method, [name, ...args]] of Object.entries(pending))
    test(`T33: during ${method} rejects it with internal, and the next call works on a new instance`, async ({
      page,
      app,
      scripted,
    }) => {
      const options = optionsFor(app, scripted);
      await watchWasm(page);
      await signIn(page, app, options);
      await call(page, "preload");
      const before = await storedSession(page, options);
      const instances = await page.evaluate((source) => {
        window.trapOnce = new RegExp(source);
        return window.instances;
      }, name.source);
      const { error } = await call(page, method, ...args);
      expect(error).toMatchObject({
        name: "AuthError",
        code: "internal",
        details: { location: expect.any(String) },
      });
      expect(await page.evaluate(() => window.trapOnce)).toBeNull();
      expect((await storedSession(page, options)).text).toBe(before.text);
      expect(await page.evaluate(() => auth.state.status)).toBe("signedIn");
      if (method === "login") {
        expect(await requestUrl(page)).toContain("code_challenge=");
      } else {
        expect((await call(page, method, ...args)).value).toBeTruthy();
      }
      expect(await page.evaluate(() => window.instances)).toBe(instances + 1);
    });

  test("T33: rejects all that waits, and nothing of the dead instance is heard again", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await watchWasm(page);
    await signIn(page, app, options);
    await call(page, "preload");
    let answer;
    scripted.holdNext("token", new Promise((resolve) => (answer = resolve)));
    await page.evaluate(() => {
      window.waiting = Promise.all(
        [1, 2, 3].map(() =>
          attempt(() => auth.getAccessToken({ forceRefresh: true })),
        ),
      );
    });
    await expect.poll(() => scripted.count("token")).toBe(2);
    await page.evaluate(() => (window.trapOnce = /idToken/));
    expect((await call(page, "getIdToken")).error.code).toBe("internal");
    const outcomes = await page.evaluate(() => waiting);
    expect(outcomes.map(({ error }) => error.code)).toEqual(
      Array(3).fill("internal"),
    );
    answer();
    // The answer went to nobody: the new instance starts from what is stored, and asks again.
    const next = await call(page, "getAccessToken", { forceRefresh: true });
    expect(next.error).toMatchObject({
      code: "login_required",
      details: { reason: "answerLost" },
    });
    const state = await page.evaluate(() => plain(auth.state));
    // This server has rotated and forgives nothing, so the session is lost, and said to be.
    expect(state).toMatchObject({ status: "signedOut", reason: "answerLost" });
    expect(await page.evaluate(() => window.instances)).toBe(2);
  });
});
