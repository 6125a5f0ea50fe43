//! Signed tokens and key sets.

use crate::check;
use crate::json::document;
use countersign::protocol::base64url;
use countersign::protocol::http::HttpResponse;
use countersign::protocol::jose::alg::Algorithm;
use countersign::protocol::jose::jwk::jwks_response;
use countersign::protocol::jose::jws::CompactJws;
use countersign::protocol::json::Json;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{Index, subsequence};

fn es256() -> &'static Algorithm {
    Algorithm::by_name("ES256").unwrap()
}

fn object() -> impl Strategy<Value = Json> {
    let members = btree_map("[a-z]{1,8}", document(), 0..6);
    members.prop_map(|members| Json::Object(members.into_iter().collect()))
}

fn token(header: &str, payload: &str, signature: &[u8]) -> String {
    let parts = [header.as_bytes(), payload.as_bytes(), signature];
    parts.map(base64url::encode).join(".")
}

#[test]
fn a_token_is_taken_apart_into_what_was_signed() {
    let parts = (object(), any::<Option<String>>(), vec(any::<u8>(), 64));
    check(300, parts, |(payload, key_id, signature)| {
        let kid = key_id.as_deref().map_or(String::new(), |kid| {
            format!(r#","kid":{}"#, Json::from(kid).to_text())
        });
        let header = format!(r#"{{"alg":"ES256"{kid}}}"#);
        let text = token(&header, &payload.to_text(), &signature);
        let jws = CompactJws::parse(&text).unwrap_or_else(|error| panic!("{error:?}"));
        assert_eq!(jws.algorithm.name(), "ES256");
        assert_eq!(jws.key_id, key_id);
        assert!(jws.payload == payload);
        assert_eq!(jws.signature, signature);
        assert_eq!(jws.signing_input, text.rsplit_once('.').unwrap().0);
    });
}

#[test]
fn another_text_is_another_token_or_none() {
    let text = token(r#"{"alg":"ES256","kid":"k"}"#, r#"{"sub":"u"}"#, &[7; 64]);
    let honest = CompactJws::parse(&text).unwrap_or_else(|error| panic!("{error:?}"));
    let edits = (any::<Index>(), "[A-Za-z0-9_.=-]|.", 0..3_u8);
    check(2000, edits, |(index, character, kind)| {
        let at = index.index(text.len());
        let (before, after) = text.split_at(at);
        let edited = match kind {
            0 => format!("{before}{character}{}", &after[1..]),
            1 => format!("{before}{character}{after}"),
            _ => format!("{before}{}", &after[1..]),
        };
        if edited == text {
            return;
        }
        // One value has one spelling, so nothing that is read is the same.
        if let Ok(jws) = CompactJws::parse(&edited) {
            let same =
                jws.signing_input == honest.signing_input && jws.signature == honest.signature;
            assert!(!same, "{edited}");
        }
    });
}

#[test]
fn the_right_key_is_found_among_any_others() {
    let right = r#"{"kty":"EC","crv":"P-256","kid":"right","x":"AQ","y":"Ag"}"#;
    let others = [
        r#"{"kty":"EC","crv":"P-256","kid":"other","x":"AQ","y":"Ag"}"#,
        r#"{"kty":"EC","crv":"P-256","x":"AQ","y":"Ag"}"#,
        r#"{"kty":"EC","crv":"P-256","kid":"RIGHT","x":"AQ","y":"Ag"}"#,
        r#"{"kty":"EC","crv":"P-384","kid":"right","x":"AQ","y":"Ag"}"#,
        r#"{"kty":"EC","crv":"P-256","kid":"right","x":"AQ=","y":"Ag"}"#,
        r#"{"kty":"EC","crv":"P-256","kid":"right","x":"AQ"}"#,
        r#"{"kty":"EC","crv":"P-256","kid":"right","x":"AQ","y":"Ag","use":"enc"}"#,
        r#"{"kty":"EC","crv":"P-256","kid":"right","x":"AQ","y":"Ag","key_ops":["sign"]}"#,
        r#"{"kty":"RSA","kid":"right","n":"AQ","e":"AQAB"}"#,
        r#"{"kty":"oct","kid":"right","k":"AQ"}"#,
        r#"{"kty":"new","kid":"right"}"#,
        "null",
        "7",
        "[]",
    ];
    let sets = (
        subsequence(others.to_vec(), 0..=others.len()),
        any::<Index>(),
        document(),
    );
    check(300, sets, |(mut keys, index, junk)| {
        let junk = junk.to_text();
        keys.push(&junk);
        let set = |keys: &[&str]| {
            let body = format!(r#"{{"keys":[{}]}}"#, keys.join(","));
            jwks_response(&HttpResponse::new(200, "", body)).unwrap()
        };
        assert!(set(&keys).candidates(es256(), Some("right")).is_empty());
        keys.insert(index.index(keys.len()), right);
        let found = set(&keys).candidates(es256(), Some("right"));
        let found: Vec<_> = found.iter().map(|key| key.to_jwk()).collect();
        assert_eq!(found, [r#"{"crv":"P-256","kty":"EC","x":"AQ","y":"Ag"}"#]);
    });
}
