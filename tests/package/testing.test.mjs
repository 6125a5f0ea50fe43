import assert from "node:assert/strict";
import { createServer } from "node:http";
import { afterEach, test } from "node:test";
import { build } from "esbuild";
import { inCheckout } from "../../scripts/checkout.mjs";

// The client for an application's own tests, on Node: `countersign/testing`.

const { createAuthError, createFakeAuth, signedIn, signedOut } =
  await import("../../pkg/testing.js");
const { createAuth } = await import("../../pkg/index.js");

const loading = { status: "loading", user: null, error: null };
const { fetch } = globalThis;

afterEach(() => {
  globalThis.fetch = fetch;
});

/** What a promise has come to by the next turn: `undefined` while it waits. */
const soFar = (promise) =>
  Promise.race([
    promise.then(
      (value) => ({ value }),
      (error) => ({ error }),
    ),
    new Promise((resolve) => setImmediate(resolve)),
  ]);

const code = (expected) => (error) => {
  assert.equal(error.name, "AuthError");
  assert.equal(error.code, expected);
  return true;
};

test("it has every member that a client has, and nothing else but its own", () => {
  const options = { issuer: "https://id.example", clientId: "spa" };
  const real = Object.keys(createAuth(options)).sort();
  const own = ["calls", "emit", "fail", "setState"];
  const fake = Object.keys(createFakeAuth()).filter(
    (name) => !own.includes(name),
  );
  assert.deepEqual(fake.sort(), real);
});

test("it shows the state that it is told, and the same one until then", () => {
  const auth = createFakeAuth();
  assert.deepEqual(auth.state, signedOut("noSession"));
  assert.equal(auth.state, auth.state);
  const seen = [];
  const end = auth.subscribe((state) => seen.push(state));
  const ada = signedIn({ sub: "u1", name: "Ada" }, { scope: ["openid", "x"] });
  auth.setState(ada);
  auth.setState(ada);
  end();
  auth.setState(loading);
  assert.deepEqual(seen, [signedOut("noSession"), ada]);
  assert.equal(ada.user.sub, "u1");
  assert.deepEqual(ada.scope, ["openid", "x"]);
  assert.equal(auth.state, loading);
});

test("ready settles at the first state that is not loading, once", async () => {
  const auth = createFakeAuth(loading);
  assert.equal(await soFar(auth.ready), undefined);
  auth.setState(signedOut("expired"));
  auth.setState(signedIn());
  assert.equal((await auth.ready).reason, "expired");
  assert.equal((await createFakeAuth(signedIn()).ready).status, "signedIn");
});

test("a token is there for who is signed in, and waited for while it loads", async () => {
  const auth = createFakeAuth(loading);
  const early = auth.getAccessToken();
  assert.equal(await soFar(early), undefined);
  auth.setState(signedIn());
  assert.equal(await early, "fake-access-token");
  assert.equal(await auth.getIdToken(), "fake-id-token");
  assert.equal((await auth.fetchUserInfo()).sub, "fake-user");
  auth.setState(signedOut("expired"));
  await assert.rejects(auth.getAccessToken(), (error) => {
    assert.deepEqual(error.details, { reason: "expired" });
    return code("login_required")(error);
  });
  await assert.rejects(auth.fetchUserInfo(), code("login_required"));
  assert.equal(await auth.getIdToken(), null);
});

test("a call that waits ends by its signal", async () => {
  const auth = createFakeAuth(loading);
  const end = new AbortController();
  const { signal } = end;
  const calls = [auth.getAccessToken({ signal }), auth.login({ signal })];
  const userInfo = auth.fetchUserInfo({ signal });
  end.abort();
  for (const call of [...calls, userInfo, auth.login({ signal })])
    await assert.rejects(call, code("aborted"));
});

test("a login that was aborted is no more, and the next one fails as it was told", async () => {
  const auth = createFakeAuth();
  const end = new AbortController();
  const first = auth.login({ signal: end.signal });
  end.abort();
  await assert.rejects(first, code("aborted"));
  await assert.rejects(auth.login({ signal: end.signal }), code("aborted"));
  const error = new Error("mine");
  auth.fail("login", error);
  await assert.rejects(auth.login(), error);
});

test("a token is waited for again where it loads again", async () => {
  const auth = createFakeAuth(signedOut("expired"));
  await auth.ready;
  auth.setState(loading);
  const token = auth.getAccessToken();
  assert.equal(await soFar(token), undefined);
  auth.setState(loading);
  auth.setState(signedIn());
  assert.equal(await token, "fake-access-token");
  assert.equal((await auth.ready).reason, "expired");
});

test("a login is recorded and never settles, unless the test says so", async () => {
  const auth = createFakeAuth();
  const login = auth.login({ returnTo: "/here" });
  assert.equal(await soFar(login), undefined);
  assert.deepEqual(auth.calls, [
    { method: "login", args: [{ returnTo: "/here" }] },
  ]);
  auth.fail(
    "login",
    createAuthError("network", { endpoint: "discovery" }, true),
  );
  await assert.rejects(login, (error) => {
    assert.equal(error.retryable, true);
    assert.match(error.message, /could not be reached/);
    assert.match(error.hint, /docs\/errors\.md#network/);
    return code("network")(error);
  });
  assert.equal(await soFar(auth.login()), undefined);
});

test("one call of a method fails by the error that the test gives it, and the next does not", async () => {
  const auth = createFakeAuth(signedIn());
  const error = new Error("mine");
  auth.fail("getAccessToken", error);
  auth.fail("logout", error);
  await assert.rejects(auth.getAccessToken(), error);
  assert.equal(await auth.getAccessToken(), "fake-access-token");
  await assert.rejects(auth.logout(), error);
  assert.equal(auth.state.status, "signedIn");
  await auth.logout();
});

test("a logout shows and tells that it happened", async () => {
  const auth = createFakeAuth(signedIn());
  const told = [];
  auth.on("signedOut", (event) => told.push(event));
  await auth.logout({ local: true });
  assert.deepEqual(auth.state, signedOut("loggedOut"));
  await auth.logout();
  assert.deepEqual(told, [{ reason: "loggedOut", error: null }]);
  auth.emit("signedOut", { reason: "expired", error: null });
  assert.equal(told.length, 2);
});

test("fetch adds the token, by the fetch of the moment, and to no other origin", async () => {
  const asked = [];
  globalThis.fetch = async (request) => {
    const { url, headers } = request;
    asked.push([url, headers.get("authorization"), await request.text()]);
    return new Response("yes");
  };
  const apiOrigins = ["https://api.example/v1"];
  const auth = createFakeAuth(signedIn(), { apiOrigins });
  const post = { method: "POST", body: "x" };
  const answer = await auth.fetch("https://api.example/me", post);
  assert.equal(await answer.text(), "yes");
  const bearer = "Bearer fake-access-token";
  assert.deepEqual(asked, [["https://api.example/me", bearer, "x"]]);
  await assert.rejects(
    auth.fetch("https://evil.example/"),
    code("forbidden_origin"),
  );
  auth.setState(signedOut());
  await assert.rejects(
    auth.fetch("https://api.example/me"),
    code("login_required"),
  );
  assert.equal(asked.length, 1);
  assert.deepEqual(
    auth.calls.map(({ method }) => method),
    ["fetch", "fetch", "fetch"],
  );
});

test("authorize gives a request with the token, for the same origins", async () => {
  const apiOrigins = [new URL("https://api.example/v1")];
  const auth = createFakeAuth(signedIn(), { apiOrigins });
  const { headers } = await auth.authorize("https://api.example/me");
  assert.equal(headers.get("authorization"), "Bearer fake-access-token");
  await assert.rejects(
    auth.authorize(new Request("https://evil.example/")),
    code("forbidden_origin"),
  );
});

test("fetch reaches a server", async () => {
  const server = createServer((request, response) =>
    response.writeHead(401).end(request.headers.authorization),
  );
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const origin = `http://127.0.0.1:${server.address().port}`;
    const auth = createFakeAuth(signedIn(), { apiOrigins: [new URL(origin)] });
    const answer = await auth.fetch(origin);
    assert.equal(answer.status, 401);
    assert.equal(await answer.text(), "Bearer fake-access-token");
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

test("a callback gives who is signed in, or is none", async () => {
  const auth = createFakeAuth();
  assert.equal(auth.isCallback("https://app.example/?code=x&state=y"), false);
  await assert.rejects(auth.handleCallback(), code("stale_callback"));
  const state = signedIn();
  auth.setState(state);
  assert.equal((await auth.handleCallback()).state, state);
  await auth.preload();
});

test("after dispose nobody hears anything, and calls say why", async () => {
  const auth = createFakeAuth(signedIn());
  const seen = [];
  auth.subscribe(({ status }) => seen.push(status));
  auth.dispose();
  auth.setState(signedOut());
  assert.deepEqual(seen, ["signedIn"]);
  for (const method of ["login", "getAccessToken", "logout", "fetch"])
    await assert.rejects(auth[method](), code("disposed"));
  assert.equal(auth.calls[0].method, "dispose");
});

test("nothing of the client itself, nor its wasm, comes along", async () => {
  const { metafile } = await build({
    entryPoints: [inCheckout("pkg/testing.js")],
    bundle: true,
    format: "esm",
    splitting: true,
    outdir: inCheckout("target/testing"),
    write: false,
    metafile: true,
    absWorkingDir: inCheckout("."),
  });
  const inputs = Object.keys(metafile.inputs);
  assert.ok(inputs.includes("pkg/testing.js"));
  for (const name of [
    "auth",
    "core",
    "wasm-inline",
    "secondary-inline",
    "engine",
  ])
    assert.ok(!inputs.includes(`pkg/${name}.js`), name);
});
