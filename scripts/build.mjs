import { main } from "./main.mjs";
import { buildSteps } from "./package.mjs";
import { runSteps } from "./progress.mjs";
import { nodeModules, rustToolchain } from "./setup.mjs";

await main(async () => {
  await runSteps([rustToolchain, nodeModules, ...buildSteps()]);
  console.log("The package is in pkg.");
});
