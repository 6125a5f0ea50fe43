// Hints of who logs out: an ID Token of ours, expired or not (OpenID Connect RP-Initiated Logout 1.0 §2).

import { compactVerify, importJWK } from "jose";

/** The claims of an ID Token that this server signed, `undefined` for anything else. */
export async function claimsOfHint({ key, character }, hint) {
  if (hint === null) return undefined;
  try {
    const jwk = await importJWK(key.jwk);
    const algorithms = [key.jwk.alg];
    const { payload, protectedHeader } = await compactVerify(hint, jwk, {
      algorithms,
    });
    if (protectedHeader.typ !== "JWT") return undefined;
    const claims = JSON.parse(new TextDecoder().decode(payload));
    return claims.iss === character.issuer ? claims : undefined;
  } catch {
    return undefined;
  }
}
