import { fileURLToPath } from "node:url";
import { older } from "../frameworks/bundle.mjs";
import { bundlePage } from "../support/app.mjs";
import { optionsFor } from "../support/driver.mjs";
import { expect, quick, test as base } from "../support/fixtures.mjs";

const folder = fileURLToPath(new URL("../frameworks/angular", import.meta.url));

const test = base.extend({
  scripts: [
    async ({}, use) => use(await bundlePage(`${folder}/main.js`)),
    { scope: "worker" },
  ],
});

test.use(quick);

/** Opens the application, with this client on every page of it. */
async function open(page, app, options, path = "/", settings = {}) {
  await page.addInitScript(
    ([options, settings]) => Object.assign(window, { options, settings }),
    [options, settings],
  );
  await page.goto(app.url + path);
}

/** Sees a guarded place, after having been sent to sign in. */
async function enter(page, app, scripted, { more, settings } = {}) {
  const options = optionsFor(app, scripted, more);
  await open(page, app, options, "/guarded", settings);
  await expect(page.locator("#guarded")).toHaveText("alice at /guarded");
}

/** The provider refuses the next request. */
function refuseNext(scripted) {
  scripted.answerNext("authorization", (req) => {
    const asked = new URL(req.url, scripted.issuer).searchParams;
    const back = new URL(asked.get("redirect_uri"));
    back.searchParams.set("error", "access_denied");
    back.searchParams.set("state", asked.get("state"));
    back.searchParams.set("iss", scripted.issuer);
    return { redirect: back.href };
  });
}

const go = (page, url) => page.evaluate((url) => window.go(url), url);

const send = (page, method, url, options) =>
  page.evaluate((args) => window.send(...args), [method, url, options]);

test.describe("in Angular", () => {
  for (const [name, path, settings] of [
    ["", "/guarded?page=2#here"],
    ["without a base", "/guarded?page=2", { baseHref: null }],
    ["under a base", "/shop/guarded?page=2#here", { baseHref: "/shop/" }],
    ["in the hash", "/index.html?a=b#/guarded?page=2", { hash: true }],
  ])
    test(`a guarded route ${name} sends its visitor to sign in and back to it`, async ({
      page,
      app,
      scripted,
    }) => {
      await open(page, app, optionsFor(app, scripted), path, settings);
      await expect(page.locator("#guarded")).toContainText("?page=2");
      expect(page.url()).toBe(app.url + path);
      await expect(page.locator("#status")).toHaveText("signedIn");
      await expect(page.locator("#name")).toHaveText("alice");
      await expect(page.locator("#in")).toBeVisible();
      // The router never saw the callback.
      expect(await page.evaluate(() => effects)).toEqual(["signedIn"]);
      await page.reload();
      await expect(page.locator("#guarded")).toContainText("alice");
      expect(scripted.count("authorization")).toBe(1);
    });

  test("a user of the real provider signs in at a guarded route", async ({
    page,
    app,
    op,
  }) => {
    await open(page, app, optionsFor(app, op));
    await expect(page.locator("#home")).toBeVisible();
    expect(op.control.counters).toEqual({});
    await Promise.all([
      page.waitForURL(/\/interaction\//),
      page.evaluate(() => void window.go("/guarded")),
    ]);
    await page.click('button.user:has-text("alice")');
    await expect(page.locator("#guarded")).toHaveText("alice at /guarded");
  });

  test("a failed callback is shown, and starts no login", async ({
    page,
    app,
    scripted,
  }) => {
    refuseNext(scripted);
    await open(page, app, optionsFor(app, scripted), "/guarded");
    await expect(page.locator("#error")).toHaveText("authorization_error");
    await expect(page.locator("#callback")).toBeVisible();
    expect(await go(page, "/guarded")).toBe(false);
    await expect(page.locator("#callback")).toBeVisible();
    await go(page, "/kind");
    await expect(page.locator("#signed-out")).toBeVisible();
    expect(page.url()).toBe(`${app.url}/signed-out?from=kind`);
    expect(scripted.count("authorization")).toBe(1);
    // Whoever wants to may.
    await page.click("#login");
    await expect(page.locator("#status")).toHaveText("signedIn");
    expect(scripted.count("authorization")).toBe(2);
  });

  test("a logout is shown at once, and starts no login", async ({
    page,
    app,
    scripted,
  }) => {
    await enter(page, app, scripted);
    await page.click("#logout");
    await expect(page.locator("#status")).toHaveText("signedOut");
    await expect(page.locator("#name")).toHaveText("nobody");
    await expect(page.locator("#in")).toHaveCount(0);
    await go(page, "/");
    expect(await go(page, "/guarded")).toBe(false);
    await go(page, "/kind");
    await expect(page.locator("#signed-out")).toBeVisible();
    expect(scripted.count("authorization")).toBe(1);
  });

  test("nobody listens once the application is gone", async ({
    page,
    app,
    scripted,
  }) => {
    await open(page, app, optionsFor(app, scripted));
    await expect(page.locator("#status")).toHaveText("signedOut");
    expect(await page.evaluate(() => window.listeners)).toBe(1);
    await page.evaluate(() => window.remove());
    expect(await page.evaluate(() => window.listeners)).toBe(0);
  });

  for (const [name, option] of [
    ["outside", "injectAuth"],
    ["unprovided", "provideAuth"],
    ["nothing", "provideAuth"],
    ["emptyHanded", "provideAuth"],
  ])
    test(`the adapter used in a wrong way, ${name}, names what is wrong`, async ({
      page,
      app,
      scripted,
    }) => {
      await open(page, app, optionsFor(app, scripted));
      await expect(page.locator("#home")).toBeVisible();
      const thrown = await page.evaluate((name) => thrownBy(name), name);
      expect(thrown).toMatchObject({ code: "invalid_config", option });
    });
});

for (const fetch of [false, true])
  test.describe(`HttpClient over ${fetch ? "fetch" : "xhr"}`, () => {
    const settings = { fetch };

    test("sends the token to its own origin and to those that are listed", async ({
      page,
      app,
      other,
      scripted,
    }) => {
      const more = { apiOrigins: [other.url] };
      await enter(page, app, scripted, { more, settings });
      const own = await send(page, "POST", "api/echo?v=3", {
        body: { a: 1 },
        params: { b: "2 &" },
        headers: { "x-extra": "1", authorization: "Basic overwritten" },
      });
      expect(own.body).toMatchObject({
        method: "POST",
        body: '{"a":1}',
        extra: "1",
        authorization: expect.stringMatching(/^Bearer at-/),
      });
      const [{ url }] = app.withToken;
      expect(url).toBe("/api/echo?v=3&b=2%20%26");
      const listed = await send(page, "GET", `${other.url}/api/echo`);
      expect(listed.body.authorization).toBe(own.body.authorization);
      expect(scripted.count("token")).toBe(1);
    });

    test("sends none to any other origin, however the URL is dressed up", async ({
      page,
      app,
      other,
      scripted,
    }) => {
      await enter(page, app, scripted, { settings });
      other.reset();
      const { host } = new URL(other.url);
      const own = new URL(app.url).host;
      const urls = [
        `${other.url}/api/echo`,
        `//${host}/api/echo`,
        `\\\\${host}\\api\\echo`,
        `/\\${host}/api/echo`,
        `/\t/${host}/api/echo`,
        ` \n//${host}/api/echo`,
        `http:\\\\${host}/api/echo`,
      ];
      for (const url of urls) {
        const { body } = await send(page, "GET", url);
        expect(body, url).toMatchObject({ authorization: null });
      }
      expect(other.requests).toHaveLength(urls.length);
      // What the engine itself makes of these is its own affair.
      for (const url of [
        `http://${own}@${host}/api/echo`,
        `http://user:${own}@${host}/api/echo`,
        `http://user@${own}/api/echo`,
        "http://",
      ])
        await send(page, "GET", url);
      // A page that was led astray, and a redirect.
      const to = { to: `${other.url}/api/echo` };
      const away = await send(page, "GET", "/api/redirect", { params: to });
      expect(away.body).toMatchObject({ authorization: null });
      await page.evaluate((href) => {
        const base = document.createElement("base");
        document.head.append(Object.assign(base, { href }));
      }, `${other.url}/`);
      const astray = await send(page, "GET", "api/echo");
      expect(astray.body).toMatchObject({ authorization: null });
      expect(other.withToken).toEqual([]);
      const paths = app.withToken.map(({ path }) => path);
      expect(paths).toEqual(["/api/redirect"]);
    });

    test("sends it to where it was given for, whatever happens meanwhile", async ({
      page,
      app,
      other,
      scripted,
    }) => {
      await enter(page, app, scripted, { settings });
      let asked = 0;
      let refuse;
      app.ask((req, res) => {
        if (req.method === "OPTIONS" || !req.url.endsWith("/api/held"))
          return false;
        asked += 1;
        if (asked === 1) refuse = () => res.writeHead(401).end();
        return asked === 1;
      });
      const sent = send(page, "POST", "api/held", { body: "twice" });
      await expect.poll(() => asked).toBe(1);
      await page.evaluate((href) => {
        const base = document.createElement("base");
        document.head.append(Object.assign(base, { href }));
      }, `${other.url}/`);
      refuse();
      expect((await sent).body).toMatchObject({ body: "twice" });
      expect(app.withToken).toHaveLength(2);
      expect(other.withToken).toEqual([]);
      // Such a place gets nothing from then on.
      expect((await send(page, "GET", "api/echo")).body.authorization).toBe(
        null,
      );
    });

    test("asks once more with a new token, and then no more", async ({
      page,
      app,
      scripted,
    }) => {
      await enter(page, app, scripted, { settings });
      const first = await send(page, "POST", "api/refuse-old", {
        body: { kept: true },
        params: { a: "1" },
      });
      expect(first).toMatchObject({ status: 200, body: { method: "POST" } });
      expect(JSON.parse(first.body.body)).toEqual({ kept: true });
      const [one, two, ...rest] = app.withToken;
      expect(rest).toEqual([]);
      expect(two.url).toBe(one.url);
      expect(two.authorization).not.toBe(one.authorization);
      expect(scripted.count("token")).toBe(2);
      app.reset();
      const { status } = await send(page, "GET", "/api/refuse-all");
      expect(status).toBe(401);
      expect(app.withToken.length).toBeLessThanOrEqual(2);
      // Another refusal is the application's, and so is one for another reason.
      const asked = scripted.count("token");
      for (const [query, status] of [
        ["status=403", 403],
        [`challenge=${encodeURIComponent('Bearer error="x"')}`, 401],
      ]) {
        app.reset();
        const refused = await send(page, "GET", `/api/refuse-all?${query}`);
        expect(refused.status).toBe(status);
        expect(app.withToken).toHaveLength(1);
      }
      expect(scripted.count("token")).toBe(asked);
      // The session may have ended.
      scripted.answerNext("token", {
        status: 400,
        json: { error: "invalid_grant" },
      });
      const ended = await send(page, "GET", "/api/refuse-all");
      expect(ended).toEqual({ code: "login_required" });
      await expect(page.locator("#status")).toHaveText("signedOut");
    });

    test("tells what keeps a token from coming, and sends nothing then", async ({
      page,
      app,
      scripted,
    }) => {
      await enter(page, app, scripted, { settings });
      await page.evaluate(() => auth.dispose());
      const disposed = await send(page, "GET", "/api/disposed");
      expect(disposed).toEqual({ code: "disposed" });
      expect(app.requests.map(({ path }) => path)).not.toContain(
        "/api/disposed",
      );
    });

    test("sends none while it cannot be known who is signed in", async ({
      page,
      app,
      scripted,
    }) => {
      await enter(page, app, scripted, { settings });
      await page.evaluate(() => {
        const [key] = Object.keys(sessionStorage).filter((key) =>
          key.includes(":session:"),
        );
        const record = JSON.parse(sessionStorage.getItem(key));
        const token = record.view.tokens[""];
        token.deadline = token.expires_at = Date.now() - 10_000;
        token.received_at = token.expires_at - 300_000;
        sessionStorage.setItem(key, JSON.stringify(record));
      });
      await page.addInitScript(() => {
        WebAssembly.compile = () => {
          throw new WebAssembly.CompileError("blocked, says the test");
        };
      });
      await page.goto(app.url);
      await expect(page.locator("#error")).toHaveText("wasm_load_failed");
      const { body } = await send(page, "GET", "/api/echo");
      expect(body).toMatchObject({ path: "/api/echo", authorization: null });
    });

    test("sends none while nobody is signed in, and none when it was given up", async ({
      page,
      app,
      scripted,
    }) => {
      await open(page, app, optionsFor(app, scripted), "/", settings);
      await expect(page.locator("#home")).toBeVisible();
      const { body } = await send(page, "GET", "/api/echo");
      expect(body).toMatchObject({ path: "/api/echo", authorization: null });
      expect(scripted.count("authorization")).toBe(0);
      await page.evaluate(() => window.giveUp("/api/given-up"));
      await send(page, "GET", "/api/later");
      const asked = app.requests.map(({ path }) => path);
      expect(asked).toContain("/api/later");
      expect(asked).not.toContain("/api/given-up");
    });
  });

test("a script of JSONP goes without a token, which it could not carry", async ({
  page,
  app,
  scripted,
}) => {
  await enter(page, app, scripted);
  app.ask((req, res) => {
    const { pathname, searchParams } = new URL(req.url, app.url);
    if (pathname !== "/jsonp") return false;
    res.setHeader("content-type", "text/javascript");
    res.end(`${searchParams.get("call")}({ "answered": true })`);
    return true;
  });
  const { body } = await send(
    page,
    "JSONP",
    `${app.url}/jsonp?call=JSONP_CALLBACK`,
  );
  expect(body).toEqual({ answered: true });
  expect(app.withToken).toEqual([]);
});

base.extend({
  scripts: [
    async ({}, use) =>
      use(
        await bundlePage(`${folder}/zoned.js`, [], {
          "zone.js": older("zone.js"),
        }),
      ),
    { scope: "worker" },
  ],
})(
  "an application in a zone is up to date, too",
  async ({ page, app, scripted }) => {
    await enter(page, app, scripted);
    expect(await page.evaluate(() => Zone.current.name)).toBe("<root>");
    await expect(page.locator("#name")).toHaveText("alice");
    const { body } = await send(page, "GET", "/api/refuse-old");
    expect(body.authorization).toMatch(/^Bearer at-/);
    // Outside of the zone, as another tab would.
    await page.evaluate(() => auth.logout({ local: true }));
    await expect(page.locator("#status")).toHaveText("signedOut");
    await expect(page.locator("#name")).toHaveText("nobody");
  },
);
