import { OidcClient, OidcLocation } from "@axa-fr/oidc-client";

const storages = { session: sessionStorage, local: localStorage };

/** Leaves the page, unless somebody wants to know where to. */
class Location extends OidcLocation {
  gone = undefined;
  open(url) {
    if (this.gone) this.gone(url);
    else super.open(url);
  }
}

export function create({ issuer, clientId, redirectUri, scope, storage }) {
  const place = new Location();
  const client = OidcClient.getOrCreate(
    () => fetch,
    place,
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
    async cachedWith() {
      const { isTokensValid, tokens } = await client.getValidTokenAsync(
        200,
        50,
      );
      if (!isTokensValid || !tokens) throw new Error("no valid token");
      return tokens.accessToken;
    },
    loginUrl: () =>
      new Promise((resolve, reject) => {
        place.gone = resolve;
        client.loginAsync("/").catch(reject);
      }),
  };
}
