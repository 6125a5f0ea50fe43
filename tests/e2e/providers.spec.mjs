// The four systems that countersign was asked for, and plain oidc-provider, through the options of countersign/providers:
// each as tests/providers emulates it, with the answers, errors and quirks of its own.

import {
  begin,
  call,
  expireStored,
  isResponse,
  leave,
  open,
  storedIn,
  untilMoment,
  untilState,
} from "../support/driver.mjs";
import { expect, quick } from "../support/fixtures.mjs";
import {
  callApi,
  clientSecret,
  come,
  lastTo,
  present,
  refresh,
  relay,
  session,
  signIn,
  stateOf,
  test,
} from "../support/systems.mjs";

test.use(quick);

const FULL = "openid profile email offline_access";
const person = { name: "Alice Liddell", email: "alice@example.com" };

/** A refusal in the system's own words. */
const words = (status, error, error_description = null) => ({
  code: "token_error",
  details: { status, error, error_description, error_uri: null },
});
const noAnswer = { code: "network", details: { endpoint: "token" } };
const badGateway = {
  code: "invalid_response",
  details: { endpoint: "token", status: 502, problem: "status" },
};
const refused = {
  code: "login_required",
  details: { reason: "refreshRejected" },
};

/** What each says and does; `unwanted` is a client that it does not accept any more. */
const systems = {
  "oidc-provider": {
    scope: FULL,
    user: { sub: "alice", ...person },
    lifetime: 300,
    rotates: true,
    tokenPath: "/token",
    rejection: words(400, "invalid_grant", "grant request is invalid"),
    unwanted: { grant_types: ["authorization_code"] },
    unwelcome: words(
      400,
      "invalid_request",
      "requested grant type is not allowed for this client",
    ),
    outage: "html",
    trouble: badGateway,
  },
  Auth0: {
    scope: FULL,
    user: {
      sub: "auth0|alice",
      ...person,
      "https://app.example.com/roles": ["reader"],
    },
    lifetime: 86400,
    rotates: true,
    tokenPath: "/oauth/token",
    rejection: words(403, "invalid_grant", "Unknown or invalid refresh token."),
    unwanted: { grant_types: ["authorization_code"] },
    unwelcome: words(
      403,
      "unauthorized_client",
      "Grant type not allowed for the client.",
    ),
    // Its edge answers, which knows nothing of CORS.
    outage: {
      status: 503,
      type: "text/html",
      body: "<h1>503</h1>",
      cors: false,
    },
    trouble: noAnswer,
  },
  UPBOND: {
    scope: FULL,
    user: { sub: "alice", ...person },
    lifetime: 86400,
    rotates: false,
    tokenPath: "/oauth/token",
    rejection: words(400, "invalid_grant", "grant request is invalid"),
    unwanted: { client_secret: clientSecret },
    unwelcome: words(401, "invalid_client", "Client authentication failed"),
    outage: "html",
    trouble: badGateway,
  },
  cidaas: {
    scope: FULL,
    user: { sub: expect.stringMatching(/^[\da-f-]{36}$/), ...person },
    lifetime: 86400,
    rotates: true,
    tokenPath: "/token-srv/token",
    rejection: words(
      400,
      "invalid_grant",
      "The provided authorization grant is invalid : invalid code or expired or already used or revoked",
    ),
    unwanted: { client_secret: clientSecret },
    unwelcome: words(401, "invalid_client", "invalid client"),
    outage: "reset",
    trouble: noAnswer,
  },
  Pagero: {
    user: null,
    lifetime: 600,
    rotates: true,
    tokenPath: "/oauth/v2/oauth-token",
    rejection: words(400, "invalid_grant"),
    unwanted: { client_secret: "another one than the relay's" },
    unwelcome: words(401, "invalid_client"),
    outage: "html",
    trouble: words(
      502,
      "temporarily_unavailable",
      "the server gave no usable answer",
    ),
  },
};

for (const [name, system] of Object.entries(systems)) {
  const { scope, user, lifetime, rotates, tokenPath } = system;
  const more = scope ? { scope } : {};
  const known = user ? { user: expect.objectContaining(user) } : { user: null };

  test(`${name} signs a user in on its own page, and the access token opens an API`, async ({
    page,
    app,
    meet,
  }) => {
    const op = await meet(name, more);
    const began = Date.now();
    const state = await signIn(page, app, op);
    expect(state).toMatchObject({
      status: "signedIn",
      ...known,
      scope: scope?.split(" ") ?? [],
      freshness: "fresh",
      refreshable: true,
      error: null,
    });
    const lived = state.expiresAt - lifetime * 1000;
    expect(lived).toBeGreaterThanOrEqual(began);
    expect(lived).toBeLessThanOrEqual(Date.now());
    expect(page.url()).toBe(`${app.url}/`);
    expect((await callApi(page, op)).value).toMatchObject({
      status: 200,
      body: { greeting: "Hello, Alice Liddell." },
    });
    const info = await call(page, "fetchUserInfo");
    if (user) expect(info.value).toMatchObject({ ...person, sub: user.sub });
    else
      expect(info.error).toMatchObject({
        code: "invalid_config",
        details: { option: "oidc" },
      });
  });

  const turn = rotates
    ? "gives another refresh token at every refresh, which works once"
    : "gives no refresh token at a refresh: the first one is kept, and works again";
  test(`${name} ${turn}`, async ({ page, app, meet }) => {
    const op = await meet(name, more);
    await signIn(page, app, op);
    const seen = [await session(page, op)];
    for (const times of [1, 2]) {
      const { value } = await refresh(page);
      seen.push(await session(page, op));
      expect(seen[times].access_token).toBe(value);
      expect(op.control.count("token", "refresh_token")).toBe(times);
      expect((await callApi(page, op)).value.status).toBe(200);
    }
    const kinds = (name) => new Set(seen.map((one) => one[name])).size;
    expect(kinds("access_token")).toBe(3);
    expect(kinds("refresh_token")).toBe(rotates ? 3 : 1);
    expect(await stateOf(page)).toMatchObject({
      status: "signedIn",
      ...known,
      scope: scope?.split(" ") ?? [],
      error: null,
    });
    const spent = await present(op, tokenPath, seen[0].refresh_token);
    expect(spent).toBe(rotates ? system.rejection.details.status : 200);
  });

  test(`${name} ends the session by refusing its refresh token, and its own words are kept`, async ({
    page,
    app,
    meet,
  }) => {
    const op = await meet(name, more);
    await signIn(page, app, op);
    op.control.revokeGrants();
    expect((await refresh(page)).error).toMatchObject(refused);
    const ended = {
      reason: "refreshRejected",
      error: { ...system.rejection, retryable: false },
    };
    expect(await stateOf(page)).toMatchObject({
      status: "signedOut",
      ...ended,
    });
    expect(await untilMoment(page, "signedOut")).toMatchObject(ended);
    expect(Object.keys(await storedIn(page)).join()).not.toContain(":session:");
    expect((await callApi(page, op)).error).toMatchObject(refused);
    expect(op.api.requests).toEqual([]);
  });

  test(`${name} keeps the session while it does not accept the client, and is not asked again`, async ({
    page,
    app,
    meet,
  }) => {
    const op = await meet(name, more);
    await signIn(page, app, op);
    await op.control.setClient({ ...op.client, ...system.unwanted });
    expect((await refresh(page)).error).toMatchObject(system.unwelcome);
    expect(await stateOf(page)).toMatchObject({
      status: "signedIn",
      ...known,
      freshness: "fresh",
      error: { ...system.unwelcome, retryable: false },
    });
    expect(await untilMoment(page, "refreshFailed")).toMatchObject({
      retryAt: null,
    });
    expect((await refresh(page)).error).toMatchObject(system.unwelcome);
    expect(op.control.count("token", "refresh_token")).toBe(1);
    // The token that is there is good.
    expect((await callApi(page, op)).value.status).toBe(200);
    await op.control.setClient(op.client);
    await open(page, app);
    await come(page, op);
    expect((await refresh(page)).error).toBeUndefined();
  });

  test(`${name} cannot be reached: the session is kept, stale, until it can`, async ({
    page,
    app,
    meet,
  }) => {
    const op = await meet(name, more);
    await signIn(page, app, op);
    await expireStored(page, op.options);
    op.control.failNext("token", system.outage, Infinity);
    await open(page, app);
    expect(await come(page, op)).toMatchObject({
      status: "signedIn",
      ...known,
      freshness: "stale",
      refreshable: true,
      error: { ...system.trouble, retryable: true },
    });
    expect((await callApi(page, op)).error).toMatchObject(system.trouble);
    expect(op.api.requests).toEqual([]);
    op.control.clearFaults();
    // By itself, a second or two later.
    await untilState(page, "signedIn", "fresh");
    expect(await stateOf(page)).toMatchObject({ ...known, error: null });
    expect((await callApi(page, op)).value.status).toBe(200);
  });
}

/** Logs out: what the browser left by, what the server was asked to revoke, and where all that ended. */
async function logOut(page, app, op, at, options = {}) {
  const old = await session(page, op);
  await Promise.all([
    page.waitForURL((url) => url.pathname === "/bye"),
    page.evaluate((options) => void auth.logout(options), options),
  ]);
  await page.waitForFunction(() => "createAuth" in window);
  const [left, back] = [lastTo(op, at).url(), page.url()].map((url) =>
    url.replace(/cso-[0-9a-f]{8}-[\w-]{43}/, "STATE"),
  );
  const { status, reason, error } = await begin(page, op.options);
  expect({ status, error }).toEqual({ status: "signedOut", error: null });
  const warnings = await page.evaluate(() => moments.map(({ code }) => code));
  return { old, left, back, reason, warnings };
}

/** The last revocation, as the server got it. */
function revocationAt({ control }) {
  const isOne = ({ endpoint }) => endpoint === "revocation";
  const { path, type, body, status } = control.requests.findLast(isOne);
  const fields = /json/.test(type)
    ? JSON.parse(body)
    : Object.fromEntries(new URLSearchParams(body));
  return { path, type, fields, status };
}

const ofRefreshToken = (token) => ({
  token,
  token_type_hint: "refresh_token",
});
const byForm = (path, token) => ({
  path,
  type: "application/x-www-form-urlencoded",
  fields: { client_id: "spa", ...ofRefreshToken(token) },
  status: 200,
});
const query = (params) => new URLSearchParams(params);

/** The server has forgotten, too: the next login asks who it is. */
async function asksAgain(page) {
  await leave(page, {}, /\/interaction\//);
  await expect(page.locator("button.user").first()).toBeVisible();
}

for (const [name, logout, revocation, tokenPath, title] of [
  [
    "oidc-provider",
    "/logout",
    "/revoke",
    "/token",
    "logs out at its end_session_endpoint with an id_token_hint, and gives the state back",
  ],
  [
    "cidaas",
    "/session/end_session",
    "/token-srv/revoke",
    "/token-srv/token",
    "logs out at its end_session with an id_token_hint, and gives the state back",
  ],
])
  test(`${name} ${title}`, async ({ page, app, meet }) => {
    const op = await meet(name, { scope: FULL });
    await signIn(page, app, op);
    const at = op.url + logout;
    const out = await logOut(page, app, op, at);
    const { id_token, refresh_token } = out.old;
    const params = {
      client_id: "spa",
      id_token_hint: id_token,
      post_logout_redirect_uri: `${app.url}/bye`,
      state: "STATE",
    };
    expect(out).toMatchObject({
      left: `${at}?${query(params)}`,
      back: `${app.url}/bye?state=STATE`,
      reason: "loggedOut",
      warnings: [],
    });
    expect(page.url()).toBe(`${app.url}/bye`);
    expect(revocationAt(op)).toEqual(byForm(revocation, refresh_token));
    expect(await present(op, tokenPath, refresh_token)).toBe(400);
    await asksAgain(page);
  });

test("Auth0 logs out at /v2/logout, takes the refresh token back, and gives no state", async ({
  page,
  app,
  meet,
}) => {
  const auth0 = await meet("Auth0", { scope: FULL });
  const at = `${auth0.url}/v2/logout`;
  const returnTo = `${app.url}/bye`;
  for (const extra of [{}, { federated: "" }]) {
    await signIn(page, app, auth0);
    const out = await logOut(page, app, auth0, at, { extra });
    expect(out).toMatchObject({
      left: `${at}?${query({ client_id: "spa", returnTo, ...extra })}`,
      back: `${app.url}/bye`,
      reason: "noSession",
      warnings: [],
    });
    const { refresh_token } = out.old;
    expect(revocationAt(auth0)).toEqual(byForm("/oauth/revoke", refresh_token));
    expect(await present(auth0, "/oauth/token", refresh_token)).toBe(403);
  }
  await asksAgain(page);
});

test("UPBOND logs out at /v2/logout, and takes the refresh token back in JSON", async ({
  page,
  app,
  meet,
}) => {
  const upbond = await meet("UPBOND", { scope: FULL });
  await signIn(page, app, upbond);
  const at = `${upbond.url}/v2/logout`;
  const returnTo = `${app.url}/bye`;
  const out = await logOut(page, app, upbond, at);
  expect(out).toMatchObject({
    left: `${at}?${query({ client_id: "spa", returnTo })}`,
    back: `${app.url}/bye`,
    reason: "noSession",
    warnings: [],
  });
  const token = out.old.refresh_token;
  expect(revocationAt(upbond)).toEqual({
    path: "/oauth/revoke",
    type: "application/json",
    fields: { client_id: "spa", token },
    status: 200,
  });
  expect(await present(upbond, "/oauth/token", token)).toBe(400);
  await asksAgain(page);
});

test("UPBOND takes the refresh token of a client with a secret back in JSON, too: the relay turns the form into it", async ({
  page,
  app,
  meet,
}) => {
  const args = (url) => [url, relay];
  const upbond = await meet("UPBOND", { scope: FULL, isSecret: true, args });
  await signIn(page, app, upbond);
  const out = await logOut(page, app, upbond, `${upbond.url}/v2/logout`);
  expect(out.back).toBe(`${app.url}/bye`);
  const request = lastTo(upbond, `${app.url}/oauth/revoke`);
  expect(request.headers()["content-type"]).toContain("form-urlencoded");
  expect(revocationAt(upbond)).toEqual({
    path: "/oauth/revoke",
    type: "application/json",
    fields: {
      ...ofRefreshToken(out.old.refresh_token),
      client_id: "spa",
      client_secret: clientSecret,
    },
    status: 200,
  });
});

test("cidaas takes an access_token_hint of a client without ID Tokens, and is asked to revoke nothing before", async ({
  page,
  app,
  meet,
}) => {
  const args = (url) => [url, { accessTokenHint: true }];
  const plain = { scope: "offline_access", oidc: false };
  const cidaas = await meet("cidaas", { ...plain, args });
  const state = await signIn(page, app, cidaas);
  expect(state).toMatchObject({ status: "signedIn", user: null });
  const at = `${cidaas.url}/session/end_session`;
  const out = await logOut(page, app, cidaas, at);
  const params = {
    client_id: "spa",
    access_token_hint: out.old.access_token,
    post_logout_redirect_uri: `${app.url}/bye`,
    state: "STATE",
  };
  // It comes back only by a hint that the server knows.
  expect(out).toMatchObject({
    left: `${at}?${query(params)}`,
    back: `${app.url}/bye?state=STATE`,
    reason: "loggedOut",
  });
  expect(cidaas.control.count("revocation")).toBe(0);
  await asksAgain(page);
});

test("Pagero has no place to log out at: the page stays, and the relay takes the refresh token back", async ({
  page,
  app,
  meet,
}) => {
  const pagero = await meet("Pagero");
  await signIn(page, app, pagero);
  const { access_token, refresh_token } = await session(page, pagero);
  expect(await call(page, "logout")).toEqual({});
  expect(page.url()).toBe(`${app.url}/`);
  expect(await stateOf(page)).toMatchObject({
    status: "signedOut",
    reason: "loggedOut",
    error: null,
  });
  expect(revocationAt(pagero)).toMatchObject({
    path: "/oauth/v2/oauth-revoke",
    fields: ofRefreshToken(refresh_token),
    status: 200,
  });
  expect(pagero.control.introspect(access_token)).toBeNull();
  const { tokenPath } = systems.Pagero;
  expect(await present(pagero, tokenPath, refresh_token)).toBe(400);
  // Its own session is not ours to end: nobody is asked.
  await leave(page, {}, isResponse(app));
});
