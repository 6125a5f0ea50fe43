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
    const { url, user, visitor } = demo;
    console.log(`
Open ${url} and sign in as ${user.login}, password ${user.password}.
An application of your own, at localhost or 127.0.0.1, port ${visitor.ports.join(", ")}:
  createAuth(${JSON.stringify(visitor.options)})
  auth.fetch("${visitor.apiUrl}")
Ctrl-C stops everything.
`);
  },
  { stop: () => demo?.close() },
);
