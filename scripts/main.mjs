import { onSignal } from "./command.mjs";

/** Runs a command's body: an error is its message and exit code 1, Ctrl-C ends what was started. */
export async function main(body, { stop } = {}) {
  onSignal(stop);
  try {
    await body();
  } catch (error) {
    console.error(`\n${error.message}`);
    process.exitCode = 1;
  }
}
