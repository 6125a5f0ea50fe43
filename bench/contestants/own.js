const storages = { session: "session", local: localStorage };

/** The adapter of one of the two entries. */
export const adapt =
  (createAuth, more) =>
  ({ issuer, clientId, redirectUri, scope, storage, apis }) => {
    const auth = createAuth({
      issuer,
      clientId,
      redirectUri,
      scope,
      storage: storages[storage],
      ...(apis && { authorizationParams: { resource: apis } }),
      ...more,
    });
    return {
      // The callback completes by itself.
      async start() {
        const { error } = await auth.ready;
        if (error) throw error;
      },
      signIn: () => auth.login({ returnTo: "/" }),
      signOut: () => auth.logout({ navigate: () => {} }),
      signedIn: () => auth.state.status === "signedIn",
      token: () => auth.getAccessToken(),
      cachedWith: () => auth.getAccessToken({ minValidity: 30 }),
      loginUrl: () =>
        new Promise((resolve, reject) => {
          auth.login({ returnTo: "/", navigate: resolve }).catch(reject);
        }),
      tokenOf: (resource) => auth.getAccessToken({ resource }),
      renew: (resource) =>
        auth.getAccessToken({ resource, forceRefresh: true }),
      load: () => auth.preload(),
    };
  };
