// Answers that are no JSON document, or not one that anybody should read, at whatever endpoint: by form, by size, by
// status, by time (RFC 8259 §2, §4, §8.1, §9; RFC 9110 §8.4, §15; RFC 9700 §4.12).

import { gzipSync } from "node:zlib";
import {
  answered,
  drip,
  ignored,
  instead,
  late,
  page,
  refused,
  spelled,
  unreachable,
  withHeaders,
  withStatus,
} from "./words.mjs";

const first = (member) => spelled((text) => text.replace("{", `{${member},`));
const nested = (depth) => first(`"x":${"[".repeat(depth)}${"]".repeat(depth)}`);
const filled = (length) => first(`"x":"${"x".repeat(length)}"`);
const members = (count) =>
  first(Array.from({ length: count }, (_, at) => `"x${at}":1`).join());
const bytes = (change) => spelled((text) => change(Buffer.from(text)));
const squeezed = (change) => (honest, scene) => {
  const { json, text = JSON.stringify(json) } = change(honest, scene);
  const headers = { "content-encoding": "gzip" };
  return { type: "application/json", headers, text: gzipSync(text) };
};
const same = (honest) => honest;

/** By problem: `[name, lie, twin]`. */
const forms = {
  not_json: [
    ["as a page", page()],
    ["as a page that says it is JSON", spelled(() => "<!doctype html>hello")],
    ["as words", instead({ text: "no such thing" })],
    ["cut short", spelled((text) => text.slice(0, -1))],
    ["that goes on", spelled((text) => `${text} x`)],
    ["that is given twice", spelled((text) => text + text)],
    ["in a list", spelled((text) => `[${text}]`)],
    ["in a text", spelled((text) => JSON.stringify(text))],
    ["as a number", spelled(() => "7")],
    ["as null", spelled(() => "null")],
    ["as true", spelled(() => "true")],
    ["in single quotes", spelled((text) => text.replace(/"/g, "'"))],
    ["with a comma too many", spelled((text) => text.replace(/}$/, ",}"))],
    [
      "with a comment",
      first("/* x */"),
      ["one with blanks", spelled((text) => `\r\n\t${text} \n`)],
    ],
    [
      "with a number that is none",
      first('"x":NaN'),
      ["one with a number in all its parts", first('"x":-1.5e+300')],
    ],
    [
      "with a control character",
      first('"x":"\u0001"'),
      ["one that escapes it", first('"x":"\\u0001"')],
    ],
    [
      "with half a surrogate pair",
      first('"x":"\\ud800"'),
      ["one with both", first('"x":"\\ud83d\\ude00"')],
    ],
    [
      "with a name twice",
      first('"x":1,"x":2'),
      ["one with a name once", first('"x":1')],
    ],
    [
      "with its first name twice",
      spelled((text) => text.replace(/^{("\w+"):/, "{$1:7,$1:")),
    ],
    ["with a byte order mark", spelled((text) => `\ufeff${text}`)],
    ["in UTF-16", bytes((bytes) => Buffer.from(`${bytes}`, "utf16le"))],
    ["nested 10000 deep", nested(10_000), ["one nested 20 deep", nested(20)]],
    ["of 5000 members", members(5000), ["one of 500", members(500)]],
  ],
  empty: [
    ["with nothing in it", spelled(() => "")],
    ["of blanks", spelled(() => " \r\n\t ")],
  ],
  too_large: [
    [
      "of five megabytes",
      filled(5 << 20),
      ["one of half of one", filled(1 << 19)],
    ],
    [
      "with five megabytes of blanks",
      spelled((text) => text + " ".repeat(5 << 20)),
    ],
    [
      "that swells to thirty megabytes",
      squeezed(filled(30 << 20)),
      ["one that swells to itself", squeezed(same)],
    ],
  ],
};

const statuses = [201, 202, 203, 206, 300, 404, 410, 418, 500, 501, 502, 503];
const redirects = [301, 302, 303, 307, 308];

const cutOff = (_, { res }) => {
  res.writeHead(200, { "content-length": 100 });
  res.write('{"x":');
  setTimeout(() => res.destroy(), 20);
  return null;
};
const redirected =
  (status, where) =>
  (honest, { evil, req }) => ({
    ...honest,
    status,
    headers: { location: where === "evil" ? evil.address + req.url : where },
  });

/** What one reader of all answers makes of them is told at one endpoint in full, and at the others in short. */
const short =
  /^(as a page|in a list|with a name twice|nested|with nothing|of five|that swells|with 50[03]|behind a 30[27]|cut|that is a cut|that never|that is no UTF-8)/;

/** The rows of an endpoint whose answer is called so; `more` goes to each of them. */
export function documentRows(requirement, endpoint, what, more) {
  const tell = (said) => said && { [endpoint]: said };
  const row = (name, lie, expected, twin, extra) =>
    endpoint === "token" || short.test(name)
      ? refused(
          requirement,
          [`${what} ${name}`, tell(lie)],
          expected,
          twin && [twin[0], tell(twin[1])],
          { ...more, ...extra },
        )
      : [];
  const quickly = { given: { options: { timeout: 1 } }, toNobody: false };
  return [
    Object.entries(forms).flatMap(([problem, lies]) =>
      lies.map(([name, lie, twin]) =>
        row(name, lie, answered(endpoint, 200, problem), twin),
      ),
    ),
    statuses.map((status) =>
      row(
        ...[`with ${status} before it`, withStatus(status)],
        answered(endpoint, status, "status"),
      ),
    ),
    redirects.map((status) =>
      row(
        ...[`behind a ${status} to somebody else`, redirected(status, "evil")],
        unreachable(endpoint),
      ),
    ),
    row(
      ...["behind a 302 to another place", redirected(302, "/elsewhere")],
      unreachable(endpoint),
    ),
    row("cut off in the middle", cutOff, unreachable(endpoint)),
    row("that is a cut connection", "reset", unreachable(endpoint), undefined, {
      often: { [endpoint]: Infinity },
    }),
    row("that never comes", "hang", late(endpoint), undefined, quickly),
    row("that comes drop by drop", drip, late(endpoint), undefined, quickly),
    row(
      "that is no UTF-8",
      bytes((bytes) =>
        Buffer.concat([
          bytes.subarray(0, 1),
          Buffer.from('"x":"'),
          Buffer.from([0xe9]),
          Buffer.from('",'),
          bytes.subarray(1),
        ]),
      ),
      answered(endpoint, 200, "not_json"),
      ["one that is", first('"x":"é"')],
    ),
    ignored(
      requirement,
      [
        `${what} that pollutes prototypes`,
        tell(
          first(
            '"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}',
          ),
        ),
      ],
      more,
    ),
    ignored(
      "TK2",
      [
        `a cookie with ${what}`,
        tell(withHeaders({ "set-cookie": "sid=7; Max-Age=600" })),
      ],
      more,
    ),
  ].flat(2);
}
