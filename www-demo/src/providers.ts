// The servers to choose from: what an application tells countersign about each, and what each is like.

import type { AuthOptions, PlainOAuthOptions } from "countersign";
import { auth0, cidaas, pagero, upbond } from "countersign/providers";

import type { Fields } from "./journal.ts";

/** What the demo's server says about the provider of this page. */
export interface Config {
  readonly provider: string;
  /** Where the provider is; every one runs on this machine. */
  readonly url: string;
  readonly issuer: string;
  readonly apiUrl: string;
  readonly clientId: string;
  /** The relay's endpoints, where the client has a secret. */
  readonly relay: {
    readonly tokenEndpoint: string;
    readonly revocationEndpoint: string;
  } | null;
  /** Seconds: as the provider has it, and as it was chosen. */
  readonly ownTtl: number;
  readonly accessTokenTtl: number;
  readonly tokenTrouble: boolean;
  readonly roles: Readonly<Record<string, string>>;
}

type Told = Omit<AuthOptions, "clientId"> | Omit<PlainOAuthOptions, "clientId">;

export interface Provider {
  readonly id: string;
  readonly name: string;
  readonly path: string;
  readonly about: string;
  readonly options: (config: Config) => Told;
  /** The same as an application writes it. */
  readonly code: (config: Config) => string;
  readonly traits: Fields;
  readonly userinfo: boolean;
}

const offline = "openid profile email offline_access";
const quoted = (text: string): string => JSON.stringify(text);

function toPagero({ url, issuer, relay }: Config) {
  if (relay === null) throw new Error("Pagero needs a relay");
  return { domain: url, issuer, ...relay };
}

/** An object as one writes it, with texts for members. */
function literal(object: object): string {
  const lines = Object.entries(object).map(
    ([name, value]) => `  ${name}: ${quoted(value as string)},`,
  );
  return ["{", ...lines, "}"].join("\n");
}

export const providers: readonly Provider[] = [
  {
    id: "local",
    name: "oidc-provider",
    path: "/",
    about:
      "An OpenID provider as the specifications have it. Its issuer is all that countersign is told.",
    options: ({ issuer }) => ({ issuer, scope: offline }),
    code: ({ issuer }) => `issuer: ${quoted(issuer)},`,
    userinfo: true,
    traits: [
      ["Protocol", "OpenID Connect, found by discovery"],
      ["Refresh tokens", "rotate; one used twice ends them all"],
      ["Logout", "at the provider, with the ID Token as a hint"],
    ],
  },
  {
    id: "auth0",
    name: "Auth0",
    path: "/auth0",
    about:
      "Tells APIs apart by an audience, ends its issuer in a slash, and has a logout of its own.",
    options: ({ url, apiUrl }) => ({
      ...auth0(url),
      scope: offline,
      authorizationParams: { audience: apiUrl },
    }),
    code: ({ url, apiUrl }) =>
      `...auth0(${quoted(url)}),\nauthorizationParams: { audience: ${quoted(apiUrl)} },`,
    userinfo: true,
    traits: [
      ["Protocol", "OpenID Connect, found by discovery"],
      ["Refresh tokens", "rotate; one used twice ends them all"],
      ["Logout", "/v2/logout with returnTo"],
    ],
  },
  {
    id: "upbond",
    name: "UPBOND",
    path: "/upbond",
    about:
      "Login 3.0: the endpoints of Auth0, and tokens are revoked with a JSON body.",
    options: ({ url }) => ({ ...upbond(url), scope: offline }),
    code: ({ url }) => `...upbond(${quoted(url)}),`,
    userinfo: true,
    traits: [
      ["Protocol", "OpenID Connect, found by discovery"],
      ["Refresh tokens", "one for the whole session"],
      ["Logout", "/v2/logout with returnTo"],
    ],
  },
  {
    id: "cidaas",
    name: "cidaas",
    path: "/cidaas",
    about:
      "Endpoints on paths of their own, answers with members of their own, errors inside errors.",
    options: ({ url }) => ({ ...cidaas(url), scope: offline }),
    code: ({ url }) => `...cidaas(${quoted(url)}),`,
    userinfo: true,
    traits: [
      ["Protocol", "OpenID Connect, found by discovery"],
      ["Refresh tokens", "rotate"],
      ["Logout", "/session/end_session, with the ID Token as a hint"],
    ],
  },
  {
    id: "pagero",
    name: "Pagero",
    path: "/pagero",
    about:
      "Plain OAuth: it says what may be done, not who does it. It insists on a client secret, which a browser cannot keep.",
    options: (config) => ({ ...pagero(toPagero(config)), scope: "all" }),
    code: (config) => `...pagero(${literal(toPagero(config))}),`,
    userinfo: false,
    traits: [
      ["Protocol", "OAuth 2.0 alone, endpoints by hand"],
      ["Refresh tokens", "each for one use"],
      ["Logout", "here alone; the refresh token is revoked"],
    ],
  },
];
