import type { Auth } from "countersign";

/** As much of an axios instance as is used here: axios itself stays out of the package. */
export interface AxiosLike {
  readonly interceptors: {
    readonly request: Interceptors;
    readonly response: Interceptors;
  };
  getUri(config?: object): string;
  /** Every instance has it since axios 0.22, which not all of its types know. */
  create?(config?: object): {
    request(config: object): Promise<unknown>;
  };
}

/** What comes is given back: `never` fits whatever type axios has for it. */
interface Interceptors {
  use(
    onFulfilled: ((value: object) => Promise<never>) | null,
    onRejected?: (error: unknown) => Promise<never>,
  ): number;
  eject(id: number): void;
}

/**
 * Sends every request of an axios instance with the access token, as {@link Auth.fetch} does: to this origin and
 * `apiOrigins` only, and once more after a refused token where the body can be sent again. Gives back its end.
 *
 * An instance for the API: requests to anywhere else are refused with `forbidden_origin`. Before response interceptors
 * of the application's own: those that come after it see one answer, whether it was the first or the second.
 */
export declare function authorizeAxios(
  client: AxiosLike,
  auth: Auth<unknown>,
): () => void;

export {};
