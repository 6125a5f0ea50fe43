// Lies in the form and the header of an ID Token (RFC 7515, 7519, 7797, 8725).

import { compact, part, signature, signed } from "../support/signing.mjs";
import { idToken, member, refused } from "./words.mjs";

/** Rows of `[name, sign, twin]`; what is refused is told by `claim` and `problem`. */
const lies = (requirement, claim, problem, list) =>
  list.map(([name, sign, twin]) =>
    refused(
      requirement,
      [`an ID Token ${name}`, { sign }],
      idToken(claim, problem),
      twin && [twin[0], { sign: twin[1] }],
    ),
  );

/** The honest token, taken apart and put together otherwise. */
const parts =
  (change) =>
  (claims, { own }) =>
    change(...signed(claims, own.RS256).split(".")).join(".");

const ownSignature = (own) => (input) =>
  signature("RS256", own.RS256.privateKey, input);
const honestHeader = ({ RS256: { alg, kid } }) => ({ alg, kid });

/** Another header or payload, made of the honest one; signed with the server's own key all the same. */
const header =
  (change) =>
  (claims, { own }) =>
    compact(change(honestHeader(own)), claims, ownSignature(own));
const payload =
  (change) =>
  (claims, { own }) =>
    compact(honestHeader(own), change(claims), ownSignature(own));
/** The same where a part is not the base64url of anything. */
const spelled =
  (change) =>
  (claims, { own }) => {
    const header = honestHeader(own);
    const input = change(part(header), part(claims), header, claims).join(".");
    return `${input}.${part(ownSignature(own)(input))}`;
  };

const text = JSON.stringify;
const first = (member) => (value) => text(value).replace("{", `{${member},`);
const nested = (depth) => first(`"x":${"[".repeat(depth)}${"]".repeat(depth)}`);
const latin1 = (value) => Buffer.from(text({ ...value, x: "é" }), "latin1");
const utf8 = (value) => ({ ...value, x: "é" });

const alphabet =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/** A part in whose last character a bit is set that stands for nothing: the octets stay the same. */
const withIdleBit = (text) =>
  text.slice(0, -1) + alphabet[alphabet.indexOf(text.at(-1)) | 1];
/** JSON of such a length that its last character has such bits. */
const withRoom = (value) => {
  const json = text(value);
  return json + " ".repeat((4 - (json.length % 3)) % 3);
};
const otherBase64 = (value) =>
  Buffer.from(text(value)).toString("base64").replace(/=/g, "");

const forms = lies("ID1", "id_token", "malformed", [
  [
    "of five parts, as of an encrypted one",
    parts((...all) => [...all, "AAAA", "AAAA"]),
  ],
  ["of four parts", parts((...all) => [...all, "AAAA"])],
  ["that ends in a full stop", parts((...all) => [...all, ""])],
  ["of two parts", parts((header, payload) => [header, payload])],
  ["of one part", parts((header) => [header])],
  [
    "in JSON serialization",
    parts((header, payload, signature) => [
      text({ protected: header, payload, signature }),
    ]),
  ],
]);

const headers = lies("ID1", "header", "malformed", [
  ["without a header", spelled((_, claims) => ["", claims])],
  ["with a blank before it", spelled((head, claims) => [` ${head}`, claims])],
  [
    "with the word Bearer before it",
    spelled((head, claims) => [`Bearer ${head}`, claims]),
  ],
  ["with its header padded", spelled((head, claims) => [`${head}=`, claims])],
  [
    "with a blank within its header",
    spelled((head, claims) => [head.replace(/^..../, "$& "), claims]),
  ],
  [
    "with its header in the other alphabet of base64",
    spelled((_, claims, honest) => [
      otherBase64({ ...honest, x: "???>>>" }),
      claims,
    ]),
    [
      "one in that of the web",
      header((honest) => ({ ...honest, x: "???>>>" })),
    ],
  ],
  [
    "with a bit in its header that stands for nothing",
    spelled((_, claims, honest) => [
      withIdleBit(part(withRoom(honest))),
      claims,
    ]),
    ["one without", header(withRoom)],
  ],
  ["whose header is a list", header((honest) => [honest])],
  ["whose header is a text", header((honest) => text(text(honest)))],
  ["whose header is null", header(() => "null")],
  ["whose header is cut short", header((honest) => text(honest).slice(0, -1))],
  ["whose header goes on", header((honest) => `${text(honest)}{}`)],
  ["whose header has two algorithms", header(first('"alg":"none"'))],
  [
    "whose header begins with a byte order mark",
    header((honest) => `\ufeff${text(honest)}`),
  ],
  ["whose header is no UTF-8", header(latin1), ["one that is", header(utf8)]],
  [
    "whose header is nested 10000 deep",
    header(nested(10_000)),
    ["one nested 20 deep", header(nested(20))],
  ],
]);

const payloads = lies("ID1", "payload", "malformed", [
  ["without claims", spelled((head) => [head, ""])],
  ["with its claims padded", spelled((head, claims) => [head, `${claims}=`])],
  [
    "with a blank within its claims",
    spelled((head, claims) => [head, claims.replace(/^..../, "$& ")]),
  ],
  [
    "with a bit in its claims that stands for nothing",
    spelled((head, _, __, honest) => [
      head,
      withIdleBit(part(withRoom(honest))),
    ]),
    ["one without", payload(withRoom)],
  ],
  ["whose claims are a list", payload((honest) => [honest])],
  ["whose claims are a text", payload((honest) => text(text(honest)))],
  ["whose claims are a number", payload(() => "7")],
  ["whose claims are null", payload(() => "null")],
  [
    "whose claims are a token of their own",
    (claims, keys) =>
      payload(() => signed(claims, keys.own.RS256))(claims, keys),
  ],
  [
    "whose claims are cut short",
    payload((honest) => text(honest).slice(0, -1)),
  ],
  ["whose claims go on", payload((honest) => `${text(honest)} x`)],
  ["with two subjects", payload(first('"sub":"root"'))],
  ["with a number that is none", payload(first('"x":NaN'))],
  ["with a number that begins with 0", payload(first('"x":01'))],
  ["with a comment in its claims", payload(first("/* x */"))],
  [
    "with a lone surrogate in its claims",
    payload(first('"x":"\\ud800"')),
    ["one with both", payload(first('"x":"\\ud83d\\ude00"'))],
  ],
  [
    "whose claims begin with a byte order mark",
    payload((honest) => `\ufeff${text(honest)}`),
  ],
  [
    "whose claims are no UTF-8",
    payload(latin1),
    ["one that is", payload(utf8)],
  ],
  [
    "whose claims are nested 10000 deep",
    payload(nested(10_000)),
    ["one nested 20 deep", payload(nested(20))],
  ],
]);

// ── Algorithms that nobody may choose ───────────────────────────────────────

const alg = (value) => header((honest) => ({ ...honest, alg: value }));
/** Unsigned, as `none` has it. */
const unsigned = (value) => (claims) =>
  compact({ alg: value }, claims, () => "");
/** Signed with a secret that everybody knows. */
const shared =
  (alg, secretOf) =>
  (claims, { own }) =>
    compact({ alg, kid: own.RS256.kid }, claims, (input) =>
      signature(alg, secretOf(own.RS256), input),
    );
const exported =
  (options) =>
  ({ publicKey }) =>
    Buffer.from(publicKey.export(options));
const secrets = {
  "the public key as PEM": exported({ type: "spki", format: "pem" }),
  "the public key as PEM of its own kind": exported({
    type: "pkcs1",
    format: "pem",
  }),
  "the public key as DER": exported({ type: "spki", format: "der" }),
  "the published key": ({ jwk }) => text(jwk),
  "the modulus": ({ jwk }) => Buffer.from(jwk.n, "base64url"),
  "the modulus as it is written": ({ jwk }) => jwk.n,
  "the name of the key": ({ kid }) => kid,
  "the name of the client": () => "spa",
  "an empty secret": () => "",
};

const choices = lies("ID6", "alg", "unsupported_alg", [
  ...["none", "None", "NONE", "nOnE", "none ", ""].map((value) => [
    `that is unsigned, as alg ${text(value)}`,
    unsigned(value),
  ]),
  ["that says none over a good signature", alg("none")],
  [
    "that says none over somebody's signature",
    (claims, { other }) => signed(claims, other.RS256, { alg: "none" }),
  ],
  ...Object.entries(secrets).map(([name, secretOf]) => [
    `signed by HS256 with ${name}`,
    shared("HS256", secretOf),
  ]),
  ["signed by HS384", shared("HS384", secrets["the published key"])],
  ["signed by HS512", shared("HS512", secrets["the published key"])],
  ["without an algorithm", alg(undefined)],
  ["with null as its algorithm", alg(null)],
  ["with a number as its algorithm", alg(256)],
  ["with a list as its algorithm", alg(["RS256"])],
  ["with an object as its algorithm", alg({ RS256: true })],
  ["with its algorithm in small letters", alg("rs256")],
  ["with a blank behind its algorithm", alg("RS256 ")],
  ["with the algorithm's name in WebCrypto", alg("RSASSA-PKCS1-v1_5")],
  ...["RS1", "ES256K", "RSA-OAEP", "dir", "A128KW", "PBES2-HS256+A128KW"].map(
    (value) => [`with ${value} as its algorithm`, alg(value)],
  ),
]);

/** When the server says by which algorithms it signs (OIDC Discovery §3). */
const announced = (name, list) =>
  refused(
    "ID6",
    [
      `an ID Token by RS256 of a server that announces ${name}`,
      { sign: (claims, { own }) => signed(claims, own.RS256) },
    ],
    idToken("alg", "unsupported_alg"),
    ["one by ES256", { sign: (claims, { own }) => signed(claims, own.ES256) }],
    {
      given: {
        discovery: member("id_token_signing_alg_values_supported", list),
      },
      asksAgain: true,
    },
  );
const unannounced = [
  announced("ES256 alone", ["ES256"]),
  announced("others, and what nobody takes", ["none", "HS256", "ES256", 7]),
];

// ── Members of the header ───────────────────────────────────────────────────

const has = (members) => header((honest) => ({ ...honest, ...members }));

const criticals = lies("ID17", "crit", "malformed", [
  ["that demands what nobody knows", has({ crit: ["x"], x: 1 })],
  ["that demands nothing", has({ crit: [] })],
  ["that demands what everybody knows", has({ crit: ["alg"] })],
  ["that demands what it does not have", has({ crit: ["exp"] })],
  ["whose demands are a text", has({ crit: "x", x: 1 })],
  ["whose demands are a number", has({ crit: 7 })],
  ["that demands an unencoded payload", has({ crit: ["b64"], b64: false })],
  ["that says its payload is unencoded", has({ b64: false })],
  ["that says its payload is encoded", has({ b64: true })],
]);

const types = lies("ID20", "typ", "mismatch", [
  ...["at+jwt", "AT+JWT", "application/at+jwt", "dpop+jwt", "logout+jwt"].map(
    (typ) => [
      `of the type ${typ}`,
      has({ typ }),
      ["a JWT", has({ typ: "JWT" })],
    ],
  ),
  ...["secevent+jwt", "oauth-authz-req+jwt", "JOSE", "JWT ", ""].map((typ) => [
    `of the type ${text(typ)}`,
    has({ typ }),
    ["a jwt", has({ typ: "jwt" })],
  ]),
  ["with a number as its type", has({ typ: 7 })],
  ["with a list as its type", has({ typ: ["JWT"] })],
]);

const names = lies("ID15", "kid", "malformed", [
  ["with a number as the name of its key", has({ kid: 7 })],
  [
    "with a list as the name of its key",
    header(({ alg, kid }) => ({ alg, kid: [kid] })),
  ],
  ["with an object as the name of its key", has({ kid: {} })],
]);

export const rows = [
  ...forms,
  ...headers,
  ...payloads,
  ...choices,
  ...unannounced,
  ...criticals,
  ...types,
  ...names,
].map((row) => ({ sent: ["token", "jwks"], ...row }));
