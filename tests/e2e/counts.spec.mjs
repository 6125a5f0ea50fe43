// What a call costs in requests, round trips and crossings into wasm: exactly what bench/README.md says, since no count depends on the machine.

import { readFile } from "node:fs/promises";
import { longestChain } from "../../bench/support/rounds.mjs";
import {
  call,
  handle,
  open,
  requestUrl,
  watchWasm,
} from "../support/driver.mjs";
import { quick } from "../support/fixtures.mjs";
import { authorize } from "../support/sign-in.mjs";
import {
  expect,
  mailboxDone,
  settled,
  test as base,
} from "../support/tabs.mjs";

/** Milliseconds that answers take, so that it can be seen what waits for what. The keys are there before the tokens. */
const delays = {
  discovery: 300,
  token: 300,
  jwks: 150,
  userinfo: 300,
  revocation: 300,
  preflight: 300,
};

const columns = ["requests", "round trips", "into wasm", "out of wasm"];

const test = base.extend({
  /** The table in the README: what each call may cost, by its name. */
  held: [
    async ({}, use) => {
      const readme = new URL("../../bench/README.md", import.meta.url);
      const [, section] = (await readFile(readme, "utf8")).split(
        "\n## What CI holds\n",
      );
      const rows = section
        .split("\n## ")[0]
        .split("\n")
        .filter((line) => line.startsWith("| "))
        .map((line) => line.split("|").map((cell) => cell.trim()));
      const [head, , ...lines] = rows;
      expect(head.slice(2, -1)).toEqual(columns);
      const cells = lines.map(([, name, ...cells]) => [
        name,
        cells.slice(0, columns.length),
      ]);
      await use(new Map(cells));
    },
    { scope: "worker" },
  ],

  /**
   * `costs(name, pages, work)`: does the work, and holds what it costs to the table. Gives what arrived meanwhile:
   * `{ provider, files, api }`.
   */
  costs: async ({ app, other, held, op: { control } }, use) => {
    const wait = (of) =>
      Object.keys(delays).forEach((name) => control.setDelay(name, of(name)));
    wait((name) => delays[name]);
    await use(async (name, pages, work) => {
      expect([...held.keys()], "in the table").toContain(name);
      const each = (call) =>
        Promise.all([pages].flat().map((page) => page.evaluate(call)));
      // What was there before may have an end that is told of later.
      const rest = async () => {
        await each(mailboxDone);
        return each(untilQuiet);
      };
      await rest();
      control.resetCounters();
      app.requests.length = other.requests.length = 0;
      await each(() => void (crossings.length = calledBack.length = 0));
      await work();
      const crossed = await rest();
      const asked = control.requests.map(({ path, at, until }) => ({
        url: path,
        begin: at,
        end: until,
        preflight: false,
      }));
      const first = control.preflights.map((url) => ({ url, preflight: true }));
      const all = [...asked, ...first];
      const sum = (at) => crossed.reduce((sum, one) => sum + one[at], 0);
      const numbers = [all.length, longestChain(all), sum(0), sum(1)];
      expect
        .soft(told(numbers), name)
        .toEqual(
          told(numbers.map((number, at) => within(held.get(name)[at], number))),
        );
      return {
        provider: control.counters,
        files: app.requests.map(({ path }) => path).filter(isLoaded),
        api: other.requests.length,
      };
    });
    wait(() => 0);
  },
});
test.use(quick);

const told = (numbers) =>
  Object.fromEntries(columns.map((column, at) => [column, numbers[at]]));

/** What a cell allows a number to be: itself, where it is within a range or the cell has none. */
function within(cell, number) {
  const [least, most = least] = cell.replaceAll(",", "").split("–").map(Number);
  if (cell === "" || (least <= number && number <= most)) return number;
  return least === most ? least : cell;
}

const isLoaded = (path) => path !== "/favicon.ico";

/** In the page: waits until nothing has crossed for a while, and gives how much did. */
async function untilQuiet() {
  const sum = () => crossings.length + calledBack.length;
  for (let before = -1; before !== sum();) {
    before = sum();
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  return [crossings.length, calledBack.length];
}

/** A tab of the application that counts, whose page has time for what can wait when the test says so. */
async function tabOf({ tabs, page }, how) {
  await watchWasm(page.context());
  await page.context().addInitScript(() => {
    const waiting = [];
    window.requestIdleCallback = (task) => waiting.push(task);
    window.haveTime = () => waiting.splice(0).forEach((task) => task());
  });
  const all = await tabs({ lazy: true, ...how });
  await open(page, all.app);
  return all;
}

/** The same, with somebody signed in and the Rust side there. */
async function signedInTab(fixtures, how) {
  const all = await tabOf(fixtures, how);
  const { page } = fixtures;
  await all.begin(page);
  await all.signIn(page);
  return all;
}

const none = { provider: {}, files: [], api: 0 };

for (const [entry, wasm] of [
  ["createAuth", undefined],
  ["createExternal", "/core.wasm"],
])
  test(`a start of ${entry} with nobody signed in loads nothing`, async ({
    page,
    tabs,
    costs,
  }) => {
    const { options, app } = await tabOf({ tabs, page });
    const begin = () =>
      page.evaluate(
        async ([options, entry]) => {
          start(options, window[entry]);
          await auth.ready;
          haveTime();
        },
        [{ ...options, ...(wasm && { wasm }) }, entry],
      );
    expect(await costs("start, nobody signed in", page, begin)).toEqual(none);
    // The twin: what needs the Rust side loads it.
    app.reset();
    await page.evaluate(() => auth.preload());
    const paths = app.requests.map(({ path }) => path);
    expect(paths.filter((path) => /wasm/.test(path))).toEqual([
      wasm ?? app.wasmScript,
    ]);
  });

test("a start with a session loads nothing until the page has time", async ({
  page,
  tabs,
  costs,
}) => {
  const all = await signedInTab({ page, tabs });
  // Else the next page writes what this one was about to.
  await page.evaluate(untilQuiet);
  await settled(page);
  await open(page, all.app);
  const begin = async () => {
    expect(await all.begin(page)).toMatchObject({ status: "signedIn" });
    await page.evaluate(async () => {
      for (let n = 0; n < 1000; n += 1) await auth.getAccessToken();
    });
  };
  expect(await costs("start, somebody signed in", page, begin)).toEqual(none);
  expect(await page.evaluate(() => instances)).toBe(0);
  const later = await costs("the same, once the page has time", page, () =>
    page.evaluate(async () => {
      haveTime();
      await auth.preload();
    }),
  );
  expect(later).toEqual({ ...none, files: expect.any(Array) });
  expect(all.app.loads("wasm-inline")).toBe(1);
  expect(all.app.loads("engine")).toBe(1);
});

test("a login asks for the metadata once, and not where they are known", async ({
  page,
  tabs,
  costs,
  op,
}) => {
  const all = await tabOf({ page, tabs });
  await all.begin(page);
  const login = () => requestUrl(page);
  const first = await costs("login, the first of all", page, login);
  expect(first.provider).toEqual({ discovery: 1 });
  expect(all.app.loads("wasm-inline")).toBe(1);
  expect(await costs("login, another one", page, login)).toEqual(none);
  await open(page, all.app);
  await all.begin(page);
  const reloaded = await costs("login, the first of a page", page, login);
  expect(reloaded.provider).toEqual({});

  const answer = await fetch(`${op.issuer}/.well-known/openid-configuration`);
  all.options = { ...all.options, metadata: await answer.json() };
  await page.evaluate(() => sessionStorage.clear());
  await open(page, all.app);
  await all.begin(page);
  const told = await costs("login, metadata by hand", page, login);
  expect(told.provider).toEqual({});
});

test("a callback takes one round trip, with the keys on their way beside the code", async ({
  page,
  tabs,
  costs,
  op,
}) => {
  const all = await tabOf({ page, tabs });
  await all.begin(page);
  const back = await authorize(await requestUrl(page), op.issuer, "alice");
  await page.goto(back);
  await page.waitForFunction(() => "createAuth" in window);
  const { provider } = await costs("callback", page, async () => {
    expect(await all.begin(page)).toMatchObject({ status: "signedIn" });
  });
  expect(provider).toEqual({
    token: 1,
    "token:authorization_code": 1,
    jwks: 1,
  });
  expect(all.app.loads("wasm-inline")).toBe(1);

  // The keys are known for the next one, in the page and out of it.
  const again = await authorize(await requestUrl(page), op.issuer, "alice");
  await costs("callback, the keys known", page, async () => {
    expect((await handle(page, again)).error).toBeUndefined();
  });
});

test("a token that is there costs nothing", async ({ page, tabs, costs }) => {
  await signedInTab({ page, tabs });
  const reads = () =>
    page.evaluate(async () => {
      for (let n = 0; n < 500; n += 1) await auth.getAccessToken();
      for (let n = 0; n < 500; n += 1)
        await auth.getAccessToken({ minValidity: 10 });
    });
  const name = "getAccessToken 1,000 times, the token is good";
  expect(await costs(name, page, reads)).toEqual(none);
});

test("an expired token costs one request, however many ask", async ({
  page,
  tabs,
  costs,
}) => {
  const all = await signedInTab({ page, tabs });
  for (const [name, count] of [
    ["getAccessToken, the token is expired", 1],
    ["1,000 of them at once", 1000],
  ]) {
    const { provider } = await costs(name, page, async () => {
      await all.expire([page]);
      await page.evaluate(async (count) => {
        const all = Array.from({ length: count }, () => auth.getAccessToken());
        if (new Set(await Promise.all(all)).size !== 1) throw new Error("two");
      }, count);
    });
    expect(provider).toEqual({ token: 1, "token:refresh_token": 1 });
  }
});

test("ten APIs cost a request each, however many ask", async ({
  page,
  tabs,
  costs,
  op,
}) => {
  const resource = Array.from(
    { length: 10 },
    (_, n) => `https://api-${n}.example/`,
  );
  for (const one of resource) op.control.setResource(one, "read");
  const all = await tabOf(
    { page, tabs },
    {
      options: {
        scope: "openid offline_access read",
        authorizationParams: { resource },
      },
    },
  );
  await all.begin(page);
  await all.signIn(page);
  const ask = (calls) => () =>
    page.evaluate(
      async ([resource, calls]) => {
        const all = Array.from({ length: calls * resource.length }, (_, n) =>
          auth.getAccessToken({ resource: resource[n % resource.length] }),
        );
        const tokens = new Set(await Promise.all(all));
        if (tokens.size !== resource.length) throw new Error("not one each");
      },
      [resource, calls],
    );
  const { provider } = await costs(
    "tokens for ten APIs, 10 calls each at once",
    page,
    ask(10),
  );
  expect(provider).toEqual({ token: 10, "token:refresh_token": 10 });
  expect(await costs("the same, the tokens are good", page, ask(10))).toEqual(
    none,
  );
  for (const one of resource) op.control.setResource(one);
});

for (const [kind, storage] of [
  ["clones", undefined],
  ["unrelated", "localStorage"],
])
  test(`two tabs (${kind}) cost one request`, async ({ page, tabs, costs }) => {
    const all = await signedInTab({ page, tabs }, { storage });
    const [other] = await (storage
      ? all.unrelatedTo(page, 1)
      : all.clones(page, 1));
    // Each tab asks for the metadata by itself, if it has not found them in its sessionStorage.
    await all.expire([page, other]);
    await call(other, "getAccessToken");
    const name = `two tabs at once, ${kind}, the token is expired`;
    const { provider } = await costs(name, [page, other], async () => {
      await all.expire([page, other]);
      const [one, another] = await all.expectValid([page, other]);
      expect(one.token).toBe(another.token);
    });
    expect(provider).toEqual({ token: 1, "token:refresh_token": 1 });
  });

test("a request to an API costs nothing beside itself, and one more token if it is refused", async ({
  page,
  tabs,
  other,
  costs,
}) => {
  await signedInTab({ page, tabs }, { options: { apiOrigins: [other.url] } });
  const send = (path) => () =>
    page.evaluate(async (url) => {
      if (!(await auth.fetch(url)).ok) throw new Error("refused");
    }, other.url + path);
  const { api } = await costs("fetch", page, send("/api/orders"));
  expect(api).toBe(1);
  const again = await costs(
    "fetch, the token is refused",
    page,
    send("/api/refuse-old"),
  );
  expect(again).toMatchObject({ api: 2, provider: { token: 1 } });
});

test("what else asks the Rust side", async ({ page, tabs, costs }) => {
  await signedInTab({ page, tabs });
  const called = (method) => () =>
    page.evaluate((method) => auth[method](), method);
  expect(await costs("getIdToken", page, called("getIdToken"))).toEqual(none);
  const { provider } = await costs(
    "fetchUserInfo",
    page,
    called("fetchUserInfo"),
  );
  expect(provider).toEqual({ userinfo: 1 });
  const left = await costs("logout", page, () =>
    page.evaluate(
      () => new Promise((resolve) => auth.logout({ navigate: resolve })),
    ),
  );
  expect(left.provider).toEqual({ revocation: 1 });
});
