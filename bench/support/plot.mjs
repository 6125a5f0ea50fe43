// One page of plots, of what bench/results has.

import { quartiles } from "./figures.mjs";
import { absent, named, ranked } from "./report.mjs";

const row = 26;
const place = { label: 0, bar: 196, width: 400, value: 608, whole: 790 };

/** The page. */
export const page = (results) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>countersign beside other libraries</title>
<style>
:root { color-scheme: light dark; --page: #fff; --ink: #1c2126; --dim: #5b6670; --line: #dde2e7; --bar: #a9bacb; --own: #2f6fb3; --spread: #1c2126; }
@media (prefers-color-scheme: dark) { :root { --page: #14181c; --ink: #e7ebef; --dim: #9aa6b2; --line: #2c343c; --bar: #53687d; --own: #5aa0e6; --spread: #e7ebef; } }
body { margin: 2rem auto; max-width: 50rem; padding: 0 1rem; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin: 2.5rem 0 0; }
p, figcaption { color: var(--dim); margin: 0.3rem 0; } figure { margin: 1rem 0 1.5rem; }
figcaption { color: var(--ink); font-weight: 600; }
svg { width: 100%; height: auto; display: block; font: 12.5px system-ui, sans-serif; fill: var(--ink); }
.grid { stroke: var(--line); } .tick { fill: var(--dim); font-size: 11px; }
.bar { fill: var(--bar); } .own .bar { fill: var(--own); } .own text { font-weight: 600; }
.curve { fill: none; stroke: var(--own); stroke-width: 1.5; } .dot { fill: var(--own); stroke: var(--page); }
.range { stroke: var(--spread); stroke-width: 1.2; } .quartiles { stroke: var(--spread); stroke-width: 4; opacity: 0.75; }
</style>
<h1>countersign beside other libraries</h1>
<p>A bar is a median; the thick line goes from the lower to the upper quartile, the thin one from the least to the most.
How each figure comes about and what it does not say is in bench/README.md.</p>
${results.map(section).join("\n")}
</html>
`;

function section(result) {
  const { better, groups, missing, date, machine, quick } = result;
  const figures = groups.map(
    (group) => `<figure>
${group.name ? `<figcaption>${escaped(named(group))}</figcaption>` : ""}
${group.lines ? curves(group) : chart(group, better)}
<p>${escaped(absent([...missing, ...(group.missing ?? [])]))}</p>
</figure>`,
  );
  const first = groups.some(({ lines }) => lines)
    ? "lower is better"
    : `${better === "more" ? "longer" : "shorter"} bars are better`;
  return `<section id="${result.measure}">
<h2>${escaped(named(result))}; ${first}</h2>
<p>${escaped(`${date}, ${machine}${quick ? "; one short round, so no figure to quote" : ""}`)}</p>
${figures.join("\n")}
</section>`;
}

function chart({ rows }, better) {
  const bars = ranked(rows, better);
  const largest = Math.max(...bars.flatMap(({ numbers }) => numbers), 0);
  const { ticks, end } = scale(largest);
  const x = (number) =>
    (place.bar + (Math.max(0, number) / end) * place.width).toFixed(1);
  const height = bars.length * row + 24;
  const grid = ticks.map(
    (
      tick,
    ) => `<line class="grid" x1="${x(tick)}" x2="${x(tick)}" y1="0" y2="${height - 22}"/>
<text class="tick" x="${x(tick)}" y="${height - 6}" text-anchor="middle">${short(tick)}</text>`,
  );
  return `<svg viewBox="0 0 ${place.whole} ${height}" role="img">
${grid.join("\n")}
${bars.map((one, at) => bar(one, at * row, x)).join("\n")}
</svg>`;
}

function bar({ name, version, numbers }, y, x) {
  const own = name.startsWith("countersign") ? ' class="own"' : "";
  const label = `<text x="${place.label}" y="${y + 17}">${escaped(`${name} ${version}`)}</text>`;
  if (numbers.length === 0)
    return `<g${own}>${label}<text x="${place.bar + 4}" y="${y + 17}">none</text></g>`;
  const { least, lower, middle, upper, most } = quartiles(numbers);
  const centre = y + 13;
  const line = (kind, from, to) =>
    `<line class="${kind}" x1="${x(from)}" x2="${x(to)}" y1="${centre}" y2="${centre}"/>`;
  const spread =
    numbers.length === 1
      ? ""
      : line("range", least, most) + line("quartiles", lower, upper);
  const value =
    short(middle) +
    (numbers.length === 1 ? "" : ` (${short(least)}–${short(most)})`);
  return `<g${own}>${label}
<rect class="bar" x="${place.bar}" y="${y + 4}" width="${(x(middle) - place.bar).toFixed(1)}" height="18" rx="2"/>
${spread}<text x="${place.value}" y="${y + 17}">${value}</text></g>`;
}

/** Lines over what grows, both axes from 0: what is linear is straight. */
function curves({ across, lines }) {
  const [left, right, top, bottom] = [70, 570, 12, 200];
  const points = lines.flatMap((line) => line.points);
  const width = scale(Math.max(...points.map(({ at }) => at)));
  const height = scale(Math.max(...points.flatMap(({ numbers }) => numbers)));
  const x = (at) => (left + (at / width.end) * (right - left)).toFixed(1);
  const y = (number) =>
    (bottom - (number / height.end) * (bottom - top)).toFixed(1);
  const grid = height.ticks.map(
    (
      tick,
    ) => `<line class="grid" x1="${left}" x2="${right}" y1="${y(tick)}" y2="${y(tick)}"/>
<text class="tick" x="${left - 8}" y="${Number(y(tick)) + 4}" text-anchor="end">${short(tick)}</text>`,
  );
  const sizes = [...new Set(points.map(({ at }) => at))];
  const marks = sizes.map(
    (size) =>
      `<text class="tick" x="${x(size)}" y="${bottom + 16}" text-anchor="middle">${short(size)}</text>`,
  );
  const many = lines.length > 1;
  const taken = [];
  const drawn = lines.map((line) => curve(line, x, y, many, taken));
  return `<svg viewBox="0 0 ${place.whole} ${bottom + 38}" role="img">
${grid.join("\n")}
${marks.join("\n")}
<text class="tick" x="${(left + right) / 2}" y="${bottom + 34}" text-anchor="middle">${escaped(across)}</text>
${drawn.join("\n")}
</svg>`;
}

/** `taken` are the heights of the labels that are there: each stands by the end of its line, and in nobody's way. */
function curve({ name, points }, x, y, many, taken) {
  const all = points
    .filter(({ numbers }) => numbers.length > 0)
    .map(({ at, numbers }) => ({ at, ...quartiles(numbers) }));
  if (all.length === 0) return "";
  const path = all.map(({ at, middle }) => `${x(at)},${y(middle)}`).join(" ");
  const dots = all.map(
    ({ at, least, lower, middle, upper, most }) =>
      `<line class="range" x1="${x(at)}" x2="${x(at)}" y1="${y(least)}" y2="${y(most)}"/><line class="quartiles" x1="${x(at)}" x2="${x(at)}" y1="${y(lower)}" y2="${y(upper)}"/><circle class="dot" cx="${x(at)}" cy="${y(middle)}" r="3.5"/>`,
  );
  const { at, middle } = all.at(-1);
  let height = Number(y(middle)) + 4;
  while (taken.some((other) => Math.abs(other - height) < 34)) height += 1;
  taken.push(height);
  const words = all.map((one) => short(one.middle)).join(", ");
  const beside = Number(x(at)) + 12;
  const label = [...(many ? [name] : []), words].map(
    (text, down) =>
      `<text x="${beside}" y="${height + 15 * down}">${escaped(text)}</text>`,
  );
  return `<g class="own"><polyline class="curve" points="${path}"/>${dots.join("")}
${label.join("")}</g>`;
}

/** Four or five round numbers from 0 to beyond the largest. */
function scale(largest) {
  if (largest <= 0) return { ticks: [0], end: 1 };
  const rough = largest / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((one) => one * power >= rough) * power;
  const end = Math.ceil(largest / step) * step;
  const ticks = Array.from(
    { length: Math.round(end / step) + 1 },
    (_, at) => at * step,
  );
  return { ticks, end };
}

const compact = new Intl.NumberFormat("en", {
  notation: "compact",
  maximumSignificantDigits: 3,
});
const short = (number) => compact.format(number);

const escaped = (text) =>
  String(text).replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
