import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";
import { inCheckout } from "../../scripts/checkout.mjs";

/** The JavaScript and TypeScript that is shipped, without comments: `[{ file, code }]`. */
async function shipped() {
  const folders = ["pkg-template/src", "src/browser", "src/js"];
  const names = await Promise.all(
    folders.map(async (folder) =>
      (await readdir(inCheckout(folder), { recursive: true })).map(
        (name) => `${folder}/${name}`,
      ),
    ),
  );
  const files = names.flat().filter((name) => /\.(ts|js)$/.test(name));
  return Promise.all(
    files.map(async (file) => {
      const text = await readFile(inCheckout(file), "utf8");
      return { file, code: text.replace(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, "") };
    }),
  );
}

const found = (sources, pattern) =>
  sources.filter(({ code }) => pattern.test(code)).map(({ file }) => file);

test("AR14, T19, T20: nothing that is shipped makes a frame, opens a window or listens to another origin's messages", async () => {
  const sources = await shipped();
  assert.ok(sources.length > 10);
  for (const pattern of [
    /(?<!\bReact\.)createElement|iframe|contentWindow|\bframes\b|\btop\b\./,
    /window\.open|\bopener\b|showModal/,
    // A BroadcastChannel is the origin's own.
    /["']message["']|(?<!\bchannel\??\.)(onmessage|postMessage)|MessageChannel/,
  ])
    assert.deepEqual(found(sources, pattern), [], String(pattern));
  // The twin: what is there is found.
  assert.ok(found(sources, /channel\??\.postMessage/).length > 0);
  assert.ok(found(sources, /location\.assign/).length > 0);
});
