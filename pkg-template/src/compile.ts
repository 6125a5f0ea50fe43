// Apart from what is loaded at once: only who loads wasm needs it, so it imports nothing that runs.

import type { failed } from "./wasm.js";

/** The smallest module there is. */
const EMPTY = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);

/** Compiles bytes, and says in words what is wrong where they are refused. */
export async function compile(
  given: BufferSource | WebAssembly.Module,
  url: string | null,
  fail: typeof failed,
): Promise<WebAssembly.Module> {
  if (typeof WebAssembly !== "object") throw fail("unsupported", url);
  try {
    const [module] = await Promise.all([
      given instanceof WebAssembly.Module ? given : WebAssembly.compile(given),
      // WebKit asks the page's policy about instances only, so here is a small one.
      WebAssembly.instantiate(EMPTY),
    ]);
    return module;
  } catch (cause) {
    // Bytes of ours are valid: what refuses them is the page's Content Security Policy, or an engine too old for them.
    const csp = /content security|unsafe-eval|disallowed|blocked/i;
    throw fail(csp.test(String(cause)) ? "csp" : "unsupported", url, cause);
  }
}
