// How Auth0 refuses: at its token and userinfo endpoints, and on its error page.

import { random } from "../kernel/server.mjs";

const oauth = (status, error, error_description, more = {}) => ({
  status,
  body: { error, error_description, ...more },
});

export const refusals = {
  refresh_token: () =>
    oauth(403, "invalid_grant", "Unknown or invalid refresh token."),
  refresh_token_expired: () =>
    oauth(403, "invalid_grant", "Unknown or invalid refresh token."),
  refresh_token_missing: () =>
    oauth(400, "invalid_request", "Missing Refresh Token"),
  user_blocked: () => oauth(403, "invalid_grant", "user is blocked"),
  code: () => oauth(403, "invalid_grant", "Invalid authorization code"),
  verifier: () => oauth(403, "invalid_grant", "Failed to verify code verifier"),
  code_redirect_uri: () =>
    oauth(
      403,
      "invalid_grant",
      "The redirect URI is wrong. You sent it differently than at /authorize.",
    ),
  unknown_client: () => oauth(401, "access_denied", "Unauthorized"),
  client_authentication: () => oauth(401, "access_denied", "Unauthorized"),
  unsupported_grant_type: () =>
    oauth(403, "unauthorized_client", "Grant type not allowed for the client."),
  scope: () =>
    oauth(403, "invalid_scope", "The scope is wider than what was granted."),
  mfa_required: () =>
    oauth(403, "mfa_required", "Multifactor authentication required", {
      mfa_token: random(),
    }),
  rate_limited: () => ({
    ...oauth(429, "too_many_requests", "Global limit has been reached"),
    headers: { "retry-after": "2", ...quota(0) },
  }),
  access_token: () => ({
    status: 401,
    body: "Unauthorized",
    headers: {
      "www-authenticate": 'Bearer realm="Users", error="invalid_token"',
    },
  }),
  other: () => oauth(400, "invalid_request", "The request is malformed."),
};

/** What is left of so many requests. */
export const quota = (remaining) => ({
  "x-ratelimit-limit": "10",
  "x-ratelimit-remaining": String(remaining),
  "x-ratelimit-reset": String(Math.ceil(Date.now() / 1000)),
});

export const pages = {
  unknown_client: {
    status: 400,
    error: "invalid_request",
    error_description: "Unknown client",
  },
  redirect_uri: {
    status: 403,
    error: "unauthorized_client",
    error_description: "Callback URL mismatch.",
  },
  request_uri: {
    status: 400,
    error: "invalid_request",
    error_description: "The request_uri is invalid or expired.",
  },
  other: {
    status: 400,
    error: "invalid_request",
    error_description: "The transaction is over.",
  },
};
