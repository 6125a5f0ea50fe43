/**
 * Does `work` for every contestant in every round; whoever begins a round is last in the next one. Who fails is out, and
 * why is in `failed`, by name.
 */
export async function inTurns(
  contestants,
  { rounds, name, step, failed },
  work,
) {
  for (let round = 0; round < rounds; round += 1) {
    const turn = contestants.map(
      (_, at) => contestants[(at + round) % contestants.length],
    );
    await step({
      name: `${name}, ${round + 1} of ${rounds}`,
      run: async (say) => {
        for (const contestant of turn) {
          if (failed.has(contestant.name)) continue;
          say(contestant.name);
          try {
            await work(contestant, round);
          } catch (error) {
            const [reason] = error.message.split("\n");
            failed.set(contestant.name, reason);
            console.log(`      ${contestant.name} failed: ${reason}`);
          }
        }
      },
    });
  }
}

/** Numbers of each contestant: `add(contestant, …numbers)`, `rows(more)`. */
export function collect() {
  const numbers = new Map();
  return {
    add: ({ name }, ...more) =>
      numbers.set(name, [...(numbers.get(name) ?? []), ...more]),
    of: ({ name }) => numbers.get(name) ?? [],
    /** Those who have any, with what `more(contestant)` says beside. */
    rows: (contestants, more = () => ({})) =>
      contestants
        .filter(({ name }) => numbers.has(name))
        .map((contestant) => ({
          name: contestant.name,
          version: contestant.version,
          numbers: numbers.get(contestant.name),
          more: more(contestant),
        })),
  };
}
