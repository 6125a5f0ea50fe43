// What a client can be told about its server, and what a login can ask for.

import {
  begin,
  call,
  handle,
  open,
  optionsFor,
  requestUrl,
  signIn,
  storedIn,
  untilMoment,
} from "../support/driver.mjs";
import { expect, quick, test } from "../support/fixtures.mjs";

test.use(quick);

const parametersOf = (url) => [...new URL(url).searchParams];
const warnings = (page) =>
  page.evaluate(() =>
    moments.filter(({ type }) => type === "warning").map(({ code }) => code),
  );

/** A client of plain OAuth, with endpoints by hand and no issuer. */
const plainOptions = (app, { issuer, clientId }, more = {}) => ({
  oidc: false,
  clientId,
  redirectUri: `${app.url}/callback`,
  metadata: {
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
  },
  ...more,
});

/** The provider's next token answer has no ID Token. */
const withoutIdToken = (scripted) =>
  scripted.editNext("token", ({ id_token, ...rest }) => rest);

/** The same response in the other part of the URL. */
const moved = (back) =>
  back.includes("#") ? back.replace("#", "?") : back.replace("?", "#");

test.describe("a login", () => {
  const wishes = {
    acrValues: ["urn:mfa", "urn:pwd"],
    audience: "https://api.example",
    authorizationDetails: [{ type: "payment", amount: 1 }],
    claims: { id_token: { email: null } },
    display: "touch",
    invitation: "ticket",
    loginHint: "zoë",
    maxAge: 0,
    organization: "org_1",
    prompt: "consent",
    uiLocales: ["de", "en"],
  };
  const sent = {
    acr_values: "urn:mfa urn:pwd",
    audience: "https://api.example",
    authorization_details: '[{"type":"payment","amount":1}]',
    claims: '{"id_token":{"email":null}}',
    display: "touch",
    invitation: "ticket",
    login_hint: "zoë",
    max_age: "0",
    organization: "org_1",
    prompt: "consent",
    ui_locales: "de en",
  };

  test("AR12: sends everything that it can be asked for, by the specifications' names", async ({
    page,
    app,
    scripted,
  }) => {
    await open(page, app);
    await begin(page, optionsFor(app, scripted));
    const bare = parametersOf(await requestUrl(page)).map(([name]) => name);
    const asked = parametersOf(await requestUrl(page, wishes));
    const added = asked.filter(([name]) => !bare.includes(name));
    expect(Object.fromEntries(added)).toEqual(sent);
    expect(added.length).toBe(Object.keys(sent).length);
  });

  test("sends with each what is configured for all", async ({
    page,
    app,
    scripted,
  }) => {
    await open(page, app);
    const authorizationParams = { ...wishes, resource: ["urn:a", "urn:b"] };
    await begin(page, optionsFor(app, scripted, { authorizationParams }));
    const url = new URL(await requestUrl(page));
    for (const [name, value] of Object.entries(sent))
      expect.soft(url.searchParams.getAll(name), name).toEqual([value]);
    expect(url.searchParams.getAll("resource")).toEqual(["urn:a", "urn:b"]);
    // The login's own wishes win, as a whole.
    const login = { resource: "urn:c", claims: { userinfo: {} } };
    const own = new URL(await requestUrl(page, login)).searchParams;
    expect(own.getAll("resource")).toEqual(["urn:c"]);
    expect(own.getAll("claims")).toEqual(['{"userinfo":{}}']);
  });

  test("AR12: repeats resource for each API", async ({
    page,
    app,
    scripted,
  }) => {
    await open(page, app);
    await begin(page, optionsFor(app, scripted));
    const resource = ["https://api.example/v1?x=1", "urn:example:api"];
    const url = new URL(await requestUrl(page, { resource }));
    expect(url.searchParams.getAll("resource")).toEqual(resource);
  });

  test("UI4: takes claims and authorization_details as text, too", async ({
    page,
    app,
    scripted,
  }) => {
    await open(page, app);
    await begin(page, optionsFor(app, scripted));
    const extra = {
      claims: '{ "userinfo": {} }',
      authorization_details: '[{"type":"x"}]',
    };
    const url = new URL(await requestUrl(page, { extra }));
    for (const [name, value] of Object.entries(extra))
      expect(url.searchParams.getAll(name)).toEqual([value]);
  });
});

test.describe("plain OAuth", () => {
  test("signs in with endpoints by hand and no issuer: a session, and no user", async ({
    page,
    app,
    scripted,
  }) => {
    const options = plainOptions(app, scripted);
    await open(page, app);
    await begin(page, options);
    const url = await requestUrl(page);
    const names = parametersOf(url).map(([name]) => name);
    expect(names).not.toContain("scope");
    expect(names).not.toContain("nonce");
    withoutIdToken(scripted);
    const { value } = await handle(page, scripted.authorize(url));
    expect(value.state).toMatchObject({ status: "signedIn", user: null });
    expect(await untilMoment(page, "signedIn")).toMatchObject({
      user: null,
      via: "callback",
    });
    // This server says who it is.
    expect(await warnings(page)).toEqual(["issuer_unchecked"]);
    expect(scripted.requests.map(({ endpoint }) => endpoint)).toEqual([
      "token",
    ]);
    const token = await call(page, "getAccessToken");
    expect(token.value).toMatch(/^at-/);
    expect(await call(page, "getIdToken")).toEqual({ value: null });
    const { authorization_endpoint } = options.metadata;
    expect(Object.keys(await storedIn(page))).toContain(
      `countersign:session:${authorization_endpoint} ${options.clientId}`,
    );
    // A reload restores it without the wasm.
    app.reset();
    await open(page, app);
    expect(await begin(page, options)).toMatchObject({
      status: "signedIn",
      user: null,
      freshness: "fresh",
    });
    expect(await call(page, "getAccessToken")).toEqual(token);
    expect(await untilMoment(page, "signedIn")).toMatchObject({
      user: null,
      via: "restore",
    });
  });

  test("CB2: compares iss as soon as it has an issuer to compare it with", async ({
    page,
    app,
    scripted,
  }) => {
    const { issuer } = scripted;
    await open(page, app);
    await begin(page, plainOptions(app, scripted, { issuer }));
    const lie = new URL(scripted.authorize(await requestUrl(page)));
    lie.searchParams.set("iss", "https://evil.example");
    const { error } = await handle(page, lie.href);
    expect(error).toMatchObject({ code: "issuer_mismatch" });
    expect(scripted.requests).toEqual([]);
    withoutIdToken(scripted);
    const honest = scripted.authorize(await requestUrl(page));
    expect((await handle(page, honest)).value.state.user).toBeNull();
    expect(await warnings(page)).toEqual([]);
  });

  test("sends the scope that it is given", async ({ page, app, scripted }) => {
    await open(page, app);
    await begin(page, plainOptions(app, scripted, { scope: "read write" }));
    const scopes = async (login) =>
      new URL(await requestUrl(page, login)).searchParams.getAll("scope");
    expect(await scopes({})).toEqual(["read write"]);
    expect(await scopes({ scope: ["read"] })).toEqual(["read"]);
  });

  test("takes no session of OpenID Connect for its own, nor the other way", async ({
    page,
    app,
    scripted,
  }) => {
    const { issuer } = scripted;
    const withUser = optionsFor(app, scripted);
    const plain = plainOptions(app, scripted, { issuer });
    await open(page, app);
    await begin(page, withUser);
    await handle(page, scripted.authorize(await requestUrl(page)));
    await open(page, app);
    expect((await begin(page, plain)).status).toBe("signedOut");
    await open(page, app);
    expect(await begin(page, withUser)).toMatchObject({
      status: "signedIn",
      user: { sub: "alice" },
    });
  });
});

test.describe("metadata by hand", () => {
  test("MD5: with all that is necessary asks for no document, and signs in", async ({
    page,
    app,
    scripted,
  }) => {
    const { issuer } = scripted;
    const metadata = {
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
    };
    await open(page, app);
    await begin(page, optionsFor(app, scripted, { metadata }));
    const back = scripted.authorize(await requestUrl(page));
    expect((await handle(page, back)).value.state.user.sub).toBe("alice");
    expect(scripted.count("discovery")).toBe(0);
  });

  test("wins over the server's own document, and may be relative to the page", async ({
    page,
    app,
    scripted,
  }) => {
    const metadata = { token_endpoint: "relay/token" };
    await open(page, app, "/deep/");
    await begin(page, optionsFor(app, scripted, { metadata }));
    const back = scripted.authorize(await requestUrl(page));
    app.reset();
    await handle(page, back);
    expect(app.requests.map(({ path }) => path)).toContain("/deep/relay/token");
    expect(scripted.count("discovery")).toBe(1);
    expect(scripted.count("token")).toBe(0);
  });
});

test.describe("a response in the fragment", () => {
  test("is asked for, recognised and taken out of the address bar; the query stays", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted, {
      responseMode: "fragment",
      redirectUri: `${app.url}/callback?x=1`,
    });
    await open(page, app);
    await begin(page, options);
    const url = await requestUrl(page, { returnTo: "/cart#top" });
    expect(new URL(url).searchParams.get("response_mode")).toBe("fragment");
    const { hash } = new URL(scripted.authorize(url));
    await page.goto("about:blank");
    await open(page, app, `/callback?x=1${hash}&session_state=s&more=m`);
    const before = await page.evaluate((options) => {
      const auth = start({ ...options, onCallback: () => {} });
      return [location.href, auth.isCallback()];
    }, options);
    expect(before).toEqual([`${app.url}/callback?x=1#more=m`, true]);
    const result = await page.evaluate(() =>
      attempt(() => auth.handleCallback()),
    );
    expect(result.value).toMatchObject({
      returnTo: "/cart#top",
      state: { status: "signedIn", user: { sub: "alice" } },
    });
    expect(page.url()).toBe(`${app.url}/callback?x=1#more=m`);
  });

  test("CB12: that came in the other part of the URL is not read, either way", async ({
    page,
    app,
    scripted,
  }) => {
    for (const responseMode of ["query", "fragment"])
      await test.step(responseMode, async () => {
        const options = optionsFor(app, scripted, { responseMode });
        await open(page, app);
        await begin(page, options);
        const right = scripted.authorize(await requestUrl(page));
        const wrong = moved(right);
        const recognised = (url) =>
          page.evaluate((url) => auth.isCallback(url), url);
        expect(await recognised(wrong)).toBe(false);
        const refused = await handle(page, wrong);
        expect(refused.error).toMatchObject({
          code: "stale_callback",
          details: { problem: "missing" },
        });
        await page.goto("about:blank");
        await page.goto(wrong);
        await page.waitForFunction(() => "createAuth" in window);
        expect(await begin(page, options)).toMatchObject({
          status: "signedOut",
          reason: "noSession",
        });
        expect(page.url()).toBe(wrong);
        expect(scripted.count("token")).toBe(0);
        // Its twin, in the right part, is accepted.
        expect(await recognised(right)).toBe(true);
        const accepted = await handle(page, right);
        expect(accepted.value.state.status).toBe("signedIn");
        scripted.requests.length = 0;
        await page.evaluate(() => {
          auth.dispose();
          sessionStorage.clear();
        });
      });
  });

  test("CB14: leaves a fragment alone that is no response", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted, { responseMode: "fragment" });
    for (const hash of [
      "#/route?state=x",
      "#state=foreign&code=x",
      "#code=x",
    ]) {
      await page.goto("about:blank");
      await open(page, app, `/callback${hash}`);
      expect(await begin(page, options)).toMatchObject({ error: null });
      expect(page.url()).toBe(`${app.url}/callback${hash}`);
    }
  });
});

test.describe("two clients of one page", () => {
  test("CB11: with one redirectUri at two servers are warned about, where the server does not say who answers", async ({
    page,
    app,
    scripted,
  }) => {
    const elsewhere = { issuer: "https://other.example", clientId: "spa" };
    const silent = ({
      authorization_response_iss_parameter_supported,
      ...rest
    }) => rest;
    for (const [other, edit, expected] of [
      [optionsFor(app, elsewhere), silent, ["shared_redirect_uri"]],
      // The server does say who answers.
      [optionsFor(app, elsewhere), (document) => document, []],
      // Another place to come back to.
      [
        optionsFor(app, elsewhere, { redirectUri: `${app.url}/other` }),
        silent,
        [],
      ],
      // The same server.
      [optionsFor(app, { ...scripted, clientId: "spa2" }), silent, []],
    ]) {
      await open(page, app);
      await page.evaluate(() => sessionStorage.clear());
      scripted.editNext("discovery", edit);
      await begin(page, optionsFor(app, scripted));
      await page.evaluate((other) => {
        window.other = createAuth(other);
      }, other);
      await requestUrl(page);
      expect(await warnings(page)).toEqual(expected);
      // A client that was disposed of counts no more.
      await page.evaluate(() => {
        window.other.dispose();
        window.moments.length = 0;
      });
      await requestUrl(page);
      expect(await warnings(page)).toEqual([]);
    }
  });
});

test.describe("a logout dialect", () => {
  test("LO4, T16: renames parameters, leaves others out, and expects no state back", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted, {
      postLogoutRedirectUri: "/bye",
      logout: {
        endpoint: `${scripted.issuer}/v2/logout?x=1`,
        params: {
          post_logout_redirect_uri: "returnTo",
          id_token_hint: null,
          state: null,
        },
      },
    });
    await open(page, app);
    await begin(page, options);
    await handle(page, scripted.authorize(await requestUrl(page)));
    const url = await page.evaluate(
      () =>
        new Promise((navigate, reject) => {
          const extra = { federated: "" };
          auth.logout({ navigate, extra }).catch(reject);
        }),
    );
    expect(url.startsWith(`${scripted.issuer}/v2/logout?`)).toBe(true);
    expect(Object.fromEntries(parametersOf(url))).toEqual({
      x: "1",
      client_id: "spa",
      returnTo: `${app.url}/bye`,
      federated: "",
    });
    await open(page, app, "/bye");
    expect((await begin(page, options)).status).toBe("signedOut");
    expect(await warnings(page)).toEqual([]);
  });

  test("LO4: sends the access token only where it has a name for it", async ({
    page,
    app,
    scripted,
  }) => {
    const endpoint = `${scripted.issuer}/session/end_session`;
    const params = { access_token_hint: "access_token_hint" };
    for (const [logout, sends] of [
      [{ endpoint, params: { ...params, id_token_hint: null } }, true],
      [{ endpoint, params: {} }, false],
      [{ endpoint }, false],
    ]) {
      await open(page, app);
      await begin(page, optionsFor(app, scripted, { logout }));
      await handle(page, scripted.authorize(await requestUrl(page)));
      const { value: token } = await call(page, "getAccessToken");
      const url = await page.evaluate(
        () => new Promise((navigate) => void auth.logout({ navigate })),
      );
      const sent = new URL(url).searchParams;
      expect(sent.get("access_token_hint")).toBe(sends ? token : null);
      expect(sent.has("id_token_hint")).toBe(!sends);
    }
  });
});

test.describe("a revocation", () => {
  for (const revocation of ["form", "json"])
    test(`LO5: as ${revocation} is not broken off when the page is left`, async ({
      page,
      app,
      scripted,
    }) => {
      const metadata = { revocation_endpoint: `${scripted.issuer}/revoke` };
      const options = optionsFor(app, scripted, { metadata, revocation });
      await signIn(page, app, options);
      let answer;
      const held = new Promise((resolve) => (answer = resolve));
      scripted.holdNext("revocation", held);
      await Promise.all([
        page.waitForURL(`${scripted.issuer}/logout?*`),
        page.evaluate(() => void auth.logout()),
      ]);
      await page.waitForLoadState("load");
      answer();
      const [sent] = scripted.requests.filter(
        ({ endpoint }) => endpoint === "revocation",
      );
      expect(sent.cut).toBe(false);
      await expect.poll(() => sent.answered).not.toBeNull();
    });

  for (const [revocation, read, hint] of [
    [
      "form",
      (text) => Object.fromEntries(new URLSearchParams(text)),
      { token_type_hint: "refresh_token" },
    ],
    ["json", JSON.parse, {}],
  ])
    test(`is sent as ${revocation}, unless the logout does without`, async ({
      page,
      app,
      scripted,
    }) => {
      const { issuer } = scripted;
      const metadata = { revocation_endpoint: `${issuer}/revoke` };
      const options = optionsFor(app, scripted, { metadata, revocation });
      await open(page, app);
      for (const [logout, sends] of [
        [{}, true],
        [{ revoke: true }, true],
        [{ revoke: false }, false],
        [{ local: true }, false],
        [{ local: true, revoke: true }, true],
      ]) {
        await page.evaluate((options) => {
          window.sent = [];
          const transport = async (request, endpoint) => {
            const { method, headers } = request;
            const text = await request.clone().text();
            if (endpoint === "revocation")
              sent.push([method, headers.get("content-type"), text]);
            return fetch(request);
          };
          start({ ...options, transport });
        }, options);
        await handle(page, scripted.authorize(await requestUrl(page)));
        const [token] = scripted.alive.slice(-1);
        const sent = await page.evaluate(async (logout) => {
          await auth.logout({ ...logout, navigate: () => {} });
          auth.dispose();
          return sent;
        }, logout);
        expect(sent.length).toBe(sends ? 1 : 0);
        for (const [method, type, text] of sent) {
          expect(method).toBe("POST");
          expect(type).toContain(revocation);
          expect(read(text)).toEqual({ client_id: "spa", token, ...hint });
        }
      }
    });
});
