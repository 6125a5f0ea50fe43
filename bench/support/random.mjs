import { createHash } from "node:crypto";

/** Draws that are the same for the same words. */
export function draws(...words) {
  const digest = createHash("sha256").update(words.join(" ")).digest();
  let state = digest.readUInt32LE(0);
  // Mulberry32.
  const number = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    /** From 0 to 1. */
    number,
    /** A whole number, both ends included. */
    between: (least, most) => least + Math.floor(number() * (most - least + 1)),
    /** One of a list, `undefined` of an empty one. */
    one: (list) => list[Math.floor(number() * list.length)],
    /** A key of `{ key: weight }`. */
    weighted(weights) {
      const entries = Object.entries(weights);
      let left =
        number() * entries.reduce((sum, [, weight]) => sum + weight, 0);
      for (const [key, weight] of entries) if ((left -= weight) < 0) return key;
      return entries.at(-1)[0];
    },
  };
}
