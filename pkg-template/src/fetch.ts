import { AuthError } from "./errors.js";
import type { AccessTokenOptions, AuthRequestInit } from "./types.js";

/** Captured by {@link createAuth}: a script that replaces them later sees no token. */
type Fetch = typeof globalThis.fetch;

/** `fetch` with the access token, to these origins only. */
export function authorizedFetch(
  fetch: Fetch,
  allowed: readonly string[],
  getAccessToken: (options?: AccessTokenOptions) => Promise<string>,
  tokenRefused: (challenge?: string) => Promise<boolean>,
) {
  // Like `fetch`: one that a script put there later could say of itself that it goes elsewhere.
  const { Request } = globalThis;
  /** The last token that was refreshed because an API refused it: one refresh each, no more. */
  let refused: string | undefined;

  return async (
    input: RequestInfo | URL,
    init: AuthRequestInit = {},
  ): Promise<Response> => {
    const { auth: wishes, ...rest } = init;
    // Read before anything consumes the body.
    const again = canBeSentAgain(input, rest);
    // A request of our own, whose URL nobody but the browser has worked out.
    const request = new Request(input, rest);
    const { origin } = new URL(request.url);
    if (!allowed.includes(origin)) {
      throw AuthError.of("forbidden_origin", { origin, allowed });
    }
    // Of this very request: made anew from what was passed, it could go elsewhere.
    const spare = again ? request.clone() : undefined;
    const { signal } = request;
    const token = await getAccessToken({ ...wishes, signal });
    const response = await send(request, token);
    if (!spare || response.status !== 401) return response;
    // RFC 6750 §3.1. A challenge that another origin does not expose counts as `invalid_token`.
    const challenge = response.headers.get("WWW-Authenticate") ?? undefined;
    if (!(await tokenRefused(challenge))) return response;
    const fresh = await renewed(token, { ...wishes, signal });
    if (fresh === token) return response;
    // The connection is given back.
    void response.body?.cancel();
    return send(spare, fresh);
  };

  /** The token that follows a refused one; the same where there is no other. */
  async function renewed(
    token: string,
    options: AccessTokenOptions,
  ): Promise<string> {
    // Another request may have been refused with it, too, and heard of it first.
    const held = await getAccessToken(options);
    if (held !== token || refused === token) return held;
    try {
      return await getAccessToken({ ...options, forceRefresh: true });
    } finally {
      refused = token;
    }
  }

  function send(request: Request, token: string): Promise<Response> {
    // RFC 6750 §2.1. Engines drop it on a redirect to another origin.
    request.headers.set("Authorization", `Bearer ${token}`);
    return fetch(request);
  }
}

/** A stream can be read once; what it held is gone with the first try. */
function canBeSentAgain(input: RequestInfo | URL, init: RequestInit): boolean {
  if (init.body) return !(init.body instanceof ReadableStream);
  return !(input instanceof Request) || /^(GET|HEAD)$/.test(input.method);
}
