import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { chromium } from "playwright";
import { build, createServer as createVite, preview } from "vite";
import { findEngine } from "../../scripts/browsers.mjs";
import { inCheckout } from "../../scripts/checkout.mjs";
import { tarball } from "../../scripts/package.mjs";

// The tarball as a stranger gets it: installed into an empty application, used with no configuration.

const exec = promisify(execFile);
let app;
let issuer;
let browser;

before(async () => {
  app = await mkdtemp(join(tmpdir(), "countersign-"));
  await writeFile(
    join(app, "package.json"),
    JSON.stringify({ private: true, type: "module" }),
  );
  const quiet = ["--offline", "--no-audit", "--no-fund"];
  await exec("npm", ["install", ...quiet, await tarball()], { cwd: app });
  issuer = await startIssuer();
  const { browser: executablePath } = findEngine("chromium");
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  browser = await chromium.launch({ executablePath, args });
});

after(async () => {
  await browser?.close();
  issuer?.close();
  if (app) await rm(app, { recursive: true, force: true });
});

test("the package brings nothing along and runs nothing at install", async () => {
  const installed = join(app, "node_modules", "countersign");
  const manifest = JSON.parse(
    await readFile(join(installed, "package.json"), "utf8"),
  );
  for (const field of ["scripts", "dependencies"])
    assert.equal(manifest[field], undefined, field);
  // Frameworks are there already, or not needed.
  for (const name of Object.keys(manifest.peerDependencies))
    assert.deepEqual(manifest.peerDependenciesMeta[name], { optional: true });
  const names = await readdir(installed);
  for (const name of ["index.js", "index.d.ts", "core.wasm", "LICENSE"])
    assert.ok(names.includes(name), name);
  // The types of the glue are ours alone.
  for (const name of ["core.d.ts", "wasm-inline.d.ts", "secondary-inline.d.ts"])
    assert.ok(!names.includes(name), name);
});

test("the pages that hints and doc comments point at are there, and so is what they link to", async () => {
  const docs = join(app, "node_modules", "countersign", "docs");
  const names = await readdir(docs);
  for (const page of ["errors.md", "providers.md", "relay.md"])
    assert.ok(names.includes(page), page);
  for (const page of names.filter((name) => name.endsWith(".md"))) {
    const text = await readFile(join(docs, page), "utf8");
    for (const [, target] of text.matchAll(/\]\((?!https?:|#)([^)#]+)/g))
      assert.ok(names.includes(target), `${page} links to ${target}`);
  }
  const readme = await readFile(join(docs, "../README.md"), "utf8");
  const linked = [...readme.matchAll(/\]\((?!https?:|#)([^)#]+)/g)];
  assert.ok(linked.length > 0);
  for (const [, target] of linked)
    assert.ok(
      names.includes(target.replace(/^docs\//, "")),
      `README.md links to ${target}`,
    );
});

test("on a server both entries import and make a client that does nothing", async () => {
  const program = `
    for (const entry of ["countersign", "countersign/external"]) {
      const { createAuth } = await import(entry);
      const auth = createAuth({ issuer: "https://id.example", clientId: "app", redirectUri: "https://app.example/", wasm: "/core.wasm" });
      console.log(auth.state.status);
    }`;
  const node = [...["--input-type=module", "--eval"], program];
  const { stdout } = await exec(process.execPath, node, { cwd: app });
  assert.equal(stdout, "loading\nloading\n");
});

for (const resolution of ["bundler", "nodenext"])
  test(`the types hold with moduleResolution ${resolution} and no library check skipped`, async () => {
    await writeFile(join(app, "use.ts"), use);
    const module = resolution === "bundler" ? "esnext" : "nodenext";
    const options = ["--module", module, "--moduleResolution", resolution];
    const strict = ["--strict", "--exactOptionalPropertyTypes", "--noEmit"];
    const lib = ["--target", "es2022", "--lib", "es2022,dom", "--types", ""];
    const words = [...options, ...strict, ...lib, "use.ts"];
    await exec(inCheckout("node_modules/.bin/tsc"), words, { cwd: app }).catch(
      ({ stdout }) => assert.fail(stdout),
    );
  });

const use = `
  import { createAuth } from "countersign";
  import { createAuth as createExternal } from "countersign/external";
  import { auth0, pagero } from "countersign/providers";
  const auth = createAuth({ issuer: "https://id.example", clientId: "app" });
  createExternal({ issuer: "https://id.example", clientId: "app", wasm: new URL("https://app.example/core.wasm") });
  createAuth({ ...auth0("tenant.auth0.com"), clientId: "app" });
  export const nobody: null = createAuth({ ...pagero({ tokenEndpoint: "/relay" }), clientId: "app" }).state.user;
  export const token: Promise<string> = auth.getAccessToken();
  export const name: string = auth.state.status === "signedIn" ? auth.state.user.sub : auth.state.status;`;

const entries = {
  "the default entry": `import { createAuth } from "countersign"; const more = {};`,
  "the external entry": `import { createAuth } from "countersign/external"; import wasm from "countersign/core.wasm?url"; const more = { wasm };`,
};

for (const [name, imports] of Object.entries(entries)) {
  test(`a Vite application builds with ${name} and sends its user to the issuer`, async () => {
    await writeApp(imports);
    await build({ root: app, logLevel: "warn" });
    const host = { host: "127.0.0.1", port: 0 };
    const server = await preview({ root: app, preview: host });
    try {
      await signsIn(server.resolvedUrls.local[0]);
    } finally {
      await server.close();
    }
  });

  test(`the Vite dev server takes ${name} as it is`, async () => {
    await writeApp(imports);
    const host = { host: "127.0.0.1", port: 0 };
    const server = await createVite({ root: app, server: host });
    try {
      await server.listen();
      await signsIn(server.resolvedUrls.local[0]);
    } finally {
      await server.close();
    }
  });
}

async function writeApp(imports) {
  await writeFile(
    join(app, "index.html"),
    `<!doctype html><title>app</title><button>sign in</button><script type="module" src="/main.js"></script>`,
  );
  await writeFile(
    join(app, "main.js"),
    `${imports}
     const auth = createAuth({ issuer: "${issuer.url}", clientId: "app", ...more });
     auth.subscribe((state) => (document.title = state.status));
     document.querySelector("button").onclick = () => auth.login().catch((error) => (document.title = error.code));`,
  );
}

/** The application starts signed out, and its button leads to the authorization endpoint with a proper request. */
async function signsIn(url) {
  const page = await browser.newPage();
  try {
    await page.goto(url);
    await page.waitForFunction(() => document.title === "signedOut");
    await page.click("button");
    await page.waitForURL(`${issuer.url}/authorize?*`);
    const sent = new URL(page.url()).searchParams;
    assert.equal(sent.get("client_id"), "app");
    assert.equal(sent.get("redirect_uri"), url);
    assert.equal(sent.get("code_challenge_method"), "S256");
    assert.match(sent.get("code_challenge"), /^[\w-]{43}$/);
    for (const name of ["state", "nonce"]) assert.ok(sent.get(name), name);
  } finally {
    await page.close();
  }
}

/** An issuer as far as discovery and its authorization endpoint. */
async function startIssuer() {
  const server = createServer((request, response) => {
    response.setHeader("access-control-allow-origin", "*");
    if (!request.url.startsWith("/.well-known/"))
      return response.end("sign in here");
    const url = `http://127.0.0.1:${server.address().port}`;
    response.setHeader("content-type", "application/json");
    response.end(
      JSON.stringify({
        issuer: url,
        authorization_endpoint: `${url}/authorize`,
        token_endpoint: `${url}/token`,
        jwks_uri: `${url}/jwks`,
        response_types_supported: ["code"],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ["RS256"],
        code_challenge_methods_supported: ["S256"],
      }),
    );
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${server.address().port}`;
  return { url, close: () => server.close() };
}
