/** The middle one of some numbers. */
export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1
    ? sorted[Math.floor(middle)]
    : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** `"12"`, or `"1–10"` where repeats differ. */
export function range(numbers, digits = 0) {
  if (numbers.length === 0) return "–";
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)].map((n) =>
    n.toFixed(digits),
  );
  return least === most ? least : `${least}–${most}`;
}

/** The median, and the spread in brackets. */
export function spread(numbers, digits = 0) {
  if (numbers.length === 0) return "–";
  const middle = median(numbers).toFixed(digits);
  return numbers.length === 1
    ? middle
    : `${middle} (${range(numbers, digits)})`;
}

/** A Markdown table; the first columns (of words) to the left and the others to the right. */
export function markdown(head, rows, words = 1) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const marks = head.map((_, column) => (column < words ? "---" : "--:"));
  return [head, marks, ...rows].map(line).join("\n");
}

/** Least, quartiles (between neighbours where need be) and most of some numbers. */
export function quartiles(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (part) => {
    const place = part * (sorted.length - 1);
    const [below, above] = [Math.floor(place), Math.ceil(place)];
    return sorted[below] + (sorted[above] - sorted[below]) * (place - below);
  };
  const [least, lower, middle, upper, most] = [0, 0.25, 0.5, 0.75, 1].map(at);
  return { least, lower, middle, upper, most };
}
