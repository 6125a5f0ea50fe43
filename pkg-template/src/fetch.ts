import { AuthError } from "./errors.js";
import type { AccessTokenOptions, AuthRequestInit } from "./types.js";

/** Captured by {@link createAuth}: a script that replaces them later sees no token. */
type Fetch = typeof globalThis.fetch;

/** `fetch` with the access token, to these origins only. */
export function authorizedFetch(
  fetch: Fetch,
  allowed: readonly string[],
  getAccessToken: (options?: AccessTokenOptions) => Promise<string>,
) {
  /** The token that an API refused: one refresh each, no more. */
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
    if (!spare || !isRefusal(response) || refused === token) return response;
    refused = token;
    const fresh = await getAccessToken({
      ...wishes,
      signal,
      forceRefresh: true,
    });
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

/** RFC 6750 §3.1. A challenge that another origin does not expose counts as `invalid_token`. */
function isRefusal(response: Response): boolean {
  const challenge = response.headers.get("WWW-Authenticate");
  return (
    response.status === 401 &&
    (challenge === null || challenge.includes("invalid_token"))
  );
}

/** A stream can be read once; what it held is gone with the first try. */
function canBeSentAgain(input: RequestInfo | URL, init: RequestInit): boolean {
  if (init.body) return !(init.body instanceof ReadableStream);
  return !(input instanceof Request) || /^(GET|HEAD)$/.test(input.method);
}
