import type {
  Auth,
  AuthState,
  IdTokenClaims,
  LoginOptions,
  SignedInState,
} from "countersign";

/** The client as runes see it. */
export interface ReactiveAuth<
  TUser = IdTokenClaims,
> extends AuthActions<TUser> {
  /** The state of the client; what reads it in a template, an `$effect` or a `$derived` runs again when it changes. */
  readonly current: AuthState<TUser>;
}

/** Makes a client's state something that runes follow. The client is listened to as long as somebody reads it. */
export declare function reactive<TUser>(auth: Auth<TUser>): ReactiveAuth<TUser>;

/** Gives a client to a component and all below it, for {@link getAuth}. Called while the component is set up. */
export declare function setAuth<TUser>(auth: Auth<TUser>): ReactiveAuth<TUser>;

/** The client that a component above was given by {@link setAuth}. Called while the component is set up. */
export declare function getAuth<TUser = IdTokenClaims>(): ReactiveAuth<TUser>;

/** For a SvelteKit `load` with `export const ssr = false`: the state of who is signed in, or a login that never comes back. Where none may be started, after a failed callback or a logout, it throws what is to be shown; so it does to a preload, before anybody has asked for the place, and SvelteKit loads again then. */
export declare function requireAuth<TUser>(
  auth: Auth<TUser>,
  event: {
    readonly url: URL;
  },
  options?: LoginOptions,
): Promise<SignedInState<TUser>>;

/** What every adapter gives beside the state. */
type AuthActions<TUser = IdTokenClaims> = Pick<
  Auth<TUser>,
  "login" | "logout" | "getAccessToken" | "fetch" | "fetchUserInfo"
>;

export {};
