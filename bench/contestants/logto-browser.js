import LogtoClient from "@logto/browser";

export function create({ issuer, clientId, redirectUri }) {
  const client = new LogtoClient({
    endpoint: issuer,
    appId: clientId,
    // It asks for openid, offline_access and profile by itself.
  });
  let signedIn = false;
  return {
    async start() {
      if (await client.isSignInRedirected(location.href)) {
        await client.handleSignInCallback(location.href);
        history.replaceState(null, "", "/");
      }
      signedIn = await client.isAuthenticated();
    },
    signIn: () => client.signIn(redirectUri),
    signedIn: () => signedIn,
    async token() {
      try {
        return await client.getAccessToken();
      } finally {
        signedIn = await client.isAuthenticated();
      }
    },
    cached: () => client.getAccessToken(),
    loginUrl: () =>
      new Promise((resolve, reject) => {
        client.adapter.navigate = resolve;
        client.signIn(redirectUri).catch(reject);
      }),
  };
}
