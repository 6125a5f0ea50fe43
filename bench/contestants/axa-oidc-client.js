import { OidcClient, OidcLocation } from "@axa-fr/oidc-client";

const storages = { session: sessionStorage, local: localStorage };

export function create({ issuer, clientId, redirectUri, scope, storage }) {
  const client = OidcClient.getOrCreate(
    () => fetch,
    new OidcLocation(),
  )({
    authority: issuer.replace(/\/$/, ""),
    client_id: clientId,
    redirect_uri: redirectUri,
    scope,
    storage: storages[storage],
  });
  return {
    async start() {
      if (new URLSearchParams(location.search).has("code")) {
        await client.loginCallbackAsync();
        history.replaceState(null, "", "/");
      } else {
        await client.tryKeepExistingSessionAsync();
      }
    },
    signIn: () => client.loginAsync("/"),
    // Its logout leaves the page.
    signOut: () => client.clearSessionAsync(),
    signedIn: () => Boolean(client.tokens),
    async token() {
      const { isTokensValid, tokens } = await client.getValidTokenAsync();
      if (!isTokensValid || !tokens) throw new Error("no valid token");
      return tokens.accessToken;
    },
  };
}
