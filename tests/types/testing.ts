// What `countersign/testing` takes and gives. Compiled, not run.

import type { Auth, IdTokenClaims } from "countersign";
import {
  createAuthError,
  createFakeAuth,
  signedIn,
  signedOut,
  type FakeAuth,
} from "countersign/testing";

const takes = (_: Auth): void => {};
const auth = createFakeAuth();
takes(auth);
takes(createFakeAuth(signedIn({ name: "Ada" })));
createFakeAuth(signedOut("expired"), { apiOrigins: ["https://api.example"] });

// Claims of an application's own.
const roles: FakeAuth<IdTokenClaims & { roles: readonly string[] }> =
  createFakeAuth(signedIn<{ roles: readonly string[] }>({ roles: ["admin"] }));
if (roles.state.user) roles.state.user.roles.length;
roles.emit("signedIn", {
  user: signedIn({ roles: ["admin"] }).user,
  via: "callback",
});
// @ts-expect-error a claim has its type
signedIn({ sub: 7 });
// @ts-expect-error and a reason is one that there is
signedOut("bored");

// A call has the arguments of its method.
for (const call of auth.calls) {
  if (call.method === "login") call.args[0]?.returnTo;
  // @ts-expect-error that is the login's
  if (call.method === "logout") call.args[0]?.returnTo;
}

// Details belong to their code.
const error = createAuthError("login_required", { reason: "expired" });
auth.setState(signedOut("callbackFailed", error));
auth.fail("getAccessToken", error);
// @ts-expect-error not those of another
createAuthError("network", { reason: "expired" });
// @ts-expect-error it cannot fail
auth.fail("dispose", error);
// @ts-expect-error who is signed in has a user
auth.setState({ ...signedIn(), user: null });

// Plain OAuth: no user.
const plain = createFakeAuth<null>({ ...signedIn(), user: null });
export const nobody: null = plain.state.user;
