// auth.fetchUserInfo(): claims about the user, from the real provider, and from one that lies.

import {
  begin,
  call,
  open,
  optionsFor,
  signIn,
  signInReally,
  storedSession,
} from "../support/driver.mjs";
import { expect, quick, test } from "../support/fixtures.mjs";

test.use(quick);

const ask = (page) => call(page, "fetchUserInfo");

/** Signs in at the real provider and comes back. */
async function really(page, app, op, more = {}) {
  const options = optionsFor(app, op, {
    scope: "openid profile email offline_access",
    ...more,
  });
  await signInReally(page, app, options);
  expect((await begin(page, options)).status).toBe("signedIn");
  return options;
}

/** Every answer of such a kind is refused so, and the session stays as it was. */
async function refuses(page, options, expected) {
  const before = await storedSession(page, options);
  const { error } = await ask(page);
  expect(error).toMatchObject(expected);
  expect(await page.evaluate(() => auth.state.status)).toBe("signedIn");
  expect((await storedSession(page, options)).text).toBe(before.text);
}

const invalid = (problem, status = 200) => ({
  code: "invalid_response",
  details: { endpoint: "userinfo", status, problem },
});

test.describe("auth.fetchUserInfo", () => {
  test("UI1: brings the claims of the scopes, with the token in the header", async ({
    page,
    app,
    op,
  }) => {
    await really(page, app, op);
    const requests = [];
    page.on("request", (request) => requests.push(request));
    const { value } = await ask(page);
    expect(value).toMatchObject({
      sub: "alice",
      name: "Alice Liddell",
      email: "alice@example.com",
      email_verified: true,
    });
    const sent = requests.find((one) => one.url() === `${op.issuer}/userinfo`);
    const token = (await call(page, "getAccessToken")).value;
    expect(sent.method()).toBe("GET");
    expect((await sent.allHeaders()).authorization).toBe(`Bearer ${token}`);
    expect(op.control.count("userinfo")).toBe(1);
    // Each call asks, and each gives an object of its own.
    const same = await page.evaluate(
      async () => (await auth.fetchUserInfo()) === (await auth.fetchUserInfo()),
    );
    expect(same).toBe(false);
    expect(op.control.count("userinfo")).toBe(3);
  });

  test("UI1: uses nothing that is about somebody else, or about nobody", async ({
    page,
    app,
    op,
  }) => {
    const options = await really(page, app, op);
    const mismatch = {
      code: "subject_mismatch",
      details: { endpoint: "userinfo" },
    };
    for (const sub of ["bob", "Alice", "", 7, null, undefined]) {
      op.control.failNext("userinfo", (claims) => ({ ...claims, sub }));
      await refuses(page, options, mismatch);
    }
    op.control.failNext("userinfo", (claims) => ({ ...claims, more: [1] }));
    expect((await ask(page)).value).toMatchObject({ sub: "alice", more: [1] });
  });

  test("UI2: takes a signed answer, and only one that the server signed", async ({
    page,
    app,
    op,
  }) => {
    const client = { ...op, clientId: "spa-signed" };
    const options = await really(page, app, client);
    const answered = page.waitForResponse(`${op.issuer}/userinfo`);
    expect((await ask(page)).value).toMatchObject({
      sub: "alice",
      iss: op.issuer,
      aud: "spa-signed",
      email: "alice@example.com",
    });
    expect((await answered).headers()["content-type"]).toContain(
      "application/jwt",
    );
    const honest = { sub: "alice", iss: op.issuer, aud: "spa-signed" };
    const sign = (claims, more) =>
      op.control.sign({ ...honest, ...claims }, more);
    const answer = (body) =>
      op.control.failNext("userinfo", { type: "application/jwt", body });
    for (const alg of ["RS256", "ES256"]) {
      answer(await sign({}, { alg }));
      expect((await ask(page)).value).toEqual(honest);
    }
    const token = await sign({});
    const [header, payload, signature] = token.split(".");
    const part = (value) =>
      Buffer.from(JSON.stringify(value)).toString("base64url");
    const mallory = part({ ...honest, name: "Mallory" });
    for (const [body, expected] of [
      [await sign({ iss: `${op.issuer}/` }), invalid("iss")],
      [await sign({ aud: "spa" }), invalid("aud")],
      [await sign({ exp: 1 }), invalid("exp")],
      [await sign({ sub: "bob" }), { code: "subject_mismatch" }],
      [`${header}.${mallory}.${signature}`, invalid("signature")],
      [`${part({ alg: "none" })}.${payload}.`, invalid("alg")],
      [`${part({ alg: "HS256" })}.${payload}.${signature}`, invalid("alg")],
      // RFC 7516 §3: an encrypted one.
      [`${token}.AA.AA`, invalid("jwt")],
      [JSON.stringify(honest), invalid("jwt")],
    ]) {
      answer(body);
      await refuses(page, options, expected);
    }
    op.control.failNext("userinfo", { body: token });
    await refuses(page, options, invalid("not_json"));
  });

  test("UI3, BR3: refreshes a token that was refused, once, and tells any other refusal", async ({
    page,
    app,
    op,
  }) => {
    const options = await really(page, app, op);
    op.control.dropAccessTokens();
    expect((await ask(page)).value.sub).toBe("alice");
    expect(op.control.count("token", "refresh_token")).toBe(1);
    op.control.failNext("userinfo", { status: 401 }, 2);
    const { error } = await ask(page);
    expect(error).toMatchObject(invalid("status", 401));
    expect(op.control.count("token", "refresh_token")).toBe(2);
    for (const [status, body, challenge, details] of [
      [
        403,
        "",
        'Bearer error="insufficient_scope", scope="email"',
        { problem: "insufficient_scope", error: "insufficient_scope" },
      ],
      [
        401,
        { error: "invalid_request", error_description: "twice" },
        'Newauth realm="x"',
        { problem: "invalid_request", error_description: "twice" },
      ],
      [
        403,
        { error: "Access denied for this resource", refnumber: "7" },
        undefined,
        { problem: "status", error: "Access denied for this resource" },
      ],
      [404, { error: "Not found" }, undefined, { error: "Not found" }],
      [429, "<html>", undefined, { problem: "status" }],
    ]) {
      const headers = challenge && {
        "www-authenticate": challenge,
        "access-control-expose-headers": "www-authenticate",
      };
      op.control.failNext("userinfo", { status, body, headers });
      await refuses(page, options, {
        code: "invalid_response",
        details: { endpoint: "userinfo", status, ...details },
        retryable: status === 429,
      });
    }
    expect(op.control.count("token", "refresh_token")).toBe(2);
  });

  test("BR5: tells of a preflight that was refused, with CORS as a likely cause", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await signIn(page, app, options);
    expect((await ask(page)).value).toEqual({ sub: "alice" });
    scripted.settings.allowedHeaders = "content-type";
    await refuses(page, options, {
      code: "network",
      details: { endpoint: "userinfo" },
      hint: expect.stringContaining("CORS"),
      retryable: true,
    });
    expect(scripted.count("userinfo")).toBe(1);
  });

  test("UI5: hands on the sources of claims, and calls none", async ({
    page,
    app,
    other,
    scripted,
  }) => {
    const claims = {
      _claim_names: { address: "there", age: "here" },
      _claim_sources: {
        there: { endpoint: `${other.url}/api/claims`, access_token: "x" },
        here: { JWT: "a.b.c" },
      },
    };
    await signIn(page, app, optionsFor(app, scripted));
    scripted.editNext("userinfo", (honest) => ({ ...honest, ...claims }));
    const requests = [];
    page.on("request", (request) => requests.push(request.url()));
    expect((await ask(page)).value).toMatchObject(claims);
    await call(page, "fetchUserInfo");
    const userinfo = `${scripted.issuer}/userinfo`;
    expect(requests).toEqual([userinfo, userinfo]);
    expect(other.requests).toEqual([]);
  });

  test("T6: hands out claims without __proto__, however deep it stands", async ({
    page,
    app,
    scripted,
  }) => {
    await signIn(page, app, optionsFor(app, scripted));
    const polluting =
      '"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}';
    const text = `{"sub":"alice",${polluting},"deep":[{${polluting}}]}`;
    scripted.answerNext("userinfo", { text });
    const seen = await page.evaluate(async () => {
      const info = await auth.fetchUserInfo();
      const copies = [info, info.deep[0]].map((one) => Object.assign({}, one));
      return {
        sub: info.sub,
        names: [Object.keys(info), Object.keys(info.deep[0])],
        polluted: [...copies, {}, []].map(({ polluted }) => polluted),
      };
    });
    expect(seen).toEqual({
      sub: "alice",
      names: [["sub", "constructor", "deep"], ["constructor"]],
      polluted: [undefined, undefined, undefined, undefined],
    });
  });

  test("needs a session, an ID Token and an endpoint, and can be aborted", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await open(page, app);
    await begin(page, options);
    expect((await ask(page)).error).toMatchObject({
      code: "login_required",
      details: { reason: "noSession" },
    });
    await signIn(page, app, options);
    const aborted = await page.evaluate(() =>
      attempt(() => auth.fetchUserInfo({ signal: AbortSignal.abort() })),
    );
    expect(aborted.error.code).toBe("aborted");
    const later = await page.evaluate(() => {
      const controller = new AbortController();
      const asked = attempt(() =>
        auth.fetchUserInfo({ signal: controller.signal }),
      );
      controller.abort();
      return asked;
    });
    expect(later.error.code).toBe("aborted");
    await page.evaluate(() => auth.dispose());
    expect((await ask(page)).error.code).toBe("disposed");
    await begin(page, { ...options, scope: undefined, oidc: false });
    expect((await ask(page)).error).toMatchObject({
      code: "invalid_config",
      details: { option: "oidc" },
    });
  });
});
