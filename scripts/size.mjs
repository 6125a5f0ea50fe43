import { checkSize, updateBudget } from "./bytes.mjs";
import { main } from "./main.mjs";
import { buildSteps } from "./package.mjs";
import { runSteps } from "./progress.mjs";
import { nodeModules, rustToolchain } from "./setup.mjs";

await main(async () => {
  await runSteps([rustToolchain, nodeModules, ...buildSteps()]);
  const show = process.argv.includes("--update") ? updateBudget : checkSize;
  console.log(`\n${await show()}`);
});
