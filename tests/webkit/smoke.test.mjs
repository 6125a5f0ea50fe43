// The whole way in WebKitGTK: sign in, call the API, refresh, reload, log out, against the running provider.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { By, until } from "selenium-webdriver";
import { startApi } from "../../www-demo/op/api.mjs";
import { startProvider } from "../../www-demo/op/provider.mjs";
import { bundlePage, startApp } from "../support/app.mjs";
import { startWebkit, WAIT } from "../support/webkit.mjs";

let app;
let provider;
let api;
let webkit;
let driver;

before(async () => {
  app = await startApp(await bundlePage());
  provider = await startProvider({
    clients: [
      {
        client_id: "spa",
        redirect_uris: [`${app.url}/callback`],
        post_logout_redirect_uris: [`${app.url}/bye`],
      },
    ],
  });
  api = await startApi({
    introspect: provider.control.introspect,
    appOrigins: [app.url],
  });
  webkit = await startWebkit();
  ({ driver } = webkit);
});

after(async () => {
  await webkit?.close();
  await Promise.all([app, provider, api].map((server) => server?.close()));
});

test("a user signs in", async () => {
  await open("/start?here=1#there");
  assert.equal((await begin()).status, "signedOut");
  assert.equal(app.loads("wasm-inline"), 0);
  await leave("auth.login({ appState: { cart: [1, 2] } })");
  await (
    await driver.wait(until.elementLocated(By.css("button.user")), WAIT)
  ).click();
  await arrived("/callback?");
  const result = await run(
    "start(options); return { at: location.href, result: await auth.handleCallback() }",
  );
  assert.equal(result.at, `${app.url}/callback`);
  assert.equal(result.result.state.user.sub, "alice");
  assert.equal(result.result.returnTo, "/start?here=1#there");
  assert.deepEqual(result.result.appState, { cart: [1, 2] });
  assert.equal(await driver.getCurrentUrl(), `${app.url}/start?here=1#there`);
});

test("and calls the API with the token, and nobody else", async () => {
  const me = await run(
    "return (await auth.fetch(extra + '/me')).json()",
    api.url,
  );
  assert.equal(me.sub, "alice");
  const { error } = await run(
    "return attempt(() => auth.fetch('http://localhost:1/me'))",
  );
  assert.equal(error.code, "forbidden_origin");
});

test("and lets the token follow no redirect to another origin", async () => {
  // Another name is another origin, and it is the same machine.
  const elsewhere = `${app.url.replace("127.0.0.1", "localhost")}/api/echo`;
  const seen = await run(
    "return (await auth.fetch('/api/redirect?to=' + encodeURIComponent(extra))).json()",
    elsewhere,
  );
  assert.equal(seen.path, "/api/echo");
  assert.equal(seen.authorization, null);
  const within = await run(
    "return (await auth.fetch('/api/redirect?to=/api/echo')).json()",
  );
  assert.match(within.authorization, /^Bearer /);
});

test("and refreshes once for all who ask; the rotated token is stored", async () => {
  const stored =
    "return JSON.parse(Object.entries(stored()).find(([key]) => key.includes(':session:'))[1]).grant";
  const before = await run(stored);
  provider.control.resetCounters();
  const tokens = await run(
    "return Promise.all(Array.from({ length: 20 }, () => auth.getAccessToken({ forceRefresh: true })))",
  );
  assert.equal(new Set(tokens).size, 1);
  assert.equal(provider.control.count("token", "refresh_token"), 1);
  const after = await run(stored);
  assert.equal(after.generation, before.generation + 1);
  assert.notEqual(after.refresh_token, before.refresh_token);
  assert.ok(await provider.control.introspect(tokens[0]));
});

test("and gets a new token after the API refused the old one", async () => {
  provider.control.dropAccessTokens();
  api.requests.length = 0;
  const me = await run(
    "return (await auth.fetch(extra + '/me')).json()",
    api.url,
  );
  assert.equal(me.sub, "alice");
  assert.deepEqual(
    api.requests.map(({ status }) => status),
    [401, 200],
  );
});

test("and is still there after a reload, without a request to the provider", async () => {
  const token = await run("return auth.getAccessToken()");
  provider.control.resetCounters();
  await open("/again");
  const state = await begin();
  assert.equal(state.status, "signedIn");
  assert.equal(state.user.sub, "alice");
  assert.equal(await run("return auth.getAccessToken()"), token);
  await run("return auth.preload()");
  assert.match(await run("return auth.getIdToken()"), /^ey/);
  assert.deepEqual(provider.control.counters, {});
});

test("and is kept fresh by the timer", async () => {
  provider.control.setAccessTokenTtl(8);
  await run("await auth.getAccessToken({ forceRefresh: true })");
  provider.control.resetCounters();
  const expiresAt = await run(
    "const { expiresAt } = auth.state; await new Promise((resolve) => auth.on('refreshed', resolve)); return expiresAt",
  );
  assert.ok(Date.now() < expiresAt);
  assert.equal(provider.control.count("token", "refresh_token"), 1);
  provider.control.setAccessTokenTtl(300);
});

test("and logs out here and at the provider, and comes back as nobody", async () => {
  await leave("auth.logout()");
  await arrived("/bye?");
  const left = await run(
    "return JSON.stringify([stored(), stored(localStorage)])",
  );
  assert.doesNotMatch(left, /eyJ|code_verifier|alice|access_token/);
  const state = await begin();
  assert.equal(state.status, "signedOut");
  assert.equal(state.reason, "loggedOut");
  assert.equal(await driver.getCurrentUrl(), `${app.url}/bye`);
  const { error } = await run("return attempt(() => auth.getAccessToken())");
  assert.equal(error.code, "login_required");
});

test("a callback that nobody asked for is refused, and out of the address bar", async () => {
  const state = await run(
    "return new Promise((resolve) => void auth.login({ navigate: (url) => resolve(new URL(url).searchParams.get('state')) }))",
  );
  const forged = state.slice(0, 12) + "A".repeat(43);
  await open(`/callback?code=stolen&state=${forged}&tab=2`);
  const seen = await begin();
  assert.equal(seen.reason, "callbackFailed");
  assert.equal(seen.error.code, "stale_callback");
  assert.equal(await driver.getCurrentUrl(), `${app.url}/callback?tab=2`);
});

const options = () => ({
  issuer: provider.issuer,
  clientId: "spa",
  redirectUri: `${app.url}/callback`,
  postLogoutRedirectUri: `${app.url}/bye`,
  scope: "openid offline_access",
  apiOrigins: [api.url],
});

/** Runs the body of an async function on the page; its result comes back as data. */
async function run(body, extra = null) {
  const outcome = await driver.executeAsyncScript(
    `const [options, extra, done] = arguments;
     const work = async () => { ${body} };
     attempt(work).then(done);`,
    options(),
    extra,
  );
  if (outcome.error)
    throw new Error(`${body}: ${JSON.stringify(outcome.error)}`);
  return outcome.value;
}

const begin = () => run("start(options); return await auth.ready");

async function open(path) {
  await driver.get(app.url + path);
  await loaded();
}

const loaded = () =>
  driver.wait(
    () => driver.executeScript("return 'createAuth' in window"),
    WAIT,
  );

/** Starts something that leaves the page. */
const leave = (call) => driver.executeScript(`void ${call}`);

/** Waits for the application's page at this address. */
async function arrived(path) {
  await driver.wait(until.urlContains(app.url + path), WAIT);
  await loaded();
}
