// How cidaas refuses: as OAuth has it, with an object inside `error`, and by free text.

import { random } from "../kernel/server.mjs";

export const oauth = (status, error, error_description) => ({
  status,
  body: { error, error_description },
});

const invalidGrant = oauth(
  400,
  "invalid_grant",
  "The provided authorization grant is invalid : invalid code or expired or already used or revoked",
);

export const refusals = {
  refresh_token: invalidGrant,
  refresh_token_expired: invalidGrant,
  code: invalidGrant,
  verifier: invalidGrant,
  code_redirect_uri: invalidGrant,
  unknown_client: oauth(401, "invalid_client", "invalid client"),
  client_authentication: oauth(401, "invalid_client", "invalid client"),
  unsupported_grant_type: oauth(
    400,
    "unsupported_grant_type",
    "unsupported grant_type",
  ),
  scope: oauth(400, "invalid_scope", "invalid scope"),
  origin: oauth(
    403,
    "invalid_request",
    "AUTH10043: the origin is not among the allowed_web_origins",
  ),
  introspection_token: oauth(
    400,
    "invalid_request",
    "The request is missing a required parameter : invalid authorization header access_token passed",
  ),
};

/** Its own form: `error` is an object. */
export const wrapped = () => ({
  status: 400,
  body: {
    success: false,
    status: 400,
    error: {
      code: 24007,
      moreInfo: "",
      type: "LoginException",
      status: 400,
      referenceNumber: `${Date.now()}-${random(8)}`,
      error: "invalid token passed",
    },
  },
});

/** Free text, and no description. */
export const denied = () => ({
  status: 401,
  body: {
    error: "Access denied for this resource",
    refnumber: `${Date.now()}`,
  },
});
