// The test application: one page on an origin of its own, with the packed package in it, and a small API beside it.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = new URL("../../", import.meta.url);
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** Where the built package lies. */
export const packageDirectory =
  process.env.COUNTERSIGN_PKG ?? fileURLToPath(new URL("pkg", root));

/** The page's scripts, bundled as an application would: `[{ path, text }]`, the wasm in a chunk of its own. `entry` is another page's script, `plugins` what it needs beside, `alias` where packages lie that the workspace has not. */
export async function bundlePage(
  entry = here("page.js"),
  plugins = [],
  alias = {},
) {
  const { outputFiles } = await build({
    entryPoints: { page: entry },
    alias,
    jsx: "automatic",
    define: vueFlags,
    outdir: "/assets",
    absWorkingDir: "/",
    bundle: true,
    format: "esm",
    target: "es2022",
    splitting: true,
    write: false,
    logLevel: "silent",
    plugins: [packed, ...plugins],
  });
  return outputFiles.map(({ path, text }) => ({ path, text }));
}

/** What the bundlers that people use for Vue set. */
const vueFlags = {
  __VUE_OPTIONS_API__: "true",
  __VUE_PROD_DEVTOOLS__: "false",
  __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "false",
};

/** Resolves `countersign` by the `exports` of its manifest, and `countersign-inside/…` past them. */
export const packed = {
  name: "packed",
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^countersign(\/|$)/ }, ({ path, kind, pluginData }) =>
      pluginData === packed
        ? undefined
        : resolve(path, {
            kind,
            resolveDir: packageDirectory,
            pluginData: packed,
          }),
    );
    onResolve({ filter: /^countersign-inside\// }, ({ path }) => ({
      path: path.replace("countersign-inside", packageDirectory),
    }));
  },
};

/**
 * Serves the page at every path; `?csp=…` gives it that `script-src`, `?policy=…` that whole policy.
 * `/frame?src=URL` is a page with nothing but that frame in it, `/worker.js?body=…` a service worker.
 *
 * `/api/…` answers with the headers that it was sent, to every origin; `/api/refuse-all` answers 401 to every token,
 * `/api/refuse-old` to the first one (`?late`: once it has seen another), `/api/redirect?to=URL` redirects. `requests` has `{ method, path, url, authorization, at }`.
 */
export async function startApp(scripts, { port } = {}) {
  const assets = new Map(scripts.map(({ path, text }) => [path, text]));
  const wasm = await readFile(`${packageDirectory}/core.wasm`);
  const requests = [];
  let handler;
  /** The first token, and what happens when another comes. */
  let refused;
  let renewed;
  let another = new Promise((resolve) => (renewed = resolve));

  const server = createServer(async (req, res) => {
    const url = new URL(req.url, "http://app.invalid");
    const { pathname, searchParams } = url;
    res.setHeader("cache-control", "no-cache");
    res.setHeader("referrer-policy", "unsafe-url");
    if (req.method !== "OPTIONS")
      requests.push({
        method: req.method,
        path: pathname,
        url: req.url,
        authorization: req.headers.authorization ?? null,
        referer: req.headers.referer ?? null,
        at: Date.now(),
      });
    if (handler?.(req, res)) return undefined;
    if (pathname.startsWith("/api/")) return api(req, res, url);
    if (assets.has(pathname)) {
      res.setHeader("content-type", "text/javascript; charset=utf-8");
      return res.end(assets.get(pathname));
    }
    if (pathname === "/core.wasm") {
      res.setHeader("content-type", "application/wasm");
      return res.end(wasm);
    }
    if (pathname === "/favicon.ico") return res.writeHead(204).end();
    if (pathname === "/worker.js") {
      res.setHeader("content-type", "text/javascript; charset=utf-8");
      return res.end(searchParams.get("body"));
    }
    if (pathname === "/frame") {
      res.setHeader("content-type", "text/html; charset=utf-8");
      const src = searchParams.get("src").replaceAll("&", "&amp;");
      return res.end(
        `<!doctype html><script>messages = []; onmessage = ({ data }) => messages.push(data)</script><iframe src="${src}"></iframe>`,
      );
    }
    const csp = searchParams.get("csp");
    const policy = searchParams.get("policy") ?? (csp && `script-src ${csp}`);
    if (policy) res.setHeader("content-security-policy", policy);
    res.setHeader("content-type", "text/html; charset=utf-8");
    return res.end(
      `<!doctype html><meta charset="utf-8"><title>test application</title><script type="module" src="/assets/page.js"></script>`,
    );
  });

  async function api(req, res, { pathname, searchParams }) {
    res.setHeader("access-control-allow-origin", req.headers.origin ?? "*");
    res.setHeader("access-control-allow-headers", "*, authorization, x-extra");
    res.setHeader("access-control-allow-methods", "*, GET, POST, PUT");
    if (req.method === "OPTIONS") return res.writeHead(204).end();
    let body = "";
    for await (const chunk of req) body += chunk;
    const { authorization } = req.headers;
    if (pathname === "/api/redirect") {
      res.setHeader("location", searchParams.get("to"));
      return res.writeHead(302).end();
    }
    const status = Number(searchParams.get("status") ?? 401);
    const all = pathname === "/api/refuse-all";
    refused ??= authorization;
    if (authorization !== refused) renewed();
    if (all || (pathname === "/api/refuse-old" && authorization === refused)) {
      if (searchParams.has("late")) await another;
      const challenge = searchParams.get("challenge");
      if (challenge) {
        res.setHeader("www-authenticate", challenge);
        res.setHeader("access-control-expose-headers", "WWW-Authenticate");
      }
      return res.writeHead(status).end();
    }
    res.setHeader("content-type", "application/json");
    return res.end(
      JSON.stringify({
        method: req.method,
        path: pathname,
        authorization: authorization ?? null,
        extra: req.headers["x-extra"] ?? null,
        body,
      }),
    );
  }

  const url = await listen(server, port);
  return {
    url,
    requests,
    /** Those of the API that carried a token. */
    get withToken() {
      return requests.filter(({ authorization }) => authorization !== null);
    },
    /** How often a script whose name begins so was asked for. */
    loads: (name) =>
      requests.filter(({ path }) => path.startsWith(`/assets/${name}`)).length,
    /** The script that carries the wasm, and the glue. */
    wasmScript: [...assets.keys()].find((path) => /wasm-inline/.test(path)),
    glueScript: [...assets.keys()].find((path) => /\/engine-/.test(path)),
    /** Until the next reset this is asked first, and says whether it answers. */
    ask(first) {
      handler = first;
    },
    reset() {
      requests.length = 0;
      handler = undefined;
      refused = undefined;
      another = new Promise((resolve) => (renewed = resolve));
    },
    close: () => close(server),
  };
}

/** Listens on a free port of loopback. */
export async function listen(server, port = 0) {
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return `http://127.0.0.1:${server.address().port}`;
}

/** Closes a server and whatever still hangs on it. */
export async function close(server) {
  await new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
}
