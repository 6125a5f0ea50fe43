// The systems that countersign was asked for, and plain oidc-provider: each fresh for its test, with an API that takes its
// tokens, and with a relay before it where it wants a client secret.

import { startApi } from "../../www-demo/op/api.mjs";
import { startProvider } from "../../www-demo/op/provider.mjs";
import { createRelay } from "../../www-demo/relay.mjs";
import {
  startAuth0,
  startCidaas,
  startPagero,
  startUpbond,
} from "../providers/index.mjs";
import { begin, call, open, signInReally, storedSession } from "./driver.mjs";
import { expect, test as base } from "./fixtures.mjs";
import { secrets } from "./scripted.mjs";

export const clientSecret = "s3cret/with:signs";
/** What the application calls its relay by. */
export const relay = {
  tokenEndpoint: "/oauth/token",
  revocationEndpoint: "/oauth/revoke",
};

/** How each is started, which options of `countersign/providers` it has, and what its relay needs to know. */
const kinds = {
  "oidc-provider": { start: startProvider },
  Auth0: { start: startAuth0, provider: "auth0" },
  UPBOND: {
    start: startUpbond,
    provider: "upbond",
    endpoints: ["/oauth/token", "/oauth/revoke"],
    upstream: { authMethod: "body", revocation: "json" },
  },
  cidaas: { start: startCidaas, provider: "cidaas" },
  Pagero: {
    start: startPagero,
    provider: "pagero",
    args: (domain) => [{ domain, ...relay }],
    endpoints: ["/oauth/v2/oauth-token", "/oauth/v2/oauth-revoke"],
    isSecret: true,
  },
};

export const test = base.extend({
  /**
   * `await meet(name, wishes)` starts a system and opens the application. Of the wishes `args(url)` goes to
   * `countersign/providers`, `server` to the emulation, `isSecret` is a client behind the relay; the rest are options.
   */
  meet: async ({ app, page }, use) => {
    const running = [];
    const meet = async (name, { args, server, isSecret, ...more } = {}) => {
      const kind = kinds[name];
      const client = {
        client_id: "spa",
        redirect_uris: [`${app.url}/callback`],
        post_logout_redirect_uris: [`${app.url}/bye`],
      };
      if (isSecret ?? kind.isSecret) client.client_secret = clientSecret;
      const op = await kind.start({ clients: [client], ...server });
      running.push(op);
      const { control, issuer, url = issuer } = op;
      const { introspect } = control;
      const api = await startApi({ introspect, appOrigins: [app.url] });
      running.push(api);
      if (client.client_secret) app.ask(relayTo(url, app, kind));
      await open(page, app);
      const given = (args ?? kind.args ?? ((url) => [url]))(url);
      const provided = await page.evaluate(
        ([provider, given]) => providers[provider]?.(...given),
        [kind.provider, given],
      );
      const options = {
        ...(provided ?? { issuer }),
        clientId: "spa",
        redirectUri: `${app.url}/callback`,
        postLogoutRedirectUri: `${app.url}/bye`,
        apiOrigins: [api.url],
        ...more,
      };
      const sent = [];
      page.on("request", (request) => sent.push(request));
      return { url, issuer, control, client, api, options, sent };
    };
    await use(meet);
    await Promise.all(running.map((server) => server.close()));
  },
});

function relayTo(url, app, { endpoints, upstream }) {
  secrets.add(clientSecret);
  const [tokenEndpoint, revocationEndpoint] = endpoints.map(
    (path) => url + path,
  );
  return createRelay({
    tokenEndpoint,
    revocationEndpoint,
    clientId: "spa",
    clientSecret,
    origins: [app.url],
    redirectUris: [`${app.url}/callback`],
    ...upstream,
  });
}

/** Signs in with the buttons of its own login page, and comes back: gives the first state. */
export async function signIn(page, app, system, login) {
  await signInReally(page, app, system.options, login);
  return come(page, system);
}

/** The state of the page that a login came back to. */
export async function come(page, { options }) {
  const state = await begin(page, options);
  if (state.status === "signedIn") await session(page, { options });
  return state;
}

/** What is stored of the session; none of it may be seen elsewhere. */
export async function session(page, { options }) {
  const { record } = await storedSession(page, options);
  const { refresh_token, id_token } = record.grant;
  const { access_token } = record.view.tokens[""];
  for (const token of [refresh_token, id_token, access_token])
    if (token) secrets.add(token);
  return { refresh_token, id_token, access_token };
}

/** Refreshes now: `{ value }` or `{ error }`. */
export const refresh = (page) =>
  call(page, "getAccessToken", { forceRefresh: true });

/** Calls the API with the token, by `auth.fetch`. */
export function callApi(page, { api }) {
  return page.evaluate(
    (url) =>
      attempt(async () => {
        const response = await auth.fetch(url);
        return { status: response.status, body: await response.json() };
      }),
    `${api.url}/me`,
  );
}

export const stateOf = (page) => page.evaluate(() => plain(auth.state));

/** The claims of a JWT that was checked elsewhere. */
export const claimsOf = (jwt) =>
  JSON.parse(Buffer.from(jwt.split(".")[1], "base64url").toString());

/** The last request to such an endpoint, as the browser sent it. */
export function lastTo({ sent }, url) {
  const request = sent.findLast((one) => one.url().split("?")[0] === url);
  expect(request, `a request to ${url}`).toBeDefined();
  return request;
}

/** What the server says to a refresh token, when it is asked past the browser. */
export async function present({ url, client }, path, refresh_token) {
  const body = new URLSearchParams({
    grant_type: "refresh_token",
    refresh_token,
    client_id: client.client_id,
    ...(client.client_secret ? { client_secret: client.client_secret } : {}),
  });
  const answer = await fetch(url + path, { method: "POST", body });
  return answer.status;
}
