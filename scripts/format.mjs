import { run } from "./command.mjs";
import { main } from "./main.mjs";
import { runSteps } from "./progress.mjs";
import { nodeModules, rustToolchain } from "./setup.mjs";

await main(() =>
  runSteps([
    rustToolchain,
    nodeModules,
    { name: "cargo fmt", run: () => run("cargo", ["fmt"]) },
    { name: "prettier", run: () => run("prettier", ["--write", "."]) },
  ]),
);
