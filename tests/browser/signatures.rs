//! Signatures in the engine: every algorithm, and every lie that can be told with one beside what it lies about.

use super::javascript;
use super::test;
use countersign::browser::Browser;
use countersign::client::ports::{SignatureCheck, Signatures};
use countersign::protocol::base64url::{decode, encode};
use countersign::protocol::error::ProtocolError;
use countersign::protocol::http::HttpResponse;
use countersign::protocol::jose::alg::Algorithm;
use countersign::protocol::jose::jwk::{JwkSet, PublicKey, jwks_response};
use countersign::protocol::jose::jws::CompactJws;
use countersign::protocol::json::{Json, Object};
use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/tests/browser/sign.js")]
extern "C" {
    async fn generate(algorithm: &str, bits: u32) -> JsValue;
    async fn sign(algorithm: &str, jwk: &str, text: &str, salt: Option<u32>) -> JsValue;
    async fn mac(secret: &str, text: &str) -> JsValue;
    async fn pem(jwk: &str) -> JsValue;
}

const ALGORITHMS: [&str; 11] = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
    "Ed25519",
];

const ALICE: &str = r#"{"sub":"alice"}"#;
const BAD: &str = "signature bad_signature";

/// A key of the engine's making.
async fn key(algorithm: &str, bits: u32) -> String {
    generate(algorithm, bits).await.as_string().unwrap()
}

/// The signature over a text.
async fn signature(algorithm: &str, key: &str, text: &str) -> Vec<u8> {
    Uint8Array::new(&sign(algorithm, key, text, None).await).to_vec()
}

fn input(header: &str) -> String {
    [header, ALICE]
        .map(|part| encode(part.as_bytes()))
        .join(".")
}

fn header(algorithm: &str) -> String {
    format!(r#"{{"alg":"{algorithm}","kid":"k"}}"#)
}

fn token(input: &str, signature: &[u8]) -> String {
    [input, &encode(signature)].join(".")
}

/// The public half of a key, as a server publishes it: with a `kid`, and with the members that this replaces.
fn published(key: &str, replaced: &[(&str, &str)]) -> String {
    let key = Json::parse(key).unwrap();
    let mut jwk = Object::new();
    jwk.text("kid", "k");
    for name in ["kty", "crv", "x", "y", "n", "e"] {
        let other = replaced.iter().find(|(member, _)| *member == name);
        let own = key.get_str(name);
        if let Some(value) = other.map(|(_, value)| *value).or(own) {
            jwk.text(name, value);
        }
    }
    jwk.done().to_text()
}

fn set(keys: &[&str]) -> JwkSet {
    let body = format!(r#"{{"keys":[{}]}}"#, keys.join(","));
    jwks_response(&HttpResponse::new(200, "application/json", body)).unwrap()
}

/// What is made of a token: `Ok` with its hash, or the claim and the problem.
async fn judged(token: &str, keys: &[&str]) -> Result<String, String> {
    let jws = CompactJws::parse(token).map_err(|error| {
        let ProtocolError::InvalidIdToken { claim, problem, .. } = *error else {
            panic!("{error:?}");
        };
        [claim, problem.as_str()].join(" ")
    })?;
    let found = set(keys).candidates(jws.algorithm, jws.key_id.as_deref());
    if found.is_empty() {
        return Err("kid no_matching_key".to_owned());
    }
    let fits = |key: &&PublicKey| key.fits_signature(&jws.signature);
    for key in found.iter().filter(fits) {
        let check = SignatureCheck {
            algorithm: jws.algorithm,
            key,
            signing_input: jws.signing_input,
            signature: &jws.signature,
            hashed: "a",
        };
        match Browser::new().verify(&check).await {
            Ok(Some(hash)) => return Ok(hash),
            Ok(None) => {}
            Err(_) => return Err("alg unsupported_alg".to_owned()),
        }
    }
    Err(BAD.to_owned())
}

async fn refused(lie: &str, token: &str, keys: &[&str], reason: &str) {
    assert_eq!(judged(token, keys).await, Err(reason.to_owned()), "{lie}");
}

async fn accepted(twin: &str, token: &str, keys: &[&str]) {
    assert!(judged(token, keys).await.is_ok(), "{twin}");
}

/// An honest token, and what it was made of.
struct Honest {
    algorithm: &'static str,
    key: String,
    public: String,
    input: String,
    signature: Vec<u8>,
}

impl Honest {
    async fn new(algorithm: &'static str) -> Self {
        let key = key(algorithm, 2048).await;
        let input = input(&header(algorithm));
        let signature = signature(algorithm, &key, &input).await;
        let public = published(&key, &[]);
        let honest = Self {
            algorithm,
            key,
            public,
            input,
            signature,
        };
        accepted(algorithm, &honest.token(), &[&honest.public]).await;
        honest
    }

    fn token(&self) -> String {
        token(&self.input, &self.signature)
    }

    /// With another signature.
    async fn refuses(&self, lie: &str, signature: &[u8], reason: &str) {
        let lie = format!("{} {lie}", self.algorithm);
        refused(
            &lie,
            &token(&self.input, signature),
            &[&self.public],
            reason,
        )
        .await;
    }
}

#[test]
async fn id5_id21_every_algorithm_is_checked_and_its_hash_computed() {
    for algorithm in ALGORITHMS {
        let honest = Honest::new(algorithm).await;
        let hash = match algorithm.get(2..).unwrap() {
            "256" => "ypeBEsobvcr6wjGzmiPcTQ",
            "384" => "VKWbnyKwuAiA2EJ-VIt8I6vYc0huHwNd",
            _ => "H0D8ktokFpR1CXnubPWC8tXX0o4YM13gWrxU0FYOD1M",
        };
        assert_eq!(
            judged(&honest.token(), &[&honest.public]).await.as_deref(),
            Ok(hash),
            "{algorithm}"
        );
        // The signature of this user under the claims of another, and under another header.
        let mallory = encode(br#"{"sub":"mallory"}"#);
        let (first, _) = honest.input.split_once('.').unwrap();
        let forged = token(&[first, &mallory].join("."), &honest.signature);
        refused(algorithm, &forged, &[&honest.public], BAD).await;
        let other = input(&format!(r#"{{"alg":"{algorithm}","kid":"k","typ":"JWT"}}"#));
        refused(
            algorithm,
            &token(&other, &honest.signature),
            &[&honest.public],
            BAD,
        )
        .await;
        // Another key of the same kind.
        let stranger = published(&key(algorithm, 2048).await, &[]);
        refused(algorithm, &honest.token(), &[&stranger], BAD).await;
        // Both keys under one id: whichever signed.
        accepted(algorithm, &honest.token(), &[&stranger, &honest.public]).await;
        for at in [0, honest.signature.len() / 2, honest.signature.len() - 1] {
            let mut flipped = honest.signature.clone();
            flipped[at] ^= 1;
            honest.refuses("one bit flipped", &flipped, BAD).await;
        }
        honest
            .refuses("zeros", &vec![0; honest.signature.len()], BAD)
            .await;
        let short = &honest.signature[1..];
        honest.refuses("a byte less", short, BAD).await;
        let long = [&honest.signature[..], &[0]].concat();
        honest.refuses("a byte more", &long, BAD).await;
        let padded = [&[0], &honest.signature[..]].concat();
        honest.refuses("a zero before", &padded, BAD).await;
    }
}

/// `r` and `s`, each as long as the curve has it, in DER (RFC 3279 §2.2.3), as many libraries give them.
fn in_der(signature: &[u8]) -> Vec<u8> {
    let integer = |number: &[u8]| {
        let zeros = number.iter().take_while(|byte| **byte == 0).count();
        let mut digits = number[zeros..].to_vec();
        if digits[0] >= 0x80 {
            digits.insert(0, 0);
        }
        [&[2, u8::try_from(digits.len()).unwrap()], &digits[..]].concat()
    };
    let (r, s) = signature.split_at(signature.len() / 2);
    let both = [integer(r), integer(s)].concat();
    [&[0x30, u8::try_from(both.len()).unwrap()], &both[..]].concat()
}

/// The order of P-256 (FIPS 186-5, SP 800-186 §3.2.1.3).
const P256_ORDER: &str = "_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE";

#[test]
async fn id18_ecdsa_signatures_are_two_numbers_of_the_curve_side_by_side() {
    let honest = Honest::new("ES256").await;
    let (r, s) = honest.signature.split_at(32);
    let (zero, order) = ([0; 32], decode(P256_ORDER).unwrap());
    let der = in_der(&honest.signature);
    assert_ne!(der.len(), 64);
    for (lie, r, s) in [
        ("r = 0", &zero[..], s),
        ("s = 0", r, &zero[..]),
        ("r = n", &order, s),
        ("s = n", r, &order),
        ("r and s = n", &order, &order),
        ("swapped", s, r),
        ("r without its first byte", &r[1..], s),
        ("s without its last byte", r, &s[..31]),
        ("r alone", r, &[]),
        ("DER", &der, &[]),
    ] {
        honest.refuses(lie, &[r, s].concat(), BAD).await;
    }
}

#[test]
async fn id18_a_key_that_is_no_point_of_its_curve_checks_nothing() {
    let honest = Honest::new("ES256").await;
    let other = Honest::new("ES384").await;
    let y = Json::parse(&honest.key)
        .unwrap()
        .get_str("y")
        .unwrap()
        .to_owned();
    let mut bytes = decode(&y).unwrap();
    bytes[31] ^= 1;
    let wrong = encode(&bytes);
    for (lie, key) in [
        ("another y", published(&honest.key, &[("y", &wrong)])),
        (
            "no point at all",
            published(&honest.key, &[("x", "AA"), ("y", "AA")]),
        ),
        (
            "of P-384, called P-256",
            published(&other.key, &[("crv", "P-256")]),
        ),
    ] {
        refused(lie, &honest.token(), &[&key], BAD).await;
    }
    for (lie, member, value) in [
        ("of P-256, called P-384", "crv", "P-384"),
        ("no base64url", "y", &format!("{y}=")),
    ] {
        let key = published(&honest.key, &[(member, value)]);
        refused(lie, &honest.token(), &[&key], "kid no_matching_key").await;
    }
}

#[test]
async fn id18_ed25519_signatures_have_one_form() {
    let honest = Honest::new("Ed25519").await;
    // The order of the group (RFC 8032 §5.1), little-endian: `s` plus it is the same number, and another signature.
    let order = "7dP1XBpjEljWnPei3vneFAAAAAAAAAAAAAAAAAAAABA";
    let mut carry = 0_u16;
    let mut s = Vec::new();
    for (a, b) in honest.signature[32..].iter().zip(decode(order).unwrap()) {
        carry += u16::from(*a) + u16::from(b);
        s.push(u8::try_from(carry & 255).unwrap());
        carry >>= 8;
    }
    let (r, _) = honest.signature.split_at(32);
    honest.refuses("s + L", &[r, &s].concat(), BAD).await;
    // Either name is for the same keys; the name in the header is signed along.
    let input = input(&header("EdDSA"));
    let signature = signature("EdDSA", &honest.key, &input).await;
    accepted("EdDSA", &token(&input, &signature), &[&honest.public]).await;
    refused(
        "renamed",
        &token(&input, &honest.signature),
        &[&honest.public],
        BAD,
    )
    .await;
}

#[test]
async fn id6_t31_a_signature_by_another_algorithm_than_the_header_says_is_refused() {
    let rsa = Honest::new("RS256").await;
    for (says, signed_by) in [
        ("RS256", "PS256"),
        ("PS256", "RS256"),
        ("RS256", "RS512"),
        ("RS384", "RS256"),
        ("PS384", "PS512"),
    ] {
        let input = input(&header(says));
        let other = signature(signed_by, &rsa.key, &input).await;
        refused(signed_by, &token(&input, &other), &[&rsa.public], BAD).await;
        let own = signature(says, &rsa.key, &input).await;
        accepted(says, &token(&input, &own), &[&rsa.public]).await;
    }
    // RFC 7518 §3.5: the salt is as long as the digest.
    let input = input(&header("PS256"));
    for salt in [0, 20, 31, 48] {
        let salted = sign("PS256", &rsa.key, &input, Some(salt)).await;
        let salted = Uint8Array::new(&salted).to_vec();
        refused("salt", &token(&input, &salted), &[&rsa.public], BAD).await;
    }
}

#[test]
async fn id6_t31_a_public_key_is_no_secret_to_sign_with() {
    let rsa = Honest::new("RS256").await;
    let pem = pem(&rsa.key).await.as_string().unwrap();
    let Some(key) = set(&[&rsa.public])
        .candidates(Algorithm::by_name("RS256").unwrap(), None)
        .pop()
    else {
        panic!("it fits");
    };
    let input = input(&header("HS256"));
    for secret in [pem.as_str(), pem.trim_end(), &rsa.public, &key.to_jwk()] {
        let forged = Uint8Array::new(&mac(secret, &input).await).to_vec();
        refused(
            "HS256",
            &token(&input, &forged),
            &[&rsa.public],
            "alg unsupported_alg",
        )
        .await;
    }
    for name in ["none", "None", "nOnE", ""] {
        let input = self::input(&header(name));
        let unsigned = token(&input, &[]);
        refused(name, &unsigned, &[&rsa.public], "alg unsupported_alg").await;
    }
    refused(
        "nothing signed",
        &token(&rsa.input, &[]),
        &[&rsa.public],
        BAD,
    )
    .await;
}

#[test]
async fn id15_t31_a_key_of_another_type_is_never_tried() {
    let (rsa, ec) = (Honest::new("RS256").await, Honest::new("ES256").await);
    let ed = Honest::new("Ed25519").await;
    for one in [&rsa, &ec, &ed] {
        for other in [&rsa, &ec, &ed] {
            if one.algorithm != other.algorithm {
                let keys = [other.public.as_str()];
                refused(one.algorithm, &one.token(), &keys, "kid no_matching_key").await;
            }
        }
        // All under one id.
        accepted(
            one.algorithm,
            &one.token(),
            &[&rsa.public, &ec.public, &ed.public],
        )
        .await;
    }
}

#[test]
async fn id17_t31_a_key_that_comes_along_signs_for_nobody() {
    let (honest, mallory) = (Honest::new("ES256").await, Honest::new("ES256").await);
    for member in ["jwk", "x5c", "jku"] {
        let value = match member {
            "jwk" => mallory.public.clone(),
            "x5c" => r#"["AQ"]"#.to_owned(),
            _ => r#""https://evil.example/jwks""#.to_owned(),
        };
        let header = format!(r#"{{"alg":"ES256","kid":"k","{member}":{value}}}"#);
        let input = input(&header);
        let forged = signature("ES256", &mallory.key, &input).await;
        refused(member, &token(&input, &forged), &[&honest.public], BAD).await;
        let signed = signature("ES256", &honest.key, &input).await;
        accepted(member, &token(&input, &signed), &[&honest.public]).await;
    }
}

#[test]
async fn id18_a_short_rsa_key_checks_nothing() {
    for (bits, expected) in [(1024, Err("kid no_matching_key")), (2048, Ok(()))] {
        let key = key("RS256", bits).await;
        // As long as that of a longer key would be, so that it is the key that is refused.
        let input = input(&header("RS256"));
        let mut signed = signature("RS256", &key, &input).await;
        signed.resize(256, 0);
        let result = judged(&token(&input, &signed), &[&published(&key, &[])]).await;
        assert_eq!(
            result.as_ref().map(|_| ()).map_err(String::as_str),
            expected,
            "{bits}"
        );
    }
}

#[test]
async fn what_the_engine_does_not_know_is_told_from_what_is_wrong() {
    let honest = Honest::new("ES256").await;
    for (name, expected) in [
        ("NotSupportedError", "alg unsupported_alg"),
        ("DataError", BAD),
        ("OperationError", BAD),
    ] {
        // As an engine answers that lacks the curve, or refuses the key.
        javascript(&format!(
            "crypto.subtle.importKey = async () => {{ throw new DOMException('', '{name}') }}"
        ))
        .await;
        let result = judged(&honest.token(), &[&honest.public]).await;
        javascript("delete crypto.subtle.importKey").await;
        assert_eq!(result, Err(expected.to_owned()), "{name}");
    }
    accepted("again", &honest.token(), &[&honest.public]).await;
}
