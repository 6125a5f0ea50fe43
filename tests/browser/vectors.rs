//! The signed examples of the RFCs in the engine: RFC 7515 §A, RFC 7520 §4, RFC 8037 §A.

#[path = "../support/vectors.rs"]
mod examples;

use super::test;
use countersign::browser::Browser;
use countersign::client::ports::{SignatureCheck, Signatures};
use countersign::protocol::base64url::decode;
use countersign::protocol::http::HttpResponse;
use countersign::protocol::jose::alg::Algorithm;
use countersign::protocol::jose::jwk::jwks_response;
use countersign::protocol::json::Json;
use examples::{SIGNED, Signed};

/// What the engine says; below `CompactJws`, since most of the examples sign no JSON.
async fn is_right(example: &Signed, signing_input: &str) -> bool {
    let header = String::from_utf8(decode(example.header).unwrap()).unwrap();
    let header = Json::parse(&header).unwrap();
    let algorithm = Algorithm::by_name(header.get_str("alg").unwrap()).unwrap();
    let body = format!(r#"{{"keys":[{}]}}"#, example.key);
    let set = jwks_response(&HttpResponse::new(200, "application/json", body)).unwrap();
    let signature = decode(example.signature).unwrap();
    let keys = set.candidates(algorithm, header.get_str("kid"));
    assert!(keys[0].fits_signature(&signature));
    let check = SignatureCheck {
        algorithm,
        key: &keys[0],
        signing_input,
        signature: &signature,
        hashed: "",
    };
    let answer = Browser::new().verify(&check).await;
    answer.expect("every engine knows them").is_some()
}

#[test]
async fn id5_the_signed_examples_of_the_rfcs_are_right_and_nothing_near_them_is() {
    for example in &SIGNED {
        let input = example.signing_input();
        assert!(is_right(example, &input).await, "{}", example.address);
        let near = input.replace("eyJ", "eyI");
        assert!(!is_right(example, &near).await, "{}", example.address);
        let near = format!("{input}A");
        assert!(!is_right(example, &near).await, "{}", example.address);
    }
}
