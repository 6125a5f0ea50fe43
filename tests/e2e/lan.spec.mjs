// An application on plain http beyond loopback, as in a factory or at home: no `crypto.subtle`, no Web Locks.

import {
  begin,
  call,
  open,
  optionsFor,
  signIn,
  signInHere,
} from "../support/driver.mjs";
import { expect, quick, test as base } from "../support/fixtures.mjs";
import { lanOptions, named, startTls } from "../support/lan.mjs";
import { startScripted } from "../support/scripted.mjs";

const test = base.extend({
  launchOptions: [
    async ({ launchOptions, browserName }, use) => {
      await use(lanOptions[browserName](launchOptions));
    },
    { scope: "worker" },
  ],
  ignoreHTTPSErrors: true,
  /** The application by its name on the network. */
  app: async ({ servers: { app } }, use) => {
    app.reset();
    await use({ ...app, url: named(app.url, "app.lan") });
  },
  /** A provider behind TLS. */
  secure: async ({}, use) => {
    const front = await startTls("as.lan");
    const provider = await startScripted({ issuer: front.url });
    front.target = provider.address;
    await use(provider);
    const { untold } = provider;
    await front.close();
    await provider.close();
    expect(untold, "lies that nobody heard").toEqual([]);
  },
  /** A provider on plain http. */
  plain: async ({}, use) => {
    const provider = await startScripted({
      issuer: (address) => named(address, "as.lan"),
    });
    await use(provider);
    await provider.close();
  },
});

test.use(quick);

const warnings = (page) =>
  page.evaluate(() =>
    window.moments
      .filter(({ type }) => type === "warning")
      .map(({ code }) => code)
      .sort(),
  );

test("T41: the page is what it is meant to be: no secure context, no crypto.subtle, no locks", async ({
  page,
  app,
}) => {
  await open(page, app);
  const lacks = await page.evaluate(() => ({
    secure: isSecureContext,
    subtle: typeof crypto.subtle,
    locks: typeof navigator.locks,
  }));
  expect(lacks).toEqual({
    secure: false,
    subtle: "undefined",
    locks: "undefined",
  });
});

test("T41: with an issuer on https it signs in by S256, and says that no signature was checked", async ({
  page,
  app,
  secure,
}) => {
  const state = await signIn(page, app, optionsFor(app, secure));
  expect(state.user.sub).toBe("alice");
  expect(await warnings(page)).toEqual(["signature_unchecked"]);
  const [authorization] = secure.requests.filter(
    ({ endpoint }) => endpoint === "authorization",
  );
  const asked = new URL(authorization.url, secure.issuer).searchParams;
  expect(asked.get("code_challenge_method")).toBe("S256");
  const token = await call(page, "getAccessToken", { forceRefresh: true });
  expect(token.error).toBeUndefined();
  expect(await warnings(page)).toEqual(["no_locks", "signature_unchecked"]);
});

test("a new tab asks nobody for a session, since what it would be given could be read", async ({
  page,
  context,
  app,
  secure,
}) => {
  const options = optionsFor(app, secure, { shareWithNewTabs: true });
  await signIn(page, app, options);
  await call(page, "preload");
  app.reset();
  const second = await context.newPage();
  await open(second, app);
  const status = await second.evaluate((options) => {
    start(options);
    return auth.state.status;
  }, options);
  expect(status).toBe("signedOut");
  await second.evaluate(() => new Promise((idle) => requestIdleCallback(idle)));
  expect(app.loads("share-")).toBe(0);
});

test("T41: every claim is checked there all the same", async ({
  page,
  app,
  secure,
}) => {
  await open(page, app);
  await begin(page, optionsFor(app, secure));
  for (const [claim, value] of [
    ["nonce", "another"],
    ["aud", "another"],
    ["iss", "https://evil.example"],
    ["exp", 1],
    ["at_hash", "AAAAAAAAAAAAAAAAAAAAAA"],
  ]) {
    secure.claimNext((claims) => ({ ...claims, [claim]: value }));
    const { error } = await signInHere(page, secure);
    expect(error, claim).toMatchObject({
      code: "invalid_id_token",
      details: { claim },
    });
  }
  const { value } = await signInHere(page, secure);
  expect(value.state.status).toBe("signedIn");
});

test("T41: an issuer on http is refused, unless it is repeated", async ({
  page,
  app,
  plain: provider,
}) => {
  await open(page, app);
  const options = optionsFor(app, provider);
  const refused = await page.evaluate(
    (options) => attempt(() => createAuth(options)),
    options,
  );
  expect(refused.error).toMatchObject({
    code: "invalid_config",
    details: { option: "issuer" },
  });
  const allowInsecureIssuer = provider.issuer;
  await signIn(page, app, { ...options, allowInsecureIssuer });
  expect(await warnings(page)).toEqual([
    "insecure_issuer",
    "signature_unchecked",
  ]);
});
