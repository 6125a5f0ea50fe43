// The wasm that this package carries, in a chunk with what makes a module of it.

import { compile } from "./compile.js";
import { bytes } from "./wasm-inline.js";
import type { failed } from "./wasm.js";

export function load(fail: typeof failed): Promise<WebAssembly.Module> {
  const deflated = Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0));
  const stream = new Blob([deflated])
    .stream()
    .pipeThrough(new DecompressionStream("deflate-raw"));
  const inflated = new Response(stream).arrayBuffer();
  return inflated.then((inflated) => compile(inflated, null, fail));
}
