// UPBOND Login 3.0, as its documentation describes it: Auth0's paths over a server that behaves like node-oidc-provider.

import { errorPage, signedOutPage } from "../../../www-demo/op/pages.mjs";
import { findUser } from "../../../www-demo/op/users.mjs";
import { refuse } from "../kernel/authorization.mjs";
import {
  answer,
  json,
  jsonForm,
  page,
  random,
  redirect,
  Refusal,
  startServer,
} from "../kernel/server.mjs";

const routes = {
  discovery: "/.well-known/openid-configuration",
  jwks: "/.well-known/jwks.json",
  authorization: "/authorize",
  token: "/oauth/token",
  revocation: "/oauth/revoke",
  userinfo: ["/userinfo", "/accounts/"],
  end_session: "/v2/logout",
};

/**
 * Starts one. `control.settings` has `accountId` (then discovery wants it), `unknownUser`, and `social`: what goes wrong at
 * a social provider, `{ error, error_description }`.
 */
export const startUpbond = (options) => startServer(upbond, options);

function upbond(server) {
  const { url } = server;
  const claimsOf = (grant) => {
    const { claims } = findUser(grant.user);
    const scopes = grant.scope.split(" ");
    const { name, given_name, family_name, email, email_verified } = claims;
    return {
      ...(scopes.includes("profile") ? { name, given_name, family_name } : {}),
      ...(scopes.includes("email") ? { email, email_verified } : {}),
    };
  };

  /** It depends on the account. */
  const userinfoPath = () =>
    `/accounts/${server.settings.accountId ?? "default"}/userinfo`;

  return {
    routes,
    issuer: url,
    iss: url,
    settings: {
      accessTokenTtl: 86400,
      rotate: false,
      accountId: null,
      unknownUser: false,
      social: null,
      resources: ["https://api.example.com"],
    },
    metadata: () => ({
      issuer: url,
      authorization_endpoint: `${url}/authorize`,
      token_endpoint: `${url}/oauth/token`,
      userinfo_endpoint: url + userinfoPath(),
      jwks_uri: `${url}/.well-known/jwks.json`,
      response_types_supported: ["code", "id_token", "code id_token"],
      subject_types_supported: ["public"],
      code_challenge_methods_supported: ["S256"],
      id_token_signing_alg_values_supported: ["RS256"],
      token_endpoint_auth_methods_supported: [
        "client_secret_basic",
        "client_secret_post",
        "none",
      ],
      authorization_response_iss_parameter_supported: true,
    }),
    check(params) {
      for (const resource of params.getAll("resource"))
        if (!server.settings.resources.includes(resource))
          throw refuse(
            "invalid_target",
            "resource indicator is missing, or unknown",
          );
    },
    admit(params, user, { social }) {
      if (social) throw refuse(social.error, social.error_description);
    },
    isLasting: ({ scope }) => scope.split(" ").includes("offline_access"),
    accessToken: (grant, iat, exp) =>
      grant.audience || grant.resources.length > 0
        ? server.sign(
            {
              iss: url,
              sub: grant.sub,
              aud: grant.audience ?? grant.resources[0],
              client_id: grant.client_id,
              scope: grant.scope,
              jti: random(12),
              iat,
              exp,
            },
            { typ: "at+jwt" },
          )
        : random(32),
    idToken: (grant, accessToken, iat) => ({
      iss: url,
      sub: grant.sub,
      aud: grant.client_id,
      iat,
      exp: iat + server.settings.idTokenTtl,
      nonce: grant.nonce ?? undefined,
      ...claimsOf(grant),
    }),
    /** No `scope` in the first answer; no refresh token in the later ones. */
    tokens: ({
      grant,
      refreshed,
      access_token,
      refresh_token,
      id_token,
      expires_in,
    }) =>
      refreshed
        ? {
            access_token,
            expires_in,
            scope: grant.scope,
            id_token,
            token_type: "Bearer",
          }
        : {
            access_token,
            refresh_token,
            id_token,
            token_type: "Bearer",
            expires_in,
          },
    userinfo({ grant }) {
      if (server.settings.unknownUser) throw new Refusal("unknown_user");
      return { sub: grant.sub, ...claimsOf(grant) };
    },
    grantTypes: {
      /** For clients with a secret: what a relay must not lend. */
      client_credentials(fields, client) {
        if (client.client_secret === undefined)
          throw new Refusal("unsupported_grant_type");
        return {
          access_token: random(32),
          token_type: "Bearer",
          expires_in: 86400,
        };
      },
    },
    handlers: {
      discovery(req, res) {
        const { accountId } = server.settings;
        if (accountId !== null && req.headers["x-account-id"] !== accountId)
          return json(res, 404, { error: "Not found" });
        return json(res, 200, server.character.metadata());
      },
      /** Documented with a JSON body. */
      revocation: (req, res) =>
        answer(res, server, async () => {
          await server.grants.revoke(req, await jsonForm(req));
        }),
      /** A POST makes the record of a user that was not there. */
      userinfo: (req, res, { url: { pathname } }) =>
        answer(res, server, async () => {
          if (!["/userinfo", userinfoPath()].includes(pathname))
            throw new Refusal("unknown_user");
          const held = server.grants.bearer(req);
          if (req.method === "POST") server.settings.unknownUser = false;
          return server.character.userinfo(held);
        }),
      end_session(req, res, { url: at }) {
        server.authorization.signOut(req);
        const to = at.searchParams.get("returnTo");
        const client = server.clients.get(at.searchParams.get("client_id"));
        if (to === null) return page(res, 200, signedOutPage());
        if (!client?.post_logout_redirect_uris?.includes(to))
          return page(res, 400, errorPage(mismatch));
        return redirect(res, to);
      },
    },
    refusePage: (kind) =>
      kind === "redirect_uri"
        ? mismatch
        : {
            status: 400,
            error: "invalid_client",
            error_description: "client is invalid",
          },
    refuse: (kind) =>
      refusals[kind] ??
      oauth(400, "invalid_request", "the request is malformed"),
  };
}

const oauth = (status, error, error_description) => ({
  status,
  body: { error, error_description },
});

const mismatch = {
  status: 400,
  error: "redirect_uri_mismatch",
  error_description: "Invalid redirect URI",
};

const refusals = {
  refresh_token: oauth(400, "invalid_grant", "grant request is invalid"),
  refresh_token_expired: oauth(
    400,
    "invalid_grant",
    "grant request is invalid",
  ),
  code: oauth(400, "invalid_grant", "grant request is invalid"),
  verifier: oauth(400, "invalid_grant", "grant request is invalid"),
  code_redirect_uri: oauth(400, mismatch.error, mismatch.error_description),
  unknown_client: oauth(401, "invalid_client", "Client authentication failed"),
  client_authentication: oauth(
    401,
    "invalid_client",
    "Client authentication failed",
  ),
  unsupported_grant_type: oauth(
    400,
    "unsupported_grant_type",
    "unsupported grant_type requested",
  ),
  scope: oauth(400, "invalid_scope", "refresh token missing requested scope"),
  access_token: {
    ...oauth(401, "invalid_token", "The access token is invalid or expired"),
    headers: { "www-authenticate": 'Bearer error="invalid_token"' },
  },
  unknown_user: { status: 404, body: { error: "Not found" } },
};
