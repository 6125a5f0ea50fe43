// Keys and signatures of every kind, honest ones and forged ones, by node:crypto alone: libraries refuse to lie.

import { constants, createHmac, generateKeyPair, sign } from "node:crypto";
import { promisify } from "node:util";

/** Every algorithm of RFC 7518 §3.1 and RFC 8037 §3.1 that needs no shared secret. */
export const algorithms = [
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
  ...["ES256", "ES384", "ES512", "EdDSA"],
];

const curves = { ES256: "P-256", ES384: "P-384", ES512: "P-521" };
const makePair = promisify(generateKeyPair);

const rsaPair = (modulusLength = 2048, publicExponent = 0x10001) =>
  makePair("rsa", { modulusLength, publicExponent });
const pairFor = (alg, rsa) => {
  if (/^[RP]S/.test(alg)) return rsa;
  if (alg === "EdDSA") return makePair("ed25519");
  return makePair("ec", { namedCurve: curves[alg] });
};

/** A key as a server holds it: `jwk` is what it publishes. */
export const keyOf = (alg, kid, { publicKey, privateKey }) => ({
  ...{ alg, kid, publicKey, privateKey },
  jwk: { ...publicKey.export({ format: "jwk" }), kid, alg, use: "sig" },
});

/** A key for each algorithm; those of RSA are one key under six names, since making one takes long. */
async function keySet(name) {
  const rsa = rsaPair();
  const keys = algorithms.map(async (alg) => {
    const pair = await pairFor(alg, rsa);
    return [alg, keyOf(alg, `${alg}-${name}`, await pair)];
  });
  return Object.fromEntries(await Promise.all(keys));
}

let made;

/** The server's own keys, those of somebody else, and an RSA key that is too short. Whose they are is nobody's concern. */
export const keys = () =>
  (made ??= Promise.all([keySet("own"), keySet("other"), rsaPair(1024)]).then(
    ([own, other, weak]) => ({
      own,
      other,
      weak: keyOf("RS256", "weak", weak),
    }),
  ));

/** The octets of a signature (RFC 7518 §3, RFC 8037 §3.1). */
export function signature(alg, key, input) {
  const hash = `sha${alg.slice(2)}`;
  switch (alg.slice(0, 2)) {
    case "HS":
      return createHmac(hash, key).update(input).digest();
    case "RS":
      return sign(hash, Buffer.from(input), key);
    case "PS":
      return sign(hash, Buffer.from(input), {
        key,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
      });
    case "ES":
      return sign(hash, Buffer.from(input), { key, dsaEncoding: "ieee-p1363" });
    default:
      return sign(null, Buffer.from(input), key);
  }
}

/** A part of a token: text and octets as they are, everything else as JSON. */
export const part = (value) =>
  Buffer.from(
    typeof value === "string" || Buffer.isBuffer(value)
      ? value
      : JSON.stringify(value),
  ).toString("base64url");

/** A compact JWS (RFC 7515 §3.1), whatever is in it; `make` gives the signature of its input. */
export function compact(header, payload, make) {
  const input = `${part(header)}.${part(payload)}`;
  return `${input}.${part(make(input))}`;
}

/** A token as a server signs it. */
export const signed = (claims, key, header = {}) =>
  compact({ alg: key.alg, kid: key.kid, ...header }, claims, (input) =>
    signature(key.alg, key.privateKey, input),
  );
