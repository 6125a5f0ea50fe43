//! The keys of a server.

use countersign::protocol::base64url;
use countersign::protocol::http::HttpResponse;
use countersign::protocol::jose::alg::Algorithm;
use countersign::protocol::jose::jwk::{JwkSet, PublicKey, jwks_response, thumbprint};
use countersign::protocol::json::Json;

/// Names of algorithms, some of them ours.
const NAMES: [&str; 15] = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "ES256K",
    "EdDSA", "Ed25519", "HS256", "none", "",
];

/// The members of a JWK that a verifier may see: public, and needed.
const PUBLIC: [&str; 6] = ["kty", "crv", "x", "y", "n", "e"];

/// Whatever stands in a set, few keys are chosen, each with its public members only, and fit for the algorithm.
pub fn run(data: &[u8]) {
    let text = super::text(data);
    let document = Json::parse(&text);
    let keys = document
        .as_ref()
        .and_then(|set| set.get("keys")?.as_array());
    let set = jwks_response(&HttpResponse::new(200, "application/json", text.as_ref()));
    assert_eq!(set.is_ok(), keys.is_some());
    let (Ok(set), Some(keys)) = (set, keys) else {
        return;
    };
    assert_eq!(format!("{set:?}"), "JwkSet(Json(…))");
    let _ = set.holds_private();
    for key in keys {
        // Members that no key type requires change nothing.
        let mut twin = key.clone();
        if let Json::Object(members) = &mut twin {
            members.retain(|(name, _)| PUBLIC.contains(&name.as_str()));
        }
        assert_eq!(thumbprint(key), thumbprint(&twin));
    }
    let ids = keys.iter().map(|key| key.get_str("kid")).take(3);
    for id in ids.chain([None, Some("another")]) {
        for algorithm in NAMES.into_iter().filter_map(Algorithm::by_name) {
            choose(&set, algorithm, id, keys);
        }
    }
}

fn choose(set: &JwkSet, algorithm: &Algorithm, id: Option<&str>, keys: &[Json]) {
    let chosen = set.candidates(algorithm, id);
    assert!(chosen.len() <= 4);
    for key in &chosen {
        fits(key, algorithm);
    }
    let with_id = keys.iter().filter(|key| key.get_str("kid") == id).count();
    assert!(id.is_none() || chosen.len() <= with_id);
}

fn fits(key: &PublicKey, algorithm: &Algorithm) {
    let jwk = Json::parse(&key.to_jwk()).unwrap();
    let Json::Object(members) = &jwk else {
        panic!("no object")
    };
    for (name, value) in members {
        assert!(PUBLIC.contains(&name.as_str()), "{name}");
        let text = value.as_str().unwrap();
        assert!(matches!(name.as_str(), "kty" | "crv") || base64url::decode(text).is_some());
    }
    assert_eq!(jwk.get_str("kty"), Some(algorithm.key_type()));
    assert_eq!(jwk.get_str("crv"), algorithm.curve());
    let size = match algorithm.curve() {
        None => {
            let modulus = base64url::decode(jwk.get_str("n").unwrap()).unwrap();
            let bytes = modulus.iter().skip_while(|byte| **byte == 0).count();
            assert!(bytes >= 256);
            bytes
        }
        Some("P-384") => 96,
        Some("P-521") => 132,
        Some(_) => 64,
    };
    assert!(key.fits_signature(&vec![1; size]));
    assert!(!key.fits_signature(&vec![1; size + 1]) && !key.fits_signature(&vec![1; size - 1]));
    assert!(thumbprint(&jwk).is_some_and(|print| print.len() == 43));
    assert_eq!(
        format!("{key:?}"),
        format!("PublicKey {{ jwk: Json(…), size: {size} }}")
    );
}
