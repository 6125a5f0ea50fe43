// Options as applications write them, checked by name, and normalised for the Rust side.

import { AuthError } from "./errors.js";
import type { AuthOptions, AuthorizationParams, AuthStorage } from "./types.js";

export interface NormalOptions {
  /** What the Rust side is given; equal texts are equal options. */
  readonly json: string;
  /** Names issuer and client. */
  readonly key: string;
  /** How the `state` of a login and of a logout begins: by it a response is known to be ours. */
  readonly loginPrefix: string;
  readonly logoutPrefix: string;
  readonly redirectUri: string;
  readonly storage: AuthStorage | null | undefined;
  readonly logins: AuthStorage | null;
  readonly apiOrigins: readonly string[];
  readonly callback: "auto" | "manual";
}

/** Refuses an option. */
export function refuse(option: string, problem: string): AuthError {
  return AuthError.of("invalid_config", { option, problem });
}

export function normalize(options: AuthOptions): NormalOptions {
  if (typeof options !== "object" || options === null) {
    throw refuse("options", "not an object");
  }
  if ("clientSecret" in options) {
    throw refuse(
      "clientSecret",
      "a browser cannot keep a secret; register a public client, or let a server of yours add it",
    );
  }
  const { callback = "auto", refresh = "auto", storage = "session" } = options;
  const issuer = text(options.issuer, "issuer");
  const clientId = text(options.clientId, "clientId");
  if (options.clientId === "") throw refuse("clientId", "empty");
  oneOf(callback, "callback", ["auto", "manual"]);
  oneOf(refresh, "refresh", ["auto", "onDemand", "off"]);
  for (const name of ["onCallback", "transport", "log"] as const) {
    const given = options[name];
    if (given !== undefined && typeof given !== "function") {
      throw refuse(name, "not a function");
    }
  }
  const allowInsecureIssuer = optional(
    options.allowInsecureIssuer,
    "allowInsecureIssuer",
  );
  checkIssuer(issuer, allowInsecureIssuer);
  const redirectUri = absolute(options.redirectUri ?? "/", "redirectUri");
  const postLogoutRedirectUri =
    options.postLogoutRedirectUri === undefined
      ? undefined
      : absolute(options.postLogoutRedirectUri, "postLogoutRedirectUri");
  const scope = scopeText(options.scope ?? "openid");
  if (!scope.split(" ").includes("openid"))
    throw refuse("scope", "lacks openid");
  const apiOrigins = (options.apiOrigins ?? []).map((origin) =>
    originOf(origin),
  );
  const tag = fnv1a(`${issuer} ${clientId}`);
  const loginPrefix = `cs-${tag}-`;
  // Refused now rather than at the first login; sent with each.
  const authorizationParams = paramsOf(options.authorizationParams ?? {});
  const json = JSON.stringify({
    issuer,
    clientId,
    redirectUri,
    allowInsecureIssuer,
    postLogoutRedirectUri,
    scope,
    refresh,
    callback,
    apiOrigins,
    authorizationParams,
    statePrefix: loginPrefix,
    clockTolerance: seconds(options.clockTolerance, "clockTolerance", 0, 600),
    timeout: seconds(options.timeout, "timeout", 1, 300),
  });
  const tab = tabStorage();
  return {
    json,
    key: `countersign:session:${issuer} ${clientId}`,
    loginPrefix,
    logoutPrefix: `cso-${tag}-`,
    redirectUri,
    storage: storage === "session" ? tab : storageOf(storage),
    logins: tab,
    apiOrigins,
    callback,
  };
}

/** What a login asks for, as parameters of the authorization request. */
export function paramsOf(params: AuthorizationParams): Record<string, string> {
  const named: readonly (readonly [string, unknown, string])[] = [
    ["audience", params.audience, "audience"],
    ["prompt", params.prompt, "prompt"],
    ["login_hint", params.loginHint, "loginHint"],
    ["max_age", wholeSeconds(params.maxAge), "maxAge"],
    ["ui_locales", joined(params.uiLocales), "uiLocales"],
    ["display", params.display, "display"],
    ["scope", params.scope && scopeText(params.scope), "scope"],
  ];
  const all: Record<string, string> = {};
  for (const [name, value, option] of named) {
    if (value !== undefined) all[name] = text(value, option);
  }
  return { ...all, ...extraOf(params.extra, LOGIN_OWNED) };
}

/** Parameters that the protocol owns: an application that sets one would break a check. */
const LOGIN_OWNED =
  /^(|client_id|client_secret|code|code_challenge|code_challenge_method|nonce|redirect_uri|request|request_uri|response_mode|response_type|state)$/;
const LOGOUT_OWNED =
  /^(|client_id|id_token_hint|post_logout_redirect_uri|state)$/;

/** What a logout sends along. */
export function logoutParams(extra: unknown): Record<string, string> {
  return extraOf(extra, LOGOUT_OWNED);
}

function extraOf(extra: unknown, owned: RegExp): Record<string, string> {
  const all: Record<string, string> = {};
  for (const [name, value] of Object.entries(extra ?? {})) {
    if (owned.test(text(name, "extra"))) {
      throw refuse("extra", `${name} is a parameter that the protocol owns`);
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
    throw refuse(option, "nothing that JSON can carry");
  }
}

/** Seconds that a token must still be good for. */
export function checkValidity(value: unknown): void {
  if (!(Number.isFinite(value) && Number(value) >= 0)) {
    throw refuse("minValidity", "not a number of seconds");
  }
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

function optional(value: unknown, option: string): string | undefined {
  return value === undefined ? undefined : text(value, option);
}

/** An absolute http(s) URL without fragment. What is absolute already stays as it was written: servers compare it byte by byte. */
export function absolute(value: unknown, option: string): string {
  const given = text(value, option);
  const url = parse(given, option);
  if (!/^https?:$/.test(url.protocol) || given.includes("#") || url.username) {
    throw refuse(option, "not an http(s) URL without fragment");
  }
  return /^https?:\/\//.test(given) ? given : url.href;
}

function checkIssuer(issuer: string, exception: string | undefined): void {
  const url = parse(issuer, "issuer");
  if (!/^https?:\/\/[!$-;=@-[\]-~]+$/.test(issuer) || url.username) {
    throw refuse(
      "issuer",
      "not an absolute http(s) URL without query and fragment",
    );
  }
  const loopback = /^(localhost|127(\.\d+){3}|\[::1])$/.test(url.hostname);
  if (url.protocol === "http:" && !loopback && exception !== issuer) {
    throw refuse(
      "issuer",
      "http: beyond loopback; use https:, or repeat it in allowInsecureIssuer",
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
  const given = text(joined(scope), "scope");
  // RFC 6749 §3.3.
  if (!/^[\x20\x21\x23-\x5B\x5D-\x7E]*$/.test(given)) {
    throw refuse("scope", "has characters that RFC 6749 §3.3 does not allow");
  }
  return given;
}

function joined(value: unknown): unknown {
  return Array.isArray(value) ? value.join(" ") : value;
}

function oneOf(value: string, option: string, known: readonly string[]): void {
  if (!known.includes(value))
    throw refuse(option, `not one of ${known.join(", ")}`);
}

function seconds(
  value: unknown,
  option: string,
  min: number,
  max: number,
): number | undefined {
  if (value === undefined) return undefined;
  if (!Number.isInteger(value) || Number(value) < min || Number(value) > max) {
    throw refuse(option, `not a whole number of seconds from ${min} to ${max}`);
  }
  return Number(value);
}

function wholeSeconds(value: unknown): string | undefined {
  return seconds(value, "maxAge", 0, 2 ** 31)?.toString();
}

function storageOf(storage: unknown): AuthStorage | undefined {
  if (storage === "memory") return undefined;
  const object = storage as AuthStorage | null;
  const methods = ["getItem", "setItem", "removeItem"] as const;
  if (!methods.every((name) => typeof object?.[name] === "function")) {
    throw refuse(
      "storage",
      'not "session", "memory" or an object with getItem, setItem and removeItem',
    );
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

/** FNV-1a, 32 bits: tells clients of one page apart, and is no secret. */
function fnv1a(value: string): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(value)) {
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  return (hash >>> 0).toString(16).padStart(8, "0");
}
