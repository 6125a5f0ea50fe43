// Lies of the UserInfo endpoint (OIDC Core §5.3.2, §5.3.4, §16.11).

import { compact, signature, signed } from "../support/signing.mjs";
import { documentRows } from "./documents.mjs";
import { answered, ignored, member, refused } from "./words.mjs";

const mismatch = {
  code: "subject_mismatch",
  details: { endpoint: "userinfo" },
};
const about = (value) => ({ userinfo: member("sub", value) });
const subjects = {
  "about somebody else": "bob",
  "about nobody": undefined,
  "about null": null,
  "about an empty subject": "",
  "about a number": 7,
  "about a list": ["alice"],
  "about an object": { sub: "alice" },
  "about a subject in capitals": "ALICE",
  "about a subject and a blank": "alice ",
  "about a subject that begins alike": "alice2",
  "about a subject in letters that look alike": "\u0430lice",
};

// ── Signed answers ──────────────────────────────────────────────────────────

/** A signed answer: claims, and how they are signed. */
const jwt = (claimsOf, sign) => ({
  userinfo: ({ json }, { provider }) => {
    const now = Math.floor(Date.now() / 1000);
    const { issuer: iss, keys } = provider;
    const honest = { iss, aud: "spa", iat: now, exp: now + 60, ...json };
    const claims = claimsOf ? claimsOf(honest) : honest;
    const text = sign ? sign(claims, keys) : signed(claims, keys.own.RS256);
    return { type: "application/jwt", text };
  },
});
const bare = [
  "a signed one without iss, aud and exp",
  jwt(({ sub }) => ({ sub })),
];
const honest = ["a signed one", jwt()];
const among = [
  "a signed one for this client and another",
  jwt((claims) => ({ ...claims, aud: ["other", "spa"] })),
];
const says = (name, value) => jwt((claims) => ({ ...claims, [name]: value }));
const unlabelled = (telling) => ({
  userinfo: (...all) => ({
    ...telling.userinfo(...all),
    type: "application/json",
  }),
});
const labelled = (change) => ({
  userinfo: ({ json }) => ({ type: "application/jwt", text: change(json) }),
});

const signedLies = [
  ["of another issuer", says("iss", "https://evil.example"), "iss", bare],
  [
    "of its issuer with a slash more",
    jwt((claims) => ({ ...claims, iss: `${claims.iss}/` })),
    "iss",
    bare,
  ],
  ["of a number as its issuer", says("iss", 7), "iss", bare],
  ["for another audience", says("aud", "other"), "aud", among],
  ["for nobody", says("aud", []), "aud", among],
  ["for a number", says("aud", 7), "aud", among],
  ["that expired", says("exp", 1), "exp", bare],
  ["that expires in words", says("exp", "never"), "exp", bare],
  [
    "that is signed by somebody else",
    jwt(undefined, (claims, { own, other }) =>
      signed(claims, other.RS256, { kid: own.RS256.kid }),
    ),
    "signature",
  ],
  [
    "whose claims were changed",
    jwt(undefined, (claims, { own }) => {
      const [head, , tail] = signed(claims, own.RS256).split(".");
      const [, body] = signed({ ...claims, name: "root" }, own.RS256).split(
        ".",
      );
      return [head, body, tail].join(".");
    }),
    "signature",
  ],
  [
    "that is unsigned",
    jwt(undefined, (claims) => compact({ alg: "none" }, claims, () => "")),
    "alg",
  ],
  [
    "that is signed with a public secret",
    jwt(undefined, (claims, { own }) =>
      compact({ alg: "HS256", kid: own.RS256.kid }, claims, (input) =>
        signature("HS256", JSON.stringify(own.RS256.jwk), input),
      ),
    ),
    "alg",
  ],
  [
    "of an unknown key",
    jwt(undefined, (claims, { other }) => signed(claims, other.RS256)),
    "kid",
  ],
  [
    "with demands",
    jwt(undefined, (claims, { own }) =>
      signed(claims, own.RS256, { crit: ["x"], x: 1 }),
    ),
    "crit",
  ],
  [
    "that is an access token",
    jwt(undefined, (claims, { own }) =>
      signed(claims, own.RS256, { typ: "at+jwt" }),
    ),
    "typ",
  ],
].map(([words, lie, problem, twin = honest]) =>
  refused(
    "UI2",
    [`a signed answer of UserInfo ${words}`, lie],
    answered("userinfo", 200, problem),
    twin,
    problem === "kid" ? { often: { jwks: 2 } } : {},
  ),
);
const shapes = [
  ["plain claims that are said to be signed", labelled(JSON.stringify), "jwt"],
  ["nothing that is said to be signed", labelled(() => ""), "jwt"],
  [
    "signed claims of five parts",
    jwt(undefined, (claims, { own }) => `${signed(claims, own.RS256)}.AA.AA`),
    "jwt",
  ],
  ["signed claims that are said to be plain", unlabelled(jwt()), "not_json"],
].map(([words, lie, problem]) =>
  refused("UI2", [words, lie], answered("userinfo", 200, problem), honest),
);
const signedSubjects = [
  ["about somebody else", says("sub", "bob")],
  ["about nobody", says("sub", undefined)],
].map(([words, lie]) =>
  refused(
    "UI1",
    [`a signed answer of UserInfo ${words}`, lie],
    mismatch,
    honest,
  ),
);

const sources = {
  _claim_names: { address: "there" },
  _claim_sources: {
    there: { endpoint: "http://127.0.0.1:9/claims", access_token: "x" },
  },
};

export const rows = [
  ...documentRows("UI3", "userinfo", "an answer of UserInfo"),
  ...Object.entries(subjects).map(([words, value]) =>
    refused("UI1", [`an answer of UserInfo ${words}`, about(value)], mismatch, [
      "one about the user",
      about("alice"),
    ]),
  ),
  ...signedLies,
  ...shapes,
  ...signedSubjects,
  ignored("UI5", [
    "an answer of UserInfo that points to more claims",
    {
      userinfo: (answer) => ({
        ...answer,
        json: { ...answer.json, ...sources },
      }),
    },
  ]),
].map((row) => ({
  attempt: "userInfo",
  ...{ untold: true, toNobody: false },
  sent: ["userinfo", "jwks"],
  ...row,
}));
