// The real axios, with the access token.

import {
  begin,
  expireStored,
  open,
  optionsFor,
  signIn,
} from "../support/driver.mjs";
import { expect, quick, test } from "../support/fixtures.mjs";

test.use(quick);

/** Runs something on the page with an instance of axios that `authorizeAxios` was given. */
const withAxios = (page, work, arg, config = {}) =>
  page.evaluate(
    async ([work, arg, config]) => {
      const [{ default: axios }, { authorizeAxios }] = await loadAxios();
      const client = axios.create(config);
      window.end = authorizeAxios(client, auth);
      const told = ({ code, details, response, message }) => ({
        ...{ code, details, message, status: response?.status },
      });
      const run = new Function(
        "client",
        "arg",
        "axios",
        `return (${work})(client, arg, axios)`,
      );
      return run(client, arg, axios).catch((error) => ({ error: told(error) }));
    },
    [String(work), arg, config],
  );

for (const adapter of ["xhr", "fetch"])
  test.describe(`axios over ${adapter}`, () => {
    test("sends the token to its own origin and to those that are listed, with base and parameters", async ({
      page,
      app,
      other,
      scripted,
    }) => {
      const apiOrigins = [other.url];
      await signIn(page, app, optionsFor(app, scripted, { apiOrigins }));
      const own = await withAxios(
        page,
        async (client) => {
          const echo = await client.post(
            "echo",
            { a: 1 },
            { params: { b: 2 } },
          );
          return [echo.data, echo.config.url];
        },
        null,
        { adapter, baseURL: "/api/", params: { v: 3 } },
      );
      expect(own[0]).toMatchObject({ method: "POST", body: '{"a":1}' });
      expect(own[0].authorization).toMatch(/^Bearer at-/);
      expect(new URL(own[1]).search).toBe("?v=3&b=2");
      const listed = await withAxios(
        page,
        async (client, url) => (await client.get(url)).data,
        `${other.url}/api/echo`,
        { adapter },
      );
      expect(listed.authorization).toMatch(/^Bearer at-/);
    });

    test("sends nothing to any other origin, however the URL is dressed up", async ({
      page,
      app,
      other,
      scripted,
    }) => {
      await signIn(page, app, optionsFor(app, scripted));
      other.reset();
      const { host } = new URL(other.url);
      for (const [url, config] of [
        [`${other.url}/api/echo`],
        [`//${host}/api/echo`],
        [`\\\\${host}\\api`],
        [`/\\${host}/api/echo`],
        ["api/echo", { baseURL: other.url }],
        ["/api/echo", { baseURL: other.url, allowAbsoluteUrls: false }],
      ]) {
        const { error } = await withAxios(
          page,
          (client, url) => client.get(url),
          url,
          { adapter, ...config },
        );
        expect(error, url).toMatchObject({
          code: "forbidden_origin",
          details: { origin: other.url },
        });
      }
      expect(other.requests).toEqual([]);
      // A redirect to elsewhere takes no token along.
      const away = await withAxios(
        page,
        async (client, to) =>
          (await client.get("/api/redirect", { params: { to } })).data,
        `${other.url}/api/echo`,
        { adapter },
      );
      expect(away).toMatchObject({ path: "/api/echo", authorization: null });
      expect(other.withToken).toEqual([]);
    });

    test("asks once more with a new token, at the same place, and then no more", async ({
      page,
      app,
      scripted,
    }) => {
      await signIn(page, app, optionsFor(app, scripted));
      app.reset();
      const first = await withAxios(
        page,
        async (client) => {
          const sent = { data: { kept: true }, params: { a: "1" } };
          const { status } = await client.post("refuse-old", sent.data, sent);
          return status;
        },
        null,
        { adapter, baseURL: "/api", params: { v: 3 } },
      );
      expect(first).toBe(200);
      const [one, two] = app.withToken;
      expect(two.url).toBe(one.url);
      expect(two.authorization).not.toBe(one.authorization);
      app.reset();
      const { error } = await withAxios(
        page,
        (client) => client.get("/api/refuse-all"),
        null,
        { adapter },
      );
      expect(error.status).toBe(401);
      expect(app.withToken.length).toBeLessThanOrEqual(2);
      // Another refusal is the application's.
      const asked = scripted.count("token");
      const forbidden = await withAxios(
        page,
        (client) => client.get("/api/refuse-all?status=403"),
        null,
        { adapter },
      );
      expect(forbidden.error.status).toBe(403);
      expect(scripted.count("token")).toBe(asked);
    });

    test("a retry passes the application's interceptors and transforms once", async ({
      page,
      app,
      scripted,
    }) => {
      await signIn(page, app, optionsFor(app, scripted));
      app.reset();
      const { answer, runs } = await withAxios(
        page,
        async (client) => {
          const runs = { request: 0, response: 0, transform: 0 };
          client.interceptors.request.use((config) => {
            runs.request += 1;
            config.params = { ...config.params, n: runs.request };
            return config;
          });
          client.interceptors.response.use((response) => {
            runs.response += 1;
            return response.data;
          });
          client.defaults.transformRequest = [
            (data, headers) => {
              runs.transform += 1;
              headers.setContentType("application/json");
              return JSON.stringify({ wrapped: data });
            },
          ];
          const sent = { params: { a: "1" }, headers: { "x-extra": "2" } };
          const answer = await client.post("refuse-old", { b: 1 }, sent);
          return { answer, runs };
        },
        null,
        { adapter, baseURL: "/api", params: { v: 3 } },
      );
      expect(answer).toMatchObject({
        method: "POST",
        body: '{"wrapped":{"b":1}}',
        extra: "2",
      });
      expect(runs).toEqual({ request: 1, response: 1, transform: 1 });
      const [one, two, ...more] = app.withToken;
      expect(more).toEqual([]);
      expect(two.url).toBe(one.url);
      expect(new URL(two.url, app.url).search).toBe("?v=3&a=1&n=1");
    });

    test("the first answer stands where no other token comes of it", async ({
      page,
      app,
      scripted,
    }) => {
      await signIn(page, app, optionsFor(app, scripted));
      app.reset();
      scripted.answerNext("token", {
        status: 400,
        json: { error: "invalid_grant" },
      });
      const { error } = await withAxios(
        page,
        (client) => client.get("/api/refuse-all"),
        null,
        { adapter },
      );
      expect(error.status).toBe(401);
      expect(app.withToken).toHaveLength(1);
    });

    test("a request that is given up is told as axios tells it, and sent nowhere", async ({
      page,
      app,
      scripted,
    }) => {
      const options = optionsFor(app, scripted);
      await signIn(page, app, options);
      let answer;
      const held = new Promise((resolve) => (answer = resolve));
      const give = (path) =>
        withAxios(
          page,
          async (client, path, axios) => {
            const end = new AbortController();
            const { signal } = end;
            window.giveUp = () => end.abort();
            const sent = client.get(path, { signal });
            const error = await sent.catch((error) => error);
            return [axios.isCancel(error), error.response?.status];
          },
          path,
          { adapter },
        );
      /** Once the server was asked for so many tokens. */
      const giveUpAfter = async (count) => {
        await expect.poll(() => scripted.count("token")).toBe(count);
        await page.waitForFunction(() => window.giveUp);
        await page.evaluate(() => giveUp());
      };
      // While another token is awaited after a refusal, that stands.
      app.reset();
      scripted.holdNext("token", held);
      const refused = give("/api/refuse-all");
      await giveUpAfter(2);
      expect(await refused).toEqual([false, 401]);
      expect(app.withToken).toHaveLength(1);
      answer();
      await page.evaluate(() => auth.getAccessToken({ forceRefresh: true }));
      // While the first is.
      await expireStored(page, options);
      await open(page, app);
      scripted.holdNext("token", new Promise((resolve) => (answer = resolve)));
      const before = scripted.count("token");
      const began = begin(page, options);
      await page.waitForFunction(() => window.auth);
      app.reset();
      const waiting = give("/api/given-up");
      await giveUpAfter(before + 1);
      expect(await waiting).toEqual([true, undefined]);
      answer();
      await began;
      await page.waitForTimeout(200);
      const asked = app.requests.map(({ path }) => path);
      expect(asked).not.toContain("/api/given-up");
    });

    test("sends none any more when it was ended, and needs a session", async ({
      page,
      app,
      scripted,
    }) => {
      await signIn(page, app, optionsFor(app, scripted));
      const after = await withAxios(
        page,
        async (client) => {
          window.end();
          return (await client.get("/api/echo")).data;
        },
        null,
        { adapter },
      );
      expect(after.authorization).toBe(null);
      await page.evaluate(() => auth.logout({ local: true }));
      const { error } = await withAxios(
        page,
        (client) => client.get("/api/echo"),
        null,
        { adapter },
      );
      expect(error.code).toBe("login_required");
    });
  });
