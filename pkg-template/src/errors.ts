import { parseJson } from "./json.js";
import type { AnyAuthError, AuthErrorCode, AuthErrorDetails } from "./types.js";

/** What happened, and what to do about it. The messages are those of the Rust side; a test compares them. What only that side tells comes with it, from texts.ts. */
export const TEXTS: Partial<Record<AuthErrorCode, readonly [string, string]>> =
  {
    invalid_config: ["an option cannot be used", "Correct what details names"],
    unsupported_environment: [
      "this page lacks something that the sign-in needs",
      "Use https and a current browser",
    ],
    wasm_load_failed: [
      "the wasm side could not be loaded",
      "csp: add 'wasm-unsafe-eval' to script-src; else serve the file, and reload",
    ],
    forbidden_origin: [
      "the access token is not sent to this origin",
      "If it is yours, add it to apiOrigins",
    ],
    disposed: ["this client was disposed", "Call createAuth again"],
    login_required: ["there is no session", "Call login()"],
    aborted: ["the call was aborted", "Call again"],
    internal: ["countersign failed", "Report details.location"],
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
    const [message, hint] = TEXTS[code] ?? [code, ""];
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
export function fromCore(error: CoreError): AuthError {
  return AuthError.of(error.code, error.details, error.retryable);
}

/** Whatever was thrown, as an `AuthError`; what is none of ours is a bug of ours. */
export function toAuthError(thrown: unknown, location: string): AuthError {
  if (thrown instanceof AuthError) return thrown;
  if (typeof thrown === "string") {
    return fromCore(parseJson(thrown) as CoreError);
  }
  return AuthError.of("internal", { location }, false, thrown);
}
