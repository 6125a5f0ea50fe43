// What is loaded when it is first needed, as one chunk: the glue of the Rust side, what that side calls, and the texts for
// what it tells. It imports nothing that the facade has, which would then be in a chunk of its own.

import { createCore, type AuthCore } from "./core.js";
import { createHost } from "./host.js";
import { ERRORS, WARNINGS } from "./texts.js";

/** One instance of the Rust side. */
export interface Instance {
  readonly core: AuthCore;
  /** Calls it; rejected when it traps. */
  call<T>(run: (core: AuthCore) => Promise<T>): Promise<T>;
}

/** Makes an instance. It tells `hear`, and `trapped` makes the error of those who wait when it dies. */
export function makeInstance(
  module: WebAssembly.Module,
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
  const Core = createCore(module, (cause) => {
    alive = false;
    reject(trapped(cause));
  });
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
