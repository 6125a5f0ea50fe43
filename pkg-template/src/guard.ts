// What a guarded place does, the same in every framework.

import { refuse } from "./options.js";
import type { Auth, AuthState, SignedOutReason } from "./types.js";

/** What is wanted where somebody has to be signed in. */
export type Guarded = "wait" | "show" | "login" | "refuse";

/** Reasons for which a login may be started without the user's doing: there is no session, or it came to its end. */
const MAY_LOGIN: readonly SignedOutReason[] = [
  "noSession",
  "expired",
  "refreshRejected",
  "answerLost",
  "interactionRequired",
];

/** Never a login after a failed callback, a logout, or a change of user: that would be a loop, or against the user's will. */
export function guarded(state: AuthState<unknown>): Guarded {
  if (state.status === "loading") return "wait";
  if (state.status === "signedIn") return "show";
  return MAY_LOGIN.includes(state.reason) ? "login" : "refuse";
}

/** The client that an adapter was given. `where` names what was forgotten. */
export function provided<TUser>(
  auth: Auth<TUser> | null | undefined,
  where: string,
): Auth<TUser> {
  if (typeof auth?.subscribe !== "function") throw refuse(where, "missing");
  return auth;
}
