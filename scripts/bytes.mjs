import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { inCheckout, root } from "./checkout.mjs";

const budgetFile = inCheckout("bench/size.json");
const growth = 1.02;

/** The same application each time: make a client, sign in, ask for an access token. */
const apps = {
  countersign: `
    import { createAuth } from "./pkg/index.js";
    const auth = createAuth({ issuer: "https://id.example", clientId: "app", redirectUri: location.href });
    login.onclick = () => auth.login();
    call.onclick = async () => console.log(await auth.getAccessToken());`,
  "countersign/external": `
    import { createAuth } from "./pkg/external.js";
    const auth = createAuth({ issuer: "https://id.example", clientId: "app", redirectUri: location.href, wasm: "/core.wasm" });
    login.onclick = () => auth.login();
    call.onclick = async () => console.log(await auth.getAccessToken());`,
  "@auth0/auth0-spa-js": `
    import { createAuth0Client } from "@auth0/auth0-spa-js";
    const auth = createAuth0Client({ domain: "id.example", clientId: "app", authorizationParams: { redirect_uri: location.href } });
    login.onclick = async () => (await auth).loginWithRedirect();
    call.onclick = async () => console.log(await (await auth).getTokenSilently());`,
  "oidc-client-ts": `
    import { UserManager } from "oidc-client-ts";
    const auth = new UserManager({ authority: "https://id.example", client_id: "app", redirect_uri: location.href });
    login.onclick = () => auth.signinRedirect();
    call.onclick = async () => console.log((await auth.getUser())?.access_token);`,
  "keycloak-js": `
    import Keycloak from "keycloak-js";
    const auth = new Keycloak({ url: "https://id.example", realm: "main", clientId: "app" });
    const ready = auth.init({ pkceMethod: "S256" });
    login.onclick = async () => { await ready; await auth.login(); };
    call.onclick = async () => { await auth.updateToken(30); console.log(auth.token); };`,
  "@axa-fr/oidc-client": `
    import { OidcClient } from "@axa-fr/oidc-client";
    const auth = OidcClient.getOrCreate(() => fetch)({ authority: "https://id.example", client_id: "app", redirect_uri: location.href, scope: "openid" });
    login.onclick = async () => { await auth.tryKeepExistingSessionAsync(); await auth.loginAsync("/"); };
    call.onclick = async () => console.log((await auth.getValidTokenAsync()).tokens.accessToken);`,
  "@azure/msal-browser": `
    import { createStandardPublicClientApplication } from "@azure/msal-browser";
    const auth = createStandardPublicClientApplication({ auth: { clientId: "app", authority: "https://id.example", redirectUri: location.href } });
    login.onclick = async () => (await auth).loginRedirect({ scopes: ["openid"] });
    call.onclick = async () => console.log((await (await auth).acquireTokenSilent({ scopes: ["openid"] })).accessToken);`,
  "@logto/browser": `
    import LogtoClient from "@logto/browser";
    const auth = new LogtoClient({ endpoint: "https://id.example", appId: "app" });
    login.onclick = () => auth.signIn(location.href);
    if (location.search) auth.handleSignInCallback(location.href);
    call.onclick = async () => console.log(await auth.getAccessToken());`,
};

const parts = ["facade", "glue", "wasm", "total"];
/** No part of the total: what is loaded once somebody is signed in, and what only with the option that wants it. */
const optional = ["secondary", "share"];
const measures = {
  raw: (bytes) => bytes.length,
  gzip: (bytes) => gzipSync(bytes, { level: 9 }).length,
  brotli: (bytes) =>
    brotliCompressSync(bytes, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: 11,
        [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
      },
    }).length,
};

/** What an application loads beside its framework and countersign itself. */
const adapters = () =>
  ["react", "vue", "svelte", "angular"].filter((name) =>
    existsSync(inCheckout(`pkg/${name}.js`)),
  );

/** Measures every application and every adapter: `{ [name]: { [part]: { raw, gzip, brotli } } }`. */
export async function measure() {
  const sizes = {};
  for (const [name, source] of Object.entries(apps))
    sizes[name] = await measureApp(name, source);
  const own = await ownFiles();
  for (const name of adapters())
    sizes[`countersign/${name}`] = await measureAdapter(name, own);
  return sizes;
}

const bundle = async (source, more) =>
  (await import("esbuild")).build({
    stdin: { contents: source, resolveDir: root, sourcefile: "app.js" },
    absWorkingDir: root,
    bundle: true,
    minify: true,
    format: "esm",
    splitting: true,
    target: "es2022",
    platform: "browser",
    legalComments: "none",
    outdir: "target/size",
    write: false,
    metafile: true,
    logLevel: "error",
    ...more,
  });

/** The files of `pkg` that are there without any adapter. */
async function ownFiles() {
  const { metafile } = await bundle(
    `import "./pkg/index.js"; import "./pkg/external.js";`,
    { ignoreAnnotations: true },
  );
  return new Set(Object.keys(metafile.inputs).map((path) => basename(path)));
}

async function measureAdapter(name, own) {
  const outside = {
    name: "outside",
    setup: ({ onResolve }) =>
      onResolve({ filter: /^\.\// }, ({ path }) =>
        own.has(basename(path)) ? { path, external: true } : undefined,
      ),
  };
  const { outputFiles } = await bundle(`export * from "./pkg/${name}.js";`, {
    splitting: false,
    packages: "external",
    plugins: [outside],
  });
  const adapter = nothing();
  for (const { contents } of outputFiles)
    for (const [unit, of] of Object.entries(measures))
      adapter[unit] += of(contents);
  return { adapter };
}

async function measureApp(name, source) {
  const { outputFiles, metafile } = await bundle(source);
  const sizes = Object.fromEntries(
    [...parts, ...optional].map((part) => [part, nothing()]),
  );
  const own = name.startsWith("countersign");
  for (const { path, contents } of outputFiles) {
    const [, { inputs }] = Object.entries(metafile.outputs).find(
      ([output]) => join(root, output) === path,
    );
    add(sizes, own ? partOf(inputs) : "facade", contents);
  }
  if (name === "countersign/external")
    add(sizes, "wasm", await readFile(inCheckout("pkg/core.wasm")));
  return sizes;
}

function partOf(inputs) {
  if (inputs["pkg/wasm-inline.js"]) return "wasm";
  if (inputs["pkg/secondary-inline.js"]) return "secondary";
  if (inputs["pkg/core.js"]) return "glue";
  if (inputs["pkg/share.js"]) return "share";
  return "facade";
}

const nothing = () => ({ raw: 0, gzip: 0, brotli: 0 });

function add(sizes, part, bytes) {
  for (const [unit, of] of Object.entries(measures))
    for (const to of optional.includes(part) ? [part] : [part, "total"])
      sizes[to][unit] += of(bytes);
}

/** The sizes as a Markdown table. */
function table(sizes) {
  const rows = [["part", ...Object.keys(measures)]];
  for (const [name, app] of Object.entries(sizes)) {
    const own = name.startsWith("countersign");
    for (const part of own ? Object.keys(app) : ["total"])
      rows.push([
        own ? `${name}: ${part}` : name,
        ...Object.values(app[part]).map((bytes) => bytes.toLocaleString("en")),
      ]);
  }
  const widths = rows[0].map((_, column) =>
    Math.max(...rows.map((row) => row[column].length)),
  );
  const line = (row) =>
    `| ${row.map((cell, column) => (column ? cell.padStart(widths[column]) : cell.padEnd(widths[column]))).join(" | ")} |`;
  const rule = `|${widths.map((width, column) => (column ? `${"-".repeat(width + 1)}:` : "-".repeat(width + 2))).join("|")}|`;
  return [line(rows[0]), rule, ...rows.slice(1).map(line)].join("\n");
}

/** What is over the budget, one sentence each. */
export function overBudget(sizes, { limits, measured }) {
  const over = [];
  for (const [key, limit] of Object.entries(limits)) {
    const now = figure(sizes, key);
    if (now > limit) over.push(`${key} is ${now} bytes, its limit is ${limit}`);
  }
  for (const [key, before] of Object.entries(measured)) {
    const now = figure(sizes, key);
    if (now > before * growth)
      over.push(
        `${key} grew from ${before} to ${now} bytes (${percent(now, before)})`,
      );
  }
  return over;
}

const percent = (now, before) =>
  `+${(((now - before) / before) * 100).toFixed(1)} %`;

/** The figure of a key such as `countersign: facade brotli`. */
function figure(sizes, key) {
  const [name, part, unit] = key.split(/: | /);
  return sizes[name][part][unit];
}

/** Of all that is ours. */
const measuredKeys = (sizes) =>
  Object.entries(sizes)
    .filter(([name]) => name.startsWith("countersign"))
    .flatMap(([name, app]) =>
      Object.keys(app).flatMap((part) => [
        `${name}: ${part} raw`,
        `${name}: ${part} brotli`,
      ]),
    );

/** The table, or an error with it when anything is over the budget. */
export async function checkSize() {
  const sizes = await measure();
  const over = overBudget(sizes, await budget());
  if (over.length === 0) return table(sizes);
  throw new Error(
    `${table(sizes)}\n\nOver the byte budget:\n- ${over.join("\n- ")}\nIf the growth is worth its bytes, run \`npm run size -- --update\` and commit bench/size.json with the change; a limit in that file is changed by hand.`,
  );
}

const budget = async () => JSON.parse(await readFile(budgetFile, "utf8"));

/** Makes what is measured now the figures to grow from. */
export async function updateBudget() {
  const sizes = await measure();
  const { limits } = await budget();
  const measured = Object.fromEntries(
    measuredKeys(sizes).map((key) => [key, figure(sizes, key)]),
  );
  await writeFile(
    budgetFile,
    `${JSON.stringify({ limits, measured }, null, 2)}\n`,
  );
  return `${table(sizes)}\n\nbench/size.json now holds these figures.`;
}
