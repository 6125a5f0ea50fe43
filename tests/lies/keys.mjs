// Lies about the keys of a server: no set, none that fits, one too many, and new ones for ever (RFC 7517 §4, §5;
// OIDC Core §10.1).

import { signature, signed, compact } from "../support/signing.mjs";
import { documentRows } from "./documents.mjs";
import { answered, idToken, ignored, member, refused } from "./words.mjs";

const badSignature = idToken("signature", "bad_signature");
const noKey = idToken("kid", "no_matching_key");
/** Keys that could not be had, or did not fit, are asked for once more. */
const asked = { often: { jwks: 2 } };
const keysAre = (value) => ({ jwks: member("keys", value) });

// ── The set ─────────────────────────────────────────────────────────────────

const sets = [
  ...documentRows("ID19", "jwks", "a set of keys", asked),
  ...Object.entries({
    "without keys": undefined,
    "with null for keys": null,
    "with a text for keys": "none",
    "with an object for keys": { 0: {} },
    "with a number for keys": 7,
  }).map(([name, value]) =>
    refused(
      "ID19",
      [`a set of keys ${name}`, keysAre(value)],
      answered("jwks", 200, "keys"),
      undefined,
      asked,
    ),
  ),
];

const unknown = [
  { kty: "new", kid: "new" },
  { kty: "oct", k: "c2VjcmV0", kid: "secret" },
  { kty: "OKP", crv: "X25519", x: "AQ", kid: "exchange" },
  { kty: "EC", crv: "secp256k1", x: "AQ", y: "AQ" },
  7,
  null,
  [],
  "key",
];
const filler = Array.from({ length: 10_000 }, (_, at) => ({
  ...{ kty: "RSA", kid: `k${at}`, n: "AQAB", e: "AQAB" },
}));
const names = ({ own, other }, name) => [
  { ...other.RS256.jwk, kid: name },
  { ...own.RS256.jwk, kid: name },
];
const named = (whose, kid) => (claims, keys) =>
  signed(claims, keys[whose].RS256, { kid });

const contents = [
  [
    "that is empty",
    keysAre(() => []),
    noKey,
    [
      "one with keys that nobody knows beside",
      keysAre((keys) => [...unknown, ...keys]),
    ],
  ],
  ["with keys that nobody knows and no other", keysAre(() => unknown), noKey],
  [
    "of 10000 others before the right one",
    keysAre((keys) => [...filler, ...keys]),
    noKey,
    [
      "one with the right one before them",
      keysAre((keys) => [...keys, ...filler]),
    ],
  ],
  [
    "with two keys of the token's name, neither of which signed it",
    {
      jwks: member("keys", (_, { provider }) => names(provider.keys, "k")),
      sign: (claims, { own }) =>
        compact({ alg: "RS256", kid: "k" }, claims, (input) =>
          signature("RS512", own.RS256.privateKey, input),
        ),
    },
    badSignature,
    [
      "one of two of which the second did",
      {
        jwks: member("keys", (_, { provider }) => names(provider.keys, "k")),
        sign: named("own", "k"),
      },
    ],
  ],
].map(([name, lie, expected, twin]) =>
  refused("ID19", [`a set of keys ${name}`, lie], expected, twin, asked),
);

const bare = [
  refused(
    "ID15",
    [
      "an ID Token of somebody else that names no key",
      { sign: named("other", undefined) },
    ],
    badSignature,
    ["one of the server's that names none", { sign: named("own", undefined) }],
    asked,
  ),
];

// ── Names and rotation ──────────────────────────────────────────────────────

let drawn = 0;
const strange = (name) => ({
  sign: (claims, { own }) => signed(claims, own.RS256, { kid: name() }),
});
/** The new key is there when the keys are asked for the second time. */
const rotated = () => {
  let times = 0;
  return {
    jwks: member("keys", (keys, { provider }) => {
      times += 1;
      return times % 2 === 1 ? keys : [provider.keys.other.RS256.jwk, ...keys];
    }),
    sign: (claims, { other }) => signed(claims, other.RS256),
  };
};
const rotation = [
  ...Object.entries({
    "a name that nobody knows": () => "unknown",
    "a new name each time": () => `new-${(drawn += 1)}`,
    "an empty name": () => "",
    "the name of a key by another algorithm": () => "ES256-own",
    "a path for a name": () => "../../jwks",
    "its name in capitals": () => "RS256-OWN",
    "a name of 10000 letters": () => "k".repeat(10_000),
  }).map(([name, kid]) =>
    refused(
      "ID16",
      [`an ID Token whose key has ${name}`, strange(kid)],
      noKey,
      ["one of a key that came a moment ago", rotated()],
      { ...asked, again: 3 },
    ),
  ),
];

const withPrivate = (keys, { provider }) =>
  keys.map((jwk) => {
    const key = provider.keys.own[jwk.alg].privateKey;
    return { ...key.export({ format: "jwk" }), ...jwk };
  });

export const rows = [
  ...sets,
  ...contents,
  ...bare,
  ...rotation,
  ignored("ID19", [
    "a set of keys with their private members",
    keysAre(withPrivate),
  ]),
].map((row) => ({ sent: ["token", "jwks"], ...row }));
