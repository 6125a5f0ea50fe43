import { UserManager, WebStorageStateStore } from "oidc-client-ts";

const storages = { session: sessionStorage, local: localStorage };

export function create({ issuer, clientId, redirectUri, scope, storage }) {
  const settings = {
    authority: issuer,
    client_id: clientId,
    redirect_uri: redirectUri,
    scope,
    userStore: new WebStorageStateStore({ store: storages[storage] }),
  };
  const manager = new UserManager(settings);
  let user;
  /** One that does not leave the page. */
  let staying;
  let gone;
  return {
    async start() {
      if (new URLSearchParams(location.search).has("code")) {
        await manager.signinCallback();
        history.replaceState(null, "", "/");
      }
      // Also starts its own renewal, a minute before the token expires.
      user = await manager.getUser();
    },
    signIn: () => manager.signinRedirect(),
    async signOut() {
      await manager.revokeTokens().catch(() => {});
      await manager.removeUser();
      user = null;
    },
    signedIn: () => Boolean(user),
    async token() {
      user = await manager.getUser();
      if (user?.expired) user = await manager.signinSilent();
      if (!user) throw new Error("nobody is signed in");
      return user.access_token;
    },
    async cached() {
      const user = await manager.getUser();
      if (user.expired) return (await manager.signinSilent()).access_token;
      return user.access_token;
    },
    loginUrl: () =>
      new Promise((resolve, reject) => {
        gone = resolve;
        staying ??= new UserManager(
          { ...settings, automaticSilentRenew: false },
          {
            prepare: async () => ({
              navigate: async ({ url }) => gone(url),
              close: () => {},
            }),
            callback: async () => {},
          },
        );
        staying.signinRedirect().catch(reject);
      }),
  };
}
