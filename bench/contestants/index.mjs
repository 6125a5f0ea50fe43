import { readFileSync } from "node:fs";
import { join } from "node:path";
import { inCheckout } from "../../scripts/checkout.mjs";
import { packageDirectory } from "../../tests/support/app.mjs";

const installed = (name) => inCheckout("node_modules", name);

/**
 * Who is measured. Each has an adapter of its name in this folder, which runs in the page and exports
 * `create(settings) -> client`:
 *
 * - `settings` is `{ issuer, clientId, redirectUri, scope, storage, apis? }`, `storage` one of the names below, `apis` those
 *   to sign in for;
 * - `client.start()` does what an application does on every page: completes a callback, takes up a stored session;
 * - `client.signIn()` leaves for the provider, `client.signOut()` ends the session without leaving the page;
 * - `client.signedIn()` says whether there is a session;
 * - `client.token()` gives an access token as the documentation tells an application to get one;
 * - `client.cached()` is the same with nothing around it, for who calls it millions of times (default: `token`), and
 *   `client.cachedWith()` the same with options;
 * - `client.loginUrl()` gives the URL that a login would leave for, by the SDK's own hook; `client.prepareLogin()` is what
 *   has to be done between two of these;
 * - `client.tokenOf(api)` gives the token of an API, `client.renew(api)` gets a new one;
 * - `client.load()` loads what is otherwise loaded when it is first needed.
 *
 * `storages` are those in which a session outlives its page: `"session"` and `"local"`; who has none keeps it in
 * `"memory"`. `lacks` says by the name of a measure why the contestant has no part in it. `sized` is the name in
 * `scripts/bytes.mjs`. A contestant with `jwt` reads the claims of access and refresh tokens, so its answers carry JWTs
 * (support/answers.mjs).
 */
export const contestants = [
  {
    name: "countersign",
    folder: packageDirectory,
    sized: "countersign",
  },
  {
    name: "countersign-external",
    folder: packageDirectory,
    sized: "countersign/external",
    lacks: {
      race: "the same code as countersign",
      soak: "the same code as countersign",
    },
  },
  {
    name: "auth0-spa-js",
    folder: installed("@auth0/auth0-spa-js"),
    sized: "@auth0/auth0-spa-js",
  },
  {
    name: "oidc-client-ts",
    folder: installed("oidc-client-ts"),
    sized: "oidc-client-ts",
    lacks: { "hotpath, with options": "`getUser` has none" },
  },
  {
    name: "keycloak-js",
    folder: installed("keycloak-js"),
    sized: "keycloak-js",
    storages: ["memory"],
    jwt: true,
    lacks: {
      race: "it keeps its session in one page, so tabs share nothing",
      "startup, stored session": "it keeps its session in one page",
      soak: "it keeps its session in one page",
    },
  },
  {
    name: "msal-browser",
    folder: installed("@azure/msal-browser"),
    sized: "@azure/msal-browser",
    lacks: { soak: "no adapter for it: its logout leaves the page" },
  },
  {
    name: "axa-oidc-client",
    folder: installed("@axa-fr/oidc-client"),
    sized: "@axa-fr/oidc-client",
  },
  {
    name: "logto-browser",
    folder: installed("@logto/browser"),
    sized: "@logto/browser",
    storages: ["local"],
    lacks: {
      soak: "no adapter for it: its logout leaves the page",
      "hotpath, with options": "its only option is another API",
    },
  },
].map((one) => ({
  storages: ["session", "local"],
  lacks: {},
  ...one,
  get version() {
    const manifest = readFileSync(join(one.folder, "package.json"), "utf8");
    return JSON.parse(manifest).version;
  },
}));

/** A page without any SDK. */
export const blank = { name: "blank", version: "", storages: [], lacks: {} };

/** Those of these names, all of them when none is named; of a measure, those that do not lack it. */
export function choose(names, measure) {
  const able = contestants.filter(({ lacks }) => !lacks[measure]);
  const known = able.map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new Error(
      `There is no contestant ${unknown.join(", ")}. The contestants: ${known.join(", ")}`,
    );
  return names.length === 0
    ? able
    : able.filter(({ name }) => names.includes(name));
}
