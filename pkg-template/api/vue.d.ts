import type { Auth, AuthState, IdTokenClaims, LoginOptions } from "countersign";

import type { ComputedRef, Plugin, ShallowRef } from "vue";

/** The state and the actions, for templates and `<script setup>`. */
export interface UseAuth<TUser = IdTokenClaims> extends AuthActions<TUser> {
  /** `state.value.status` narrows `state.value.user`. */
  readonly state: Readonly<ShallowRef<AuthState<TUser>>>;
  readonly status: ComputedRef<AuthState<TUser>["status"]>;
  readonly user: ComputedRef<TUser | null>;
}

/** Options of {@link authGuard}; `TRoute` is a route location. */
export interface AuthGuardOptions<TRoute extends string | object = string> {
  /** The router, which alone knows what URL a route has: it may have a base, or keep routes in the hash. */
  readonly router: {
    resolve(fullPath: string): {
      readonly href: string;
    };
  };
  /** Options of the login that is started here. @default `returnTo` is the route that was asked for */
  readonly login?: LoginOptions;
  /** An unguarded route to go to where nobody is signed in and no login may be started: after a logout or a failed callback. @default false: the navigation is cancelled, or fails with the error that there is */
  readonly signedOut?: TRoute | false;
}

/** Hands a client to {@link useAuth} in every component of the application. */
export declare function createAuthPlugin<TUser>(auth: Auth<TUser>): Plugin;

/** The state, and what can be done about it; of the plugin's client, or, with its type, of the one that is passed. */
export declare function useAuth<TUser = IdTokenClaims>(
  auth?: Auth<TUser>,
): UseAuth<TUser>;

/** A guard for `beforeEach` or `beforeEnter` of vue-router: lets whoever is signed in through, and starts the login where there is no session, to come back to the same route; never after a failed callback or a logout. */
export declare function authGuard<
  TUser,
  TRoute extends string | object = string,
>(
  auth: Auth<TUser>,
  options: AuthGuardOptions<TRoute>,
): (to: { readonly fullPath: string }) => Promise<TRoute | boolean>;

/** What every adapter gives beside the state. */
type AuthActions<TUser = IdTokenClaims> = Pick<
  Auth<TUser>,
  "login" | "logout" | "getAccessToken" | "fetch" | "fetchUserInfo"
>;

export {};
