import { markdown, quartiles } from "./figures.mjs";
import { words } from "./report.mjs";

/** The one that the others are compared with. */
const ours = "countersign";

/**
 * One table of all results: a line for each group of rows, a column for each contestant, the medians, and in bold what is
 * ahead of ours.
 */
export function summary(results) {
  const lines = results.flatMap((result) =>
    result.groups
      .filter(({ rows }) => rows)
      .map((group) => ({ ...result, group })),
  );
  const columns = new Map();
  for (const { group } of lines)
    for (const { name, version } of group.rows)
      if (!columns.has(name)) columns.set(name, `${name} ${version}`.trim());
  const cells = lines.map(({ title, unit, digits, better, group }) => {
    const medianOf = (name) => {
      const { numbers = [] } =
        group.rows.find((row) => row.name === name) ?? {};
      return numbers.length > 0 ? quartiles(numbers).middle : undefined;
    };
    const sign = better === "more" ? -1 : 1;
    const own = medianOf(ours);
    const label = group.name ? `${title}: ${group.name}` : title;
    return [
      `${label} (${unit})`,
      ...[...columns.keys()].map((name) => {
        const median = medianOf(name);
        if (median === undefined) return "–";
        const text = words(median, digits);
        const peer = !name.startsWith(ours) && name !== "blank";
        return peer && sign * median < sign * own ? `**${text}**` : text;
      }),
    ];
  });
  return markdown(["", ...columns.values()], cells);
}
