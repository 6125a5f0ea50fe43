import { createAuth } from "countersign";

const storages = { session: "session", local: localStorage };

export function create({ issuer, clientId, redirectUri, scope, storage }) {
  const auth = createAuth({
    issuer,
    clientId,
    redirectUri,
    scope,
    storage: storages[storage],
  });
  return {
    // The callback completes by itself.
    start: () => auth.ready,
    signIn: () => auth.login({ returnTo: "/" }),
    signOut: () => auth.logout({ navigate: () => {} }),
    signedIn: () => auth.state.status === "signedIn",
    token: () => auth.getAccessToken(),
  };
}
