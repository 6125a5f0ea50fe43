// What the end-to-end tests stand on: the test application, the real provider, a scripted one, and a page that is watched.

import { test as base, expect } from "@playwright/test";
import { startApi } from "../../www-demo/op/api.mjs";
import { startProvider } from "../../www-demo/op/provider.mjs";
import { bundlePage, startApp } from "./app.mjs";
import { leakIn } from "./leaks.mjs";
import { secrets, startScripted } from "./scripted.mjs";

export { expect };

/** For `test.use`: without pictures of a page that shows nothing, which cost more than the tests. */
export const quick = {
  trace: { mode: "retain-on-failure", snapshots: false, screenshots: false },
};

/** Notes the errors of a page that nobody caught. */
export const watchErrors = (page, uncaught) =>
  page.on("pageerror", (error) => {
    // Firefox counts what CORS, a policy or a service worker kept from a page among its errors, and an empty answer to an XMLHttpRequest.
    const kept =
      /^(Cross-Origin Request Blocked:|Content-Security-Policy:|Failed to load ‘|XML Parsing Error:)/;
    if (!kept.test(String(error))) uncaught.push(String(error));
  });

export const test = base.extend({
  /** What the application consists of. */
  scripts: [async ({}, use) => use(await bundlePage()), { scope: "worker" }],

  /** The servers that a worker keeps. */
  servers: [
    async ({ scripts }, use) => {
      const app = await startApp(scripts);
      const other = await startApp(scripts);
      const provider = await startProvider({
        clients: [
          client("spa", app.url),
          client("spa-es256", app.url, "ES256"),
          client("spa-ps256", app.url, "PS256"),
          client("spa-ed25519", app.url, "Ed25519"),
          {
            ...client("spa-signed", app.url),
            userinfo_signed_response_alg: "ES256",
          },
        ],
      });
      const api = await startApi({
        introspect: provider.control.introspect,
        appOrigins: [app.url],
      });
      await use({ app, other, provider, api });
      const all = [app, other, provider, api];
      await Promise.all(all.map((server) => server.close()));
    },
    { scope: "worker" },
  ],

  /** The application. */
  app: async ({ servers: { app } }, use) => {
    app.reset();
    await use(app);
  },

  /** The same on another origin. */
  other: async ({ servers: { other } }, use) => {
    other.reset();
    await use(other);
  },

  /** An API that takes the tokens of the real provider. */
  api: async ({ servers: { api } }, use) => {
    api.requests.length = 0;
    await use(api);
  },

  /** The real provider, as if just started. */
  op: async ({ servers: { provider } }, use) => {
    const { issuer, control } = provider;
    control.resetCounters();
    await use({ issuer, control, clientId: "spa" });
    control.clearFaults();
    control.setAccessTokenTtl(300);
    for (const endpoint of ["discovery", "token", "jwks", "userinfo"])
      control.setDelay(endpoint, 0);
  },

  /** A provider that can lie; each test has its own. A lie that nobody heard is a test that tested nothing. */
  scripted: async ({}, use) => {
    const scripted = await startScripted();
    await use(scripted);
    const { untold } = scripted;
    await scripted.close();
    expect(untold, "lies that nobody heard").toEqual([]);
  },

  /** Errors that nobody caught, of every page of the context: each is a failure of its test. */
  uncaught: [
    async ({ context }, use) => {
      const uncaught = [];
      const watch = (page) => watchErrors(page, uncaught);
      context.pages().forEach(watch);
      context.on("page", watch);
      await use(uncaught);
      expect(uncaught, "errors that nobody caught").toEqual([]);
    },
    { auto: true },
  ],

  /** All that clients told, threw and logged, and all that stood in the console: no secret of a scripted provider is in it. */
  produced: [
    async ({ context }, use) => {
      secrets.clear();
      const produced = new Set();
      const watch = (page) => {
        page.on("console", (message) => produced.add(message.text()));
        page.on("pageerror", (error) => produced.add(String(error)));
      };
      context.pages().forEach(watch);
      context.on("page", watch);
      await use(produced);
      // What was said before an answer to this has been heard then.
      for (const page of context.pages()) await page.title().catch(() => {});
      const leak = leakIn([...produced].join("\n"), secrets);
      expect(leak, "a secret that can be seen").toBeUndefined();
    },
    { auto: true },
  ],
});

function client(id, app, alg = "RS256") {
  return {
    client_id: id,
    redirect_uris: [`${app}/callback`],
    post_logout_redirect_uris: [`${app}/bye`],
    id_token_signed_response_alg: alg,
  };
}
