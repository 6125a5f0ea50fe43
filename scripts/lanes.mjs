/**
 * Does `work` for all in their order, as many at a time as there are lanes. One that is `whole` fills the machine, or others
 * need what it makes: it begins when all before it have ended, and those after it wait for its end.
 */
export async function inLanes(all, lanes, work) {
  const running = new Set();
  const below = async (count) => {
    while (running.size >= count) await Promise.race(running);
  };
  for (const [index, one] of all.entries()) {
    await below(one.whole ? 1 : lanes);
    const begun = work(one, index).finally(() => running.delete(begun));
    running.add(begun);
    if (one.whole) await begun;
  }
  await below(1);
}
