// Apart from what is loaded at once: only who loads wasm needs it, so it imports nothing that runs.

import type { failed } from "./wasm.js";

/** Compiles bytes, and says in words what is wrong where they are refused. */
export async function compile(
  bytes: BufferSource,
  url: string | null,
  fail: typeof failed,
): Promise<WebAssembly.Module> {
  if (typeof WebAssembly !== "object") throw fail("unsupported", url);
  try {
    return await WebAssembly.compile(bytes);
  } catch (cause) {
    // Bytes of ours are valid: what refuses them is the page's Content Security Policy, or an engine too old for them.
    const csp = /content security|unsafe-eval|disallowed|blocked/i;
    throw fail(csp.test(String(cause)) ? "csp" : "unsupported", url, cause);
  }
}
