//! Compact JWS, parsed strictly (RFC 7515 §3.1, §5.2).

use super::super::base64url;
use super::super::error::{IdTokenProblem, ProtocolError};
use super::super::json::Json;
use super::super::text::cut;
use super::alg::Algorithm;

/// A signed token whose signature has not been checked yet.
#[non_exhaustive]
pub struct CompactJws<'a> {
    /// `alg`
    pub algorithm: &'static Algorithm,
    /// `kid`
    pub key_id: Option<String>,
    /// The claims; worth nothing before the signature is verified.
    pub payload: Json,
    /// The octets that were signed (RFC 7515 §5.1).
    pub signing_input: &'a str,
    /// The signature.
    pub signature: Vec<u8>,
}

impl<'a> CompactJws<'a> {
    /// Parses an ID Token: exactly three parts of strict base64url, a header that we understand whole, a JSON payload.
    ///
    /// # Errors
    /// `InvalidIdToken` naming the part.
    pub fn parse(token: &'a str) -> Result<Self, Box<ProtocolError>> {
        let malformed = |claim| refuse(claim, IdTokenProblem::Malformed);
        let (header, rest) = cut(token, b'.').ok_or_else(|| malformed("id_token"))?;
        let (payload, signature) = cut(rest, b'.').ok_or_else(|| malformed("id_token"))?;
        // Five parts would be an encrypted token (RFC 7516), two an unsecured one.
        if cut(signature, b'.').is_some() {
            return Err(malformed("id_token"));
        }
        let signing_input = token
            .get(..header.len() + 1 + payload.len())
            .unwrap_or_default();
        let header = object(header).ok_or_else(|| malformed("header"))?;
        // RFC 8725 §3.1: by name from the list. `none` and `HS256` end here.
        let algorithm = header
            .get_str("alg")
            .and_then(Algorithm::by_name)
            .ok_or_else(|| refuse("alg", IdTokenProblem::UnsupportedAlg))?;
        // RFC 7515 §4.1.11: we understand no extension, so none may be critical. `b64` (RFC 7797 §6) must be critical.
        if header.get("crit").is_some() || header.get("b64").is_some() {
            return Err(malformed("crit"));
        }
        // RFC 8725 §3.11: a token made for another purpose is no ID Token. `jwk`, `jku`, `x5u`, `x5c` are never looked at.
        if header.get("typ").is_some_and(|typ| {
            !typ.as_str()
                .is_some_and(|typ| typ.eq_ignore_ascii_case("JWT"))
        }) {
            return Err(refuse("typ", IdTokenProblem::Mismatch));
        }
        let key_id = match header.get("kid") {
            None => None,
            Some(kid) => Some(kid.as_str().ok_or_else(|| malformed("kid"))?.to_owned()),
        };
        Ok(Self {
            algorithm,
            key_id,
            payload: object(payload).ok_or_else(|| malformed("payload"))?,
            signing_input,
            signature: base64url::decode(signature)
                .ok_or_else(|| refuse("signature", IdTokenProblem::BadSignature))?,
        })
    }
}

fn object(part: &str) -> Option<Json> {
    Json::parse(&String::from_utf8(base64url::decode(part)?).ok()?).filter(Json::is_object)
}

fn refuse(claim: &'static str, problem: IdTokenProblem) -> Box<ProtocolError> {
    ProtocolError::invalid_id_token(claim, problem)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn token(header: &str, payload: &str, signature: &[u8]) -> String {
        [header.as_bytes(), payload.as_bytes(), signature]
            .map(base64url::encode)
            .join(".")
    }

    fn problem(token: &str) -> Option<(&'static str, IdTokenProblem)> {
        match *CompactJws::parse(token).err()? {
            ProtocolError::InvalidIdToken { claim, problem, .. } => Some((claim, problem)),
            other @ (ProtocolError::Authorization(_)
            | ProtocolError::Token { .. }
            | ProtocolError::InvalidMetadata { .. }
            | ProtocolError::InvalidResponse { .. }
            | ProtocolError::IssuerMismatch { .. }
            | ProtocolError::SubjectMismatch { .. }) => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_signed_token_is_taken_apart() {
        let text = token(
            r#"{"alg":"ES256","kid":"k","typ":"JWT"}"#,
            r#"{"sub":"x"}"#,
            &[1; 64],
        );
        let jws = CompactJws::parse(&text).unwrap_or_else(|_| panic!("refused"));
        assert_eq!(
            (jws.algorithm.name(), jws.key_id.as_deref()),
            ("ES256", Some("k"))
        );
        assert_eq!(jws.payload.get_str("sub"), Some("x"));
        assert!(text.starts_with(jws.signing_input) && jws.signature == [1; 64]);
    }

    #[test]
    fn every_other_shape_is_refused() {
        use IdTokenProblem::{BadSignature, Malformed, Mismatch, UnsupportedAlg};
        let es256 = |header: &str| token(header, "{}", &[1; 64]);
        for (text, expected) in [
            (String::new(), ("id_token", Malformed)),
            ("a.b".to_owned(), ("id_token", Malformed)),
            ("a.b.c.d.e".to_owned(), ("id_token", Malformed)),
            (
                format!("{}=", es256(r#"{"alg":"ES256"}"#)),
                ("signature", BadSignature),
            ),
            (
                format!(" {}", es256(r#"{"alg":"ES256"}"#)),
                ("header", Malformed),
            ),
            (es256("[]"), ("header", Malformed)),
            (es256("{}"), ("alg", UnsupportedAlg)),
            (es256(r#"{"alg":"none"}"#), ("alg", UnsupportedAlg)),
            (es256(r#"{"alg":"nOnE"}"#), ("alg", UnsupportedAlg)),
            (es256(r#"{"alg":"HS256"}"#), ("alg", UnsupportedAlg)),
            (es256(r#"{"alg":null}"#), ("alg", UnsupportedAlg)),
            (
                es256(r#"{"alg":"ES256","crit":["exp"],"exp":1}"#),
                ("crit", Malformed),
            ),
            (es256(r#"{"alg":"ES256","b64":false}"#), ("crit", Malformed)),
            (
                es256(r#"{"alg":"ES256","typ":"at+jwt"}"#),
                ("typ", Mismatch),
            ),
            (es256(r#"{"alg":"ES256","kid":7}"#), ("kid", Malformed)),
            (
                token(r#"{"alg":"ES256"}"#, "7", &[1; 64]),
                ("payload", Malformed),
            ),
        ] {
            assert_eq!(problem(&text), Some(expected), "{text}");
        }
    }
}
