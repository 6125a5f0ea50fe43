import { relative } from "node:path";
import { root } from "./checkout.mjs";
import { main } from "./main.mjs";
import { buildSteps, packStep, tarball } from "./package.mjs";
import { runSteps } from "./progress.mjs";
import { nodeModules, rustToolchain } from "./setup.mjs";

await main(async () => {
  await runSteps([rustToolchain, nodeModules, ...buildSteps(), packStep]);
  console.log(`The tarball is ${relative(root, await tarball())}.`);
});
