import { AuthError } from "./errors.js";
import type { AuthErrorDetails, WasmSource } from "./types.js";

/** Gives the compiled module. */
export type ModuleSource = () => Promise<WebAssembly.Module>;

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

/** Compiles what an application passed. */
export async function compileSource(
  source: WasmSource,
): Promise<WebAssembly.Module> {
  const given = await source;
  if (given instanceof WebAssembly.Module) return given;
  const url =
    typeof given === "string" || given instanceof URL
      ? String(given)
      : given instanceof Request
        ? given.url
        : null;
  const fetched =
    url === null
      ? given
      : await fetch(given as RequestInfo | URL).catch((cause: unknown) => {
          throw failed("network", url, cause);
        });
  if (!(fetched instanceof Response)) {
    return compileGiven(fetched as BufferSource, url);
  }
  if (!fetched.ok) throw failed("network", fetched.url || url);
  return compileGiven(await fetched.arrayBuffer(), fetched.url || url);
}

function compileGiven(
  bytes: BufferSource,
  url: string | null,
): Promise<WebAssembly.Module> {
  const head = ArrayBuffer.isView(bytes)
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes);
  // "\0asm": a dev server that knows no such file answers with its index page.
  if (String.fromCharCode(...head.subarray(0, 4)) !== "\0asm") {
    throw failed("not_wasm", url);
  }
  return compile(bytes, url);
}

/** Compiles bytes, and says in words what is wrong where they are refused. */
export async function compile(
  bytes: BufferSource,
  url: string | null,
): Promise<WebAssembly.Module> {
  if (typeof WebAssembly !== "object") throw failed("unsupported", url);
  try {
    return await WebAssembly.compile(bytes);
  } catch (cause) {
    // Bytes of ours are valid: what refuses them is the page's Content Security Policy, or an engine too old for them.
    const csp = /content security|unsafe-eval|disallowed|blocked/i;
    throw failed(csp.test(String(cause)) ? "csp" : "unsupported", url, cause);
  }
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
