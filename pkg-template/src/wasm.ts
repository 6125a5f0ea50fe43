import { AuthError } from "./errors.js";
import type { AuthErrorDetails } from "./types.js";

/** A wasm as this package carries it: a small module, and the streams that it puts together; deflated, in base64. */
export interface Streams {
  /** Gives the text, or is only read. */
  readonly bytes: () => string;
  /** The size of the small module, in bytes. */
  readonly joiner: number;
}

/** Gives the compiled module, or what it is made of. */
export type ModuleSource = () => Promise<WebAssembly.Module | Streams>;

type Problem = AuthErrorDetails["wasm_load_failed"]["problem"];

/** The glue and the compiled module, loaded once; a failure is forgotten, so that the next call tries again. */
export function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | undefined;
  return () =>
    (loading ??= load().catch((error: unknown) => {
      loading = undefined;
      throw error;
    }));
}

/** A failure to load. Firefox remembers a failed `import()` for the life of the page: there a retry does not help. */
export function failed(
  problem: Problem,
  url: string | null,
  cause?: unknown,
): AuthError<"wasm_load_failed"> {
  const retryable = problem === "network" && url !== null;
  return AuthError.of("wasm_load_failed", { url, problem }, retryable, cause);
}

/** A chunk of this package that did not come. */
export function missing(cause: unknown): never {
  throw failed("network", null, cause);
}
