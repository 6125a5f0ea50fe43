import { wishOf, type TokenWish } from "./options.js";
import type { AccessTokenOptions } from "./types.js";
import { DEFAULT_TOKEN, type TokenView, type View } from "./view.js";

interface Held {
  readonly token: string;
  /** The end by the wall clock. */
  readonly end: number;
  /** How far the monotonic clock was from it: the one may be put back, the other may sleep. */
  readonly apart: number;
  readonly leeway: number;
}

/** A token that was asked for, and what is there of it. */
interface Wish extends TokenWish {
  readonly held: Held | undefined;
}

/** The access tokens of the present, so that asking for one crosses into wasm only when it is no longer fresh. */
export function tokenCache() {
  let tokens = new Map<string, Held>();
  /** What was asked for before, by one of its parameters: to work out a key takes microseconds. */
  const wishes = new Map<string | undefined, Wish>();
  /** Of the token that was signed in for, apart since almost every call is about it. */
  let signedInFor: Wish | undefined;
  /** When the monotonic clock was last asked, and how far it was from the wall clock. */
  let asked: number;
  let apart: number;
  let api: View["api"];

  return {
    /** Holds the tokens of this session, and no others. */
    hold(view?: Pick<View, "api" | "tokens">): void {
      api = view?.api;
      const next = new Map<string, Held>();
      for (const [key, token] of Object.entries(view?.tokens ?? {})) {
        const known = tokens.get(key);
        // Anchored once, when it came: later the wall clock may have jumped.
        next.set(
          key,
          known?.token === token.access_token ? known : anchor(token),
        );
      }
      tokens = next;
      wishes.clear();
      signedInFor = { key: DEFAULT_TOKEN, held: tokens.get(DEFAULT_TOKEN) };
    },

    /** The token that is asked for, whether it is held or not. */
    find({ audience, resource, scope }: AccessTokenOptions): Wish {
      const name = resource ?? audience ?? scope;
      const known =
        name === undefined ? signedInFor : wishes.get(name as string);
      // Texts only: a list or a URL equals none, since it may have changed.
      if (
        known &&
        known.resource === resource &&
        known.audience === audience &&
        known.scope === scope
      ) {
        return known;
      }
      const asked = wishOf({ audience, resource, scope }, api);
      const wish = { ...asked, held: tokens.get(asked.key) };
      wishes.set(wish.resource ?? wish.audience ?? wish.scope, wish);
      return wish;
    },

    /** The token, if it is good for so many seconds; without a number, for as long as it takes to arrive. */
    fresh({ held }: Wish, minValidity?: number): string | undefined {
      if (!held) return undefined;
      const now = Date.now();
      // It costs more than all else here: it is asked once a second, and when the wall clock was put back.
      if (!(Math.abs(now - asked) < 1000)) {
        asked = now;
        apart = performance.now() - now;
      }
      const needed =
        minValidity === undefined ? held.leeway : minValidity * 1000;
      return now + needed + Math.max(0, apart - held.apart) < held.end
        ? held.token
        : undefined;
    },
  };
}

function anchor({
  access_token,
  received_at,
  deadline,
  leeway,
}: TokenView): Held {
  return {
    token: access_token,
    end: deadline ?? Infinity,
    // A clock that was put back before this page began does not lengthen a token's life.
    apart: performance.now() - Math.max(Date.now(), received_at),
    leeway,
  };
}
