// Vue 3: a plugin, a composable, and a guard for vue-router.

import * as Vue from "vue";
import type { ComputedRef, InjectionKey, Plugin, ShallowRef } from "vue";
import {
  actionsOf,
  cameBack,
  decided,
  enter,
  LOADING,
  provided,
  type AuthActions,
} from "./guard.js";
import { refuse } from "./options.js";
import type { Auth, AuthState, IdTokenClaims, LoginOptions } from "./types.js";

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
    resolve(fullPath: string): { readonly href: string };
  };
  /** Options of the login that is started here. @default `returnTo` is the route that was asked for */
  readonly login?: LoginOptions;
  /** An unguarded route to go to where nobody is signed in and no login may be started: after a logout or a failed callback. @default false: the navigation is cancelled, or fails with the error that there is */
  readonly signedOut?: TRoute | false;
}

const KEY: InjectionKey<Auth<unknown>> = Symbol("countersign");

/** Hands a client to {@link useAuth} in every component of the application. */
export function createAuthPlugin<TUser>(auth: Auth<TUser>): Plugin {
  const client = provided(auth, "auth");
  return { install: (app) => void app.provide(KEY, client) };
}

/** The state, and what can be done about it; of the plugin's client, or, with its type, of the one that is passed. */
export function useAuth<TUser = IdTokenClaims>(
  auth?: Auth<TUser>,
): UseAuth<TUser> {
  if (!Vue.hasInjectionContext) throw refuse("vue", "older than 3.3");
  const around = Vue.hasInjectionContext() ? Vue.inject(KEY, null) : null;
  const client = provided(
    auth ?? (around as Auth<TUser> | null),
    "createAuthPlugin",
  );
  const state = Vue.shallowRef<AuthState<TUser>>(LOADING);
  const follow = () => client.subscribe((now) => void (state.value = now));
  let unsubscribe: (() => void) | undefined;
  // Before its setup, only a component that takes over what a server rendered has an element.
  if (Vue.getCurrentInstance()?.vnode.el) {
    Vue.onMounted(() => (unsubscribe = follow()));
  } else unsubscribe = follow();
  if (Vue.getCurrentScope()) Vue.onScopeDispose(() => unsubscribe?.());
  return {
    state: Vue.shallowReadonly(state),
    status: Vue.computed(() => state.value.status),
    user: Vue.computed(() => state.value.user),
    ...actionsOf(client),
  };
}

/** A guard for `beforeEach` or `beforeEnter` of vue-router: lets whoever is signed in through, and starts the login where there is no session, to come back to the same route; never after a failed callback or a logout. */
export function authGuard<TUser, TRoute extends string | object = string>(
  auth: Auth<TUser>,
  options: AuthGuardOptions<TRoute>,
): (to: { readonly fullPath: string }) => Promise<TRoute | boolean> {
  const { router, login, signedOut = false } = options ?? {};
  provided(auth, "auth");
  if (typeof router?.resolve !== "function") throw refuse("router", "missing");

  return async function guard(to): Promise<TRoute | boolean> {
    // Nobody is signed in on a server, and nobody will be: it renders the page as it loads.
    if (typeof window === "undefined") return true;
    const wanted = await decided(auth);
    if (wanted === "show") return true;
    if (wanted !== "login") {
      const { error } = auth.state;
      if (signedOut === false && error) throw error;
      return signedOut;
    }
    const returnTo = new URL(router.resolve(to.fullPath).href, location.href);
    const wishes = { returnTo, ...login };
    try {
      return await enter(auth, wishes);
    } catch (thrown) {
      if (!cameBack(thrown, login)) throw thrown;
      // The page that was left shows another route: it stays there.
      return returnTo.href === location.href && guard(to);
    }
  };
}
