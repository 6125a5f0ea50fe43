// countersign/angular: for Angular 19 and newer. Functions, tokens and signals only, so nothing here needs its compiler.

import { Location } from "@angular/common";
// Not by name: an older Angular lacks some, and is to be told so.
import * as core from "@angular/core";
import type { EnvironmentProviders, Signal } from "@angular/core";
import { Router, type CanActivateFn, type GuardResult } from "@angular/router";
import { AUTH, injected } from "./angular-client.js";
import {
  actionsOf,
  cameBack,
  decided,
  enter,
  provided,
  type AuthActions,
} from "./guard.js";
import { refuse } from "./options.js";
import type { Auth, AuthState, IdTokenClaims, LoginOptions } from "./types.js";

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

export { authInterceptor } from "./angular-http.js";

const SERVICE = new core.InjectionToken<AuthService<unknown>>("injectAuth");

/** Provides the client to the application. A callback is completed before the router looks where it is. */
export function provideAuth<TUser>(
  auth: Auth<TUser> | (() => Auth<TUser>),
): EnvironmentProviders {
  if (typeof core.provideAppInitializer !== "function") {
    throw refuse("@angular/core", "older than 19");
  }
  const given = typeof auth === "function" ? auth : () => auth;
  if (given !== auth) provided(given(), "provideAuth");
  return core.makeEnvironmentProviders([
    { provide: AUTH, useFactory: () => provided(given(), "provideAuth") },
    { provide: SERVICE, useFactory: serviceOf },
    core.provideAppInitializer(() => completed(injected(AUTH))),
  ]);
}

/** The client's state as signals, and what can be done. Called in an injection context. */
export function injectAuth<TUser = IdTokenClaims>(): AuthService<TUser> {
  return injected(SERVICE) as AuthService<TUser>;
}

/** Lets whoever is signed in through, and starts the login where there is no session, to come back to the same route; never after a failed callback or a logout. */
export const authGuard: CanActivateFn = createAuthGuard();

/** {@link authGuard} with options. */
export function createAuthGuard(options: AuthGuardOptions = {}): CanActivateFn {
  const { signedOut, login } = options;
  return (_, { url }) => {
    const auth = injected(AUTH);
    // Nobody is signed in on a server, and nobody will be: it renders the page as it loads.
    if (typeof window === "undefined") return true;
    const router = core.inject(Router);
    const place = core.inject(Location).prepareExternalUrl(url);
    const returnTo = new URL(place, document.baseURI).href;
    return decided(auth).then(function guard(wanted):
      GuardResult | Promise<GuardResult> {
      if (wanted === "show") return true;
      if (wanted !== "login")
        return signedOut !== undefined && router.parseUrl(signedOut);
      const wishes = { returnTo, ...login };
      return enter(auth, wishes).catch((thrown: unknown) => {
        if (!cameBack(thrown, login)) throw thrown;
        // The page that was left shows another route: it stays there.
        return returnTo === location.href && decided(auth).then(guard);
      });
    });
  };
}

/** A callback that was taken from the address bar; one that is still in it is the application's to handle. */
async function completed(auth: Auth<unknown>): Promise<void> {
  if (typeof window === "undefined") return;
  if (!auth.isCallback() || auth.isCallback(location.href)) return;
  // What went wrong is in the state.
  await auth.handleCallback().catch(() => {});
}

function serviceOf(): AuthService<unknown> {
  const auth = injected(AUTH);
  const state = core.signal(auth.state);
  const end = auth.subscribe((next) => state.set(next));
  core.inject(core.DestroyRef).onDestroy(end);
  return {
    ...actionsOf(auth),
    state: state.asReadonly(),
    user: core.computed(() => state().user),
    isSignedIn: core.computed(() => state().status === "signedIn"),
  };
}
