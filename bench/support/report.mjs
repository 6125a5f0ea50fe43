import { markdown, quartiles, spread } from "./figures.mjs";

/** A number as it is read. */
export const words = (number, digits) =>
  number.toLocaleString("en", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });

/** The page without an SDK, then the best first; who has no number last. */
export function ranked(rows, better) {
  const sign = better === "more" ? -1 : 1;
  const place = ({ version, numbers }) => {
    if (numbers.length === 0) return Infinity;
    return version === "" ? -Infinity : sign * quartiles(numbers).middle;
  };
  return [...rows].sort((a, b) => {
    const [one, other] = [place(a), place(b)];
    return one === other ? 0 : one - other;
  });
}

/** The results of a measure as Markdown, a table for each group. */
export function tables(result) {
  const { groups, missing } = result;
  const parts = groups.map((group) => {
    const heading = group.name ? `#### ${named(group)}\n\n` : "";
    const notes = absent([...missing, ...(group.missing ?? [])]);
    const body = group.lines ? curves(result, group) : table(result, group);
    return `${heading}${body}${notes && `\n\n${notes}`}`;
  });
  return `### ${named(result)}\n\n${parts.join("\n\n")}`;
}

/** What a measure or a group is called, with its unit. */
export const named = ({ title, name = title, unit }) =>
  unit ? `${name} (${unit})` : name;

function curves({ digits }, { across, lines }) {
  const sizes = lines[0].points.map(({ at }) => at);
  const rows = lines.map(({ name, points }) => [
    name,
    ...points.map(({ numbers }) => spread(numbers, digits)),
  ]);
  return markdown(["", ...sizes.map((size) => `${size} ${across}`)], rows);
}

/** Who has no row, and why. */
export const absent = (missing) =>
  missing.length === 0
    ? ""
    : `Not measured: ${missing.map(({ name, reason }) => `${name} (${reason})`).join("; ")}.`;

function table({ digits, better }, { rows }) {
  const single = rows.every(({ numbers }) => numbers.length < 2);
  const spread = ["least", "lower quartile", "upper quartile", "most"];
  const more = [...new Set(rows.flatMap((row) => Object.keys(row.more)))];
  const head = ["", "median", ...(single ? [] : spread), ...more];
  const cells = ranked(rows, better).map(
    ({ name, version, numbers, ...row }) => {
      const { least, lower, middle, upper, most } = quartiles(numbers);
      const figures = [middle, ...(single ? [] : [least, lower, upper, most])];
      return [
        `${name} ${version}`.trim(),
        ...figures.map((figure) =>
          numbers.length === 0 ? "–" : words(figure, digits),
        ),
        ...more.map((key) => cell(row.more[key])),
      ];
    },
  );
  return markdown(head, cells);
}

const cell = (value) =>
  typeof value === "number" ? words(value, 0) : (value ?? "–");
