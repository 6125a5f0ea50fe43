// What the provider's token answers are made into.

/**
 * From now on the answers to the clients `readers` carry tokens that can be read, and every answer goes through `also`.
 * What was said before is forgotten.
 */
export function editAnswers(control, readers, also) {
  control.clearFaults();
  const edit = (change) => (answer) =>
    answer.access_token ? change(answer) : answer;
  const reads = ({ body }) =>
    readers.includes(new URLSearchParams(body).get("client_id"));
  const always = Infinity;
  if (readers.length > 0) {
    const change = (answer) => (also ?? same)(readable(answer));
    control.failNext("token", edit(change), always, reads);
  }
  if (also) control.failNext("token", edit(also), always, (one) => !reads(one));
}

const same = (answer) => answer;

/** JWTs that nobody has signed, in place of the tokens. */
function readable(answer) {
  const iat = Math.floor(Date.now() / 1000);
  const exp = iat + answer.expires_in;
  const coded = (part) =>
    Buffer.from(JSON.stringify(part)).toString("base64url");
  const jwt = (token) =>
    `${coded({ alg: "none", typ: "JWT" })}.${coded({ iat, exp, token })}.`;
  const { access_token, refresh_token } = answer;
  return {
    ...answer,
    access_token: jwt(access_token),
    refresh_token: jwt(refresh_token),
  };
}

/** The provider's token in one that can be read; any other as it is. */
export function inside(token) {
  const [, claims] = token?.split(".") ?? [];
  return claims ? JSON.parse(Buffer.from(claims, "base64url")).token : token;
}

/** The ID Token with one bit of its signature turned over. */
export function spoiled(answer) {
  const [header, claims, signature] = answer.id_token.split(".");
  const bytes = Buffer.from(signature, "base64url");
  bytes[7] ^= 1;
  return {
    ...answer,
    id_token: [header, claims, bytes.toString("base64url")].join("."),
  };
}

/** The answer with an access token and an ID Token of so many bytes; the latter is signed by `sign`. */
export const padded = (bytes, sign) => async (answer) => {
  const [, claims] = answer.id_token?.split(".") ?? [];
  if (!claims) return { ...answer, access_token: filled(answer, bytes) };
  // It is of the token that there was.
  const { at_hash, ...known } = JSON.parse(Buffer.from(claims, "base64url"));
  const more = Math.max(0, Math.round((bytes - answer.id_token.length) * 0.75));
  return {
    ...answer,
    access_token: filled(answer, bytes),
    id_token: await sign({ ...known, filling: "x".repeat(more) }),
  };
};

const filled = ({ access_token }, bytes) => access_token.padEnd(bytes, "x");
