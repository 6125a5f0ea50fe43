// Lies in the claims of an ID Token: each claim wrong, missing, and of every wrong type (OIDC Core §2, §3.1.3.7;
// RFC 7519 §4.1).

import { createHash } from "node:crypto";
import { claim, idToken, refused, skewed } from "./words.mjs";

const wrong = (requirement, name, lie, value, problem, ...twin) =>
  refused(
    requirement,
    [`an ID Token ${lie}`, claim(name, value)],
    typeof problem === "string" ? idToken(name, problem) : problem,
    ...twin,
  );

/** What a claim of another type may be; `null` counts as absent (RFC 7519 leaves it open). */
const types = {
  "a text": "1999999999",
  "a number": 7,
  "a boolean": true,
  "an object": { iss: "spa" },
  "a list": ["spa"],
};
const noText = ["a number", "a boolean", "an object", "a list"];
const noNumber = ["a text", "a boolean", "an object", "a list"];

const ofTypes = (requirement, name, kinds, problem, ...twin) =>
  kinds.map((kind) => {
    const lie = `with ${kind} as ${name}`;
    return wrong(requirement, name, lie, types[kind], problem, ...twin);
  });
const absent = (requirement, name, ...twin) => [
  wrong(requirement, name, `without ${name}`, undefined, "missing", ...twin),
  wrong(requirement, name, `with null as ${name}`, null, "missing", ...twin),
];

const issuer = [
  ...absent("ID2", "iss"),
  ...ofTypes("ID2", "iss", noText, "malformed"),
  ...Object.entries({
    "of another issuer": "https://evil.example",
    "of an issuer with a slash more": ({ iss }) => `${iss}/`,
    "of the issuer in capitals": ({ iss }) => iss.toUpperCase(),
    "of the issuer with a blank behind it": ({ iss }) => `${iss} `,
    "of the issuer by another name of its host": ({ iss }) =>
      iss.replace("127.0.0.1", "localhost"),
    "of no issuer": "",
  }).map(([lie, value]) => wrong("ID2", "iss", lie, value, "mismatch")),
];

const subject = [
  ...absent("ID12", "sub"),
  ...ofTypes("ID12", "sub", noText, "malformed"),
  wrong("ID12", "sub", "about nobody", "", "malformed"),
  wrong(
    ...["ID12", "sub", "about a subject of 256 characters"],
    ...["s".repeat(256), "malformed"],
    ["one of 255", claim("sub", "s".repeat(255))],
  ),
  wrong("ID12", "sub", "about a subject beyond ASCII", "zoë", "malformed", [
    "one within it",
    claim("sub", 'zoe "\\ <b>'),
  ]),
];

const alone = ["one for this client alone", claim("aud", "spa")];
const audience = [
  ...absent("ID3", "aud", alone),
  ...ofTypes("ID3", "aud", ["a number", "a boolean"], "mismatch", alone),
  wrong("ID3", "aud", "with an object as aud", { 0: "spa" }, "mismatch"),
  ...Object.entries({
    "for another audience": "other",
    "for nobody": [],
    "for the empty audience": "",
    "for this client and another": ["spa", "other"],
    "for another and this client": ["other", "spa"],
    "for this client and a number": ["spa", 7],
    "for a list within a list": [["spa"]],
    "for two audiences in one text": "spa other",
    "for this client in capitals": "SPA",
    "for an audience that begins like this client": "spa2",
  }).map(([lie, value]) =>
    wrong("ID3", "aud", lie, value, "mismatch", [
      "one for a list of this client",
      claim("aud", ["spa"]),
    ]),
  ),
];

const ours = ["one whose azp is this client", claim("azp", "spa")];
const party = [
  wrong("ID4", "azp", "for another party", "other", "mismatch", ours),
  wrong("ID4", "azp", "for the empty party", "", "mismatch", ours),
  ...ofTypes("ID4", "azp", noText, "mismatch", ours),
];

const huge = { toJSON: () => 1e308 };
const expiry = [
  ...absent("ID7", "exp"),
  ...ofTypes("ID7", "exp", noNumber, "malformed"),
  wrong("ID7", "exp", "that never expires", huge, "malformed", [
    "one that expires at a fraction of a second",
    claim("exp", ({ iat }) => iat + 60.5),
  ]),
  ...Object.entries({
    "that expired half a minute ago": ({ iat }) => iat - 31,
    "that expired a day ago": ({ iat }) => iat - 86_400,
    "that expired in 1970": 0,
    "that expired before time began": -1e9,
  }).map(([lie, value]) =>
    wrong("ID7", "exp", lie, value, skewed("exp", "expired"), [
      "one that expired within the tolerance",
      claim("exp", ({ iat }) => iat - 5),
    ]),
  ),
];

const early = (name, requirement) =>
  Object.entries({
    "a minute ahead": 60,
    "a day ahead": 86_400,
    "thirty years ahead": 1e9,
  }).map(([ahead, seconds]) =>
    wrong(
      ...[requirement, name, `whose ${name} is ${ahead}`],
      ({ iat }) => iat + seconds,
      skewed(name, "not_yet_valid"),
      ["one within the tolerance", claim(name, ({ iat }) => iat + 15)],
    ),
  );
const issuedAt = [
  ...absent("ID8", "iat"),
  ...ofTypes("ID8", "iat", noNumber, "malformed"),
  wrong("ID8", "iat", "issued at no time", huge, "malformed"),
  ...early("iat", "ID8"),
  wrong(
    ...["ID8", "iat", "issued more than a day ago", ({ iat }) => iat - 90_000],
    skewed("iat", "too_old"),
    ["one issued an hour ago", claim("iat", ({ iat }) => iat - 3600)],
  ),
];
const notBefore = [
  ...ofTypes("ID14", "nbf", noNumber, "malformed", [
    "one whose nbf has passed",
    claim("nbf", ({ iat }) => iat - 60),
  ]),
  ...early("nbf", "ID14"),
];

const nonce = [
  ...absent("ID9", "nonce"),
  ...ofTypes(
    "ID9",
    "nonce",
    ["a number", "a boolean", "an object"],
    "mismatch",
  ),
  ...Object.entries({
    "with another nonce": "another",
    "with an empty nonce": "",
    "with its nonce in a list": ({ nonce }) => [nonce],
    "with its nonce and a blank": ({ nonce }) => `${nonce} `,
    "with its nonce cut short": ({ nonce }) => nonce.slice(0, -1),
    "with its nonce in capitals": ({ nonce }) => nonce.toUpperCase(),
  }).map(([lie, value]) => wrong("ID9", "nonce", lie, value, "mismatch")),
];

const digest = (text, hash = "sha256") =>
  createHash(hash).update(text).digest();
const half = (bytes) =>
  bytes.subarray(0, bytes.length / 2).toString("base64url");
const hashed = [
  "one with the right hash",
  claim("at_hash", (_, accessToken) => half(digest(accessToken))),
];
const accessTokenHash = [
  ...ofTypes("ID13", "at_hash", noText, "mismatch", hashed),
  ...Object.entries({
    "with another token's hash": half(digest("another")),
    "with an empty hash": "",
    "with the whole hash": (_, token) => digest(token).toString("base64url"),
    "with the other half of the hash": (_, token) =>
      digest(token).subarray(16).toString("base64url"),
    "with half of a longer hash": (_, token) => half(digest(token, "sha512")),
    "with its hash in hexadecimal": (_, token) =>
      digest(token).subarray(0, 16).toString("hex"),
    "with its hash padded": (_, token) => `${half(digest(token))}==`,
    "with its access token instead of the hash": (_, token) => token,
  }).map(([lie, value]) =>
    wrong("ID13", "at_hash", lie, value, "mismatch", hashed),
  ),
];

/** When somebody wants a sign-in of the last minute. */
const recent = { given: { login: { maxAge: 60 } } };
const now = [
  "one of a sign-in just now",
  claim("auth_time", ({ iat }) => iat - 10.5),
];
const authenticationTime = [
  ...absent("ID11", "auth_time", now, recent),
  ...ofTypes("ID11", "auth_time", noNumber, "malformed", now, recent),
  ...Object.entries({
    "of a sign-in two minutes ago, where a minute was asked": ({ iat }) =>
      iat - 120,
    "of a sign-in in 1970, where a minute was asked": 0,
    "of a sign-in before time began, where a minute was asked": -1e9,
  }).map(([lie, value]) =>
    wrong("ID11", "auth_time", lie, value, "too_old", now, recent),
  ),
  wrong(
    ...[
      "ID11",
      "auth_time",
      "of a sign-in before the request that wants a new one",
    ],
    ...[({ iat }) => iat - 60, "too_old", now],
    { given: { login: { maxAge: 0 } } },
  ),
];

// ── What was asked for ──────────────────────────────────────────────────────

/** When a login asks for a way of signing in, by `acr_values` or as an essential claim (OIDC Core §5.5.1.1). */
const wishes = {
  "": { acrValues: ["phr", "phrh"] },
  ", which was called essential": {
    claims: { id_token: { acr: { essential: true, values: ["phr", "phrh"] } } },
  },
};
const phishingResistant = ["one of a way asked for", claim("acr", "phrh")];
const contextClass = Object.entries(wishes).flatMap(([words, login]) => {
  const more = { given: { login } };
  const lie = (name, value, problem) =>
    wrong(
      ...["ID10", "acr", name + words, value],
      ...[problem, phishingResistant, more],
    );
  return [
    lie("without the way that was asked for", undefined, "missing"),
    lie("with null as its way", null, "missing"),
    lie("of a weaker way", "0", "mismatch"),
    lie("of no way", "", "mismatch"),
    lie("of all ways that were asked for", "phr phrh", "mismatch"),
    lie("of a way in capitals", "PHR", "mismatch"),
    ...noText.map((kind) =>
      lie(`with ${kind} as its way`, types[kind], "malformed"),
    ),
  ];
});
const essentialTime = {
  given: {
    login: { claims: { id_token: { auth_time: { essential: true } } } },
  },
};
const timeAsked = [
  wrong(
    ...[
      "ID11",
      "auth_time",
      "without the time of the sign-in, which was essential",
    ],
    ...[undefined, "missing", now, essentialTime],
  ),
];

const byId = { given: { login: { organization: "org_1" } } };
const byName = { given: { login: { organization: "acme" } } };
const member = ["one of its member", claim("org_id", "org_1")];
const named = ["one of that name in capitals", claim("org_name", "ACME")];
const organization = [
  ...absent("T46", "org_id", member, byId),
  ...ofTypes("T46", "org_id", noText, "malformed", member, byId),
  ...Object.entries({
    "of another organization": "org_2",
    "of an organization in capitals": "ORG_1",
    "of an organization that begins alike": "org_12",
    "of no organization": "",
  }).map(([lie, value]) =>
    wrong("T46", "org_id", lie, value, "mismatch", member, byId),
  ),
  ...absent("T46", "org_name", named, byName),
  ...ofTypes("T46", "org_name", noText, "malformed", named, byName),
  ...Object.entries({
    "of an organization of another name": "evil",
    "of an organization whose name begins alike": "acme2",
    "of an organization without a name": "",
  }).map(([lie, value]) =>
    wrong("T46", "org_name", lie, value, "mismatch", named, byName),
  ),
  refused(
    "T46",
    [
      "an ID Token whose organization has the name for its id",
      claim("org_id", "acme"),
    ],
    idToken("org_name", "missing"),
    named,
    byName,
  ),
];

export const rows = [
  ...issuer,
  ...subject,
  ...audience,
  ...party,
  ...expiry,
  ...issuedAt,
  ...notBefore,
  ...nonce,
  ...accessTokenHash,
  ...authenticationTime,
  ...timeAsked,
  ...contextClass,
  ...organization,
].map((row) => ({ sent: ["token", "jwks"], ...row }));
