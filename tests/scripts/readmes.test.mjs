import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { inCheckout } from "../../scripts/checkout.mjs";

// The README of the repository and that of the package say the same where they say it both, and what is true.

const read = (path) => readFile(inCheckout(path), "utf8");
const [ours, published, size, manifest, own] = await Promise.all([
  read("README.md"),
  read("pkg-template/README.md"),
  read("docs/size.md"),
  read("package.json"),
  read("pkg-template/package.json"),
]);

/** Sections by their headings; what stands before the first is the head. */
const sections = (text) =>
  new Map(
    `## head\n${text}`
      .split(/^## /m)
      .slice(1)
      .map((section) => {
        const [heading, ...rest] = section.split("\n");
        return [heading, rest.join("\n").trim()];
      }),
  );

test("both have the same head, and the same text under the same heading", () => {
  const [one, other] = [sections(ours), sections(published)];
  const both = [...one.keys()].filter((heading) => other.has(heading));
  for (const heading of [
    "head",
    "In your framework",
    "Beside other libraries",
    "How safe is it",
    "License",
  ])
    assert.ok(both.includes(heading), heading);
  for (const heading of both)
    assert.equal(other.get(heading), one.get(heading), heading);
});

test("what the README of the repository links to is there", () => {
  const targets = [...ours.matchAll(/\]\((?!https?:|#)([^)#]+)/g)];
  assert.ok(targets.length > 5);
  for (const [, target] of targets)
    assert.ok(existsSync(inCheckout(target)), target);
});

test("every entry of the package has its row, and every row its entry", () => {
  const { name, exports } = JSON.parse(own);
  const rows = sections(ours)
    .get("In your framework")
    .match(/`countersign\/\w+`(?= \|)/g)
    .map((entry) => entry.replaceAll("`", ""));
  const elsewhere = ["external", "providers"].map((path) => `${name}/${path}`);
  const entries = Object.entries(exports)
    .filter(([path, { types }]) => types && path !== ".")
    .map(([path]) => path.replace(/^\./, name));
  assert.deepEqual([...rows, ...elsewhere].sort(), entries.sort());
});

/** The rows of the comparison: `[name, version, kB]`. */
const rows = [
  ...sections(ours)
    .get("Beside other libraries")
    .matchAll(/^\| \**(\S+) (\d+\.\d+\.\d+)\** \| \**([\d.]+) kB\** \|/gm),
].map(([, name, version, kilobytes]) => ({ name, version, kilobytes }));

test("the comparison names the versions that are installed here, and sizes that docs/size.md has", () => {
  const { devDependencies } = JSON.parse(manifest);
  const measured = [];
  assert.equal(rows.length, 8);
  for (const { name, version, kilobytes } of rows) {
    if (name === "countersign") {
      assert.equal(version, JSON.parse(own).version);
      continue;
    }
    const short = name.replace("@azure/", "").replace(/^@/, "");
    const [, bytes] =
      size.match(
        new RegExp(`^\\| ${short} ${version} \\| ([\\d,]+) \\|`, "m"),
      ) ?? [];
    assert.ok(bytes, `docs/size.md has no ${name} ${version}`);
    assert.equal(
      kilobytes,
      (Number(bytes.replaceAll(",", "")) / 1000).toFixed(1),
      name,
    );
    const installed =
      devDependencies[name] ?? devDependencies[`@auth0/${name}`];
    if (installed) {
      assert.equal(version, installed, name);
      measured.push(name);
    }
  }
  assert.equal(measured.length, 6);
});

test("our own size in the comparison is that of the last budget, to a kilobyte, and docs/size.md has it exactly", async () => {
  const { measured } = JSON.parse(await read("bench/size.json"));
  const { kilobytes } = rows.find(({ name }) => name === "countersign");
  const total = measured["countersign: total brotli"];
  assert.ok(Math.abs(kilobytes - total / 1000) < 1, `${total} bytes`);
  assert.match(size, new RegExp(`\\*\\*${total.toLocaleString("en")}\\*\\*`));
});
