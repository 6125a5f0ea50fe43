// What makes a module of the text in which this package carries one; it comes with the first that is loaded.

import { compile } from "./compile.js";
import { lasting } from "./core.js";
import type { failed, Streams } from "./wasm.js";

/** What the small module has; `join` reads the streams at its first place, and writes the wasm at its second. */
interface Joiner {
  readonly memory: WebAssembly.Memory;
  readonly __heap_base: WebAssembly.Global<"i32">;
  join(streams: number, wasm: number): void;
}

const modules = new WeakMap<Streams, Promise<WebAssembly.Module>>();

/** The module that was taken apart into streams (scripts/streams), made once. */
export function joined(
  streams: Streams,
  fail: typeof failed,
): Promise<WebAssembly.Module> {
  let module = modules.get(streams);
  if (!module) {
    module = lasting(() => join(streams, fail));
    modules.set(streams, module);
    module.catch(() => modules.delete(streams));
  }
  return module;
}

async function join(
  { bytes, joiner }: Streams,
  fail: typeof failed,
): Promise<WebAssembly.Module> {
  // A Blob's stream would come by way of the browser's process.
  const stream = new Response(decoded(textOf(bytes))).body!.pipeThrough(
    new DecompressionStream("deflate-raw"),
  );
  const inflated = await new Response(stream).arrayBuffer();
  const small = await compile(inflated.slice(0, joiner), null, fail);
  const { exports } = await WebAssembly.instantiate(small);
  const { memory, join, __heap_base } = exports as unknown as Joiner;
  const streams = new Uint8Array(inflated, joiner);
  const from = __heap_base.value;
  const to = from + streams.length;
  const size = new DataView(inflated).getUint32(joiner, true);
  // What puts it together needs two octets more.
  memory.grow((to + size + 2) >> 16);
  new Uint8Array(memory.buffer).set(streams, from);
  join(from, to);
  return compile(new Uint8Array(memory.buffer, to, size), null, fail);
}

/** What a function gives, out of its source: V8 would keep a text that code has made, beside the source, as long as the module. */
function textOf(give: () => string): string {
  const [, text = ""] = String(give).split('"');
  // Written otherwise by a minifier, or by an engine that has no source.
  return text.length > 999 ? text : give();
}

/** Engines since 2025 do it at once; letter by letter it takes as long as all else here. */
function decoded(base64: string): Uint8Array<ArrayBuffer> {
  const engine = Uint8Array as unknown as {
    fromBase64?(base64: string): Uint8Array<ArrayBuffer>;
  };
  return (
    engine.fromBase64?.(base64) ??
    Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))
  );
}
