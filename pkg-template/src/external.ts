import { createClient } from "./auth.js";
import { refuse } from "./options.js";
import type { Auth, AuthOptions, IdTokenClaims, WasmSource } from "./types.js";
import { compileSource, once } from "./wasm.js";

export { AuthError, isAuthError } from "./errors.js";
export type * from "./types.js";

/** The same client as `countersign` gives, without the bytes: the application passes `wasm`, most simply the URL of `countersign/core.wasm`. */
export function createAuth<TClaims extends object = {}>(
  options: AuthOptions & { readonly wasm: WasmSource },
): Auth<IdTokenClaims & TClaims> {
  const source = ({ wasm }: AuthOptions) => {
    if (wasm === undefined) throw refuse("wasm", "missing");
    return once(() => compileSource(wasm));
  };
  return createClient(options, source) as Auth<never> as Auth<
    IdTokenClaims & TClaims
  >;
}
