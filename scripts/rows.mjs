// Which test holds which requirement: by its name. `cb2_…` in Rust, `CB2: …` in JavaScript; `cb2_cb3_…` and
// `CB2, CB3: …` hold two.

import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { basename, join, relative, sep } from "node:path";
import { inChromiumAlone } from "../playwright.config.mjs";
import { inCheckout, root } from "./checkout.mjs";

const everyEngine = "Chromium, Firefox, WebKitGTK";

/** Where the tests of a file run, by the beginning of its path; the first that fits counts. */
const places = [
  ["tests/browser/", `wasm: ${everyEngine}`],
  ["tests/e2e/", "Chromium, Firefox"],
  ["tests/webkit/", "WebKitGTK"],
  ["tests/package/", "Chromium"],
  ["tests/", "Node", ".mjs"],
  ["tests/", "native", ".rs"],
  ["src/", "native", ".rs"],
];

/** The tests that are named after a requirement: `[{ ids, name, file, where }]`. */
export async function namedTests(ids) {
  const files = [...(await filesOf("src")), ...(await filesOf("tests"))].filter(
    (file) => /\.(rs|spec\.mjs|test\.mjs)$/.test(file),
  );
  const found = await Promise.all(
    files.map(async (file) => testsOf(file, await text(file), ids)),
  );
  return [...found.flat(), ...(await lies())];
}

/** What a dishonest provider says, by the requirements that it breaks. */
async function lies() {
  const file = "tests/lies/table.mjs";
  if (!existsSync(inCheckout(file))) return [];
  const { rows } = await import(`../${file}`);
  const counts = new Map();
  for (const { requirement } of rows)
    counts.set(requirement, (counts.get(requirement) ?? 0) + 1);
  return [...counts].map(([requirement, count]) => ({
    ids: requirement.split(", "),
    name: `${count} ${count === 1 ? "lie" : "lies"}, each beside its honest twin`,
    file,
    where: everyEngine,
    count,
  }));
}

/** Those of one file, as they stand there. */
export function testsOf(file, source, ids) {
  const families = [...new Set(ids.map((id) => id.replace(/\d+$/, "")))];
  const id = `(?:${families.join("|")})\\d+`;
  const isRust = file.endsWith(".rs");
  const prefix = isRust
    ? new RegExp(`^(?:${id}_)+`, "i")
    : new RegExp(`^${id}(?:, ${id})*: `);
  const found = isRust ? rustTests(source) : scriptTests(source);
  return found
    .filter(({ name }) => prefix.test(name))
    .map(({ name, within }) => {
      const [named] = prefix.exec(name);
      return {
        ids: named.toUpperCase().match(new RegExp(id, "g")),
        name: within ? `${named}${within} ${name.slice(named.length)}` : name,
        file,
        where: whereOf(file, source),
      };
    });
}

const rustTests = (source) =>
  [
    ...source.matchAll(
      /#\[(?:wasm_bindgen_)?test\]\s*(?:#\[[^\]]*\]\s*)*(?:async )?fn (\w+)/g,
    ),
  ].map(([, name]) => ({ name }));

/** Each with the title of the group that it stands in: the two make one sentence. */
function scriptTests(source) {
  const tests = [];
  let group;
  for (const [, indent, kind, , title, end] of source.matchAll(
    /^( *)(?:(test\.describe|test|it)\(\s*(["'`])((?:\\.|(?!\3)[^\\])*)\3|(\}\);))/gm,
  )) {
    if (kind === "test.describe") group = { title, indent };
    else if (end && indent === group?.indent) group = undefined;
    else if (!end) tests.push({ name: title, within: group?.title });
  }
  return tests;
}

function whereOf(file, source) {
  const place = places.find(
    ([begin, , end = ""]) => file.startsWith(begin) && file.endsWith(end),
  );
  if (!place) throw new Error(`${file}: nobody knows where its tests run`);
  // The unit tests at the foot of a file are compiled to wasm, too, where they say so.
  const inWasm = /use wasm_bindgen_test::wasm_bindgen_test as test/;
  if (file.startsWith("src/") && inWasm.test(source))
    return `native; wasm: ${everyEngine}`;
  return inChromiumAlone.includes(basename(file)) ? "Chromium" : place[1];
}

/** What is wrong: a row without a test, a test of an unknown row, a heading that is not there. */
export async function problemsOf(requirements, tests) {
  const known = new Set(requirements.map(({ id }) => id));
  const unknown = tests.flatMap(({ ids, name, file }) =>
    ids
      .filter((id) => !known.has(id))
      .map((id) => `${file}: "${name}" is named after ${id}, which is no row`),
  );
  const twice = requirements
    .filter(({ id }, index) =>
      requirements.slice(0, index).some((other) => other.id === id),
    )
    .map(({ id }) => `${id}: stands there twice`);
  const missing = await Promise.all(
    requirements.map(async ({ id, documented }) => {
      if (!documented)
        return tests.some(({ ids }) => ids.includes(id))
          ? []
          : [`${id}: no test holds it`];
      const [file, heading] = documented.split("#");
      const lines = (await text(file)).split("\n");
      return lines.some((line) => line.replace(/^#+ /, "") === heading)
        ? []
        : [`${id}: ${file} has no heading "${heading}"`];
    }),
  );
  return [...twice, ...unknown, ...missing.flat()];
}

/** `docs/conformance.md`, as it is to be. */
export function pageOf(sections, tests) {
  const rows = sections.flatMap((section) => section.rows);
  const unheld = rows.filter(
    ({ id }) => !tests.some(({ ids }) => ids.includes(id)),
  );
  const count = tests.reduce((sum, test) => sum + (test.count ?? 1), 0);
  return `${[
    "# Conformance",
    "What the specifications ask of a browser-based public client and which attacks it has to withstand, row by row, with the tests that hold it. A test holds a row when its name begins with the row's id. This page is written by `npm run conformance` from the rows in `tests/requirements.mjs` and the names of the tests; `npm test` fails when a row has no test, when a test names no row, and when this page is not what would be written.",
    `${rows.length} rows: ${rows.length - unheld.length} held by ${count} tests, ${unheld.length} by a document, because no test can.`,
    "The level is the clause's own word; *own* is a defence of ours that no clause demands. Where a test runs: *native* is Rust on the machine, *wasm* the same code in browsers, and engines alone are whole pages, end to end.",
    ...sections.map((section) => sectionOf(section, tests)),
  ].join("\n\n")}\n`;
}

function sectionOf({ title, rows }, tests) {
  return [
    `## ${title}`,
    [
      "| row | what it says | clause | level | held by |",
      "|---|---|---|---|---|",
      ...rows.map((row) => lineOf(row, tests)),
    ].join("\n"),
  ].join("\n\n");
}

function lineOf({ id, says, clause, level, documented }, tests) {
  const holding = tests
    .filter(({ ids }) => ids.includes(id))
    .map(({ name, file, where }) => `[${shown(name)}](../${file}) (${where})`);
  if (documented) {
    const [file, heading] = documented.split("#");
    const anchor = heading.toLowerCase().replace(/[^\w -]/g, "");
    holding.push(
      `documented: [${heading}](../${file}#${anchor.replaceAll(" ", "-")})`,
    );
  }
  return `| ${[id, says, clause, level, holding.join("<br>")].join(" | ")} |`;
}

/** As code; what cannot be that is text. */
const shown = (name) =>
  /[`|\\]/.test(name) ? name.replace(/[|[\]<>_*`\\]/g, "\\$&") : `\`${name}\``;

async function filesOf(folder) {
  const entries = await readdir(inCheckout(folder), {
    recursive: true,
    withFileTypes: true,
  });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) =>
      relative(root, join(parentPath, name)).split(sep).join("/"),
    )
    .sort();
}

/** A file; one that is not there is empty. */
const text = (file) => readFile(inCheckout(file), "utf8").catch(() => "");
