const secretNames = new Set([
  "access_token",
  "code",
  "code_verifier",
  "id_token",
  "id_token_hint",
  "nonce",
  "refresh_token",
  "state",
  "token",
]);

// As long as a secret, and meant to be seen: step 2 shows that it can be.
const publicNames = new Set(["code_challenge"]);

/** Enough of a secret to recognise it by, never enough to use it. */
export function abbreviate(value: string): string {
  return value.length > 20
    ? `${value.slice(0, 6)}…${value.slice(-3)}`
    : `${value.slice(0, 2)}…`;
}

export function shorten(value: string): string {
  return `${abbreviate(value)} (${value.length} chars)`;
}

/** A parameter as it may be shown: secrets by their name, and whatever is as long as a token. */
export function shown(name: string, value: string): string {
  if (publicNames.has(name)) return value;
  return secretNames.has(name) || looksSecret(value) ? shorten(value) : value;
}

/** A document with every secret shortened, at any depth. */
export function redact(value: unknown, name = ""): unknown {
  if (typeof value === "string") return shown(name, value);
  if (Array.isArray(value)) return value.map((item) => redact(item, name));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, redact(item, key)]),
  );
}

function looksSecret(value: string): boolean {
  return value.length >= 32 && /^[\w.~+/=-]+$/.test(value);
}
