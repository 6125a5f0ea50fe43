// The address bar: which response it holds, and how it looks without it.

import type { NormalOptions } from "./options.js";

/** The part of a URL that a response comes in; a logout's is always the query. */
type Part = "search" | "hash";

/** What a response adds to the redirect URI (RFC 6749 §4.1.2, RFC 9207 §2, OIDC Session Management §2). */
const RESPONSE =
  /^(code|state|iss|session_state|error|error_description|error_uri)$/;

export function isCallback(url: URL, options: NormalOptions): boolean {
  const { redirectUri, part, loginPrefix } = options;
  return (
    statesOf(url, part).some((state) => state.startsWith(loginPrefix)) &&
    isAt(url, redirectUri)
  );
}

/** Whether a URL is this place, whatever its query and fragment. */
export function isAt(url: URL, place: string): boolean {
  const { origin, pathname } = new URL(place);
  return url.origin === origin && url.pathname === pathname;
}

/** Every `state` that a part of a URL has. */
export function statesOf(url: URL, part: Part): string[] {
  return new URLSearchParams(url[part].slice(1)).getAll("state");
}

/** The URL without the response; every other parameter stays, letter by letter, and so does the other part. */
export function withoutResponse(url: URL, part: Part): string {
  const left = new URL(url);
  left[part] = url[part]
    .slice(1)
    .split("&")
    .filter((pair) => {
      const [name] = new URLSearchParams(pair).keys();
      return name !== undefined && !RESPONSE.test(name);
    })
    .join("&");
  return left.pathname + left.search + left.hash;
}

/** Takes the response out of the address bar, so that nothing loaded later sees it, and no history entry keeps it. */
export function cleanAddressBar(url: URL, part: Part): void {
  history.replaceState(history.state, "", withoutResponse(url, part));
}

/** The callback as the Rust side compares it: the `redirect_uri` as it was sent, with what came back. A URL of another place is left for it to refuse. */
export function callbackText(url: URL, options: NormalOptions): string {
  if (!isAt(url, options.redirectUri)) return url.href;
  const [redirectUri] = options.redirectUri.split("?");
  const hash = options.part === "hash" ? url.hash : "";
  return redirectUri + url.search + hash;
}
