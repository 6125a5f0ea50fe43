import {
  begin,
  call,
  open,
  optionsFor,
  signIn,
  signInReally,
} from "../support/driver.mjs";
import { expect, quick, test } from "../support/fixtures.mjs";

test.use(quick);

/** `auth.fetch` on the page: status, and what the API saw. */
const send = (page, input, init) =>
  page.evaluate(
    ([input, init]) =>
      attempt(async () => {
        const response = await auth.fetch(input, init);
        const text = await response.text();
        return {
          status: response.status,
          url: response.url,
          json: text ? JSON.parse(text) : null,
        };
      }),
    [input, init],
  );

test.describe("auth.authorize", () => {
  test("BR1: gives a copy of the request with the token, and sends nothing", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await signIn(page, app, options);
    app.reset();
    const seen = await page.evaluate(async () => {
      const given = new Request("/api/echo", {
        method: "POST",
        headers: { "x-extra": "1" },
        body: "whole",
      });
      const made = await auth.authorize(given);
      return {
        url: made.url,
        method: made.method,
        extra: made.headers.get("x-extra"),
        authorization: made.headers.get("authorization"),
        body: await made.text(),
        left: given.headers.get("authorization"),
        token: await auth.getAccessToken(),
        byUrl: (await auth.authorize("/api/echo")).url,
      };
    });
    expect(seen).toMatchObject({
      ...{ url: `${app.url}/api/echo`, method: "POST", extra: "1" },
      ...{ authorization: `Bearer ${seen.token}`, body: "whole", left: null },
      byUrl: `${app.url}/api/echo`,
    });
    // A browser asks for its icon when it likes, and the rest of the program comes after the sign-in.
    const own = ({ path }) => !/favicon|secondary-inline/.test(path);
    expect(app.requests.filter(own)).toEqual([]);
  });

  test("BR3: after a 401 gives another token, once for each that was refused", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await signIn(page, app, options);
    const tokens = await page.evaluate(async () => {
      const tokenOf = async (options) =>
        (await auth.authorize("/api/echo", options)).headers.get(
          "authorization",
        );
      const first = await tokenOf();
      const refused = first.slice("Bearer ".length);
      const insufficient = 'Bearer error="insufficient_scope"';
      return {
        first,
        kept: await tokenOf({ refused, challenge: insufficient }),
        second: await tokenOf({ refused, challenge: null }),
        again: await tokenOf({ refused }),
        wrong: await attempt(() => auth.authorize("/api/echo", { refused: 5 })),
      };
    });
    expect(tokens.kept).toBe(tokens.first);
    expect(tokens.second).not.toBe(tokens.first);
    expect(tokens.again).toBe(tokens.second);
    expect(scripted.count("token")).toBe(2);
    expect(tokens.wrong.error).toMatchObject({
      code: "invalid_config",
      details: { option: "refused", problem: "not a text" },
    });
  });

  test("BR2: refuses every other origin, and who is not signed in", async ({
    page,
    app,
    other,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await open(page, app);
    await begin(page, options);
    const ask = (url) =>
      page.evaluate((url) => attempt(() => auth.authorize(url)), url);
    expect((await ask("/api/echo")).error.code).toBe("login_required");
    await signIn(page, app, options);
    for (const url of [other.url, `\\\\${new URL(other.url).host}`])
      expect((await ask(url)).error).toMatchObject({
        code: "forbidden_origin",
        details: { origin: other.url, allowed: [app.url] },
      });
  });
});

test.describe("auth.fetch", () => {
  test("BR1: sends the token to its own origin, and keeps what the caller sends", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await signIn(page, app, options);
    const bearer = `Bearer ${(await call(page, "getAccessToken")).value}`;
    expect((await send(page, "/api/echo")).value).toMatchObject({
      status: 200,
      json: { method: "GET", authorization: bearer, body: "" },
    });
    const posted = await send(page, `${app.url}/api/echo`, {
      method: "POST",
      headers: { "x-extra": "1", authorization: "Basic overwritten" },
      body: '{"a":1}',
    });
    expect(posted.value.json).toEqual({
      method: "POST",
      path: "/api/echo",
      authorization: bearer,
      extra: "1",
      body: '{"a":1}',
    });
    const byRequest = await page.evaluate(async () => {
      const request = new Request("/api/echo", {
        method: "PUT",
        headers: { "x-extra": "2" },
        body: "whole",
      });
      const response = await auth.fetch(request);
      const byUrl = await auth.fetch(new URL("/api/url", location.href));
      return [await response.json(), (await byUrl.json()).path];
    });
    expect(byRequest).toEqual([
      {
        method: "PUT",
        path: "/api/echo",
        authorization: bearer,
        extra: "2",
        body: "whole",
      },
      "/api/url",
    ]);
    expect(scripted.count("token")).toBe(1);
    // In the header, and nowhere else.
    const token = encodeURIComponent(bearer.slice("Bearer ".length));
    for (const { url } of app.requests) expect(url).not.toContain(token);
  });

  test("BR2: sends the token to the API origins that are listed", async ({
    page,
    app,
    other,
    scripted,
  }) => {
    // With a path and a slash: it is the origin that counts.
    const apiOrigins = [`${other.url}/some/path/`];
    const options = optionsFor(app, scripted, { apiOrigins });
    await signIn(page, app, options);
    const { value } = await send(page, `${other.url}/api/echo`);
    expect(value.json.authorization).toMatch(/^Bearer at-/);
    const { error } = await send(page, `${scripted.address}/api/echo`);
    expect(error).toMatchObject({
      code: "forbidden_origin",
      details: {
        origin: scripted.address,
        allowed: [app.url, other.url],
      },
    });
  });

  test("BR2, T17: sends it nowhere else, however the URL is dressed up", async ({
    page,
    app,
    other,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await signIn(page, app, options);
    other.reset();
    const { host, port } = new URL(other.url);
    const own = new URL(app.url).host;
    const plainUrls = [
      `${other.url}/api/echo`,
      `//${host}/api/echo`,
      `\\\\${host}\\api\\echo`,
      `/\\${host}/api/echo`,
      `/\t/${host}/api/echo`,
      ` \n//${host}/api/echo`,
      `http:\\\\${host}/api/echo`,
      `HTTP://${host}/api/echo`,
      `http://localhost:${port}/api/echo`,
      `http://0x7f.1:${port}/api/echo`,
      "http://127.0.0.1.evil.example/",
      `https://${own}/api/echo`,
      "http://127.0.0.1/",
      ...[`///${host}/api/echo`, `\t//${host}/x`],
      ...[`/\\\\${host}/x`, `\\/${host}/x`, `\u0000//${host}/x`],
      ...[`ht\ntp://${host}/x`, `http:/\\${host}/x`, `http:///${host}/x`],
      `http://evil.example/${own}`,
      `http://evil.example?@${own}`,
      `http://evil.example#@${own}`,
      `http://evil.example\\@${own}/`,
      `http://127.1:${port}/x`,
      `http://2130706433:${port}/x`,
      `http://127.0.0.1.:${port}/x`,
      `http://[::ffff:127.0.0.1]:${port}/x`,
      `http://127。0。0。1:${port}/x`,
      `ws://${own}/`,
      `ftp://${own}/`,
      "javascript:alert(1)",
      "file:///etc/passwd",
      "data:application/json,{}",
      "blob:null/00000000-0000-0000-0000-000000000000",
      "about:blank",
    ];
    for (const url of plainUrls) {
      const { error, value } = await send(page, url);
      expect(value, url).toBeUndefined();
      expect(error, url).toMatchObject({ code: "forbidden_origin" });
    }
    // Credentials in a URL are no host, and a name is no port; the engine refuses to make a request of them.
    for (const url of [
      `http://${own}.evil.example/`,
      `http://${own}@${host}/api/echo`,
      `http://${own}%2f@${host}/api/echo`,
      `http://user:${own}@${host}/api/echo`,
      "http://",
      "http://[::1/",
      `//${host}%2fapi`,
    ]) {
      const { error } = await send(page, url);
      expect(error, url).toMatchObject({ name: "TypeError" });
    }
    const tricks = await page.evaluate(async (evil) => {
      let asked = 0;
      const changing = {
        toString: () => (asked++ === 0 ? "/api/echo" : evil),
      };
      return {
        request: await attempt(() => auth.fetch(new Request(evil))),
        url: await attempt(() => auth.fetch(new URL(evil))),
        array: await attempt(() => auth.fetch([evil])),
        object: await attempt(() => auth.fetch({ toString: () => evil })),
        lying: await attempt(() =>
          auth.fetch({ url: "/api/echo", toString: () => evil }),
        ),
        changing: await attempt(async () => {
          const response = await auth.fetch(changing);
          return new URL(response.url).origin === location.origin;
        }),
        based: await attempt(async () => {
          const base = document.createElement("base");
          base.href = evil;
          document.head.append(base);
          try {
            return await auth.fetch("api/echo");
          } finally {
            base.remove();
          }
        }),
      };
    }, `${other.url}/api/echo`);
    expect(tricks.changing).toEqual({ value: true });
    delete tricks.changing;
    for (const [name, { error }] of Object.entries(tricks))
      expect(error, name).toMatchObject({
        code: "forbidden_origin",
        details: { origin: other.url },
      });
    expect(other.withToken).toEqual([]);
  });

  test("BR2, T17: does not let the token follow a redirect to another origin", async ({
    page,
    app,
    other,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await signIn(page, app, options);
    const away = await send(
      page,
      `/api/redirect?to=${encodeURIComponent(`${other.url}/api/echo`)}`,
    );
    expect(away.value).toMatchObject({
      url: `${other.url}/api/echo`,
      json: { authorization: null },
    });
    expect(other.withToken).toEqual([]);
    // The twin: within the origin it goes along.
    const within = await send(page, "/api/redirect?to=/api/echo");
    expect(within.value.json.authorization).toMatch(/^Bearer at-/);
  });

  test("BR3: asks once more with a new token when the API refuses the first", async ({
    page,
    app,
    api,
    op,
  }) => {
    const options = optionsFor(app, op, { apiOrigins: [api.url] });
    await signInReally(page, app, options);
    await begin(page, options);
    expect((await send(page, `${api.url}/me`)).value.json.sub).toBe("alice");
    op.control.dropAccessTokens();
    api.requests.length = 0;
    const { value } = await send(page, `${api.url}/echo`, {
      method: "POST",
      body: '{"kept":true}',
    });
    expect(value).toMatchObject({
      status: 200,
      json: { sub: "alice", body: { kept: true } },
    });
    expect(api.requests.map(({ status }) => status)).toEqual([401, 200]);
    expect(op.control.count("token", "refresh_token")).toBe(1);
  });

  test("BR3: believes a refusal once per token, and passes every other answer on", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await signIn(page, app, options);
    expect((await send(page, "/api/refuse-all")).value.status).toBe(401);
    expect(app.withToken.length).toBe(2);
    expect(scripted.count("token")).toBe(2);
    // The second token is refused, too; a third would be no better: one more try, and then none.
    await send(page, "/api/refuse-all");
    const asked = scripted.count("token");
    expect(asked).toBeLessThanOrEqual(3);
    for (const url of [
      "/api/refuse-all?status=403",
      '/api/refuse-all?challenge=Bearer%20error="insufficient_scope"',
      "/api/refuse-all?status=500",
    ])
      expect((await send(page, url)).value.status).toBeGreaterThan(400);
    expect(scripted.count("token")).toBe(asked);
  });

  test("BR3: passes on what is no matter of the token, and asks nobody twice", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await signIn(page, app, options);
    for (const status of [429, 503, 400, 404]) {
      app.reset();
      const { value } = await send(page, `/api/refuse-all?status=${status}`);
      expect(value.status).toBe(status);
      expect(app.withToken.length).toBe(1);
    }
    expect(scripted.count("token")).toBe(1);
  });

  test("BR3: sends again what can be sent again, and nothing else", async ({
    page,
    app,
    scripted,
    browserName,
  }) => {
    const options = optionsFor(app, scripted);
    await signIn(page, app, options);
    const answers = await page.evaluate(async (streams) => {
      const bodies = {
        text: () => "a=1",
        form: () => new URLSearchParams({ a: 1 }),
        blob: () => new Blob(["a=1"]),
        bytes: () => new TextEncoder().encode("a=1"),
        stream: () => new Blob(["a=1"]).stream(),
        request: (url) => new Request(url, of("a=1")),
      };
      if (!streams) delete bodies.stream;
      const of = (body) => ({
        method: "POST",
        body,
        ...(body instanceof ReadableStream && { duplex: "half" }),
      });
      const answers = {};
      for (const [name, make] of Object.entries(bodies)) {
        // A token is believed to be refused once: each has its own.
        await auth.getAccessToken({ forceRefresh: true });
        const url = `/api/refuse-all?body=${name}`;
        const body = make(url);
        const sent = () =>
          body instanceof Request
            ? auth.fetch(body)
            : auth.fetch(url, of(body));
        answers[name] = (
          await attempt(async () => (await sent()).status)
        ).value;
      }
      return answers;
      // Firefox sends no streams.
    }, browserName === "chromium");
    const times = (name) =>
      app.withToken.filter(({ url }) => url.endsWith(`body=${name}`)).length;
    for (const name of ["text", "form", "blob", "bytes"])
      expect([name, answers[name], times(name)]).toEqual([name, 401, 2]);
    expect([answers.request, times("request")]).toEqual([401, 1]);
    // Streams go over HTTP/2 only, which this server has not: nothing arrives, and nothing is tried again.
    expect([answers.stream, times("stream")]).toEqual([undefined, 0]);
  });

  test("BR3: passes the API's refusal on where no other token comes of it", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await signIn(page, app, options);
    scripted.answerNext("token", { status: 503, type: "text/html" });
    expect((await send(page, "/api/refuse-all")).value.status).toBe(401);
    expect(scripted.count("token")).toBe(2);
    expect(app.withToken.length).toBe(1);
    // It is the API's word: the session stands.
    expect(await page.evaluate(() => auth.state.status)).toBe("signedIn");
  });

  test("BR4: looks for the error of the Bearer challenge among all others", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await signIn(page, app, options);
    // Not `Basic`: for that the browser itself would ask the user.
    const refusal =
      'Newauth realm="a, \\"b\\"", DPoP algs="ES256", bearer ERROR=invalid_token';
    const answers = [];
    for (const challenge of [
      refusal,
      refusal.replace("bearer", "DPoP"),
      'Bearer realm="error=\\"invalid_token\\""',
      'Bearer error="invalid_token',
      'Bearer error="invalid_request"',
    ]) {
      const before = scripted.count("token");
      const query = new URLSearchParams({ challenge });
      const { value } = await send(page, `/api/refuse-old?${query}`);
      answers.push([value.status, scripted.count("token") - before]);
      app.reset();
    }
    expect(answers).toEqual([[200, 1], ...Array(4).fill([401, 0])]);
  });

  test("BR3: refreshes once for all whose token was refused, however late they hear of it", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await signIn(page, app, options);
    const statuses = await page.evaluate(() => {
      const paths = ["", "", "?late"].map((query) => `/api/refuse-old${query}`);
      return Promise.all(
        paths.map(async (path) => (await auth.fetch(path)).status),
      );
    });
    expect(statuses).toEqual([200, 200, 200]);
    expect(scripted.count("token")).toBe(2);
  });

  test("T17: never sends the retry elsewhere, whatever happened to the URL meanwhile", async ({
    page,
    app,
    other,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await signIn(page, app, options);
    const outcomes = await page.evaluate(async (evil) => {
      const { origin } = location;
      const address = async (response) => new URL(response.url).origin;
      const changed = new URL("/api/refuse-all", origin);
      auth.on("refreshed", () => (changed.href = `${evil}/api/echo`));
      const byUrl = await attempt(async () =>
        address(await auth.fetch(changed)),
      );
      let asked = 0;
      const answers = ["/api/refuse-all", `${evil}/api/echo`];
      const trick = { toString: () => answers[Math.min(asked++, 1)] };
      const byText = await attempt(async () =>
        address(await auth.fetch(trick)),
      );
      const base = document.createElement("base");
      auth.on("refreshed", () => {
        base.href = `${evil}/`;
        document.head.append(base);
      });
      const byBase = await attempt(async () =>
        address(await auth.fetch("api/refuse-all")),
      );
      base.remove();
      return { byUrl, byText, byBase };
    }, other.url);
    // Three first tries and at least one retry of each kind were made at all.
    expect(scripted.count("token")).toBeGreaterThan(2);
    expect(other.withToken, JSON.stringify(outcomes)).toEqual([]);
  });

  test("is aborted by the caller's signal, and needs a session", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted);
    await open(page, app);
    await begin(page, options);
    const { error } = await send(page, "/api/echo");
    expect(error).toMatchObject({
      code: "login_required",
      details: { reason: "noSession" },
    });
    expect(app.withToken).toEqual([]);
    await signIn(page, app, options);
    const aborted = await page.evaluate(() =>
      attempt(() => auth.fetch("/api/echo", { signal: AbortSignal.abort() })),
    );
    expect(["AbortError", "AuthError"]).toContain(aborted.error.name);
    expect(app.withToken).toEqual([]);
  });
});
