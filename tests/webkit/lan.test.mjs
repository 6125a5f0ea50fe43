// An application on plain http beyond loopback, in WebKitGTK: its names lead to loopback by a proxy.

import assert from "node:assert/strict";
import { createServer, request } from "node:http";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { bundlePage, close, listen, startApp } from "../support/app.mjs";
import { named, startTls } from "../support/lan.mjs";
import { startScripted } from "../support/scripted.mjs";
import { startWebkit, WAIT } from "../support/webkit.mjs";

let app;
let front;
let provider;
let proxy;
let webkit;

before(async () => {
  app = await startApp(await bundlePage());
  front = await startTls("as.lan");
  provider = await startScripted({ issuer: front.url });
  front.target = provider.address;
  proxy = createServer((req, res) => {
    const { hostname, port, pathname, search } = new URL(req.url);
    const { method, headers } = req;
    assert.match(hostname, /\.lan$/);
    const onward = request(
      { host: "127.0.0.1", port, path: pathname + search, method, headers },
      (answer) => {
        res.writeHead(answer.statusCode, answer.headers);
        answer.pipe(res);
      },
    );
    onward.once("error", () => res.destroy());
    req.pipe(onward);
  });
  proxy.on("connect", (req, socket) => {
    const [, port] = req.url.split(":");
    const onward = connect(Number(port), "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      socket.pipe(onward).pipe(socket);
    });
    for (const end of [socket, onward])
      end.once("error", () => [socket, onward].map((each) => each.destroy()));
  });
  const { host } = new URL(await listen(proxy));
  webkit = await startWebkit({
    acceptInsecureCerts: true,
    // The proxy that a WebDriver client can ask for is not used for https.
    "webkitgtk:browserOptions": {
      args: ["--automation", `--proxy=http://${host}`],
    },
  });
});

after(async () => {
  await webkit?.close();
  await Promise.all([
    app?.close(),
    front?.close(),
    provider?.close(),
    proxy && close(proxy),
  ]);
});

test("T41: with an issuer on https it signs in by S256, without locks or a signature check", async () => {
  const { driver } = webkit;
  const url = named(app.url, "app.lan");
  const options = {
    issuer: provider.issuer,
    clientId: "spa",
    redirectUri: `${url}/callback`,
    scope: "openid offline_access",
  };
  const loaded = () => driver.executeScript("return 'createAuth' in window");
  const run = (body) =>
    driver.executeAsyncScript(
      `const [options, done] = arguments;
       attempt(async () => { ${body} }).then(done);`,
      options,
    );
  await driver.get(`${url}/start`);
  await driver.wait(loaded, WAIT);
  const { value: lacks } = await run(
    "return { secure: isSecureContext, subtle: typeof crypto.subtle }",
  );
  assert.deepEqual(lacks, { secure: false, subtle: "undefined" });
  await run("start(options); await auth.ready; void auth.login();");
  await driver.wait(
    async () => (await driver.getCurrentUrl()).includes("/callback?"),
    WAIT,
  );
  await driver.wait(loaded, WAIT);
  const { value: state } = await run("start(options); return await auth.ready");
  assert.equal(state.user.sub, "alice");
  const { error } = await run(
    "await auth.getAccessToken({ forceRefresh: true })",
  );
  assert.equal(error, undefined);
  const { value: warnings } = await run(
    "return moments.filter(({ type }) => type === 'warning').map(({ code }) => code).sort()",
  );
  assert.deepEqual(warnings, ["no_locks", "signature_unchecked"]);
  const grants = provider.requests
    .filter(({ endpoint }) => endpoint === "token")
    .map(({ body }) => body.get("grant_type"));
  assert.deepEqual(grants, ["authorization_code", "refresh_token"]);
});
