// Drives the test application from outside.

import { expect } from "@playwright/test";

/** Options for a client of this provider. */
export function optionsFor(app, { issuer, clientId }, more = {}) {
  return {
    issuer,
    clientId,
    redirectUri: `${app.url}/callback`,
    scope: "openid offline_access",
    ...more,
  };
}

/** Where the session of such a client is stored. */
export const sessionKey = ({ issuer, metadata, clientId }) =>
  `countersign:session:${issuer ?? metadata.authorization_endpoint} ${clientId}`;

/** Opens the application; nothing of the package has been called then. */
export async function open(page, app, path = "/") {
  await page.goto(app.url + path);
  await page.waitForFunction(() => "createAuth" in window);
}

/** Makes the client on the page and waits for its first state. */
export async function begin(page, options) {
  return page.evaluate(async (options) => {
    start(options);
    return plain(await auth.ready);
  }, options);
}

/** Leaves for the provider by `login()`, and waits for the page that ends up at such a URL. */
export async function leave(page, login, arrival) {
  await Promise.all([
    page.waitForURL(arrival),
    page.evaluate((login) => {
      auth.login(login).catch((error) => {
        throw error;
      });
    }, login),
  ]);
}

/** Whether a URL is a response to a login, on its way into the application. */
export const isResponse = (app) => (url) =>
  url.origin === app.url && url.searchParams.has("state");

/** Signs in at the scripted provider, by the redirect, and stops on the callback: no client is made there yet. */
export async function returnFrom(page, app, options, login = {}) {
  await begin(page, options);
  await leave(page, login, isResponse(app));
  await page.waitForFunction(() => "createAuth" in window);
}

/** Signs in at the scripted provider, by the redirect. */
export async function signIn(page, app, options, login = {}, path = "/") {
  await open(page, app, path);
  await returnFrom(page, app, options, login);
  const state = await begin(page, options);
  expect(state.status).toBe("signedIn");
  return state;
}

/** Signs in at the real provider, with the buttons of its own page. */
export async function signInReally(page, app, options, login, user = "alice") {
  await open(page, app);
  await begin(page, options);
  await leave(page, login, /\/interaction\//);
  await Promise.all([
    page.waitForURL(isResponse(app)),
    page.click(`button.user:has-text("${user}")`),
  ]);
  await page.waitForFunction(() => "createAuth" in window);
}

/** Begins a login without leaving: gives the URL of the authorization request. */
export function requestUrl(page, login = {}) {
  return page.evaluate(
    (login) =>
      new Promise((resolve, reject) => {
        auth.login({ ...login, navigate: resolve }).catch(reject);
      }),
    login,
  );
}

/** Completes a login without leaving the page: the provider's answer is handed to `handleCallback`. */
export async function signInHere(page, scripted, login) {
  const back = scripted.authorize(await requestUrl(page, login));
  return handle(page, back);
}

/** `handleCallback(url)`: `{ value }` or `{ error }`. */
export function handle(page, url) {
  return page.evaluate((url) => attempt(() => auth.handleCallback(url)), url);
}

/** A call on the page: `{ value }` or `{ error }`. */
export function call(page, method, ...args) {
  return page.evaluate(
    ([method, args]) => attempt(() => auth[method](...args)),
    [method, args],
  );
}

/** What the page's sessionStorage holds. */
export const storedIn = (page) => page.evaluate(() => stored());

/** The stored session as text, and as what it says. */
export async function storedSession(page, options) {
  const text = (await storedIn(page))[sessionKey(options)];
  return { text, record: text === undefined ? undefined : JSON.parse(text) };
}

/** Changes the stored session. */
export function store(page, options, text) {
  return page.evaluate(
    ([key, text]) => sessionStorage.setItem(key, text),
    [sessionKey(options), text],
  );
}

/** Makes the stored access token one whose time is over by `seconds`. */
export async function expireStored(page, options, seconds = 10) {
  const { record } = await storedSession(page, options);
  const token = record.view.tokens[""];
  const lifetime = token.expires_at - token.received_at;
  token.expires_at = Date.now() - seconds * 1000;
  token.deadline = token.expires_at;
  token.received_at = token.expires_at - lifetime;
  await store(page, options, JSON.stringify(record));
}

/** Waits for the state of the client. */
export function untilState(page, status, freshness) {
  return page.waitForFunction(
    ([status, freshness]) =>
      auth.state.status === status &&
      (freshness === undefined || auth.state.freshness === freshness),
    [status, freshness],
  );
}

/** Waits for a moment and gives it. */
export async function untilMoment(page, type) {
  await page.waitForFunction(
    (type) => window.moments.some((moment) => moment.type === type),
    type,
  );
  return page.evaluate(
    (type) => window.moments.find((moment) => moment.type === type),
    type,
  );
}

/**
 * From now on this page, or every page of a context, counts what crosses into wasm: `crossings`, what it calls outside: `calledBack`,
 * and `instances`.
 * `trapOnce = /name/` makes the next call of such an export trap; `inMemory(text)` searches what wasm has in memory, and
 * `memoryPages()` says how many pages of 64 KiB each instance has.
 */
export function watchWasm(pages) {
  return pages.addInitScript(() => {
    const { Instance, RuntimeError } = WebAssembly;
    window.crossings = [];
    window.calledBack = [];
    window.instances = 0;
    window.trapOnce = null;
    const memories = [];
    window.inMemory = (text) =>
      memories.some((memory) =>
        new TextDecoder("latin1").decode(memory.buffer).includes(text),
      );
    const watched = (call, name) =>
      typeof call !== "function"
        ? call
        : (...args) => {
            window.crossings.push(name);
            if (window.trapOnce?.test(name)) {
              window.trapOnce = null;
              throw new RuntimeError("unreachable, says the test");
            }
            return call(...args);
          };
    const noted = (call, name) =>
      typeof call !== "function"
        ? call
        : (...args) => {
            window.calledBack.push(name);
            return call(...args);
          };
    window.memoryPages = () =>
      memories.map(({ buffer }) => buffer.byteLength / 65536);
    const each = (object, change) =>
      Object.fromEntries(
        Object.entries(object).map(([name, value]) => [
          name,
          change(value, name),
        ]),
      );
    WebAssembly.Instance = function (module, imports = {}) {
      const outside = each(imports, (part) => each(part, noted));
      const { exports } = new Instance(module, outside);
      window.instances += 1;
      memories.push(exports.memory);
      return { exports: each(exports, watched) };
    };
  });
}
