// For clients that make their requests themselves and have axios' interceptors.

import { AuthError } from "./errors.js";
import { provided } from "./guard.js";
import type { Auth } from "./types.js";

/** As much of an axios instance as is used here: axios itself stays out of the package. */
export interface AxiosLike {
  readonly interceptors: {
    readonly request: Interceptors;
    readonly response: Interceptors;
  };
  getUri(config?: object): string;
  /** Every instance has it since axios 0.22, which not all of its types know. */
  create?(config?: object): { request(config: object): Promise<unknown> };
}

/** What comes is given back: `never` fits whatever type axios has for it. */
interface Interceptors {
  use(
    onFulfilled: ((value: object) => Promise<never>) | null,
    onRejected?: (error: unknown) => Promise<never>,
  ): number;
  eject(id: number): void;
}

interface Config {
  readonly headers: { set(name: string, value: string): unknown };
  readonly data?: unknown;
  readonly signal?: AbortSignal;
}

/** What is known of a request that was sent: exactly where to, and with which token. */
interface Sent {
  readonly url: string;
  readonly token: string;
}

/**
 * Sends every request of an axios instance with the access token, as {@link Auth.fetch} does: to this origin and
 * `apiOrigins` only, and once more after a refused token where the body can be sent again. Gives back its end.
 *
 * An instance for the API: requests to anywhere else are refused with `forbidden_origin`. Before response interceptors
 * of the application's own: those that come after it see one answer, whether it was the first or the second.
 */
export function authorizeAxios(
  client: AxiosLike,
  auth: Auth<unknown>,
): () => void {
  provided(auth, "auth");
  const { request, response } = client.interceptors;
  const sent = new WeakMap<object, Sent>();

  const before = request.use(async (value) => {
    if (typeof document === "undefined") {
      throw AuthError.of("unsupported_environment", { missing: "browser" });
    }
    const config = value as Config;
    const { signal } = config;
    try {
      const { headers, url } = await auth.authorize(
        new Request(new URL(client.getUri(config), document.baseURI)),
        signal && { signal },
      );
      const authorization = headers.get("Authorization") ?? "";
      const token = authorization.replace("Bearer ", "");
      config.headers.set("Authorization", authorization);
      sent.set(config, { url, token });
      return Object.assign(config, pinned(url)) as never;
    } catch (error) {
      if (!signal?.aborted) throw error;
      // Sent nowhere: axios has an answer of its own to that.
      return config as never;
    }
  });

  const after = response.use(null, async (error) => {
    const { config, response } = error as {
      readonly config?: Config;
      readonly response?: {
        readonly status: number;
        readonly headers: Record<string, string | undefined>;
      };
    };
    const first = config && sent.get(config);
    const again =
      first &&
      response?.status === 401 &&
      !(config.data instanceof ReadableStream);
    // Without interceptors, which have seen this request already.
    const bare = again && client.create?.();
    if (!bare) throw error;
    const { token: refused, url } = first;
    const challenge = response.headers["www-authenticate"] ?? null;
    const { signal } = config;
    const wishes = { refused, challenge, ...(signal && { signal }) };
    const token = await auth.getAccessToken(wishes).catch(() => refused);
    // Where no other token comes of it, the first answer stands.
    if (token === refused) throw error;
    config.headers.set("Authorization", `Bearer ${token}`);
    // It was made into what is sent already, too.
    const transformRequest = [(data: unknown) => data];
    const retry = { ...config, ...pinned(url), transformRequest };
    return bare.request(retry) as Promise<never>;
  });

  return () => {
    request.eject(before);
    response.eject(after);
  };
}

/** From now on the request goes to where the token was given for, whatever else the instance would make of it. */
const pinned = (url: string) => ({
  url,
  baseURL: "",
  allowAbsoluteUrls: true,
  params: {},
  paramsSerializer: { serialize: () => "" },
});
