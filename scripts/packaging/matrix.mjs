import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright";
import { startApi } from "../../www-demo/op/api.mjs";
import { startProvider } from "../../www-demo/op/provider.mjs";
import { findEngine, missing } from "../browsers.mjs";
import { CommandError, run } from "../command.mjs";
import { aligned } from "../table.mjs";
import { folderOf, install, lay } from "./install.mjs";
import { freePort, serveByTool, serveFolder } from "./serve.mjs";
import { visit } from "./visit.mjs";

// The table of `npm run packaging`: each project, installed, built, opened in a browser, signed in.

/** How long a tool's server may take until it answers, in seconds, and a build, in minutes. */
const limits = { server: 120, build: 10 };

/** So many of the last lines of an output say why. */
const TAIL = 25;

/**
 * Runs these projects in all their modes and gives a row for each: `{ project, tool, mode, install, build, bytes, why }`.
 *
 * `step(name, run)` runs each piece of work and shows how far it is. `why` is there when a row is not green; `notRun`
 * when it could not run at all.
 */
export async function runMatrix(projects, step) {
  const world = await openWorld();
  const rows = [];
  try {
    for (const project of projects) {
      const installing = await timed(() =>
        step(`${project.name}: npm install`, (say) =>
          install(project.name, say),
        ),
      );
      for (const mode of project.modes) {
        const row = await runMode(project, mode, installing, world, step);
        const first = mode === project.modes[0];
        rows.push({ ...row, install: first ? installTime(installing) : "" });
      }
    }
  } finally {
    await world.close();
  }
  return rows;
}

/** The rows as a table, and under it why a row is not green. */
export function matrixText(rows) {
  const head = [
    ...["project", "tool", "mode", "result"],
    ...["install s", "build s", "bytes, brotli"],
  ];
  const cells = rows.map((row) => [
    ...[row.project, row.tool, row.mode, resultOf(row)],
    ...[row.install, row.build ?? "", row.bytes?.toLocaleString("en") ?? ""],
  ]);
  const reasons = rows
    .filter(({ why }) => why)
    .map((row) => `${nameOf(row)}: ${resultOf(row)}\n${row.why}`);
  return [aligned([head, ...cells], 4), ...reasons].join("\n\n");
}

/** How a row is called. */
export const nameOf = ({ project, mode }) => `${project}, ${mode}`;

const resultOf = ({ notRun, why }) =>
  notRun ? "not run" : why ? "red" : "green";

/** The provider, the API and the browser that all rows share. */
async function openWorld() {
  const lack = missing("chromium");
  const provider = await startProvider();
  const api = await startApi({ introspect: provider.control.introspect });
  const { browser: executablePath } = findEngine("chromium");
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  const browser = lack
    ? undefined
    : await chromium.launch({ executablePath, args });
  return {
    lack,
    browser,
    /** What the projects' sources name, and what it is here. */
    texts: {
      "https://idp.example.com": provider.issuer,
      "https://api.example.com": api.url,
    },
    /** Lets an application on this origin sign in, and call the API. */
    async admit(origin) {
      await provider.control.setClient({
        client_id: "spa",
        redirect_uris: [`${origin}/`],
      });
      api.allow(origin);
      api.requests.length = 0;
      provider.control.resetCounters();
    },
    /** What was asked of the provider and the API since then. */
    asked: () => [...provider.control.requests, ...api.requests],
    async close() {
      await browser?.close();
      await Promise.all([provider.close(), api.close()]);
    },
  };
}

async function runMode(project, mode, installing, world, step) {
  const row = {
    project: project.name,
    mode: mode.mode,
    tool: await versionOf(project, world).catch(() => project.tool),
  };
  if (installing.error) return { ...row, why: whyOf(installing.error) };
  if (world.lack && !mode.program)
    return { ...row, notRun: true, why: world.lack };
  const { value, error } = await timed(() =>
    step(`${row.project} (${row.tool}), ${row.mode}`, (say) =>
      mode.program
        ? runProgram(project, mode, world, say)
        : runPage(project, mode, world, say),
    ),
  );
  return { ...row, ...value, ...(error && { why: whyOf(error) }) };
}

/** A program says that nobody knows yet who is signed in, asks nobody, and ends. */
async function runProgram({ name }, { program }, world) {
  await lay(name, world.texts, {});
  await world.admit("http://127.0.0.1");
  const cwd = folderOf(name);
  const { output } = await run("node", [program], { cwd, limit: 0.5 });
  if (output.trim() !== "loading" || world.asked().length > 0)
    throw Object.assign(new Error("it did something"), { output });
  return {};
}

async function runPage({ name }, mode, world, say) {
  await lay(name, world.texts, mode);
  const folder = folderOf(name);
  const built =
    mode.build &&
    (await timed(() =>
      run("npm", ["run", mode.build], {
        ...{ cwd: folder, onLine: say, limit: limits.build },
      }),
    ));
  if (built?.error) throw built.error;
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  await world.admit(new URL(url).origin);
  const started = await timed(() =>
    mode.serve
      ? serveByTool(mode.serve(port), {
          ...{ port, cwd: folder, env: mode.env?.(port), say },
          seconds: limits.server,
        })
      : serveFolder(join(folder, mode.folder ?? ""), port),
  );
  if (started.error) throw started.error;
  const server = started.value;
  try {
    if (mode.rendered) await checkRendered(url, mode.rendered);
    const bytes = await visit(world.browser, url);
    return { bytes, build: (built ?? (mode.serve && started))?.time };
  } catch (error) {
    error.output = [server.output(), error.output].filter(Boolean).join("\n");
    throw error;
  } finally {
    await server.close();
  }
}

/** The server's own page shows that nobody knows yet who is signed in. */
async function checkRendered(url, text) {
  const page = await (await fetch(url)).text();
  if (!page.replace(/<script.*?<\/script>/gs, "").includes(text))
    throw Object.assign(new Error(`the server's page has no "${text}"`), {
      output: page,
    });
}

async function versionOf({ name, tool }, { browser }) {
  if (tool === "node") return `node ${process.version.slice(1)}`;
  if (tool === "browser") return `Chromium ${browser?.version() ?? ""}`.trim();
  const path = join(folderOf(name), "node_modules", tool, "package.json");
  return `${tool} ${JSON.parse(await readFile(path, "utf8")).version}`;
}

/** What came of some work, `{ value }` or `{ error }`, and its time in seconds. */
async function timed(work) {
  const start = performance.now();
  const outcome = await work().then(
    (value) => ({ value }),
    (error) => ({ error }),
  );
  const time = ((performance.now() - start) / 1000).toFixed(1);
  return { ...outcome, time };
}

const installTime = ({ value, time }) => (value === false ? "kept" : time);

/** An error in words; one of a command has the command's last lines already. */
function whyOf(error) {
  const output = error instanceof CommandError ? "" : (error.output ?? "");
  const lines = output.trimEnd().split("\n").slice(-TAIL);
  return [error.message, ...lines].filter(Boolean).join("\n");
}
