import {
  begin,
  call,
  expireStored,
  open,
  optionsFor,
  returnFrom,
  sessionKey,
  signIn,
  signInHere,
  signInReally,
  store,
  storedSession,
  untilMoment,
  untilState,
  watchWasm,
} from "../support/driver.mjs";
import { expect, quick, test } from "../support/fixtures.mjs";

test.use(quick);

/** Neither the glue nor the wasm was asked for since the last reset. */
const loadedNothing = (app) =>
  app.loads("wasm-inline") === 0 && app.loads("engine-") === 0;

/** Keeps the idle callback of the facade from loading the wasm side. */
const neverIdle = (page) =>
  page.addInitScript(() => {
    window.requestIdleCallback = () => 0;
  });

test.describe("a reload", () => {
  test("restores the session without any request to the provider", async ({
    page,
    app,
    op,
  }) => {
    const options = optionsFor(app, op);
    await signInReally(page, app, options);
    const before = await begin(page, options);
    const token = (await call(page, "getAccessToken")).value;
    const { text } = await storedSession(page, options);
    op.control.resetCounters();
    await open(page, app, "/again");
    const after = await begin(page, options);
    expect(after).toEqual(before);
    expect((await call(page, "getAccessToken")).value).toBe(token);
    // Also once the wasm side is there.
    await call(page, "preload");
    expect((await call(page, "getIdToken")).value).toMatch(/^ey/);
    expect(await page.evaluate(() => plain(auth.state))).toEqual(before);
    expect(op.control.counters).toEqual({});
    expect((await storedSession(page, options)).text).toBe(text);
    const { states, moments } = await page.evaluate(() => ({
      states,
      moments,
    }));
    expect(states).toEqual([before]);
    expect(moments).toMatchObject([
      { type: "signedIn", via: "restore", user: { sub: "alice" } },
    ]);
  });

  test("gives its state and its token at once, without the wasm having been asked for", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await signIn(page, app, options);
    const token = (await call(page, "getAccessToken")).value;
    await neverIdle(page);
    app.reset();
    await open(page, app);
    const seen = await page.evaluate(async (options) => {
      start(options);
      return [auth.state.status, await auth.getAccessToken()];
    }, options);
    expect(seen).toEqual(["signedIn", token]);
    expect(loadedNothing(app)).toBe(true);
    // The twin: what needs the wasm side loads it.
    await call(page, "preload");
    expect(app.loads("wasm-inline")).toBe(1);
  });

  test("loads the wasm side when the page has nothing else to do", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await signIn(page, app, options);
    app.reset();
    await open(page, app);
    await begin(page, options);
    await expect.poll(() => app.loads("wasm-inline")).toBe(1);
  });

  test("with an expired token is loading until the refresh has an answer", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await signIn(page, app, options);
    await expireStored(page, options);
    let answer;
    scripted.holdNext("token", new Promise((resolve) => (answer = resolve)));
    await open(page, app);
    await page.evaluate((options) => void start(options), options);
    await expect.poll(() => scripted.count("token")).toBe(2);
    expect(await page.evaluate(() => auth.state.status)).toBe("loading");
    answer();
    await untilState(page, "signedIn", "fresh");
    const { states } = await page.evaluate(() => ({ states }));
    const [first, ...others] = states.map(({ status }) => status);
    expect(first).toBe("loading");
    // Once more when the new ID Token is verified, which may be before or after this look.
    expect(new Set(others)).toEqual(new Set(["signedIn"]));
  });

  test("with an expired token and a server in trouble is signed in and stale", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted, { refresh: "onDemand" });
    await signIn(page, app, options);
    await expireStored(page, options);
    scripted.answerNext("token", { status: 503, type: "text/html" });
    await open(page, app);
    expect(await begin(page, options)).toMatchObject({
      status: "signedIn",
      freshness: "stale",
      user: { sub: "alice" },
      error: { code: "invalid_response", details: { status: 503 } },
    });
  });
});

test.describe("without a stored session", () => {
  test("the state is signedOut at once, and nothing is loaded", async ({
    page,
    app,
    scripted,
  }) => {
    await open(page, app);
    app.reset();
    const seen = await page.evaluate(
      async (options) => {
        start(options);
        const status = auth.state.status;
        const tried = await attempt(() => auth.getAccessToken());
        return [status, plain(await auth.ready), tried.error];
      },
      optionsFor(app, scripted),
    );
    expect(seen).toMatchObject([
      "signedOut",
      { status: "signedOut", reason: "noSession", error: null },
      { code: "login_required", details: { reason: "noSession" } },
    ]);
    await page.evaluate(
      () => new Promise((resolve) => requestIdleCallback(resolve)),
    );
    expect(loadedNothing(app)).toBe(true);
    expect(scripted.requests).toEqual([]);
  });
});

test.describe("the storage", () => {
  test("of a session is one record, and its view is all that the facade needs", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    const state = await signIn(page, app, options);
    const { record } = await storedSession(page, options);
    expect(record).toEqual({
      v: 1,
      view: {
        generation: 1,
        user: state.user,
        scope: ["openid", "offline_access"],
        refreshable: true,
        // No audience or resource was asked for: that is the default API.
        api: null,
        tokens: {
          "": {
            access_token: expect.stringMatching(/^at-/),
            received_at: expect.any(Number),
            expires_at: expect.any(Number),
            deadline: expect.any(Number),
            leeway: 10_000,
          },
        },
      },
      grant: {
        generation: 1,
        family: expect.stringMatching(/^[\w-]{43}$/),
        family_key: expect.stringMatching(/^[\w-]{43}$/),
        refresh_token: expect.stringMatching(/^rt-/),
        id_token: expect.stringMatching(/^ey/),
        unanswered: false,
      },
    });
    const { access_token, received_at, expires_at } = record.view.tokens[""];
    expect(expires_at - received_at).toBe(300_000);
    expect(state.expiresAt).toBe(expires_at);
    // The view holds no secret but the access token, and the state not even that.
    expect(JSON.stringify(record.view)).not.toContain("rt-");
    expect(JSON.stringify(state)).not.toContain(access_token);
    expect(scripted.alive).toEqual([record.grant.refresh_token]);
  });

  test("memory keeps nothing of the session, which ends with the page", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted, { storage: "memory" });
    await open(page, app);
    await begin(page, options);
    await signInHere(page, scripted);
    expect((await call(page, "getAccessToken")).value).toMatch(/^at-/);
    const everything = await page.evaluate(() =>
      JSON.stringify([stored(sessionStorage), stored(localStorage)]),
    );
    // The login itself was in sessionStorage, and is marked used.
    expect(everything).toContain("countersign:login:");
    for (const secret of ["at-", "rt-", "code_verifier", '"alice"'])
      expect(everything).not.toContain(secret);
    expect(await page.evaluate(() => moments)).not.toContainEqual(
      expect.objectContaining({ type: "warning" }),
    );
    await open(page, app);
    expect((await begin(page, options)).status).toBe("signedOut");
  });

  test("localStorage is shared with a second tab", async ({
    page,
    context,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    const inLocal = (page) =>
      page.evaluate(async (options) => {
        start({ ...options, storage: localStorage });
        return plain(await auth.ready);
      }, options);
    await open(page, app);
    await inLocal(page);
    await signInHere(page, scripted);
    expect((await storedSession(page, options)).text).toBeUndefined();
    const second = await context.newPage();
    await open(second, app);
    expect(await inLocal(second)).toMatchObject({
      status: "signedIn",
      user: { sub: "alice" },
    });
    expect((await call(second, "getAccessToken")).value).toBe(
      (await call(page, "getAccessToken")).value,
    );
    // Loaded now, the second holds what it saw; later it would begin with what the first has stored.
    await second.evaluate(() => auth.preload());
    // A forced refresh of one reaches the other, which never sends a dead refresh token.
    const fresh = (await call(page, "getAccessToken", { forceRefresh: true }))
      .value;
    await expect
      .poll(async () => (await call(second, "getAccessToken")).value)
      .toBe(fresh);
    expect(scripted.count("token")).toBe(2);
    const later = await call(second, "getAccessToken", { forceRefresh: true });
    expect(later.value).not.toBe(fresh);
    expect(scripted.count("token")).toBe(3);
  });

  for (const loaded of [false, true])
    test(`is looked into again by a signed-out page that comes back from the back/forward cache, with the wasm side ${loaded ? "" : "not "}loaded`, async ({
      page,
      context,
      app,
      scripted,
    }) => {
      const options = optionsFor(app, scripted);
      const state = await signIn(page, app, options);
      const { text } = await storedSession(page, options);
      const second = await context.newPage();
      await open(second, app);
      expect((await begin(second, options)).status).toBe("signedOut");
      if (loaded) await call(second, "preload");
      const leaveAndReturn = () =>
        second.evaluate(() => {
          for (const type of ["pagehide", "pageshow"])
            dispatchEvent(new PageTransitionEvent(type, { persisted: true }));
        });
      await leaveAndReturn();
      await second.evaluate(
        () => new Promise((resolve) => requestIdleCallback(resolve)),
      );
      expect(await second.evaluate(() => states.length)).toBe(1);
      // What a later page of the tab would have stored.
      await store(second, options, text);
      await leaveAndReturn();
      await untilState(second, "signedIn");
      expect(await second.evaluate(() => plain(auth.state))).toEqual(state);
    });

  test("of the application's own is used by its three methods", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await open(page, app);
    await page.evaluate((options) => {
      window.calls = [];
      window.map = new Map();
      const note = (method, key) => calls.push(`${method} ${key}`);
      window.storage = {
        getItem: (key) => (note("get", key), map.get(key) ?? null),
        setItem: (key, value) => (note("set", key), map.set(key, value)),
        removeItem: (key) => (note("remove", key), map.delete(key)),
      };
      start({ ...options, storage });
    }, options);
    await signInHere(page, scripted);
    const key = sessionKey(options);
    expect(await page.evaluate(() => [...map.keys()])).toEqual([key]);
    const record = await page.evaluate((key) => map.get(key), key);
    expect(JSON.parse(record).grant.refresh_token).toMatch(/^rt-/);
    // A new client with the same storage has the session.
    const state = await page.evaluate(async (options) => {
      auth.dispose();
      start({ ...options, storage });
      return plain(await auth.ready);
    }, options);
    expect(state).toMatchObject({ status: "signedIn", user: { sub: "alice" } });
    await call(page, "logout", { local: true });
    expect(await page.evaluate(() => map.size)).toBe(0);
    const calls = await page.evaluate(() => calls);
    expect(calls).toContain(`set ${key}`);
    expect(calls.at(-1)).toBe(`remove ${key}`);
  });
});

test.describe("a client", () => {
  test("is the same for equal options, however they are written", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await open(page, app);
    const outcome = await page.evaluate(async (options) => {
      const first = createAuth(options);
      const again = createAuth({
        ...options,
        issuer: options.issuer,
        redirectUri: new URL(options.redirectUri),
        scope: options.scope.split(" "),
        onCallback: () => {},
      });
      const different = await attempt(() =>
        createAuth({ ...options, scope: "openid" }),
      );
      const another = createAuth({ ...options, clientId: "another" });
      return {
        same: first === again,
        another: first !== another,
        error: different.error,
      };
    }, options);
    expect(outcome).toMatchObject({
      same: true,
      another: true,
      error: { code: "invalid_config", details: { option: "options" } },
    });
    const afterDispose = await page.evaluate(
      (options) =>
        attempt(() => {
          createAuth(options).dispose();
          return createAuth({ ...options, scope: "openid" }).state.status;
        }),
      options,
    );
    expect(afterDispose).toEqual({ value: "signedOut" });
  });

  test("that differs only where the page can tell is refused, not confused", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await open(page, app);
    // Each of these would quietly have the first client's value.
    const outcomes = await page.evaluate(async (options) => {
      const outcomes = {};
      for (const [name, value] of Object.entries({
        storage: "memory",
        apiOrigins: ["https://api.example"],
        callback: "manual",
      })) {
        const first = createAuth(options);
        outcomes[name] = await attempt(() => {
          createAuth({ ...options, [name]: value });
        });
        first.dispose();
      }
      return outcomes;
    }, options);
    for (const [name, { error }] of Object.entries(outcomes))
      expect(error, name).toMatchObject({ code: "invalid_config" });
  });

  test("keeps one frozen state until something changes, and tells it once", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await signIn(page, app, options);
    // A new ID Token would be told of once more, when its signature is checked.
    scripted.editNext("token", ({ id_token: _, ...rest }) => rest, 2);
    const outcome = await page.evaluate(async () => {
      const told = [];
      const events = [];
      const end = auth.subscribe((state) => told.push(state));
      const first = auth.state;
      await auth.preload();
      const same = first === auth.state && told.length === 1;
      const endEvents = auth.on("refreshed", ({ expiresAt }) =>
        events.push(expiresAt === auth.state.expiresAt),
      );
      const controller = new AbortController();
      const { signal } = controller;
      auth.on("refreshed", () => events.push("aborted"), { signal });
      controller.abort();
      auth.on("refreshed", () => events.push("never"), { signal });
      await auth.getAccessToken({ forceRefresh: true });
      const changed = told.length;
      end();
      end();
      endEvents();
      await auth.getAccessToken({ forceRefresh: true });
      return {
        atOnce: told[0] === first,
        same,
        frozen: Object.isFrozen(first),
        changed,
        after: told.length,
        current: told[1] !== first,
        events,
        methods: ["login", "logout", "getAccessToken", "subscribe"].every(
          (name) => typeof auth[name] === "function",
        ),
      };
    });
    expect(outcome).toEqual({
      atOnce: true,
      same: true,
      frozen: true,
      changed: 2,
      after: 2,
      current: true,
      events: [true],
      methods: true,
    });
  });

  test("is not harmed by a listener that throws, nor are the others", async ({
    page,
    app,
    scripted,
    uncaught,
  }) => {
    const options = optionsFor(app, scripted);
    await signIn(page, app, options);
    const outcome = await page.evaluate(async () => {
      const seen = [];
      auth.on("refreshed", () => {
        throw new Error("of the application");
      });
      auth.on("refreshed", () => seen.push("second"));
      const { value } = await attempt(() =>
        auth.getAccessToken({ forceRefresh: true }),
      );
      return { seen, value, state: auth.state.status };
    });
    expect(outcome).toEqual({
      seen: ["second"],
      value: expect.stringMatching(/^at-/),
      state: "signedIn",
    });
    // The application hears of it as of any uncaught error.
    await expect.poll(() => uncaught.join()).toContain("of the application");
    uncaught.length = 0;
  });

  test("has methods that need no this, and may call each other from listeners", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await signIn(page, app, options);
    const outcome = await page.evaluate(async () => {
      const { getAccessToken, on, logout, subscribe, getIdToken } = auth;
      const nested = new Promise((resolve) => {
        on("refreshed", async () => {
          const token = await getAccessToken();
          await logout({ local: true });
          resolve([token, await attempt(getIdToken)]);
        });
      });
      const token = await getAccessToken({ forceRefresh: true });
      const [inside, idToken] = await nested;
      let last;
      subscribe((state) => (last = state.status))();
      return { same: token === inside, idToken, last };
    });
    expect(outcome).toEqual({
      same: true,
      idToken: { value: null },
      last: "signedOut",
    });
  });

  test("that was disposed does nothing any more; the stored session stays", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await signIn(page, app, options);
    const before = await storedSession(page, options);
    const outcomes = await page.evaluate(async () => {
      auth.dispose();
      auth.dispose();
      const calls = {
        getAccessToken: () => auth.getAccessToken(),
        login: () => auth.login(),
        logout: () => auth.logout(),
        getIdToken: () => auth.getIdToken(),
        preload: () => auth.preload(),
        fetch: () => auth.fetch("/api/echo"),
        handleCallback: () => auth.handleCallback("/callback?state=x&code=y"),
      };
      const outcomes = {};
      for (const [name, run] of Object.entries(calls))
        outcomes[name] = await attempt(run);
      return outcomes;
    });
    for (const [name, { error }] of Object.entries(outcomes))
      expect(error, name).toMatchObject({ code: "disposed", details: {} });
    expect((await storedSession(page, options)).text).toBe(before.text);
    expect(app.withToken).toEqual([]);
    // A new client is as good as after a reload.
    expect((await begin(page, options)).status).toBe("signedIn");
  });
});

test("the external entry takes the wasm from the application", async ({
  page,
  app,
  scripted,
}) => {
  const options = optionsFor(app, scripted);
  await watchWasm(page);
  await open(page, app);
  app.reset();
  const state = await page.evaluate(async (options) => {
    start({ ...options, wasm: "/core.wasm" }, createExternal);
    await auth.preload();
    return plain(await auth.ready);
  }, options);
  expect(state.status).toBe("signedOut");
  const { value } = await signInHere(page, scripted);
  expect(value.state.status).toBe("signedIn");
  expect(app.requests.map(({ path }) => path)).toContain("/core.wasm");
  expect(app.loads("wasm-inline")).toBe(0);
  expect(await page.evaluate(() => instances)).toBe(1);
});

for (const [name, again] of [
  ["handleCallback()", (page) => call(page, "handleCallback")],
  ["any call", (page) => call(page, "preload")],
])
  test(`a callback for which the wasm did not come is completed by the next ${name}`, async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await open(page, app, "/orders?x=1");
    await returnFrom(page, app, options, { appState: "kept" });
    await page.route("**/core.wasm", (route) => route.abort(), { times: 1 });
    const first = await page.evaluate(async (options) => {
      window.completed = [];
      const onCallback = ({ returnTo, appState }) =>
        window.completed.push([returnTo, appState]);
      start({ ...options, wasm: "/core.wasm", onCallback }, createExternal);
      return plain(await auth.ready);
    }, options);
    expect(first).toMatchObject({
      status: "signedOut",
      reason: "unavailable",
      error: { code: "wasm_load_failed", details: { problem: "network" } },
    });
    expect((await again(page)).error).toBeUndefined();
    await page.waitForFunction(() => window.completed.length > 0);
    expect(await page.evaluate(() => completed)).toEqual([
      ["/orders?x=1", "kept"],
    ]);
    expect(await page.evaluate(() => auth.state.status)).toBe("signedIn");
    expect(scripted.count("token")).toBe(1);
  });

test("the external entry says what is wrong with the wasm that it is given", async ({
  page,
  app,
  scripted,
}) => {
  const options = optionsFor(app, scripted);
  await open(page, app);
  const problems = await page.evaluate(async (options) => {
    const read = await fetch("/core.wasm");
    await read.arrayBuffer();
    const given = {
      refused: Promise.reject(new TypeError("offline")),
      missing: fetch("/api/refuse-all?status=404"),
      page: fetch("/"),
      read: Promise.resolve(read),
    };
    const problems = {};
    for (const [name, wasm] of Object.entries(given)) {
      start({ ...options, clientId: name, wasm }, createExternal);
      const { error } = await attempt(() => auth.preload());
      problems[name] = [error.code, error.details.problem];
    }
    return problems;
  }, options);
  expect(problems).toEqual({
    refused: ["wasm_load_failed", "network"],
    missing: ["wasm_load_failed", "network"],
    page: ["wasm_load_failed", "not_wasm"],
    read: ["wasm_load_failed", "network"],
  });
});

test("a warning tells that offline_access brought no refresh token", async ({
  page,
  app,
  scripted,
}) => {
  scripted.settings.refreshToken = false;
  const options = optionsFor(app, scripted);
  await open(page, app);
  await begin(page, options);
  const { value } = await signInHere(page, scripted);
  expect(value.state.refreshable).toBe(false);
  expect(await untilMoment(page, "warning")).toMatchObject({
    code: "no_refresh_token",
    hint: expect.stringContaining("refresh tokens"),
  });
});
