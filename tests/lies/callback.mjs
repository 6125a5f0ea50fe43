// Lies on the way back: what the browser brings, and where to (RFC 6749 §3.1, §4.1.2, §10.12; RFC 9207 §2.4;
// RFC 9700 §4.2, §4.5, §4.6, §4.7; OAuth 2.0 Multiple Response Types §2.1).

import {
  answered,
  ignored,
  member,
  oauthError,
  refused,
  stale,
} from "./words.mjs";

const ISS_ANNOUNCED = "authorization_response_iss_parameter_supported";
const malformed = (name) => answered("authorization", 0, name);
const untrusted = (error, more) => ({
  error,
  error_description: null,
  error_uri: null,
  ...more,
});
const mismatch =
  (actual, error = null) =>
  ({ chosen: { issuer: expected } }) => ({
    code: "issuer_mismatch",
    details: {
      expected,
      actual: typeof actual === "function" ? actual(expected) : actual,
      untrusted: error,
    },
  });

/** Where a response comes in, and how it is changed there: by `change(parameters, scene)`. */
const modes = {
  query: {
    words: "",
    given: {},
    edit: (change) => ({
      callback(url, scene) {
        change(url.searchParams, scene);
        return url;
      },
    }),
  },
  fragment: {
    words: ", in the fragment",
    given: { options: { responseMode: "fragment" } },
    edit: (change) => ({
      callback(url, scene) {
        const parameters = new URLSearchParams(url.hash.slice(1));
        change(parameters, scene);
        url.hash = parameters;
        return url;
      },
    }),
  },
};

const set = (members) => (parameters) => {
  for (const [name, value] of Object.entries(members)) {
    const made =
      typeof value === "function" ? value(parameters.get(name)) : value;
    if (made === undefined) parameters.delete(name);
    else parameters.set(name, made);
  }
};
const repeat = (name, value) => (parameters) =>
  parameters.append(name, value ?? parameters.get(name));
/** An error instead of the code. */
const failed = (error, more = {}) => set({ code: undefined, error, ...more });

// ── In either mode ──────────────────────────────────────────────────────────

const states = {
  "without a state": [undefined, "missing"],
  "with an empty state": ["", "missing"],
  "with somebody else's state": ["7f3a", "unknown"],
  "with a state that nobody drew": [
    (state) => state.slice(0, 12) + "A".repeat(43),
    "unknown",
  ],
  "with a state a letter longer": [(state) => `${state}A`, "unknown"],
  "with a state a letter shorter": [(state) => state.slice(0, -1), "unknown"],
  "with a state in capitals": [(state) => state.toUpperCase(), "unknown"],
  "with the beginning of a state": [(state) => state.slice(0, 12), "unknown"],
  "with a state and a blank": [(state) => `${state} `, "unknown"],
};
const repeated = {
  "with its state twice": ["state", undefined],
  "with two states": ["state", "other"],
  "with its code twice": ["code", undefined],
  "with two codes": ["code", "other"],
  "with its issuer twice": ["iss", undefined],
  "with two issuers": ["iss", "https://evil.example"],
};
const issuers = {
  "of another issuer": "https://evil.example",
  "of its issuer with a slash more": (issuer) => `${issuer}/`,
  "of its issuer in capitals": (issuer) => issuer.toUpperCase(),
  "of its issuer escaped twice": encodeURIComponent,
  "of its issuer and a blank": (issuer) => `${issuer} `,
  "of its issuer by another name": (issuer) =>
    issuer.replace("127.0.0.1", "localhost"),
  "of a user at its issuer": (issuer) => issuer.replace("//", "//user@"),
  "of no issuer": "",
};
const errors = {
  "of an error": ["access_denied", {}],
  "of an error in words": [
    "login_required",
    { error_description: '<img src=x onerror="alert(1)">' },
  ],
  "of an error with a page": [
    "consent_required",
    { error_uri: "javascript:alert(1)" },
  ],
  "of an error that nobody knows": ["no_mood", {}],
  "of an error beyond ASCII": ["nö", { error_description: "\ud83d\ude00" }],
};

const inEither = Object.values(modes).flatMap(({ words, given, edit }) => {
  const lie = (requirement, name, change, expected, more) =>
    refused(
      requirement,
      [`a response ${name}${words}`, edit(change)],
      expected,
      undefined,
      { given, ...more },
    );
  const survives = { survives: true };
  const forged = untrusted("access_denied", { error_description: "<b>" });
  return [
    ...Object.entries(states).flatMap(([name, [state, problem]]) => [
      lie("AR6", name, set({ state }), stale(problem), survives),
    ]),
    lie(
      ...["CB5", "of an error with somebody else's state"],
      failed("access_denied", { error_description: "<b>", state: "7f3a" }),
      ...[stale("unknown", forged), survives],
    ),
    lie(
      ...["CB5", "of an error without a state"],
      failed("access_denied", { error_description: "<b>", state: undefined }),
      ...[stale("missing", forged), survives],
    ),
    ...Object.entries(repeated).map(([name, [parameter, value]]) =>
      lie(
        ...["CB6", name, repeat(parameter, value), malformed(parameter)],
        survives,
      ),
    ),
    ...["error", "error_description", "error_uri"].map((name) =>
      lie(
        ...["CB6", `of an error with two of its ${name}`],
        (parameters) => {
          failed("a", { error_description: "b", error_uri: "c" })(parameters);
          parameters.append(name, "other");
        },
        ...[malformed(name), survives],
      ),
    ),
    ...Object.entries(issuers).flatMap(([name, iss]) => [
      lie("CB2", name, set({ iss }), mismatch(iss)),
      lie(
        ...["CB2", `of an error ${name}`, failed("access_denied", { iss })],
        mismatch(iss, untrusted("access_denied")),
      ),
    ]),
    lie("CB3", "without its issuer", set({ iss: undefined }), mismatch(null)),
    lie(
      ...["CB3", "of an error without its issuer"],
      failed("access_denied", { iss: undefined }),
      mismatch(null, untrusted("access_denied")),
    ),
    ...Object.entries(errors).map(([name, [error, more]]) =>
      lie(
        ...["CB5", name, failed(error, more)],
        oauthError("authorization_error", { error, ...more }),
      ),
    ),
    lie(
      ...["CB6", "of a code and an error"],
      ...[set({ error: "access_denied" }), malformed("code")],
    ),
    lie(
      ...["CB6", "of neither a code nor an error"],
      ...[set({ code: undefined }), malformed("code")],
    ),
    lie("CB6", "with an empty code", set({ code: "" }), malformed("code")),
    lie(
      ...["AR1", "of tokens instead of a code"],
      set({ code: undefined, access_token: "at", token_type: "Bearer" }),
      malformed("code"),
    ),
    lie(
      ...["AR1", "of an ID Token instead of a code"],
      ...[set({ code: undefined, id_token: "a.b.c" }), malformed("code")],
    ),
    lie(
      ...["AR1", "in a token that nobody asked for"],
      set({ code: undefined, response: "a.b.c" }),
      malformed("code"),
    ),
    ...[
      [
        "with tokens beside the code",
        { access_token: "at", id_token: "a.b.c" },
      ],
      ["with an expiry and a scope", { expires_in: "-1", scope: "root" }],
      ["with a user", { user: "root", sub: "root", login_hint: "root" }],
      ["with a session's state", { session_state: "x".repeat(10_000) }],
      ["with a prototype", { __proto__: null, ["__proto__"]: "x" }],
    ].map(([name, members]) =>
      ignored("CB7", [`a response ${name}${words}`, edit(set(members))], {
        given,
        sent: ["token", "jwks"],
      }),
    ),
  ];
});

// ── In the wrong mode, at the wrong place ───────────────────────────────────

const moved = {
  callback(url) {
    [url.search, url.hash] = [url.hash.slice(1), url.search.slice(1)];
    return url;
  },
};
const beside = (part) => ({
  callback(url) {
    url[part] = "code=evil&state=evil&iss=https://evil.example&error=x";
    return url;
  },
});
const places = {
  "at another path": (url) => (url.pathname = "/elsewhere"),
  "at a path that goes on": (url) => (url.pathname += "/x"),
  "at its path with a slash more": (url) => (url.pathname += "/"),
  "at its path in capitals": (url) => (url.pathname = "/CALLBACK"),
  "at its path, escaped": (url) => (url.pathname = "/%63allback"),
  "at another host": (url) => (url.host = "evil.example"),
  "at another name of its host": (url) => (url.hostname = "localhost"),
  "at another port": (url) => (url.port = "1"),
  "at its host by https": (url) => (url.protocol = "https:"),
};
const misplaced = [
  ...Object.values(modes).map(({ words, given }) =>
    refused(
      "CB12",
      [
        `a response in the other part of the URL${words || ", in the query"}`,
        moved,
      ],
      stale("missing"),
      undefined,
      { given, survives: true },
    ),
  ),
  ignored(
    "CB12",
    ["a response in the fragment beside the one in the query", beside("hash")],
    {
      sent: ["token", "jwks"],
    },
  ),
  ignored(
    "CB12",
    [
      "a response in the query beside the one in the fragment",
      beside("search"),
    ],
    {
      given: modes.fragment.given,
      sent: ["token", "jwks"],
    },
  ),
  ...Object.entries(places).map(([name, move]) =>
    refused(
      "CB14",
      [
        `a response ${name}`,
        {
          callback(url) {
            move(url);
            return url;
          },
        },
      ],
      stale("unknown"),
      undefined,
      { survives: true },
    ),
  ),
];

// ── What was not announced, and codes of others ─────────────────────────────

const { edit } = modes.query;
const unannounced = {
  given: { discovery: member(ISS_ANNOUNCED, undefined) },
  asksAgain: true,
};
const announcement = [
  [
    "another issuer",
    { iss: "https://evil.example" },
    mismatch("https://evil.example"),
  ],
  ["an empty issuer", { iss: "" }, mismatch("")],
].map(([name, members, expected]) =>
  refused(
    "CB4",
    [`a response of ${name}, though none was announced,`, edit(set(members))],
    expected,
    ["one without", edit(set({ iss: undefined }))],
    unannounced,
  ),
);

const invalidGrant = oauthError("token_error", {
  error: "invalid_grant",
  status: 400,
});
/** A code that the server gave for another login: with another challenge. */
const injected = (parameters, { chosen, requested }) => {
  const theirs = new URL(requested);
  theirs.searchParams.set("code_challenge", "A".repeat(43));
  const { searchParams } = new URL(chosen.authorize(theirs.href));
  parameters.set("code", searchParams.get("code"));
};
const codes = [
  ["with the code of somebody else's login", injected],
  [
    "with a code that was used",
    (parameters, { chosen }) => parameters.set("code", chosen.issued[0]),
  ],
  ["with a code that nobody gave", set({ code: "x" })],
  ["with a code of 100 kB", set({ code: "x".repeat(100_000) })],
].map(([name, change]) =>
  refused(
    "T10",
    [`a response ${name}`, edit(change)],
    invalidGrant,
    // Its own, whose code is the one that was used.
    ["the honest one", {}],
    {
      toNobody: false,
      sent: ["token", "jwks"],
    },
  ),
);

export const rows = [...inEither, ...misplaced, ...announcement, ...codes].map(
  (row) => ({ sent: [], ...row }),
);
