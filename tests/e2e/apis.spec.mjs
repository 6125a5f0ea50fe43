// Several APIs: access tokens by `audience`, `resource` and `scope`, from one refresh token.

import { startApi } from "../../www-demo/op/api.mjs";
import {
  begin,
  call,
  open,
  optionsFor,
  signIn,
  signInReally,
  store,
  storedSession,
  watchWasm,
} from "../support/driver.mjs";
import { expect, quick, test as base } from "../support/fixtures.mjs";

/** Two APIs, which the real provider gives tokens for. */
const test = base.extend({
  apis: async ({ app, op: { control } }, use) => {
    const settings = { introspect: control.introspect, appOrigins: [app.url] };
    const apis = [await startApi(settings), await startApi(settings)];
    for (const { url } of apis) control.setResource(url, "read write");
    await use(apis.map(({ url }) => url));
    control.setRotation(true);
    for (const { url } of apis) control.setResource(url);
    await Promise.all(apis.map((api) => api.close()));
  },
});
test.use(quick);

const scope = "openid offline_access read write";

/** A session at the real provider, for these resources. */
async function signedInTo(resource, { page, app, op }, more = {}) {
  const options = optionsFor(app, op, {
    scope,
    authorizationParams: { resource },
    refresh: "onDemand",
    ...more,
  });
  await signInReally(page, app, options);
  expect(await begin(page, options)).toMatchObject({ status: "signedIn" });
  op.control.resetCounters();
  return options;
}

/** Several calls of `getAccessToken` at once. */
const tokensFor = (page, ...wishes) =>
  page.evaluate(
    (wishes) =>
      Promise.all(
        wishes.map((wish) => attempt(() => auth.getAccessToken(wish))),
      ),
    wishes,
  );

test("RI1: each API has a token of its own, all from one rotating refresh token", async ({
  page,
  app,
  op,
  apis,
}) => {
  const [a, b] = apis;
  await watchWasm(page);
  const options = await signedInTo(
    apis,
    { page, app, op },
    { apiOrigins: apis },
  );
  const outcomes = await tokensFor(
    page,
    { resource: a },
    { resource: b },
    { resource: a, scope: "read" },
    { resource: b },
    { scope: ["openid"] },
  );
  const tokens = outcomes.map(({ value }) => value);
  expect(op.control.count("token", "refresh_token")).toBe(4);
  expect(tokens[3]).toBe(tokens[1]);
  const known = await Promise.all(tokens.map(op.control.introspect));
  expect(known.map(({ aud, scope }) => [aud, scope])).toEqual([
    [a, "read write"],
    [b, "read write"],
    [a, "read"],
    [b, "read write"],
    [null, "openid"],
  ]);
  // One refresh token was sent each time, and never twice.
  const sent = op.control.requests
    .map(({ body }) => new URLSearchParams(body).get("refresh_token"))
    .filter(Boolean);
  expect(new Set(sent).size).toBe(4);

  // Each API takes its own token and no other's.
  const answers = await page.evaluate(
    async ([a, b]) => {
      const status = async (url, auth_) =>
        (await auth.fetch(url, { auth: auth_ })).status;
      return [
        await status(`${a}/me`, { resource: a }),
        await status(`${b}/me`, { resource: b }),
        await status(`${b}/echo`, { resource: a }),
      ];
    },
    [a, b],
  );
  expect(answers).toEqual([200, 200, 401]);

  // After a reload they are there, and read without crossing into wasm.
  await open(page, app);
  await begin(page, options);
  await call(page, "preload");
  const before = op.control.count("token");
  const cached = await page.evaluate(async (resource) => {
    const before = crossings.length;
    const token = await auth.getAccessToken({ resource, scope: "read" });
    await auth.getAccessToken({ resource, scope: ["read", "read"] });
    return [token, crossings.length - before];
  }, a);
  expect(cached).toEqual([tokens[2], 0]);
  expect(op.control.count("token")).toBe(before);
});

test("the API that was signed in for is the default one", async ({
  page,
  app,
  op,
  apis: [a],
}) => {
  await signedInTo(a, { page, app, op });
  const [{ value: token }, named] = await tokensFor(page, {}, { resource: a });
  expect(named.value).toBe(token);
  expect(op.control.count("token")).toBe(0);
  expect(await op.control.introspect(token)).toMatchObject({ aud: a });
  const [{ value: fresh }] = await tokensFor(page, { forceRefresh: true });
  expect(fresh).not.toBe(token);
  expect(await op.control.introspect(fresh)).toMatchObject({ aud: a });
  const [again] = await tokensFor(page, { resource: a });
  expect(again.value).toBe(fresh);
});

test("an API that is refused harms none of the others", async ({
  page,
  app,
  op,
  apis,
}) => {
  const [a, b] = apis;
  await signedInTo(apis, { page, app, op });
  // This provider rotates before it looks whether it may: the refresh token would be spent.
  const elsewhere = await call(page, "getAccessToken", {
    resource: "https://api.example/",
  });
  expect(elsewhere.error).toMatchObject({
    code: "token_error",
    details: { error: "invalid_target", status: 0 },
  });
  expect(op.control.count("token")).toBe(0);

  // A scope that was not granted is refused before.
  const [first, refused, second] = await tokensFor(
    page,
    { resource: a },
    { resource: a, scope: "read administer" },
    { resource: b, scope: "write" },
  );
  expect(refused.error).toMatchObject({
    code: "token_error",
    details: { error: "invalid_scope", status: 400 },
  });
  expect([first, second].map(({ value }) => typeof value)).toEqual([
    "string",
    "string",
  ]);
  expect(op.control.count("token")).toBe(3);

  op.control.setRotation(false);
  op.control.setResource(b);
  for (const forceRefresh of [false, true]) {
    const { error } = await call(page, "getAccessToken", {
      resource: b,
      forceRefresh,
    });
    expect(error).toMatchObject({
      code: "token_error",
      details: { error: "invalid_target", status: 400 },
    });
  }
  // It was asked once; the session and the others stand.
  expect(op.control.count("token")).toBe(4);
  const outcomes = await tokensFor(
    page,
    { resource: a, forceRefresh: true },
    { forceRefresh: true },
  );
  expect(outcomes.map(({ value }) => typeof value)).toEqual([
    "string",
    "string",
  ]);
  expect(await page.evaluate(() => plain(auth.state))).toMatchObject({
    status: "signedIn",
    freshness: "fresh",
    error: null,
  });
});

test("an API is named the same way on both sides, whatever its name", async ({
  page,
  app,
  scripted,
}) => {
  // Every character that the two could encode differently, and some beyond.
  const ascii = String.fromCharCode(
    ...Array.from({ length: 256 }, (_, n) => n),
  );
  const audience = `${ascii}\u20ac\ud83d\ude00\uffff`;
  const options = optionsFor(app, scripted, {
    authorizationParams: { audience },
  });
  await signIn(page, app, options);
  const [token, named] = await tokensFor(page, {}, { audience });
  expect(named).toEqual(token);
  expect(scripted.count("token")).toBe(1);
  // And another is asked for by what it is.
  const other = `${audience}!`;
  await tokensFor(page, { audience: other, scope: "b a b" });
  const { body } = scripted.requests.findLast(
    ({ endpoint }) => endpoint === "token",
  );
  expect([body.get("audience"), body.get("scope")]).toEqual([other, "a b"]);
  const { record } = await storedSession(page, options);
  expect(Object.keys(record.view.tokens)).toEqual([
    "",
    String(new URLSearchParams({ audience: other, scope: "a b" })),
  ]);
});

test("wishes that cannot be are refused by name", async ({
  page,
  app,
  scripted,
}) => {
  await signIn(page, app, optionsFor(app, scripted));
  const resource = "https://api.example/";
  for (const [option, values] of Object.entries({
    audience: [7, "", null, ["a"], "\ud800"],
    resource: ["", "api", "/api", "https://api.example/#x", 7, null],
    scope: [7, null, 'a"b', "a\tb", "é"],
    minValidity: [-1, 1.5, "60", null, Number.MAX_SAFE_INTEGER],
  })) {
    for (const value of values) {
      const { error } = await call(page, "getAccessToken", { [option]: value });
      expect(error, `${option} ${value}`).toMatchObject({
        code: "invalid_config",
        details: { option },
      });
    }
  }
  // The twins that are not refused here.
  for (const wish of [
    { audience: "a", scope: [], minValidity: 60 },
    { scope: "a b" },
    { scope: ["a", "b"], audience: undefined },
  ])
    expect((await call(page, "getAccessToken", wish)).error).toBeUndefined();
  const { error } = await call(page, "getAccessToken", { resource });
  expect(error).toMatchObject({ code: "token_error", details: { status: 0 } });
});

test("what was asked for before is found by the very parameters of the call, and only in its session", async ({
  page,
  app,
  scripted,
}) => {
  await watchWasm(page);
  await signIn(page, app, optionsFor(app, scripted));
  const { tokens, again, crossed, refused } = await page.evaluate(async () => {
    const ask = (wish) => auth.getAccessToken(wish);
    const scope = ["a"];
    const tokens = [await ask({ audience: "x", scope })];
    // A list is what it holds now, not what it held then.
    scope.push("b");
    tokens.push(await ask({ audience: "x", scope }));
    tokens.push(await ask({ audience: "x" }), await ask({ audience: "y" }));
    tokens.push(await ask({ scope: "a" }), await ask());
    const before = crossings.length;
    const again = [];
    // Some are named alike, but none is another.
    for (const wish of [
      { scope: "a", audience: "x" },
      { audience: "x", scope: "b a" },
      { audience: "x" },
      { audience: "y" },
      { scope: ["a"] },
      {},
      { audience: "x", scope: "a" },
      { audience: "x", scope },
      { audience: "x", minValidity: 1 },
      { audience: "y", resource: undefined },
      { scope: "a" },
      null,
    ])
      again.push(await ask(wish));
    const crossed = crossings.length - before;
    // What is refused is so beside what is held.
    const { error: refused } = await attempt(() =>
      ask({ audience: "x", resource: null }),
    );
    return { tokens, again, crossed, refused };
  });
  expect(new Set(tokens).size).toBe(tokens.length);
  expect(again).toEqual([...tokens, ...tokens]);
  expect(crossed).toBe(0);
  expect(refused).toMatchObject({
    code: "invalid_config",
    details: { option: "resource" },
  });

  // A refresh, a logout and the next user's session: each answers for itself.
  const later = await page.evaluate(async () => {
    const fresh = await auth.getAccessToken({
      audience: "x",
      forceRefresh: true,
    });
    const same = await auth.getAccessToken({ audience: "x" });
    auth.logout({ local: true }).catch(() => {});
    const { error } = await attempt(() =>
      auth.getAccessToken({ audience: "x" }),
    );
    return { fresh, same, code: error.code };
  });
  expect(later).toEqual({
    fresh: expect.any(String),
    same: later.fresh,
    code: "login_required",
  });
  expect(tokens).not.toContain(later.fresh);
  await signIn(page, app, optionsFor(app, scripted));
  const [{ value: next }] = await tokensFor(page, { audience: "x" });
  expect([...tokens, later.fresh]).not.toContain(next);
});

test("a damaged token for one API is not handed out", async ({
  page,
  app,
  scripted,
}) => {
  const options = optionsFor(app, scripted);
  await signIn(page, app, options);
  await tokensFor(page, { audience: "a" });
  const { record } = await storedSession(page, options);
  record.view.tokens["audience=a"].access_token = 7;
  await store(page, options, JSON.stringify(record));
  await open(page, app);
  // Such a record is none.
  expect(await begin(page, options)).toMatchObject({ status: "signedOut" });
});
