// What can be wrong with what comes from outside, where it takes more than an answer: tests/lies has the lies that a
// server can tell.

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
  storedIn,
  storedSession,
  untilState,
} from "../support/driver.mjs";
import { expect, quick, test } from "../support/fixtures.mjs";
import { startScripted } from "../support/scripted.mjs";

test.use(quick);

test("an issuer that is not there is a network error", async ({
  page,
  app,
}) => {
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

// ── The callback ────────────────────────────────────────────────────────────

const stale = (problem, returnTo = null, untrusted = null) => ({
  code: "stale_callback",
  details: { problem, returnTo, untrusted },
});

test.describe("a callback", () => {
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

test("T10: a sign-in with the verifier of another login is refused by the provider", async ({
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

// ── The environment ─────────────────────────────────────────────────────────

const idTokenProblem = (claim, problem, skewSeconds = null) => ({
  code: "invalid_id_token",
  details: { claim, problem, skewSeconds },
});

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

  test("leaves nothing of a session that it cannot judge when it logs out", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await signIn(page, app, options);
    await expireStored(page, options);
    await open(page, app, blocked);
    expect((await begin(page, options)).reason).toBe("unavailable");
    const { error } = await call(page, "logout", { local: true });
    expect(error).toMatchObject({ code: "wasm_load_failed" });
    expect((await storedSession(page, options)).text).toBeUndefined();
    await open(page, app);
    expect((await begin(page, options)).status).toBe("signedOut");
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
