// Svelte and Angular on a server, and where they are too old.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { packageDirectory } from "../support/app.mjs";
import { svelte } from "../support/svelte.mjs";
import { onServer } from "./bundle.mjs";

const exec = promisify(execFile);

const client = `
  import { createAuth } from "countersign";
  export const auth = createAuth({ issuer: "https://id.example", clientId: "spa" });`;

for (const [entry, first, names] of [
  ["svelte", "", "getAuth,reactive,requireAuth,setAuth"],
  [
    "angular",
    // The command line of Angular does that while it builds.
    `await import("@angular/compiler");`,
    "authGuard,authInterceptor,createAuthGuard,injectAuth,provideAuth",
  ],
])
  test(`countersign/${entry} does nothing when it is imported`, async () => {
    const program = `${first} console.log(Object.keys(await import("./${entry}.js")).sort().join())`;
    const { stdout, stderr } = await exec(
      process.execPath,
      ["--input-type=module", "--eval", program],
      { cwd: packageDirectory },
    );
    assert.deepEqual([stdout.trim(), stderr], [names, ""]);
  });

test("Svelte renders that it is loading, by store, runes and context", async () => {
  const { auth, render, Server } = await onServer(
    `${client}
     export { render } from "svelte/server";
     export { default as Server } from "./svelte/Server.svelte";`,
    { plugins: [svelte("server")] },
  );
  const { body } = render(Server, { props: { auth } });
  const shown = body.replace(/<!--.*?-->/g, "").match(/(?<=<p>).*?(?=<)/g);
  assert.deepEqual(shown, ["store loading", "runes loading", "loading"]);
});

test("requireAuth lets no server wait for ever", async () => {
  const { auth, requireAuth } = await onServer(
    `${client} export { requireAuth } from "countersign/svelte";`,
  );
  const url = new URL("https://app.example/guarded");
  await assert.rejects(requireAuth(auth, { url }), refused("ssr"));
});

test("Angular is loading on a server, its guard waits for nobody, and requests pass as they are", async () => {
  const entry = await onServer(
    `import "@angular/compiler";
     ${client}
     export { HttpRequest } from "@angular/common/http";
     export { createEnvironmentInjector, runInInjectionContext } from "@angular/core";
     export * from "countersign/angular";`,
  );
  const injector = entry.createEnvironmentInjector(
    [entry.provideAuth(entry.auth)],
    null,
  );
  const within = (call) => entry.runInInjectionContext(injector, call);
  const { state, user, isSignedIn } = within(entry.injectAuth);
  assert.equal(state().status, "loading");
  assert.deepEqual([user(), isSignedIn()], [null, false]);
  assert.equal(
    within(() => entry.authGuard({}, { url: "/guarded" })),
    true,
  );
  const request = new entry.HttpRequest("GET", "/api/me");
  let sent;
  within(() => entry.authInterceptor(request, (next) => (sent = next)));
  assert.equal(sent, request);
});

/** Modules with these exports and no others, as an older version has them. */
const old = (filter, contents) => ({
  name: "old",
  setup({ onLoad, onResolve }) {
    onResolve({ filter }, ({ path }) => ({ path, namespace: "old" }));
    onLoad({ filter: /./, namespace: "old" }, () => ({ contents }));
  },
});

test("a Svelte that is too old is named", async () => {
  const { auth, reactive } = await onServer(
    `${client} export { reactive } from "countersign/svelte";`,
    {
      plugins: [old(/^svelte\/reactivity$/, "export const SvelteMap = Map;")],
    },
  );
  assert.throws(() => reactive(auth), refused("svelte", "older than 5.7"));
});

test("an Angular that is too old is named", async () => {
  const names = ["InjectionToken", "HttpParams", "Location", "Router"];
  const contents = `
    ${names.map((name) => `export class ${name} {}`).join("\n")}
    export const inject = () => null;
    export const assertInInjectionContext = () => {};`;
  const { auth, provideAuth } = await onServer(
    `${client} export { provideAuth } from "countersign/angular";`,
    { plugins: [old(/^@angular\//, contents)] },
  );
  assert.throws(
    () => provideAuth(auth),
    refused("@angular/core", "older than 19"),
  );
});

const refused = (option, problem) => (error) => {
  assert.equal(error.code, "invalid_config");
  assert.equal(error.details.option, option);
  if (problem) assert.equal(error.details.problem, problem);
  return true;
};
