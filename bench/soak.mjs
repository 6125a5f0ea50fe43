import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { Lane } from "./soak/lane.mjs";
import { scriptOf, sleepOf } from "./soak/script.mjs";
import { pass } from "./support/clock.mjs";
import { markdown } from "./support/figures.mjs";
import { startStage } from "./support/stage.mjs";

/**
 * Plays rounds for so many minutes, every contestant in both storages in turn, and gives the lanes with their tallies
 * and the losses. Each loss is also a line of `file`.
 */
export async function runSoak(contestants, { seed, minutes, file, say }) {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, "");
  const stage = await startStage(contestants, {
    inline: ["clock", "witness"],
  });
  const lanes = contestants.flatMap((contestant) =>
    contestant.storages.map((storage) => new Lane(stage, contestant, storage)),
  );
  const losses = [];
  const end = performance.now() + minutes * 60_000;
  try {
    for (let round = 1; performance.now() < end; round += 1) {
      pass(sleepOf(seed, round));
      for (const lane of lanes) {
        const { contestant, storage, tally } = lane;
        say(
          `round ${round}, ${contestant.name} in ${storage}: ${tally.held} of ${tally.rounds} held`,
        );
        const lost = await lane.play(scriptOf(seed, storage, round));
        if (!lost) continue;
        losses.push({ round, ...lost });
        await appendFile(file, `${JSON.stringify(losses.at(-1))}\n`);
      }
    }
  } finally {
    for (const lane of lanes) await lane.close();
    await stage.close();
  }
  return { lanes, losses };
}

/** Requests per due refresh. */
export const perDue = ({ due, requests }) => (due === 0 ? 0 : requests / due);

/** The table. */
export function report({ lanes }, seed) {
  const head = [
    "",
    "storage",
    "sessions",
    "refreshes due",
    "requests per due refresh",
    "rounds held",
    "avoidable losses",
    "unavoidable losses",
    "tabs lost",
    "tabs still valid after a logout",
    "pages that hung",
  ];
  const rows = lanes.map(({ contestant, storage, tally }) => [
    `${contestant.name} ${contestant.version}`,
    storage === "local" ? "localStorage" : "sessionStorage",
    tally.sessions,
    tally.due,
    perDue(tally).toFixed(2),
    `${tally.held} of ${tally.rounds}`,
    tally.avoidable,
    tally.unavoidable,
    tally.tabsLost,
    `${tally.stayed} in ${tally.logouts}`,
    tally.broken,
  ]);
  return `${markdown(head, rows, 2)}\n\nSeed ${seed}.`;
}
