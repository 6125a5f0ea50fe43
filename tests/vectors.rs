//! The examples of the RFCs, as far as no signature arithmetic is needed; tests/browser has them in the engines.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "tests"
)]

#[path = "support/vectors.rs"]
mod vectors;

use countersign::protocol::base64url;
use countersign::protocol::error::{IdTokenProblem, ProtocolError};
use countersign::protocol::http::HttpResponse;
use countersign::protocol::jose::alg::Algorithm;
use countersign::protocol::jose::jwk::{JwkSet, jwks_response, thumbprint};
use countersign::protocol::jose::jws::CompactJws;
use countersign::protocol::json::Json;
use countersign::protocol::pkce::CodeVerifier;
use vectors::{
    COOKBOOK_EC, COOKBOOK_RSA, ED25519, PKCE, SIGNED, SYMMETRIC, SYMMETRIC_KEY, THUMBPRINTS,
    UNSECURED,
};

fn set(keys: &[&str]) -> JwkSet {
    let body = format!(r#"{{"keys":[{}]}}"#, keys.join(","));
    jwks_response(&HttpResponse::new(200, "application/json", body)).unwrap()
}

fn alg(name: &str) -> &'static Algorithm {
    Algorithm::by_name(name).unwrap()
}

fn refusal(token: &str) -> Option<(&'static str, IdTokenProblem)> {
    match *CompactJws::parse(token).err()? {
        ProtocolError::InvalidIdToken { claim, problem, .. } => Some((claim, problem)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn id1_id15_the_signed_examples_are_taken_apart_and_find_their_key() {
    let every_key: Vec<&str> = SIGNED.iter().map(|example| example.key).collect();
    for example in &SIGNED {
        let (address, token) = (example.address, example.token());
        let payload = base64url::decode(example.payload).unwrap();
        if payload.first() == Some(&b'{') {
            let jws = CompactJws::parse(&token).unwrap_or_else(|_| panic!("{address}"));
            assert_eq!(jws.algorithm.name(), example.algorithm, "{address}");
            assert_eq!(jws.signing_input, example.signing_input(), "{address}");
            assert_eq!(
                base64url::encode(&jws.signature),
                example.signature,
                "{address}"
            );
            assert_eq!(jws.payload.get_str("iss"), Some("joe"), "{address}");
        } else {
            // Signed texts: no ID Token, whoever signed it.
            assert_eq!(
                refusal(&token),
                Some(("payload", IdTokenProblem::Malformed)),
                "{address}"
            );
        }
        let algorithm = alg(example.algorithm);
        assert_eq!(
            set(&[example.key]).candidates(algorithm, None).len(),
            1,
            "{address}"
        );
        let found = set(&every_key).candidates(algorithm, None);
        let own = set(&[example.key]).candidates(algorithm, None);
        assert!(found.contains(&own[0]), "{address}");
        let signature = base64url::decode(example.signature).unwrap();
        assert!(own[0].fits_signature(&signature), "{address}");
    }
}

#[test]
fn id6_t31_the_symmetric_and_the_unsecured_examples_are_refused() {
    for example in [SYMMETRIC, UNSECURED] {
        let expected = Some(("alg", IdTokenProblem::UnsupportedAlg));
        assert_eq!(refusal(&example.join(".")), expected);
    }
    let keys = set(&[SYMMETRIC_KEY, ED25519]);
    for example in &SIGNED {
        let found = keys.candidates(alg(example.algorithm), None).len();
        assert_eq!(found, usize::from(example.algorithm == "EdDSA"));
    }
}

#[test]
fn id19_two_keys_with_one_id_are_told_apart_by_their_type() {
    let keys = set(&[COOKBOOK_EC, COOKBOOK_RSA]);
    for (algorithm, key) in [
        ("RS256", COOKBOOK_RSA),
        ("PS384", COOKBOOK_RSA),
        ("ES512", COOKBOOK_EC),
    ] {
        let found = keys.candidates(alg(algorithm), Some("bilbo.baggins@hobbiton.example"));
        assert_eq!(found, set(&[key]).candidates(alg(algorithm), None));
        assert_eq!(found.len(), 1);
    }
    let other = keys.candidates(alg("ES256"), Some("bilbo.baggins@hobbiton.example"));
    assert!(other.is_empty(), "the curve is another one");
}

#[test]
fn id19_rfc8037_a1_of_a_private_key_only_the_public_one_is_handed_on() {
    let private = ED25519.replace(
        '}',
        r#","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}"#,
    );
    let keys = [private.as_str(), ED25519].map(|key| set(&[key]).candidates(alg("EdDSA"), None));
    assert_eq!(keys[0], keys[1]);
    assert!(!keys[0][0].to_jwk().contains("\"d\""));
}

#[test]
fn rfc7638_and_rfc8037_thumbprints_are_those_of_the_examples() {
    for (address, key, expected) in THUMBPRINTS {
        let of = |key: &str| thumbprint(&Json::parse(key).unwrap()).unwrap();
        assert_eq!(of(key), expected, "{address}");
        let other = key.replace("AQAB", "AQAD").replace("11qY", "12qY");
        assert_ne!(of(&other), expected, "{address}");
    }
}

#[test]
fn rfc7636_b_the_challenge_is_that_of_the_example() {
    let (verifier, challenge) = PKCE;
    assert_eq!(
        CodeVerifier::parse(verifier).unwrap().challenge(),
        challenge
    );
}
