import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";

import { startApi } from "./op/api.mjs";
import { users } from "./op/users.mjs";
import { bundle, compress } from "./bundle.mjs";
import { startProviders, visitor, visitorPorts } from "./providers.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/**
 * Starts the demo: the providers to choose from, the protected API, and the page that uses both.
 *
 * `packageDirectory` is where the built package lies. `providers` and `api` are
 * what `startProviders` and {@link startApi} offer to tests.
 */
export async function serve({
  port = 0,
  log = () => {},
  packageDirectory = here("../pkg"),
} = {}) {
  const files = await pageFiles(packageDirectory);
  const started = [];
  const close = () => Promise.all(started.map((one) => one.close()));
  try {
    const page = await startPage({ port, log, files });
    started.push(page);
    const providers = await startProviders({ pageUrl: page.url, log });
    started.push(...providers);
    const api = await startApi({
      introspect: (token) => firstKnown(providers, token),
      appOrigins: [
        page.url,
        ...visitor.redirect_uris.map((uri) => new URL(uri).origin),
      ],
      log: (line) => log(`${"api".padEnd(9)} ${line}`),
    });
    started.push(api);
    // Auth0 knows its APIs.
    const auth0 = providers.find(({ id }) => id === "auth0");
    auth0.control.settings.audiences.push(api.url);
    page.open({ providers, apiUrl: api.url });
    const [{ login, password }] = users;
    return {
      url: `${page.url}/`,
      providers,
      user: { login, password },
      visitor: {
        ports: visitorPorts,
        options: {
          issuer: providers[0].issuer,
          clientId: visitor.client_id,
          apiOrigins: [api.url],
        },
        apiUrl: `${api.url}/me`,
      },
      api,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What a token stands for, at the one provider that issued it. */
async function firstKnown(providers, token) {
  for (const { control } of providers) {
    const known = await control.introspect(token);
    if (known) return known;
  }
  return null;
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
    // Its own answers, to the letter of its own paths.
    if (demo.providers.some(({ relay }) => relay?.handle(req, res))) return;
    if (req.method === "POST") return serverSwitch(req, res, pathname);
    const provider = demo.providers.find(({ path }) => path === pathname);
    if (provider === undefined) {
      return sendAsset(req, res, files.assets.get(pathname));
    }
    const config = { ...configOf(provider), roles: files.roles };
    res.setHeader("content-security-policy", policy(provider, demo));
    return respond(res, 200, "text/html", withConfig(files.html, config));
  }

  const configOf = ({
    id,
    url,
    issuer,
    clientId,
    relay,
    ownTtl,
    control,
    trouble,
  }) => ({
    provider: id,
    url,
    issuer,
    apiUrl: demo.apiUrl,
    clientId,
    relay: relay?.endpoints ?? null,
    ownTtl,
    accessTokenTtl: control.accessTokenTtl,
    tokenTrouble: trouble === true,
  });

  // What the page's own buttons ask of the local providers; no real one has these.
  async function serverSwitch(req, res, pathname) {
    if (req.headers.origin !== url) {
      return respond(res, 403, "text/plain", "Another origin.\n");
    }
    const [, name] = /^\/demo\/(\w+)$/.exec(pathname) ?? [];
    const wanted = JSON.parse(await readBody(req));
    const provider = demo.providers.find(({ id }) => id === wanted.provider);
    if (provider === undefined || !Object.hasOwn(switches, name)) {
      return respond(res, 404, "text/plain", "Not here.\n");
    }
    const problem = switches[name](provider, wanted);
    if (problem) return respond(res, 400, "text/plain", `${problem}\n`);
    const config = JSON.stringify(configOf(provider));
    return respond(res, 200, "application/json", config);
  }

  return {
    url,
    open(services) {
      demo = services;
    },
    async close() {
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
    },
  };
}

/** What the page's switches do; each gives what is wrong with what was wanted. */
const switches = {
  ttl({ control }, { seconds }) {
    const whole = Math.round(Number(seconds));
    if (!(whole >= 1 && whole <= 86_400)) return "1 second to 24 hours.";
    control.setAccessTokenTtl(whole);
  },
  trouble(provider, { on }) {
    provider.control.clearFaults();
    provider.trouble = on === true;
    if (provider.trouble) provider.control.failNext("token", 500, Infinity);
  },
  revoke({ control }) {
    control.revokeGrants();
  },
};

function policy({ url }, { apiUrl }) {
  return [
    "default-src 'self'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self'",
    `connect-src 'self' ${url} ${apiUrl}`,
    "img-src 'self' data:",
    "form-action 'self'",
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
