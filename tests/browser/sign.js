// Keys and signatures of the engine's own making, for tokens that are honest and for tokens that lie. What each algorithm
// needs is written out, apart from what `port.js` derives from its name.

const rsa = (name, hash, saltLength) => ({
  name,
  hash,
  saltLength,
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
});
const pkcs1 = (hash) => rsa("RSASSA-PKCS1-v1_5", hash);
const ec = (namedCurve, hash) => ({ name: "ECDSA", namedCurve, hash });
const ed25519 = { name: "Ed25519" };

const parameters = {
  RS256: pkcs1("SHA-256"),
  RS384: pkcs1("SHA-384"),
  RS512: pkcs1("SHA-512"),
  PS256: rsa("RSA-PSS", "SHA-256", 32),
  PS384: rsa("RSA-PSS", "SHA-384", 48),
  PS512: rsa("RSA-PSS", "SHA-512", 64),
  ES256: ec("P-256", "SHA-256"),
  ES384: ec("P-384", "SHA-384"),
  ES512: ec("P-521", "SHA-512"),
  EdDSA: ed25519,
  Ed25519: ed25519,
};

const bytesOf = (text) => new TextEncoder().encode(text);

/** A new key as private JWK, with which any algorithm of its type can sign. */
export async function generate(algorithm, modulusLength) {
  for (let left = 5; ; left -= 1)
    try {
      return await make(algorithm, modulusLength);
    } catch (error) {
      // WebKitGTK fails at one now and then.
      if (left === 0) throw error;
    }
}

async function make(algorithm, modulusLength) {
  const asked = { ...parameters[algorithm], modulusLength };
  const usages = ["sign", "verify"];
  const { privateKey } = await crypto.subtle.generateKey(asked, true, usages);
  const jwk = await crypto.subtle.exportKey("jwk", privateKey);
  const { alg, ext, key_ops, ...key } = jwk;
  return JSON.stringify(key);
}

/** A signature by an algorithm, with another salt if one is given. */
export async function sign(algorithm, jwk, text, saltLength) {
  const asked = { ...parameters[algorithm] };
  asked.saltLength = saltLength ?? asked.saltLength;
  const key = await crypto.subtle.importKey(
    "jwk",
    JSON.parse(jwk),
    asked,
    false,
    ["sign"],
  );
  const signature = await crypto.subtle.sign(asked, key, bytesOf(text));
  return new Uint8Array(signature);
}

/** HMAC with SHA-256, by any bytes as the secret. */
export async function mac(secret, text) {
  const asked = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey(
    "raw",
    bytesOf(secret),
    asked,
    false,
    ["sign"],
  );
  const signature = await crypto.subtle.sign(asked, key, bytesOf(text));
  return new Uint8Array(signature);
}

/** The public half of an RSA key as PEM. */
export async function pem(jwk) {
  const { kty, n, e } = JSON.parse(jwk);
  const asked = parameters.RS256;
  const key = await crypto.subtle.importKey("jwk", { kty, n, e }, asked, true, [
    "verify",
  ]);
  const der = new Uint8Array(await crypto.subtle.exportKey("spki", key));
  const lines = btoa(String.fromCharCode(...der)).match(/.{1,64}/g);
  return `-----BEGIN PUBLIC KEY-----\n${lines.join("\n")}\n-----END PUBLIC KEY-----\n`;
}
