import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { run } from "../command.mjs";

// A project's page on a port of loopback: by its tool's own server, or by a plain one.

const host = "127.0.0.1";

const types = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".wasm": "application/wasm",
};

/** A port that nobody listens on. */
export async function freePort() {
  const server = await listen(createServer(), 0);
  const { port } = server.address();
  await close(server);
  return port;
}

/** Serves the files of a folder, and at `/` its index.html. */
export async function serveFolder(folder, port) {
  const server = createServer(async (req, res) => {
    const { pathname } = new URL(req.url, `http://${host}`);
    const path = pathname.endsWith("/") ? `${pathname}index.html` : pathname;
    const body = await readFile(join(folder, path)).catch(() => undefined);
    if (body === undefined) return res.writeHead(404).end();
    const type = types[extname(path)] ?? "application/octet-stream";
    return res.writeHead(200, { "content-type": type }).end(body);
  });
  await listen(server, port);
  return { output: () => "", close: () => close(server) };
}

/** Runs a tool's own server and waits until it answers, for at most `seconds`. */
export async function serveByTool(
  [script, ...words],
  { port, cwd, env, say, seconds },
) {
  const stop = new AbortController();
  let output = "";
  let ended = false;
  const onLine = (line) => {
    output += `${line}\n`;
    say(line);
  };
  const { signal } = stop;
  const running = run("npm", ["run", script, "--", ...words.map(String)], {
    ...{ cwd, env, signal, onLine },
    check: false,
  }).then(() => (ended = true));
  const server = {
    output: () => output,
    async close() {
      stop.abort();
      await running;
    },
  };
  const end = Date.now() + seconds * 1000;
  for (;;) {
    try {
      await fetch(`http://${host}:${port}/`);
      return server;
    } catch {
      // Not yet.
    }
    if (ended || Date.now() > end) {
      await server.close();
      const what = ended ? "it ended" : `it did not answer within ${seconds} s`;
      throw Object.assign(new Error(`the server: ${what}`), { output });
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function listen(server, port) {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => resolve(server));
  });
}

function close(server) {
  return new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
}
