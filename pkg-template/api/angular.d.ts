import type { Auth, AuthState, IdTokenClaims, LoginOptions } from "countersign";

import type { CanActivateFn } from "@angular/router";

import type { EnvironmentProviders, Signal } from "@angular/core";

import type { HttpInterceptorFn } from "@angular/common/http";

/** The client as components see it. */
export interface AuthService<TUser = IdTokenClaims> extends AuthActions<TUser> {
  /** The state of the client. */
  readonly state: Signal<AuthState<TUser>>;
  /** Who is signed in; `null` where nobody is. */
  readonly user: Signal<TUser | null>;
  /** Whether somebody is signed in. */
  readonly isSignedIn: Signal<boolean>;
}

/** Options of {@link createAuthGuard}. */
export interface AuthGuardOptions {
  /** An unguarded route to go to where nobody is signed in and no login may be started: after a logout or a failed callback. @default none: the navigation is cancelled */
  readonly signedOut?: string;
  /** Options of the login that is started here. @default `returnTo` is the route that was asked for */
  readonly login?: LoginOptions;
}

/** Provides the client to the application. A callback is completed before the router looks where it is. */
export declare function provideAuth<TUser>(
  auth: Auth<TUser> | (() => Auth<TUser>),
): EnvironmentProviders;

/** The client's state as signals, and what can be done. Called in an injection context. */
export declare function injectAuth<TUser = IdTokenClaims>(): AuthService<TUser>;

/** Lets whoever is signed in through, and starts the login where there is no session, to come back to the same route; never after a failed callback or a logout. */
export declare const authGuard: CanActivateFn;

/** {@link authGuard} with options. */
export declare function createAuthGuard(
  options?: AuthGuardOptions,
): CanActivateFn;

/** What every adapter gives beside the state. */
type AuthActions<TUser = IdTokenClaims> = Pick<
  Auth<TUser>,
  "login" | "logout" | "getAccessToken" | "fetch" | "fetchUserInfo"
>;

/** Sends the access token to the origins that `auth.fetch` sends it to, with one retry after a refused token. Everything else passes as it is, and so does all while nobody is signed in. */
export declare const authInterceptor: HttpInterceptorFn;

export {};
