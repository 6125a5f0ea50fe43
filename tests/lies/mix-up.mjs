// Two servers, one of them evil, and every way of having the client take one for the other (RFC 9700 §4.4.1, §4.4.2;
// RFC 9207 §1, §2.4).

import { signed } from "../support/signing.mjs";
import {
  idToken,
  member,
  metadata,
  oauthError,
  refused,
  stale,
} from "./words.mjs";

const ISS_ANNOUNCED = "authorization_response_iss_parameter_supported";
const withParameters = (url, change) => {
  const made = new URL(url);
  change(made.searchParams);
  return made.href;
};
const address = (name, whose = "provider") =>
  member(name, (_, scene) => `${scene[whose].issuer}/${paths[name]}`);
const paths = {
  authorization_endpoint: "authorize",
  token_endpoint: "token",
  jwks_uri: "jwks",
};

/** Which issuer was expected, and which is told. */
const mixed =
  (expected, actual, untrusted = null) =>
  (scene) => ({
    code: "issuer_mismatch",
    details: {
      expected: scene[expected].issuer,
      actual: actual && scene[actual].issuer,
      untrusted,
    },
  });
const invalidGrant = oauthError("token_error", {
  error: "invalid_grant",
  status: 400,
});

/** The evil server sends the browser on to the honest one, in the name of the same client. */
const sentOn = {
  authorize: (requested, { provider }) => provider.authorize(requested),
};
const withoutIssuer = (tell) => (requested, scene) =>
  withParameters(tell(requested, scene), (response) => response.delete("iss"));

/** A code of the honest server, for somebody else's login. */
const stolen = ({ provider }, requested) => {
  const theirs = withParameters(requested, (request) =>
    request.set("code_challenge", "A".repeat(43)),
  );
  return new URL(provider.authorize(theirs)).searchParams.get("code");
};

const evil = { asked: "evil", sent: [] };
const twin = ["the evil server's own answer"];
const anew = { ...evil, asksAgain: true };
const silent = { discovery: member(ISS_ANNOUNCED, undefined) };
const mixUp = (name, lie, expected, more) =>
  refused("T7", [name, lie], expected, twin, { ...evil, ...more });

export const rows = [
  mixUp(
    "a response of the honest server to a login at the evil one",
    ...[sentOn, mixed("evil", "provider")],
  ),
  mixUp(
    "the same of a server that names no issuer, where one was announced,",
    { authorize: withoutIssuer(sentOn.authorize) },
    mixed("evil", null),
  ),
  mixUp(
    "the same where the evil server announced no issuer",
    ...[sentOn, mixed("evil", "provider")],
    { ...anew, given: silent },
  ),
  mixUp(
    "the same where neither names one, at the honest server's own redirect URI,",
    {
      authorize: withoutIssuer((requested, { provider, app }) =>
        provider.authorize(
          withParameters(requested, (request) =>
            request.set("redirect_uri", `${app.url}/callback`),
          ),
        ),
      ),
    },
    stale("unknown"),
    {
      ...anew,
      given: {
        ...silent,
        options: ({ app }) => ({ redirectUri: `${app.url}/callback/evil` }),
      },
    },
  ),
  mixUp(
    "an error of the honest server to a login at the evil one",
    {
      authorize: (requested, scene) =>
        withParameters(sentOn.authorize(requested, scene), (response) => {
          response.delete("code");
          response.set("error", "access_denied");
        }),
    },
    mixed("evil", "provider", {
      error: "access_denied",
      error_description: null,
      error_uri: null,
    }),
  ),
  mixUp(
    "the honest server's authorization endpoint in the evil one's metadata",
    { discovery: address("authorization_endpoint"), ...sentOn },
    mixed("evil", "provider"),
    anew,
  ),
  mixUp(
    "the honest server's issuer in the evil one's metadata",
    { discovery: member("issuer", (_, { provider }) => provider.issuer) },
    metadata("issuer", "mismatch"),
    { ...anew, untold: true, often: { discovery: 2 } },
  ),
  mixUp(
    "the honest server's token endpoint in the evil one's metadata, with a stolen code,",
    {
      discovery: address("token_endpoint"),
      callback: (url, scene) =>
        withParameters(url, (response) =>
          response.set("code", stolen(scene, scene.requested)),
        ),
    },
    invalidGrant,
    { ...anew, visits: true, sent: ["token", "jwks"] },
  ),
  mixUp(
    "the honest server's keys in the evil one's metadata, with a token that it signed,",
    {
      discovery: address("jwks_uri"),
      sign: (claims, _, { provider }) =>
        signed({ ...claims, iss: provider.issuer }, provider.keys.own.RS256),
    },
    idToken("iss", "mismatch"),
    { ...anew, visits: true, sent: ["token"], keysElsewhere: true },
  ),
  mixUp(
    "an ID Token in the honest server's name, signed by the evil one,",
    {
      claims: (claims, _, { provider }) => ({
        ...claims,
        iss: provider.issuer,
      }),
    },
    idToken("iss", "mismatch"),
    { sent: ["token", "jwks"] },
  ),
  refused(
    "T7",
    [
      "a response of the evil server to a login at the honest one",
      { authorize: (requested, { evil }) => evil.authorize(requested) },
    ],
    mixed("provider", "evil"),
    ["the honest server's own"],
    { sent: [] },
  ),
  refused(
    "T10",
    [
      "a code of the evil server in the honest one's name",
      {
        callback: (url, { evil, requested }) =>
          withParameters(url, (response) => {
            const { searchParams } = new URL(evil.authorize(requested));
            response.set("code", searchParams.get("code"));
          }),
      },
    ],
    invalidGrant,
    ["the honest server's own"],
    { sent: ["token", "jwks"], toNobody: false },
  ),
];
