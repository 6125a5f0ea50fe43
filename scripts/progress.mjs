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

/** The steps that go on: each is `{ text(), beside }`, the latter where another went on meanwhile. */
const going = new Set();
let drawing;

function liveLine(title, hint, start) {
  let said = "";
  const head = `${title}${hint ? ` (${hint})` : ""} ...`;
  const one = {
    text: () => `${head} ${seconds(start).replace(/\.\d/, "")} ${said}`,
    beside: false,
  };
  going.add(one);
  if (going.size > 1) for (const each of going) each.beside = true;
  const say = (line) => (said = line.trim());
  return process.stdout.isTTY ? onTerminal() : onLog();

  function onTerminal() {
    drawing ??= setInterval(draw, 250);
    draw();
    return {
      say,
      end(result) {
        going.delete(one);
        process.stdout.write(`\r\x1b[2K${head} ${result}\n`);
        if (going.size > 0) return draw();
        clearInterval(drawing);
        drawing = undefined;
      },
    };
  }

  function onLog() {
    const name = () => (one.beside ? `${title}: ` : "");
    console.log(head);
    const timer = setInterval(
      () =>
        console.log(
          `      ${name()}${seconds(start)}: ${said || "still running"}`,
        ),
      BEAT,
    );
    return {
      say,
      end(result) {
        going.delete(one);
        clearInterval(timer);
        console.log(`      ${name()}${result}`);
      },
    };
  }
}

function draw() {
  const text = [...going].map((one) => one.text()).join("   ");
  process.stdout.write(`\r\x1b[2K${text.slice(0, process.stdout.columns - 1)}`);
}
