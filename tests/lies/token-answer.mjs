// Lies of the token endpoint (RFC 6749 §4.1.4, §5.1, §5.2, §7.1, App. A; OIDC Core §3.1.3.3, §3.1.3.4).

import { documentRows } from "./documents.mjs";
import {
  answered,
  idToken,
  ignored,
  instead,
  member,
  oauthError,
  refused,
  withStatus,
  written,
} from "./words.mjs";

const has = (name, value) => ({ token: member(name, value) });
const writes = (members) => ({ token: written(members) });
const lie = (requirement, words, telling, problem, twin, more) =>
  refused(
    requirement,
    [`a token answer ${words}`, telling],
    typeof problem === "string" ? answered("token", 200, problem) : problem,
    twin,
    more,
  );

const types = {
  number: 7,
  boolean: true,
  object: { x: "y" },
  list: ["Bearer"],
};
const ofTypes = (requirement, name, ...twin) =>
  Object.entries(types).map(([type, value]) =>
    lie(
      ...[requirement, `with a ${type} as ${name}`, has(name, value)],
      ...[name, ...twin],
    ),
  );
const absent = (requirement, name) =>
  Object.entries({ no: undefined, "null as": null, "an empty": "" }).map(
    ([words, value]) =>
      lie(requirement, `with ${words} ${name}`, has(name, value), name),
  );

const accessToken = [
  ...absent("TK3", "access_token"),
  ...ofTypes("TK3", "access_token"),
  ...Object.entries({
    "a line break in": "at-x\r\nX-Evil: 1",
    "a NUL in": "at-x\0",
    "letters beyond ASCII in": "at-ü",
  }).map(([words, value]) =>
    lie(
      ...["TK3", `with ${words} its access_token`],
      ...[has("access_token", value), "access_token"],
      [
        "one with every printable character in it",
        has(
          "access_token",
          (token) => `${token}~!"#$%&'()*+,/:;<=>?@[\\]^\`{|}`,
        ),
      ],
    ),
  ),
];

const bearer = ["one of the type bEARER", has("token_type", "bEARER")];
const tokenType = [
  ...absent("TK3", "token_type"),
  ...ofTypes("TK3", "token_type"),
  ...[
    "mac",
    "N_A",
    "DPoP",
    "pop",
    "Bearer ",
    "Bearer,DPoP",
    "Bearer token",
  ].map((type) =>
    lie(
      "TK3",
      `of the type ${JSON.stringify(type)}`,
      has("token_type", type),
      "token_type",
      bearer,
    ),
  ),
];

const lives = [
  "one that lives 300 seconds in a text",
  has("expires_in", "300"),
];
const unsaid = ["one that does not say how long", has("expires_in", undefined)];
const lifetime = [
  ...Object.entries({
    "-1": -1,
    "a text of less than nothing": "-1",
    "an empty text": "",
    "a text": "soon",
    "a text of a fraction": "1.5",
    "a text with a blank": " 300",
    "a text of a power": "1e3",
    "a text of a number beyond all": "9".repeat(40),
  }).map(([words, value]) =>
    lie(
      "TK4",
      `that lives ${words}`,
      has("expires_in", value),
      "expires_in",
      lives,
    ),
  ),
  ...Object.entries({
    "a boolean": true,
    "an object": {},
    "a list": [300],
    "ten million years": 1e15,
  }).map(([words, value]) =>
    lie(
      "TK4",
      `that lives ${words}`,
      has("expires_in", value),
      "expires_in",
      unsaid,
    ),
  ),
  ...["1e400", "1e308", "99999999999999999999", "-0.5e20"].map((number) =>
    lie(
      "TK4",
      `that lives ${number}`,
      writes({ expires_in: number }),
      "expires_in",
      ["one that lives 3e2", writes({ expires_in: "3e2" })],
    ),
  ),
];

const scope = [
  ...ofTypes("TK5", "scope"),
  ...Object.entries({
    "a quote in": 'openid "x"',
    "a backslash in": "openid \\x",
    "a tab in": "openid\temail",
    "a line break in": "openid\nemail",
    "letters beyond ASCII in": "openid ü",
  }).map(([words, value]) =>
    lie("TK5", `with ${words} its scope`, has("scope", value), "scope", [
      "one with an empty scope",
      has("scope", ""),
    ]),
  ),
];

const refreshToken = [
  ...ofTypes("TK3", "refresh_token", [
    "one without",
    has("refresh_token", undefined),
  ]),
  lie(
    ...["TK3", "with a line break in its refresh_token"],
    ...[has("refresh_token", "rt-x\ny"), "refresh_token"],
  ),
];

const missing = idToken("id_token", "missing");
const token = [
  ...ofTypes("ID1", "id_token"),
  ...Object.entries({ "a line break": "\n", "a NUL": "\0", "an ü": "ü" }).map(
    ([words, character]) =>
      lie(
        ...["ID1", `with ${words} behind its id_token`],
        ...[has("id_token", (token) => token + character), "id_token"],
      ),
  ),
  ...Object.entries({ no: undefined, "null as": null, "an empty": "" }).map(
    ([words, value]) =>
      lie("ID1", `with ${words} id_token`, has("id_token", value), missing),
  ),
  lie(
    ...["ID20", "whose id_token is its access token"],
    {
      token: (honest) => ({
        ...honest,
        json: { ...honest.json, id_token: honest.json.access_token },
      }),
    },
    idToken("id_token", "malformed"),
  ),
];

// ── Refusals ────────────────────────────────────────────────────────────────

const refusal = (error, more) => (status) =>
  oauthError("token_error", { error, status, ...more });
const none = (status) => answered("token", status, "status");

/** What stands in the body of a refusal, and what is told of it. */
const bodies = {
  "an OAuth error": [{ error: "invalid_client" }, refusal("invalid_client")],
  "an OAuth error with all its members": [
    {
      error: "invalid_grant",
      error_description: "who <b>are</b> you?",
      error_uri: "https://id.example/errors",
      trace_id: "7",
    },
    refusal("invalid_grant", {
      error_description: "who <b>are</b> you?",
      error_uri: "https://id.example/errors",
    }),
  ],
  "an error that nobody knows": [{ error: "no_mood" }, refusal("no_mood")],
  "an error in words": [
    { error: "Access denied for this resource", refnumber: "7" },
    refusal("Access denied for this resource"),
  ],
  "an error in an object": [
    {
      success: false,
      status: 400,
      error: { code: 24007, error: "invalid token passed" },
    },
    refusal("invalid token passed"),
  ],
  "an error whose words are numbers": [
    { error: "invalid_grant", error_description: 7, error_uri: [] },
    refusal("invalid_grant"),
  ],
  "an error that is a number": [{ error: 7 }, none],
  "an error that is a list": [{ error: ["invalid_grant"] }, none],
  "an object without an error": [{ message: "no" }, none],
  "a list": [["invalid_grant"], none],
  "a text": ["invalid_grant", none],
};
const texts = {
  "a page": ["text/html", "<h1>no</h1>"],
  "a page that says it is JSON": ["application/json", "<h1>no</h1>"],
  "plain words": ["text/plain", "no"],
  "half a document": ["application/json", '{"error":'],
  "an empty body": ["application/json", ""],
  "an empty body of no type": [null, ""],
};
const refusals = [400, 401, 403, 429, 503].flatMap((status) => [
  ...Object.entries(bodies).map(([words, [json, told]]) =>
    lie(
      ...["TK8", `with ${status} and ${words}`],
      { token: instead({ status, json }) },
      told(status),
    ),
  ),
  ...Object.entries(texts).map(([words, [type, text]]) =>
    lie(
      ...["TK8", `with ${status} and ${words}`],
      { token: instead({ status, type, text }) },
      none(status),
    ),
  ),
  lie(
    ...["TK8", `with ${status} and good tokens`],
    ...[{ token: withStatus(status) }, none(status)],
  ),
]);
const quiet = [
  lie(
    ...["TK8", "with 200 and an OAuth error"],
    { token: instead({ json: { error: "invalid_grant" } }) },
    refusal("invalid_grant")(200),
  ),
  lie(
    ...["TK8", "with good tokens and an OAuth error"],
    ...[has("error", "invalid_grant"), refusal("invalid_grant")(200)],
  ),
];

const harmless = [
  ["without a scope", has("scope", undefined)],
  ["with members that nobody knows", has("user", { sub: "root", more: [1] })],
  ["with claims of its own", has("sub", "root")],
  [
    "that is said to be text",
    { token: (honest) => ({ ...honest, type: "text/plain" }) },
  ],
  [
    "that is said to be nothing",
    { token: (honest) => ({ ...honest, type: null }) },
  ],
  [
    "with a access token of 16 kB",
    has("access_token", (token) => token.padEnd(16_384, "x")),
  ],
].map(([words, telling]) =>
  ignored("TK6", [`a token answer ${words}`, telling]),
);

export const rows = [
  ...documentRows("TK7", "token", "a token answer"),
  ...accessToken,
  ...tokenType,
  ...lifetime,
  ...scope,
  ...refreshToken,
  ...token,
  ...refusals,
  ...quiet,
  ...harmless,
].map((row) => ({ sent: ["token", "jwks"], ...row }));
