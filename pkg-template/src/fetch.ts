import { AuthError } from "./errors.js";
import type { AccessTokenOptions, Auth, AuthRequestInit } from "./types.js";

/** Captured by {@link createAuth}: a script that replaces them later sees no token. */
type Fetch = typeof globalThis.fetch;

/** `fetch` and `authorize`: the access token goes to these origins only. */
export function authorized(
  fetch: Fetch,
  allowed: readonly string[],
  getAccessToken: Auth["getAccessToken"],
): Pick<Auth, "authorize" | "fetch"> {
  // Like `fetch`: one that a script put there later could say of itself that it goes elsewhere.
  const { Request } = globalThis;

  /** Puts the token into a request of our own, whose URL nobody but the browser has worked out. */
  const authorize = async (
    request: Request,
    wishes?: AccessTokenOptions,
  ): Promise<string> => {
    const { origin } = new URL(request.url);
    if (!allowed.includes(origin)) {
      throw AuthError.of("forbidden_origin", { origin, allowed });
    }
    const { signal } = request;
    const token = await getAccessToken({ signal, ...wishes });
    // RFC 6750 §2.1. Engines drop it on a redirect to another origin.
    request.headers.set("Authorization", `Bearer ${token}`);
    return token;
  };

  return {
    async authorize(input, wishes) {
      const request = new Request(input);
      await authorize(request, wishes);
      return request;
    },

    async fetch(input, init) {
      const { auth: wishes, ...rest }: AuthRequestInit = { ...init };
      // A stream can be read once; what it held is gone with the first try. Asked before anything consumes the body.
      const again = rest.body
        ? !(rest.body instanceof ReadableStream)
        : !(input instanceof Request) || /^(GET|HEAD)$/.test(input.method);
      const request = new Request(input, rest);
      // Of this very request: made anew from what was passed, it could go elsewhere.
      const spare = again ? request.clone() : undefined;
      const refused = await authorize(request, wishes);
      const response = await fetch(request);
      if (!spare || response.status !== 401) return response;
      // RFC 6750 §3.1. A challenge that another origin does not expose counts as `invalid_token`.
      const challenge = response.headers.get("WWW-Authenticate");
      const wanted = { ...wishes, refused, challenge };
      // Where no other comes of it, whatever the reason, the API's answer stands.
      const fresh = await authorize(spare, wanted).catch(() => refused);
      if (fresh === refused) return response;
      // The connection is given back.
      void response.body?.cancel();
      return fetch(spare);
    },
  };
}
