//! JWK Sets and the choice of a key (RFC 7517, RFC 7518 §6).

use super::super::base64url;
use super::super::digest::sha256;
use super::super::error::{Endpoint, ProtocolError};
use super::super::http::{HttpRequest, HttpResponse};
use super::super::json::{Json, Object};
use super::super::metadata::ServerMetadata;
use super::alg::Algorithm;

/// Keys beyond this are not looked at.
const MAX_KEYS: usize = 100;
/// So many keys are tried where a token does not say which signed it.
const MAX_CANDIDATES: usize = 4;

/// Asks for the server's keys. RFC 7517 §5, OIDC Core §10.1.1.
#[must_use]
pub fn jwks_request(metadata: &ServerMetadata) -> HttpRequest {
    HttpRequest::get(Endpoint::Jwks, metadata.jwks_uri())
}

/// Reads the server's keys.
///
/// # Errors
/// `InvalidResponse` for anything but a JSON object with an array `keys`.
pub fn jwks_response(response: &HttpResponse) -> Result<JwkSet, Box<ProtocolError>> {
    let document = response.ok_object(Endpoint::Jwks)?;
    let set = JwkSet(document);
    if set.keys().is_some() {
        Ok(set)
    } else {
        let status = response.status;
        Err(ProtocolError::invalid_response(
            Endpoint::Jwks,
            status,
            "keys",
        ))
    }
}

/// The keys of a server. Keys that we do not understand are skipped when one is chosen (RFC 7517 §5).
#[derive(Clone, Debug)]
pub struct JwkSet(Json);

impl JwkSet {
    fn keys(&self) -> Option<&[Json]> {
        self.0.get("keys").and_then(Json::as_array)
    }

    /// Whether the server published what it should keep to itself (RFC 7517 §9.2).
    #[must_use]
    pub fn holds_private(&self) -> bool {
        let private = |key: &Json| key.get("d").is_some() || key.get("k").is_some();
        self.keys().unwrap_or_default().iter().any(private)
    }

    /// The keys that may have signed a token with this header: by `kid`, then `kty`, `crv`, `alg`, `use` and `key_ops`
    /// (RFC 7515 §6, RFC 7517 §4). Without a `kid`, and where keys share one (RFC 7517 §4.5), there may be several.
    #[must_use]
    pub fn candidates(&self, algorithm: &Algorithm, key_id: Option<&str>) -> Vec<PublicKey> {
        let mut candidates = Vec::new();
        for key in self.keys().unwrap_or_default().iter().take(MAX_KEYS) {
            let fits = (key_id.is_none() || key.get_str("kid") == key_id)
                && key.get_str("kty") == Some(algorithm.key_type())
                && (algorithm.curve().is_none() || key.get_str("crv") == algorithm.curve())
                && key.get("alg").is_none_or(|alg| algorithm.is_named(alg))
                && key.get("use").is_none_or(|usage| is(usage, "sig"))
                && key.get("key_ops").is_none_or(allows_verify);
            if fits
                && candidates.len() < MAX_CANDIDATES
                && let Some(key) = PublicKey::of(key, algorithm)
            {
                candidates.push(key);
            }
        }
        candidates
    }
}

/// The members that make a public key, and no other of the JWK: nothing else is believed, and no private one copied.
#[derive(Clone, Debug, PartialEq)]
pub struct PublicKey {
    jwk: Json,
    /// Bytes of a signature.
    size: usize,
}

impl PublicKey {
    fn of(key: &Json, algorithm: &Algorithm) -> Option<Self> {
        let (jwk, bits) = public(key)?;
        let size = match algorithm.signature_size() {
            // RFC 7518 §3.3, §3.5: 2048 bits or more. RFC 8017 §8.1.2, 1: a signature is as long as the modulus.
            0 if bits >= 2048 => bits.div_ceil(8),
            0 => return None,
            size => size,
        };
        Some(Self { jwk, size })
    }

    /// The key as a JWK document, for the platform's arithmetic.
    #[must_use]
    pub fn to_jwk(&self) -> String {
        self.jwk.to_text()
    }

    /// Whether a signature has the one form that this key gives it. Not every engine asks.
    #[must_use]
    pub fn fits_signature(&self, signature: &[u8]) -> bool {
        // RFC 8032 §5.1.7, 1: `s` is below the order of the group, which is next to nothing above 2^252.
        let top = signature.last().is_some_and(|top| *top < 0x10);
        signature.len() == self.size && (top || self.jwk.get_str("kty") != Some("OKP"))
    }
}

/// The members of a key that RFC 7638 §3.2 requires, in its order, and the bits of an RSA modulus; `None` where one is
/// missing or no base64url.
fn public(key: &Json) -> Option<(Json, usize)> {
    let required: &[&str] = match key.get_str("kty")? {
        "RSA" => &["e", "kty", "n"],
        "EC" => &["crv", "kty", "x", "y"],
        // RFC 8037 §2:
        "OKP" => &["crv", "kty", "x"],
        _ => return None,
    };
    let (mut jwk, mut bits) = (Object::new(), 0);
    for name in required {
        let text = key.get_str(name)?;
        // `kty` and `crv` are words, the others numbers. The last of RSA is its modulus.
        if name.len() == 1 {
            let number = base64url::decode(text)?;
            bits = width(&number);
            // RFC 8017 §3.1: odd, and 3 or more. By 1 everybody could sign, and WebKitGTK lets them.
            let is_odd = number.last().is_some_and(|low| low % 2 == 1);
            if *name == "e" && (bits < 2 || !is_odd) {
                return None;
            }
        }
        jwk.text(name, text);
    }
    Some((jwk.done(), bits))
}

/// The thumbprint of a public key, by SHA-256; `None` for what is no key, and for a symmetric one. RFC 7638 §3.
#[must_use]
pub fn thumbprint(key: &Json) -> Option<String> {
    Some(sha256(&public(key)?.0.to_text()))
}

fn is(value: &Json, wanted: &str) -> bool {
    value.as_str() == Some(wanted)
}

fn allows_verify(operations: &Json) -> bool {
    let operations = operations.as_array().unwrap_or_default();
    operations.iter().any(|operation| is(operation, "verify"))
}

/// Bits of a number, from its highest one.
fn width(number: &[u8]) -> usize {
    let mut bytes = number.iter().skip_while(|byte| **byte == 0);
    let top = bytes.next().map_or(0, |byte| 8 - byte.leading_zeros());
    bytes.count() * 8 + usize::try_from(top).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn set(keys: &str) -> JwkSet {
        jwks_response(&HttpResponse::new(
            200,
            "application/json",
            format!("{{\"keys\":[{keys}]}}"),
        ))
        .unwrap()
    }

    fn alg(name: &str) -> &'static Algorithm {
        Algorithm::by_name(name).unwrap()
    }

    fn ec(extra: &str) -> String {
        format!(r#"{{"kty":"EC","crv":"P-256","x":"AQ","y":"Ag"{extra}}}"#)
    }

    /// With a modulus that begins with these bytes and has so many.
    fn rsa(top: &[u8], bytes: usize) -> String {
        let mut modulus = vec![255; bytes];
        modulus[..top.len()].copy_from_slice(top);
        let modulus = base64url::encode(&modulus);
        format!(r#"{{"kty":"RSA","kid":"r","e":"AQAB","n":"{modulus}"}}"#)
    }

    #[test]
    fn a_key_is_chosen_by_its_id_and_fits_its_algorithm() {
        let keys = set(&[
            ec(r#","kid":"a""#),
            ec(r#","kid":"b""#),
            r#"{"kty":"new"}"#.to_owned(),
            r#"{"kty":"oct","k":"AQ","kid":"a"}"#.to_owned(),
            r#"{"kty":"EC","crv":"P-384","x":"AQ","y":"Ag","kid":"a"}"#.to_owned(),
            r#"{"kty":"OKP","crv":"Ed25519","x":"AQ","kid":"o"}"#.to_owned(),
            r#"{"kty":"OKP","crv":"X25519","x":"AQ","kid":"o"}"#.to_owned(),
            "7".to_owned(),
            rsa(&[], 256),
        ]
        .join(","));
        let count = |name: &str, kid| keys.candidates(alg(name), kid).len();
        for (name, kid, found) in [
            ("ES256", Some("a"), 1),
            ("ES256", None, 2),
            ("ES256", Some("c"), 0),
            ("ES384", Some("a"), 1),
            ("ES512", Some("a"), 0),
            ("RS256", Some("a"), 0),
            ("RS256", Some("r"), 1),
            ("PS512", Some("r"), 1),
            ("ES256", Some("r"), 0),
            ("EdDSA", Some("o"), 1),
            ("Ed25519", Some("o"), 1),
            ("EdDSA", Some("a"), 0),
        ] {
            assert_eq!(count(name, kid), found, "{name} {kid:?}");
        }
    }

    #[test]
    fn keys_that_share_an_id_are_all_tried_up_to_a_few() {
        let same = |keys: usize| set(&vec![ec(r#","kid":"a""#); keys].join(","));
        for (keys, tried) in [
            (1, 1),
            (2, 2),
            (MAX_CANDIDATES, MAX_CANDIDATES),
            (100, MAX_CANDIDATES),
        ] {
            let candidates = same(keys).candidates(alg("ES256"), Some("a"));
            assert_eq!(candidates.len(), tried);
        }
    }

    #[test]
    fn keys_beyond_a_hundred_are_not_looked_at() {
        let with_ours_at = |place: usize| {
            let mut keys = vec![ec(r#","kid":"other""#); 10_000];
            keys[place] = ec(r#","kid":"ours""#);
            set(&keys.join(","))
                .candidates(alg("ES256"), Some("ours"))
                .len()
        };
        assert_eq!(with_ours_at(MAX_KEYS - 1), 1);
        assert_eq!(with_ours_at(MAX_KEYS), 0);
    }

    #[test]
    fn keys_for_another_use_are_left_out() {
        for extra in [
            r#","use":"enc""#,
            r#","use":7"#,
            r#","alg":"ES384""#,
            r#","alg":"none""#,
            r#","alg":7"#,
            r#","key_ops":["sign"]"#,
            r#","key_ops":[]"#,
            r#","key_ops":7"#,
        ] {
            let keys = set(&ec(extra));
            assert!(keys.candidates(alg("ES256"), None).is_empty(), "{extra}");
        }
        for extra in [
            r#","use":"sig""#,
            r#","use":null"#,
            r#","alg":"ES256""#,
            r#","key_ops":["verify"]"#,
            r#","key_ops":["sign","verify"]"#,
            r#","x5c":["AQ"],"unknown":{}"#,
        ] {
            let keys = set(&ec(extra));
            assert_eq!(keys.candidates(alg("ES256"), None).len(), 1, "{extra}");
        }
        // RFC 8725 §3.1: a key that says RS256 is for nothing else.
        let keys = set(&rsa(&[], 256).replace("{", r#"{"alg":"RS256","#));
        assert_eq!(keys.candidates(alg("RS256"), None).len(), 1);
        assert!(keys.candidates(alg("PS256"), None).is_empty());
        for (of_key, of_token, fits) in [
            ("EdDSA", "EdDSA", 1),
            ("EdDSA", "Ed25519", 1),
            ("Ed25519", "EdDSA", 1),
            ("Ed448", "EdDSA", 0),
        ] {
            let key = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"AQ","alg":"{of_key}"}}"#);
            assert_eq!(
                set(&key).candidates(alg(of_token), None).len(),
                fits,
                "{of_key} {of_token}"
            );
        }
    }

    #[test]
    fn rsa_keys_have_2048_bits_or_more() {
        for (top, bytes, fits) in [
            (&[][..], 256, 1),
            (&[0x80], 256, 1),
            (&[0x7F], 256, 0),
            (&[], 255, 0),
            (&[0, 0x80], 257, 1),
            (&[0, 0x7F], 257, 0),
            (&[1], 257, 1),
            (&[], 512, 1),
            (&[0], 1, 0),
            (&[], 0, 0),
        ] {
            let keys = set(&rsa(top, bytes));
            assert_eq!(
                keys.candidates(alg("RS256"), None).len(),
                fits,
                "{top:?} {bytes}"
            );
        }
        let keys = set(&rsa(&[], 256).replace("\"n\"", "\"m\""));
        assert!(keys.candidates(alg("RS256"), None).is_empty());
    }

    #[test]
    fn a_signature_has_the_one_form_that_its_key_gives() {
        let okp = r#"{"kty":"OKP","crv":"Ed25519","x":"AQ"}"#;
        let curve = |name: &str| ec("").replace("P-256", name);
        for (name, key, fits, others) in [
            ("RS256", rsa(&[], 256), 256, vec![0, 255, 257, 512]),
            ("PS512", rsa(&[0], 385), 384, vec![385, 256]),
            ("RS512", rsa(&[1], 257), 257, vec![256, 258]),
            ("ES256", ec(""), 64, vec![0, 63, 65, 70, 96]),
            ("ES384", curve("P-384"), 96, vec![95, 97, 64]),
            ("ES512", curve("P-521"), 132, vec![131, 133, 128]),
            ("EdDSA", okp.to_owned(), 64, vec![63, 65]),
            ("Ed25519", okp.to_owned(), 64, vec![114]),
        ] {
            let keys = set(&key).candidates(alg(name), None);
            let key = keys.first().unwrap();
            assert!(key.fits_signature(&vec![1; fits]), "{name}");
            for other in others {
                assert!(!key.fits_signature(&vec![1; other]), "{name} {other}");
            }
        }
        let keys = set(okp).candidates(alg("EdDSA"), None);
        let top = |top: u8| [vec![255; 63], vec![top]].concat();
        for (last, fits) in [(0, true), (0x0F, true), (0x10, false), (0xFF, false)] {
            assert_eq!(keys[0].fits_signature(&top(last)), fits, "{last}");
        }
    }

    #[test]
    fn rsa_exponents_are_odd_and_not_one() {
        for (exponent, fits) in [
            ("AQAB", true),
            ("Aw", true),
            ("AAEAAQ", true),
            ("AQ", false),
            ("AAAB", false),
            ("Ag", false),
            ("AQAA", false),
            ("AA", false),
            ("", false),
        ] {
            let key = rsa(&[], 256).replace("AQAB", exponent);
            let found = set(&key).candidates(alg("RS256"), None);
            assert_eq!(found.len(), usize::from(fits), "{exponent}");
        }
    }

    #[test]
    fn only_what_makes_a_public_key_is_handed_on() {
        let more = r#""kid":"k","use":"sig","d":"private","p":"private","x5c":["AQ"]"#;
        for (name, key, public) in [
            (
                "ES256",
                r#"{"y":"Ag","x":"AQ","crv":"P-256","kty":"EC","#,
                r#"{"crv":"P-256","kty":"EC","x":"AQ","y":"Ag"}"#,
            ),
            (
                "EdDSA",
                r#"{"kty":"OKP","crv":"Ed25519","x":"AQ","#,
                r#"{"crv":"Ed25519","kty":"OKP","x":"AQ"}"#,
            ),
        ] {
            let keys = set(&[key, more, "}"].concat()).candidates(alg(name), Some("k"));
            assert_eq!(keys.first().unwrap().to_jwk(), public);
        }
        let key = rsa(&[], 256);
        let keys = set(&key.replace("}", r#","d":"private","q":"private"}"#));
        let handed_on = keys
            .candidates(alg("RS256"), Some("r"))
            .first()
            .unwrap()
            .to_jwk();
        assert_eq!(
            handed_on,
            key.replace(
                r#""kty":"RSA","kid":"r","e":"AQAB""#,
                r#""e":"AQAB","kty":"RSA""#
            )
        );
    }

    #[test]
    fn a_thumbprint_needs_every_required_member() {
        let of = |key: &str| thumbprint(&Json::parse(key).unwrap());
        assert!(of(&ec("")).is_some());
        assert_eq!(of(&ec("")), of(&ec(r#","kid":"k","use":"sig","d":"AQ""#)));
        for key in [
            "{}",
            "7",
            r#"{"kty":"EC","crv":"P-256","x":"AQ"}"#,
            r#"{"kty":"EC","crv":"P-256","x":"AQ","y":7}"#,
            r#"{"kty":"EC","crv":"P-256","x":"AQ","y":"Ag=="}"#,
            r#"{"kty":"RSA","n":"AQ"}"#,
            r#"{"kty":"OKP","x":"AQ"}"#,
            r#"{"kty":"oct","k":"AQ"}"#,
        ] {
            assert_eq!(of(key), None, "{key}");
        }
    }

    #[test]
    fn what_is_no_set_is_refused() {
        for body in ["", "[]", "{}", r#"{"keys":{}}"#, "<html>"] {
            assert!(
                jwks_response(&HttpResponse::new(200, "", body)).is_err(),
                "{body}"
            );
        }
    }
}
