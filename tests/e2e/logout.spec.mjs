import {
  begin,
  call,
  open,
  optionsFor,
  sessionKey,
  signIn,
  signInHere,
  signInReally,
  storedIn,
  storedSession,
  untilMoment,
  watchWasm,
} from "../support/driver.mjs";
import { expect, quick, test } from "../support/fixtures.mjs";

test.use(quick);

/** What must be nowhere once the user is logged out. */
const SECRETS =
  /[^\w-](at|rt)-|eyJ|code_verifier|"nonce"|alice|access_token|refresh/;

test.describe("logout", () => {
  test("LO1: ends the session here and at the provider, and comes back as no callback", async ({
    page,
    app,
    op,
  }) => {
    const options = optionsFor(app, op, {
      postLogoutRedirectUri: `${app.url}/bye`,
    });
    await signInReally(page, app, options);
    await begin(page, options);
    await Promise.all([
      page.waitForURL((url) => url.pathname === "/bye"),
      page.evaluate(() => void auth.logout()),
    ]);
    await page.waitForFunction(() => "createAuth" in window);
    expect(page.url()).toMatch(/\/bye\?state=cso-[0-9a-f]{8}-[\w-]{43}$/);
    expect(JSON.stringify(await storedIn(page))).not.toMatch(
      /eyJ|code_verifier|alice|access_token/,
    );
    op.control.resetCounters();
    app.reset();
    const state = await begin(page, options);
    expect(state).toMatchObject({
      status: "signedOut",
      reason: "loggedOut",
      error: null,
    });
    expect(Object.keys(await storedIn(page)).join()).not.toContain("logout");
    expect(await page.evaluate(() => auth.isCallback())).toBe(false);
    expect(page.url()).toBe(`${app.url}/bye`);
    expect(op.control.counters).toEqual({});
    expect(app.loads("wasm-inline")).toBe(0);
    // The provider has forgotten, too: the next login asks who it is.
    await Promise.all([
      page.waitForURL(/\/interaction\//),
      page.evaluate(() => void auth.login()),
    ]);
    await expect(page.locator("button.user").first()).toBeVisible();
  });

  test("LO3: that comes back without its state is warned about, once, and nobody is signed in", async ({
    page,
    app,
    scripted,
  }) => {
    const postLogoutRedirectUri = `${app.url}/bye?x=1`;
    const options = optionsFor(app, scripted, { postLogoutRedirectUri });
    await signIn(page, app, options);
    const warned = () =>
      page.evaluate(() =>
        moments
          .filter(({ type }) => type === "warning")
          .map(({ code }) => code),
      );
    for (const [path, warnings, reason] of [
      ["/bye?x=1&state=STATE", [], "loggedOut"],
      ["/bye?state=STATE&x=1&state=other", [], "loggedOut"],
      ["/elsewhere?state=STATE", [], "loggedOut"],
      ["/bye?x=1", ["logout_unconfirmed"], "loggedOut"],
      ["/bye", ["logout_unconfirmed"], "loggedOut"],
      ["/bye?state=foreign", ["logout_unconfirmed"], "loggedOut"],
      ["/bye?state=STATEx", ["logout_unconfirmed"], "loggedOut"],
      ["/elsewhere?state=STATEx", ["logout_unconfirmed"], "loggedOut"],
      // Not the page that the logout comes back to.
      ["/elsewhere", [], "noSession"],
      ["/elsewhere?state=foreign", [], "noSession"],
    ])
      await test.step(path, async () => {
        const sent = await page.evaluate(
          () => new Promise((navigate) => void auth.logout({ navigate })),
        );
        const state = new URL(sent).searchParams.get("state");
        await open(page, app, path.replace("STATE", state));
        const settled = await begin(page, options);
        expect(settled).toMatchObject({ status: "signedOut", reason });
        expect(await warned()).toEqual(warnings);
        expect(page.url()).not.toContain("cso-");
        const hint = "postLogoutRedirectUri";
        if (warnings.length)
          expect(await page.evaluate(() => moments[0].hint)).toContain(hint);
        // The Rust side, which knows nothing of it, changes nothing.
        await call(page, "preload");
        expect(await page.evaluate(() => auth.state.reason)).toBe(reason);
        // It was said once.
        await open(page, app, "/bye");
        await begin(page, options);
        const later = reason === "noSession" ? ["logout_unconfirmed"] : [];
        expect(await warned()).toEqual(later);
      });
  });

  test("is not done by a link that looks like its return", async ({
    page,
    app,
    scripted,
  }) => {
    const postLogoutRedirectUri = `${app.url}/bye`;
    const options = optionsFor(app, scripted, { postLogoutRedirectUri });
    await signIn(page, app, options);
    const { text } = await storedSession(page, options);
    const sent = await page.evaluate(
      () => new Promise((navigate) => void auth.logout({ navigate })),
    );
    const pending = await storedIn(page);
    const state = new URL(sent).searchParams.get("state");
    for (const forged of [state, `${state}x`, "foreign", ""]) {
      // As if somebody had signed in again since: nobody remembers that this session has ended.
      await page.evaluate(
        async (stored) => {
          await new Promise((resolve) => {
            const forgetting = indexedDB.deleteDatabase("countersign");
            forgetting.onsuccess = resolve;
          });
          for (const [key, value] of Object.entries(stored))
            sessionStorage.setItem(key, value);
        },
        { ...pending, [sessionKey(options)]: text },
      );
      await open(page, app, `/bye?state=${forged}`);
      const settled = await begin(page, options);
      expect(settled.status, forged).toBe("signedIn");
      const types = await page.evaluate(() => moments.map(({ type }) => type));
      expect(types).not.toContain("warning");
    }
  });

  test("leaves no claim or token behind in its own record", async ({
    page,
    app,
    scripted,
  }) => {
    const postLogoutRedirectUri = `${app.url}/bye`;
    const options = optionsFor(app, scripted, { postLogoutRedirectUri });
    await signIn(page, app, options);
    const sent = await page.evaluate(
      () => new Promise((navigate) => void auth.logout({ navigate })),
    );
    const { issuer, clientId } = options;
    const key = `countersign:logout:${issuer} ${clientId}`;
    const state = new URL(sent).searchParams.get("state");
    expect((await storedIn(page))[key]).toBe(JSON.stringify({ v: 1, state }));
  });

  test("LO2: forgets before it leaves", async ({ page, app, scripted }) => {
    const options = optionsFor(app, scripted, {
      postLogoutRedirectUri: `${app.url}/bye`,
    });
    await signIn(page, app, options);
    expect(JSON.stringify(await storedIn(page))).toMatch(SECRETS);
    const left = await page.evaluate(async () => {
      const idToken = await auth.getIdToken();
      let left;
      await auth.logout({
        extra: { ui_locales: "de" },
        navigate: async (url) => {
          left = {
            url,
            stored: JSON.stringify([stored(), stored(localStorage)]),
            state: plain(auth.state),
            token: await attempt(() => auth.getAccessToken()),
            idTokenAfter: await auth.getIdToken(),
            idToken,
          };
        },
      });
      return left;
    });
    expect(left.stored).not.toMatch(SECRETS);
    expect(left.state).toMatchObject({
      status: "signedOut",
      reason: "loggedOut",
      error: null,
    });
    expect(left.token.error).toMatchObject({
      code: "login_required",
      details: { reason: "loggedOut" },
    });
    expect(left.idTokenAfter).toBeNull();
    const url = new URL(left.url);
    expect(url.origin + url.pathname).toBe(`${scripted.issuer}/logout`);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: "spa",
      id_token_hint: left.idToken,
      post_logout_redirect_uri: `${app.url}/bye`,
      state: expect.stringMatching(/^cso-/),
      ui_locales: "de",
    });
    expect(
      await page.evaluate(() => moments.map(({ type }) => type)),
    ).toContain("signedOut");
  });

  test("tells the application in the same turn that nobody is signed in", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await signIn(page, app, options);
    const seen = await page.evaluate(() => {
      void auth.logout({ local: true });
      return plain(auth.state);
    });
    expect(seen).toMatchObject({ status: "signedOut", reason: "loggedOut" });
  });

  test("with local only forgets here", async ({ page, app, scripted }) => {
    const options = optionsFor(app, scripted);
    await signIn(page, app, options);
    expect(await call(page, "logout", { local: true })).toEqual({});
    expect(page.url()).toBe(`${app.url}/`);
    expect(scripted.count("end_session")).toBe(0);
    expect((await storedSession(page, options)).text).toBeUndefined();
    // Signing in again founds a family of its own.
    const { value } = await signInHere(page, scripted);
    expect(value.state.status).toBe("signedIn");
  });

  test("sends no post_logout_redirect_uri that was not configured, and takes the call's own", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await signIn(page, app, options);
    const parameters = (options) =>
      page.evaluate(
        (options) =>
          new Promise((resolve, reject) => {
            const navigate = (url) =>
              resolve([...new URL(url).searchParams.keys()]);
            auth.logout({ ...options, navigate }).catch(reject);
          }),
        options,
      );
    expect(await parameters({})).toEqual(["client_id", "id_token_hint"]);
    expect(await parameters({ postLogoutRedirectUri: "/bye" })).toEqual([
      "client_id",
      "post_logout_redirect_uri",
      "state",
    ]);
  });

  test("LO2: where the server has no end_session_endpoint stays on the page", async ({
    page,
    app,
    scripted,
  }) => {
    scripted.editNext("discovery", ({ end_session_endpoint, ...rest }) => rest);
    const options = optionsFor(app, scripted);
    await signIn(page, app, options);
    expect(await call(page, "logout")).toEqual({});
    expect(page.url()).toBe(`${app.url}/`);
    expect((await storedSession(page, options)).text).toBeUndefined();
  });

  test("forgets also where the provider cannot be reached", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await signIn(page, app, options);
    await page.evaluate(() => {
      for (const key of Object.keys(sessionStorage))
        if (key.startsWith("countersign:metadata:"))
          sessionStorage.removeItem(key);
    });
    await open(page, app);
    await begin(page, options);
    scripted.answerNext("discovery", { status: 500 });
    const { error } = await call(page, "logout");
    expect(error).toMatchObject({
      code: "invalid_response",
      details: { endpoint: "discovery", status: 500 },
    });
    expect((await storedSession(page, options)).text).toBeUndefined();
    await open(page, app);
    expect((await begin(page, options)).status).toBe("signedOut");
  });

  test("forgets also where the wasm side traps", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await watchWasm(page);
    await signIn(page, app, options);
    await call(page, "preload");
    await page.evaluate(() => (window.trapOnce = /beginLogout/));
    const { error } = await call(page, "logout");
    expect(error).toMatchObject({ code: "internal" });
    expect((await storedSession(page, options)).text).toBeUndefined();
    expect(await page.evaluate(() => plain(auth.state))).toMatchObject({
      status: "signedOut",
    });
    expect((await call(page, "getAccessToken")).error.code).toBe(
      "login_required",
    );
  });

  test("without a session still ends the one at the server", async ({
    page,
    app,
    scripted,
  }) => {
    await open(page, app);
    await begin(page, optionsFor(app, scripted));
    const url = await page.evaluate(
      () => new Promise((navigate) => void auth.logout({ navigate })),
    );
    expect(url).toContain(`${scripted.issuer}/logout?client_id=spa`);
    expect(url).not.toContain("id_token_hint");
  });

  test("T38: while a refresh is in flight is not undone by its answer", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await signIn(page, app, options);
    let answer;
    scripted.holdNext("token", new Promise((resolve) => (answer = resolve)));
    await page.evaluate(() => {
      window.refreshing = attempt(() =>
        auth.getAccessToken({ forceRefresh: true }),
      );
    });
    await expect.poll(() => scripted.count("token")).toBe(2);
    await call(page, "logout", { local: true });
    answer();
    const { error } = await page.evaluate(() => refreshing);
    expect(error).toMatchObject({
      code: "login_required",
      details: { reason: "loggedOut" },
    });
    expect(await page.evaluate(() => auth.state.status)).toBe("signedOut");
    expect(Object.keys(await storedIn(page))).not.toContain(
      sessionKey(options),
    );
  });
});

test("LO9: a page that comes back from the back/forward cache after a logout shows nobody, and ends no later session", async ({
  page,
  context,
  app,
  scripted,
}) => {
  const options = optionsFor(app, scripted);
  await signIn(page, app, options);
  await call(page, "preload");
  const second = await context.newPage();
  await signIn(second, app, options);
  await call(second, "preload");
  const leaveAndReturn = (meanwhile) =>
    page.evaluate(
      async ([meanwhile, key]) => {
        dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }));
        if (meanwhile) sessionStorage.removeItem(key);
        dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
        return plain(auth.state);
      },
      [meanwhile, sessionKey(options)],
    );
  expect(await leaveAndReturn(false)).toMatchObject({
    status: "signedIn",
    user: { sub: "alice" },
  });
  expect(await leaveAndReturn(true)).toMatchObject({
    status: "signedOut",
    reason: "loggedOutElsewhere",
  });
  const { error } = await call(page, "getAccessToken");
  expect(error.code).toBe("login_required");
  expect(scripted.count("token")).toBe(2);
  await untilMoment(page, "signedOut");
  // A logout of the page's own would have reached every session of its user.
  const { value } = await call(second, "getAccessToken", {
    forceRefresh: true,
  });
  expect(value).toMatch(/^at-/);
  expect((await storedIn(page))[sessionKey(options)]).toBeUndefined();
});

test("LO9: a session that was never stored outlives the back/forward cache", async ({
  page,
  app,
  scripted,
}) => {
  await open(page, app);
  await begin(page, optionsFor(app, scripted, { storage: "memory" }));
  await signInHere(page, scripted);
  const state = await page.evaluate(() => {
    for (const type of ["pagehide", "pageshow"])
      dispatchEvent(new PageTransitionEvent(type, { persisted: true }));
    return plain(auth.state);
  });
  expect(state.status).toBe("signedIn");
});
