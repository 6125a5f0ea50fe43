import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import axios from "axios";

// What the adapters do that needs no framework.

const { createAuthError, createFakeAuth, signedIn, signedOut } =
  await import("../../pkg/testing.js");
const { createAuth } = await import("../../pkg/index.js");
const { authorizeAxios } = await import("../../pkg/axios.js");
const { decided, guarded } = await import("../../pkg/guard.js");

afterEach(() => {
  delete globalThis.window;
  delete globalThis.location;
});

const refusal = {
  error: "login_required",
  error_description: null,
  error_uri: null,
};
const silent = createAuthError("authorization_error", refusal);
const refresh = createAuthError("token_error", { ...refusal, status: 400 });

for (const [state, wanted] of [
  [{ status: "loading", user: null, error: null }, "wait"],
  [signedIn(), "show"],
  [signedOut("noSession"), "login"],
  [signedOut("expired"), "login"],
  [signedOut("refreshRejected", refresh), "login"],
  [signedOut("interactionRequired", refresh), "login"],
  [signedOut("interactionRequired"), "login"],
  [signedOut("interactionRequired", silent), "refuse"],
  [signedOut("callbackFailed", silent), "refuse"],
  [signedOut("loggedOut"), "refuse"],
  [signedOut("unavailable"), "refuse"],
])
  test(`a guarded place: ${wanted} where it is ${state.status} ${state.reason ?? ""} ${state.error?.code ?? ""}`, () => {
    assert.equal(guarded(createFakeAuth(state)), wanted);
  });

test("a guarded place waits while a response is in the address bar", async () => {
  let inBar = true;
  globalThis.window = globalThis;
  globalThis.location = { href: "https://app.example/?code=c&state=s" };
  const auth = Object.assign(createFakeAuth(), { isCallback: () => inBar });
  assert.equal(guarded(auth), "wait");
  const decision = decided(auth);
  // Taken, but not yet told of.
  inBar = false;
  auth.setState(signedIn());
  assert.equal(await decision, "show");
});

test("axios on a server says that it is one", async () => {
  const client = axios.create();
  const options = { issuer: "https://id.example", clientId: "spa" };
  authorizeAxios(client, createAuth(options));
  await assert.rejects(client.get("https://app.example/api"), (error) => {
    assert.equal(error.code, "unsupported_environment");
    assert.deepEqual(error.details, { missing: "browser" });
    return true;
  });
});
