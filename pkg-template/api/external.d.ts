export type {
  AccessTokenOptions,
  AnyAuthError,
  Auth,
  AuthErrorCode,
  AuthErrorDetails,
  AuthEventMap,
  AuthOptions,
  AuthRequestInit,
  AuthState,
  AuthStorage,
  AuthorizationParams,
  CallbackResult,
  CommonOptions,
  Endpoint,
  IdTokenClaims,
  IdTokenProblem,
  LoadingState,
  LogRecord,
  LoginOptions,
  LogoutDialect,
  LogoutOptions,
  Navigate,
  OAuthErrorResponse,
  PlainOAuthOptions,
  ServerMetadata,
  SettledState,
  SignedInState,
  SignedOutReason,
  SignedOutState,
  Unsubscribe,
  UserInfo,
  WarningCode,
  WasmSource,
} from "countersign";

export { AuthError, isAuthError } from "countersign";

import type {
  Auth,
  AuthOptions,
  IdTokenClaims,
  PlainOAuthOptions,
  WasmSource,
} from "countersign";

/** The application passes it, most simply as the URL of `countersign/core.wasm`. */
interface WithWasm {
  readonly wasm: WasmSource;
}

/** The same client as `countersign` gives, without the bytes: OAuth 2.0 without OpenID Connect, so no `user`. */
export declare function createAuth(
  options: PlainOAuthOptions & WithWasm,
): Auth<null>;

/** The same client as `countersign` gives, without the bytes. */
export declare function createAuth<TClaims extends object = {}>(
  options: AuthOptions & WithWasm,
): Auth<IdTokenClaims & TClaims>;

export {};
