import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";
import { inCheckout } from "../../scripts/checkout.mjs";
import { matrixText } from "../../scripts/packaging/matrix.mjs";
import { projects } from "../../scripts/packaging/projects.mjs";
import { freePort, serveByTool } from "../../scripts/packaging/serve.mjs";

const json = async (...path) =>
  JSON.parse(await readFile(inCheckout("tests/packaging", ...path), "utf8"));

test("every project has a row, and every row a project", async () => {
  const folders = await readdir(inCheckout("tests/packaging"));
  assert.deepEqual(projects.map(({ name }) => name).sort(), folders.sort());
});

for (const { name } of projects)
  test(`${name} names exact versions, and no registry`, async () => {
    const manifest = await json(name, "package.json");
    const { dependencies, devDependencies } = manifest;
    for (const version of Object.values({
      ...dependencies,
      ...devDependencies,
    }))
      assert.match(version, /^\d+\.\d+\.\d+$/);
    const { packages } = await json(name, "package-lock.json");
    for (const [path, { resolved }] of Object.entries(packages))
      assert.equal(resolved, undefined, path);
  });

test("the table says of each row what came of it, and why it is not green", () => {
  const rows = [
    {
      ...{ project: "a", tool: "tool 1.2.3", mode: "dev" },
      ...{ install: "2.0", build: "1.0", bytes: 85426 },
    },
    { project: "a", tool: "tool 1.2.3", mode: "build", why: "it broke" },
    {
      project: "b",
      tool: "b 2",
      mode: "build",
      notRun: true,
      why: "no browser",
    },
  ];
  const text = matrixText(rows);
  assert.match(text, /^a +tool 1\.2\.3 +dev +green +2\.0 +1\.0 +85,426$/m);
  assert.match(text, /^a +tool 1\.2\.3 +build +red/m);
  assert.match(text, /^a, build: red\nit broke$/m);
  assert.match(text, /^b, build: not run\nno browser$/m);
});

test("a server that ends before it answers is told by its own words", async () => {
  const cwd = inCheckout("tests/packaging/node");
  const port = await freePort();
  const start = serveByTool(["no-such-script"], {
    ...{ port, cwd, say() {}, seconds: 20 },
  });
  await assert.rejects(start, ({ message, output }) => {
    assert.equal(message, "the server: it ended");
    assert.match(output, /no-such-script/);
    return true;
  });
});
