// What the adapters take and give. Compiled, not run: every `@ts-expect-error` is a use that must not compile.

import { createAuth, type AnyAuthError, type IdTokenClaims } from "countersign";
import * as react from "countersign/react";
import * as vue from "countersign/vue";
import { createElement, type ReactElement } from "react";
import {
  createApp,
  type ComputedRef,
  type Component as VueComponent,
} from "vue";

type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2
    ? true
    : false;
const same = <A, B>(_: Same<A, B>): void => {};

const issuer = "https://id.example";
const clientId = "spa";
const auth = createAuth({ issuer, clientId });
const withRoles = createAuth<{ roles: readonly string[] }>({
  issuer,
  clientId,
});
const endpoints = {
  authorization_endpoint: "https://id.example/authorize",
  token_endpoint: "/relay/token",
};
const plain = createAuth({ clientId, oidc: false, metadata: endpoints });

// ── React ───────────────────────────────────────────────────────────────────

export function Me(): ReactElement {
  // The status narrows the user, after destructuring, too.
  const { status, user, error, login, logout } = react.useAuth();
  if (status === "signedIn") return createElement("p", null, user.sub);
  same<typeof user, null>(true);
  if (status === "loading") same<typeof error, null>(true);
  else same<typeof error, AnyAuthError | null>(true);
  // @ts-expect-error nobody is signed in here
  void user.sub;
  void logout({ local: true });
  same<ReturnType<typeof login>, Promise<never>>(true);
  return createElement("i", null, status);
}

export function Roles(): readonly string[] {
  const { status, user } = react.useAuth(withRoles);
  // @ts-expect-error while it loads there is nobody
  void user.roles;
  return status === "signedIn" ? user.roles : [];
}

export function NoUser(): readonly string[] {
  const now = react.useAuth(plain);
  same<typeof now.user, null>(true);
  return now.status === "signedIn" ? now.scope : [];
}

export const tree = createElement(
  react.AuthProvider<IdTokenClaims>,
  { auth },
  createElement(react.RequireAuth, {
    fallback: "…",
    signedOut: createElement("button"),
    error: ({ code, hint }) => `${code}: ${hint}`,
    login: { prompt: "login", returnTo: "/" },
    children: createElement(Me),
  }),
);
// @ts-expect-error a provider of what?
createElement(react.AuthProvider, {});
// @ts-expect-error the error is what it says, not what to show
createElement(react.RequireAuth, { error: createElement("p") });
// @ts-expect-error a refused place starts no login
createElement(react.RequireAuth, { signedOut: { prompt: "login" } });

// ── Vue ─────────────────────────────────────────────────────────────────────

export function useMe(): string {
  const { state, status, user, login } = vue.useAuth();
  if (state.value.status === "signedIn") return state.value.user.sub;
  same<typeof state.value.user, null>(true);
  same<typeof user, ComputedRef<IdTokenClaims | null>>(true);
  same<typeof status.value, "loading" | "signedIn" | "signedOut">(true);
  // @ts-expect-error it follows the client and nobody else
  state.value = auth.state;
  // @ts-expect-error there may be nobody
  void user.value.sub;
  same<ReturnType<typeof login>, Promise<never>>(true);
  return state.value.status;
}

export const rolesOf = (): readonly string[] =>
  vue.useAuth(withRoles).user.value?.roles ?? [];
export const noUser: null = vue.useAuth(plain).user.value;

declare const Page: VueComponent;
createApp(Page).use(vue.createAuthPlugin(withRoles));
// @ts-expect-error a plugin of what?
vue.createAuthPlugin();

const router = {
  resolve: (fullPath: string) => ({ href: `/base${fullPath}` }),
};
export const guard = vue.authGuard(auth, { router, login: { maxAge: 0 } });
// @ts-expect-error only the router knows the URL of a route
vue.authGuard(auth);
// @ts-expect-error a place to go, or none
vue.authGuard(auth, { router, signedOut: true });
