// The clock of this process, and so of the provider in it, which can be set ahead like that of a page (page/clock.js).

const RealDate = Date;
let ahead = 0;
const now = () => RealDate.now() + ahead;

/** The machine's own time. */
export const machine = () => RealDate.now();

/** From now on the clock can be set ahead; it is not yet. */
export function takeClock() {
  ahead = 0;
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args) =>
      args.length === 0 ? new target(now()) : new target(...args),
    apply: () => new RealDate(now()).toString(),
    get: (target, key) => (key === "now" ? now : Reflect.get(target, key)),
  });
}

/** Lets seconds pass at once; gives by how many milliseconds the clock is ahead of the machine's now. */
export function pass(seconds) {
  ahead += seconds * 1000;
  return ahead;
}

/** By how many milliseconds the clock is ahead. */
export const aheadBy = () => ahead;
