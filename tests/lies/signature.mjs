// Lies about who signed an ID Token, and with which key (RFC 7515, 7517, 7518, 8037, 8725; OIDC Core §10.1).

import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import {
  algorithms,
  compact,
  keyOf,
  part,
  signature,
  signed,
} from "../support/signing.mjs";
import {
  answered,
  drip,
  idToken,
  instead,
  late,
  member,
  page,
  refused,
  spelled,
  unreachable,
  withStatus,
  written,
} from "./words.mjs";

const badSignature = idToken("signature", "bad_signature");
const noKey = idToken("kid", "no_matching_key");

/** The algorithms that are taken. */
const taken = algorithms;

// ── The octets of the signature ─────────────────────────────────────────────

/** The honest token, its signature made otherwise: of the octets, the input, and the keys. */
const resigned = (alg, change) => (claims, keys) => {
  const key = keys.own[alg];
  return compact({ alg, kid: key.kid }, claims, (input) =>
    change(signature(alg, key.privateKey, input), input, keys),
  );
};
const honest = (alg) => [
  `the honest one by ${alg}`,
  { sign: (claims, { own }) => signed(claims, own[alg]) },
];
const flipped = (at) => (octets) => {
  const copy = Buffer.from(octets);
  copy[at < 0 ? copy.length + at : at] ^= 1;
  return copy;
};

const byEach = {
  "with a bit of its signature flipped": flipped(10),
  "with the last bit of its signature flipped": flipped(-1),
  "with its signature cut short": (octets) => octets.subarray(0, -1),
  "with an octet more in its signature": (octets) =>
    Buffer.concat([octets, Buffer.alloc(1)]),
  "with an octet more before its signature": (octets) =>
    Buffer.concat([Buffer.alloc(1), octets]),
  "with zeros for a signature": (octets) => Buffer.alloc(octets.length),
  "without a signature": () => "",
};

/** Of algorithms of one kind one is told all of them. */
const told = (alg) =>
  Object.entries(byEach).slice(0, /^([REP]S256|EdDSA)$/.test(alg) ? 7 : 1);

const octets = taken.flatMap((alg) => [
  ...told(alg).map(([name, change]) =>
    refused(
      "ID5",
      [`an ID Token by ${alg} ${name}`, { sign: resigned(alg, change) }],
      badSignature,
      honest(alg),
    ),
  ),
  refused(
    "ID5",
    [
      `an ID Token by ${alg} signed by somebody else in the server's name`,
      {
        sign: (claims, { own, other }) =>
          signed(claims, other[alg], { kid: own[alg].kid }),
      },
    ],
    badSignature,
    honest(alg),
  ),
]);

/** DER, as RFC 3279 has it and RFC 7518 §3.4 does not. */
const der = (octets) => {
  const integer = (bytes) => {
    const at = bytes.findIndex((byte) => byte !== 0);
    const short = bytes.subarray(at < 0 ? bytes.length - 1 : at);
    const head = short[0] & 0x80 ? [0] : [];
    return [2, head.length + short.length, ...head, ...short];
  };
  const half = octets.length / 2;
  const body = [
    ...integer(octets.subarray(0, half)),
    ...integer(octets.subarray(half)),
  ];
  return Buffer.from([0x30, body.length, ...body]);
};
const swapped = (octets) =>
  Buffer.concat([
    octets.subarray(octets.length / 2),
    octets.subarray(0, octets.length / 2),
  ]);
const by =
  (alg, key = alg) =>
  (_, input, { own }) =>
    signature(alg, own[key].privateKey, input);

const unlike = [
  ["whose ES256 signature is DER", resigned("ES256", der), honest("ES256")],
  [
    "whose halves of an ES256 signature are swapped",
    resigned("ES256", swapped),
    honest("ES256"),
  ],
  [
    "that says RS256 and is signed by PS256",
    resigned("RS256", by("PS256", "RS256")),
  ],
  [
    "that says RS256 and is signed by RS512",
    resigned("RS256", by("RS512", "RS256")),
  ],
  ["that says RS256 and is signed by ES256", resigned("RS256", by("ES256"))],
  ["that says ES256 and is signed by RS256", resigned("ES256", by("RS256"))],
].map(([name, sign, twin]) =>
  refused("ID18", [`an ID Token ${name}`, { sign }], badSignature, twin),
);

const spellings = {
  "with its signature padded": (text) => `${text}==`,
  "with a blank behind it": (text) => `${text} `,
  "with a blank within its signature": (text) => text.replace(/^..../, "$& "),
  // 256 octets leave four bits idle.
  "with a bit in its signature that stands for nothing": (text) =>
    text.slice(0, -1) + { A: "B", Q: "R", g: "h", w: "x" }[text.at(-1)],
};
const forged = {
  "whose claims were changed": ([header, , signature], claims) => [
    header,
    part({ ...claims, sub: "root" }),
    signature,
  ],
  "whose header was changed": ([, payload, signature], _, { own }) => [
    part({ alg: "RS256", kid: own.RS256.kid, typ: "JWT" }),
    payload,
    signature,
  ],
  "with the signature of another token": (
    [header, payload],
    claims,
    { own },
  ) => [
    header,
    payload,
    signed({ ...claims, jti: "1" }, own.RS256).split(".")[2],
  ],
};
const changed = [
  ...Object.entries(spellings).map(([name, change]) => [
    name,
    ([header, payload, signature]) => [header, payload, change(signature)],
  ]),
  ...Object.entries(forged),
].map(([name, change]) => {
  const sign = (claims, keys) => {
    const honest = signed(claims, keys.own.RS256).split(".");
    return change(honest, claims, keys).join(".");
  };
  return refused("ID5", [`an ID Token ${name}`, { sign }], badSignature);
});

// ── Keys that a token brings ────────────────────────────────────────────────

const brought = {
  "its own key": ({ jwk }) => ({ jwk }),
  "its own key under another's name": ({ jwk }, { kid }) => ({
    jwk: { ...jwk, kid },
  }),
  "the address of its keys": (_, __, { evil }) => ({ jku: `${evil}/jwks` }),
  "the address of its certificate": (_, __, { evil }) => ({
    x5u: `${evil}/cert`,
  }),
  "its certificate": ({ publicKey }) => {
    const bytes = publicKey.export({ type: "spki", format: "der" });
    const x5t = createHash("sha1").update(bytes).digest("base64url");
    return { x5c: [bytes.toString("base64")], x5t };
  },
};
const bringing = Object.entries(brought).flatMap(([what, membersOf]) => {
  const sign =
    (whose, kid) =>
    (claims, { own, other }, { evil }) => {
      const context = { evil: evil.address };
      const members = membersOf(other.RS256, own.RS256, context);
      const key = whose === "other" ? other.RS256 : own.RS256;
      return signed(claims, key, {
        ...members,
        kid: kid ? own.RS256.kid : undefined,
      });
    };
  const lie = (named, expected, words) =>
    refused(
      "ID17",
      [
        `an ID Token that brings ${what}${words}`,
        { sign: sign("other", named) },
      ],
      expected,
      ["one that brings it and needs it not", { sign: sign("own", named) }],
      // Where a token names no key, it may be one that has come meanwhile.
      { often: { jwks: named ? 1 : 2 } },
    );
  return [
    lie(true, badSignature, ""),
    lie(false, badSignature, " and names none"),
  ];
});

// ── Keys that the server publishes ──────────────────────────────────────────

/** The set with one of its keys changed; what is no key any more is left in its place. */
const withKey = (alg, change) => ({
  jwks: member("keys", (keys) =>
    keys.map((key) => (key.alg === alg ? change(key) : key)),
  ),
});
const keyHas = (alg, members) =>
  withKey(alg, (key) => ({ ...key, ...members }));
const keyLie = (requirement, name, alg, members, expected, twin) =>
  refused(
    requirement,
    [
      `a set whose key ${name}`,
      typeof members === "function"
        ? withKey(alg, members)
        : keyHas(alg, members),
    ],
    expected,
    twin && [`one whose key ${twin[0]}`, keyHas(alg, twin[1])],
    {
      given: { sign: (claims, { own }) => signed(claims, own[alg]) },
      often: { jwks: 2 },
    },
  );
const verifies = ["may verify", { use: undefined, key_ops: ["verify"] }];
const anyAlg = ["says nothing of its algorithm", { alg: undefined }];

const unfit = [
  ["is for encryption", { use: "enc" }, verifies],
  ["is for a use that is no text", { use: ["sig"] }, verifies],
  ["may encrypt", { key_ops: ["encrypt"] }, verifies],
  ["may sign", { key_ops: ["sign"] }, verifies],
  ["may do nothing", { key_ops: [] }, verifies],
  ["has its operations in a text", { key_ops: "verify" }, verifies],
  ["is for another algorithm", { alg: "RS512" }, anyAlg],
  ["is for another algorithm of its kind", { alg: "PS256" }, anyAlg],
  ["is for an algorithm that is no text", { alg: 256 }, anyAlg],
  ["is of another type", { kty: "EC" }],
  ["is of no type", { kty: undefined }],
  ["is a secret", { kty: "oct", k: "c2VjcmV0" }],
  ["has another name", { kid: "other" }],
  ["has no name, though the token names one", { kid: undefined }],
  ["has a number as its name", { kid: 7 }],
  ["has no modulus", { n: undefined }],
  ["has no exponent", { e: undefined }],
  ["has an empty modulus", { n: "" }],
  ["has a modulus that is no base64url", { n: "+/+/" }],
  ["has a modulus that is no text", { n: [7] }],
  ["is a number", () => 7],
  ["is null", () => null],
  ["is a list", (key) => [key]],
].map(([name, members, twin]) =>
  keyLie("ID15", name, "RS256", members, noKey, twin),
);

const unfitCurve = [
  ["is on another curve", { crv: "P-384" }],
  ["is on a curve that nobody knows", { crv: "secp256k1" }],
  ["is on no curve", { crv: undefined }],
  ["has half a point", { y: undefined }],
]
  .map(([name, members]) => keyLie("ID15", name, "ES256", members, noKey))
  .concat(
    [
      ["is no point of its curve", ({ x, ...key }) => ({ ...key, x, y: x })],
      ["is the point at infinity", { x: "AA", y: "AA" }],
    ].map(([name, members]) =>
      keyLie("ID18", name, "ES256", members, badSignature),
    ),
  );

/** PKCS #1 padding as it is (RFC 8017 §9.2): the signature that an exponent of 1 takes. */
const bare = (octets, input) => {
  const digest = createHash("sha256").update(input).digest();
  const info = Buffer.from("3031300d060960864801650304020105000420", "hex");
  const tail = Buffer.concat([Buffer.alloc(1), info, digest]);
  const fill = Buffer.alloc(octets.length - 2 - tail.length, 0xff);
  return Buffer.concat([Buffer.from([0, 1]), fill, tail]);
};
const weak = [
  refused(
    "ID18",
    [
      "a set whose key has 1024 bits",
      {
        jwks: member("keys", (_, { provider }) => [provider.keys.weak.jwk]),
        sign: (claims, { weak }) => signed(claims, weak),
      },
    ],
    noKey,
    ["one whose key has 2048", {}],
    { often: { jwks: 2 } },
  ),
  ...Object.entries({ 1: "AQ", 2: "Ag", 0: "AA", 65536: "AQAA" }).map(
    ([exponent, e]) =>
      refused(
        "ID18",
        [
          `a set whose key has an exponent of ${exponent}`,
          { ...keyHas("RS256", { e }), sign: resigned("RS256", bare) },
        ],
        noKey,
        undefined,
        { often: { jwks: 2 } },
      ),
  ),
];
export const rows = [
  ...octets,
  ...unlike,
  ...changed,
  ...bringing,
  ...unfit,
  ...unfitCurve,
  ...weak,
].map((row) => ({ sent: ["token", "jwks"], ...row }));
