// On a server, and with a framework that is too old.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { mock, test } from "node:test";
import { packageDirectory } from "../support/app.mjs";
import { older, onServer, react18 } from "./bundle.mjs";
import { renderReact, renderVue } from "./server.mjs";

/** Renders, and fails if the framework has something to say about it. */
async function quietly(render) {
  const said = [];
  const note = (...words) => void said.push(words.join(" "));
  const mocks = ["warn", "error"].map((level) =>
    mock.method(console, level, note),
  );
  try {
    return await render();
  } finally {
    for (const { mock } of mocks) mock.restore();
    assert.deepEqual(said, []);
  }
}

for (const [name, alias] of [
  ["React 19", () => ({})],
  ["React 18", react18],
]) {
  test(`${name} renders the fallback of a guarded page on a server`, async () => {
    const html = await quietly(() => renderReact("/members", alias()));
    assert.equal(
      html,
      '<header data-actions="1">loading</header><main>fallback</main>',
    );
  });

  test(`${name} renders an open page on a server`, async () => {
    const html = await quietly(() => renderReact("/", alias()));
    assert.match(html, /<main>home<\/main>/);
  });
}

test("Vue renders a guarded page on a server as it loads", async () => {
  const html = await quietly(() => renderVue("/members"));
  assert.match(html, /<header>loading<\/header>.*<main>nobody null<\/main>/);
});

test("Vue renders an open page on a server", async () => {
  const html = await quietly(() => renderVue("/"));
  assert.match(html, /<header>loading<\/header>.*<main>home<\/main>/);
});

const auth = 'createAuth({ issuer: "https://id.example", clientId: "spa" })';

test("the React adapter says that it is for the client, before anything else", async () => {
  const text = await readFile(`${packageDirectory}/react.js`, "utf8");
  assert.match(text, /^"use client";\n/);
});

test("a React that is too old is named", async () => {
  const { attempt } = await onServer(
    `import { createAuth } from "countersign";
     import { AuthProvider } from "countersign/react";
     export const attempt = () => AuthProvider({ auth: ${auth} });`,
    { alias: { react: older("react-17") } },
  );
  assert.throws(attempt, refused("react", "older than 18"));
});

test("a Vue that is too old is named", async () => {
  const { attempt } = await onServer(
    `import { createAuth } from "countersign";
     import { useAuth } from "countersign/vue";
     export const attempt = () => useAuth(${auth});`,
    { alias: { vue: older("vue") } },
  );
  assert.throws(attempt, refused("vue", "older than 3.3"));
});

test("what was forgotten is named where it was forgotten", async () => {
  const { attempts } = await onServer(
    `import { createAuth } from "countersign";
     import { AuthProvider } from "countersign/react";
     import { authGuard, createAuthPlugin, useAuth } from "countersign/vue";
     const auth = ${auth};
     export const attempts = [
       ["auth", () => AuthProvider({})],
       ["auth", () => AuthProvider({ auth: Promise.resolve(auth) })],
       ["auth", () => createAuthPlugin()],
       ["createAuthPlugin", () => useAuth()],
       ["auth", () => authGuard(undefined, { router: {} })],
       ["router", () => authGuard(auth)],
       ["router", () => authGuard(auth, { router: {} })],
     ];`,
  );
  for (const [option, attempt] of attempts)
    assert.throws(attempt, refused(option));
});

const refused = (option, problem) => (error) => {
  assert.equal(error.code, "invalid_config");
  assert.equal(error.details.option, option);
  if (problem) assert.equal(error.details.problem, problem);
  return true;
};
