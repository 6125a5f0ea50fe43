import { main } from "./main.mjs";
import { buildSteps } from "./package.mjs";
import { runSteps } from "./progress.mjs";
import { nodeModules, rustToolchain } from "./setup.mjs";

let demo;

const startDemo = {
  name: "starting the provider, the API and the demo",
  async run(say) {
    const { serve } = await import("../www-demo/serve.mjs");
    demo = await serve({ log: say });
  },
};

await main(
  async () => {
    await runSteps([rustToolchain, nodeModules, ...buildSteps(), startDemo]);
    console.log(`\nOpen ${demo.url}`);
    if (demo.user)
      console.log(
        `Sign in as ${demo.user.name}, password ${demo.user.password}`,
      );
    console.log("Ctrl-C stops everything.");
  },
  { stop: () => demo?.close() },
);
