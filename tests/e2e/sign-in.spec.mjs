import {
  begin,
  call,
  handle,
  isResponse,
  leave,
  open,
  optionsFor,
  requestUrl,
  returnFrom,
  sessionKey,
  signIn,
  signInHere,
  signInReally,
  storedIn,
  storedSession,
} from "../support/driver.mjs";
import { expect, quick, test } from "../support/fixtures.mjs";

test.use(quick);

test.describe("at the real provider", () => {
  for (const [alg, clientId] of [
    ["RS256", "spa"],
    ["PS256", "spa-ps256"],
    ["ES256", "spa-es256"],
    ["Ed25519", "spa-ed25519"],
  ])
    test(`ID5, ID21: a user signs in with an ID Token signed by ${alg}`, async ({
      page,
      app,
      op,
    }) => {
      const options = optionsFor(app, { ...op, clientId });
      await signInReally(page, app, options);
      const state = await begin(page, options);
      expect(state).toMatchObject({
        status: "signedIn",
        user: { iss: op.issuer, sub: "alice", aud: clientId },
        scope: ["openid", "offline_access"],
        freshness: "fresh",
        refreshable: true,
        error: null,
      });
      const raw = (await call(page, "getIdToken")).value;
      const header = JSON.parse(Buffer.from(raw.split(".")[0], "base64url"));
      expect(header.alg).toBe(alg);
      const { value } = await call(page, "getAccessToken");
      expect(await op.control.introspect(value)).toMatchObject({
        sub: "alice",
        client_id: clientId,
      });
      expect(op.control.counters).toMatchObject({
        discovery: 1,
        token: 1,
        jwks: 1,
      });
    });

  test("a second user signs in after the first, in the same browser", async ({
    page,
    app,
    op,
  }) => {
    const options = optionsFor(app, op);
    await signInReally(page, app, options);
    await begin(page, options);
    const first = await storedSession(page, options);
    await leave(page, { prompt: "login" }, /\/interaction\//);
    await Promise.all([
      page.waitForURL(isResponse(app)),
      page.click('button.user:has-text("bob")'),
    ]);
    const state = await begin(page, options);
    expect(state.user.sub).toBe("bob");
    const second = await storedSession(page, options);
    expect(second.record.view.user.sub).toBe("bob");
    // Another user is another family: nothing of the first is left.
    expect(second.record.grant.family).not.toBe(first.record.grant.family);
    expect(second.text).not.toContain("alice");
    const { value } = await call(page, "getAccessToken");
    expect((await op.control.introspect(value)).sub).toBe("bob");
  });

  test("CB5: a cancelled sign-in is told in the server's own words", async ({
    page,
    app,
    op,
  }) => {
    const options = optionsFor(app, op);
    await open(page, app);
    await begin(page, options);
    await leave(page, {}, /\/interaction\//);
    await Promise.all([
      page.waitForURL(isResponse(app)),
      page.click("button:has-text('Cancel')"),
    ]);
    const state = await begin(page, options);
    expect(state).toMatchObject({
      status: "signedOut",
      reason: "callbackFailed",
      error: {
        code: "authorization_error",
        details: {
          error: "access_denied",
          error_description: "The user cancelled the sign-in.",
          error_uri: null,
        },
      },
    });
    expect(await page.evaluate(() => location.href)).toBe(
      `${app.url}/callback`,
    );
  });

  test("the callback takes one sequential round trip, the signature check included", async ({
    page,
    app,
    op,
  }) => {
    const options = optionsFor(app, op);
    await signInReally(page, app, options);
    op.control.resetCounters();
    // Long beside what a busy machine takes for the rest.
    const delay = 1000;
    op.control.setDelay("token", delay);
    op.control.setDelay("jwks", delay);
    expect((await begin(page, options)).status).toBe("signedIn");
    const done = Date.now();
    // The keys and the tokens, and nothing else: discovery came along over the redirect.
    expect(op.control.counters).toEqual({
      jwks: 1,
      token: 1,
      "token:authorization_code": 1,
    });
    const [token] = op.control.requests.filter(
      ({ endpoint }) => endpoint === "token",
    );
    const [jwks] = op.control.requests.filter(
      ({ endpoint }) => endpoint === "jwks",
    );
    // The token endpoint answers no earlier than that after it was asked.
    expect(jwks.at).toBeLessThan(token.at + delay);
    expect(done - Math.min(token.at, jwks.at)).toBeLessThan(2 * delay);
  });
});

test.describe("the authorization request", () => {
  test("AR1, AR2, AR6, AR7: carries PKCE, state and nonce, new ones for each login", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await open(page, app);
    await begin(page, options);
    const urls = [await requestUrl(page), await requestUrl(page)];
    const [first, second] = urls.map((url) =>
      Object.fromEntries(new URL(url).searchParams),
    );
    expect(urls[0]).toContain(`${scripted.issuer}/authorize?`);
    expect(first).toEqual({
      client_id: "spa",
      response_type: "code",
      redirect_uri: `${app.url}/callback`,
      scope: "openid offline_access",
      state: expect.stringMatching(/^cs-[0-9a-f]{8}-[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: "S256",
    });
    for (const name of ["state", "nonce", "code_challenge"])
      expect(second[name]).not.toBe(first[name]);
    // Each has its own record, and the verifier stays at home.
    const stored = await storedIn(page);
    for (const { state, nonce, code_challenge } of [first, second]) {
      const record = JSON.parse(stored[`countersign:login:${state}`]);
      expect(record).toMatchObject({ v: 1, state, nonce });
      expect(record.code_verifier).toMatch(/^[\w-]{43}$/);
      expect(record.code_verifier).not.toBe(code_challenge);
    }
  });

  test("AR12: carries what the application asks for, the login's own wishes first", async ({
    page,
    app,
    scripted,
  }) => {
    await open(page, app);
    await begin(
      page,
      optionsFor(app, scripted, {
        authorizationParams: {
          audience: "https://api.example",
          prompt: "login",
          extra: { theme: "dark", "odd name": "a&b=c" },
        },
      }),
    );
    const url = await requestUrl(page, {
      scope: ["openid", "email"],
      prompt: "consent",
      loginHint: "zoë@example.com",
      maxAge: 600,
      uiLocales: ["de", "en"],
      display: "page",
      extra: { theme: "light" },
    });
    expect(Object.fromEntries(new URL(url).searchParams)).toMatchObject({
      audience: "https://api.example",
      prompt: "consent",
      scope: "openid email",
      login_hint: "zoë@example.com",
      max_age: "600",
      ui_locales: "de en",
      display: "page",
      theme: "light",
      "odd name": "a&b=c",
    });
    const names = [...new URL(url).searchParams.keys()];
    expect(new Set(names).size).toBe(names.length);
  });

  test("is given to navigate, where the application wants to leave by itself", async ({
    page,
    app,
    scripted,
  }) => {
    await open(page, app);
    await begin(page, optionsFor(app, scripted));
    expect(await requestUrl(page)).toContain("code_challenge=");
    expect(page.url()).toBe(`${app.url}/`);
    const thrown = await page.evaluate(() =>
      attempt(() =>
        auth.login({
          navigate: () => Promise.reject(new RangeError("not now")),
        }),
      ),
    );
    expect(thrown.error).toMatchObject({ name: "RangeError" });
  });

  test("waits for ever, unless the page comes back from the back/forward cache", async ({
    page,
    app,
    scripted,
  }) => {
    await open(page, app);
    await begin(page, optionsFor(app, scripted));
    const outcome = await page.evaluate(async () => {
      let settled = false;
      const left = new Promise((resolve) => {
        const login = attempt(() => auth.login({ navigate: resolve }));
        window.login = login.finally(() => (settled = true));
      });
      await left;
      const show = (persisted) =>
        dispatchEvent(new PageTransitionEvent("pageshow", { persisted }));
      show(false);
      await new Promise((resolve) => setTimeout(resolve));
      const early = settled;
      show(true);
      return { early, ...(await window.login) };
    });
    expect(outcome).toMatchObject({
      early: false,
      error: { code: "aborted", details: {} },
    });
  });
});

test("a page that comes back from the real back/forward cache has its login aborted", async ({
  playwright,
  browserName,
  app,
  op,
}, { project }) => {
  const { launchOptions, channel } = project.use;
  // Playwright switches the cache off in Chromium.
  const ignored = ["--disable-back-forward-cache"];
  const browser = await playwright[browserName].launch({
    ...launchOptions,
    channel,
    ignoreDefaultArgs: browserName === "chromium" ? ignored : [],
  });
  try {
    const page = await browser.newPage();
    await open(page, app);
    await begin(page, optionsFor(app, op));
    app.reset();
    // The page tells by itself: the driver loses sight of one that comes back so.
    await page.evaluate(() => {
      const login = attempt(() => auth.login());
      addEventListener("pageshow", async ({ persisted }) => {
        const { error } = persisted ? await login : {};
        await fetch(`/api/came-back?${persisted}&${error?.code}`);
      });
    });
    await page.waitForURL(/\/interaction\//);
    await page.evaluate(() => history.back()).catch(() => {});
    const seen = () =>
      app.requests.find(({ path }) => path === "/" || path === "/api/came-back")
        ?.url;
    await expect.poll(seen).toBeTruthy();
    test.skip(
      seen() === "/" || seen().endsWith("?false&undefined"),
      `${browserName} keeps no page in its back/forward cache under this driver`,
    );
    expect(seen()).toBe("/api/came-back?true&aborted");
  } finally {
    await browser.close();
  }
});

test.describe("the callback", () => {
  test("brings returnTo and appState back", async ({ page, app, scripted }) => {
    const options = optionsFor(app, scripted);
    const appState = {
      cart: [1, 2.5, -0, "drei", null, true],
      name: "Zoë 😀 \u2028 \u0000",
      deep: { er: [[[]]] },
    };
    await open(page, app, "/shop");
    await returnFrom(page, app, options, {
      returnTo: "/shop/cart?x=1&y=%20#end",
      appState,
    });
    const result = await page.evaluate(async (options) => {
      start(options);
      return plain(await auth.handleCallback());
    }, options);
    expect(result.returnTo).toBe("/shop/cart?x=1&y=%20#end");
    expect(result.appState).toEqual(JSON.parse(JSON.stringify(appState)));
    expect(result.state).toMatchObject({
      status: "signedIn",
      user: { sub: "alice" },
    });
    expect(page.url()).toBe(`${app.url}/shop/cart?x=1&y=%20#end`);
  });

  test("is over when ready settles: the page is where the sign-in goes back to, and a router may start", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await open(page, app, "/orders?x=1");
    await returnFrom(page, app, options);
    const seen = await page.evaluate(async (options) => {
      start(options);
      const { status } = await auth.ready;
      return [status, location.pathname + location.search];
    }, options);
    expect(seen).toEqual(["signedIn", "/orders?x=1"]);
  });

  test("settles ready where it fails, too, and where its owner throws", async ({
    page,
    app,
    scripted,
    uncaught,
  }) => {
    const options = optionsFor(app, scripted);
    await open(page, app);
    await returnFrom(page, app, options);
    const thrown = await page.evaluate(async (options) => {
      const onCallback = () => {
        throw new Error("by the application");
      };
      start({ ...options, onCallback });
      return (await auth.ready).status;
    }, options);
    expect(thrown).toBe("signedIn");
    await expect.poll(() => uncaught.join()).toContain("by the application");
    uncaught.length = 0;
    // A response of another server's, to a login that is pending.
    const request = new URL(await requestUrl(page));
    const state = request.searchParams.get("state");
    await open(page, app, `/callback?code=c&state=${state}&iss=https://else`);
    const failed = await page.evaluate(async (options) => {
      start(options);
      const { error } = await auth.ready;
      return [error?.code, location.pathname];
    }, options);
    expect(failed).toEqual(["issuer_mismatch", "/callback"]);
  });

  test("returns to where the login began, and is silent about an appState that was not given", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await open(page, app, "/here?a=b#c");
    await returnFrom(page, app, options);
    const result = await page.evaluate(async (options) => {
      start(options);
      const { returnTo, ...rest } = await auth.handleCallback();
      return { returnTo, given: rest.appState !== undefined };
    }, options);
    expect(result).toEqual({ returnTo: "/here?a=b#c", given: false });
    expect(page.url()).toBe(`${app.url}/here?a=b#c`);
  });

  test("hands its result to onCallback, which then owns the address bar", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await open(page, app, "/deep");
    await returnFrom(page, app, options, { appState: 7 });
    const results = await page.evaluate(async (options) => {
      const results = [];
      start({
        ...options,
        onCallback: (result) => results.push(plain(result)),
      });
      await auth.ready;
      await auth.handleCallback();
      return results;
    }, options);
    expect(results).toMatchObject([{ returnTo: "/deep", appState: 7 }]);
    expect(page.url()).toBe(`${app.url}/callback`);
  });

  test("CB9: leaves the address bar at once, before anything is loaded; the rest stays letter by letter", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await open(page, app);
    await begin(page, options);
    const back = new URL(scripted.authorize(await requestUrl(page)));
    const { code, state } = Object.fromEntries(back.searchParams);
    await page.goto(
      `${app.url}/callback?tab=%7e+x&${back.searchParams}&session_state=s&a&b=&tab=2#frag?code=kept`,
    );
    await page.waitForFunction(() => "createAuth" in window);
    app.reset();
    const seen = await page.evaluate(async (options) => {
      const before = history.length;
      history.replaceState({ mine: 1 }, "");
      start({ ...options, onCallback: () => {} });
      const at = location.href;
      await auth.ready;
      // Whatever is asked for later carries the page's URL as its referrer.
      await fetch("/api/later");
      return {
        at,
        later: location.href,
        grown: history.length - before,
        state: history.state,
        referrer: document.referrer,
      };
    }, options);
    const clean = `${app.url}/callback?tab=%7e+x&a&b=&tab=2#frag?code=kept`;
    expect(seen).toMatchObject({
      at: clean,
      later: clean,
      grown: 0,
      state: { mine: 1 },
    });
    const requested = app.requests.filter(
      ({ path }) => path !== "/favicon.ico",
    );
    // The glue and the wasm are among them.
    expect(requested.length).toBeGreaterThan(2);
    for (const { referer, url } of requested) {
      expect(referer).toMatch(/\/(callback|assets)/);
      for (const secret of [code, state]) {
        expect(referer).not.toContain(secret);
        expect(url).not.toContain(secret);
      }
    }
  });

  test("CB9: leaves the address bar also when it fails", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await open(page, app);
    await returnFrom(page, app, options);
    scripted.answerNext("token", {
      status: 400,
      json: { error: "invalid_grant" },
    });
    const at = await page.evaluate(async (options) => {
      start(options);
      const at = location.href;
      await auth.ready;
      return [at, location.href];
    }, options);
    expect(at).toEqual([`${app.url}/callback`, `${app.url}/callback`]);
    expect(await page.evaluate(() => plain(auth.state))).toMatchObject({
      status: "signedOut",
      reason: "callbackFailed",
      error: { code: "token_error", details: { error: "invalid_grant" } },
    });
  });

  test("CB1: gives a second handling the first result (StrictMode, automatic)", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await open(page, app);
    await returnFrom(page, app, options, { appState: "once" });
    const outcome = await page.evaluate(async (options) => {
      const auth = start(options);
      const early = [auth.handleCallback(), auth.handleCallback()];
      const results = await Promise.all(early);
      const late = await createAuth(options).handleCallback();
      return {
        same: results.every((result) => result === late),
        appState: late.appState,
        state: plain(auth.state),
      };
    }, options);
    expect(outcome).toMatchObject({
      same: true,
      appState: "once",
      state: { status: "signedIn" },
    });
    expect(scripted.count("token")).toBe(1);
  });

  test("waits for handleCallback in manual mode, and gives each caller the same", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted, { callback: "manual" });
    await open(page, app);
    await returnFrom(page, app, options, { appState: "by hand" });
    const response = page.url();
    const outcome = await page.evaluate(async (options) => {
      const auth = start(options);
      const seen = [auth.isCallback(), plain(await auth.ready), location.href];
      const first = auth.handleCallback();
      const cleaned = location.href;
      const results = await Promise.all([first, auth.handleCallback()]);
      const late = await auth.handleCallback();
      return {
        seen,
        cleaned,
        same: results.every((result) => result === late),
        appState: late.appState,
        state: plain(auth.state),
        isCallback: auth.isCallback(location.href),
      };
    }, options);
    expect(outcome).toMatchObject({
      seen: [true, { status: "signedOut", reason: "noSession" }, response],
      cleaned: `${app.url}/callback`,
      same: true,
      appState: "by hand",
      state: { status: "signedIn" },
      isCallback: false,
    });
    expect(scripted.count("token")).toBe(1);
  });

  test("that failed gives every caller the same error", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await open(page, app);
    await returnFrom(page, app, options);
    scripted.answerNext("token", {
      status: 400,
      json: { error: "invalid_grant" },
    });
    const outcomes = await page.evaluate(async (options) => {
      start(options);
      const calls = [1, 2].map(() => attempt(() => auth.handleCallback()));
      const early = await Promise.all(calls);
      return [...early, await attempt(() => auth.handleCallback())];
    }, options);
    for (const { error } of outcomes)
      expect(error).toMatchObject({
        code: "token_error",
        details: { error: "invalid_grant", status: 400 },
      });
    expect(scripted.count("token")).toBe(1);
  });

  test("CB14: is recognised by its path and by a state of ours", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await open(page, app);
    await begin(page, options);
    const back = scripted.authorize(await requestUrl(page));
    const state = new URL(back).searchParams.get("state");
    const judged = await page.evaluate(
      (urls) => urls.map((url) => auth.isCallback(url)),
      [
        back,
        `/callback?state=${state}`,
        `/callback?error=access_denied&state=${state}`,
        `/callback?x=1&state=foreign&state=${state}`,
        // and not:
        "/callback",
        "/callback?code=1",
        "/callback?error=access_denied",
        "/callback?code=1&state=foreign",
        `/elsewhere?code=1&state=${state}`,
        `${scripted.issuer}/callback?code=1&state=${state}`,
        `/callback#code=1&state=${state}`,
        `/callback?code=1&state=${state.replace(/^cs-.{8}/, "cs-00000000")}`,
      ],
    );
    expect(judged).toEqual([...Array(4).fill(true), ...Array(8).fill(false)]);
    expect(await page.evaluate(() => auth.isCallback())).toBe(false);
  });

  test("of somebody else is left alone", async ({ page, app, scripted }) => {
    const options = optionsFor(app, scripted);
    for (const query of [
      "?code=theirs&state=theirs",
      "?error=access_denied",
      "?code=theirs",
      "?state=cs-00000000-theirs&code=theirs",
      "?error=oops&error_description=x&state=abc",
    ]) {
      await open(page, app, `/callback${query}`);
      const state = await begin(page, options);
      expect(state, query).toMatchObject({
        status: "signedOut",
        reason: "noSession",
        error: null,
      });
      expect(page.url()).toBe(`${app.url}/callback${query}`);
      expect(scripted.requests).toEqual([]);
      expect(app.loads("wasm-inline")).toBe(0);
    }
    // The twin: with a login of ours the same page is a callback.
    const { value } = await signInHere(page, scripted);
    expect(value.state.status).toBe("signedIn");
  });

  test("that is opened again finds a live session and leaves it alone", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await open(page, app, "/first");
    await returnFrom(page, app, options);
    const response = page.url();
    await begin(page, options);
    const before = await storedSession(page, options);
    const asked = scripted.requests.length;
    // Back button, bookmark, reload.
    await page.goto(response);
    await page.waitForFunction(() => "createAuth" in window);
    const state = await begin(page, options);
    expect(state).toMatchObject({ status: "signedIn", error: null });
    expect(page.url()).toBe(`${app.url}/callback`);
    expect((await storedSession(page, options)).text).toBe(before.text);
    expect(scripted.requests.length).toBe(asked);
  });

  test("without a pending login says where to go", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await open(page, app, "/first");
    await returnFrom(page, app, options);
    const response = page.url();
    await begin(page, options);
    await page.evaluate(
      (key) => sessionStorage.removeItem(key),
      sessionKey(options),
    );
    await page.goto(response);
    await page.waitForFunction(() => "createAuth" in window);
    expect(await begin(page, options)).toMatchObject({
      status: "signedOut",
      reason: "callbackFailed",
      error: {
        code: "stale_callback",
        details: { problem: "used", returnTo: "/first", untrusted: null },
      },
    });
    expect(page.url()).toBe(`${app.url}/callback`);
  });
});

test("signing in anew as the same user stays in the family, one generation on", async ({
  page,
  app,
  scripted,
}) => {
  const options = optionsFor(app, scripted);
  await signIn(page, app, options);
  const before = (await storedSession(page, options)).record.grant;
  await signInHere(page, scripted);
  const after = (await storedSession(page, options)).record.grant;
  expect(after.family).toBe(before.family);
  expect(after.generation).toBe(before.generation + 1);
  scripted.settings.sub = "bob";
  const { value } = await signInHere(page, scripted);
  expect(value.state.user.sub).toBe("bob");
  const other = (await storedSession(page, options)).record.grant;
  expect(other.family).not.toBe(before.family);
});

test("a session counts its steps: loading is never told after a state was", async ({
  page,
  app,
  scripted,
}) => {
  const options = optionsFor(app, scripted);
  await open(page, app);
  await returnFrom(page, app, options);
  await begin(page, options);
  const { states, moments } = await page.evaluate(() => ({ states, moments }));
  expect(states.map(({ status }) => status)).toEqual(["loading", "signedIn"]);
  expect(moments).toMatchObject([
    { type: "signedIn", via: "callback", user: { sub: "alice" } },
  ]);
  // The same response by hand: the first result, and nothing is told twice.
  expect(await handle(page, `${app.url}/callback?state=x`)).toMatchObject({
    value: { returnTo: expect.any(String) },
  });
  expect(await page.evaluate(() => moments.length)).toBe(1);
});
