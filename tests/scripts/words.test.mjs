import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { inCheckout } from "../../scripts/checkout.mjs";

// What tests/error_codes.rs cannot see from Rust: what one side has too much, the members of details, and the tables of
// docs/errors.md.

const read = (path) => readFile(inCheckout(path), "utf8");
const [types, guard, errors, protocolErrors, sessionErrors, state, loop] =
  await Promise.all(
    [
      "pkg-template/src/types.ts",
      "pkg-template/src/guard.ts",
      "docs/errors.md",
      "src/protocol/error.rs",
      "src/session/error.rs",
      "src/session/state.rs",
      "src/session/login_loop.rs",
    ].map(read),
  );

/** The text between two marks, both of which have to be there. */
function between(text, from, to) {
  const start = text.indexOf(from);
  assert.ok(start >= 0, `${from} is not there`);
  const end = text.indexOf(to, start + from.length);
  assert.ok(end >= 0, `${from} has no end`);
  return text.slice(start + from.length, end);
}

const withoutComments = (code) => code.replace(/\/\*\*[^]*?\*\//g, "");
const words = (code, pattern) =>
  [...code.matchAll(pattern)].map(([, word]) => word).sort();
const literals = (code) => words(code, /"([^"]+)"/g);
const union = (name) =>
  literals(withoutComments(between(types, `export type ${name} =`, ";")));
const spellings = (source, name) =>
  words(
    between(between(source, `impl ${name} {`, "\n}"), "fn as_str", "\n    }"),
    /=> "([^"]+)"/g,
  );

/** Details by code: the source of each type. */
const details = new Map(
  withoutComments(between(types, "export interface AuthErrorDetails {", "\n}"))
    .split(/^ {2}readonly (?=\w+:)/m)
    .slice(1)
    .map((member) => [member.slice(0, member.indexOf(":")), member]),
);
const literalsOf = (code, member) =>
  literals(between(`${details.get(code)};`, `${member}:`, ";"));

test("a union of types.ts has what Rust has, and what only the facade tells", () => {
  for (const [name, source, facade = []] of [
    ["SignedOutReason", state, ["unavailable"]],
    ["WarningCode", state, ["logout_unconfirmed"]],
    ["Endpoint", protocolErrors],
    ["IdTokenProblem", protocolErrors],
  ]) {
    const rust = { WarningCode: "Warning" }[name] ?? name;
    assert.deepEqual(
      union(name),
      [...spellings(source, rust), ...facade].sort(),
      name,
    );
  }
  for (const [code, member, source, rust] of [
    ["invalid_metadata", "problem", protocolErrors, "MetadataProblem"],
    ["stale_callback", "problem", sessionErrors, "StaleProblem"],
    ["login_loop", "likely", loop, "LikelyCause"],
  ])
    assert.deepEqual(literalsOf(code, member), spellings(source, rust), code);
});

test("details have the members that Rust gives them", () => {
  const kinds = between(sessionErrors, "pub fn details(&self)", "\n    }");
  const ofProtocol = between(sessionErrors, "fn protocol_details(", "\n}");
  const arms = `${kinds}\n${ofProtocol}`
    .split(/(?:ErrorKind|ProtocolError)::(?=\w+[ ({])/)
    .slice(1)
    .filter((arm) => !arm.startsWith("Protocol("));
  const response = words(
    between(sessionErrors, "fn response_details(", "\n}"),
    /\("(\w+)"/g,
  );
  assert.deepEqual(response, ["error", "error_description", "error_uri"]);
  const codes = new Set();
  for (const arm of arms) {
    const [variant] = arm.match(/^\w+/);
    const name = variant.replace(/\B[A-Z]/g, "_$&").toLowerCase();
    const code = details.has(name) ? name : `${name}_error`;
    assert.ok(details.has(code), variant);
    codes.add(code);
    const rust = [
      ...words(arm, /\.\w+\(\s*"(\w+)"/g),
      ...(/response_details\(/.test(arm) ? response : []),
    ].sort();
    const type = details.get(code);
    const typescript = [
      ...words(type.slice(code.length), /readonly (\w+):/g),
      ...(/(: |Partial<)OAuthErrorResponse\b(?! \|)/.test(type)
        ? response
        : []),
    ].sort();
    assert.deepEqual(typescript, rust, code);
  }
  assert.equal(codes.size, arms.length);
  // The rest is told by the facade alone.
  assert.deepEqual(
    [...details.keys()].filter((code) => !codes.has(code)).sort(),
    ["aborted", "disposed", "forbidden_origin"],
  );
});

/** The first column of the tables of a part of docs/errors.md. */
const table = (from, to) =>
  words(between(`${errors}\n# `, from, to), /^\| `([^`]+)` \|.*$(?!\n\|-)/gm);
/** The names that its list begins with. */
const list = (from) => words(between(errors, from, "\n## "), /^- `([^`]+)`:/gm);

test("docs/errors.md has every code, reason, warning and word, and no other", () => {
  const faults = between(errors, "| whose fault | codes |", "\n\n");
  assert.deepEqual(
    words(faults, /`(\w+)`/g),
    [...details.keys()].sort(),
    "whose fault",
  );
  assert.deepEqual(table("\n# Warnings", "\n# "), union("WarningCode"));
  assert.deepEqual(table("\n# Reasons", "\n# "), union("SignedOutReason"));
  assert.deepEqual(
    table("\n## login_loop", "\n## "),
    literalsOf("login_loop", "likely"),
  );
  assert.deepEqual(
    list("\n## unsupported_environment"),
    literalsOf("unsupported_environment", "missing"),
  );
  assert.deepEqual(
    list("\n## wasm_load_failed"),
    literalsOf("wasm_load_failed", "problem"),
  );
});

test("docs/errors.md says for which reasons a guard starts a login", () => {
  const yes = words(
    between(`${errors}\n# `, "\n# Reasons", "\n# "),
    /^\| `(\w+)` \|.*\| yes \|$/gm,
  );
  assert.deepEqual(yes, literals(between(guard, "const MAY_LOGIN", "];")));
});
