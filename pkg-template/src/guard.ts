// What a guarded place does, the same in every framework.

import { isAuthError } from "./errors.js";
import { refuse } from "./options.js";
import type {
  Auth,
  AuthState,
  IdTokenClaims,
  LoadingState,
  LoginOptions,
  SignedOutReason,
} from "./types.js";

/** What every adapter gives beside the state. */
export type AuthActions<TUser = IdTokenClaims> = Pick<
  Auth<TUser>,
  "login" | "logout" | "getAccessToken" | "fetch" | "fetchUserInfo"
>;

/** They are bound already. */
export function actionsOf<TUser>(auth: Auth<TUser>): AuthActions<TUser> {
  const { login, logout, getAccessToken, fetch, fetchUserInfo } = auth;
  return { login, logout, getAccessToken, fetch, fetchUserInfo };
}

/** What a server renders, and so what the first render in the browser has to be. */
export const LOADING: LoadingState = {
  status: "loading",
  user: null,
  error: null,
};

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
export function guarded(
  auth: Auth<unknown>,
  state: AuthState<unknown> = auth.state,
): Guarded {
  if (state.status === "loading") return "wait";
  if (state.status === "signedIn") return "show";
  const { error, reason } = state;
  // A response that the application handles itself says who is signed in.
  if (typeof window !== "undefined" && auth.isCallback(location.href))
    return "wait";
  // To a login with `prompt: "none"`: the next one would be answered alike. One that a refresh asks for is another thing.
  const silent =
    reason === "interactionRequired" && error?.code === "authorization_error";
  return MAY_LOGIN.includes(reason) && !silent ? "login" : "refuse";
}

/** What a guarded place does, as soon as that is certain. */
export async function decided(auth: Auth<unknown>): Promise<Guarded> {
  await auth.ready;
  let end!: () => void;
  await new Promise<void>((known) => {
    end = auth.subscribe(() => {
      if (guarded(auth) !== "wait") known();
    });
  });
  end();
  // A response that was taken from the address bar may be on its way yet. What comes of it is in the state.
  if (guarded(auth) === "login" && auth.isCallback())
    await auth.handleCallback().catch(() => {});
  return guarded(auth);
}

/** The client that an adapter was given. `where` names what was forgotten. */
export function provided<TUser>(
  auth: Auth<TUser> | null | undefined,
  where: string,
): Auth<TUser> {
  if (typeof auth?.subscribe !== "function") throw refuse(where, "missing");
  return auth;
}

/** Logins that guarded places have started. */
const started = new WeakMap<object, Promise<never>>();

/** The login of a guarded place: two places of a page, and one that is mounted twice, share it. */
export function enter<TUser>(
  auth: Auth<TUser>,
  options: LoginOptions | undefined,
): Promise<never> {
  let login = started.get(auth);
  if (!login) {
    login = auth.login(options).finally(() => started.delete(auth));
    started.set(auth, login);
  }
  return login;
}

/** Whether a login ended because the user came back to a page that the browser had kept. Such a place does what it would do on a page that is loaded anew. */
export function cameBack(
  thrown: unknown,
  options: LoginOptions | undefined,
): boolean {
  return isAuthError(thrown, "aborted") && !options?.signal?.aborted;
}
