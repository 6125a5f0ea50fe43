import { callback } from "./callback.mjs";
import { concurrent } from "./concurrent.mjs";
import { growth } from "./growth.mjs";
import { hotpath } from "./hotpath.mjs";
import { loginUrl } from "./login-url.mjs";
import { memory } from "./memory.mjs";
import { race } from "./race.mjs";
import { size } from "./size.mjs";
import { startup } from "./startup.mjs";
import { tabs } from "./tabs.mjs";

/**
 * What is measured. A measure is `{ name, title, unit, digits, better, run(contestants, how) }`, where `how` is
 * `{ quick, step, failed }`; it gives `{ groups: [{ name, rows, missing? }] }`, a row being
 * `{ name, version, numbers, more }` with the numbers of all rounds. A group of curves has
 * `{ name, unit, across, lines: [{ name, points: [{ at, numbers }] }] }` in place of rows.
 */
export const measures = [
  size,
  startup,
  hotpath,
  loginUrl,
  callback,
  concurrent,
  race,
  memory,
  growth,
  tabs,
];
