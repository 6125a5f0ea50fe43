// The wasm that an application passes.

import type { compiled } from "./engine.js";
import type { WasmSource } from "./types.js";
import { failed, missing } from "./wasm.js";

/** It stands beside the glue: shared with the facade it would be a chunk of its own, and a request before everything. */
const compile: typeof compiled = async (...all) => {
  const engine = await import("./engine.js").catch(missing);
  return engine.compiled(...all);
};

/** Compiles what an application passed. */
export async function compileSource(
  source: WasmSource,
): Promise<WebAssembly.Module> {
  // A request that failed was the application's; one that was read already cannot be tried again.
  const given = await Promise.resolve(source).catch(missing);
  if (given instanceof WebAssembly.Module) return compile(given, null, failed);
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
  const bytes = await fetched.arrayBuffer().catch((cause: unknown) => {
    throw failed("network", fetched.url || url, cause);
  });
  return compileGiven(bytes, fetched.url || url);
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
  return compile(bytes, url, failed);
}
