import type { TokenView } from "./view.js";

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

  /** Holds these, and no others. */
  hold(tokens: Readonly<Record<string, TokenView>>): void {
    const held = new Map<string, Held>();
    for (const [key, view] of Object.entries(tokens)) {
      const known = this.#held.get(key);
      // Anchored once, when it came: later the wall clock may have jumped.
      held.set(key, known?.token === view.access_token ? known : anchor(view));
    }
    this.#held = held;
  }

  /** The token, if it is good for so many seconds; without a number, for as long as it takes to arrive. */
  fresh(key: string, minValidity?: number): string | undefined {
    const held = this.#held.get(key);
    if (held === undefined) return undefined;
    const needed = minValidity === undefined ? held.leeway : minValidity * 1000;
    return Date.now() + needed < held.wallEnd &&
      performance.now() + needed < held.monotonicEnd
      ? held.token
      : undefined;
  }
}

function anchor(view: TokenView): Held {
  const wallEnd = view.deadline ?? Infinity;
  return {
    token: view.access_token,
    wallEnd,
    // A clock that was put back before this page began does not lengthen a token's life.
    monotonicEnd:
      performance.now() + wallEnd - Math.max(Date.now(), view.received_at),
    leeway: view.leeway,
  };
}
