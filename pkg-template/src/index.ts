import { createClient } from "./auth.js";
import type { Options } from "./options.js";
import type {
  Auth,
  AuthOptions,
  IdTokenClaims,
  PlainOAuthOptions,
} from "./types.js";
import { missing } from "./wasm.js";

export { AuthError, isAuthError } from "./errors.js";
export type * from "./types.js";

/** The wasm that this package carries, in a chunk of its own, loaded when it is first needed. */
const inlined = () => import("./wasm-inline.js").catch(missing);

/** OAuth 2.0 without OpenID Connect: no ID Token, so no `user`. */
export function createAuth(options: PlainOAuthOptions): Auth<null>;
/** Creates the client. Synchronous and inert on a server; loading the wasm side, discovery, the callback and restoring the session run behind {@link Auth.ready}. */
export function createAuth<TClaims extends object = {}>(
  options: AuthOptions,
): Auth<IdTokenClaims & TClaims>;
export function createAuth(options: Options): Auth<never> {
  return createClient(options, () => inlined) as Auth<never>;
}
