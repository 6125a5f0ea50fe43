// Everything that can be wrong with what comes from outside. Each row asserts the error and the stored bytes: a session
// that was good stays good, and beside each refusal stands an honest twin that is accepted.

import {
  begin,
  call,
  expireStored,
  handle,
  isResponse,
  leave,
  open,
  optionsFor,
  requestUrl,
  sessionKey,
  signIn,
  signInHere,
  store,
  storedIn,
  storedSession,
  untilMoment,
  untilState,
} from "../support/driver.mjs";
import { expect, quick, test } from "../support/fixtures.mjs";
import { startScripted } from "../support/scripted.mjs";

test.use(quick);

const state = (page) => page.evaluate(() => plain(auth.state));

// ── Options ─────────────────────────────────────────────────────────────────

test("every wrong option is refused by its name, and every right one taken", async ({
  page,
  app,
  scripted,
}) => {
  const good = optionsFor(app, scripted);
  const wrong = {
    issuer: [
      undefined,
      null,
      7,
      "",
      "id.example",
      "/id",
      "//id.example",
      "ftp://id.example",
      "https://",
      "https://id.example?x=1",
      "https://id.example#x",
      "https://user@id.example",
      "https://id example",
      "http://id.example",
      "http://127.0.0.1.example",
      "http://localhost.example",
      "https://id.example/\ud800",
      {},
    ],
    clientId: [undefined, null, 7, "", {}, "\udc00"],
    redirectUri: [
      7,
      "https://app.example/#x",
      "https://user@app.example/",
      "ftp://app.example/",
      "javascript:alert(1)",
      "https://",
      "data:text/html,x",
    ],
    postLogoutRedirectUri: [null, 7, "ftp://x", "https://app.example/#x"],
    scope: [7, "", "profile", [], ["profile"], 'openid "x"', "openid ü"],
    callback: [null, "later", 7, true],
    refresh: [null, "never", false],
    storage: [null, "local", 7, {}, { getItem: 1 }],
    clockTolerance: [-1, 601, 1.5, "30", null, "NaN"],
    timeout: [0, 301, 0.5, "10", null],
    transport: [null, "fetch", {}],
    log: ["console", {}],
    onCallback: ["go", 1],
    apiOrigins: [["api.example"], ["/x"], [7], [null], ["data:x"], ["blob:x"]],
    clientSecret: ["s3cret", undefined],
    client_secret: ["s3cret", undefined],
    oidc: [null, "false", 0],
    responseMode: [null, "form_post", 7],
    revocation: [null, "xml", true],
    metadata: [
      null,
      7,
      "x",
      [],
      { token_endpoint: 7 },
      { token_endpoint: "javascript:alert(1)" },
      { token_endpoint: "https://id.example/#x" },
      { authorization_endpoint: "http://[" },
      { jwks_uri: "ftp://id.example" },
      { mtls_endpoint: "https://user@id.example" },
      { anything: 7 },
      { anything: null },
      { anything: {} },
      { anything: ["x", 7] },
      { anything: "\ud800" },
      { issuer: "https://evil.example" },
    ],
    logout: [
      null,
      "https://id.example",
      [],
      {},
      { endpoint: 7 },
      { endpoint: "javascript:alert(1)" },
      { endpoint: "/logout#x" },
      { endpoint: "/logout", params: null },
      { endpoint: "/logout", params: ["state"] },
      { endpoint: "/logout", params: { returnTo: "x" } },
      { endpoint: "/logout", params: { "": "x" } },
      { endpoint: "/logout", params: { state: "" } },
      { endpoint: "/logout", params: { state: 7 } },
      { endpoint: "/logout", params: { state: "\ud800" } },
    ],
    allowInsecureIssuer: [null, 7],
    authorizationParams: [
      { extra: { state: "x" } },
      { extra: { nonce: "x" } },
      { extra: { code_challenge: "x" } },
      { extra: { redirect_uri: "x" } },
      { extra: { response_type: "token" } },
      { extra: { "": "x" } },
      { extra: { x: 7 } },
      { maxAge: -1 },
      { maxAge: 1.5 },
      { prompt: 7 },
      { scope: "openid ü" },
      { loginHint: {} },
      { audience: 7 },
      { organization: ["org_1"] },
      { invitation: null },
      { acrValues: {} },
      { uiLocales: 7 },
      { display: true },
      { resource: "api" },
      { resource: "/api" },
      { resource: "https://api.example/#x" },
      { resource: "" },
      { resource: ["https://api.example", 7] },
      { claims: "{}" },
      { claims: [] },
      { claims: null },
      { authorizationDetails: { type: "x" } },
      { authorizationDetails: ["x"] },
      { authorizationDetails: [{ type: "x" }, {}] },
      { authorizationDetails: [{ type: 7 }] },
      { extra: "state" },
      { extra: null },
      [],
      7,
    ],
  };
  await open(page, app);
  const before = await storedIn(page);
  for (const [name, values] of Object.entries(wrong)) {
    const outcomes = await page.evaluate(
      ([good, name, values]) =>
        Promise.all(
          values.map((value) =>
            attempt(() => {
              createAuth({ ...good, [name]: value }).dispose();
            }),
          ),
        ),
      [good, name, values],
    );
    outcomes.forEach(({ error }, index) => {
      const row = `${name}: ${JSON.stringify(values[index])}`;
      expect.soft(error, row).toMatchObject({
        name: "AuthError",
        code: "invalid_config",
        details: { problem: expect.stringMatching(/./) },
        retryable: false,
      });
      expect
        .soft(error?.details.option, row)
        .toMatch(namedAs(name, values[index]));
    });
  }
  const unusable = await page.evaluate(() =>
    Promise.all(
      [undefined, null, 7, "x", () => {}, Symbol("x")].map((options) =>
        attempt(() => {
          createAuth(options).dispose();
        }),
      ),
    ),
  );
  for (const { error } of unusable)
    expect.soft(error).toMatchObject({ code: "invalid_config" });
  const right = {
    issuer: [
      "https://id.example",
      "https://id.example/tenant/",
      "http://localhost:1",
      "http://127.0.0.2",
      "http://[::1]:8",
    ],
    redirectUri: [undefined, "/callback", "here", "https://app.example/x?y=z"],
    scope: [undefined, "openid", ["openid", "profile"], "profile openid"],
    clockTolerance: [0, 600, undefined],
    timeout: [1, 300],
    apiOrigins: [[], ["https://api.example/v1?x#y", "http://127.0.0.1:1"]],
    authorizationParams: [
      {},
      { extra: { foo: "", claims: "{}" }, maxAge: 0 },
      { resource: "https://api.example/v1?x" },
      { resource: ["urn:api", "https://api.example"] },
      { claims: { userinfo: { email: null } } },
      { authorizationDetails: [{ type: "payment", amount: { value: 1 } }] },
      { acrValues: "a b", uiLocales: ["de", "en"], display: "touch" },
      { audience: "", organization: "org_1", invitation: "t" },
    ],
    oidc: [true, undefined],
    responseMode: ["query", "fragment"],
    revocation: ["form", "json"],
    metadata: [
      {},
      { token_endpoint: "/relay", jwks_uri: "https://id.example/jwks" },
      { issuer: scripted.issuer, anything: true, more: ["x"], text: "" },
    ],
    logout: [
      { endpoint: "/logout?x" },
      { endpoint: "https://id.example", params: { state: null } },
    ],
    postLogoutRedirectUri: ["/", undefined],
  };
  for (const [name, values] of Object.entries(right)) {
    const outcomes = await page.evaluate(
      ([good, name, values]) =>
        Promise.all(
          values.map((value) =>
            attempt(() => {
              createAuth({ ...good, [name]: value }).dispose();
              return "made";
            }),
          ),
        ),
      [good, name, values],
    );
    expect.soft(outcomes, name).toEqual(values.map(() => ({ value: "made" })));
  }
  expect(await storedIn(page)).toEqual(before);
});

/** By which name what is wrong with an option is told: its own, or that of the member. */
function namedAs(name, value) {
  if (/secret/i.test(name)) return /^clientSecret$/;
  const [member] = typeof value === "object" ? Object.keys(value ?? {}) : [];
  if (name === "authorizationParams")
    return new RegExp(`^${member ?? name}(\\.\\w*)?$`);
  return /^(metadata|logout)$/.test(name)
    ? new RegExp(`^${name}(\\.\\w*)*$`)
    : new RegExp(`^${name}$`);
}

test("without OpenID Connect an issuer is needed only where endpoints are missing, and no scope", async ({
  page,
  app,
}) => {
  await open(page, app);
  const both = {
    authorization_endpoint: "https://id.example/authorize",
    token_endpoint: "https://id.example/token",
  };
  const { authorization_endpoint, token_endpoint } = both;
  const issuer = "https://id.example";
  for (const [options, refused] of [
    [{ oidc: false }, "issuer"],
    [{ oidc: false, metadata: {} }, "issuer"],
    [{ oidc: false, metadata: { authorization_endpoint } }, "issuer"],
    [{ oidc: false, metadata: { token_endpoint } }, "issuer"],
    [{ oidc: false, metadata: both }, null],
    [{ oidc: false, issuer }, null],
    [{ oidc: false, issuer, metadata: both }, null],
    [{ oidc: false, issuer: "/x", metadata: both }, "issuer"],
    [{ oidc: false, issuer: null, metadata: both }, "issuer"],
    [{ metadata: both }, "issuer"],
    [{ oidc: true, metadata: { ...both, jwks_uri: "/jwks" } }, "issuer"],
    [{ oidc: false, issuer, scope: "profile" }, null],
    [{ oidc: false, issuer, scope: "" }, null],
    [{ oidc: false, issuer, scope: "ü" }, "scope"],
    [{ oidc: true, issuer, scope: "profile" }, "scope"],
    [{ oidc: false, metadata: { ...both, issuer } }, "metadata.issuer"],
    [{ oidc: false, issuer, metadata: { ...both, issuer } }, null],
  ]) {
    const { error, value } = await page.evaluate(
      (options) =>
        attempt(() => {
          createAuth({ clientId: "spa", ...options }).dispose();
          return "made";
        }),
      options,
    );
    const row = JSON.stringify(options);
    if (refused === null) expect.soft(value, row).toBe("made");
    else
      expect.soft(error, row).toMatchObject({
        code: "invalid_config",
        details: { option: refused },
      });
  }
});

test("a client secret is refused with the way to a relay", async ({
  page,
  app,
  scripted,
}) => {
  await open(page, app);
  const options = optionsFor(app, scripted, { clientSecret: "s3cret" });
  const { error } = await page.evaluate(
    (options) => attempt(() => createAuth(options)),
    options,
  );
  expect(error.details.problem).toContain("docs/relay.md");
  expect(JSON.stringify(error)).not.toContain("s3cret");
});

test("T41: an http issuer beyond loopback works only if it is repeated, exactly", async ({
  page,
  app,
}) => {
  await open(page, app);
  const outcomes = await page.evaluate(async (redirectUri) => {
    const issuer = "http://id.example/x";
    const make = (allowInsecureIssuer) =>
      attempt(() => {
        const options = { issuer, clientId: "spa", redirectUri };
        createAuth({ ...options, allowInsecureIssuer }).dispose();
        return "made";
      });
    return [
      await make(undefined),
      await make("http://id.example/X"),
      await make("http://id.example/x/"),
      await make("http://id.example"),
      await make("http://id.example/x"),
    ];
  }, `${app.url}/callback`);
  const refused = {
    error: expect.objectContaining({
      code: "invalid_config",
      details: {
        option: "issuer",
        problem: expect.stringContaining("allowInsecureIssuer"),
      },
    }),
  };
  expect(outcomes).toEqual([
    refused,
    refused,
    refused,
    refused,
    { value: "made" },
  ]);
});

test("AR10, AR12, T13: wrong options of login and logout are refused by name, before anything is stored or sent", async ({
  page,
  app,
  scripted,
}) => {
  const params = { post_logout_redirect_uri: "returnTo" };
  const logout = { endpoint: `${scripted.issuer}/logout`, params };
  const options = optionsFor(app, scripted, { logout });
  await signIn(page, app, options);
  const before = await storedIn(page);
  const asked = scripted.requests.length;
  for (const [login, option] of [
    [{ returnTo: "https://evil.example/" }, "returnTo"],
    [{ returnTo: "//evil.example/" }, "returnTo"],
    [{ returnTo: "\\\\evil.example/" }, "returnTo"],
    [{ returnTo: "javascript:alert(1)" }, "returnTo"],
    [{ returnTo: "data:," }, "returnTo"],
    [{ returnTo: 7 }, "returnTo"],
    [{ returnTo: "http://[" }, "returnTo"],
    [{ returnTo: "/\ud800" }, "returnTo"],
    [{ scope: "profile" }, "scope"],
    [{ scope: "openid \n" }, "scope"],
    [{ prompt: 7 }, "prompt"],
    [{ maxAge: -1 }, "maxAge"],
    [{ extra: { state: "x" } }, "extra"],
    [{ extra: { client_secret: "x" } }, "extra"],
    [{ resource: "not a URI" }, "resource"],
    [{ claims: 7 }, "claims"],
    [{ authorizationDetails: [{}] }, "authorizationDetails.type"],
    [{ acrValues: 7 }, "acrValues"],
    [{ organization: {} }, "organization"],
    [{ invitation: 7 }, "invitation"],
    [{ extra: { a: "\ud800" } }, "extra.a"],
  ]) {
    const { error } = await call(page, "login", login);
    expect.soft(error, JSON.stringify(login)).toMatchObject({
      code: "invalid_config",
      details: { option },
    });
  }
  for (const [logout, option] of [
    ...["ftp://x", 7, null, "/#x"].map((postLogoutRedirectUri) => [
      { postLogoutRedirectUri },
      "postLogoutRedirectUri",
    ]),
    ...["no", 0, null].map((revoke) => [{ revoke }, "revoke"]),
    [{ extra: { state: "x" } }, "extra"],
    [{ extra: { id_token_hint: "x" } }, "extra"],
    [{ extra: { access_token_hint: "x" } }, "extra"],
    [{ extra: { returnTo: "x" } }, "extra"],
    [{ extra: { a: 7 } }, "extra.a"],
    [{ extra: 7 }, "extra"],
  ]) {
    const { error } = await call(page, "logout", logout);
    expect.soft(error, JSON.stringify(logout)).toMatchObject({
      code: "invalid_config",
      details: { option },
    });
  }
  expect(await storedIn(page)).toEqual(before);
  expect(scripted.requests.length).toBe(asked);
  expect((await state(page)).status).toBe("signedIn");
});

// ── The issuer ──────────────────────────────────────────────────────────────

const metadataProblem = (field, problem) => ({
  code: "invalid_metadata",
  details: { field, problem },
});
const answerProblem = (endpoint, status, problem) => ({
  code: "invalid_response",
  details: { endpoint, status, problem },
});
const without = (name) => (document) => {
  const { [name]: gone, ...rest } = document;
  return rest;
};
const withMember = (name, value) => (document) => ({
  ...document,
  [name]: value,
});

const discoveryLies = {
  "an HTML page": [
    { answer: { type: "text/html", text: "<!doctype html><p>hello" } },
    answerProblem("discovery", 200, "not_json"),
  ],
  "JSON of the wrong type": [
    { answer: { type: "text/html", text: "{}" } },
    { code: expect.stringMatching(/^invalid_(response|metadata)$/) },
  ],
  "broken JSON": [
    { answer: { type: "application/json", text: '{"issuer":' } },
    answerProblem("discovery", 200, "not_json"),
  ],
  "JSON that is no object": [
    { answer: { json: ["issuer"] } },
    { code: "invalid_response" },
  ],
  "JSON of a depth that nobody needs": [
    { answer: { json: JSON.parse("[".repeat(5000) + "]".repeat(5000)) } },
    { code: "invalid_response" },
  ],
  "nothing at all": [
    { answer: { type: "application/json", text: "" } },
    answerProblem("discovery", 200, "empty"),
  ],
  "three megabytes": [
    { answer: { json: { padding: "x".repeat(3_000_000) } } },
    answerProblem("discovery", 200, "too_large"),
  ],
  "a server error": [
    { answer: { status: 500, json: { error: "server_error" } } },
    answerProblem("discovery", 500, "status"),
  ],
  "not found": [
    { answer: { status: 404, type: "text/html", text: "no" } },
    answerProblem("discovery", 404, "status"),
    // Some servers have the document at the other of its two places only (RFC 8414 §3).
    2,
  ],
  "a redirect": [
    { answer: { redirect: "/.well-known/elsewhere" } },
    { code: "network", details: { endpoint: "discovery" } },
    2,
  ],
  "a cut connection": [
    { answer: "reset", times: Infinity },
    { code: "network", details: { endpoint: "discovery" }, retryable: true },
  ],
  "no answer": [
    { answer: "hang" },
    { code: "timeout", details: { endpoint: "discovery", seconds: 1 } },
  ],
  "no issuer": [
    { edit: without("issuer") },
    metadataProblem("issuer", "missing"),
  ],
  "another issuer": [
    { edit: withMember("issuer", "https://evil.example") },
    metadataProblem("issuer", "mismatch"),
  ],
  "its issuer with a slash more": [
    { edit: (document) => ({ ...document, issuer: `${document.issuer}/` }) },
    metadataProblem("issuer", "mismatch"),
  ],
  "an issuer that is no text": [
    { edit: withMember("issuer", 7) },
    metadataProblem("issuer", "malformed"),
  ],
  "no token endpoint": [
    { edit: without("token_endpoint") },
    metadataProblem("token_endpoint", "missing"),
  ],
  "no keys": [
    { edit: without("jwks_uri") },
    metadataProblem("jwks_uri", "missing"),
  ],
  "an authorization endpoint that is a script": [
    { edit: withMember("authorization_endpoint", "javascript:alert(1)") },
    metadataProblem("authorization_endpoint", "malformed"),
  ],
  "a token endpoint without TLS": [
    { edit: withMember("token_endpoint", "http://id.example/token") },
    metadataProblem("token_endpoint", "insecure"),
  ],
  "PKCE without S256": [
    { edit: withMember("code_challenge_methods_supported", ["plain"]) },
    metadataProblem("code_challenge_methods_supported", "unsupported"),
  ],
};

/**
 * A whole table on one page: each row is a step with a client of its own and an empty storage, and all of them run,
 * whatever became of those before.
 */
async function everyRow(table, { page, app, scripted }, check) {
  test.setTimeout(120_000);
  const failures = [];
  for (const [name, row] of Object.entries(table))
    try {
      await test.step(name, async () => {
        await page.evaluate(() => {
          window.auth?.dispose();
          sessionStorage.clear();
        });
        await check(row);
        expect(scripted.untold, "lies that nobody heard").toEqual([]);
      });
    } catch (error) {
      failures.push(`${name}: ${error.message}`);
      scripted.forgive();
      await open(page, app);
    }
  expect(failures.join("\n\n")).toBe("");
}

test.describe("an issuer", () => {
  test("MD2, MD3: whose discovery lies lets nobody leave, and the session stays", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted, { timeout: 1 });
    await open(page, app);
    await everyRow(
      discoveryLies,
      { page, app, scripted },
      async ([lie, expected, requests = 1]) => {
        await begin(page, options);
        // The honest twin.
        const { value } = await signInHere(page, scripted);
        expect(value.state.status).toBe("signedIn");
        // What was discovered is forgotten, so that it is asked for again.
        await page.evaluate(() => {
          auth.dispose();
          for (const key of Object.keys(sessionStorage))
            if (!key.startsWith("countersign:session:"))
              sessionStorage.removeItem(key);
        });
        const before = await storedIn(page);
        expect((await begin(page, options)).status).toBe("signedIn");
        const asked = scripted.requests.length;
        if (lie.edit) scripted.editNext("discovery", lie.edit);
        else scripted.answerNext("discovery", lie.answer, lie.times);
        const { error } = await call(page, "login");
        expect(error).toMatchObject({ name: "AuthError", ...expected });
        expect(await storedIn(page)).toEqual(before);
        expect(await state(page)).toMatchObject({ status: "signedIn" });
        expect(page.url()).toBe(`${app.url}/`);
        expect((await call(page, "getAccessToken")).value).toMatch(/^at-/);
        if (lie.times > 1) return scripted.forgive();
        // A redirect was not followed.
        expect(scripted.requests.length).toBe(asked + requests);
        // The next one leaves.
        expect(await requestUrl(page)).toContain("code_challenge=");
      },
    );
  });

  test("that is not there is a network error", async ({ page, app }) => {
    const gone = await startScripted();
    await gone.close();
    await open(page, app);
    await begin(page, optionsFor(app, gone));
    const { error } = await call(page, "login");
    expect(error).toMatchObject({
      code: "network",
      details: { endpoint: "discovery" },
      retryable: true,
    });
    expect(await storedIn(page)).toEqual({});
  });
});

// ── The callback ────────────────────────────────────────────────────────────

const edited = (change) => (back) => {
  const url = new URL(back);
  change(url.searchParams, url);
  return url.href;
};
const stale = (problem, returnTo = null, untrusted = null) => ({
  code: "stale_callback",
  details: { problem, returnTo, untrusted },
});

const callbackLies = {
  "no state": [edited((params) => params.delete("state")), stale("missing")],
  "an empty state": [
    edited((params) => params.set("state", "")),
    stale("missing"),
  ],
  "an unknown state": [
    edited((params) =>
      params.set(
        "state",
        `${params.get("state").slice(0, 12)}${"A".repeat(43)}`,
      ),
    ),
    stale("unknown"),
  ],
  "a foreign state": [
    edited((params) => params.set("state", "foreign")),
    stale("unknown"),
  ],
  "another path": [
    edited((_, url) => (url.pathname = "/elsewhere")),
    stale("unknown"),
  ],
  "another origin": [
    edited((_, url) => (url.host = "evil.example")),
    stale("unknown"),
  ],
  "an error of nobody": [
    edited((params) => {
      params.set("state", "foreign");
      params.delete("code");
      params.set("error", "access_denied");
      params.set("error_description", "<b>call 555</b>");
      params.set("session_state", String(Math.random()));
    }),
    stale("unknown", null, {
      error: "access_denied",
      error_description: "<b>call 555</b>",
      error_uri: null,
    }),
  ],
  "two states": [
    edited((params) => params.append("state", params.get("state"))),
    answerProblem("authorization", 0, "state"),
  ],
  "two codes": [
    edited((params) => params.append("code", "other")),
    answerProblem("authorization", 0, "code"),
  ],
  "two issuers": [
    edited((params) => params.append("iss", params.get("iss"))),
    answerProblem("authorization", 0, "iss"),
  ],
  "two errors": [
    edited((params) => {
      params.append("error", "a");
      params.append("error", "b");
    }),
    answerProblem("authorization", 0, "error"),
  ],
  "both a code and an error": [
    edited((params) => params.set("error", "access_denied")),
    { code: "invalid_response", details: { endpoint: "authorization" } },
  ],
  "neither a code nor an error": [
    edited((params) => params.delete("code")),
    { code: "invalid_response", details: { endpoint: "authorization" } },
  ],
  "another issuer": [
    edited((params) => params.set("iss", "https://evil.example")),
    {
      code: "issuer_mismatch",
      details: { actual: "https://evil.example", untrusted: null },
    },
  ],
  "no issuer, though the server announced it": [
    edited((params) => params.delete("iss")),
    { code: "issuer_mismatch", details: { actual: null, untrusted: null } },
  ],
  "an error of another issuer": [
    edited((params) => {
      params.delete("code");
      params.set("error", "access_denied");
      params.set("iss", "https://evil.example");
    }),
    {
      code: "issuer_mismatch",
      details: { untrusted: { error: "access_denied" } },
    },
  ],
  "an error of the server": [
    edited((params) => {
      params.delete("code");
      params.set("error", "temporarily_unavailable");
      params.set("error_description", "later");
    }),
    {
      code: "authorization_error",
      details: {
        error: "temporarily_unavailable",
        error_description: "later",
        error_uri: null,
      },
    },
  ],
};

test.describe("a callback", () => {
  test("CB1, CB2, CB3, CB6: that is wrong in any way is refused before anything is sent", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted, { callback: "manual" });
    await open(page, app);
    await everyRow(
      callbackLies,
      { page, app, scripted },
      async ([lie, expected]) => {
        await begin(page, options);
        // Without a session.
        const first = lie(scripted.authorize(await requestUrl(page)));
        const asked = scripted.requests.length;
        const refused = await handle(page, first);
        expect(refused.error).toMatchObject({ name: "AuthError", ...expected });
        expect(await state(page)).toMatchObject({
          status: "signedOut",
          reason: "callbackFailed",
          error: expected,
        });
        expect((await storedSession(page, options)).text).toBeUndefined();
        // The honest twin is accepted, and gives the session that is to stay.
        expect((await signInHere(page, scripted)).value.state.error).toBeNull();
        const before = await storedSession(page, options);
        const second = lie(scripted.authorize(await requestUrl(page)));
        const again = await handle(page, second);
        if (expected.code === "stale_callback") {
          // A bookmark, a reload: with a live session there is nothing to complain about.
          expect(again.value.state.status).toBe("signedIn");
        } else {
          expect(again.error).toMatchObject(expected);
          expect(await state(page)).toMatchObject({
            status: "signedIn",
            error: expected,
          });
        }
        expect((await storedSession(page, options)).text).toBe(before.text);
        expect((await call(page, "getAccessToken")).value).toMatch(/^at-/);
        // The twin's code and its keys, and nothing for the lies.
        const since = scripted.requests.slice(asked);
        expect(since.map(({ endpoint }) => endpoint).sort()).toEqual([
          "jwks",
          "token",
        ]);
      },
    );
  });

  test("CB13: to a login that began too long ago is refused", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await open(page, app);
    await begin(page, options);
    for (const [hours, accepted] of [
      [1.01, false],
      [-1.01, false],
      [0.9, true],
    ]) {
      const login = { returnTo: "/cart" };
      const back = scripted.authorize(await requestUrl(page, login));
      await page.evaluate(
        ([hours, state]) => {
          const key = `countersign:login:${state}`;
          const record = JSON.parse(sessionStorage.getItem(key));
          record.began_at -= hours * 3600_000;
          sessionStorage.setItem(key, JSON.stringify(record));
        },
        [hours, new URL(back).searchParams.get("state")],
      );
      const { error, value } = await handle(page, back);
      if (accepted) expect(value.returnTo).toBe("/cart");
      else expect(error).toMatchObject(stale("expired", "/cart"));
      const session = (await storedSession(page, options)).text;
      if (!accepted) expect(session).toBeUndefined();
    }
  });

  test("CB1: whose state was used is refused, and no verifier is left of it", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await open(page, app);
    await begin(page, options);
    const back = scripted.authorize(
      await requestUrl(page, { returnTo: "/cart" }),
    );
    const key = `countersign:login:${new URL(back).searchParams.get("state")}`;
    expect(await handle(page, back)).toMatchObject({
      value: { returnTo: "/cart" },
    });
    const used = JSON.parse((await storedIn(page))[key]);
    expect(used).toEqual({
      v: 1,
      began_at: expect.any(Number),
      used: true,
      return_to: "/cart",
    });
    const asked = scripted.requests.length;
    // A new page that has the URL and the storage, but not the session.
    await page.evaluate((key) => {
      auth.dispose();
      sessionStorage.removeItem(key);
    }, sessionKey(options));
    await open(page, app);
    await begin(page, options);
    const { error } = await handle(page, back);
    expect(error).toMatchObject(stale("used", "/cart"));
    expect(scripted.requests.length).toBe(asked);
    expect(JSON.parse((await storedIn(page))[key])).toEqual(used);
  });

  test("T14: to a login whose record was damaged is refused, and its returnTo not followed", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await open(page, app);
    await begin(page, options);
    const damages = {
      truncated: (text) => text.slice(0, -20),
      "of another type": () => "[]",
      "of a newer version": (text) => text.replace('"v":1', '"v":2'),
      "without a verifier": (text) => text.replace("code_verifier", "gone"),
      "of another client": (text) =>
        text.replace('"client_id":"spa"', '"client_id":"other"'),
      "of another issuer": (text) =>
        text.replace(scripted.issuer, "http://127.0.0.1:1"),
      "with a returnTo of another origin": (text) =>
        text.replace('"return_to":"/"', '"return_to":"//evil.example"'),
    };
    const asked = scripted.requests.length;
    for (const [name, damage] of Object.entries(damages)) {
      const back = scripted.authorize(await requestUrl(page));
      const key = `countersign:login:${new URL(back).searchParams.get("state")}`;
      const text = damage((await storedIn(page))[key]);
      await page.evaluate(
        ([key, text]) => sessionStorage.setItem(key, text),
        [key, text],
      );
      const { error } = await handle(page, back);
      expect.soft(error, name).toMatchObject(stale("unknown"));
      if (!name.startsWith("with"))
        expect.soft((await storedIn(page))[key], name).toBe(text);
    }
    // Discovery, once, for the requests.
    expect(scripted.requests.length).toBe(asked + 1);
    expect((await signInHere(page, scripted)).value).toBeTruthy();
  });
});

// ── The token endpoint and the ID Token ─────────────────────────────────────

const idTokenProblem = (claim, problem, skewSeconds = null) => ({
  code: "invalid_id_token",
  details: { claim, problem, skewSeconds },
});
const claim = (name, value) => ({
  claims: (claims) => ({
    ...claims,
    [name]: typeof value === "function" ? value(claims[name]) : value,
  }),
});
const part = (json) => Buffer.from(JSON.stringify(json)).toString("base64url");

const tokenLies = {
  "an HTML page": [
    { answer: { type: "text/html", text: "<h1>proxy</h1>" } },
    answerProblem("token", 200, "not_json"),
  ],
  "an HTML page with 502": [
    { answer: { status: 502, type: "text/html", text: "<h1>proxy</h1>" } },
    answerProblem("token", 502, "status"),
  ],
  nothing: [
    { answer: { type: "application/json", text: "" } },
    answerProblem("token", 200, "empty"),
  ],
  "three megabytes": [
    { edit: withMember("padding", "x".repeat(3_000_000)) },
    answerProblem("token", 200, "too_large"),
  ],
  "a token of another type": [
    { edit: withMember("token_type", "DPoP") },
    answerProblem("token", 200, "token_type"),
  ],
  "no token type": [
    { edit: without("token_type") },
    answerProblem("token", 200, "token_type"),
  ],
  "no access token": [
    { edit: without("access_token") },
    answerProblem("token", 200, "access_token"),
  ],
  "an empty access token": [
    { edit: withMember("access_token", "") },
    answerProblem("token", 200, "access_token"),
  ],
  "an access token that is no text": [
    { edit: withMember("access_token", ["at"]) },
    answerProblem("token", 200, "access_token"),
  ],
  "no tokens at all": [
    { answer: { json: {} } },
    { code: "invalid_response", details: { endpoint: "token", status: 200 } },
  ],
  "a life before it began": [
    { edit: withMember("expires_in", -1) },
    answerProblem("token", 200, "expires_in"),
  ],
  "a life for ever": [
    { edit: withMember("expires_in", 1e15) },
    answerProblem("token", 200, "expires_in"),
  ],
  "an OAuth error": [
    {
      answer: {
        status: 400,
        json: { error: "invalid_client", error_description: "who?" },
      },
    },
    {
      code: "token_error",
      details: {
        error: "invalid_client",
        error_description: "who?",
        error_uri: null,
        status: 400,
      },
    },
  ],
  "an OAuth error with 200": [
    { answer: { json: { error: "invalid_grant" } } },
    { code: "token_error", details: { error: "invalid_grant", status: 200 } },
  ],
  "a redirect": [
    { answer: { status: 307, headers: { location: "/elsewhere" } } },
    { code: "network", details: { endpoint: "token" } },
  ],
  "no answer": [
    { answer: "hang" },
    { code: "timeout", details: { endpoint: "token", seconds: 1 } },
  ],
  "no ID Token": [
    { edit: without("id_token") },
    idTokenProblem("id_token", "missing"),
  ],
  "an ID Token of another issuer": [
    claim("iss", "https://evil.example"),
    idTokenProblem("iss", "mismatch"),
  ],
  "an ID Token for another audience": [
    claim("aud", "other"),
    idTokenProblem("aud", "mismatch"),
  ],
  "an ID Token for another audience, too": [
    claim("aud", ["spa", "other"]),
    idTokenProblem("aud", "mismatch"),
  ],
  "an ID Token for another party": [
    claim("azp", "other"),
    idTokenProblem("azp", "mismatch"),
  ],
  "an ID Token with another nonce": [
    claim("nonce", "another"),
    idTokenProblem("nonce", "mismatch"),
  ],
  "an ID Token without a nonce": [
    claim("nonce", undefined),
    idTokenProblem("nonce", "missing"),
  ],
  "an ID Token without a subject": [
    claim("sub", undefined),
    idTokenProblem("sub", "missing"),
  ],
  "an expired ID Token": [
    {
      claims: (claims) => ({
        ...claims,
        iat: claims.iat - 4000,
        exp: claims.iat - 400,
      }),
    },
    idTokenProblem("exp", "expired", expect.any(Number)),
  ],
  "an ID Token of tomorrow": [
    claim("iat", (iat) => iat + 86_400),
    idTokenProblem("iat", "not_yet_valid", expect.any(Number)),
  ],
  "an ID Token with another token's hash": [
    claim("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"),
    idTokenProblem("at_hash", "mismatch"),
  ],
  "an unsigned ID Token": [
    { sign: (claims) => `${part({ alg: "none" })}.${part(claims)}.` },
    idTokenProblem("alg", "unsupported_alg"),
  ],
  "an ID Token signed with a shared secret": [
    { sign: (claims) => `${part({ alg: "HS256" })}.${part(claims)}.AAAA` },
    idTokenProblem("alg", "unsupported_alg"),
  ],
  "an ID Token signed by somebody else": [
    {
      sign: (claims, { signWith, otherRs256, rs256 }) =>
        signWith(claims, otherRs256, { kid: rs256.kid }),
    },
    idTokenProblem("signature", "bad_signature"),
  ],
  "an ID Token signed by somebody else on a curve": [
    {
      sign: (claims, { signWith, otherEs256, es256 }) =>
        signWith(claims, otherEs256, { kid: es256.kid }),
    },
    idTokenProblem("signature", "bad_signature"),
  ],
  "an ID Token whose claims were changed": [
    {
      sign: async (claims, { sign }) => {
        const [header, , signature] = (await sign(claims)).split(".");
        return [header, part({ ...claims, sub: "root" }), signature].join(".");
      },
    },
    idTokenProblem("signature", "bad_signature"),
  ],
  "an ID Token of an unknown key": [
    {
      sign: (claims, { signWith, otherRs256 }) => signWith(claims, otherRs256),
    },
    idTokenProblem("kid", "no_matching_key"),
  ],
  "an ID Token that demands what nobody knows": [
    {
      sign: (claims, { rs256 }) =>
        [
          part({ alg: "RS256", kid: rs256.kid, crit: ["x"], x: 1 }),
          part(claims),
          "AAAA",
        ].join("."),
    },
    { code: "invalid_id_token", details: { problem: expect.anything() } },
  ],
  "an ID Token that is none": [
    { edit: withMember("id_token", "not.a.token") },
    { code: "invalid_id_token", details: { problem: "malformed" } },
  ],
  "an ID Token that is no text": [
    { edit: withMember("id_token", { sub: "root" }) },
    { code: "invalid_response", details: { problem: "id_token" } },
  ],
  "keys that cannot be had": [
    { jwks: { status: 500, json: {} } },
    answerProblem("jwks", 500, "status"),
  ],
  "keys that are none": [
    { jwks: { json: { keys: "none" } } },
    { code: "invalid_response", details: { endpoint: "jwks" } },
  ],
  "no key at all": [
    { jwks: { json: { keys: [] } } },
    idTokenProblem("kid", "no_matching_key"),
  ],
};

function tell(scripted, lie) {
  if (lie.claims) scripted.claimNext(lie.claims);
  else if (lie.sign) scripted.signNext(lie.sign);
  else if (lie.edit) scripted.editNext("token", lie.edit);
  else if (lie.jwks) scripted.answerNext("jwks", lie.jwks, Infinity);
  else scripted.answerNext("token", lie.answer);
}

test.describe("a sign-in", () => {
  test("TK3, TK7, ID5: whose answer lies is refused, and a session before it stays", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted, { timeout: 1 });
    await open(page, app);
    await everyRow(
      tokenLies,
      { page, app, scripted },
      async ([lie, expected]) => {
        await begin(page, options);
        tell(scripted, lie);
        const refused = await signInHere(page, scripted, { returnTo: "/x" });
        expect(refused.error).toMatchObject({ name: "AuthError", ...expected });
        expect(await state(page)).toMatchObject({
          status: "signedOut",
          reason: "callbackFailed",
          error: expected,
        });
        // Neither token nor verifier is left.
        const left = JSON.stringify(await storedIn(page));
        expect(left).not.toMatch(/[^\w-](at|rt)-|eyJ|code_verifier|:session:/);
        // The honest twin is accepted; what was said about keys is asked again by the next page.
        if (lie.jwks) {
          scripted.forgive();
          await open(page, app);
          await begin(page, options);
        }
        const honest = await signInHere(page, scripted);
        expect(honest.value.state).toMatchObject({
          status: "signedIn",
          error: null,
        });
        const before = await storedSession(page, options);
        if (lie.jwks) {
          // The keys are known by now; a page that has yet to ask for them, then.
          await open(page, app);
          await begin(page, options);
        }
        tell(scripted, lie);
        const again = await signInHere(page, scripted);
        if (lie.jwks) scripted.forgive();
        expect(again.error).toMatchObject(expected);
        expect(await state(page)).toMatchObject({
          status: "signedIn",
          user: { sub: "alice" },
          error: expected,
        });
        expect((await storedSession(page, options)).text).toBe(before.text);
        expect((await call(page, "getAccessToken")).value).toBe(
          before.record.view.tokens[""].access_token,
        );
      },
    );
  });

  test("TK6, TK4: with harmless oddities is accepted", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await open(page, app);
    await begin(page, options);
    const now = Math.floor(Date.now() / 1000);
    for (const lie of [
      { edit: withMember("token_type", "bEARER") },
      { edit: withMember("expires_in", "300") },
      { edit: without("expires_in") },
      { edit: without("scope") },
      { edit: withMember("unknown", { deep: [1, 2.5e300, "\ud83d\ude00"] }) },
      claim("aud", ["spa"]),
      claim("azp", "spa"),
      claim("exp", now - 5),
      claim("iat", now + 20),
      claim("updated_at", 1.5e9),
      claim("name", "Zoë \u0000 😀"),
      {
        sign: (claims, { signWith, es256 }) => signWith(claims, es256),
      },
    ]) {
      tell(scripted, lie);
      const { value, error } = await signInHere(page, scripted);
      expect(error, String(Object.values(lie)[0])).toBeUndefined();
      expect(value.state.status).toBe("signedIn");
    }
  });

  test("T10: with the verifier of another login is refused by the provider", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await open(page, app);
    await begin(page, options);
    const back = scripted.authorize(await requestUrl(page));
    // Another login's verifier.
    await page.evaluate((state) => {
      const key = `countersign:login:${state}`;
      const record = JSON.parse(sessionStorage.getItem(key));
      record.code_verifier = "w".repeat(43);
      sessionStorage.setItem(key, JSON.stringify(record));
    }, new URL(back).searchParams.get("state"));
    expect((await handle(page, back)).error).toMatchObject({
      code: "token_error",
      details: { error: "invalid_grant" },
    });
  });
});

// ── The storage ─────────────────────────────────────────────────────────────

/** From now on every page refuses to store what a pattern fits. */
const full = (page, source) =>
  page.addInitScript((source) => {
    const { setItem } = Storage.prototype;
    window.refuses = new RegExp(source);
    Storage.prototype.setItem = function (key, value) {
      if (window.refuses?.test(key))
        throw new DOMException("full", "QuotaExceededError");
      return setItem.call(this, key, value);
    };
  }, source);

test.describe("a sessionStorage", () => {
  test("that is full refuses a login before it leaves", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await full(page, ".");
    await open(page, app);
    await begin(page, options);
    const outcome = await page.evaluate(async () => {
      let left = false;
      const { error } = await attempt(() =>
        auth.login({ navigate: () => (left = true) }),
      );
      return { left, error, stored: stored() };
    });
    expect(outcome).toMatchObject({
      left: false,
      error: { code: "storage", details: { operation: "write" } },
      stored: {},
    });
    expect(page.url()).toBe(`${app.url}/`);
    // The twin.
    await page.evaluate(() => (window.refuses = null));
    expect((await signInHere(page, scripted)).value.state.status).toBe(
      "signedIn",
    );
  });

  test("without room for the session lets it live in memory, with a warning", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await full(page, ":session:");
    await open(page, app);
    await begin(page, options);
    expect((await signInHere(page, scripted)).value.state.status).toBe(
      "signedIn",
    );
    expect(await untilMoment(page, "warning")).toMatchObject({
      code: "storage_fallback",
      hint: expect.stringMatching(/./),
    });
    expect((await storedSession(page, options)).text).toBeUndefined();
    const { value } = await call(page, "getAccessToken", {
      forceRefresh: true,
    });
    expect(value).toMatch(/^at-/);
    // Told once, however often it happens.
    const warnings = await page.evaluate(
      () => moments.filter(({ type }) => type === "warning").length,
    );
    expect(warnings).toBe(1);
  });

  test("that fills up later keeps no record whose refresh token is dead", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await full(page, "^$");
    await signIn(page, app, options);
    await page.evaluate(() => (window.refuses = /:session:/));
    const { value } = await call(page, "getAccessToken", {
      forceRefresh: true,
    });
    expect(value).toMatch(/^at-/);
    expect(await untilMoment(page, "warning")).toMatchObject({
      code: "storage_fallback",
    });
    expect((await storedSession(page, options)).text).toBeUndefined();
    expect((await state(page)).status).toBe("signedIn");
  });

  for (const how of ["property", "methods"])
    test(`that is denied (${how}) refuses logins with storage; nothing else breaks`, async ({
      page,
      app,
      scripted,
    }) => {
      const options = optionsFor(app, scripted);
      await page.addInitScript((how) => {
        const deny = () => {
          throw new DOMException("denied", "SecurityError");
        };
        if (how === "property")
          Object.defineProperty(window, "sessionStorage", { get: deny });
        else
          for (const name of ["getItem", "setItem", "removeItem"])
            Storage.prototype[name] = deny;
      }, how);
      await open(page, app);
      expect(await begin(page, options)).toMatchObject({
        status: "signedOut",
        reason: "noSession",
        error: null,
      });
      const { error } = await call(page, "login");
      expect(error).toMatchObject({
        code: "storage",
        details: { operation: "write" },
      });
      expect(page.url()).toBe(`${app.url}/`);
      const prefix = await page.evaluate(() =>
        auth.isCallback("/callback?code=x&state=cs-0-x"),
      );
      expect(prefix).toBe(false);
      expect(await call(page, "logout", { local: true })).toEqual({});
    });
});

// ── Stored sessions ─────────────────────────────────────────────────────────

test.describe("a stored session", () => {
  test("T29: that is truncated or of another type counts as none, and is left alone", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await signIn(page, app, options);
    const { text, record } = await storedSession(page, options);
    const changed = (change) => {
      const copy = structuredClone(record);
      change(copy);
      return JSON.stringify(copy);
    };
    const damaged = [
      ...[1, 2, 20, 0.25, 0.5, 0.75].map((part) =>
        text.slice(0, part < 1 ? Math.floor(text.length * part) : part),
      ),
      text.slice(0, -1),
      `${text}x`,
      "null",
      "7",
      "[]",
      "{}",
      '"text"',
      "\u0000",
      "[".repeat(100_000),
      changed((copy) => (copy.v = 0)),
      changed((copy) => (copy.v = "1")),
      changed((copy) => delete copy.view),
      changed((copy) => delete copy.grant),
      changed((copy) => (copy.view.tokens = [])),
      changed((copy) => (copy.view.tokens = {})),
      changed((copy) => (copy.view.tokens[""].access_token = 7)),
      changed((copy) => (copy.view.tokens[""].received_at = "now")),
      changed((copy) => (copy.view.user = { sub: 7 })),
      changed((copy) => (copy.view.scope = "openid")),
      changed((copy) => (copy.grant.family = "short")),
      changed((copy) => (copy.grant.family_key = null)),
      changed((copy) => (copy.grant.refresh_token = {})),
      changed((copy) => (copy.grant.generation = 7)),
    ];
    const asked = scripted.requests.length;
    await page.evaluate(() => auth.dispose());
    for (const [index, bytes] of damaged.entries()) {
      const row = `${index}: ${bytes.slice(0, 40)}`;
      await store(page, options, bytes);
      await begin(page, options);
      // The facade may have believed the view for a moment; the Rust side has the last word.
      const preloaded = await call(page, "preload");
      expect.soft(preloaded, row).toEqual({});
      expect.soft(await state(page), row).toMatchObject({
        status: "signedOut",
        reason: "noSession",
        error: null,
      });
      const { error } = await call(page, "getAccessToken");
      expect.soft(error, row).toMatchObject({ code: "login_required" });
      const after = (await storedIn(page))[sessionKey(options)];
      expect.soft(after, row).toBe(bytes);
      await page.evaluate(() => auth.dispose());
    }
    expect(scripted.requests.length).toBe(asked);
    // The twin: as it was, it is a session; and over a damaged one a sign-in writes.
    await store(page, options, text);
    expect((await begin(page, options)).status).toBe("signedIn");
    await page.evaluate(() => auth.dispose());
    await store(page, options, text.slice(0, 50));
    await begin(page, options);
    await signInHere(page, scripted);
    expect((await storedSession(page, options)).record.v).toBe(1);
  });

  test("of a newer version is neither read, nor overwritten, nor removed", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await signIn(page, app, options);
    const { text } = await storedSession(page, options);
    const newer = text.replace('"v":1', '"v":2');
    expect(newer).not.toBe(text);
    await store(page, options, newer);
    await open(page, app);
    expect(await begin(page, options)).toMatchObject({
      status: "signedOut",
      reason: "noSession",
    });
    // A sign-in lives in memory, says so, and refreshes there.
    expect((await signInHere(page, scripted)).value.state.status).toBe(
      "signedIn",
    );
    expect(await untilMoment(page, "warning")).toMatchObject({
      code: "storage_fallback",
    });
    expect(
      (await call(page, "getAccessToken", { forceRefresh: true })).value,
    ).toMatch(/^at-/);
    expect((await storedSession(page, options)).text).toBe(newer);
    expect(await call(page, "logout", { local: true })).toEqual({});
    expect((await storedSession(page, options)).text).toBe(newer);
    // Also where the logout itself fails.
    await signInHere(page, scripted);
    const failed = await page.evaluate(() =>
      attempt(() =>
        auth.logout({
          navigate: () => {
            throw new RangeError("not now");
          },
        }),
      ),
    );
    expect(failed.error).toMatchObject({ name: "RangeError" });
    expect((await storedSession(page, options)).text).toBe(newer);
  });

  test("whose view lies about a token that is over is asked about", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await signIn(page, app, options);
    await expireStored(page, options, 3600);
    const { record } = await storedSession(page, options);
    await open(page, app);
    expect((await begin(page, options)).status).toBe("signedIn");
    const { value } = await call(page, "getAccessToken");
    expect(value).not.toBe(record.view.tokens[""].access_token);
    expect(scripted.count("token")).toBe(2);
  });
});

// ── The environment ─────────────────────────────────────────────────────────

test.describe("a page whose policy forbids wasm", () => {
  const blocked = `/?csp=${encodeURIComponent("'self'")}`;

  test("says so, and what to change", async ({ page, app, scripted }) => {
    const options = optionsFor(app, scripted);
    await open(page, app, blocked);
    expect((await begin(page, options)).status).toBe("signedOut");
    const { error } = await call(page, "login");
    expect(error).toMatchObject({
      code: "wasm_load_failed",
      details: { url: null, problem: "csp" },
      retryable: false,
      hint: expect.stringContaining("'wasm-unsafe-eval'"),
    });
    expect((await call(page, "preload")).error.code).toBe("wasm_load_failed");
    expect(await storedIn(page)).toEqual({});
    // The twin.
    const allowed = encodeURIComponent("'self' 'wasm-unsafe-eval'");
    await open(page, app, `/?csp=${allowed}`);
    await begin(page, options);
    expect((await signInHere(page, scripted)).value.state.status).toBe(
      "signedIn",
    );
  });

  test("still serves a fresh session, and keeps one that it cannot judge", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await signIn(page, app, options);
    const fresh = await storedSession(page, options);
    await open(page, app, blocked);
    expect((await begin(page, options)).status).toBe("signedIn");
    expect((await call(page, "getAccessToken")).value).toMatch(/^at-/);
    expect((await storedSession(page, options)).text).toBe(fresh.text);
    await expireStored(page, options);
    const expired = await storedSession(page, options);
    await open(page, app, blocked);
    expect(await begin(page, options)).toMatchObject({
      status: "signedOut",
      reason: "unavailable",
      error: { code: "wasm_load_failed", details: { problem: "csp" } },
    });
    expect((await storedSession(page, options)).text).toBe(expired.text);
    // Where wasm may run, the session is there.
    await open(page, app);
    expect((await begin(page, options)).status).toBe("signedIn");
  });

  test("keeps a callback that it cannot complete out of the address bar", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted, { redirectUri: `${app.url}/` });
    await open(page, app);
    await begin(page, options);
    const back = new URL(scripted.authorize(await requestUrl(page)));
    back.searchParams.set("csp", "'self'");
    await page.goto(back.href);
    await page.waitForFunction(() => "createAuth" in window);
    expect(await begin(page, options)).toMatchObject({
      status: "signedOut",
      error: { code: "wasm_load_failed" },
    });
    expect(page.url()).not.toContain("code=");
    expect(page.url()).toContain("csp=");
  });
});

test.describe("a page without crypto.subtle", () => {
  /** A provider that calls itself by another name, reached through the transport. */
  const named = async (page, app, issuer, more = {}) => {
    const scripted = await startScripted({ issuer });
    await page.addInitScript(() => {
      Object.defineProperty(Crypto.prototype, "subtle", {
        get: () => undefined,
      });
    });
    await open(page, app);
    await page.evaluate(
      ([options, from, to]) => {
        const transport = async (request) => {
          const { method, headers, credentials, redirect } = request;
          const body = method === "POST" ? await request.text() : undefined;
          const url = from ? request.url.replace(from, to) : request.url;
          return fetch(url, { method, headers, credentials, redirect, body });
        };
        start({ ...options, transport });
      },
      [optionsFor(app, scripted, more), issuer, scripted.address],
    );
    return scripted;
  };

  for (const [title, issuer, more, accepted] of [
    ["refuses an http issuer on loopback", undefined, {}, false],
    [
      "accepts an http issuer that is named as an exception, with a warning",
      "http://id.example",
      { allowInsecureIssuer: "http://id.example" },
      true,
    ],
    [
      "accepts an https issuer, on TLS, with a warning",
      "https://id.example",
      {},
      true,
    ],
  ])
    test(title, async ({ page, app }) => {
      const scripted = await named(page, app, issuer, more);
      try {
        const { value, error } = await signInHere(page, scripted);
        const warnings = await page.evaluate(() =>
          moments
            .filter(({ type }) => type === "warning")
            .map(({ code }) => code),
        );
        if (accepted) {
          expect(value.state).toMatchObject({ status: "signedIn" });
          expect(warnings).toContain("signature_unchecked");
          // The claims are checked all the same.
          scripted.claimNext((claims) => ({ ...claims, nonce: "other" }));
          const lied = await signInHere(page, scripted);
          expect(lied.error).toMatchObject(idTokenProblem("nonce", "mismatch"));
        } else {
          expect(error).toMatchObject({
            code: "unsupported_environment",
            details: { missing: "crypto.subtle" },
          });
          expect(JSON.stringify(await storedIn(page))).not.toMatch(
            /[^\w-](at|rt)-/,
          );
        }
      } finally {
        await scripted.close();
      }
    });
});

test("a redirect back with a lie is refused on the page that it lands on, too", async ({
  page,
  app,
  scripted,
}) => {
  const options = optionsFor(app, scripted);
  await open(page, app, "/deep");
  await begin(page, options);
  scripted.claimNext((claims) => ({ ...claims, aud: "other" }));
  await leave(page, {}, isResponse(app));
  await page.waitForFunction(() => "createAuth" in window);
  expect(await begin(page, options)).toMatchObject({
    status: "signedOut",
    reason: "callbackFailed",
    error: idTokenProblem("aud", "mismatch"),
  });
  await untilState(page, "signedOut");
  expect(page.url()).toBe(`${app.url}/callback`);
  expect(JSON.stringify(await storedIn(page))).not.toMatch(
    /[^\w-](at|rt)-|eyJ/,
  );
});
