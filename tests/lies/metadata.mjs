// Lies in the metadata of a server (OIDC Discovery §3, §4; RFC 8414 §2, §3; RFC 7636 §4.2; RFC 6749 §3.1).

import { documentRows } from "./documents.mjs";
import { ignored, instead, member, metadata, page, refused } from "./words.mjs";

const has = (name, value) => ({ discovery: member(name, value) });
const lie = (requirement, words, name, value, problem, twin) =>
  refused(
    requirement,
    [`metadata ${words}`, has(name, value)],
    metadata(name, problem),
    twin,
  );

const issuers = {
  "of another issuer": ["https://evil.example", "mismatch"],
  "of its issuer with a slash more": [(issuer) => `${issuer}/`, "mismatch"],
  "of its issuer in capitals": [(issuer) => issuer.toUpperCase(), "mismatch"],
  "of its issuer by https": [
    (issuer) => issuer.replace("http:", "https:"),
    "mismatch",
  ],
  "of its issuer by another name": [
    (issuer) => issuer.replace("127.0.0.1", "localhost"),
    "mismatch",
  ],
  "of its issuer without a port": [
    (issuer) => issuer.replace(/:\d+$/, ""),
    "mismatch",
  ],
  "of its issuer and a blank": [(issuer) => `${issuer} `, "mismatch"],
  "of its issuer with a query": [(issuer) => `${issuer}?`, "mismatch"],
  "of an empty issuer": ["", "mismatch"],
  "without an issuer": [undefined, "missing"],
  "with null as its issuer": [null, "missing"],
  "with a number as its issuer": [7, "malformed"],
  "with its issuer in a list": [(issuer) => [issuer], "malformed"],
  "with an object as its issuer": [{}, "malformed"],
};

/** The least that each endpoint is asked. */
const endpoints = {
  authorization_endpoint: "required",
  token_endpoint: "required",
  jwks_uri: "required",
  userinfo_endpoint: "optional",
  revocation_endpoint: "optional",
  end_session_endpoint: "optional",
};
const unusable = {
  "a number": [7, "malformed"],
  "a relative address": ["/endpoint", "malformed"],
  "a script": ["javascript:alert(1)", "malformed"],
  "an address without TLS": ["http://id.example/", "insecure"],
};
const worse = {
  "a list": [["https://id.example/"], "malformed"],
  "an object": [{ href: "https://id.example/" }, "malformed"],
  "a boolean": [true, "malformed"],
  "an empty text": ["", "malformed"],
  "an address without a scheme": ["//id.example/x", "malformed"],
  "an address of nothing": ["https://", "malformed"],
  "an address without slashes": ["https:id.example", "malformed"],
  "an address with a fragment": ["https://id.example/#x", "malformed"],
  "an address with a user": ["https://user@id.example/", "malformed"],
  "an address with a blank before it": [" https://id.example/", "malformed"],
  "an address with a blank in it": ["https://id.example/a b", "malformed"],
  "an address with a line break in it": ["https://id.example/\n", "malformed"],
  "an address beyond ASCII": ["https://id.example/ü", "malformed"],
  "an address with a backslash": ["https://id.example\\@evil", "malformed"],
  "a document of its own": ["data:application/json,{}", "malformed"],
  "a file": ["file:///etc/passwd", "malformed"],
  "a blob": ["blob:https://id.example/1", "malformed"],
  "a socket": ["wss://id.example/", "malformed"],
  "an address that begins like loopback": [
    "http://127.0.0.1.example/",
    "insecure",
  ],
  "an address that begins like localhost": [
    "http://localhost.example/",
    "insecure",
  ],
  "a user who looks like loopback": ["http://127.0.0.1@evil/", "malformed"],
};
const endpointRows = Object.entries(endpoints).flatMap(([name, need]) => {
  const requirement = name === "authorization_endpoint" ? "AR13" : "MD3";
  const kinds = /^(token|authorization)/.test(name)
    ? { ...unusable, ...worse }
    : unusable;
  const loopback = name.startsWith("token")
    ? ["one with a query", has(name, (address) => `${address}?x=1`)]
    : undefined;
  return [
    ...Object.entries(kinds).map(([words, [value, problem]]) =>
      lie(
        requirement,
        `with ${words} as ${name}`,
        name,
        value,
        problem,
        loopback,
      ),
    ),
    ...(need === "required"
      ? [
          lie("MD3", `without ${name}`, name, undefined, "missing"),
          lie("MD3", `with null as ${name}`, name, null, "missing"),
        ]
      : []),
  ];
});

const METHODS = "code_challenge_methods_supported";
const challenges = {
  "plain PKCE alone": ["plain"],
  "no way of PKCE": [],
  "S256 in small letters": ["s256"],
  "S256 in a text": "S256",
  "plain and S256 in one text": ["plain S256"],
  "a number as its ways of PKCE": 7,
  "an object as its ways of PKCE": { S256: true },
};
const challengeRows = Object.entries(challenges).flatMap(
  ([words, value], at) => [
    lie("AR4", `with ${words}`, METHODS, value, "unsupported", [
      ...(at % 2
        ? ["one with both ways", has(METHODS, ["plain", "S256"])]
        : ["one that says nothing of it", has(METHODS, undefined)]),
    ]),
  ],
);

// ── Asked again ─────────────────────────────────────────────────────────────

const again = {
  "as a page": page(),
  "as a server error": instead({
    status: 500,
    json: { error: "server_error" },
  }),
  "as nothing": instead({ status: 404, text: "" }),
  "as a list": instead({ json: [] }),
  "of another issuer": member("issuer", "https://evil.example"),
  "without a token endpoint": member("token_endpoint", undefined),
  "with a script as its token endpoint": member(
    "token_endpoint",
    "javascript:alert(1)",
  ),
  "without TLS at its token endpoint": member(
    "token_endpoint",
    "http://id.example/",
  ),
  "with plain PKCE alone": member(METHODS, ["plain"]),
  "as a cut connection": "reset",
};
const refetched = Object.entries(again).map(([words, discovery]) =>
  ignored(
    "MD4",
    [`metadata ${words}, when it is asked for again,`, { discovery }],
    {
      attempt: "refetch",
      sent: ["discovery", "token", "jwks"],
      often: { discovery: Infinity, token: 2, jwks: 2 },
    },
  ),
);

const atLogin = [
  ...documentRows("MD3", "discovery", "metadata"),
  ...Object.entries(issuers).map(([words, [value, problem]]) =>
    lie("MD2", words, "issuer", value, problem),
  ),
  ...endpointRows,
  ...challengeRows,
].map((row) => ({
  ...{ untold: true, asksAgain: true, sent: ["discovery"] },
  // A server may have its document in one of two places.
  often: { discovery: 2 },
  ...row,
}));

export const rows = [...atLogin, ...refetched];
