import { AuthError } from "./errors.js";
import type { AccessTokenOptions, AuthRequestInit } from "./types.js";

/** Captured by {@link createAuth}: a script that replaces them later sees no token. */
type Fetch = typeof globalThis.fetch;

/** Which token is wanted, and which one an API has refused, with the `WWW-Authenticate` of that. */
export interface TokenWishes extends AccessTokenOptions {
  readonly refused?: string;
  readonly challenge?: string | null;
}

/** `fetch` with the access token, to these origins only. */
export function authorizedFetch(
  fetch: Fetch,
  allowed: readonly string[],
  getAccessToken: (options: TokenWishes) => Promise<string>,
) {
  // Like `fetch`: one that a script put there later could say of itself that it goes elsewhere.
  const { Request } = globalThis;

  return async (
    input: RequestInfo | URL,
    init: AuthRequestInit = {},
  ): Promise<Response> => {
    const { auth: wishes, ...rest } = init;
    // A stream can be read once; what it held is gone with the first try. Asked before anything consumes the body.
    const again = rest.body
      ? !(rest.body instanceof ReadableStream)
      : !(input instanceof Request) || /^(GET|HEAD)$/.test(input.method);
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
    const challenge = response.headers.get("WWW-Authenticate");
    const fresh = await getAccessToken({
      ...wishes,
      signal,
      refused: token,
      challenge,
    });
    if (fresh === token) return response;
    // The connection is given back.
    void response.body?.cancel();
    return send(spare, fresh);
  };

  function send(request: Request, token: string): Promise<Response> {
    // RFC 6750 §2.1. Engines drop it on a redirect to another origin.
    request.headers.set("Authorization", `Bearer ${token}`);
    return fetch(request);
  }
}
