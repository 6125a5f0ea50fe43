import { main } from "./main.mjs";
import { buildSteps } from "./package.mjs";
import { runSteps } from "./progress.mjs";
import { nodeModules, rustToolchain } from "./setup.mjs";

let demo;

const startDemo = {
  name: "starting the providers, the API and the demo",
  async run() {
    const { serve } = await import("../www-demo/serve.mjs");
    demo = await serve({ log: (line) => demo && console.log(line) });
  },
};

await main(
  async () => {
    await runSteps([rustToolchain, nodeModules, ...buildSteps(), startDemo]);
    const { url, user } = demo;
    console.log(
      `\nOpen ${url} and sign in as ${user.login}, password ${user.password}.\nCtrl-C stops everything.\n`,
    );
  },
  { stop: () => demo?.close() },
);
