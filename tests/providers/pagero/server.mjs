// Pagero Online, as its documentation describes it: an authorization server for clients with a secret, without discovery.

import { randomUUID } from "node:crypto";
import {
  answer,
  form,
  random,
  Refusal,
  startServer,
} from "../kernel/server.mjs";

const routes = {
  authorization: ["/oauth/v2/oauth-authorize", "/oauth2/authorize"],
  token: ["/oauth/v2/oauth-token", "/oauth2/token"],
  revocation: "/oauth/v2/oauth-revoke",
};

/** Starts one; its clients have a `client_secret`. */
export const startPagero = (options) => startServer(pagero, options);

function pagero(server) {
  const { url } = server;
  const isAll = ({ scope }) => ["", "all"].includes(scope);

  return {
    routes,
    issuer: undefined,
    iss: url,
    /** No page of a browser may call it. */
    cors: () => false,
    settings: {
      accessTokenTtl: 600,
      refreshTokenTtl: 3 * 365 * 24 * 3600,
      rolling: true,
      legacy: { accessTokenTtl: 300, refreshTokenTtl: 365 * 24 * 3600 },
    },
    newRefreshToken: () => `_1XBPWQQ_${randomUUID()}`,
    isLasting: () => true,
    /** A JWT when the scope is `all`, opaque otherwise. */
    accessToken: (grant, iat, exp) =>
      grant.scope === "all"
        ? server.sign({
            iss: url,
            sub: grant.sub,
            aud: grant.client_id,
            scope: "all",
            jti: random(12),
            iat,
            exp,
          })
        : `_0XBPWQQ_${randomUUID()}`,
    idToken: (grant, accessToken, iat) => ({
      iss: url,
      sub: grant.sub,
      aud: grant.client_id,
      iat,
      exp: iat + server.settings.idTokenTtl,
      nonce: grant.nonce ?? undefined,
    }),
    tokens: ({ grant, access_token, refresh_token, id_token, expires_in }) => ({
      ...(id_token === undefined ? {} : { id_token }),
      token_type: "bearer",
      access_token,
      refresh_token,
      scope: isAll(grant) ? "" : grant.scope,
      claims: "publicid",
      expires_in,
    }),
    refusePage: () => ({
      status: 400,
      error: "invalid_request",
      error_description: "Invalid redirect_uri or client",
    }),
    refuse: (kind) => refusals[kind] ?? oauth(400, "invalid_request"),
    handlers: {
      /** The legacy endpoint has lifetimes of its own, and says its scope. */
      token: (req, res, { url: at }) =>
        answer(res, server, async () => {
          const isLegacy = at.pathname.startsWith("/oauth2/");
          const lifetimes = isLegacy ? server.settings.legacy : undefined;
          const fields = await form(req);
          const body = await server.grants.token(req, fields, lifetimes);
          return isLegacy ? { ...body, scope: "all" } : body;
        }),
      /** Basic authentication only, and the parameter `token`. */
      revocation: (req, res) =>
        answer(res, server, async () => {
          if (!/^Basic /i.test(req.headers.authorization ?? ""))
            throw new Refusal("client_authentication");
          await server.grants.revoke(req, await form(req));
        }),
    },
  };
}

const oauth = (status, error, headers) => ({
  status,
  body: { error },
  headers,
});

const refusals = {
  refresh_token: oauth(400, "invalid_grant"),
  refresh_token_expired: oauth(400, "invalid_grant"),
  code: oauth(400, "invalid_grant"),
  verifier: oauth(400, "invalid_grant"),
  code_redirect_uri: oauth(400, "invalid_grant"),
  unknown_client: oauth(401, "invalid_client", { "www-authenticate": "Basic" }),
  client_authentication: oauth(401, "invalid_client", {
    "www-authenticate": "Basic",
  }),
  unsupported_grant_type: oauth(400, "unsupported_grant_type"),
  scope: oauth(400, "invalid_scope"),
};
