import { setPriority } from "node:os";
import { chromium } from "playwright";
import { findEngine, missing } from "../../scripts/browsers.mjs";
import { startProvider } from "../../www-demo/op/provider.mjs";
import { editAnswers, inside } from "./answers.mjs";
import { aheadBy, takeClock } from "./clock.mjs";
import { startSite } from "./site.mjs";

/** Seconds that an access token lives. */
export const lifetime = 300;

/** Milliseconds that a token answer takes at the least. */
export const tokenDelay = 50;

/** A contestant is another client in each storage, so that its requests can be told apart. */
export const clientOf = ({ name }, storage) => `${name}-${storage}`;

/**
 * Starts what all contestants share: one provider with rotation, detection of reuse and no grace period, and one browser;
 * and a site for each of them.
 *
 * `inline` are the scripts of page/ that run before everything else, `delays` what answers take beside the token's,
 * `isolated` gives pages the finer clock of cross-origin isolation, `life` are the seconds that an access token lives.
 */
export async function startStage(
  contestants,
  { inline = ["clock"], delays = {}, isolated = false, life = lifetime } = {},
) {
  const lack = missing("chromium");
  if (lack) throw new Error(lack);
  takeClock();
  // The browser and the provider inherit it: whoever works at this machine comes first.
  setPriority(5);
  const provider = await startProvider({
    issuerPath: "/",
    // Where auth0-spa-js and logto look.
    aliases: {
      "/oauth/token": "/token",
      "/oidc/.well-known/openid-configuration":
        "/.well-known/openid-configuration",
    },
    // keycloak-js asks with cookies, as its own server allows.
    credentials: true,
    ttl: { accessToken: life, refreshToken: 365 * 24 * 3600 },
    delays: { token: tokenDelay, ...delays },
  });
  const { control, issuer } = provider;
  const sites = new Map();
  for (const contestant of contestants) {
    const site = await startSite(contestant, {
      introspect: (token) => control.introspect(inside(token)),
      inline,
      isolated,
    });
    sites.set(contestant.name, site);
    for (const storage of contestant.storages)
      await control.setClient({
        client_id: clientOf(contestant, storage),
        redirect_uris: [`${site.url}/callback`],
      });
  }
  const readers = contestants
    .filter(({ jwt }) => jwt)
    .flatMap((one) => one.storages.map((storage) => clientOf(one, storage)));
  editAnswers(control, readers);
  const browser = await chromium.launch({
    executablePath: findEngine("chromium").browser,
    // Else tabs beyond a number that depends on the memory would share their processes.
    args: [
      "--renderer-process-limit=200",
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
    ],
  });

  return {
    control,
    browser,
    site: ({ name }) => sites.get(name),
    /** What the page of a contestant is told. */
    settings: (contestant, storage) => ({
      issuer,
      clientId: clientOf(contestant, storage),
      redirectUri: `${sites.get(contestant.name).url}/callback`,
      scope: "openid offline_access",
      storage,
    }),
    aheadBy,
    /** Passes every token answer through `also`, until the next call. */
    editAnswers: (also) => editAnswers(control, readers, also),
    /** How many renderer processes there are. */
    async renderers() {
      const session = await browser.newBrowserCDPSession();
      const { processInfo } = await session.send("SystemInfo.getProcessInfo");
      await session.detach();
      return processInfo.filter(({ type }) => type === "renderer").length;
    },
    async close() {
      await browser.close();
      await provider.close();
      await Promise.all([...sites.values()].map((site) => site.close()));
    },
  };
}
