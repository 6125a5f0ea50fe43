import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";

import { startApi } from "./op/api.mjs";
import { startProvider, users } from "./op/provider.mjs";
import { bundle, compress } from "./bundle.mjs";

const clientId = "countersign-demo";
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/**
 * Starts the demo: the provider, the protected API, and the page that uses both.
 *
 * `packageDirectory` is where the built package lies. `control` and `api` are
 * what {@link startProvider} and {@link startApi} offer to tests.
 */
export async function serve({
  port = 0,
  log = () => {},
  packageDirectory = here("../pkg"),
  provider: providerOptions = {},
} = {}) {
  const files = await pageFiles(packageDirectory);
  const started = [];
  const close = () => Promise.all(started.map((one) => one.close()));
  try {
    const page = await startPage({ port, log, files });
    started.push(page);
    const provider = await startProvider({
      ...providerOptions,
      log: (line) => log(`provider  ${line}`),
      clients: [
        {
          client_id: clientId,
          redirect_uris: [`${page.url}/`],
          post_logout_redirect_uris: [`${page.url}/`],
        },
        ...(providerOptions.clients ?? []),
      ],
    });
    started.push(provider);
    const api = await startApi({
      introspect: provider.control.introspect,
      appOrigins: [page.url],
      log: (line) => log(`api       ${line}`),
    });
    started.push(api);

    const { issuer, control } = provider;
    page.open({ issuer, apiUrl: api.url, control });
    const [{ login, password }] = users;
    return {
      url: `${page.url}/`,
      issuer,
      apiUrl: api.url,
      clientId,
      user: { login, password },
      control,
      api,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function pageFiles(packageDirectory) {
  const asset = async (file, type) =>
    compress(await readFile(here(file)), type);
  const { scripts, roles } = await bundle({
    entry: here("src/main.ts"),
    packageDirectory,
  });
  return {
    roles,
    html: await readFile(here("index.html"), "utf8"),
    assets: new Map([
      ...scripts,
      ["/assets/tokens.css", await asset("tokens.css", "text/css")],
      ["/assets/style.css", await asset("style.css", "text/css")],
    ]),
  };
}

/** The page's own server; it answers once `open` has told it whom the page talks to. */
async function startPage({ port, log, files }) {
  let demo;
  const server = createServer((req, res) => {
    handle(req, res).catch((error) => {
      log(`page      ${req.url} failed: ${error.message}`);
      respond(res, 500, "text/plain", "The demo's server failed.\n");
    });
  });
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const url = `http://127.0.0.1:${server.address().port}`;

  async function handle(req, res) {
    const { pathname } = new URL(req.url, url);
    res.setHeader("x-content-type-options", "nosniff");
    res.setHeader("referrer-policy", "no-referrer");
    if (demo === undefined) return respond(res, 503, "text/plain", "Starting.");
    res.setHeader("content-security-policy", policy(demo));
    if (req.method === "POST") return serverSwitch(req, res, pathname);
    if (pathname === "/") {
      const html = withConfig(files.html, { ...config(), roles: files.roles });
      return respond(res, 200, "text/html", html);
    }
    return sendAsset(req, res, files.assets.get(pathname));
  }

  const config = () => ({
    issuer: demo.issuer,
    apiUrl: demo.apiUrl,
    clientId,
    accessTokenTtl: demo.control.accessTokenTtl,
    tokenTrouble: demo.tokenTrouble,
  });

  // What the page's own buttons ask of the local provider; no real one has these.
  async function serverSwitch(req, res, pathname) {
    if (req.headers.origin !== url) {
      return respond(res, 403, "text/plain", "Another origin.\n");
    }
    const { control } = demo;
    const wanted = JSON.parse(await readBody(req));
    if (pathname === "/demo/ttl") {
      const seconds = Math.round(Number(wanted.seconds));
      if (!(seconds >= 1 && seconds <= 3600)) {
        return respond(res, 400, "text/plain", "1 to 3600 seconds.\n");
      }
      control.setAccessTokenTtl(seconds);
    } else if (pathname === "/demo/trouble") {
      control.clearFaults();
      demo.tokenTrouble = wanted.on === true;
      if (demo.tokenTrouble) control.failNext("token", 500, Infinity);
    } else if (pathname === "/demo/revoke") {
      control.revokeGrants();
    } else {
      return respond(res, 404, "text/plain", "Not here.\n");
    }
    return respond(res, 200, "application/json", JSON.stringify(config()));
  }

  return {
    url,
    open(services) {
      demo = { ...services, tokenTrouble: false };
    },
    async close() {
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
    },
  };
}

function policy({ issuer, apiUrl }) {
  return [
    "default-src 'self'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self'",
    `connect-src 'self' ${issuer} ${apiUrl}`,
    "img-src 'self' data:",
    `form-action 'self' ${issuer}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

// A block of data, not a script: the policy lets it stand, and createAuth need not wait for it.
function withConfig(html, config) {
  const json = JSON.stringify(config).replaceAll("<", "\\u003c");
  return html.replace('id="config">', () => `id="config">${json}`);
}

function sendAsset(req, res, asset) {
  if (!asset) return respond(res, 404, "text/plain", "Not here.\n");
  const brotli = /\bbr\b/.test(req.headers["accept-encoding"] ?? "");
  res.setHeader("vary", "Accept-Encoding");
  if (brotli) res.setHeader("content-encoding", "br");
  return respond(res, 200, asset.type, brotli ? asset.brotli : asset.body);
}

function respond(res, status, type, body) {
  res.statusCode = status;
  res.setHeader("content-type", `${type}; charset=utf-8`);
  res.setHeader("cache-control", "no-store");
  res.end(body);
}

async function readBody(req) {
  let body = "";
  for await (const chunk of req) {
    body += chunk;
    if (body.length > 1000) throw new Error("the request is too large");
  }
  return body || "{}";
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const port = Number(process.env.PORT ?? 0);
  const demo = await serve({ port, log: (line) => console.log(line) });
  console.log(`\n  ${demo.url}\n`);
  console.log(`  sign in as ${demo.user.login} / ${demo.user.password}`);
  console.log("  Ctrl-C ends it\n");
  process.once("SIGINT", () => demo.close());
  process.once("SIGTERM", () => demo.close());
}
