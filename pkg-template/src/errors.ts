import type { AnyAuthError, AuthErrorCode, AuthErrorDetails } from "./types.js";

/** What happened, and what to do about it. The messages are those of the Rust side; a test compares them. */
const TEXTS: Readonly<Record<AuthErrorCode, readonly [string, string]>> = {
  invalid_config: [
    "an option cannot be used",
    "Correct the option that details names",
  ],
  unsupported_environment: [
    "this page lacks something that the sign-in needs",
    "Serve the page over https, to a current browser",
  ],
  wasm_load_failed: [
    "the wasm side could not be loaded",
    "For problem csp, add 'wasm-unsafe-eval' to script-src; otherwise see that the file is served, and reload",
  ],
  forbidden_origin: [
    "the access token is not sent to this origin",
    "If the API is yours, add its origin to apiOrigins",
  ],
  disposed: ["this client was disposed", "Create a new one with createAuth"],
  authorization_error: [
    "the authorization server refused the login",
    "details has its own words; show them as text and offer a new login",
  ],
  token_error: [
    "the token endpoint refused the request",
    "details has its own words: invalid_grant ends a session, invalid_client means that this is not registered as a public client",
  ],
  invalid_metadata: [
    "the authorization server's metadata cannot be used",
    "Compare the issuer option with the issuer in the server's own document, to the last slash",
  ],
  invalid_response: [
    "the authorization server gave an answer that no specification knows",
    "Look at the answer in the browser's network view",
  ],
  stale_callback: [
    "this callback belongs to no pending login of this browser",
    "Call login({ returnTo: details.returnTo })",
  ],
  issuer_mismatch: [
    "the response came from another authorization server than the one asked",
    "If it is the right server, its issuer differs from the issuer option; if not, somebody mixed them up on purpose",
  ],
  invalid_id_token: [
    "the ID Token was refused",
    "With skewSeconds, a clock is wrong; otherwise the server's answer is not for this client",
  ],
  subject_mismatch: [
    "the answer is about another user",
    "The session was ended; log in again",
  ],
  login_required: ["there is no session", "Call login()"],
  network: [
    "the authorization server could not be reached",
    "Offline, a wrong issuer, or no CORS: the server must allow this page's origin",
  ],
  timeout: [
    "the authorization server did not answer in time",
    "Try again, or raise the timeout option",
  ],
  aborted: ["the call was aborted", "Call again when it is wanted"],
  storage: [
    "the browser's storage refused",
    "sessionStorage is full or denied; a login cannot come back without it",
  ],
  internal: ["countersign failed", "Please report it with details.location"],
};

/** What went wrong: `code` says what, `details` what there is to know about it, `hint` what to do. Holds no token, code or claim value. */
export class AuthError<C extends AuthErrorCode = AuthErrorCode> extends Error {
  override readonly name = "AuthError";
  readonly code: C;
  readonly details: AuthErrorDetails[C];
  /** The same call may succeed later without the user doing anything. */
  readonly retryable: boolean;
  /** What to do about it, for the developer. */
  readonly hint: string;

  private constructor(
    code: C,
    details: AuthErrorDetails[C],
    retryable: boolean,
    cause?: unknown,
  ) {
    const [message, hint] = TEXTS[code];
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = details;
    this.retryable = retryable;
    this.hint = `${hint}. (docs/errors.md#${code})`;
  }

  /** @internal */
  static of<C extends AuthErrorCode>(
    code: C,
    details: AuthErrorDetails[C],
    retryable = false,
    cause?: unknown,
  ): AuthError<C> {
    return new AuthError(code, details, retryable, cause);
  }
}

export function isAuthError(value: unknown): value is AnyAuthError;
export function isAuthError<C extends AuthErrorCode>(
  value: unknown,
  code: C,
): value is AuthError<C>;
export function isAuthError(value: unknown, code?: AuthErrorCode): boolean {
  return (
    value instanceof AuthError && (code === undefined || value.code === code)
  );
}

/** An error of the Rust side, `{ code, details, retryable }`. */
export interface CoreError {
  readonly code: AuthErrorCode;
  readonly details: never;
  readonly retryable: boolean;
}

/** The error of the Rust side as the one that applications see. */
export function fromCore(error: CoreError | null): AnyAuthError | null {
  return (
    error &&
    (AuthError.of(error.code, error.details, error.retryable) as AnyAuthError)
  );
}

/** Whatever was thrown, as an `AuthError`; what is none of ours is a bug of ours. */
export function toAuthError(thrown: unknown, location: string): AuthError {
  if (thrown instanceof AuthError) return thrown;
  if (typeof thrown === "string") {
    return fromCore(JSON.parse(thrown) as CoreError) as AuthError;
  }
  return AuthError.of("internal", { location }, false, thrown);
}
