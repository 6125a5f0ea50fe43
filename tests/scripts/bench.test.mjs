import assert from "node:assert/strict";
import { test } from "node:test";
import { beaten } from "../../bench/race.mjs";
import { spoiled } from "../../bench/support/answers.mjs";
import { quartiles } from "../../bench/support/figures.mjs";
import { page } from "../../bench/support/plot.mjs";
import { ranked, tables } from "../../bench/support/report.mjs";
import { longestChain } from "../../bench/support/rounds.mjs";
import { summary } from "../../bench/support/summary.mjs";
import { inTurns } from "../../bench/support/turns.mjs";

const request = (url, begin, end, preflight = false) => ({
  url,
  begin,
  end,
  preflight,
});

test("requests side by side are one round trip, and a preflight is one more", () => {
  assert.equal(longestChain([]), 0);
  const discovery = request("/discovery", 0, 50);
  const token = request("/token", 51, 101);
  const keys = request("/jwks", 52, 102);
  assert.equal(longestChain([token, keys]), 1);
  assert.equal(longestChain([keys, token, discovery]), 2);
  const preflight = request("/token", 51, 80, true);
  assert.equal(longestChain([discovery, token, preflight]), 3);
});

test("quartiles lie between neighbours where need be", () => {
  assert.deepEqual(quartiles([4, 1, 3, 2]), {
    least: 1,
    lower: 1.75,
    middle: 2.5,
    upper: 3.25,
    most: 4,
  });
  assert.deepEqual(new Set(Object.values(quartiles([7]))), new Set([7]));
});

test("a spoiled ID Token has another signature of the same length", () => {
  const signature = Buffer.from("0123456789").toString("base64url");
  const answer = { id_token: `e30.e30.${signature}`, scope: "openid" };
  const { id_token, scope } = spoiled(answer);
  assert.equal(scope, "openid");
  assert.equal(id_token.length, answer.id_token.length);
  assert.notEqual(id_token, answer.id_token);
  assert.ok(id_token.startsWith("e30.e30."));
});

test("who has lost every tab twice and kept none is spared more races of the kind, but runs each once", () => {
  const lost = { valid: 0 };
  const kept = { valid: 9 };
  assert.equal(beaten([], []), false);
  assert.equal(beaten([lost], []), false);
  assert.equal(beaten([lost, lost], []), true);
  assert.equal(beaten([], [lost, lost]), false);
  assert.equal(beaten([lost], [lost, lost]), true);
  assert.equal(beaten([lost, lost], [lost, kept]), false);
  assert.equal(beaten([lost, kept], [lost, lost]), false);
});

test("whoever begins a round is last in the next, and who failed is out", async () => {
  const seen = [];
  const failed = new Map();
  const step = ({ run }) => run(() => {});
  const all = ["a", "b", "c"].map((name) => ({ name }));
  const how = { rounds: 2, name: "test", step, failed };
  await inTurns(all, how, async ({ name }) => {
    seen.push(name);
    if (name === "c") throw new Error("no\nmore");
  });
  assert.deepEqual(seen, ["a", "b", "c", "b", "a"]);
  assert.deepEqual([...failed], [["c", "no"]]);
});

const row = (name, version, ...numbers) => ({
  name,
  version,
  numbers,
  more: { requests: numbers.length },
});
const result = {
  measure: "startup",
  title: "A & B",
  unit: "ms",
  digits: 1,
  better: "less",
  date: "2026-01-01",
  machine: "two cores",
  quick: false,
  missing: [{ name: "other", reason: "it has none" }],
  groups: [
    {
      name: "cold",
      rows: [
        row("none", "3"),
        row("slow", "1", 30, 10, 1234.56),
        row("blank", "", 50),
        row("quick", "2", 2, 4),
      ],
    },
  ],
};

test("the table has the best first, the page without an SDK before it and who has no number last", () => {
  const [{ rows }] = result.groups;
  const names = (better) => ranked(rows, better).map(({ name }) => name);
  assert.deepEqual(names("less"), ["blank", "quick", "slow", "none"]);
  assert.deepEqual(names("more"), ["blank", "slow", "quick", "none"]);
  const text = tables(result);
  assert.match(text, /^\| slow 1 \| 30\.0 \| 10\.0 .* 1,234\.6 \| 3 \|$/m);
  assert.match(text, /^\| none 3 \| – \|/m);
  assert.match(text, /Not measured: other \(it has none\)\./);
});

test("the plot has a bar for everybody who has a number, in proportion", () => {
  const html = page([result]);
  assert.match(html, /A &#38; B/);
  const widths = [...html.matchAll(/class="bar" [^>]*width="([\d.]+)"/g)];
  const [blank, quick, slow] = widths.map(([, width]) => Number(width));
  assert.equal(widths.length, 3);
  assert.ok(Math.abs(blank / slow - 50 / 30) < 0.02);
  assert.ok(quick < slow);
  assert.match(html, /none 3<\/text><text [^>]*>none</);
});

const curves = {
  ...result,
  groups: [
    {
      name: "read",
      unit: "µs",
      across: "tabs",
      lines: [
        {
          name: "linear",
          points: [1, 10, 100].map((at) => ({ at, numbers: [at, 3 * at] })),
        },
        {
          name: "lacking",
          points: [1, 10, 100].map((at) => ({ at, numbers: [] })),
        },
      ],
    },
  ],
};

test("the table of curves has a column for each size", () => {
  const text = tables(curves);
  assert.match(text, /^\|  \| 1 tabs \| 10 tabs \| 100 tabs \|$/m);
  assert.match(text, /^\| linear \| 2\.0 \(1\.0–3\.0\) \| 20\.0 .* \|$/m);
  assert.match(text, /^\| lacking \| – \| – \| – \|$/m);
  assert.match(text, /^#### read \(µs\)$/m);
});

test("the plot draws a curve that is linear as a straight line, and none without numbers", () => {
  const html = page([curves]);
  const drawn = [...html.matchAll(/class="curve" points="([^"]+)"/g)];
  assert.equal(drawn.length, 1);
  const [a, b, c] = drawn[0][1]
    .split(" ")
    .map((point) => point.split(",").map(Number));
  const slope = ([x, y], [u, v]) => (v - y) / (u - x);
  assert.ok(Math.abs(slope(a, b) - slope(b, c)) < 0.02);
  assert.ok(slope(a, c) < 0);
  assert.equal([...html.matchAll(/class="dot"/g)].length, 3);
});

test("the summary has a line for each group, and in bold what is ahead of ours", () => {
  const row = (name, ...numbers) => ({ name, version: "1", numbers });
  const groups = [
    {
      name: "cold",
      rows: [row("countersign", 20), row("peer", 10, 30, 12), row("blank", 1)],
    },
    {
      name: "warm",
      rows: [row("countersign", 5), row("peer", 5), row("late")],
    },
    { name: "grows", lines: [] },
  ];
  const result = { title: "Start", unit: "ms", digits: 0, better: "less" };
  assert.equal(
    summary([{ ...result, groups }]),
    [
      "|  | countersign 1 | peer 1 | blank 1 | late 1 |",
      "| --- | --: | --: | --: | --: |",
      "| Start: cold (ms) | 20 | **12** | 1 | – |",
      "| Start: warm (ms) | 5 | 5 | – | – |",
    ].join("\n"),
  );
  const more = [{ name: "", rows: [row("countersign", 20), row("peer", 10)] }];
  const speed = { ...result, better: "more", groups: more };
  assert.match(summary([speed]), /\| Start \(ms\) \| 20 \| 10 \|$/);
});
