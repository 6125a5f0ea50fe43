import { createClient } from "./auth.js";
import { refuse, type Options } from "./options.js";
import type {
  Auth,
  AuthOptions,
  IdTokenClaims,
  PlainOAuthOptions,
  WasmSource,
} from "./types.js";
import { compileSource } from "./source.js";
import { once } from "./wasm.js";

export { AuthError, isAuthError } from "./errors.js";
export type * from "./types.js";

/** The application passes it, most simply as the URL of `countersign/core.wasm`. */
interface WithWasm {
  readonly wasm: WasmSource;
}

/** The same client as `countersign` gives, without the bytes: OAuth 2.0 without OpenID Connect, so no `user`. */
export function createAuth(options: PlainOAuthOptions & WithWasm): Auth<null>;
/** The same client as `countersign` gives, without the bytes. */
export function createAuth<TClaims extends object = {}>(
  options: AuthOptions & WithWasm,
): Auth<IdTokenClaims & TClaims>;
export function createAuth(options: Options): Auth<never> {
  const source = ({ wasm }: Options) => {
    if (wasm === undefined) throw refuse("wasm", "missing");
    return once(() => compileSource(wasm));
  };
  return createClient(options, source) as Auth<never>;
}
