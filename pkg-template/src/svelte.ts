// countersign/svelte: for Svelte 5.7 and newer. The client itself is a Svelte store (`$auth`); these are for runes.

import { getContext, setContext } from "svelte";
// Not by name: an older Svelte lacks it, and is to be told so.
import * as reactivity from "svelte/reactivity";
import { AuthError } from "./errors.js";
import {
  actionsOf,
  cameBack,
  decided,
  enter,
  provided,
  type AuthActions,
} from "./guard.js";
import { refuse } from "./options.js";
import type {
  Auth,
  AuthState,
  IdTokenClaims,
  LoginOptions,
  SignedInState,
  SignedOutState,
} from "./types.js";

/** The client as runes see it. */
export interface ReactiveAuth<
  TUser = IdTokenClaims,
> extends AuthActions<TUser> {
  /** The state of the client; what reads it in a template, an `$effect` or a `$derived` runs again when it changes. */
  readonly current: AuthState<TUser>;
}

const KEY = Symbol.for("countersign");

/** Makes a client's state something that runes follow. The client is listened to as long as somebody reads it. */
export function reactive<TUser>(auth: Auth<TUser>): ReactiveAuth<TUser> {
  const actions = actionsOf(provided(auth, "auth"));
  const { createSubscriber } = reactivity;
  if (typeof createSubscriber !== "function") {
    throw refuse("svelte", "older than 5.7");
  }
  const follow = createSubscriber((update) => {
    let read = auth.state;
    return auth.subscribe((state) => {
      // It calls back at once.
      if (state === read) return;
      read = state;
      update();
    });
  });
  return {
    ...actions,
    get current() {
      follow();
      return auth.state;
    },
  };
}

/** Gives a client to a component and all below it, for {@link getAuth}. Called while the component is set up. */
export function setAuth<TUser>(auth: Auth<TUser>): ReactiveAuth<TUser> {
  const client = reactive(auth);
  return inSetup("setAuth", () => setContext(KEY, client));
}

/** The client that a component above was given by {@link setAuth}. Called while the component is set up. */
export function getAuth<TUser = IdTokenClaims>(): ReactiveAuth<TUser> {
  const client = inSetup("getAuth", () =>
    getContext<ReactiveAuth<TUser> | undefined>(KEY),
  );
  if (!client) throw refuse("setAuth", "missing");
  return client;
}

/** For a SvelteKit `load` with `export const ssr = false`: the state of who is signed in, or a login that never comes back. Where none may be started, after a failed callback or a logout, it throws what is to be shown; so it does to a preload, before anybody has asked for the place, and SvelteKit loads again then. */
export async function requireAuth<TUser>(
  auth: Auth<TUser>,
  event: { readonly url: URL },
  options?: LoginOptions,
): Promise<SignedInState<TUser>> {
  provided(auth, "auth");
  // A server knows of no session, and would wait for ever.
  if (typeof window === "undefined") throw refuse("ssr", "not false");
  const { href } = event.url;
  // The page itself, or a click; a pointer that rests on a link is neither.
  const isMeant = () =>
    href === location.href || navigator.userActivation?.isActive !== false;
  // A click is soon forgotten, and may come while this waits.
  const wasMeant = isMeant();
  const wanted = await decided(auth);
  const { state } = auth;
  if (state.status === "signedIn") return state;
  const { error, reason } = state as SignedOutState;
  const required = AuthError.of("login_required", { reason });
  if (wanted !== "login") throw error ?? required;
  if (!wasMeant && !isMeant()) throw required;
  return enter(auth, { returnTo: href, ...options }).catch(
    (thrown: unknown) => {
      if (!cameBack(thrown, options)) throw thrown;
      // The page that was left shows another place: it stays there.
      if (href !== location.href) return new Promise<never>(() => {});
      return requireAuth(auth, event, options);
    },
  );
}

function inSetup<T>(called: string, call: () => T): T {
  try {
    return call();
  } catch (cause) {
    const problem = "not called while a component is set up";
    throw AuthError.of(
      "invalid_config",
      { option: called, problem },
      false,
      cause,
    );
  }
}
