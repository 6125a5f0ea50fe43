// Options as applications write them, checked by name, and normalised for the Rust side.

import { AuthError } from "./errors.js";
import type {
  AuthOptions,
  AuthorizationParams,
  AuthStorage,
  LogoutDialect,
  LogoutOptions,
  PlainOAuthOptions,
} from "./types.js";

export type Options = AuthOptions | PlainOAuthOptions;

/** Parameters by name; several values are a repeated parameter. */
type Params = Readonly<Record<string, string | readonly string[]>>;

export interface NormalOptions {
  /** What the Rust side is given; equal texts are equal options. */
  readonly json: string;
  /** Names the server: its issuer, or without one its authorization endpoint. */
  readonly server: string;
  /** Where the session is stored; names server and client. */
  readonly key: string;
  /** Where a logout that is under way is stored. */
  readonly logoutKey: string;
  /** How the `state` of a login and of a logout begins: by it a response is known to be ours. */
  readonly loginPrefix: string;
  readonly logoutPrefix: string;
  readonly redirectUri: string;
  readonly postLogoutRedirectUri: string | undefined;
  /** What every login asks for. */
  readonly params: Params;
  /** The part of the URL that a response comes in. */
  readonly part: "search" | "hash";
  readonly oidc: boolean;
  /** Names of parameters that the logout dialect owns. */
  readonly logoutNames: readonly unknown[];
  readonly storage: AuthStorage | null | undefined;
  /** Whether tabs may ask each other for the session; not where they could only do it in the open. */
  readonly shares: boolean;
  readonly logins: AuthStorage | null;
  readonly apiOrigins: readonly string[];
  readonly callback: "auto" | "manual";
}

/** Refuses an option. */
export function refuse(option: string, problem: string): AuthError {
  return AuthError.of("invalid_config", { option, problem });
}

/** Options of a few words; the first is the default. */
const CHOICES = {
  oidc: [true, false],
  callback: ["auto", "manual"],
  refresh: ["auto", "onDemand", "off"],
  responseMode: ["query", "fragment"],
  revocation: ["form", "json"],
  shareWithNewTabs: [false, true],
} as const;

type Chosen = {
  -readonly [K in keyof typeof CHOICES]: (typeof CHOICES)[K][number];
};

function choose(options: object): Chosen {
  const given = options as Record<string, unknown>;
  const chosen: Record<string, unknown> = {};
  for (const [name, known] of Object.entries(CHOICES)) {
    const { [name]: value = known[0] } = given;
    if (!(known as readonly unknown[]).includes(value)) {
      throw refuse(name, `not one of ${known.join(", ")}`);
    }
    chosen[name] = value;
  }
  return chosen as Chosen;
}

export function normalize(options: Options): NormalOptions {
  checkObject(options, "options");
  if ("clientSecret" in options || "client_secret" in options) {
    throw refuse("clientSecret", "not for browsers: see docs/relay.md");
  }
  const chosen = choose(options);
  const {
    storage = "session",
    apiOrigins: origins = [],
    redirectUri: back = "/",
    scope: asked = chosen.oidc ? "openid" : "",
  } = options;
  const metadata = metadataOf(options);
  const byHand =
    !chosen.oidc && metadata.authorization_endpoint && metadata.token_endpoint;
  const issuer =
    options.issuer === undefined && byHand
      ? undefined
      : text(options.issuer, "issuer");
  const clientId = text(options.clientId, "clientId");
  if (clientId === "") throw refuse("clientId", "empty");
  for (const name of ["onCallback", "transport", "log"] as const) {
    typed(options[name], name, "function");
  }
  const allowInsecureIssuer = optional(
    options.allowInsecureIssuer,
    "allowInsecureIssuer",
    text,
  );
  if (issuer !== undefined) checkIssuer(issuer, allowInsecureIssuer);
  const server = issuer ?? (metadata.authorization_endpoint as string);
  const redirectUri = absolute(back, "redirectUri");
  const postLogoutRedirectUri = afterLogout(options);
  const scope = scopeText(asked);
  if (chosen.oidc && !scope.split(" ").includes("openid"))
    throw refuse("scope", "lacks openid");
  const apiOrigins = list(origins, "apiOrigins").map(originOf);
  const logout = optional(options.logout, "logout", dialectOf);
  const client = `${server} ${clientId}`;
  const tag = fnv1a(client);
  const loginPrefix = `cs-${tag}-`;
  // Refused now rather than at the first login; sent with each.
  const { authorizationParams = {} } = options;
  const params = paramsOf(authorizationParams, "authorizationParams");
  const json = JSON.stringify({
    ...chosen,
    issuer,
    clientId,
    redirectUri,
    allowInsecureIssuer,
    postLogoutRedirectUri,
    // Without one the parameter is left out.
    scope: scope || undefined,
    metadata,
    logout,
    apiOrigins,
    params,
    statePrefix: loginPrefix,
    clockTolerance: seconds(options.clockTolerance, "clockTolerance", 0, 600),
    timeout: seconds(options.timeout, "timeout", 1, 300),
  });
  const tab = tabStorage();
  const kept = storage === "session" ? tab : storageOf(storage);
  const { shareWithNewTabs } = chosen;
  if (shareWithNewTabs && kept !== tab) {
    throw refuse("shareWithNewTabs", "not with this storage");
  }
  return {
    json,
    server,
    key: `countersign:session:${client}`,
    logoutKey: `countersign:logout:${client}`,
    loginPrefix,
    logoutPrefix: `cso-${tag}-`,
    redirectUri,
    postLogoutRedirectUri,
    params,
    part: chosen.responseMode === "fragment" ? "hash" : "search",
    oidc: chosen.oidc,
    logoutNames: Object.values(logout?.params ?? {}),
    storage: kept,
    shares: shareWithNewTabs && !!tab && !!crypto.subtle,
    logins: tab,
    apiOrigins,
    callback: chosen.callback,
  };
}

/** Metadata by hand (RFC 8414 §2): URLs are made absolute, what nobody here knows goes along. */
function metadataOf({ metadata = {}, issuer }: Options) {
  checkObject(metadata, "metadata");
  const all: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(metadata)) {
    const option = `metadata.${name}`;
    if (name === "issuer" && String(value) !== String(issuer)) {
      throw refuse(option, "not the issuer option");
    }
    all[name] = /_endpoint$|^jwks_uri$/.test(name)
      ? absolute(value, option)
      : typeof value === "boolean"
        ? value
        : Array.isArray(value)
          ? value.map((item) => text(item, option))
          : text(value, option);
  }
  return all;
}

/** How the server wants to be left. */
function dialectOf(given: unknown, option: string): LogoutDialect {
  checkObject(given, option);
  const { endpoint, params = {} } = given as LogoutDialect;
  checkObject(params, `${option}.params`);
  for (const [name, value] of Object.entries(params)) {
    const member = `${option}.params.${name}`;
    if (!name || !LOGOUT_OWNED.test(name) || value === "") {
      throw refuse(member, "no parameter of a logout");
    }
    if (value !== null) text(value, member);
  }
  return { endpoint: absolute(endpoint, `${option}.endpoint`), params };
}

/** What a login asks for, as parameters of the authorization request. */
export function paramsOf(params: AuthorizationParams, from: string): Params {
  checkObject(params, from);
  const all: Record<string, Params[string]> = {};
  for (const [option, convert] of Object.entries(PARAMS)) {
    const value = params[option as keyof AuthorizationParams];
    // The parameter has the name of the option, in the specifications' spelling.
    if (value !== undefined)
      all[option.replace(/[A-Z]/, (c) => `_${c.toLowerCase()}`)] = convert(
        value,
        option,
      );
  }
  return { ...all, ...extraOf(params.extra, LOGIN_OWNED) };
}

/** What becomes of each option. */
const PARAMS: Readonly<
  Record<string, (value: unknown, option: string) => Params[string]>
> = {
  audience: text,
  organization: text,
  invitation: text,
  prompt: text,
  display: text,
  loginHint: text,
  acrValues: words,
  uiLocales: words,
  maxAge: (value) => String(seconds(value, "maxAge", 0, 2 ** 31)),
  scope: scopeText,
  resource: (value) =>
    Array.isArray(value) ? value.map(resource) : resource(value),
  claims: (value, option) => {
    checkObject(value, option);
    return jsonText(value, option) as string;
  },
  authorizationDetails: (value, option) => {
    for (const detail of list(value, option)) {
      checkObject(detail, option);
      // RFC 9396 §2.
      text((detail as { type?: unknown }).type, `${option}.type`);
    }
    return jsonText(value, option) as string;
  },
};

/** Which token: its parameters as they were asked for, and the key that they come to (`TokenKey` of the Rust side), which is empty for the API that was signed in for. */
export interface TokenWish {
  readonly audience?: string;
  readonly resource?: string;
  readonly scope?: string;
  readonly key: string;
}

export function wishOf(
  wishes: { [K in "audience" | "resource" | "scope"]: unknown },
  api: string | null | undefined,
): TokenWish {
  if (wishes.audience === "") throw refuse("audience", "empty");
  const params = paramsOf(wishes as AuthorizationParams, "") as Strings;
  const { scope = "", ...target } = params;
  const part = [...new Set(scope.split(" "))].sort().join(" ").trim();
  const key = form({
    ...(form(target) === api ? {} : target),
    ...(part && { scope: part }),
  });
  return { ...params, key };
}

type Strings = Record<string, string>;

function form(params: Strings): string {
  return new URLSearchParams(params).toString();
}

/** RFC 8707 §2. */
function resource(value: unknown): string {
  const given = text(value, "resource");
  if (!/^[a-z][a-z\d+.-]*:[^#\s]+$/i.test(given)) {
    throw refuse("resource", "not an absolute URI without fragment");
  }
  return given;
}

/** Parameters that the protocol owns: an application that sets one would break a check. */
const LOGIN_OWNED =
  /^(|client_id|client_secret|code|code_challenge|code_challenge_method|nonce|redirect_uri|request|request_uri|response_mode|response_type|state)$/;
const LOGOUT_OWNED =
  /^(|client_id|id_token_hint|access_token_hint|post_logout_redirect_uri|state)$/;

/** What a logout sends along. */
export function logoutParams(
  extra: unknown,
  { logoutNames }: NormalOptions,
): Record<string, string> {
  return extraOf(extra, LOGOUT_OWNED, logoutNames);
}

function extraOf(
  extra: unknown = {},
  owned: RegExp,
  more: readonly unknown[] = [],
): Record<string, string> {
  const all: Record<string, string> = {};
  checkObject(extra, "extra");
  for (const [name, value] of Object.entries(extra)) {
    if (owned.test(text(name, "extra")) || more.includes(name)) {
      throw refuse("extra", `${name} belongs to the protocol`);
    }
    all[name] = text(value, `extra.${name}`);
  }
  return all;
}

/** What an application wants back, as text. */
export function jsonText(value: unknown, option: string): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    throw refuse(option, "not a JSON value");
  }
}

function list(value: unknown, option: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw refuse(option, "not a list");
}

/** Of this type, or not said. */
export function typed<T>(
  value: T,
  option: string,
  type: "boolean" | "function",
): T {
  if (value === undefined || typeof value === type) return value;
  throw refuse(option, `not a ${type}`);
}

/** A text without lone surrogates: those cannot be sent (RFC 6749 Appendix B). */
export function text(value: unknown, option: string): string {
  const given = value instanceof URL ? value.href : value;
  if (typeof given !== "string") throw refuse(option, "not a text");
  if (/\p{Surrogate}/u.test(given)) {
    throw refuse(option, "not well-formed Unicode");
  }
  return given;
}

/** What may be left out. */
export function optional<T>(
  value: unknown,
  option: string,
  read: (value: unknown, option: string) => T,
): T | undefined {
  return value === undefined ? undefined : read(value, option);
}

/** Where to come back to from a logout. */
export function afterLogout(options: LogoutOptions): string | undefined {
  const option = "postLogoutRedirectUri";
  return optional(options[option], option, absolute);
}

/** An absolute http(s) URL without fragment. What is absolute already stays as it was written: servers compare it byte by byte. */
function absolute(value: unknown, option: string): string {
  const given = text(value, option);
  const url = parse(given, option);
  if (!/^https?:$/.test(url.protocol) || given.includes("#") || url.username) {
    throw refuse(option, "not an http(s) URL without fragment");
  }
  return /^https?:\/\//.test(given) ? given : url.href;
}

/** This machine (RFC 6761 §6.3, RFC 8252 §7.3). */
export const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1])$/;

function checkIssuer(issuer: string, exception: string | undefined): void {
  const url = parse(issuer, "issuer");
  if (!/^https?:\/\/[!$-;=@-[\]-~]+$/.test(issuer) || url.username) {
    throw refuse("issuer", "not an http(s) URL without query and fragment");
  }
  if (
    url.protocol === "http:" &&
    !LOOPBACK.test(url.hostname) &&
    exception !== issuer
  ) {
    throw refuse(
      "issuer",
      "http: beyond loopback, and not in allowInsecureIssuer",
    );
  }
}

/** A URL, relative to the document. */
export function parse(value: unknown, option: string): URL {
  const given = text(value, option);
  try {
    return new URL(given, document.baseURI);
  } catch {
    throw refuse(option, "not a URL");
  }
}

function originOf(value: unknown): string {
  const { origin } = parse(value, "apiOrigins");
  // A relative one would be this page's own, which needs no listing.
  if (!/^https?:\/\//.test(String(value))) {
    throw refuse("apiOrigins", "not an http(s) origin");
  }
  return origin;
}

function scopeText(scope: unknown): string {
  const given = words(scope, "scope");
  // RFC 6749 §3.3.
  if (!/^[\x20\x21\x23-\x5B\x5D-\x7E]*$/.test(given)) {
    throw refuse("scope", "beyond RFC 6749 §3.3");
  }
  return given;
}

function words(value: unknown, option: string): string {
  return text(Array.isArray(value) ? value.join(" ") : value, option);
}

export function checkObject(
  value: unknown,
  option: string,
): asserts value is object {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw refuse(option, "not an object");
  }
}

/** Whole seconds, or not said. */
export function seconds(
  value: unknown,
  option: string,
  min: number,
  max: number,
): number | undefined {
  if (value === undefined) return undefined;
  const given = value as number;
  if (!Number.isInteger(given) || given < min || given > max) {
    throw refuse(option, `not a whole number of seconds from ${min} to ${max}`);
  }
  return given;
}

function storageOf(storage: unknown): AuthStorage | undefined {
  if (storage === "memory") return undefined;
  const object = storage as AuthStorage | null;
  const methods = ["getItem", "setItem", "removeItem"] as const;
  if (!methods.every((name) => typeof object?.[name] === "function")) {
    throw refuse("storage", 'not "session", "memory" or like localStorage');
  }
  return object as AuthStorage;
}

/** `null` where the browser denies access: reading the property throws then. */
function tabStorage(): AuthStorage | null {
  try {
    return window.sessionStorage;
  } catch {
    return null;
  }
}

/** FNV-1a, 32 bits, of code points: tells clients of one page apart, and is no secret. */
function fnv1a(value: string): string {
  let hash = 0x811c9dc5;
  for (const character of value) {
    hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193);
  }
  return (hash >>> 0).toString(16).padStart(8, "0");
}
