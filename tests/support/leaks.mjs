// Finds a secret in a text: plain, URL-encoded, in base64 or backwards, and any piece of it that is long enough.

/** So many characters of a secret in a row are a leak. */
const WINDOW = 16;

/** The first place of a text where one of these secrets shows; `undefined` where none does. */
export function leakIn(text, secrets) {
  const pieces = new Map();
  for (let at = 0; at + WINDOW <= text.length; at += 1)
    pieces.set(text.slice(at, at + WINDOW), at);
  for (const secret of [...secrets].filter(Boolean))
    for (const spelling of spellings(secret))
      for (let at = 0; at + WINDOW <= spelling.length; at += 1) {
        const found = pieces.get(spelling.slice(at, at + WINDOW));
        if (found !== undefined)
          return `…${text.slice(Math.max(0, found - 80), found + 80)}…`;
      }
  return undefined;
}

/** A secret in every spelling in which it could slip out. */
function spellings(secret) {
  const bytes = Buffer.from(secret);
  const escaped = [...bytes].map(
    (byte) => `%${byte.toString(16).padStart(2, "0")}`,
  );
  // In base64 a text looks different by where it begins; the edges mix with what stands around.
  const shifted = [0, 1, 2].flatMap((shift) => {
    const shifted = Buffer.concat([Buffer.alloc(shift), bytes]);
    return ["base64", "base64url"].map((encoding) =>
      shifted.toString(encoding).replace(/=+$/, "").slice(4, -4),
    );
  });
  return [
    secret,
    encodeURIComponent(secret),
    escaped.join(""),
    escaped.join("").toUpperCase(),
    bytes.toString("hex"),
    [...secret].reverse().join(""),
    ...shifted,
  ];
}
