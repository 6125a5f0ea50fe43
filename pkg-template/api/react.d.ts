import type {
  AnyAuthError,
  Auth,
  AuthState,
  IdTokenClaims,
  LoginOptions,
} from "countersign";

import type { ReactElement, ReactNode } from "react";

/** The state and the actions; a union, so that `status` narrows `user` also after destructuring. */
export type UseAuth<TUser = IdTokenClaims> = AuthState<TUser> &
  AuthActions<TUser>;

export interface RequireAuthProps {
  readonly children?: ReactNode;
  /** Shown until it is known who is signed in, and while the page is left. @default nothing */
  readonly fallback?: ReactNode;
  /** Shown where nobody is signed in and no login may be started, such as after a logout: a place for a button. @default `fallback` */
  readonly signedOut?: ReactNode;
  /** Shown after a failed callback, and when the login that was started here is refused. @default thrown, to the nearest error boundary: an error that nobody shows would look like a page that loads for ever */
  readonly error?: (error: AnyAuthError) => ReactNode;
  /** Options of the login that is started here. */
  readonly login?: LoginOptions;
}

/** Hands a client to {@link useAuth} and {@link RequireAuth}. */
export declare function AuthProvider<TUser>(props: {
  readonly auth: Auth<TUser>;
  readonly children?: ReactNode;
}): ReactElement;

/** The state, and what can be done about it; of the {@link AuthProvider}'s client, or, with its type, of the one that is passed. */
export declare function useAuth<TUser = IdTokenClaims>(
  auth?: Auth<TUser>,
): UseAuth<TUser>;

/** Shows its children to whoever is signed in, and starts the login where there is no session; never after a failed callback or a logout. */
export declare function RequireAuth(props: RequireAuthProps): ReactElement;

/** What every adapter gives beside the state. */
export type AuthActions<TUser = IdTokenClaims> = Pick<
  Auth<TUser>,
  "login" | "logout" | "getAccessToken" | "fetch" | "fetchUserInfo"
>;

export {};
