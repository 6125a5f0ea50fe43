"use client";
// React 18 and 19. Components without JSX: the package needs no compiler but its own.

import * as React from "react";
import type { ReactElement, ReactNode } from "react";
import { isAuthError } from "./errors.js";
import {
  actionsOf,
  cameBack,
  decided,
  enter,
  guarded,
  LOADING,
  provided,
  type AuthActions,
} from "./guard.js";
import { refuse } from "./options.js";
import type {
  AnyAuthError,
  Auth,
  AuthState,
  IdTokenClaims,
  LoginOptions,
} from "./types.js";

export type { AuthActions };

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

const Context = /* @__PURE__ */ React.createContext<Auth<unknown> | null>(null);

/** Hands a client to {@link useAuth} and {@link RequireAuth}. */
export function AuthProvider<TUser>(props: {
  readonly auth: Auth<TUser>;
  readonly children?: ReactNode;
}): ReactElement {
  const value = provided(supported(props.auth), "auth");
  return React.createElement(Context.Provider, { value }, props.children);
}

/** The state, and what can be done about it; of the {@link AuthProvider}'s client, or, with its type, of the one that is passed. */
export function useAuth<TUser = IdTokenClaims>(
  auth?: Auth<TUser>,
): UseAuth<TUser> {
  const around = React.useContext(Context) as Auth<TUser> | null;
  const client = provided(supported(auth ?? around), "AuthProvider");
  const state = React.useSyncExternalStore<AuthState<TUser>>(
    client.subscribe,
    () => client.state,
    () => LOADING,
  );
  return React.useMemo(
    () => ({ ...state, ...actionsOf(client) }),
    [client, state],
  );
}

/** Shows its children to whoever is signed in, and starts the login where there is no session; never after a failed callback or a logout. */
export function RequireAuth(props: RequireAuthProps): ReactElement {
  const { children, fallback, signedOut = fallback, login } = props;
  const client = React.useContext(Context) as Auth;
  const state = useAuth();
  // Not the client's own: what a server rendered is taken over as it is.
  const wanted = guarded(client, state);
  const [refused, setRefused] = React.useState<unknown>();
  React.useEffect(() => {
    if (wanted !== "login") return undefined;
    let here = true;
    const start = async (): Promise<void> => {
      const still = await decided(client);
      if (!here || still !== "login") return;
      await enter(client, login).catch((thrown: unknown) => {
        if (!here) return;
        if (cameBack(thrown, login)) void start();
        else setRefused(() => thrown);
      });
    };
    void start();
    return () => {
      here = false;
      setRefused(undefined);
    };
    // Options that a render makes anew are no reason to log in anew.
  }, [client, wanted]);
  const error = wanted === "refuse" ? state.error : refused;
  const show = (node: ReactNode) =>
    React.createElement(React.Fragment, null, node);
  if (wanted === "show") return show(children);
  if (!error) return show(wanted === "refuse" ? signedOut : fallback);
  if (!props.error || !isAuthError(error)) throw error;
  return show(props.error(error));
}

/** Where React has no external stores, its version is what is wrong, and not the client. */
function supported<T>(given: T): T {
  if (typeof React.useSyncExternalStore === "function") return given;
  throw refuse("react", "older than 18");
}
