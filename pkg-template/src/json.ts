/** Taken when the package is loaded: what a script puts in its place later sees nothing of ours. */
const { parse } = JSON;

/** Reads a document; without `__proto__`, which would be the prototype of whatever its members are assigned to. */
export function parseJson(text: string): unknown {
  return parse(text, (name, value: unknown) =>
    name === "__proto__" ? undefined : value,
  );
}
