// What createAuth takes and gives. Compiled, not run: every `@ts-expect-error` is a use that must not compile.

import {
  createAuth,
  type Auth,
  type AuthError,
  type IdTokenClaims,
  type LogoutDialect,
  type ServerMetadata,
  type UserInfo,
  type WarningCode,
} from "countersign";
import { createAuth as createExternal } from "countersign/external";
import { auth0, cidaas, pagero, upbond } from "countersign/providers";

type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2
    ? true
    : false;
const same = <A, B>(_: Same<A, B>): void => {};

const issuer = "https://id.example";
const clientId = "spa";
const wasm = new URL("https://app.example/core.wasm");
const endpoints = {
  authorization_endpoint: "https://id.example/authorize",
  token_endpoint: "/relay/token",
};

// ── OpenID Connect: a user ──────────────────────────────────────────────────

const auth = createAuth({ issuer, clientId });
same<typeof auth, Auth<IdTokenClaims & {}>>(true);
if (auth.state.status === "signedIn") auth.state.user.sub.length;
const withRoles = createAuth<{ roles: readonly string[] }>({
  issuer,
  clientId,
  oidc: true,
});
if (withRoles.state.user) withRoles.state.user.roles.map((role) => role.length);
const external = createExternal<{ roles: string }>({ issuer, clientId, wasm });
if (external.state.user) external.state.user.roles.length;

// @ts-expect-error OpenID Connect needs an issuer
createAuth({ clientId, metadata: endpoints });
// @ts-expect-error and so does what may be either
createAuth({ clientId, oidc: Math.random() > 0.5 });
// @ts-expect-error the bytes are not inlined there
createExternal({ issuer, clientId });
// @ts-expect-error a browser cannot keep a secret
createAuth({ issuer, clientId, clientSecret: "s" });

// ── Several APIs ────────────────────────────────────────────────────────────

const byAudience = { audience: "a", scope: ["read"], minValidity: 60 };
same<Promise<string>, ReturnType<typeof auth.getAccessToken>>(true);
export const tokens = [
  auth.getAccessToken(byAudience),
  auth.getAccessToken({
    resource: "https://api.example/",
    scope: "read write",
  }),
  // @ts-expect-error a token is for one
  auth.getAccessToken({ resource: ["urn:a", "urn:b"] }),
];
export const answers = [
  auth.fetch("/", { auth: { audience: "a" } }),
  // @ts-expect-error the request has one of its own
  auth.fetch("/", { auth: { signal: AbortSignal.timeout(1) } }),
];

// ── Plain OAuth: no user ────────────────────────────────────────────────────

const plain = createAuth({ clientId, oidc: false, metadata: endpoints });
same<typeof plain, Auth<null>>(true);
same<typeof plain.state.user, null>(true);
if (plain.state.status === "signedIn") plain.state.scope.length;
same<Auth<null>, ReturnType<typeof makePlainExternal>>(true);
function makePlainExternal() {
  return createExternal({ issuer, clientId, oidc: false, wasm });
}
plain.on("signedIn", ({ user }) => same<typeof user, null>(true));
// @ts-expect-error there is no user to have claims
createAuth<{ roles: string }>({ issuer, clientId, oidc: false });

// ── Options ─────────────────────────────────────────────────────────────────

createAuth({
  issuer,
  clientId,
  responseMode: "fragment",
  revocation: "json",
  metadata: { jwks_uri: "/keys", claims_supported: ["sub"], anything: true },
  logout: {
    endpoint: "https://id.example/v2/logout",
    params: { post_logout_redirect_uri: "returnTo", state: null },
  },
  authorizationParams: { organization: "org_1", invitation: "ticket" },
});
createAuth({ issuer, clientId, shareWithNewTabs: true });
// @ts-expect-error on or off
createAuth({ issuer, clientId, shareWithNewTabs: "always" });
const byHand: Partial<ServerMetadata> = { token_endpoint: "/token" };
createAuth({ issuer, clientId, metadata: byHand });
// @ts-expect-error an endpoint is a text
createAuth({ issuer, clientId, metadata: { token_endpoint: 7 } });
// @ts-expect-error not a response mode of ours
createAuth({ issuer, clientId, responseMode: "form_post" });
// @ts-expect-error a body is a form or JSON
createAuth({ issuer, clientId, revocation: "xml" });
// @ts-expect-error no parameter of a logout
const dialect: LogoutDialect = { endpoint: "/", params: { returnTo: "x" } };
void dialect;

void auth.login({
  resource: ["https://api.example", "urn:other"],
  acrValues: ["urn:mfa"],
  display: "popup",
  claims: { id_token: { acr: { essential: true } } },
  authorizationDetails: [{ type: "payment", amount: 1 }],
});
// @ts-expect-error RFC 9396 §2: each has a type
void auth.login({ authorizationDetails: [{ amount: 1 }] });
// @ts-expect-error OIDC Core §5.5: members are userinfo and id_token
void auth.login({ claims: { acr: { essential: true } } });
void auth.logout({ revoke: false });

// ── Results ─────────────────────────────────────────────────────────────────

same<ReturnType<typeof auth.fetchUserInfo>, Promise<UserInfo>>(true);
const warnings: readonly WarningCode[] = [
  "issuer_unchecked",
  "shared_redirect_uri",
  "logout_unconfirmed",
];
void warnings;
export const endpointOf = (
  error: AuthError<"network">,
): "userinfo" | "revocation" | null =>
  error.details.endpoint === "userinfo" ||
  error.details.endpoint === "revocation"
    ? error.details.endpoint
    : null;

// ── Providers: ordinary options, to spread ──────────────────────────────────

same<ReturnType<typeof makeAuth0>, typeof auth>(true);
function makeAuth0() {
  return createAuth({ ...auth0("tenant.auth0.com"), clientId });
}
createAuth<{ org_id: string }>({ ...upbond(), clientId });
createAuth({ ...upbond("t.example", { tokenEndpoint: "/relay" }), clientId });
createAuth({ ...cidaas("t.example", { accessTokenHint: true }), clientId });
same<ReturnType<typeof makePagero>, Auth<null>>(true);
function makePagero() {
  return createAuth({ ...pagero({ tokenEndpoint: "/relay" }), clientId });
}
createExternal({ ...auth0("tenant.auth0.com"), clientId, wasm });
// @ts-expect-error its clients have a secret, which a relay adds
pagero({});
// @ts-expect-error which tenant
auth0();
