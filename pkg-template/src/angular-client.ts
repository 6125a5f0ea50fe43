// Where the entry for Angular keeps the client.

import {
  assertInInjectionContext,
  inject,
  InjectionToken,
} from "@angular/core";
import { AuthError } from "./errors.js";
import { refuse } from "./options.js";
import type { Auth } from "./types.js";

export const AUTH = new InjectionToken<Auth<unknown>>("countersign");

/** What `provideAuth` has provided. */
export function injected<T>(token: InjectionToken<T>): T {
  try {
    assertInInjectionContext(injected);
  } catch (cause) {
    const problem = "called outside of an injection context";
    const details = { option: "injectAuth", problem };
    throw AuthError.of("invalid_config", details, false, cause);
  }
  const found = inject(token, { optional: true });
  if (found === null) throw refuse("provideAuth", "missing");
  return found;
}
