import { lifetime } from "../support/stage.mjs";
import { draws } from "../support/random.mjs";

/**
 * What happens in a round: the same for all contestants, and for the same seed. Tabs are not named but drawn, since how
 * many are left depends on what became of them.
 */
export function scriptOf(seed, storage, round) {
  const draw = draws(seed, storage, round);
  return {
    /** Who wakes with the expired token, beside the first. */
    wakes: Array.from({ length: 8 }, () => draw.number() < 0.6),
    fault: faultOf(draw),
    /** What befalls a tab while tokens are asked for, and when. */
    blow: {
      kind: draw.weighted(blows),
      after: draw.between(0, 250),
      tab: draw.number(),
    },
    /** What is done afterwards, in peace. */
    end: draw.weighted({ none: 84, logout: 8, anew: 8 }),
    changes: Array.from({ length: draw.between(1, 3) }, () => ({
      kind: draw.weighted(changes),
      tab: draw.number(),
    })),
  };
}

/** Seconds for which the machine sleeps before a round. */
export const sleepOf = (seed, round) =>
  draws(seed, "sleep", round).between(lifetime + 10, lifetime + 600);

const blows = {
  none: 40,
  reload: 20,
  close: 12,
  crash: 10,
  leave: 10,
  logout: 8,
};

const changes = {
  clone: 25,
  open: 25,
  reopen: 15,
  reload: 10,
  close: 15,
  freeze: 10,
};

/** What becomes of the next token requests: `{ how, times }`, or an answer that is `slow` by so many milliseconds. */
function faultOf(draw) {
  const kind = draw.weighted({
    none: 50,
    status: 12,
    html: 4,
    slow: 18,
    reset: 8,
    lose: 8,
  });
  if (kind === "status")
    return { how: draw.one([500, 502, 503]), times: draw.between(1, 2) };
  if (kind === "slow") return { slow: draw.between(200, 1500) };
  return kind === "none" ? {} : { how: kind, times: 1 };
}
