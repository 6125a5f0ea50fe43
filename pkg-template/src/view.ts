// What the facade reads of the stored session, strictly; it never writes. The Rust side's src/session/record.rs does.

import { parseJson } from "./json.js";
import type { AuthStorage } from "./types.js";

/** The version that this facade reads; of a newer one it takes nothing. */
const VERSION = 1;

export interface View {
  readonly user: object | null;
  readonly scope: readonly string[];
  /** What was signed in for, as `wishOf` names it. */
  readonly api: string | null | undefined;
  readonly refreshable: boolean;
  readonly tokens: Readonly<Record<string, TokenView>>;
}

export interface TokenView {
  readonly access_token: string;
  readonly received_at: number;
  readonly expires_at: number | null;
  /** After it the token is not handed out any more; `null` where no end is known. */
  readonly deadline: number | null;
  /** How long before the deadline that begins, in milliseconds. */
  readonly leeway: number;
}

/** The key of the token that was signed in for. */
export const DEFAULT_TOKEN = "";

/** The stored text; `null` where there is none or the storage denies access. */
export function readText(
  storage: AuthStorage | null | undefined,
  key: string,
): string | null {
  try {
    return storage?.getItem(key) ?? null;
  } catch {
    return null;
  }
}

/** The stored text of a record of this version, which is stored no longer. */
export function takeText(
  storage: AuthStorage | null | undefined,
  key: string,
): string | null {
  const text = readText(storage, key);
  if (!isOurs(text)) return null;
  try {
    storage?.removeItem(key);
  } catch {
    // What cannot be removed was most likely never stored.
  }
  return text;
}

/** Whether a stored text is a record that this version may remove. */
export function isOurs(text: string | null): boolean {
  try {
    return (parseJson(text ?? "null") as { v: unknown }).v === VERSION;
  } catch {
    return false;
  }
}

/** The view of a stored record, if it is whole and its token fresh by the wall clock; everything else is for the Rust side to judge. */
export function freshView(text: string | null, oidc: boolean): View | null {
  try {
    const { v, view } = parseJson(text!) as { v: unknown; view: View };
    // What is not there at all fails at its members.
    const token = view.tokens[DEFAULT_TOKEN]!;
    const whole =
      v === VERSION &&
      Object.values(view.tokens).every(
        (token) =>
          typeof token.access_token === "string" &&
          // What has no end has none in every comparison.
          [
            token.received_at,
            token.leeway,
            token.deadline ?? 0,
            token.expires_at ?? 0,
          ].every(Number.isFinite),
      ) &&
      typeof view.refreshable === "boolean" &&
      Array.isArray(view.scope) &&
      view.scope.every((item) => typeof item === "string") &&
      (oidc
        ? typeof (view.user as { sub?: unknown } | null)?.sub === "string"
        : view.user === null);
    const now = Date.now();
    // A clock that was put back says nothing about a token.
    return whole &&
      token.received_at <= now &&
      (token.deadline === null || now < token.deadline - token.leeway)
      ? view
      : null;
  } catch {
    return null;
  }
}
