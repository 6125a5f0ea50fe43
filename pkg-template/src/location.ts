// The address bar: which response it holds, and how it looks without it.

import type { NormalOptions } from "./options.js";

/** What a response adds to the redirect URI (RFC 6749 §4.1.2, RFC 9207 §2, OIDC Session Management §2). */
const RESPONSE =
  /^(code|state|iss|session_state|error|error_description|error_uri)$/;

export function isCallback(url: URL, options: NormalOptions): boolean {
  return isRedirect(url, options) && hasState(url, options.loginPrefix);
}

function isRedirect(url: URL, options: NormalOptions): boolean {
  const redirect = new URL(options.redirectUri);
  return url.origin === redirect.origin && url.pathname === redirect.pathname;
}

export function isLogoutReturn(url: URL, options: NormalOptions): boolean {
  return hasState(url, options.logoutPrefix);
}

function hasState(url: URL, prefix: string): boolean {
  return url.searchParams
    .getAll("state")
    .some((state) => state.startsWith(prefix));
}

/** The URL without the response; every other parameter stays, letter by letter, and so does the hash. */
export function withoutResponse(url: URL): string {
  const kept = url.search
    .slice(1)
    .split("&")
    .filter((pair) => {
      const [name] = new URLSearchParams(pair).keys();
      return name !== undefined && !RESPONSE.test(name);
    });
  const search = kept.length > 0 ? `?${kept.join("&")}` : "";
  return url.pathname + search + url.hash;
}

/** Takes the response out of the address bar, so that nothing loaded later sees it, and no history entry keeps it. */
export function cleanAddressBar(url: URL): void {
  history.replaceState(history.state, "", withoutResponse(url));
}

/** The callback as the Rust side compares it: the `redirect_uri` as it was sent, with the query that came back. A URL of another place is left for it to refuse. */
export function callbackText(url: URL, options: NormalOptions): string {
  if (!isRedirect(url, options)) return url.href;
  const [redirectUri] = options.redirectUri.split("?");
  return redirectUri + url.search;
}
