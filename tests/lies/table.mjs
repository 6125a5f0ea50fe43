// The table: every lie that is told, each with its honest twin.

import { rows as callback } from "./callback.mjs";
import { rows as idToken } from "./id-token.mjs";
import { rows as jws } from "./jws.mjs";
import { rows as keys } from "./keys.mjs";
import { rows as metadata } from "./metadata.mjs";
import { rows as mixUp } from "./mix-up.mjs";
import { rows as signature } from "./signature.mjs";
import { rows as tokenAnswer } from "./token-answer.mjs";
import { rows as userInfo } from "./userinfo.mjs";

/** By what is lied about. */
export const tables = [
  { subject: "the metadata of a server", rows: metadata },
  { subject: "the response of the authorization endpoint", rows: callback },
  { subject: "the claims of an ID Token", rows: idToken },
  { subject: "the form of an ID Token", rows: jws },
  { subject: "the signature of an ID Token", rows: signature },
  { subject: "the keys of a server", rows: keys },
  { subject: "the answer of the token endpoint", rows: tokenAnswer },
  { subject: "the answer of UserInfo", rows: userInfo },
  { subject: "which of two servers answers", rows: mixUp },
];

export const rows = tables.flatMap(({ rows }) => rows);

// With a session a stale callback is a bookmark, so it is told without one, too. Of the others the first of each kind,
// since what a refusal leaves does not depend on the lie.
const kinds = new Set();
for (const row of rows) {
  const { code = typeof row.expect, details } = row.expect ?? {};
  const kind = [code, details?.endpoint].join(" ");
  row.toNobody ??= code === "stale_callback" || !kinds.has(kind);
  kinds.add(kind);
}
