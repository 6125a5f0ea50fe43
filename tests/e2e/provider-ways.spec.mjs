// What only one of the four does, or wants: through the options of countersign/providers, at tests/providers.

import { audience } from "../providers/auth0/server.mjs";
import {
  begin,
  call,
  isResponse,
  leave,
  open,
  untilMoment,
} from "../support/driver.mjs";
import { expect, quick } from "../support/fixtures.mjs";
import {
  callApi,
  claimsOf,
  clientSecret,
  come,
  lastTo,
  refresh,
  relay,
  session,
  signIn,
  stateOf,
  test,
} from "../support/systems.mjs";

test.use(quick);

const scope = "openid profile email offline_access";

/** The last authorization request, as parameters. */
const asked = (op, path = "/authorize") =>
  new URL(lastTo(op, op.url + path).url()).searchParams;

const codesOf = (page) =>
  page.evaluate(() => moments.map(({ code }) => code).filter(Boolean));

test("Auth0 is asked too often: the session stays, and a refresh after that succeeds", async ({
  page,
  app,
  meet,
}) => {
  const auth0 = await meet("Auth0", { scope });
  await signIn(page, app, auth0);
  auth0.control.settings.rateLimited = true;
  const error = {
    code: "token_error",
    details: {
      status: 429,
      error: "too_many_requests",
      error_description: "Global limit has been reached",
      error_uri: null,
    },
    retryable: true,
  };
  expect((await refresh(page)).error).toMatchObject(error);
  const state = { status: "signedIn", freshness: "fresh", error };
  expect(await stateOf(page)).toMatchObject(state);
  const { retryAt } = await untilMoment(page, "refreshFailed");
  expect(retryAt).toEqual(expect.any(Number));
  expect((await callApi(page, auth0)).value.status).toBe(200);
  auth0.control.settings.rateLimited = false;
  await expect.poll(async () => (await refresh(page)).error).toBeUndefined();
  expect((await stateOf(page)).error).toBeNull();
});

test("Auth0 wants a second factor at a refresh: the session ends, and the mfa_token is not told", async ({
  page,
  app,
  meet,
}) => {
  const auth0 = await meet("Auth0", { scope });
  await signIn(page, app, auth0);
  auth0.control.settings.mfa = true;
  expect((await refresh(page)).error.code).toBe("login_required");
  const { status, reason, error } = await stateOf(page);
  expect([status, reason, error.code]).toEqual([
    "signedOut",
    "refreshRejected",
    "token_error",
  ]);
  expect(error.details).toEqual({
    status: 403,
    error: "mfa_required",
    error_description: "Multifactor authentication required",
    error_uri: null,
  });
  expect(JSON.stringify(error)).not.toContain("mfa_token");
});

test("Auth0 makes a JWT for the audience that was asked for, and an opaque token without one", async ({
  page,
  app,
  meet,
}) => {
  const auth0 = await meet("Auth0", {
    scope,
    authorizationParams: { audience },
  });
  await signIn(page, app, auth0);
  expect(asked(auth0).get("audience")).toBe(audience);
  const claims = claimsOf((await session(page, auth0)).access_token);
  expect(claims.aud).toEqual([audience, `${auth0.issuer}userinfo`]);
  // The new one is for the same API, though the refresh does not name it.
  expect(claimsOf((await refresh(page)).value).aud).toEqual(claims.aud);
  expect((await callApi(page, auth0)).value.status).toBe(200);
  auth0.options.authorizationParams = {};
  await signIn(page, app, auth0, { prompt: "login" });
  const { access_token } = await session(page, auth0);
  expect(() => claimsOf(access_token)).toThrow();
  expect((await callApi(page, auth0)).value.status).toBe(200);
});

for (const [organization, claim, another] of [
  ["org_wonderland01", "org_id", "org_lookingglass"],
  ["Wonderland", "org_name", "looking-glass"],
])
  test(`Auth0 signs in to the organization ${organization}, and a user of another is refused by ${claim}`, async ({
    page,
    app,
    meet,
  }) => {
    const auth0 = await meet("Auth0", { scope });
    auth0.control.settings.organizationNames = true;
    const login = { organization, invitation: "ticket", prompt: "login" };
    const state = await signIn(page, app, auth0, login);
    const organizations = {
      org_id: "org_wonderland01",
      org_name: "wonderland",
    };
    expect(state).toMatchObject({ status: "signedIn", user: organizations });
    expect(Object.fromEntries(asked(auth0))).toMatchObject(login);
    await call(page, "logout", { local: true });
    auth0.control.failNext("token", async (answer) => {
      const claims = { ...claimsOf(answer.id_token), [claim]: another };
      return { ...answer, id_token: await auth0.control.sign(claims) };
    });
    expect(await signIn(page, app, auth0, login)).toMatchObject({
      status: "signedOut",
      reason: "callbackFailed",
      error: {
        code: "invalid_id_token",
        details: { claim, problem: "mismatch" },
      },
    });
  });

test("Auth0 answers prompt=none without a session by interactionRequired, and with one by a code", async ({
  page,
  app,
  meet,
}) => {
  const auth0 = await meet("Auth0", { scope });
  const silently = async () => {
    await open(page, app);
    await begin(page, auth0.options);
    await leave(page, { prompt: "none" }, isResponse(app));
    await page.waitForFunction(() => "createAuth" in window);
    return come(page, auth0);
  };
  expect(await silently()).toMatchObject({
    status: "signedOut",
    reason: "interactionRequired",
    error: {
      code: "authorization_error",
      details: { error: "login_required" },
    },
  });
  await signIn(page, app, auth0);
  await call(page, "logout", { local: true });
  expect(await silently()).toMatchObject({
    status: "signedIn",
    user: { sub: "auth0|alice" },
  });
});

test("Auth0 refuses by an Action: its text is kept in details, and is no message of ours", async ({
  page,
  app,
  meet,
}) => {
  const auth0 = await meet("Auth0", { scope });
  const error_description = "Please verify your email before logging in.";
  for (const error of ["access_denied", "unauthorized"]) {
    auth0.control.settings.action = { error, error_description };
    const state = await signIn(page, app, auth0, { prompt: "login" });
    expect(state).toMatchObject({
      status: "signedOut",
      reason: "callbackFailed",
    });
    expect(state.error).toMatchObject({
      code: "authorization_error",
      details: { error, error_description, error_uri: null },
      message: "the authorization server refused the login",
    });
    expect(state.error.hint).not.toContain("verify");
  }
});

test("Auth0 at a custom domain is that domain; by the other one its answers are refused", async ({
  page,
  app,
  meet,
}) => {
  const auth0 = await meet("Auth0", { scope, server: { host: "localhost" } });
  expect(auth0.issuer).toMatch(/^http:\/\/localhost:\d+\/$/);
  expect(auth0.options.issuer).toBe(auth0.issuer);
  const state = await signIn(page, app, auth0);
  expect(state).toMatchObject({
    status: "signedIn",
    user: { iss: auth0.issuer },
  });
  const { host } = new URL(auth0.url.replace("localhost", "127.0.0.1"));
  const other = await page.evaluate(
    (url) => providers.auth0(url),
    `http://${host}`,
  );
  await open(page, app);
  await begin(page, { ...auth0.options, ...other });
  expect((await call(page, "login")).error).toMatchObject({
    code: "invalid_metadata",
    details: { field: "issuer", problem: "mismatch" },
  });
});

test("UPBOND takes a resource and an empty scope, and says nothing of the user", async ({
  page,
  app,
  meet,
}) => {
  const resource = "https://api.example.com";
  const upbond = await meet("UPBOND", {
    oidc: false,
    authorizationParams: { resource },
  });
  await begin(page, upbond.options);
  await leave(page, { resource: `${resource}/other` }, isResponse(app));
  await page.waitForFunction(() => "createAuth" in window);
  expect(await come(page, upbond)).toMatchObject({
    reason: "callbackFailed",
    error: {
      code: "authorization_error",
      details: {
        error: "invalid_target",
        error_description: "resource indicator is missing, or unknown",
      },
    },
  });
  const state = await signIn(page, app, upbond);
  expect(state).toMatchObject({
    status: "signedIn",
    user: null,
    scope: [],
    refreshable: false,
  });
  const params = asked(upbond);
  expect(params.getAll("resource")).toEqual([resource]);
  expect(params.has("scope")).toBe(false);
  const { access_token, id_token, refresh_token } = await session(page, upbond);
  expect(claimsOf(access_token)).toMatchObject({
    aud: resource,
    iss: upbond.url,
  });
  expect([id_token, refresh_token]).toEqual([null, null]);
  expect((await callApi(page, upbond)).value.status).toBe(200);
  expect(await call(page, "getIdToken")).toEqual({ value: null });
});

test("UPBOND has clients with a secret, too: through the relay, as everything else", async ({
  page,
  app,
  meet,
}) => {
  const args = (url) => [url, relay];
  const upbond = await meet("UPBOND", { scope, isSecret: true, args });
  expect(await signIn(page, app, upbond)).toMatchObject({
    status: "signedIn",
    user: { sub: "alice" },
    refreshable: true,
  });
  const { refresh_token } = await session(page, upbond);
  expect((await refresh(page)).error).toBeUndefined();
  expect((await session(page, upbond)).refresh_token).toBe(refresh_token);
  expect((await callApi(page, upbond)).value.status).toBe(200);
  expect((await call(page, "fetchUserInfo")).value.sub).toBe("alice");
  const { control, sent, url } = upbond;
  expect(control.count("token")).toBe(2);
  const direct = sent.filter((one) => one.url().startsWith(`${url}/oauth/`));
  expect(direct).toEqual([]);
  control.revokeGrants();
  expect((await refresh(page)).error.code).toBe("login_required");
  expect((await stateOf(page)).error.details).toMatchObject({
    status: 400,
    error: "invalid_grant",
    error_description: "grant request is invalid",
  });
});

test("UPBOND wants an x-account-id for its metadata: transport adds it", async ({
  page,
  app,
  meet,
}) => {
  const upbond = await meet("UPBOND", { scope });
  upbond.control.settings.accountId = "account-7";
  await begin(page, upbond.options);
  expect((await call(page, "login")).error).toMatchObject({
    code: "invalid_response",
    details: { endpoint: "discovery", status: 404 },
  });
  const startHere = () =>
    page.evaluate(async (options) => {
      const transport = (request, endpoint) => {
        if (endpoint === "discovery" || endpoint === "userinfo")
          request.headers.set("x-account-id", "account-7");
        return fetch(request);
      };
      start({ ...options, transport });
      return plain(await auth.ready);
    }, upbond.options);
  await open(page, app);
  await startHere();
  await leave(page, {}, /\/interaction\//);
  await Promise.all([
    page.waitForURL(isResponse(app)),
    page.click("button.user >> nth=0"),
  ]);
  await page.waitForFunction(() => "createAuth" in window);
  const state = await startHere();
  expect(state).toMatchObject({ status: "signedIn", user: { sub: "alice" } });
  await session(page, upbond);
  expect((await call(page, "fetchUserInfo")).value.sub).toBe("alice");
  expect(asked(upbond, "/accounts/account-7/userinfo")).toBeDefined();
});

test("cidaas refuses a refresh by an object inside error, and what it says is kept", async ({
  page,
  app,
  meet,
}) => {
  const cidaas = await meet("cidaas", { scope });
  await signIn(page, app, cidaas);
  cidaas.control.settings.errors = "cidaas";
  cidaas.control.revokeGrants();
  expect((await refresh(page)).error.code).toBe("login_required");
  expect(await stateOf(page)).toMatchObject({
    status: "signedOut",
    reason: "refreshRejected",
    error: {
      code: "token_error",
      details: {
        status: 400,
        error: "invalid token passed",
        error_description: null,
        error_uri: null,
      },
    },
  });
});

test("cidaas shows its registration page by view_type", async ({
  page,
  app,
  meet,
}) => {
  const cidaas = await meet("cidaas", { scope });
  const extra = { view_type: "register" };
  expect(await signIn(page, app, cidaas, { extra })).toMatchObject({
    status: "signedIn",
  });
  expect(asked(cidaas, "/authz-srv/authz").get("view_type")).toBe("register");
});

test("cidaas refuses at userinfo by free text, which is kept, and the session stays", async ({
  page,
  app,
  meet,
}) => {
  const cidaas = await meet("cidaas", { scope });
  await signIn(page, app, cidaas);
  cidaas.control.dropAccessTokens();
  // What it gives from now on is over when it comes.
  cidaas.control.setAccessTokenTtl(0);
  expect((await call(page, "fetchUserInfo")).error).toMatchObject({
    code: "invalid_response",
    details: {
      endpoint: "userinfo",
      status: 401,
      error: "Access denied for this resource",
    },
  });
  expect(await stateOf(page)).toMatchObject({
    status: "signedIn",
    user: { name: "Alice Liddell" },
  });
  expect(cidaas.control.count("token", "refresh_token")).toBeGreaterThan(0);
  cidaas.control.setAccessTokenTtl(86400);
  expect((await call(page, "fetchUserInfo")).value).toMatchObject({
    provider: "self",
  });
});

test("Pagero says bearer in lower case, an empty scope and ten minutes; with scope all the token is a JWT", async ({
  page,
  app,
  meet,
}) => {
  const pagero = await meet("Pagero");
  let answer;
  pagero.control.failNext("token", (honest) => (answer = honest));
  await signIn(page, app, pagero);
  expect(answer).toMatchObject({
    token_type: "bearer",
    access_token: expect.stringMatching(/^_0XBPWQQ_/),
    refresh_token: expect.stringMatching(/^_1XBPWQQ_/),
    scope: "",
    claims: "publicid",
    expires_in: 600,
  });
  pagero.options.scope = "all";
  const state = await signIn(page, app, pagero, { prompt: "login" });
  expect(state).toMatchObject({
    status: "signedIn",
    user: null,
    scope: ["all"],
  });
  expect(claimsOf((await session(page, pagero)).access_token).scope).toBe(
    "all",
  );
});

test("Pagero says who it is, and another issuer than the one given is refused", async ({
  page,
  app,
  meet,
}) => {
  const pagero = await meet("Pagero");
  const { options, url } = pagero;
  await signIn(page, app, pagero);
  expect(await codesOf(page)).toEqual(["issuer_unchecked"]);
  for (const [issuer, expected] of [
    [url, { status: "signedIn", error: null }],
    [
      `${url}/`,
      {
        status: "signedOut",
        reason: "callbackFailed",
        error: {
          code: "issuer_mismatch",
          details: { expected: `${url}/`, actual: url, untrusted: null },
        },
      },
    ],
  ]) {
    pagero.control.resetCounters();
    pagero.options = { ...options, issuer };
    const state = await signIn(page, app, pagero, { prompt: "login" });
    expect(state).toMatchObject(expected);
    expect(await codesOf(page)).toEqual([]);
    const trades = state.status === "signedIn" ? 1 : 0;
    expect(pagero.control.count("token", "authorization_code")).toBe(trades);
  }
});

test("Pagero answers no page of a browser: without a relay the login fails, and CORS is named", async ({
  page,
  app,
  meet,
}) => {
  const pagero = await meet("Pagero");
  const tokenEndpoint = `${pagero.url}/oauth/v2/oauth-token`;
  pagero.options.metadata = {
    ...pagero.options.metadata,
    token_endpoint: tokenEndpoint,
  };
  expect(await signIn(page, app, pagero)).toMatchObject({
    status: "signedOut",
    reason: "callbackFailed",
    error: {
      code: "network",
      details: { endpoint: "token" },
      hint: expect.stringContaining("CORS"),
    },
  });
});

test("Pagero gives out a secret, which no browser is to have: createAuth points at the relay's page", async ({
  page,
  app,
  meet,
}) => {
  const { options } = await meet("Pagero");
  for (const name of ["clientSecret", "client_secret"]) {
    const { error } = await page.evaluate(
      (options) => attempt(() => createAuth(options)),
      { ...options, [name]: clientSecret },
    );
    expect(error).toMatchObject({
      code: "invalid_config",
      details: {
        option: "clientSecret",
        problem: expect.stringContaining("docs/relay.md"),
      },
    });
    expect(JSON.stringify(error)).not.toContain(clientSecret);
  }
  expect((await begin(page, options)).reason).toBe("noSession");
});
