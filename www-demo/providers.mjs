import { randomBytes } from "node:crypto";

import {
  startAuth0,
  startCidaas,
  startPagero,
  startUpbond,
} from "../tests/providers/index.mjs";
import { startProvider } from "./op/provider.mjs";
import { createRelay } from "./relay.mjs";

const clientId = "countersign-demo";

/** The pages of dev servers, where an application of a visitor's own may sign in at the first provider. */
export const visitorPorts = [1234, 3000, 4173, 4200, 5173, 8000, 8080];
const visitors = visitorPorts.flatMap((port) => [
  `http://localhost:${port}/`,
  `http://127.0.0.1:${port}/`,
]);

/** The client of such an application. */
export const visitor = {
  client_id: "my-app",
  redirect_uris: visitors,
  post_logout_redirect_uris: visitors,
};

/**
 * What the demo can sign in at. `path` is the page that does so and its redirect URI, `start` makes the provider.
 * With `relay` the client has a secret, which only the relay knows; it says which endpoints are relayed, and how.
 */
const kinds = [
  {
    id: "local",
    path: "/",
    start: ({ clients, ...options }) =>
      startProvider({ clients: [...clients, visitor], ...options }),
  },
  { id: "auth0", path: "/auth0", start: startAuth0 },
  { id: "upbond", path: "/upbond", start: startUpbond },
  { id: "cidaas", path: "/cidaas", start: startCidaas },
  {
    id: "pagero",
    path: "/pagero",
    async start(options) {
      const started = await startPagero(options);
      // It publishes no metadata; this is what its callbacks name.
      return { ...started, issuer: started.url };
    },
    relay: (url) => ({
      tokenEndpoint: `${url}/oauth/v2/oauth-token`,
      revocationEndpoint: `${url}/oauth/v2/oauth-revoke`,
    }),
  },
];

/** Starts all of them, on loopback, for the page at `pageUrl`. */
export async function startProviders({ pageUrl, log }) {
  const started = [];
  try {
    for (const kind of kinds)
      started.push(await startOne({ ...kind, pageUrl, log }));
  } catch (error) {
    await Promise.all(started.map(({ close }) => close()));
    throw error;
  }
  return started;
}

async function startOne({ id, path, start, relay, pageUrl, log }) {
  const page = pageUrl + path;
  const client = {
    client_id: clientId,
    redirect_uris: [page],
    post_logout_redirect_uris: [page],
  };
  const clientSecret = relay && randomBytes(24).toString("base64url");
  if (relay) client.client_secret = clientSecret;
  const say = (line) => log(`${id.padEnd(9)} ${line}`);
  const provider = await start({
    clients: [client],
    appOrigins: [pageUrl],
    log: say,
  });
  const { issuer, url = issuer, control, close } = provider;
  const ownTtl = control.accessTokenTtl;
  const running = { id, path, clientId, issuer, url, ownTtl, control, close };
  if (!relay) return running;
  const endpoints = {
    tokenEndpoint: `${path}/oauth/token`,
    revocationEndpoint: `${path}/oauth/revoke`,
  };
  const handle = createRelay({
    ...relay(url),
    clientId,
    clientSecret,
    origins: [pageUrl],
    redirectUris: [page],
    tokenPath: endpoints.tokenEndpoint,
    revocationPath: endpoints.revocationEndpoint,
    log: (line) => say(`(relay) ${line}`),
  });
  return { ...running, relay: { endpoints, handle } };
}
