// cidaas, as its documentation and the fixtures of its own SDKs describe it.

import { randomUUID } from "node:crypto";
import { findUser } from "../../../www-demo/op/users.mjs";
import { createPushed } from "../kernel/pushed.mjs";
import { page, random, Refusal, s256, startServer } from "../kernel/server.mjs";
import { introspect } from "./introspection.mjs";
import { logout } from "./logout.mjs";
import { createPrechecks } from "./prechecks.mjs";
import { denied, oauth, refusals, wrapped } from "./refusals.mjs";
import { createRequests } from "./requests.mjs";

const routes = {
  discovery: "/.well-known/openid-configuration",
  jwks: "/.well-known/jwks.json",
  authorization: "/authz-srv/authz",
  pushed: "/authz-srv/par",
  request: "/authz-srv/authrequest/authz/generate",
  precheck: "/precheck",
  precheck_metadata: "/token-srv/prelogin/metadata/",
  precheck_continue: "/login-srv/precheck/continue/",
  token: "/token-srv/token",
  introspection: "/token-srv/introspect",
  revocation: "/token-srv/revoke",
  userinfo: "/users-srv/userinfo",
  end_session: "/session/end_session",
  check_session: "/session/check_session",
};

/**
 * Starts one. `control.settings.errors` is `"oauth"` or `"cidaas"`: how the token endpoint refuses; `precheck` is what a
 * login has to pass before it gets a code (`"scope_consent"`, `"missing_required_fields"`, …).
 */
export const startCidaas = (options) => startServer(cidaas, options);

const types = ["code", "token", "id_token"];
const hybrids = [
  "code token",
  "code id_token",
  "token id_token",
  "code token id_token",
];

function cidaas(server) {
  const { url } = server;
  const subjects = new Map();
  const subjectOf = (login) => {
    if (!subjects.has(login)) subjects.set(login, randomUUID());
    return subjects.get(login);
  };
  const at = (name) => url + routes[name];
  const requests = createRequests(server);
  const prechecks = createPrechecks(server);
  const pushed = createPushed(server, {
    lifetime: () => server.settings.requestUriTtl,
    /** A browser has to come from one of the allowed_web_origins. */
    admit(client, { headers: { origin } }) {
      if (origin !== undefined && !server.origins.has(origin))
        throw new Refusal("origin");
    },
  });

  return {
    routes,
    issuer: url,
    settings: {
      accessTokenTtl: 86400,
      idTokenTtl: 86400,
      errors: "oauth",
      precheck: null,
      requestUriTtl: 90,
    },
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
      grant_types_supported: [
        "implicit",
        "authorization_code",
        "refresh_token",
        "password",
        "client_credentials",
      ],
      ui_locales_supported: ["en-US", "de-DE"],
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
        amr: ["2"],
        ua_hash: random(16),
        sid: grant.sid,
        sub: grant.sub,
        isub: grant.sub,
        psub: grant.sub,
        aud: grant.client_id,
        iat,
        auth_time: grant.auth_time,
        iss: url,
        jti: randomUUID(),
        nonce: grant.nonce ?? undefined,
        scopes: grant.scope.split(" "),
        roles: ["USER"],
        groups: [],
        consents: [],
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
      amr: ["2"],
      at_hash: halfOf(accessToken),
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
      session_state: sessionState(grant),
      viewtype: grant.params.get("view_type") ?? "login",
      grant_type: "login",
      userstate: "active",
    }),
    userinfo: ({ grant }) => ({
      sub: grant.sub,
      ...claimsOf(grant),
      provider: "self",
      identities: [],
    }),
    handlers: {
      authorization: (req, res, { url: there }) =>
        pushed.authorize(req, res, { url: requests.resolve(there) }),
      pushed: pushed.push,
      request: requests.generate,
      precheck: prechecks.show,
      precheck_metadata: prechecks.describe,
      precheck_continue: prechecks.resume,
      introspection: introspect,
      end_session: logout,
      check_session: (req, res) =>
        page(res, 200, "<title>check session</title>"),
    },
    detour: prechecks.detour,
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

/** OpenID Connect Core §3.1.3.6. */
const halfOf = (token) =>
  Buffer.from(s256(token), "base64url").subarray(0, 16).toString("base64url");

/** OpenID Connect Session Management §3.2. */
function sessionState({ client_id, redirect_uri, sid }) {
  const salt = random(8);
  const { origin } = new URL(redirect_uri);
  return `${s256([client_id, origin, sid, salt].join(" "))}.${salt}`;
}
