// What is loaded when it is first needed, as one chunk: the glue of the Rust side, what that side calls, and the texts for
// what it tells. It imports nothing that the facade has, which would then be in a chunk of its own.

import { compile as compileOnce } from "./compile.js";
import { createCore, lasting, type AuthCore } from "./core.js";
import { createHost } from "./host.js";
import { joined } from "./streams.js";
import { ERRORS, WARNINGS } from "./texts.js";
import type { failed, Streams } from "./wasm.js";

/** Compiles what an application has given. */
export const compiled: typeof compileOnce = (...all) =>
  lasting(() => compileOnce(...all));

/** What a sign-in does not need: a wasm of its own, which shares the memory of the first. */
const secondary = (fail: typeof failed) =>
  import("./secondary-inline.js").then(
    (streams) => joined(streams, fail),
    (cause: unknown) => {
      throw fail("network", null, cause);
    },
  );

let preloaded: Promise<unknown> | undefined;

/** Loads it ahead, for an instance that will need it at once. */
export function preload(fail: typeof failed): void {
  preloaded = secondary(fail);
  // Heard by who makes the instance.
  preloaded.catch(() => {});
}

/** The module, if it is not made yet; where the second one was to be loaded ahead, that is there, too. */
export async function compile(
  given: WebAssembly.Module | Streams,
  fail: typeof failed,
): Promise<WebAssembly.Module> {
  const ahead = preloaded;
  preloaded = undefined;
  // Before anything is handed over: a response that waits is not lost.
  const [module] = await Promise.all([
    given instanceof WebAssembly.Module ? given : joined(given, fail),
    ahead,
  ]);
  return module;
}

/** One instance of the Rust side. */
export interface Instance {
  readonly core: AuthCore;
  /** Calls it; rejected when it traps. */
  call<T>(run: (core: AuthCore) => Promise<T>): Promise<T>;
}

/** Makes an instance. It tells `hear`, and `trapped` makes the error of those who wait when it dies. */
export function create(
  module: WebAssembly.Module,
  fail: typeof failed,
  client: Parameters<typeof createHost>[0] & {
    readonly normal: { readonly json: string };
  },
  texts: object,
  warnings: object,
  hear: (message: string) => void,
  trapped: (cause: unknown) => unknown,
): Instance {
  Object.assign(texts, ERRORS);
  Object.assign(warnings, WARNINGS);
  let reject!: (error: unknown) => void;
  const trap = new Promise<never>((_, refuse) => (reject = refuse));
  // Those who wait for a call hear of it.
  trap.catch(() => {});
  let alive = true;
  const trapNow = (cause: unknown) => {
    alive = false;
    reject(trapped(cause));
  };
  const Core = createCore(module, trapNow, () => secondary(fail));
  const host = createHost(client, (message) => {
    // Nothing may be thrown into wasm; the application hears of it as of any uncaught error.
    try {
      if (alive) hear(message);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  });
  const core = new Core(client.normal.json, host);
  return { core, call: (run) => Promise.race([run(core), trap]) };
}
