// For clients that make their requests themselves and have axios' interceptors.

import { provided } from "./guard.js";
import type { AccessTokenOptions, Auth } from "./types.js";

/** As much of an axios instance as is used here: axios itself stays out of the package. */
export interface AxiosLike {
  readonly interceptors: {
    readonly request: Interceptors;
    readonly response: Interceptors;
  };
  getUri(config?: object): string;
  request(config: object): Promise<unknown>;
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
  readonly [REFUSAL]?: AccessTokenOptions;
}

/** What is known of a request that was sent: exactly where to, and with which token. */
interface Sent {
  readonly url: string;
  readonly token: string;
}

/** Where a retry says what was refused. */
const REFUSAL = "countersign";

/**
 * Sends every request of an axios instance with the access token, as {@link Auth.fetch} does: to this origin and
 * `apiOrigins` only, and once more after a refused token where the body can be sent again. Gives back its end.
 *
 * An instance for the API: requests to anywhere else are refused with `forbidden_origin`.
 */
export function authorizeAxios(
  client: AxiosLike,
  auth: Auth<unknown>,
): () => void {
  provided(auth, "auth");
  const { request, response } = client.interceptors;
  const sent = new WeakMap<object, Sent>();

  const before = request.use(async (value) => {
    const config = value as Config;
    const { [REFUSAL]: refusal, signal } = config;
    const { headers, url } = await auth.authorize(
      new Request(new URL(client.getUri(config), document.baseURI)),
      { ...refusal, ...(signal && { signal }) },
    );
    const authorization = headers.get("Authorization") ?? "";
    const token = authorization.replace("Bearer ", "");
    config.headers.set("Authorization", authorization);
    sent.set(config, { url, token });
    return Object.assign(config, pinned(url)) as never;
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
      !(REFUSAL in config) &&
      !(config.data instanceof ReadableStream);
    if (!again) throw error;
    const refused = first.token;
    const challenge = response.headers["www-authenticate"] ?? null;
    const refusal = { refused, challenge };
    // Where no other token comes of it, the first answer stands.
    if ((await auth.getAccessToken(refusal)) === refused) throw error;
    const retry = { ...config, ...pinned(first.url), [REFUSAL]: refusal };
    return client.request(retry) as Promise<never>;
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
