import { spawn } from "node:child_process";
import { delimiter } from "node:path";
import { inCheckout, root } from "./checkout.mjs";

const running = new Set();
const TAIL = 40;

/** A command that could not start or did not end with 0. */
export class CommandError extends Error {
  constructor(command, reason, output) {
    const tail = output.trimEnd().split("\n").slice(-TAIL).join("\n");
    super(`${command}\n${reason}${tail ? `, its last lines:\n\n${tail}` : ""}`);
    this.output = output;
  }
}

/** The environment of every command: the checkout's own tools come first. */
export function environment(extra = {}) {
  const path = [
    inCheckout(".tools", "bin"),
    inCheckout("node_modules", ".bin"),
    process.env.PATH,
  ].join(delimiter);
  return { ...process.env, PATH: path, ...extra };
}

/**
 * Runs a command in the checkout and gives its output (both streams, in order).
 *
 * `onLine` sees each line as it comes. With `check: false` a failure is a result, not an error. What takes longer than
 * `limit` minutes is ended, and has failed. A `signal` that is aborted ends it, too.
 */
export function run(command, args = [], options = {}) {
  const { cwd = root, env, onLine, check = true, nice = false } = options;
  const { limit, signal } = options;
  const [file, list] =
    nice && process.platform !== "win32"
      ? ["nice", [command, ...args]]
      : [command, args];
  const shown = [command, ...args].map(quoted).join(" ");
  return new Promise((resolve, reject) => {
    const child = spawn(file, list, {
      cwd,
      env: environment(env),
      stdio: ["ignore", "pipe", "pipe"],
      // A group of its own, so that what the command has started ends with it.
      detached: true,
    });
    running.add(child);
    let output = "";
    let line = "";
    const late =
      limit &&
      setTimeout(() => {
        take(`\nended: it took longer than ${limit} min\n`);
        endGroup(child);
      }, limit * 60_000);
    const abort = () => endGroup(child);
    signal?.addEventListener("abort", abort);
    const take = (text) => {
      output += text;
      if (!onLine) return;
      const lines = (line + text).split(/\r?\n|\r/);
      line = lines.pop();
      for (const each of lines) onLine(each);
    };
    child.stdout.setEncoding("utf8").on("data", take);
    child.stderr.setEncoding("utf8").on("data", take);
    child.on("error", (error) => {
      running.delete(child);
      clearTimeout(late);
      if (check) reject(new CommandError(shown, error.message, output));
      else resolve({ status: 127, output: `${output}${error.message}` });
    });
    child.on("close", (code, endedBy) => {
      running.delete(child);
      clearTimeout(late);
      signal?.removeEventListener("abort", abort);
      if (line) onLine?.(line);
      const status = code ?? 1;
      if (status === 0 || !check) return resolve({ status, output });
      const reason = endedBy
        ? `was ended by ${endedBy}`
        : `ended with ${status}`;
      reject(new CommandError(shown, reason, output));
    });
  });
}

/** The output of a command, or `undefined` when it is missing or fails. */
export async function probe(command, args, options) {
  const { status, output } = await run(command, args, {
    ...options,
    check: false,
  });
  return status === 0 ? output.trim() : undefined;
}

const quoted = (word) =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

function endGroup(child) {
  try {
    process.kill(-child.pid, "SIGTERM");
  } catch {
    // It has ended by itself.
  }
}

/** How long a clean end may take, and how long the same Ctrl-C may arrive twice: from the terminal and through npm. */
const grace = { end: 5000, echo: 500 };

/** Runs `stop` and ends what is still running when this process is told to end; a second Ctrl-C does not wait. */
export function onSignal(stop = () => {}) {
  let stoppedAt;
  const end = async (signal) => {
    const status = signal === "SIGINT" ? 130 : 143;
    if (stoppedAt !== undefined) {
      if (performance.now() - stoppedAt > grace.echo) process.exit(status);
      return;
    }
    stoppedAt = performance.now();
    setTimeout(() => process.exit(status), grace.end).unref();
    for (const child of running) endGroup(child);
    try {
      await stop();
    } finally {
      process.exit(status);
    }
  };
  process.on("SIGINT", end);
  process.on("SIGTERM", end);
}
