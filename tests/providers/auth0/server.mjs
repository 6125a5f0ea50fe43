// Auth0, as its documentation describes it; NOTES.md says which line is documented and which is guessed.

import { refuse } from "../kernel/authorization.mjs";
import { errorPage, signedOutPage } from "../../../www-demo/op/pages.mjs";
import { findUser } from "../../../www-demo/op/users.mjs";
import { page, random, redirect, Refusal, startServer } from "../kernel/server.mjs";

/** The API that a token is for, with `audience`. */
export const audience = "https://api.example.com/";

const organizations = [
  { id: "org_wonderland01", name: "wonderland" },
  { id: "org_lookingglass", name: "looking-glass" },
];

const routes = {
  discovery: "/.well-known/openid-configuration",
  jwks: "/.well-known/jwks.json",
  authorization: "/authorize",
  token: "/oauth/token",
  revocation: "/oauth/revoke",
  userinfo: "/userinfo",
  end_session: ["/v2/logout", "/oidc/logout"],
};

/** Starts one; `control.settings` has `organizations`, `action`, `mfa`, `rateLimited`, `audienceParameter`. */
export const startAuth0 = (options) => startServer(auth0, options);

function auth0(server) {
  const { url } = server;
  const issuer = `${url}/`;
  const organizationOf = (wanted) =>
    wanted.startsWith("org_")
      ? server.settings.organizations.find(({ id }) => id === wanted)
      : server.settings.organizations.find(({ name }) => name === wanted.toLowerCase());
  const claimsOfOrganization = ({ organization }) => {
    const found = organization && organizationOf(organization);
    return found ? { org_id: found.id, org_name: found.name } : {};
  };

  return {
    routes,
    issuer,
    settings: {
      accessTokenTtl: 86400,
      refreshTokenTtl: 30 * 24 * 3600,
      organizations,
      /** What an Action says to a login: `{ error, error_description }`. */
      action: null,
      mfa: false,
      beforeToken: () => limit(server.settings),
    },
    subject: ({ claims }) => `auth0|${claims.sub}`,
    metadata: () => ({
      issuer,
      authorization_endpoint: `${url}/authorize`,
      token_endpoint: `${url}/oauth/token`,
      revocation_endpoint: `${url}/oauth/revoke`,
      userinfo_endpoint: `${url}/userinfo`,
      jwks_uri: `${url}/.well-known/jwks.json`,
      scopes_supported: ["openid", "profile", "offline_access", "email"],
      response_types_supported: ["code"],
      response_modes_supported: ["query", "fragment", "form_post"],
      subject_types_supported: ["public"],
      code_challenge_methods_supported: ["S256", "plain"],
      id_token_signing_alg_values_supported: ["HS256", "RS256"],
      token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post", "none"],
    }),

    check(params) {
      if (params.has("invitation") && !params.has("organization"))
        throw refuse("invalid_request", "invitation needs an organization");
      const wanted = params.get("organization");
      if (wanted !== null && !organizationOf(wanted))
        throw refuse("invalid_request", "parameter organization is invalid");
    },
    admit(params, user, settings) {
      if (settings.action)
        throw refuse(settings.action.error, settings.action.error_description);
    },
    isLasting: ({ scope }) => scope.split(" ").includes("offline_access"),

    /** A JWT for an API, an opaque text without one. */
    accessToken(grant, iat, exp) {
      const target = grant.audience ?? grant.resources[0];
      if (!target) return `eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..${random(60)}`;
      return server.sign(
        {
          iss: issuer,
          sub: grant.sub,
          aud: [target, `${url}/userinfo`],
          iat,
          exp,
          azp: grant.client_id,
          scope: grant.scope,
          permissions: [],
          jti: random(9),
          ...claimsOfOrganization(grant),
        },
        { typ: "at+jwt" },
      );
    },
    idToken(grant, accessToken, iat) {
      const { claims } = findUser(grant.user);
      const scopes = grant.scope.split(" ");
      return {
        iss: issuer,
        sub: grant.sub,
        aud: grant.client_id,
        iat,
        exp: iat + server.settings.idTokenTtl,
        auth_time: grant.auth_time,
        sid: grant.sid,
        nonce: grant.nonce ?? undefined,
        ...claimsOfOrganization(grant),
        ...profile(claims, scopes),
        "https://app.example.com/roles": ["reader"],
      };
    },
    tokens: ({ grant, refreshed, ...tokens }) => ({
      access_token: tokens.access_token,
      refresh_token: tokens.refresh_token,
      id_token: tokens.id_token,
      ...(refreshed ? { scope: grant.scope } : {}),
      expires_in: tokens.expires_in,
      token_type: "Bearer",
    }),
    userinfo({ grant }, req, res) {
      res.setHeader("X-RateLimit-Limit", "10");
      res.setHeader("X-RateLimit-Remaining", "9");
      res.setHeader("X-RateLimit-Reset", String(Math.ceil(Date.now() / 1000)));
      const scopes = grant.scope.split(" ");
      if (!scopes.includes("openid")) throw new Refusal("access_token");
      const { claims } = findUser(grant.user);
      return { sub: grant.sub, ...profile(claims, scopes) };
    },
    revokesAccessTokens: false,
    handlers: {
      end_session: (req, res, { url: at }) => logout(req, res, at, server),
    },
    refusePage: (kind) => pages[kind] ?? pages.other,
    refuse: (kind, details) => refusals[kind]?.(details) ?? refusals.other(),
  };
}

/** The documented claims of the profile; `updated_at` is an ISO text, whatever OpenID Connect says. */
function profile(claims, scopes) {
  const { name, given_name, family_name, email, email_verified } = claims;
  return {
    ...(scopes.includes("profile")
      ? {
          ...{ nickname: claims.preferred_username, name, given_name, family_name },
          picture: "https://s.gravatar.com/avatar/0",
          updated_at: new Date().toISOString(),
        }
      : {}),
    ...(scopes.includes("email") ? { email, email_verified } : {}),
  };
}

function limit({ rateLimited, mfa }) {
  if (rateLimited) throw new Refusal("rate_limited");
  if (mfa) throw new Refusal("mfa_required");
}

const oauth = (status, error, error_description, more = {}) => ({
  status,
  body: { error, error_description, ...more },
});

const refusals = {
  refresh_token: () => oauth(403, "invalid_grant", "Unknown or invalid refresh token."),
  refresh_token_expired: () => oauth(403, "invalid_grant", "Unknown or invalid refresh token."),
  code: () => oauth(403, "invalid_grant", "Invalid authorization code"),
  verifier: () => oauth(403, "invalid_grant", "Failed to verify code verifier"),
  code_redirect_uri: () =>
    oauth(403, "invalid_grant", "The redirect URI is wrong. You sent it differently than at /authorize."),
  unknown_client: () => oauth(401, "access_denied", "Unauthorized"),
  client_authentication: () => oauth(401, "access_denied", "Unauthorized"),
  unsupported_grant_type: () => oauth(403, "unauthorized_client", "Grant type not allowed for the client."),
  scope: () => oauth(403, "invalid_scope", "The scope is wider than what was granted."),
  mfa_required: () =>
    oauth(403, "mfa_required", "Multifactor authentication required", { mfa_token: random() }),
  rate_limited: () => ({
    ...oauth(429, "too_many_requests", "Global limit has been reached"),
    headers: { "retry-after": "2", "x-ratelimit-limit": "100", "x-ratelimit-remaining": "0" },
  }),
  access_token: () => ({
    status: 401,
    body: "Unauthorized",
    headers: { "www-authenticate": 'Bearer realm="Users", error="invalid_token"' },
  }),
  other: () => oauth(400, "invalid_request", "The request is malformed."),
};

const pages = {
  unknown_client: { status: 400, error: "invalid_request", error_description: "Unknown client" },
  redirect_uri: { status: 403, error: "unauthorized_client", error_description: "Callback URL mismatch." },
  other: { status: 400, error: "invalid_request", error_description: "The transaction is over." },
};

/** `/v2/logout` takes `client_id` and `returnTo`, `/oidc/logout` what RP-Initiated Logout says. */
function logout(req, res, url, server) {
  const { searchParams: params } = url;
  server.authorization.signOut(req);
  const own = url.pathname === "/v2/logout";
  const to = params.get(own ? "returnTo" : "post_logout_redirect_uri");
  if (to === null) return page(res, 200, signedOutPage());
  const client = server.clients.get(params.get("client_id"));
  if (!client?.post_logout_redirect_uris?.includes(to))
    return page(
      res,
      400,
      errorPage({ error: "invalid_request", error_description: "The returnTo is not an Allowed Logout URL" }),
    );
  const back = new URL(to);
  const state = params.get("state");
  if (!own && state !== null) back.searchParams.set("state", state);
  return redirect(res, back.href);
}
