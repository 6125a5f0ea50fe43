// cidaas, as its documentation and the fixtures of its own SDKs describe it.

import { randomUUID } from "node:crypto";
import { claimsOfHint } from "../kernel/hints.mjs";
import { errorPage, signedOutPage } from "../../../www-demo/op/pages.mjs";
import { findUser } from "../../../www-demo/op/users.mjs";
import { form, page, random, redirect, startServer } from "../kernel/server.mjs";

const routes = {
  discovery: "/.well-known/openid-configuration",
  jwks: "/.well-known/jwks.json",
  authorization: "/authz-srv/authz",
  token: "/token-srv/token",
  introspection: "/token-srv/introspect",
  revocation: "/token-srv/revoke",
  userinfo: "/users-srv/userinfo",
  end_session: "/session/end_session",
  check_session: "/session/check_session",
};

/** Starts one; `control.settings.errors` is `"oauth"` or `"cidaas"`: how the token endpoint refuses. */
export const startCidaas = (options) => startServer(cidaas, options);

const types = ["code", "token", "id_token"];
const hybrids = ["code token", "code id_token", "token id_token", "code token id_token"];

function cidaas(server) {
  const { url } = server;
  const subjects = new Map();
  const subjectOf = (login) => {
    if (!subjects.has(login)) subjects.set(login, randomUUID());
    return subjects.get(login);
  };
  const at = (name) => url + routes[name];

  return {
    routes,
    issuer: url,
    settings: { accessTokenTtl: 86400, idTokenTtl: 86400, errors: "oauth" },
    /** Its own JavaScript SDK asks for tokens in JSON. */
    takesJson: true,
    challengeMethods: ["plain", "S256"],
    subject: ({ claims }) => subjectOf(claims.sub),
    newCode: randomUUID,
    newRefreshToken: randomUUID,
    /** As recorded in the tests of its PHP SDK: no `none` among the methods, and HS256 among the algorithms. */
    metadata: () => ({
      issuer: url,
      authorization_endpoint: at("authorization"),
      token_endpoint: at("token"),
      userinfo_endpoint: at("userinfo"),
      jwks_uri: at("jwks"),
      introspection_endpoint: at("introspection"),
      introspection_async_update_endpoint: `${at("introspection")}/async/tokenusage`,
      revocation_endpoint: at("revocation"),
      end_session_endpoint: at("end_session"),
      check_session_iframe: at("check_session"),
      social_provider_token_resolver_endpoint: `${url}/login-srv/social/token`,
      device_authorization_endpoint: `${url}/authz-srv/device/authz`,
      scim_endpoint: `${url}/users-srv/scim/v2`,
      subject_types_supported: ["public"],
      response_types_supported: [...types, ...hybrids],
      response_modes_supported: ["query", "fragment", "form_post"],
      id_token_signing_alg_values_supported: ["HS256", "RS256"],
      token_endpoint_auth_methods_supported: [
        "client_secret_basic",
        "client_secret_post",
        "client_secret_jwt",
        "private_key_jwt",
      ],
      code_challenge_methods_supported: ["plain", "S256"],
      scopes_supported: [
        ...["openid", "profile", "email", "phone", "address"],
        ...["offline_access", "identities", "roles", "groups"],
      ],
      claims_parameter_supported: false,
    }),
    isLasting: ({ scope }) => scope.split(" ").includes("offline_access"),
    /** `scopes` is an array, and there is no `scope`. */
    accessToken: (grant, iat, exp) =>
      server.sign({
        ua_hash: random(16),
        sid: grant.sid,
        sub: grant.sub,
        isub: grant.sub,
        aud: grant.client_id,
        iat,
        auth_time: grant.auth_time,
        iss: url,
        jti: randomUUID(),
        nonce: grant.nonce ?? undefined,
        scopes: grant.scope.split(" "),
        roles: ["USER"],
        groups: [],
        exp,
      }),
    idToken: (grant, accessToken, iat) => ({
      iss: url,
      sub: grant.sub,
      aud: grant.client_id,
      iat,
      exp: iat + server.settings.idTokenTtl,
      auth_time: grant.auth_time,
      nonce: grant.nonce ?? undefined,
      sid: grant.sid,
      ...claimsOf(grant),
    }),
    tokens: ({ grant, access_token, refresh_token, id_token, expires_in }) => ({
      token_type: "Bearer",
      sub: grant.sub,
      expires_in,
      id_token_expires_in: server.settings.idTokenTtl,
      access_token,
      id_token,
      refresh_token,
      identity_id: grant.sub,
      userstate: "active",
    }),
    userinfo: ({ grant }) => ({
      sub: grant.sub,
      ...claimsOf(grant),
      provider: "self",
      identities: [],
    }),
    handlers: {
      end_session: (req, res, { url: there }) => logout(req, res, there, server),
      check_session: (req, res) => page(res, 200, "<title>check session</title>"),
      introspection: (req, res) => page(res, 401, ""),
    },
    refusePage: (kind) => ({
      status: 400,
      error: "invalid_request",
      error_description:
        kind === "redirect_uri" ? "invalid redirect_uri" : "invalid client",
    }),
    refuse(kind) {
      if (kind === "access_token") return denied();
      if (server.settings.errors === "cidaas") return wrapped();
      return refusals[kind] ?? oauth(400, "invalid_request", "invalid request");
    },
  };
}

function claimsOf(grant) {
  const { claims } = findUser(grant.user);
  const { name, given_name, family_name, email, email_verified } = claims;
  const scopes = grant.scope.split(" ");
  return {
    ...(scopes.includes("profile") ? { name, given_name, family_name } : {}),
    ...(scopes.includes("email") ? { email, email_verified } : {}),
  };
}

const oauth = (status, error, error_description) => ({
  status,
  body: { error, error_description },
});

const invalidGrant = oauth(
  400,
  "invalid_grant",
  "The provided authorization grant is invalid : invalid code or expired or already used or revoked",
);

const refusals = {
  refresh_token: invalidGrant,
  refresh_token_expired: invalidGrant,
  code: invalidGrant,
  verifier: invalidGrant,
  code_redirect_uri: invalidGrant,
  unknown_client: oauth(401, "invalid_client", "invalid client"),
  client_authentication: oauth(401, "invalid_client", "invalid client"),
  unsupported_grant_type: oauth(400, "unsupported_grant_type", "unsupported grant_type"),
  scope: oauth(400, "invalid_scope", "invalid scope"),
};

/** Its own form: `error` is an object. */
const wrapped = () => ({
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
const denied = () => ({
  status: 401,
  body: { error: "Access denied for this resource", refnumber: `${Date.now()}` },
});

/** GET and POST. Without a hint the redirect URI is ignored, and the login page comes. */
async function logout(req, res, { searchParams }, server) {
  const params = req.method === "POST" ? await form(req) : searchParams;
  server.authorization.signOut(req);
  const to = params.get("post_logout_redirect_uri");
  const clientId = await clientOfHint(params, server);
  if (to === null || clientId === undefined)
    return page(res, 200, signedOutPage());
  const client = server.clients.get(clientId);
  if (!client?.post_logout_redirect_uris?.includes(to))
    return page(
      res,
      400,
      errorPage({ error: "invalid_request", error_description: "invalid post_logout_redirect_uri" }),
    );
  const back = new URL(to);
  const state = params.get("state");
  if (state !== null) back.searchParams.set("state", state);
  return redirect(res, back.href);
}

/** Who logs out, by the hint: an access token, or an ID Token of ours, expired or not. */
async function clientOfHint(params, server) {
  const accessToken = params.get("access_token_hint");
  if (accessToken !== null)
    return server.grants.accessTokens.get(accessToken)?.client_id;
  return (await claimsOfHint(server, params.get("id_token_hint")))?.aud;
}
