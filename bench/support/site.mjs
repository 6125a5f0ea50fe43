import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress } from "node:zlib";
import { build } from "esbuild";
import {
  close,
  listen,
  packageDirectory,
  packed,
} from "../../tests/support/app.mjs";

const compress = promisify(brotliCompress);

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** The page with a contestant in it, bundled as an application would: `{ type, body, brotli }` by their paths. */
async function bundle(name) {
  const { outputFiles } = await build({
    entryPoints: { page: here("../page/page.js") },
    outdir: "/assets",
    absWorkingDir: "/",
    nodePaths: [here("../../node_modules")],
    alias: { contestant: here(`../contestants/${name}.js`) },
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    splitting: true,
    write: false,
    logLevel: "silent",
    plugins: [packed],
  });
  const files = outputFiles.map(({ path, contents }) => ({
    path,
    type: "text/javascript; charset=utf-8",
    body: contents,
  }));
  if (name === "countersign-external")
    files.push({
      path: "/core.wasm",
      type: "application/wasm",
      body: await readFile(`${packageDirectory}/core.wasm`),
    });
  // In the quality that is there by itself: the best one.
  for (const file of files) file.brotli = await compress(file.body);
  return new Map(files.map((file) => [file.path, file]));
}

/**
 * Serves a contestant's application on an origin of its own: the page at every path, `/blank` without scripts, and `/me`,
 * which takes the access tokens that `introspect` knows.
 *
 * `settings` go to the page, `inline` are the scripts of page/ that it begins with; with `witness` it tells which refresh
 * tokens have arrived: `arrived`.
 */
export async function startSite({ name }, { introspect, inline, isolated }) {
  const assets = await bundle(name);
  const scripts = await Promise.all(
    inline.map((file) => readFile(here(`../page/${file}.js`), "utf8")),
  );
  const site = { url: "", ahead: 0, settings: {}, arrived: new Set() };

  const server = createServer(async (req, res) => {
    const { pathname } = new URL(req.url, "http://site.invalid");
    const send = (type, body) => {
      res.setHeader("content-type", `${type}; charset=utf-8`);
      res.end(body);
    };
    const asset = assets.get(pathname);
    // A script of this name is always the same; a page is not.
    res.setHeader("cache-control", asset ? "max-age=3600" : "no-cache");
    if (isolated) {
      res.setHeader("cross-origin-opener-policy", "same-origin");
      res.setHeader("cross-origin-embedder-policy", "require-corp");
    }
    if (asset) {
      const takes = /\bbr\b/.test(req.headers["accept-encoding"]);
      res.setHeader("content-type", asset.type);
      if (takes) res.setHeader("content-encoding", "br");
      return res.end(takes ? asset.brotli : asset.body);
    }
    if (pathname === "/arrived") {
      let token = "";
      for await (const chunk of req) token += chunk;
      site.arrived.add(token);
      return res.writeHead(204).end();
    }
    if (pathname === "/me") {
      const token = req.headers.authorization?.replace("Bearer ", "");
      return res.writeHead((await introspect(token)) ? 200 : 401).end();
    }
    if (pathname === "/blank") return send("text/html", "<!doctype html>");
    return send("text/html", html());
  });

  const clock = () =>
    inline.includes("clock") ? `clock.ahead = ${site.ahead}` : "";
  const html =
    () => `<!doctype html><meta charset="utf-8"><title>${name}</title><link rel="icon" href="data:,">
<script>${scripts.join("\n")} ${clock()}</script>
<script type="application/json" id="settings">${JSON.stringify(site.settings)}</script>
<script type="module" src="/assets/page.js"></script>`;

  site.url = await listen(server);
  site.close = () => close(server);
  return site;
}
