// The texts for what only the Rust side can tell of; loaded with it.

import type { AuthErrorCode, WarningCode } from "./types.js";

/** Message and hint. */
export type Texts = Readonly<
  Partial<Record<AuthErrorCode, readonly [string, string]>>
>;

/** What happened, and what to do about it. The messages are those of the Rust side; a test compares them. */
export const ERRORS: Texts = {
  authorization_error: [
    "the authorization server refused the login",
    "details has its own words (RFC 6749 §4.1.2.1); show them as text and offer a new login",
  ],
  token_error: [
    "the token endpoint refused the request",
    "details has its own words (RFC 6749 §5.2): invalid_grant ends a session, invalid_client means that this is not registered as a public client",
  ],
  invalid_metadata: [
    "the authorization server's metadata cannot be used",
    "Compare the issuer option with the issuer in the server's own document, to the last slash (OIDC Discovery §4.3, RFC 8414 §3.3)",
  ],
  invalid_response: [
    "the authorization server gave an answer that no specification knows",
    "Look at the answer in the browser's network view (callback: RFC 6749 §4.1.2; token: §5.1; jwks: RFC 7517 §5; userinfo: OIDC Core §5.3)",
  ],
  stale_callback: [
    "this callback belongs to no pending login of this browser",
    "Call login({ returnTo: details.returnTo }) (RFC 6749 §10.12)",
  ],
  issuer_mismatch: [
    "the response came from another authorization server than the one asked",
    "If it is the right server, its issuer differs from the issuer option; if not, somebody mixed them up on purpose (RFC 9207 §2.4)",
  ],
  invalid_id_token: [
    "the ID Token was refused",
    "With skewSeconds, a clock is wrong; otherwise the server's answer is not for this client (OIDC Core §3.1.3.7)",
  ],
  subject_mismatch: [
    "the answer is about another user",
    "Of a refresh: the session was ended, log in again (OIDC Core §12.2); of UserInfo: nothing of it was used (§5.3.2)",
  ],
  login_loop: [
    "one login follows the other without the user's doing",
    "See details.likely. clock: compare this device's with the server's; storage: what is stored does not outlive the page; redirect_uri: create the client on that page; cookies: log in without prompt=none; api_rejects_token: correct the audience that the API expects; unknown: login() is called although the last one has succeeded or told why not",
  ],
  network: [
    "the authorization server could not be reached",
    "Offline, a wrong issuer, no CORS (the server must allow this page's origin), or a CSP whose connect-src lacks the server",
  ],
  timeout: [
    "the authorization server did not answer in time",
    "Try again, or raise the timeout option",
  ],
  storage: [
    "the browser's storage refused",
    "sessionStorage is full or denied; a login cannot come back without it",
  ],
};

/** What to do about it. */
export const WARNINGS: Readonly<Partial<Record<WarningCode, string>>> = {
  storage_fallback:
    "The storage is full, denied, or of a newer version; the session ends with this page",
  no_refresh_token:
    "Allow refresh tokens for this client at the server; some servers want prompt=consent, too",
  signature_unchecked:
    "Serve the page over https: crypto.subtle is missing, so the ID Token rests on TLS alone",
  insecure_issuer: "Serve the issuer over https",
  no_locks:
    "Serve the page over https: without Web Locks a lease stands in, and a tab that dies delays the others",
  no_mailbox:
    "Allow IndexedDB: without it only tabs that are awake hear of a refresh",
  issuer_unchecked:
    "Set the issuer option: the server says who it is, and there is nothing to compare it with",
  shared_redirect_uri:
    "Give each client a redirectUri of its own: this server does not say who answers",
};
