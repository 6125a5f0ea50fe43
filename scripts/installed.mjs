import { main } from "./main.mjs";
import { runSteps } from "./progress.mjs";
import { nodeModules } from "./setup.mjs";

// `installed.mjs COMMAND …`: a command that imports npm packages, once they are there.

const [name] = process.argv.splice(2, 1);
await main(() => runSteps([nodeModules]));
if (!process.exitCode) await import(`./${name}.mjs`);
