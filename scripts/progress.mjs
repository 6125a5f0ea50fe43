const BEAT = 30_000;

/** Seconds since `start`, as read by people. */
export const seconds = (start) =>
  `${((performance.now() - start) / 1000).toFixed(1)} s`;

/**
 * Runs steps one after the other and says how far it is.
 *
 * A step is `{ name, hint?, needed?, run(say), summary? }`. `hint` is said while it runs ("about a minute the first
 * time"); a step whose `needed()` is false has nothing to do; `say` shows a line of a long step; `summary` makes words
 * of its result.
 */
export async function runSteps(steps) {
  for (const [index, step] of steps.entries()) {
    const place = `[${index + 1}/${steps.length}]`;
    if (step.needed && !(await step.needed())) {
      console.log(`${place} ${step.name}: nothing to do`);
      continue;
    }
    await runStep(step, place);
  }
}

/** Runs one step, with its name before it and its time after it. */
export async function runStep(step, place = "") {
  const start = performance.now();
  const title = [place, step.name].filter(Boolean).join(" ");
  const live = liveLine(title, step.hint, start);
  try {
    const result = await step.run(live.say);
    const what = step.summary?.(result) ?? "done";
    live.end(`${what} in ${seconds(start)}`);
    return result;
  } catch (error) {
    live.end(`failed after ${seconds(start)}`);
    throw error;
  }
}

function liveLine(title, hint, start) {
  let said = "";
  const head = `${title}${hint ? ` (${hint})` : ""} ...`;
  return process.stdout.isTTY ? onTerminal() : onLog();

  function onTerminal() {
    const draw = () => {
      const text = `${head} ${seconds(start).replace(/\.\d/, "")} ${said}`;
      process.stdout.write(
        `\r\x1b[2K${text.slice(0, process.stdout.columns - 1)}`,
      );
    };
    const timer = setInterval(draw, 250);
    draw();
    return {
      say: (line) => (said = line.trim()),
      end: (result) => {
        clearInterval(timer);
        process.stdout.write(`\r\x1b[2K${head} ${result}\n`);
      },
    };
  }

  function onLog() {
    console.log(head);
    const timer = setInterval(
      () => console.log(`      ${seconds(start)}: ${said || "still running"}`),
      BEAT,
    );
    return {
      say: (line) => (said = line.trim()),
      end: (result) => {
        clearInterval(timer);
        console.log(`      ${result}`);
      },
    };
  }
}
