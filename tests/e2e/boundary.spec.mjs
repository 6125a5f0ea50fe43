// Nothing panics across the boundary: the ugliest inputs at every method, and at every export of the Rust side.

import {
  begin,
  call,
  handle,
  open,
  optionsFor,
  requestUrl,
  signIn,
  signInHere,
  storedIn,
  storedSession,
  watchWasm,
} from "../support/driver.mjs";
import { expect, quick, test } from "../support/fixtures.mjs";

test.use(quick);

/** Puts `ugly` on every page: `{ name: value }`, made anew by each call. */
const withUgly = (page) =>
  page.addInitScript(() => {
    window.ugly = () => {
      const cyclic = {};
      cyclic.self = cyclic;
      const deep = JSON.parse("[".repeat(5000) + "]".repeat(5000));
      const hostile = new Proxy(
        {},
        {
          get() {
            throw new Error("by the proxy");
          },
          ownKeys() {
            throw new Error("by the proxy");
          },
          getOwnPropertyDescriptor() {
            throw new Error("by the proxy");
          },
        },
      );
      const greedy = new Proxy(() => greedy, {
        get: (_, name) => (name === "then" ? undefined : greedy),
      });
      return {
        undefined: undefined,
        null: null,
        true: true,
        zero: 0,
        minus: -1,
        fraction: 1.5,
        huge: 1e308,
        NaN: NaN,
        Infinity: Infinity,
        bigint: 10n ** 40n,
        symbol: Symbol("x"),
        empty: "",
        nul: "\u0000\u0001",
        surrogate: "\ud800",
        surrogates: "a\udfffb\ud800",
        quotes: "\"'\\\n\u2028${x}<!--",
        megabyte: "x".repeat(1 << 20),
        wide: "😀".repeat(1 << 18),
        braces: "[".repeat(1 << 20),
        json: '{"v":1e999999,"v":-0,"\\u0000":"\\ud800"}',
        function: () => {
          throw new Error("by the function");
        },
        array: [1, [2, [3]]],
        sparse: new Array(10),
        date: new Date(NaN),
        url: new URL("https://x.example/?a=b#c"),
        bytes: new Uint8Array(64),
        cyclic,
        deep,
        // As deep as every engine writes JSON.
        nested: JSON.parse("[".repeat(500) + "]".repeat(500)),
        hostile,
        greedy,
        nothing: Object.create(null),
        thrower: {
          toString() {
            throw new Error("by toString");
          },
          toJSON() {
            throw new Error("by toJSON");
          },
          get extra() {
            throw new Error("by a getter");
          },
        },
      };
    };
  });

test("T33: every method gives a result or a typed error, whatever it is given", async ({
  page,
  app,
  scripted,
}) => {
  test.setTimeout(90_000);
  await withUgly(page);
  await signIn(page, app, optionsFor(app, scripted));
  const foreign = await page.evaluate(
    async (options) => {
      const foreign = [];
      const note = (where, error) => {
        if (isAuthError(error)) return;
        // What the input itself throws is its own; what fetch and listeners refuse, they refuse in their own words.
        if (/^by |call stack|recursion/.test(error?.message)) return;
        foreign.push(
          `${where}: ${error?.code ?? error?.name}: ${error?.message}`.slice(
            0,
            200,
          ),
        );
      };
      const settled = (result) =>
        Promise.race([
          result,
          new Promise((resolve) => setTimeout(resolve, 2000, "hangs")),
        ]);
      /** One call; what comes of it is awaited. */
      const tryOut = async (where, call) => {
        let result;
        try {
          result = call();
        } catch (error) {
          return note(where, error);
        }
        try {
          if ((await settled(result)) === "hangs")
            foreign.push(`${where}: hangs`);
        } catch (error) {
          note(where, error);
        }
      };
      const navigate = () => Promise.reject(new Error("by navigate"));
      const as = (name, value) => ({ navigate, [name]: value });
      for (const [name, value] of Object.entries(ugly())) {
        const calls = {
          login: () => auth.login(value),
          ...Object.fromEntries(
            [
              "returnTo",
              "appState",
              "scope",
              "prompt",
              "loginHint",
              "maxAge",
              "uiLocales",
              "display",
              "audience",
              "extra",
            ].map((option) => [
              `login ${option}`,
              () => auth.login(as(option, value)),
            ]),
          ),
          "login extra.x": () => auth.login(as("extra", { x: value })),
          isCallback: () => auth.isCallback(value),
          handleCallback: () => auth.handleCallback(value),
          getAccessToken: () => auth.getAccessToken(value),
          "getAccessToken minValidity": () =>
            auth.getAccessToken({ minValidity: value }),
          "getAccessToken forceRefresh": () =>
            auth.getAccessToken({ forceRefresh: value }),
          "getAccessToken signal": () =>
            auth.getAccessToken({ forceRefresh: true, signal: value }),
          "getAccessToken refused": () =>
            auth.getAccessToken({ refused: value, challenge: value }),
          "authorize options": () => auth.authorize("/api/echo", value),
          getIdToken: () => auth.getIdToken(value),
          preload: () => auth.preload(value),
          createAuth: () => createAuth(value),
          createExternal: () => createExternal(value),
          "wasm of createExternal": () =>
            createExternal({
              ...options,
              clientId: `external ${name}`,
              wasm: value,
            }).preload(),
          ...Object.fromEntries(
            Object.keys(options).map((option) => [
              `createAuth ${option}`,
              () =>
                createAuth({
                  ...options,
                  clientId: "ugly",
                  [option]: value,
                }).dispose(),
            ]),
          ),
        };
        // Only an object can be read for its options: a login without any would leave.
        if (value === undefined) delete calls.login;
        if (
          ["function", "date", "url", "bytes", "cyclic", "nothing"].includes(
            name,
          )
        )
          delete calls.login;
        for (const [method, call] of Object.entries(calls))
          await tryOut(`${method}(${name})`, call);
      }
      return foreign;
    },
    optionsFor(app, scripted),
  );
  expect(foreign).toEqual([]);
  // The client is as good as before.
  expect(
    await page.evaluate(() => attempt(() => auth.getAccessToken())),
  ).toEqual({ value: expect.stringMatching(/^at-/) });
});

test("logout takes whatever it is given", async ({ page, app, scripted }) => {
  const options = optionsFor(app, scripted);
  await withUgly(page);
  await open(page, app);
  const foreign = await page.evaluate(async (options) => {
    const foreign = [];
    for (const name of Object.keys(ugly())) {
      for (const option of ["postLogoutRedirectUri", "local", "extra"]) {
        const auth = createAuth(options);
        const navigate = () => {};
        try {
          await auth.logout({ navigate, [option]: ugly()[name] });
        } catch (error) {
          const own = /^by |call stack|recursion/.test(error?.message);
          if (!isAuthError(error) && !own)
            foreign.push(`${option} ${name}: ${error?.code} ${error?.message}`);
        }
        auth.dispose();
      }
    }
    return foreign;
  }, options);
  expect(foreign).toEqual([]);
});

test("T33: every export of the Rust side is total: nothing traps, every refusal is typed", async ({
  page,
  app,
  scripted,
}) => {
  test.setTimeout(90_000);
  await withUgly(page);
  await open(page, app);
  const outcome = await page.evaluate(
    async (options) => {
      const { createCore } = await loadCore();
      const module = await WebAssembly.compileStreaming(fetch("/core.wasm"));
      const trapped = [];
      const wrong = [];
      let calls = 0;
      const map = new Map();
      const storage = {
        getItem: (key) => map.get(key) ?? null,
        setItem: (key, value) => void map.set(key, value),
        removeItem: (key) => void map.delete(key),
      };
      const throwing = () => {
        throw new Error("by the host");
      };
      const hosts = {
        good: { session: storage, logins: storage, tell() {} },
        bare: { tell() {} },
        denied: { session: null, logins: null, tell() {} },
        throwing: {
          session: {
            getItem: throwing,
            setItem: throwing,
            removeItem: throwing,
          },
          logins: {
            getItem: throwing,
            setItem: throwing,
            removeItem: throwing,
          },
          transport: throwing,
          log: () => {},
          tell() {},
        },
        odd: {
          session: { getItem: () => 7, setItem: () => 7, removeItem: () => 7 },
          logins: { getItem: () => ({}), setItem() {}, removeItem() {} },
          transport: () => 7,
          log: () => Symbol("x"),
          tell() {},
        },
        late: {
          session: storage,
          logins: storage,
          transport: () => Promise.reject(null),
          tell() {},
        },
        lying: {
          session: storage,
          logins: storage,
          transport: () => new Response("{}", { status: 200 }),
          tell() {},
        },
      };
      const codes = new Set();
      const judge = (where, error) => {
        calls += 1;
        if (typeof error === "string" && error.startsWith("{")) {
          const { code } = JSON.parse(error);
          codes.add(code);
          if (code !== "internal") return;
        }
        wrong.push(`${where}: ${error}`.slice(0, 200));
      };
      const good = JSON.stringify({
        ...options,
        statePrefix: "cs-test-",
        timeout: 1,
      });
      const make = (text, host) =>
        new (createCore(
          module,
          (cause) => trapped.push(String(cause)),
          loadSecondary,
        ))(text, host);
      // Texts are all that the facade hands over.
      const isText = ([, value]) => typeof value === "string";
      const texts = {
        ...Object.fromEntries(Object.entries(ugly()).filter(isText)),
        good,
        object: "{}",
        list: "[]",
        number: "7",
        params: '{"params":{"state":"x","":"","a":7}}',
        returnTo: '{"returnTo":"//evil","appState":{"a":[1e400]}}',
        twice: '{"returnTo":"/a","returnTo":"/b"}',
        minValidity: '{"minValidity":1e300,"forceRefresh":"yes"}',
        most: '{"minValidity":9223372036854775807,"forceRefresh":true}',
        least: '{"minValidity":-9223372036854775808}',
        uri: '{"postLogoutRedirectUri":"javascript:x","statePrefix":"\\u0000"}',
        callback: `${options.redirectUri}?state=cs-test-x&code=y&code=z`,
        percent: `${options.redirectUri}?state=%ff%fe%80&code=%&error=%zz`,
        many: `${options.redirectUri}?${"state=cs-test-x&".repeat(10_000)}`,
      };
      const settle = (where, promise) =>
        Promise.race([
          promise,
          new Promise((_, reject) =>
            setTimeout(reject, 5000, "it never settled"),
          ),
        ]).then(
          () => (calls += 1),
          (error) => judge(where, error),
        );
      // The constructor.
      for (const [name, text] of Object.entries(texts))
        for (const [host, object] of Object.entries(hosts))
          try {
            make(text, object).free();
            calls += 1;
          } catch (error) {
            judge(`new(${name}, ${host})`, error);
          }
      // Every method, by every text, with every host, all at once.
      for (const [host, object] of Object.entries(hosts)) {
        const core = make(good, object);
        await settle(`start ${host}`, core.start());
        const running = [];
        for (const [name, text] of Object.entries(texts))
          for (const method of [
            "start",
            "handleCallback",
            "beginLogin",
            "refresh",
            "beginLogout",
            "idToken",
          ]) {
            const where = `${method}(${name}, ${host})`;
            try {
              running.push(settle(where, core[method](text)));
            } catch (error) {
              judge(where, error);
            }
          }
        await Promise.all(running);
        core.free();
      }
      // Stored records that nobody wrote.
      const key = `countersign:session:${options.issuer} ${options.clientId}`;
      const metadata = `countersign:metadata:${options.issuer}`;
      for (const [name, text] of Object.entries(texts)) {
        map.clear();
        map.set(key, text);
        map.set(metadata, text);
        map.set("countersign:login:cs-test-x", text);
        const core = make(good, hosts.late);
        await settle(`start on ${name}`, core.start());
        await settle(
          `callback on ${name}`,
          core.handleCallback(`${options.redirectUri}?state=cs-test-x&code=y`),
        );
        core.free();
      }
      return { trapped, wrong, calls, codes: [...codes].sort() };
    },
    optionsFor(app, scripted),
  );
  expect(outcome.trapped).toEqual([]);
  expect(outcome.wrong).toEqual([]);
  // The inputs did get there.
  expect(outcome.calls).toBeGreaterThan(1000);
  for (const code of [
    "invalid_config",
    "login_required",
    "network",
    "stale_callback",
    "storage",
  ])
    expect(outcome.codes).toContain(code);
});

test("whatever JSON can carry comes back as appState", async ({
  page,
  app,
  scripted,
}) => {
  await withUgly(page);
  const options = optionsFor(app, scripted);
  await open(page, app);
  await begin(page, options);
  const names = ["null", "zero", "huge", "nul", "surrogates", "quotes", "wide"];
  for (const name of [...names, "nested", "array", "sparse"]) {
    const url = await page.evaluate(
      (name) =>
        new Promise((navigate, reject) => {
          const appState = { it: ugly()[name] };
          auth
            .login({ appState, navigate })
            .catch(({ code, details }) =>
              reject(new Error(`${name}: ${code} ${JSON.stringify(details)}`)),
            );
        }),
      name,
    );
    const same = await page.evaluate(
      async ([name, back]) => {
        const { appState } = await auth.handleCallback(back);
        return (
          JSON.stringify(appState) === JSON.stringify({ it: ugly()[name] })
        );
      },
      [name, scripted.authorize(url)],
    );
    expect(same, name).toBe(true);
  }
  const { record } = await storedSession(page, options);
  expect(record.grant.generation).toBe(names.length + 3);
});

test("T33: what the Rust side is done with is wiped from its memory", async ({
  page,
  app,
  scripted,
}) => {
  await watchWasm(page);
  await open(page, app);
  const options = optionsFor(app, scripted);
  await begin(page, options);
  const url = await requestUrl(page);
  const logins = Object.values(await storedIn(page)).join();
  const [, verifier] = /"code_verifier":"([^"]+)"/.exec(logins);
  const back = scripted.authorize(url);
  const code = new URL(back).searchParams.get("code");
  expect((await handle(page, back)).value.state.status).toBe("signedIn");
  const isInMemory = (text) => page.evaluate((text) => inMemory(text), text);
  const { record } = await storedSession(page, options);
  const tokens = [
    record.view.tokens[""].access_token,
    record.grant.refresh_token,
    record.grant.id_token,
  ];
  // What it needs is there: the search finds what there is.
  for (const token of tokens) expect(await isInMemory(token)).toBe(true);
  expect(await isInMemory(verifier)).toBe(false);
  expect(await isInMemory(code)).toBe(false);
  await call(page, "logout", { local: true });
  for (const token of tokens) expect(await isInMemory(token)).toBe(false);
});

// An engine has room for a hundred or so memories in a process, and a page may make and dispose of clients all day.
test("T33: nothing of a client that was disposed is left in memory", async ({
  page,
  app,
  scripted,
  browserName,
}) => {
  test.skip(
    browserName !== "chromium",
    "its driver cannot have the page's garbage collected",
  );
  await page.addInitScript(() => {
    const { Instance } = WebAssembly;
    window.memories = [];
    WebAssembly.Instance = function (...args) {
      const instance = new Instance(...args);
      const { memory, authcore_new } = instance.exports;
      // Not that of what puts the wasm together.
      if (authcore_new) window.memories.push(new WeakRef(memory));
      return instance;
    };
  });
  await open(page, app);
  const options = optionsFor(app, scripted);
  const session = await page.context().newCDPSession(page);
  const left = async () => {
    await session.send("HeapProfiler.collectGarbage");
    return page.evaluate(() => memories.filter((one) => one.deref()).length);
  };
  await begin(page, options);
  await requestUrl(page);
  expect(await left()).toBe(1);
  await page.evaluate(async (options) => {
    for (let made = 0; made < 10; made += 1) {
      auth.dispose();
      // Discovered anew each time: a request is what takes longest to be forgotten.
      sessionStorage.clear();
      start(options);
      await new Promise((resolve, reject) => {
        auth.login({ navigate: resolve }).catch(reject);
      });
    }
    auth.dispose();
  }, options);
  await expect.poll(left, { timeout: 3000 }).toBe(0);
  expect(await page.evaluate(() => memories.length)).toBe(11);
  // The same with a session, which has a mailbox, locks and timers.
  for (let made = 0; made < 3; made += 1) {
    await begin(page, options);
    expect((await signInHere(page, scripted)).error).toBeUndefined();
    await page.evaluate(() => auth.dispose());
    await begin(page, options);
    await call(page, "getAccessToken", { forceRefresh: true });
    await call(page, "fetchUserInfo");
    await page.evaluate(() => auth.dispose());
  }
  await expect.poll(left, { timeout: 3000 }).toBe(0);
  expect(await page.evaluate(() => memories.length)).toBe(17);
});
