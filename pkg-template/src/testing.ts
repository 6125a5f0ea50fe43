// For an application's own tests: the whole `Auth`, without wasm, network or storage.

import { AuthError, TEXTS } from "./errors.js";
import { authorized } from "./fetch.js";
import { makeListeners } from "./listeners.js";
import { ERRORS } from "./texts.js";
import type {
  AnyAuthError,
  Auth,
  AuthErrorCode,
  AuthErrorDetails,
  AuthEventMap,
  AuthState,
  IdTokenClaims,
  SettledState,
  SignedInState,
  SignedOutReason,
  SignedOutState,
} from "./types.js";

/** Methods whose calls are recorded. */
export type FakeMethod = Exclude<
  keyof Auth,
  "state" | "ready" | "subscribe" | "on" | "isCallback"
>;

/** A call, discriminated by `method`. */
export type FakeCall = {
  [M in FakeMethod]: {
    readonly method: M;
    readonly args: Readonly<Parameters<Auth[M]>>;
  };
}[FakeMethod];

/** What the fake needs to be told, beside its state. */
export interface FakeOptions {
  /** As in `createAuth`: besides this one, the origins that `fetch` sends the token to. @default none */
  readonly apiOrigins?: readonly (string | URL)[];
}

export interface FakeAuth<TUser = IdTokenClaims> extends Auth<TUser> {
  /** Shows this state: listeners are called, and `ready` settles at the first that is not `"loading"`. Emits no event. */
  readonly setState: (state: AuthState<TUser>) => void;
  /** Calls the listeners of {@link Auth.on}. */
  readonly emit: <K extends keyof AuthEventMap<TUser>>(
    type: K,
    event: AuthEventMap<TUser>[K],
  ) => void;
  /** The next call of the method, or the one that is pending, rejects with this error. */
  readonly fail: (
    method: Exclude<FakeMethod, "dispose">,
    error: unknown,
  ) => void;
  /** What was called, in order. */
  readonly calls: readonly FakeCall[];
}

/** Somebody who is signed in; what is not given here is made up. */
export function signedIn<TClaims extends object = {}>(
  user?: TClaims & Partial<IdTokenClaims>,
  more?: Partial<Omit<SignedInState, "status" | "user">>,
): SignedInState<IdTokenClaims & TClaims> {
  const iat = Math.floor(Date.now() / 1000);
  return {
    status: "signedIn",
    user: {
      iss: "https://issuer.example",
      sub: "fake-user",
      aud: "fake-client",
      iat,
      exp: iat + 3600,
      ...user,
    } as IdTokenClaims & TClaims,
    scope: ["openid"],
    expiresAt: (iat + 3600) * 1000,
    freshness: "fresh",
    refreshable: true,
    error: null,
    ...more,
  };
}

/** Nobody is signed in. */
export function signedOut(
  reason: SignedOutReason = "noSession",
  error: AnyAuthError | null = null,
): SignedOutState {
  return { status: "signedOut", user: null, reason, error };
}

/** An error as the client would have made it. */
export function createAuthError<C extends AuthErrorCode>(
  code: C,
  details: AuthErrorDetails[C],
  retryable = false,
): AuthError<C> {
  Object.assign(TEXTS, ERRORS);
  return AuthError.of(code, details, retryable);
}

/** A client for tests: it shows the state that it is told, and records what it is asked. */
export function createFakeAuth<TUser = IdTokenClaims>(
  initial: AuthState<TUser> = signedOut(),
  options: FakeOptions = {},
): FakeAuth<TUser> {
  const states = makeListeners<{ change: AuthState<TUser> }>();
  const moments = makeListeners<AuthEventMap<TUser>>();
  const calls: FakeCall[] = [];
  const failures = new Map<string, unknown[]>();
  /** Logins that wait for ever. */
  const away = new Set<(error: unknown) => void>();
  const { apiOrigins = [] } = options;
  let state = initial;
  let isDisposed = false;
  let settle!: (state: SettledState<TUser>) => void;
  const nextSettled = () =>
    new Promise<SettledState<TUser>>((done) => (settle = done));
  const ready = nextSettled();
  let settled = ready;

  const setState = (next: AuthState<TUser>) => {
    const isAgain = next.status === "loading" && state.status !== "loading";
    if (isAgain) settled = nextSettled();
    if (next !== state) {
      state = next;
      states.emit("change", state);
    }
    if (state.status !== "loading") settle(state);
  };
  setState(initial);

  /** The user's state, as soon as it is known. */
  const signedInState = async (signal?: AbortSignal | null) => {
    const known = state.status === "loading" ? settled : state;
    const { status, ...rest } = await orAborted(known, signal);
    if (status === "signedIn") return rest as SignedInState<TUser>;
    const { reason } = rest as SignedOutState;
    throw AuthError.of("login_required", { reason });
  };
  const token = async (signal?: AbortSignal | null) => {
    await signedInState(signal);
    return "fake-access-token";
  };

  /** By the fetch of the moment: tests put their own there. */
  const sender = () =>
    authorized(
      (request) => globalThis.fetch(request),
      [...here(), ...apiOrigins.map((origin) => new URL(origin).origin)],
      (options) => token(options?.signal),
    );

  const recorded =
    <A extends readonly unknown[], T>(
      method: FakeMethod,
      run: (...args: A) => Promise<T>,
    ) =>
    async (...args: A): Promise<T> => {
      calls.push({ method, args } as unknown as FakeCall);
      if (isDisposed) throw AuthError.of("disposed", {});
      const planned = failures.get(method);
      if (planned?.length) throw planned.shift();
      return run(...args);
    };

  const auth: FakeAuth<TUser> = {
    get state() {
      return state;
    },
    ready,
    subscribe: (listener) => {
      const end = states.on("change", listener);
      listener(state);
      return end;
    },
    on: (type, listener, on) => moments.on(type, listener, on?.signal),
    login: recorded("login", (options) => {
      const { signal } = options ?? {};
      const login = new Promise<never>((_, reject) => {
        if (signal?.aborted) return;
        away.add(reject);
        signal?.addEventListener("abort", () => away.delete(reject));
      });
      return orAborted(login, signal);
    }),
    isCallback: () => false,
    handleCallback: recorded("handleCallback", async () => {
      if (state.status === "signedIn")
        return { state, returnTo: "/", appState: undefined };
      const [returnTo, untrusted] = [null, null];
      const details = { problem: "missing", returnTo, untrusted } as const;
      throw createAuthError("stale_callback", details);
    }),
    logout: recorded("logout", async () => {
      const { status } = state;
      setState(signedOut("loggedOut"));
      if (status === "signedIn")
        moments.emit("signedOut", { reason: "loggedOut", error: null });
    }),
    getAccessToken: recorded("getAccessToken", (options) =>
      token(options?.signal),
    ),
    fetch: recorded("fetch", (input, init) =>
      sender().fetch(absolute(input), init),
    ),
    authorize: recorded("authorize", (request, options) =>
      sender().authorize(absolute(request), options),
    ),
    getIdToken: recorded("getIdToken", async () =>
      state.user ? "fake-id-token" : null,
    ),
    fetchUserInfo: recorded("fetchUserInfo", async (options) => {
      const { user } = await signedInState(options?.signal);
      return { sub: "fake-user", ...user };
    }),
    preload: recorded("preload", async () => {}),
    dispose: () => {
      calls.push({ method: "dispose", args: [] });
      isDisposed = true;
      states.clear();
      moments.clear();
    },
    setState,
    emit: (type, event) => moments.emit(type, event),
    fail: (method, error) => {
      if (method === "login" && away.size > 0) {
        for (const reject of away) reject(error);
        away.clear();
      } else {
        failures.set(method, [...(failures.get(method) ?? []), error]);
      }
    },
    calls,
  };
  return auth;
}

/** This page's origin; none on Node. */
function here(): readonly string[] {
  return typeof location === "undefined" ? [] : [location.origin];
}

/** Node's `Request` knows no page, even where a test has made one up. */
function absolute(input: RequestInfo | URL): RequestInfo | URL {
  return typeof document === "undefined" || typeof input !== "string"
    ? input
    : new URL(input, document.baseURI);
}

function orAborted<T>(
  work: T | Promise<T>,
  signal: AbortSignal | null | undefined,
): T | Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const abort = () =>
      reject(AuthError.of("aborted", {}, false, signal.reason));
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    Promise.resolve(work).then(resolve, reject);
  });
}
