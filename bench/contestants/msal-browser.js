import {
  CacheLookupPolicy,
  PublicClientApplication,
} from "@azure/msal-browser";

const cacheLocations = { session: "sessionStorage", local: "localStorage" };

export function create({ issuer, clientId, redirectUri, scope, storage }) {
  // It takes no authority but an https one, which is asked for nothing: the endpoints are told, as Microsoft's are built in.
  const authority = issuer.replace("http:", "https:");
  const scopes = scope.split(" ");
  let gone = () => true;
  const make = async () => {
    const app = new PublicClientApplication({
      auth: {
        clientId,
        redirectUri,
        authority,
        knownAuthorities: [new URL(authority).host],
        authorityMetadata: JSON.stringify({
          issuer,
          authorization_endpoint: `${issuer}authorize`,
          token_endpoint: `${issuer}token`,
          jwks_uri: `${issuer}jwks`,
        }),
        onRedirectNavigate: (url) => gone(url),
      },
      cache: { cacheLocation: cacheLocations[storage] },
      system: { protocolMode: "OIDC" },
    });
    await app.initialize();
    return app;
  };
  let app;
  const login = () =>
    app.loginRedirect({ scopes, redirectStartPage: location.origin });
  const acquire = async (request) =>
    (await app.acquireTokenSilent(request)).accessToken;
  return {
    async start() {
      app = await make();
      const result = await app.handleRedirectPromise({
        navigateToLoginRequestUrl: false,
      });
      if (result) history.replaceState(null, "", "/");
      const account = result?.account ?? app.getAllAccounts()[0];
      if (account) app.setActiveAccount(account);
    },
    signIn: login,
    signedIn: () => Boolean(app.getActiveAccount()),
    token: () => acquire({ scopes }),
    cachedWith: () =>
      acquire({ scopes, cacheLookupPolicy: CacheLookupPolicy.Default }),
    // A client lets one login leave and refuses the next.
    async prepareLogin() {
      app = await make();
    },
    loginUrl: () =>
      new Promise((resolve, reject) => {
        gone = (url) => {
          resolve(url);
          return false;
        };
        login().catch(reject);
      }),
  };
}
