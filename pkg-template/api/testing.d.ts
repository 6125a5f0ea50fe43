import type {
  AnyAuthError,
  Auth,
  AuthError,
  AuthErrorCode,
  AuthErrorDetails,
  AuthEventMap,
  AuthState,
  IdTokenClaims,
  SignedInState,
  SignedOutReason,
  SignedOutState,
} from "countersign";

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
export declare function signedIn<TClaims extends object = {}>(
  user?: TClaims & Partial<IdTokenClaims>,
  more?: Partial<Omit<SignedInState, "status" | "user">>,
): SignedInState<IdTokenClaims & TClaims>;

/** Nobody is signed in. */
export declare function signedOut(
  reason?: SignedOutReason,
  error?: AnyAuthError | null,
): SignedOutState;

/** An error as the client would have made it. */
export declare function createAuthError<C extends AuthErrorCode>(
  code: C,
  details: AuthErrorDetails[C],
  retryable?: boolean,
): AuthError<C>;

/** A client for tests: it shows the state that it is told, and records what it is asked. */
export declare function createFakeAuth<TUser = IdTokenClaims>(
  initial?: AuthState<TUser>,
  options?: FakeOptions,
): FakeAuth<TUser>;

export {};
