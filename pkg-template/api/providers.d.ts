import type { AuthOptions, PlainOAuthOptions } from "countersign";

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
export declare function auth0(domain: string): ProviderOptions;

/**
 * UPBOND Login 3.0; a tenant has a domain of its own.
 *
 * Documented: `/v2/logout` and `/oauth/revoke`, which takes JSON; that there is a discovery document. Guessed: that the
 * issuer in it is the base URL without a slash. Its classic code flow wants a client secret: that is what `relay` is for.
 */
export declare function upbond(
  domain?: string,
  relay?: RelayEndpoints,
): ProviderOptions;

/**
 * cidaas, by the tenant's domain.
 *
 * Documented: the issuer is the base URL without a slash; all endpoints are in the discovery document; the logout takes
 * an `id_token_hint`, which is sent, or an `access_token_hint`. `accessTokenHint` sends that instead: for a client
 * without ID Tokens, since an access token in a URL is seen by logs and histories.
 */
export declare function cidaas(
  domain: string,
  options?: {
    readonly accessTokenHint?: boolean;
  },
): ProviderOptions;

/**
 * Pagero Online, with plain OAuth, through a relay: documented clients have a secret, with PKCE, too.
 *
 * Documented: the endpoints; that the callback carries an `iss`, which is compared if `issuer` is given. Neither a
 * discovery document nor a place to log out at is documented: a logout is local, and revokes the refresh token.
 */
export declare function pagero(
  options: RelayEndpoints & {
    /** @default "sso.pageroonline.com" */
    readonly domain?: string;
    /** As your contact at Pagero names it. @default not compared */
    readonly issuer?: string;
  },
): PlainProviderOptions;

export {};
