// Auth0, as its documentation describes it; NOTES.md says which line is documented and which is guessed.

import { refuse } from "../kernel/authorization.mjs";
import { findUser } from "../../../www-demo/op/users.mjs";
import { createPushed } from "../kernel/pushed.mjs";
import { random, Refusal, startServer } from "../kernel/server.mjs";
import { logout } from "./logout.mjs";
import { pages, quota, refusals } from "./refusals.mjs";

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
  pushed: "/oauth/par",
  token: "/oauth/token",
  revocation: "/oauth/revoke",
  userinfo: "/userinfo",
  end_session: ["/v2/logout", "/oidc/logout"],
};

/** Starts one; what of it a tenant sets, and a test, is in `control.settings`, below. */
export const startAuth0 = (options) => startServer(auth0, options);

function auth0(server) {
  const { url } = server;
  const issuer = `${url}/`;
  const organizationOf = (wanted) => {
    const { organizations, organizationNames } = server.settings;
    if (wanted.startsWith("org_"))
      return organizations.find(({ id }) => id === wanted);
    if (!organizationNames) return undefined;
    return organizations.find(({ name }) => name === wanted.toLowerCase());
  };
  const claimsOfOrganization = ({ organization }) => {
    const found = organization && organizationOf(organization);
    if (!found) return {};
    const { organizationNames } = server.settings;
    return {
      org_id: found.id,
      ...(organizationNames ? { org_name: found.name } : {}),
    };
  };
  const pushed = createPushed(server, {
    lifetime: () => server.settings.requestUriTtl,
    admit(client) {
      if (client.client_secret === undefined)
        throw new Refusal("client_authentication");
    },
  });
  /** The API that is asked for. */
  const targetOf = ({ audience, resources }) =>
    audience ?? (server.settings.resourceParameter ? resources[0] : undefined);

  return {
    routes,
    issuer,
    settings: {
      accessTokenTtl: 86400,
      refreshTokenTtl: 30 * 24 * 3600,
      organizations,
      /** Whether organizations may be asked for by name, and are told by it. */
      organizationNames: false,
      /** The APIs that are registered. */
      audiences: [audience],
      /** Whether `resource` stands in for `audience`: the Resource Parameter Compatibility Profile. */
      resourceParameter: false,
      /** The API's Allow Offline Access. */
      offlineAccess: true,
      /** Whether a logout asks, unless a hint says whose it is. */
      logoutPrompt: true,
      /** The tenant's own Allowed Logout URLs. */
      allowedLogoutUrls: [],
      /** How long a pushed request waits. */
      requestUriTtl: 30,
      /** Whether metadata name `/oidc/logout`. */
      endSessionDiscovery: true,
      /** What is said to `prompt=none` with a session: `{ error, error_description }`. */
      silent: null,
      /** Whether the user is blocked. */
      blocked: false,
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
      ...(server.settings.endSessionDiscovery
        ? { end_session_endpoint: `${url}/oidc/logout` }
        : {}),
      jwks_uri: `${url}/.well-known/jwks.json`,
      scopes_supported: ["openid", "profile", "offline_access", "email"],
      response_types_supported: ["code"],
      response_modes_supported: ["query", "fragment", "form_post"],
      subject_types_supported: ["public"],
      code_challenge_methods_supported: ["S256", "plain"],
      id_token_signing_alg_values_supported: ["HS256", "RS256"],
      token_endpoint_auth_methods_supported: [
        "client_secret_basic",
        "client_secret_post",
        "none",
      ],
    }),

    check(params) {
      if (params.has("invitation") && !params.has("organization"))
        throw refuse("invalid_request", "invitation needs an organization");
      const wanted = params.get("organization");
      if (wanted !== null && !organizationOf(wanted))
        throw refuse("invalid_request", "parameter organization is invalid");
      const scopes = params.get("scope")?.split(" ") ?? [];
      if (
        ["online_access", "offline_access"].every((one) => scopes.includes(one))
      )
        throw refuse(
          "invalid_request",
          "Cannot request both online_access and offline_access scopes",
        );
      const target = targetOf({
        audience: params.get("audience"),
        resources: params.getAll("resource"),
      });
      if (target !== undefined && !server.settings.audiences.includes(target))
        throw refuse("access_denied", `Service not found: ${target}`);
    },
    admit(params, user, settings) {
      const { silent } = settings;
      if (silent && params.get("prompt") === "none")
        throw refuse(silent.error, silent.error_description);
      if (settings.blocked) throw refuse("unauthorized", "user is blocked");
      if (settings.action)
        throw refuse(settings.action.error, settings.action.error_description);
    },
    isLasting({ scope }) {
      const scopes = scope.split(" ");
      const isOffline =
        scopes.includes("offline_access") && server.settings.offlineAccess;
      return isOffline || scopes.includes("online_access");
    },
    isBound: ({ scope }) => scope.split(" ").includes("online_access"),
    migrates: true,

    /** A JWT for an API, an opaque text without one. */
    accessToken(grant, iat, exp) {
      const target = targetOf(grant);
      if (!target)
        return `eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..${random(60)}`;
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
      ...(refreshed ? { scope: told(grant.scope) } : {}),
      expires_in: tokens.expires_in,
      token_type: "Bearer",
    }),
    userinfo({ grant }, req, res) {
      if (server.settings.rateLimited) throw new Refusal("rate_limited");
      for (const [name, value] of Object.entries(quota(9)))
        res.setHeader(name, value);
      const scopes = grant.scope.split(" ");
      if (!scopes.includes("openid")) throw new Refusal("access_token");
      const { claims } = findUser(grant.user);
      return { sub: grant.sub, ...profile(claims, scopes) };
    },
    revokesAccessTokens: false,
    handlers: {
      authorization: pushed.authorize,
      pushed: pushed.push,
      end_session: logout,
    },
    refusePage: (kind) => pages[kind] ?? pages.other,
    refuse: (kind, details) => refusals[kind]?.(details) ?? refusals.other(),
  };
}

/** The scope `online_access` is not told back. */
const told = (scope) =>
  scope
    .split(" ")
    .filter((one) => one !== "online_access")
    .join(" ");

/** The documented claims of the profile; `updated_at` is an ISO text, whatever OpenID Connect says. */
function profile(claims, scopes) {
  const { name, given_name, family_name, email, email_verified } = claims;
  return {
    ...(scopes.includes("profile")
      ? {
          ...{
            nickname: claims.preferred_username,
            name,
            given_name,
            family_name,
          },
          picture: "https://s.gravatar.com/avatar/0",
          updated_at: new Date().toISOString(),
        }
      : {}),
    ...(scopes.includes("email") ? { email, email_verified } : {}),
  };
}

function limit({ rateLimited, mfa, blocked }) {
  if (rateLimited) throw new Refusal("rate_limited");
  if (mfa) throw new Refusal("mfa_required");
  if (blocked) throw new Refusal("user_blocked");
}
