/** OAuth 2.0 without OpenID Connect: no ID Token, so no `user`. */
export declare function createAuth(options: PlainOAuthOptions): Auth<null>;

/** Creates the client. Synchronous and inert on a server; loading the wasm side, discovery, the callback and restoring the session run behind {@link Auth.ready}. */
export declare function createAuth<TClaims extends object = {}>(
  options: AuthOptions,
): Auth<IdTokenClaims & TClaims>;

export interface AuthOptions extends CommonOptions {
  /** Issuer Identifier, compared exactly (OIDC Discovery §3, RFC 8414 §2). */
  readonly issuer: string | URL;
  /** @default true */
  readonly oidc?: true;
}

/** OAuth 2.0 without OpenID Connect: no ID Token, so nobody knows who the user is. */
export interface PlainOAuthOptions extends CommonOptions {
  readonly oidc: false;
  /** May be left out when `metadata` has `authorization_endpoint` and `token_endpoint`; an `iss` in the callback is then not compared (RFC 9207). */
  readonly issuer?: string | URL;
}

export interface CommonOptions {
  /** An `http:` issuer beyond loopback works only if it is repeated here, exactly. */
  readonly allowInsecureIssuer?: string | URL;
  /** `client_id` (RFC 6749 §2.2). */
  readonly clientId: string;
  /** `redirect_uri` (RFC 6749 §3.1.2). An absolute text is sent as it is; a relative one resolves against `document.baseURI`. @default origin + "/" */
  readonly redirectUri?: string | URL;
  /** `post_logout_redirect_uri` (OIDC RP-Initiated Logout §2). @default not sent */
  readonly postLogoutRedirectUri?: string | URL;
  /** `scope` (RFC 6749 §3.3). @default "openid"; with `oidc: false` none */
  readonly scope?: string | readonly string[];
  /** Sent with every authorization request; a login's own options win. */
  readonly authorizationParams?: AuthorizationParams;
  /** Members by hand, which win over the server's own document. It is not asked for when `authorization_endpoint`, `token_endpoint` and, unless `oidc` is `false`, `jwks_uri` are there. Relative endpoints resolve against `document.baseURI`. */
  readonly metadata?: Partial<ServerMetadata>;
  /** Where the response comes (`response_mode`, OAuth 2.0 Multiple Response Types §2.1); the other part of the URL is not read. @default "query" */
  readonly responseMode?: "query" | "fragment";
  /** How this server wants to be left, where it does not follow RP-Initiated Logout. */
  readonly logout?: LogoutDialect;
  /** Body of the revocation request. @default "form" (RFC 7009 §2.1) */
  readonly revocation?: "form" | "json";
  /** `"auto"` completes the redirect by itself, `"manual"` waits for {@link Auth.handleCallback}. @default "auto" */
  readonly callback?: "auto" | "manual";
  /** What to do after a completed callback. @default history.replaceState to `result.returnTo` */
  readonly onCallback?: (result: CallbackResult) => void;
  /** Where the session is kept; pending logins are always in sessionStorage. @default "session" */
  readonly storage?: "session" | "memory" | AuthStorage;
  /** A new tab asks the others for the session, which reaches it sealed; for sessionStorage only: what other storages hold is shared already, or by nobody. Not offered on plain http beyond loopback. See docs/security.md. @default false */
  readonly shareWithNewTabs?: boolean;
  /** Stands in for `fetch` in every request of ours to the authorization server: extra headers, a proxy, tests. */
  readonly transport?: (
    request: Request,
    endpoint: Endpoint,
  ) => Promise<Response>;
  /** `"auto"` refreshes ahead of expiry, `"onDemand"` only when a token is asked for. @default "auto" */
  readonly refresh?: "auto" | "onDemand" | "off";
  /** Origins, besides this one, to which {@link Auth.fetch} may send the access token. */
  readonly apiOrigins?: readonly (string | URL)[];
  /** Tolerated clock difference, in seconds. @default 30 */
  readonly clockTolerance?: number;
  /** Limit of one request to the authorization server, in seconds. @default 10 */
  readonly timeout?: number;
  /** Where the `.wasm` comes from: required by `countersign/external`, of no use with the bytes inlined. */
  readonly wasm?: WasmSource;
  /** Receives records that never contain a token, code, verifier or claim value. */
  readonly log?: (record: LogRecord) => void;
}

/** Parameters of the authorization request; everything not named here goes in `extra`. */
export interface AuthorizationParams {
  readonly scope?: string | readonly string[];
  /** `audience`: the API that the access token is for, at servers that want it by this name. */
  readonly audience?: string;
  /** `resource`: the same by RFC 8707 §2, an absolute URI without fragment, or several. */
  readonly resource?: string | readonly string[];
  /** `organization` to sign in to; the ID Token is held to it. */
  readonly organization?: string;
  /** `invitation`: the ticket of an invitation to the organization. */
  readonly invitation?: string;
  /** `prompt`, `login_hint`, `max_age`, `acr_values`, `ui_locales`, `display` (OIDC Core §3.1.2.1). */
  readonly prompt?:
    "none" | "login" | "consent" | "select_account" | "create" | (string & {});
  readonly loginHint?: string;
  /** In seconds; the ID Token is held to it. */
  readonly maxAge?: number;
  readonly acrValues?: string | readonly string[];
  readonly uiLocales?: string | readonly string[];
  readonly display?: "page" | "popup" | "touch" | "wap";
  /** `claims` (OIDC Core §5.5); the ID Token is held to an essential `acr` and `auth_time`. */
  readonly claims?: {
    readonly userinfo?: object;
    readonly id_token?: object;
  };
  /** `authorization_details` (RFC 9396 §2). */
  readonly authorizationDetails?: readonly {
    readonly type: string;
    readonly [member: string]: unknown;
  }[];
  readonly extra?: Readonly<Record<string, string>>;
}

export interface Auth<TUser = IdTokenClaims> {
  /** Immutable snapshot; the same object until something changes. */
  readonly state: AuthState<TUser>;
  /** Settles when the first state that is not `"loading"` is known, after a callback when the page is where the sign-in goes back to. Never rejects. */
  readonly ready: Promise<SettledState<TUser>>;
  /** Calls back at once and on every change (the Svelte store contract). */
  readonly subscribe: (
    listener: (state: AuthState<TUser>) => void,
  ) => Unsubscribe;
  readonly on: <K extends keyof AuthEventMap<TUser>>(
    type: K,
    listener: (event: AuthEventMap<TUser>[K]) => void,
    options?: {
      readonly signal?: AbortSignal;
    },
  ) => Unsubscribe;
  /** Navigates away; settles only by rejecting. */
  readonly login: (options?: LoginOptions) => Promise<never>;
  /** Whether a URL is a response to a login of this client. @default the URL that the page was loaded with */
  readonly isCallback: (url?: string | URL) => boolean;
  /** Completes the callback; without a URL, the one that the page was loaded with. A second call gets the first result. */
  readonly handleCallback: (
    url?: string | URL,
  ) => Promise<CallbackResult<TUser>>;
  /** Forgets the session, then ends it at the server where that is supported. */
  readonly logout: (options?: LogoutOptions) => Promise<void>;
  /** A token good for at least `minValidity` seconds, refreshed if need be; concurrent calls share one refresh. Those for several APIs come from one refresh token, one after the other; one that is refused harms none of the others. */
  readonly getAccessToken: (options?: AccessTokenOptions) => Promise<string>;
  /** `fetch` with `Authorization: Bearer …` (RFC 6750 §2.1), to this origin and `apiOrigins` only; one retry after a refused token. */
  readonly fetch: (
    input: RequestInfo | URL,
    init?: AuthRequestInit,
  ) => Promise<Response>;
  /** A copy of the request with the access token in its header, for those who send it by other means; to this origin and `apiOrigins` only. After a 401, `refused` and `challenge` say which token it was about. */
  readonly authorize: (
    request: RequestInfo | URL,
    options?: AccessTokenOptions,
  ) => Promise<Request>;
  /** The raw ID Token, for federation with services that want it (Hasura, Firebase, Cognito); `null` where there is none. */
  readonly getIdToken: () => Promise<string | null>;
  /** The UserInfo response, its `sub` compared with the ID Token's (OIDC Core §5.3.2). */
  readonly fetchUserInfo: (options?: {
    readonly signal?: AbortSignal;
  }) => Promise<UserInfo>;
  /** Loads the wasm side now, so that the next call need not. */
  readonly preload: () => Promise<void>;
  /** Stops timers and listeners and frees the wasm side. The stored session stays. */
  readonly dispose: () => void;
}

export type Unsubscribe = () => void;

export type AuthState<TUser = IdTokenClaims> =
  LoadingState | SettledState<TUser>;

export type SettledState<TUser = IdTokenClaims> =
  SignedInState<TUser> | SignedOutState;

export interface LoadingState {
  readonly status: "loading";
  readonly user: null;
  readonly error: null;
}

export interface SignedInState<TUser = IdTokenClaims> {
  readonly status: "signedIn";
  readonly user: TUser;
  /** Granted scope (RFC 6749 §3.3). */
  readonly scope: readonly string[];
  /** Expiry of the access token, in epoch milliseconds; `null` where the server gave none. */
  readonly expiresAt: number | null;
  /** `"stale"`: expired and not to be refreshed just now (offline, server trouble); the user stays known. */
  readonly freshness: "fresh" | "stale";
  /** Whether a refresh token is there: without one the session ends with its access token. */
  readonly refreshable: boolean;
  /** What failed while the session still stands: a background refresh, a refused step-up login. */
  readonly error: AnyAuthError | null;
}

export interface SignedOutState {
  readonly status: "signedOut";
  readonly user: null;
  readonly reason: SignedOutReason;
  readonly error: AnyAuthError | null;
}

export type SignedOutReason =
  | "noSession"
  | "loggedOut"
  | "loggedOutElsewhere"
  | "expired"
  | "refreshRejected"
  | "answerLost"
  | "interactionRequired"
  | "userChanged"
  | "callbackFailed"
  /** There may be a session, but the wasm side that would know cannot be loaded. */
  | "unavailable";

export interface AuthEventMap<TUser = IdTokenClaims> {
  readonly signedIn: {
    readonly user: TUser;
    readonly via: "callback" | "restore" | "otherTab";
  };
  readonly signedOut: {
    readonly reason: SignedOutReason;
    readonly error: AnyAuthError | null;
  };
  readonly refreshed: {
    readonly expiresAt: number | null;
  };
  readonly refreshFailed: {
    readonly error: AnyAuthError;
    /** When it is tried again by itself. */
    readonly retryAt: number | null;
  };
  /** Works, but the developer should know. */
  readonly warning: {
    readonly code: WarningCode;
    readonly hint: string;
  };
}

export type WarningCode =
  /** The storage refused: the session lives in memory and ends with the page. */
  | "storage_fallback"
  /** `offline_access` was asked for, and no refresh token came. */
  | "no_refresh_token"
  /** `crypto.subtle` is missing: the ID Token was accepted because it came over TLS (OIDC Core §3.1.3.7, 6). */
  | "signature_unchecked"
  /** The issuer is `http:` beyond loopback, by `allowInsecureIssuer`. */
  | "insecure_issuer"
  /** There are no Web Locks: two tabs may refresh at once. */
  | "no_locks"
  | "no_mailbox"
  /** The callback had an `iss`, and there is no `issuer` to compare it with (RFC 9207 §2.4). */
  | "issuer_unchecked"
  /** Another client of the page has the same `redirectUri` at another server, and this server does not say who answers (RFC 9700 §4.4.2). */
  | "shared_redirect_uri"
  /** The page that a logout comes back to was opened without the `state` that was sent (OIDC RP-Initiated Logout §3). */
  | "logout_unconfirmed";

export interface LoginOptions extends AuthorizationParams {
  /** Same-origin place to come back to. @default the current URL */
  readonly returnTo?: string | URL;
  /** Anything that JSON can carry, given back by the callback. Stored, never sent. */
  readonly appState?: unknown;
  /** Stands in for `location.assign`. */
  readonly navigate?: Navigate;
  /** Ends the waiting for the server's metadata: the page is not left then. */
  readonly signal?: AbortSignal;
}

export interface CallbackResult<TUser = IdTokenClaims> {
  readonly state: SignedInState<TUser>;
  readonly returnTo: string;
  readonly appState: unknown;
}

export interface LogoutOptions {
  readonly postLogoutRedirectUri?: string | URL;
  /** `true`: only this browser forgets. @default false */
  readonly local?: boolean;
  /** Revoke the refresh token (RFC 7009), where the server offers that. @default true; with `local`, or where the access token is the hint, false */
  readonly revoke?: boolean;
  readonly extra?: Readonly<Record<string, string>>;
  /** Stands in for `location.assign`. */
  readonly navigate?: Navigate;
}

export interface AccessTokenOptions {
  /** The API that the token is for, at servers that know `audience`. @default the one signed in for */
  readonly audience?: string;
  /** The API that the token is for (RFC 8707 §2): one of those that the sign-in named. @default the one signed in for */
  readonly resource?: string;
  /** A part of the granted scope (RFC 6749 §6), in any order. @default all of it */
  readonly scope?: string | readonly string[];
  /** In seconds. @default long enough for the token to arrive */
  readonly minValidity?: number;
  /** Refresh even a fresh one. @default false */
  readonly forceRefresh?: boolean;
  /** The token that an API has just refused with 401. A refresh follows at most once per token, and only if it is still the present one; where none follows, the same token is given again. */
  readonly refused?: string;
  /** The `WWW-Authenticate` of that refusal: another error than `invalid_token` causes no refresh (RFC 6750 §3.1). @default unreadable, which counts as `invalid_token` */
  readonly challenge?: string | null;
  /** Ends the waiting, not the refresh: others may wait for it, too. */
  readonly signal?: AbortSignal;
}

export interface AuthRequestInit extends RequestInit {
  readonly auth?: Omit<AccessTokenOptions, "signal" | "refused" | "challenge">;
}

/** How a server wants to be left. */
export interface LogoutDialect {
  readonly endpoint: string | URL;
  /** Parameter names where they differ from RP-Initiated Logout's; `null` leaves one out. An access token goes along only if it has a name here. */
  readonly params?: Readonly<
    Partial<
      Record<
        | "client_id"
        | "post_logout_redirect_uri"
        | "id_token_hint"
        | "access_token_hint"
        | "state",
        string | null
      >
    >
  >;
}

export type Navigate = (url: string) => void | Promise<void>;

/** `localStorage` and `sessionStorage` fit as they are. Synchronous: the record is written in one step. */
export interface AuthStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

export type WasmSource =
  | string
  | URL
  | Request
  | Response
  | BufferSource
  | WebAssembly.Module
  | Promise<Response | BufferSource | WebAssembly.Module>;

export interface LogRecord {
  readonly level: "debug" | "warn";
  readonly message: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** Validated ID Token claims (OIDC Core §2, §5.1). */
export interface IdTokenClaims {
  readonly iss: string;
  readonly sub: string;
  readonly aud: string | readonly string[];
  readonly exp: number;
  readonly iat: number;
  readonly auth_time?: number;
  readonly nonce?: string;
  readonly acr?: string;
  readonly amr?: readonly string[];
  readonly azp?: string;
  readonly name?: string;
  readonly given_name?: string;
  readonly family_name?: string;
  readonly preferred_username?: string;
  readonly email?: string;
  readonly email_verified?: boolean;
  readonly picture?: string;
  readonly locale?: string;
  readonly updated_at?: number;
  readonly [claim: string]: unknown;
}

/** UserInfo response (OIDC Core §5.3.2). */
export interface UserInfo {
  readonly sub: string;
  readonly [claim: string]: unknown;
}

/** RFC 8414 §2, OIDC Discovery §3. */
export interface ServerMetadata {
  readonly issuer: string;
  readonly authorization_endpoint: string;
  readonly token_endpoint: string;
  readonly jwks_uri: string;
  readonly userinfo_endpoint: string;
  readonly end_session_endpoint: string;
  readonly revocation_endpoint: string;
  readonly authorization_response_iss_parameter_supported: boolean;
  readonly [member: string]: unknown;
}

export type AuthErrorCode = keyof AuthErrorDetails;

/** Every `AuthError`, discriminated by `code`. */
export type AnyAuthError = {
  [C in AuthErrorCode]: AuthError<C>;
}[AuthErrorCode];

/** An error response, in the server's own words (RFC 6749 §4.1.2.1, §5.2): show it as text, never as HTML. */
export interface OAuthErrorResponse {
  readonly error: string;
  readonly error_description: string | null;
  readonly error_uri: string | null;
}

export interface AuthErrorDetails {
  readonly invalid_config: {
    readonly option: string;
    readonly problem: string;
  };
  readonly unsupported_environment: {
    readonly missing:
      "browser" | "WebAssembly" | "crypto.getRandomValues" | "crypto.subtle";
  };
  readonly wasm_load_failed: {
    readonly url: string | null;
    readonly problem: "csp" | "network" | "not_wasm" | "unsupported";
  };
  readonly forbidden_origin: {
    readonly origin: string;
    readonly allowed: readonly string[];
  };
  readonly disposed: {};
  /** RFC 6749 §4.1.2.1, OIDC Core §3.1.2.6. */
  readonly authorization_error: OAuthErrorResponse;
  /** RFC 6749 §5.2. `status` is 0 where the server was not asked: the `resource` is none of those signed in for. */
  readonly token_error: OAuthErrorResponse & {
    readonly status: number;
  };
  readonly invalid_metadata: {
    readonly field: string;
    readonly problem:
      "missing" | "malformed" | "mismatch" | "insecure" | "unsupported";
  };
  /** `problem`: `status`, `empty`, `not_json`, `too_large`, or the member or parameter that is wrong; of a refusal at the UserInfo endpoint `invalid_token`, `insufficient_scope`, `invalid_request` (RFC 6750 §3.1), and what the server said beside. `status` is 0 for the callback. */
  readonly invalid_response: {
    readonly endpoint: Endpoint;
    readonly status: number;
    readonly problem: string;
  } & Partial<OAuthErrorResponse>;
  /** The `state` belongs to no pending login of this browser (RFC 6749 §10.12): reload, bookmark, back button, forgery. */
  readonly stale_callback: {
    readonly problem: "missing" | "unknown" | "expired" | "used";
    readonly returnTo: string | null;
    readonly untrusted: OAuthErrorResponse | null;
  };
  /** RFC 9207 §2.4. `untrusted`: the error that the response carried, for the developer's eyes only. */
  readonly issuer_mismatch: {
    readonly expected: string;
    readonly actual: string | null;
    readonly untrusted: OAuthErrorResponse | null;
  };
  /** OIDC Core §3.1.3.7 (at login) and §12.2 (at refresh). `claim` may also be `alg`, `kid`, `signature`, `header`, `payload`, `id_token`. */
  readonly invalid_id_token: {
    readonly claim: string;
    readonly problem: IdTokenProblem;
    readonly skewSeconds: number | null;
  };
  /** OIDC Core §12.2 (the session was ended), §5.3.2 (it stays). */
  readonly subject_mismatch: {
    readonly endpoint: Endpoint;
  };
  readonly login_required: {
    readonly reason: SignedOutReason;
  };
  /** Three logins have left within a minute without the user's doing; the next one does not. `likely` names what to look at first. */
  readonly login_loop: {
    /** How many have left. */
    readonly logins: number;
    /** In so many seconds. */
    readonly seconds: number;
    readonly likely:
      | "clock"
      | "storage"
      | "redirect_uri"
      | "cookies"
      | "api_rejects_token"
      | "unknown";
  };
  readonly network: {
    readonly endpoint: Endpoint;
  };
  readonly timeout: {
    readonly endpoint: Endpoint;
    readonly seconds: number;
  };
  readonly aborted: {};
  readonly storage: {
    readonly operation: "read" | "write" | "remove";
  };
  /** A bug of ours; please report. */
  readonly internal: {
    readonly location: string;
  };
}

/** `authorization` is the callback. */
export type Endpoint =
  "authorization" | "discovery" | "jwks" | "token" | "userinfo" | "revocation";

export type IdTokenProblem =
  | "malformed"
  | "missing"
  | "mismatch"
  | "expired"
  | "not_yet_valid"
  | "too_old"
  | "unsupported_alg"
  | "no_matching_key"
  | "bad_signature";

/** What went wrong: `code` says what, `details` what there is to know about it, `hint` what to do. Holds no token, code or claim value. */
export declare class AuthError<
  C extends AuthErrorCode = AuthErrorCode,
> extends Error {
  readonly name = "AuthError";
  readonly code: C;
  readonly details: AuthErrorDetails[C];
  /** The same call may succeed later without the user doing anything. */
  readonly retryable: boolean;
  /** What to do about it, for the developer. */
  readonly hint: string;
  private constructor();
}

export declare function isAuthError(value: unknown): value is AnyAuthError;

export declare function isAuthError<C extends AuthErrorCode>(
  value: unknown,
  code: C,
): value is AuthError<C>;

export {};
