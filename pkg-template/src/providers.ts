// Options for four servers, to spread into `createAuth`: plain data, nothing that an application could not write itself.
// docs/providers.md says what is to be set up there. Nothing was tried at the vendors' own servers.

import { checkObject, LOOPBACK, refuse, text } from "./options.js";
import type { AuthOptions, PlainOAuthOptions } from "./types.js";

/** What a server needs to be told, with OpenID Connect. */
export type ProviderOptions = Pick<
  AuthOptions,
  "issuer" | "logout" | "metadata" | "revocation"
>;

/** What a server needs to be told, with plain OAuth. */
export type PlainProviderOptions = Pick<
  PlainOAuthOptions,
  "issuer" | "metadata" | "oidc"
>;

/** Endpoints of a relay that adds a client secret (docs/relay.md); relative ones resolve against `document.baseURI`. */
export interface RelayEndpoints {
  readonly tokenEndpoint: string;
  /** @default none: the relay revokes nothing */
  readonly revocationEndpoint?: string;
}

/**
 * Auth0, by the tenant's domain or the custom domain that its users see.
 *
 * Documented: the issuer ends in a slash; `/v2/logout` takes `client_id` and `returnTo`, and no `state`; `/oauth/revoke`
 * takes a refresh token from a public client. Guessed: that with a custom domain it is the issuer's, too.
 */
export function auth0(domain: string): ProviderOptions {
  const base = baseOf(domain);
  return {
    issuer: `${base}/`,
    metadata: { revocation_endpoint: `${base}/oauth/revoke` },
    logout: v2Logout(base),
  };
}

/**
 * UPBOND Login 3.0; a tenant has a domain of its own.
 *
 * Documented: `/v2/logout` and `/oauth/revoke`, which takes JSON; that there is a discovery document. Guessed: that the
 * issuer in it is the base URL without a slash. Its classic code flow wants a client secret: that is what `relay` is for.
 */
export function upbond(
  domain = "auth3.upbond.io",
  relay?: RelayEndpoints,
): ProviderOptions {
  const base = baseOf(domain);
  return {
    issuer: base,
    metadata: relay
      ? relayed(relay)
      : { revocation_endpoint: `${base}/oauth/revoke` },
    // A relay speaks RFC 7009, whatever it says to the server.
    revocation: relay ? "form" : "json",
    logout: v2Logout(base),
  };
}

/**
 * cidaas, by the tenant's domain.
 *
 * Documented: the issuer is the base URL without a slash; all endpoints are in the discovery document; the logout takes
 * an `id_token_hint`, which is sent, or an `access_token_hint`. `accessTokenHint` sends that instead: for a client
 * without ID Tokens, since an access token in a URL is seen by logs and histories.
 */
export function cidaas(
  domain: string,
  options: { readonly accessTokenHint?: boolean } = {},
): ProviderOptions {
  const base = baseOf(domain);
  if (!options.accessTokenHint) return { issuer: base };
  const params = {
    access_token_hint: "access_token_hint",
    id_token_hint: null,
  };
  return {
    issuer: base,
    logout: { endpoint: `${base}/session/end_session`, params },
  };
}

/**
 * Pagero Online, with plain OAuth, through a relay: documented clients have a secret, with PKCE, too.
 *
 * Documented: the endpoints; that the callback carries an `iss`, which is compared if `issuer` is given. Neither a
 * discovery document nor a place to log out at is documented: a logout is local, and revokes the refresh token.
 */
export function pagero(
  options: RelayEndpoints & {
    /** @default "sso.pageroonline.com" */
    readonly domain?: string;
    /** As your contact at Pagero names it. @default not compared */
    readonly issuer?: string;
  },
): PlainProviderOptions {
  checkObject(options, "options");
  const { domain = "sso.pageroonline.com", issuer } = options;
  const base = baseOf(domain);
  return {
    oidc: false,
    ...(issuer === undefined ? {} : { issuer }),
    metadata: {
      authorization_endpoint: `${base}/oauth/v2/oauth-authorize`,
      ...relayed(options),
    },
  };
}

function v2Logout(base: string) {
  const params = {
    post_logout_redirect_uri: "returnTo",
    id_token_hint: null,
    state: null,
  };
  return { endpoint: `${base}/v2/logout`, params };
}

function relayed({ tokenEndpoint, revocationEndpoint }: RelayEndpoints) {
  return {
    token_endpoint: text(tokenEndpoint, "tokenEndpoint"),
    ...(revocationEndpoint === undefined
      ? {}
      : {
          revocation_endpoint: text(revocationEndpoint, "revocationEndpoint"),
        }),
  };
}

/** A domain, or the URL of its root. */
const DOMAIN =
  /^(https?:\/\/)?(([a-z\d-]+\.)+[a-z\d-]+|localhost|\[::1])(:\d+)?\/?$/i;

/** The origin of a domain, which may be written as a URL; `http:` on this machine only. */
function baseOf(domain: string): string {
  const given = text(domain, "domain");
  const url = DOMAIN.test(given)
    ? parsed(given.includes("://") ? given : `https://${given}`)
    : undefined;
  if (!url || (url.protocol === "http:" && !LOOPBACK.test(url.hostname))) {
    throw refuse("domain", "not a domain, and not an https URL of one");
  }
  return url.origin;
}

function parsed(url: string): URL | undefined {
  try {
    return new URL(url);
  } catch {
    // A port or an address that is none.
    return undefined;
  }
}
