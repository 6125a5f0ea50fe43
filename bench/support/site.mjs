import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { close, listen, packed } from "../../tests/support/app.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** The page with a contestant in it, bundled as an application would. */
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
  return new Map(outputFiles.map(({ path, text }) => [path, text]));
}

/**
 * Serves a contestant's application on an origin of its own: the page at every path, `/blank` without scripts, and `/me`,
 * which takes the access tokens that `introspect` knows.
 *
 * `settings` go to the page; with `witness` it tells which refresh tokens have arrived: `arrived`.
 */
export async function startSite({ name }, { introspect, witness = false }) {
  const scripts = await bundle(name);
  const inline = await Promise.all(
    ["clock", ...(witness ? ["witness"] : [])].map((file) =>
      readFile(here(`../page/${file}.js`), "utf8"),
    ),
  );
  const site = { url: "", ahead: 0, settings: {}, arrived: new Set() };

  const server = createServer(async (req, res) => {
    const { pathname } = new URL(req.url, "http://site.invalid");
    const send = (type, body) => {
      res.setHeader("content-type", `${type}; charset=utf-8`);
      res.end(body);
    };
    // A script of this name is always the same; a page is not.
    res.setHeader(
      "cache-control",
      scripts.has(pathname) ? "max-age=3600" : "no-cache",
    );
    if (scripts.has(pathname))
      return send("text/javascript", scripts.get(pathname));
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
    if (pathname === "/favicon.ico") return res.writeHead(204).end();
    if (pathname === "/blank") return send("text/html", "<!doctype html>");
    return send("text/html", html());
  });

  const html =
    () => `<!doctype html><meta charset="utf-8"><title>${name}</title>
<script>${inline.join("\n")} clock.ahead = ${site.ahead}</script>
<script type="application/json" id="settings">${JSON.stringify(site.settings)}</script>
<script type="module" src="/assets/page.js"></script>`;

  site.url = await listen(server);
  site.close = () => close(server);
  return site;
}
