import Keycloak from "keycloak-js";

/** Its refresh tokens are JWTs; the provider's are in those that stand for them. */
const send = window.fetch;
window.fetch = (url, init) => {
  const jwt =
    init?.body instanceof URLSearchParams && init.body.get("refresh_token");
  if (jwt) {
    const claims = jwt.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
    init.body.set("refresh_token", JSON.parse(atob(claims)).token);
  }
  return send(url, init);
};

export function create({ issuer, clientId, redirectUri, scope }) {
  const keycloak = new Keycloak({
    clientId,
    // At its own server it knows the endpoints from the realm's URL and asks for no document.
    oidcProvider: {
      authorization_endpoint: `${issuer}authorize`,
      token_endpoint: `${issuer}token`,
    },
  });
  return {
    async start() {
      await keycloak.init({
        pkceMethod: "S256",
        scope,
        redirectUri,
        checkLoginIframe: false,
      });
      if (keycloak.authenticated) history.replaceState(null, "", "/");
    },
    signIn: () => keycloak.login(),
    signedIn: () => Boolean(keycloak.authenticated),
    async cached() {
      await keycloak.updateToken();
      return keycloak.token;
    },
    async cachedWith() {
      await keycloak.updateToken(30);
      return keycloak.token;
    },
    loginUrl: () => keycloak.createLoginUrl(),
  };
}
