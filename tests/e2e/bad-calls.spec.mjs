// Methods that are called with something wrong, too early or too late: an error that says so, and a page that works on.

import {
  begin,
  call,
  expireStored,
  open,
  optionsFor,
  returnFrom,
  signIn,
  storedIn,
} from "../support/driver.mjs";
import { expect, quick, test } from "../support/fixtures.mjs";

test.use(quick);

const wrong = {
  // Whoever writes JavaScript has no compiler to say so.
  login: {
    returnTo: [7, true, {}, []],
    navigate: [null, "assign", {}, true],
    signal: [7, {}, "now"],
    scope: [null, 7, {}],
    extra: [null, 7, "x", []],
    maxAge: [null, "60", 1.5],
  },
  logout: {
    postLogoutRedirectUri: [null, 7, {}],
    local: [null, 1, "yes", {}],
    revoke: [null, 1, "yes", {}],
    extra: [null, 7, "x", []],
    navigate: [null, "assign", {}, true],
  },
  getAccessToken: {
    audience: [null, 7, {}, ["a"]],
    resource: [null, 7, {}, "api"],
    scope: [null, 7, {}],
    minValidity: [null, "60", -1, 1.5],
    forceRefresh: [1, "yes", {}],
  },
  fetchUserInfo: { signal: [7, {}, "now"] },
};

test("every option of a method that is of the wrong type is refused by its name, before anything is stored or sent", async ({
  page,
  app,
  scripted,
}) => {
  await signIn(page, app, optionsFor(app, scripted));
  const before = await storedIn(page);
  const asked = scripted.requests.length;
  for (const [method, options] of Object.entries(wrong)) {
    for (const [option, values] of Object.entries(options)) {
      for (const value of values) {
        const { error } = await call(page, method, { [option]: value });
        const row = `${method} ${option}: ${JSON.stringify(value)}`;
        expect.soft(error, row).toMatchObject({
          name: "AuthError",
          code: "invalid_config",
          details: { option, problem: expect.stringMatching(/./) },
        });
      }
    }
    if (/^log/.test(method))
      for (const value of [null, 7, "x", []]) {
        const { error } = await call(page, method, value);
        expect.soft(error, `${method} ${JSON.stringify(value)}`).toMatchObject({
          code: "invalid_config",
          details: { option: "options" },
        });
      }
  }
  expect(await storedIn(page)).toEqual(before);
  expect(scripted.requests.length).toBe(asked);
  expect(await page.evaluate(() => auth.state.status)).toBe("signedIn");
});

test("a listener that is no function is refused at once, and no change fails by it", async ({
  page,
  app,
  scripted,
}) => {
  const uncaught = [];
  page.on("pageerror", (error) => uncaught.push(error.message));
  await signIn(page, app, optionsFor(app, scripted));
  const outcomes = await page.evaluate(async () => {
    const outcomes = [];
    for (const listener of [undefined, null, 7, "x", {}])
      for (const listen of [
        () => auth.subscribe(listener),
        () => auth.on("signedOut", listener),
      ])
        outcomes.push(await attempt(listen));
    await auth.logout({ local: true });
    return outcomes;
  });
  for (const { error } of outcomes)
    expect(error).toMatchObject({
      code: "invalid_config",
      details: { option: "listener" },
    });
  expect(await page.evaluate(() => auth.state.reason)).toBe("loggedOut");
  expect(uncaught).toEqual([]);
});

test("calls before the first state is known wait for it", async ({
  page,
  app,
  scripted,
}) => {
  const options = optionsFor(app, scripted);
  /** Makes the client, and calls in the same turn. */
  const callAtOnce = () =>
    page.evaluate(async (options) => {
      start(options);
      const first = auth.state.status;
      const calls = {
        token: auth.getAccessToken(),
        header: auth
          .authorize("/api/me")
          .then(({ headers }) => headers.get("authorization")),
        idToken: auth.getIdToken(),
        sub: auth.fetchUserInfo().then(({ sub }) => sub),
        status: auth.ready.then(({ status }) => status),
      };
      const outcomes = {};
      for (const [name, run] of Object.entries(calls))
        outcomes[name] = await attempt(() => run);
      return { first, ...outcomes };
    }, options);
  const text = { value: expect.stringMatching(/./) };
  const all = {
    first: "loading",
    token: text,
    header: { value: expect.stringMatching(/^Bearer ./) },
    idToken: text,
    sub: text,
    status: { value: "signedIn" },
  };

  // While the callback is completed.
  await open(page, app);
  await returnFrom(page, app, options);
  expect(await callAtOnce()).toEqual(all);

  // While an expired session is refreshed: with one request.
  await expireStored(page, options);
  await page.reload();
  await page.waitForFunction(() => "createAuth" in window);
  const refreshes = () =>
    scripted.requests.filter(
      ({ body }) => body.get("grant_type") === "refresh_token",
    ).length;
  const before = refreshes();
  expect(await callAtOnce()).toEqual(all);
  expect(refreshes() - before).toBe(1);
});

test("a call after dispose says so where nobody was signed in, too", async ({
  page,
  app,
  scripted,
}) => {
  await open(page, app);
  await begin(page, optionsFor(app, scripted));
  await page.evaluate(() => auth.dispose());
  for (const [method, ...args] of [
    ["getAccessToken"],
    ["fetch", "/api/me"],
    ["authorize", "/api/me"],
  ])
    expect((await call(page, method, ...args)).error).toMatchObject({
      code: "disposed",
    });
});

test("a listener with a signal that is none is not kept, and one that has ended hears nothing more", async ({
  page,
  app,
  scripted,
}) => {
  await signIn(page, app, optionsFor(app, scripted));
  const heard = await page.evaluate(async () => {
    const heard = [];
    const listen = (name, signal) =>
      auth.on("signedOut", () => heard.push(name), { signal });
    for (const signal of [5, {}])
      try {
        listen("refused", signal);
        heard.push("taken");
      } catch {
        // A TypeError, as from anything else that takes one.
      }
    const abort = new AbortController();
    let second;
    auth.on("signedOut", () => {
      abort.abort();
      second();
    });
    listen("aborted", abort.signal);
    second = listen("ended");
    listen("last");
    await auth.logout({ local: true });
    return heard;
  });
  expect(heard).toEqual(["last"]);
});

test("every call after dispose says so", async ({ page, app, scripted }) => {
  await signIn(page, app, optionsFor(app, scripted));
  await page.evaluate(() => auth.dispose());
  for (const [method, ...args] of [
    ["getAccessToken"],
    ["getAccessToken", { forceRefresh: true }],
    ["login"],
    ["logout"],
    ["logout", { local: true }],
    ["getIdToken"],
    ["fetchUserInfo"],
    ["preload"],
    ["fetch", "/api/me"],
    ["authorize", "/api/me"],
    ["handleCallback", "/callback?state=x&code=y"],
  ]) {
    const { error } = await call(page, method, ...args);
    expect.soft(error, method).toMatchObject({ code: "disposed", details: {} });
  }
  expect(app.withToken).toEqual([]);
  // The session is still there for the next client.
  const { status } = await begin(page, optionsFor(app, scripted));
  expect(status).toBe("signedIn");
});
