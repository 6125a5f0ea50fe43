// What the adapters for Svelte and Angular take and give. Compiled, not run.

import type { HttpInterceptorFn } from "@angular/common/http";
import type { EnvironmentProviders, Signal } from "@angular/core";
import type {
  CanActivateChildFn,
  CanActivateFn,
  Routes,
} from "@angular/router";
import {
  createAuth,
  type Auth,
  type AuthState,
  type IdTokenClaims,
  type SignedInState,
} from "countersign";
import {
  authGuard,
  authInterceptor,
  createAuthGuard,
  injectAuth,
  provideAuth,
  type AuthService,
} from "countersign/angular";
import {
  getAuth,
  reactive,
  requireAuth,
  setAuth,
  type ReactiveAuth,
} from "countersign/svelte";
import type { Readable } from "svelte/store";

type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2
    ? true
    : false;
const same = <A, B>(_: Same<A, B>): void => {};

interface Roles {
  readonly roles: readonly string[];
}
declare const url: URL;
const auth = createAuth({ issuer: "https://id.example", clientId: "spa" });
const withRoles = createAuth<Roles>({
  issuer: "https://id.example",
  clientId: "spa",
});
const plain = createAuth({
  oidc: false,
  issuer: "https://id.example",
  clientId: "spa",
});

// ── Svelte ──────────────────────────────────────────────────────────────────

// The client itself is a store.
export const store: Readable<AuthState> = auth;

const runes = reactive(withRoles);
if (runes.current.status === "signedIn")
  runes.current.user.roles.map((role) => role.length);
// @ts-expect-error nobody may be signed in
runes.current.user.roles.length;
// @ts-expect-error it is the client that changes it
runes.current = auth.state;
export const found = getAuth();
same<typeof found, ReactiveAuth<IdTokenClaims>>(true);
same<ReturnType<typeof getAuth<Roles>>["current"], AuthState<Roles>>(true);
setAuth(plain).current.user satisfies null;
export const loaded: Promise<SignedInState<Roles>> = requireAuth(
  withRoles,
  { url },
  { prompt: "login" },
);
// @ts-expect-error a place is needed to come back to
requireAuth(auth, {});

// ── Angular ─────────────────────────────────────────────────────────────────

export const providers: readonly EnvironmentProviders[] = [
  provideAuth(auth),
  provideAuth(() => withRoles),
  provideAuth(plain),
];
// @ts-expect-error options are no client
provideAuth({ issuer: "https://id.example", clientId: "spa" });

const service = injectAuth<Roles>();
same<typeof service, AuthService<Roles>>(true);
same<typeof service.user, Signal<Roles | null>>(true);
export const injected = injectAuth();
same<typeof injected, AuthService<IdTokenClaims>>(true);
const state = service.state();
if (state.status === "signedIn") state.user.roles.length;
// @ts-expect-error nobody may be signed in
service.user().roles.length;
// @ts-expect-error it is the client that changes it
service.isSignedIn.set(true);

export const guards: readonly CanActivateFn[] = [authGuard, createAuthGuard()];
export const child: CanActivateChildFn = authGuard;
export const routes: Routes = [
  {
    path: "orders",
    canActivate: [
      createAuthGuard({ signedOut: "/bye", login: { maxAge: 60 } }),
    ],
    children: [],
  },
];
export const interceptors: readonly HttpInterceptorFn[] = [authInterceptor];
export const actions: Pick<Auth<Roles>, "login" | "fetch"> = service;
