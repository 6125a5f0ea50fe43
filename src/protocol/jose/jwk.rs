//! JWK Sets and the choice of a key (RFC 7517, RFC 7518 §6).

use super::super::base64url;
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

    /// The keys that may have signed a token with this header: by `kid`, then `kty`, `crv`, `alg`, `use` and `key_ops`
    /// (RFC 7515 §6, RFC 7517 §4). Without a `kid` there may be several.
    #[must_use]
    pub fn candidates(&self, algorithm: Algorithm, key_id: Option<&str>) -> Vec<PublicKey> {
        let mut candidates = Vec::new();
        for key in self.keys().unwrap_or_default().iter().take(MAX_KEYS) {
            let fits = (key_id.is_none() || key.get_str("kid") == key_id)
                && is_or_absent(key, "alg", algorithm.name())
                && is_or_absent(key, "use", "sig")
                && key.get("key_ops").is_none_or(allows_verify);
            if fits && candidates.len() < MAX_CANDIDATES {
                candidates.extend(PublicKey::of(key, algorithm));
            }
        }
        candidates
    }
}

/// The public members of a key that fits its algorithm; nothing else of the JWK, so that nothing else is believed.
#[derive(Clone, Debug, PartialEq)]
pub struct PublicKey(Json);

impl PublicKey {
    fn of(key: &Json, algorithm: Algorithm) -> Option<Self> {
        let kty = key
            .get_str("kty")
            .filter(|kty| *kty == algorithm.key_type())?;
        let mut jwk = Object::new();
        jwk.text("kty", kty);
        if let Some(curve) = algorithm.curve() {
            key.get_str("crv").filter(|crv| *crv == curve)?;
            jwk.text("crv", curve);
            copy(key, &mut jwk, "x")?;
            copy(key, &mut jwk, "y")?;
        } else {
            // RFC 7518 §3.3: 2048 bits or more.
            let modulus = copy(key, &mut jwk, "n")?;
            let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
            if modulus.len() - zeros < 256 {
                return None;
            }
            copy(key, &mut jwk, "e")?;
        }
        Some(Self(jwk.done()))
    }

    /// The key as a JWK document, for the platform's arithmetic.
    #[must_use]
    pub fn to_jwk(&self) -> String {
        self.0.to_text()
    }
}

fn is_or_absent(key: &Json, name: &str, wanted: &str) -> bool {
    key.get(name)
        .is_none_or(|value| value.as_str() == Some(wanted))
}

/// Copies a member that is base64url; its bytes.
fn copy(key: &Json, jwk: &mut Object, name: &str) -> Option<Vec<u8>> {
    let text = key.get_str(name)?;
    jwk.text(name, text);
    base64url::decode(text)
}

fn allows_verify(operations: &Json) -> bool {
    operations.as_array().is_some_and(|operations| {
        operations
            .iter()
            .any(|operation| operation.as_str() == Some("verify"))
    })
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

    fn ec(extra: &str) -> String {
        format!(r#"{{"kty":"EC","crv":"P-256","x":"AQ","y":"Ag"{extra}}}"#)
    }

    fn rsa(bytes: usize) -> String {
        format!(
            r#"{{"kty":"RSA","kid":"r","e":"AQAB","n":"{}"}}"#,
            base64url::encode(&vec![255; bytes])
        )
    }

    #[test]
    fn a_key_is_chosen_by_its_id_and_fits_its_algorithm() {
        let keys = set(&[
            ec(r#","kid":"a""#),
            ec(r#","kid":"b""#),
            r#"{"kty":"new"}"#.to_owned(),
            "7".to_owned(),
            rsa(256),
        ]
        .join(","));
        assert_eq!(keys.candidates(Algorithm::Es256, Some("a")).len(), 1);
        assert_eq!(keys.candidates(Algorithm::Es256, None).len(), 2);
        assert_eq!(keys.candidates(Algorithm::Es256, Some("c")).len(), 0);
        assert_eq!(keys.candidates(Algorithm::Rs256, Some("a")).len(), 0);
        assert_eq!(keys.candidates(Algorithm::Rs256, Some("r")).len(), 1);
        assert_eq!(
            keys.candidates(Algorithm::Es256, Some("a"))
                .first()
                .unwrap()
                .to_jwk(),
            r#"{"kty":"EC","crv":"P-256","x":"AQ","y":"Ag"}"#
        );
    }

    #[test]
    fn keys_for_another_use_and_weak_keys_are_left_out() {
        for extra in [
            r#","use":"enc""#,
            r#","alg":"ES384""#,
            r#","key_ops":["sign"]"#,
            r#","key_ops":7"#,
        ] {
            assert!(
                set(&ec(extra))
                    .candidates(Algorithm::Es256, None)
                    .is_empty(),
                "{extra}"
            );
        }
        for extra in [
            r#","use":"sig""#,
            r#","alg":"ES256""#,
            r#","key_ops":["verify"]"#,
        ] {
            assert_eq!(
                set(&ec(extra)).candidates(Algorithm::Es256, None).len(),
                1,
                "{extra}"
            );
        }
        assert!(set(&rsa(255)).candidates(Algorithm::Rs256, None).is_empty());
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
