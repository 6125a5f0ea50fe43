/** Rows of cells as text, the first columns (of words) to the left and the others to the right. */
export function aligned(rows, words = 1) {
  const widths = rows[0].map((_, column) =>
    Math.max(...rows.map((row) => String(row[column]).length)),
  );
  const pad = (cell, column) =>
    column < words
      ? String(cell).padEnd(widths[column])
      : String(cell).padStart(widths[column]);
  return rows.map((row) => row.map(pad).join("  ")).join("\n");
}
