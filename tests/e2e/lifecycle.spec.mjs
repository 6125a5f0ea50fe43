// Pages that come, go, come back, and are made twice.

import {
  begin,
  call,
  handle,
  open,
  optionsFor,
  requestUrl,
  returnFrom,
  sessionKey,
  signIn,
  signInHere,
  storedSession,
} from "../support/driver.mjs";
import { expect, quick, test, watchErrors } from "../support/fixtures.mjs";

test.use(quick);

/** What a later page of the same tab has stored: the session of this user. */
async function sessionOf(user, { context, app, scripted, options }) {
  const page = await context.newPage();
  scripted.settings.sub = user;
  await signIn(page, app, options);
  const { text } = await storedSession(page, options);
  await page.close();
  return text;
}

/** Leaves for the back/forward cache and comes out of it; meanwhile the storage has got this. Gives what is shown at once. */
const leaveAndReturn = (page, options, text) =>
  page.evaluate(
    ([key, text]) => {
      dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }));
      sessionStorage.setItem(key, text);
      dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
      return plain(auth.state);
    },
    [sessionKey(options), text],
  );

test.describe("a page that comes back from the back/forward cache", () => {
  for (const loaded of [true, false]) {
    const how = loaded ? "with" : "without";
    test(`shows at once who signed in on a later page, ${how} the wasm side loaded`, async ({
      page,
      context,
      app,
      scripted,
    }) => {
      const options = optionsFor(app, scripted);
      const text = await sessionOf("bob", { context, app, scripted, options });
      await open(page, app);
      expect((await begin(page, options)).status).toBe("signedOut");
      if (loaded) await call(page, "preload");
      const state = await leaveAndReturn(page, options, text);
      expect(state).toMatchObject({ status: "signedIn", user: { sub: "bob" } });
      const { value } = await call(page, "getAccessToken");
      expect(text).toContain(value);
      // The Rust side is of the same opinion.
      await call(page, "preload");
      expect(await call(page, "fetchUserInfo")).toMatchObject({
        value: { sub: "bob" },
      });
    });

    test(`shows nobody who was signed in before another user, ${how} the wasm side loaded`, async ({
      page,
      context,
      app,
      scripted,
    }) => {
      const options = optionsFor(app, scripted);
      const text = await sessionOf("bob", { context, app, scripted, options });
      scripted.settings.sub = "alice";
      await signIn(page, app, options);
      if (!loaded) {
        await page.addInitScript(() => {
          window.requestIdleCallback = () => {};
        });
        await page.reload();
        await page.waitForFunction(() => "createAuth" in window);
        expect((await begin(page, options)).user.sub).toBe("alice");
      }
      const state = await leaveAndReturn(page, options, text);
      expect(state).toMatchObject({ status: "signedIn", user: { sub: "bob" } });
      const { value } = await call(page, "getAccessToken", {
        forceRefresh: true,
      });
      const { record } = await storedSession(page, options);
      expect(record.view).toMatchObject({
        user: { sub: "bob" },
        tokens: { "": { access_token: value } },
      });
      expect(record.grant.family).toBe(JSON.parse(text).grant.family);
      const users = await page.evaluate(() =>
        states.map(({ user }) => user?.sub ?? null),
      );
      expect(users.slice(users.indexOf("bob"))).not.toContain("alice");
    });
  }

  // Firefox: whatever would have ended while the page was away never ends for it.
  for (const [what, forget, { isStarted, wasm } = {}] of [
    ["a wasm that was being compiled", ["WebAssembly", "compile"]],
    [
      "a wasm of the application's",
      ["WebAssembly", "compile"],
      { wasm: "/core.wasm" },
    ],
    ["a mailbox that was being opened", ["IDBFactory.prototype", "open"]],
    [
      "a look into it",
      ["IDBDatabase.prototype", "transaction"],
      { isStarted: true },
    ],
    ["a key that was being read", ["SubtleCrypto.prototype", "importKey"]],
  ])
    test(`begins again what the engine has forgotten: ${what}`, async ({
      page,
      app,
      scripted,
    }) => {
      const options = optionsFor(app, scripted);
      await open(page, app);
      await returnFrom(page, app, options);
      if (isStarted) {
        await begin(page, options);
        await call(page, "getAccessToken", { forceRefresh: true });
      }
      await page.evaluate(([path, name]) => {
        const target = path.split(".").reduce((it, name) => it[name], window);
        const { [name]: real } = target;
        window.forgotten = 0;
        target[name] = function (...args) {
          window.forgotten += 1;
          if (window.forgotten > 1) return real.apply(this, args);
          // A database whose upgrade nobody hears of would be empty for good.
          if (name === "open") args[0] = "another";
          const lost = real.apply(this, args);
          if (lost instanceof Promise) return new Promise(() => {});
          // Nothing that is listened for comes.
          return new Proxy(lost, {
            set: () => true,
            get(target, key) {
              const value = target[key];
              return typeof value === "function" ? value.bind(target) : value;
            },
          });
        };
      }, forget);
      await page.evaluate(
        ([options, wasm]) => {
          if (wasm) start({ ...options, wasm }, createExternal);
          else if (!window.auth) start(options);
          window.token = auth.getAccessToken({ forceRefresh: true });
        },
        [options, wasm],
      );
      await page.waitForFunction(() => window.forgotten === 1);
      await page.evaluate(() => {
        dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }));
        dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
      });
      expect(await page.evaluate(() => window.token)).toMatch(/at-/);
      const { moments, status } = await page.evaluate(() => ({
        moments: window.moments.map(({ type }) => type),
        status: auth.state.status,
      }));
      expect(status).toBe("signedIn");
      expect(moments).not.toContain("warning");
    });

  for (const [name, meanwhile, seen] of [
    [
      "nobody after a logout",
      () => auth.logout({ local: true }),
      "signedOut noSession",
    ],
    ["the same user where nothing has happened", () => {}, "signedIn alice"],
    [
      "another user who has signed in meanwhile",
      ([key, text]) => sessionStorage.setItem(key, text),
      "signedIn bob",
    ],
  ])
    test(`shows ${name}, at a real step back`, async ({
      playwright,
      browserName,
      app,
      scripted,
    }, { project }) => {
      const { launchOptions, channel } = project.use;
      // Playwright switches the cache off in Chromium.
      const ignored = ["--disable-back-forward-cache"];
      const browser = await playwright[browserName].launch({
        ...launchOptions,
        channel,
        ignoreDefaultArgs: browserName === "chromium" ? ignored : [],
      });
      const uncaught = [];
      try {
        const context = await browser.newContext();
        const options = optionsFor(app, scripted);
        const bob = { context, app, scripted, options };
        const text = await sessionOf("bob", bob);
        scripted.settings.sub = "alice";
        const page = await context.newPage();
        watchErrors(page, uncaught);
        // The page tells by itself: the driver loses sight of one that comes back so.
        await page.addInitScript((options) => {
          addEventListener("pageshow", ({ persisted }) => {
            if (!persisted) start(options);
            const { type } = performance.getEntriesByType("navigation")[0];
            if (!persisted && type !== "back_forward") return;
            const seen = () => {
              const { status, user, reason } = auth.state;
              return `${status} ${user?.sub ?? reason}`;
            };
            // With the first picture of the page.
            requestAnimationFrame(() => {
              const atOnce = seen();
              const isBehind = sessionStorage.getItem("page") !== "later";
              const tell = () =>
                new URLSearchParams({
                  persisted,
                  isBehind,
                  atOnce,
                  later: seen(),
                });
              setTimeout(() => fetch(`/api/came-back?${tell()}`), 1000);
            });
          });
        }, options);
        await signIn(page, app, options);
        await open(page, app, "/later");
        await begin(page, options);
        await page.evaluate(() => sessionStorage.setItem("page", "later"));
        await page.evaluate(meanwhile, [sessionKey(options), text]);
        app.reset();
        await page.evaluate(() => void history.back()).catch(() => {});
        const told = () =>
          app.requests.find(({ path }) => path === "/api/came-back")?.url;
        await expect.poll(told).toBeTruthy();
        const { persisted, isBehind, atOnce, later } = Object.fromEntries(
          new URL(told(), app.url).searchParams,
        );
        const how = persisted === "true" ? "out of the cache" : "loaded anew";
        console.log(`      ${browserName}: the page came ${how}`);
        // Firefox gives a page in its cache a sessionStorage of its own, which stays as it was. A logout is in the mailbox, too.
        test.skip(
          isBehind === "true" && seen === "signedIn bob",
          `${browserName}: the sessionStorage of a page from the cache is behind, and nothing else tells of another user`,
        );
        // A page that was there before the logout has lived through it.
        const ends = (text) => text.replace(/loggedOut.*/, "noSession");
        if (isBehind !== "true") expect(ends(atOnce)).toBe(seen);
        expect(ends(later)).toBe(seen);
      } finally {
        await browser.close();
      }
      expect(uncaught).toEqual([]);
    });
});

test.describe("a client that is made again", () => {
  test("in the same turn takes the callback over from the one that was disposed (StrictMode)", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await open(page, app);
    await returnFrom(page, app, options, { appState: "once" });
    const outcome = await page.evaluate(async (options) => {
      const first = start(options);
      const refused = attempt(() => first.handleCallback());
      first.dispose();
      start(options);
      return {
        result: plain(await auth.handleCallback()),
        states: states.map(({ status }) => status),
        refused: await refused,
      };
    }, options);
    expect(outcome).toMatchObject({
      result: { appState: "once", state: { user: { sub: "alice" } } },
      states: ["loading", "signedIn"],
      refused: { error: { code: "disposed" } },
    });
    expect(scripted.count("token")).toBe(1);
    expect(page.url()).toBe(`${app.url}/`);
  });

  for (const loaded of [false, true])
    test(`leaves a response that the first was given where it was, ${loaded ? "with" : "without"} wasm`, async ({
      page,
      app,
      scripted,
    }) => {
      const options = optionsFor(app, scripted, { callback: "manual" });
      await open(page, app);
      const address = await page.evaluate(
        async ([options, loaded]) => {
          start(options);
          if (loaded) await auth.preload();
          for (const origin of [location.origin, "https://else.example"]) {
            const handled = attempt(() =>
              auth.handleCallback(`${origin}/callback?code=c&state=s`),
            );
            if (loaded) await handled;
            auth.dispose();
            start(options);
          }
          return location.href;
        },
        [options, loaded],
      );
      expect(address).toBe(`${app.url}/`);
    });

  test("on a stored session is as the first was", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await signIn(page, app, options);
    const outcome = await page.evaluate(async (options) => {
      auth.dispose();
      start(options);
      auth.dispose();
      start(options);
      return [plain(await auth.ready), await attempt(auth.getAccessToken)];
    }, options);
    expect(outcome).toMatchObject([
      { status: "signedIn", user: { sub: "alice" } },
      { value: expect.stringMatching(/^at-/) },
    ]);
    expect(scripted.count("token")).toBe(1);
  });
});

test("a reload in the middle of a callback sends no code twice, and hangs nowhere", async ({
  page,
  app,
  scripted,
}) => {
  const options = optionsFor(app, scripted);
  await open(page, app);
  await returnFrom(page, app, options);
  let answer;
  scripted.holdNext("token", new Promise((resolve) => (answer = resolve)));
  await page.evaluate((options) => void start(options), options);
  await expect.poll(() => scripted.count("token")).toBe(1);
  await page.reload();
  answer();
  await page.waitForFunction(() => "createAuth" in window);
  expect(await begin(page, options)).toMatchObject({
    status: "signedOut",
    reason: "noSession",
    error: null,
  });
  expect(scripted.count("token")).toBe(1);
  const { value } = await signInHere(page, scripted);
  expect(value.state.status).toBe("signedIn");
});

test.describe("a pending login blocks no other", () => {
  for (const order of [
    [0, 1],
    [1, 0],
  ])
    test(`in one tab, whichever comes back first (${order})`, async ({
      page,
      app,
      scripted,
    }) => {
      const options = optionsFor(app, scripted);
      await open(page, app);
      await begin(page, options);
      const urls = [
        await requestUrl(page, { appState: 0 }),
        await requestUrl(page, { appState: 1 }),
        // Nobody comes back from this one.
        await requestUrl(page, { appState: 2 }),
      ];
      for (const number of order)
        expect(
          await handle(page, scripted.authorize(urls[number])),
        ).toMatchObject({
          value: { appState: number, state: { status: "signedIn" } },
        });
      expect(scripted.count("token")).toBe(2);
    });

  test("in two tabs of one storage", async ({
    page,
    context,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    const tabs = [page, await context.newPage()];
    const urls = [];
    for (const tab of tabs) {
      await open(tab, app);
      await tab.evaluate((options) => {
        start({ ...options, storage: localStorage });
        return auth.ready.then(() => {});
      }, options);
      urls.push(await requestUrl(tab));
    }
    for (const [number, tab] of tabs.entries())
      expect(await handle(tab, scripted.authorize(urls[number]))).toMatchObject(
        { value: { state: { status: "signedIn", user: { sub: "alice" } } } },
      );
    for (const tab of tabs)
      expect(await call(tab, "getAccessToken")).toMatchObject({
        value: expect.stringMatching(/^at-/),
      });
  });
});

test("a login stops waiting when its caller does, and does not leave then", async ({
  page,
  app,
  scripted,
}) => {
  let answer;
  scripted.holdNext("discovery", new Promise((resolve) => (answer = resolve)));
  await open(page, app);
  await begin(page, optionsFor(app, scripted));
  await page.evaluate(() => {
    window.left = [];
    window.stop = new AbortController();
    const login = (name, signal) =>
      attempt(() =>
        auth.login({ signal, navigate: () => void left.push(name) }),
      );
    window.stopped = login("stopped", stop.signal);
    void login("other");
  });
  await expect.poll(() => scripted.count("discovery")).toBe(1);
  expect(
    await page.evaluate(() => {
      stop.abort();
      return stopped;
    }),
  ).toMatchObject({ error: { code: "aborted", retryable: false } });
  answer();
  await page.waitForFunction(() => left.length > 0);
  expect(await page.evaluate(() => left)).toEqual(["other"]);
  const late = await page.evaluate(() =>
    attempt(() => auth.login({ signal: AbortSignal.abort() })),
  );
  expect(late).toMatchObject({ error: { code: "aborted" } });
  expect(page.url()).toBe(`${app.url}/`);
});
