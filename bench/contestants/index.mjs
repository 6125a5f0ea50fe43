import { readFileSync } from "node:fs";
import { join } from "node:path";
import { inCheckout } from "../../scripts/checkout.mjs";
import { packageDirectory } from "../../tests/support/app.mjs";

const installed = (name) => inCheckout("node_modules", name);

/**
 * Who is measured. Each has an adapter of its name in this folder, which runs in the page and exports
 * `create(settings) -> client`:
 *
 * - `settings` is `{ issuer, clientId, redirectUri, scope, storage }`, `storage` one of the names below;
 * - `client.start()` does what an application does on every page: completes a callback, takes up a stored session;
 * - `client.signIn()` leaves for the provider, `client.signOut()` ends the session without leaving the page;
 * - `client.signedIn()` says whether there is a session;
 * - `client.token()` gives an access token as the documentation tells an application to get one.
 *
 * `storages` are those in which a session outlives its page: `"session"` and `"local"`.
 */
export const contestants = [
  { name: "countersign", folder: packageDirectory },
  { name: "auth0-spa-js", folder: installed("@auth0/auth0-spa-js") },
  { name: "oidc-client-ts", folder: installed("oidc-client-ts") },
  { name: "axa-oidc-client", folder: installed("@axa-fr/oidc-client") },
].map((one) => ({
  storages: ["session", "local"],
  ...one,
  get version() {
    const manifest = readFileSync(join(one.folder, "package.json"), "utf8");
    return JSON.parse(manifest).version;
  },
}));

/** Those of these names, all of them when none is named. */
export function choose(names) {
  const known = contestants.map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new Error(
      `There is no contestant ${unknown.join(", ")}. The contestants: ${known.join(", ")}`,
    );
  return names.length === 0
    ? contestants
    : contestants.filter(({ name }) => names.includes(name));
}
