import type { TokenView, View } from "./view.js";

interface Held {
  readonly token: string;
  /** The end by either clock: the wall clock may be put back, the monotonic one may sleep. */
  readonly wallEnd: number;
  readonly monotonicEnd: number;
  readonly leeway: number;
}

/** The access tokens of the present, so that asking for one crosses into wasm only when it is no longer fresh. */
export class TokenCache {
  #held = new Map<string, Held>();
  /** What was signed in for: the default token is for it. */
  api: View["api"];

  /** Holds the tokens of this session, and no others. */
  hold(view?: Pick<View, "api" | "tokens"> | null): void {
    this.api = view?.api;
    const held = new Map<string, Held>();
    for (const [key, token] of Object.entries(view?.tokens ?? {})) {
      const known = this.#held.get(key);
      // Anchored once, when it came: later the wall clock may have jumped.
      held.set(
        key,
        known?.token === token.access_token ? known : anchor(token),
      );
    }
    this.#held = held;
  }

  /** The token, if it is good for so many seconds; without a number, for as long as it takes to arrive. */
  fresh(key: string, minValidity?: number): string | undefined {
    const held = this.#held.get(key);
    if (!held) return undefined;
    const needed = minValidity === undefined ? held.leeway : minValidity * 1000;
    return Date.now() + needed < held.wallEnd &&
      performance.now() + needed < held.monotonicEnd
      ? held.token
      : undefined;
  }
}

function anchor({
  access_token,
  received_at,
  deadline,
  leeway,
}: TokenView): Held {
  const wallEnd = deadline ?? Infinity;
  // A clock that was put back before this page began does not lengthen a token's life.
  const monotonicEnd =
    performance.now() + wallEnd - Math.max(Date.now(), received_at);
  return { token: access_token, wallEnd, monotonicEnd, leeway };
}
