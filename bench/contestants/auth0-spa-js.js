import { Auth0Client } from "@auth0/auth0-spa-js";

/** Its own choices are memory and localStorage; for sessionStorage it takes a cache of the application's. */
const sessionCache = {
  get: (key) => JSON.parse(sessionStorage.getItem(key) ?? "null") ?? undefined,
  set: (key, entry) => sessionStorage.setItem(key, JSON.stringify(entry)),
  remove: (key) => sessionStorage.removeItem(key),
  allKeys: () => Object.keys(sessionStorage),
};

const storages = {
  session: { cache: sessionCache },
  local: { cacheLocation: "localstorage" },
};

export function create({ issuer, clientId, redirectUri, scope, storage }) {
  const client = new Auth0Client({
    // The issuer is this and a slash.
    domain: issuer.replace(/\/$/, ""),
    clientId,
    useRefreshTokens: true,
    authorizationParams: { redirect_uri: redirectUri, scope },
    ...storages[storage],
  });
  let user;
  return {
    async start() {
      if (new URLSearchParams(location.search).has("code")) {
        await client.handleRedirectCallback();
        history.replaceState(null, "", "/");
      } else {
        await client.checkSession();
      }
      user = await client.getUser();
    },
    signIn: () => client.loginWithRedirect(),
    async signOut() {
      await client.logout({ openUrl: false });
      user = await client.getUser();
    },
    signedIn: () => user !== undefined,
    async token() {
      try {
        return await client.getTokenSilently();
      } finally {
        user = await client.getUser();
      }
    },
    cached: () => client.getTokenSilently(),
    cachedWith: () => client.getTokenSilently({ cacheMode: "on" }),
    loginUrl: () =>
      new Promise((resolve, reject) => {
        client.loginWithRedirect({ openUrl: resolve }).catch(reject);
      }),
  };
}
