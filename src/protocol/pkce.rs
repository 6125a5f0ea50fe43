//! Proof Key for Code Exchange, S256 only (RFC 7636).

use super::digest::sha256;
use super::secret::Secret;

/// `code_verifier`: 43 characters, 256 random bits (RFC 7636 §4.1).
#[derive(Clone, Debug)]
pub struct CodeVerifier(Secret);

impl CodeVerifier {
    /// Reads one back; `None` unless 43 to 128 characters of `[A-Za-z0-9-._~]` (RFC 7636 §4.1).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let unreserved =
            |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
        ((43..=128).contains(&text.len()) && text.bytes().all(unreserved))
            .then(|| Self(Secret::new(text)))
    }

    /// `code_challenge` (RFC 7636 §4.2).
    #[must_use]
    pub fn challenge(&self) -> String {
        challenge(self.0.expose())
    }

    /// The text, for the token request (RFC 7636 §4.5) and the stored transaction.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// `code_challenge` = BASE64URL(SHA256(ASCII(code_verifier))) (RFC 7636 §4.2).
#[must_use]
pub(crate) fn challenge(verifier: &str) -> String {
    sha256(verifier)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn ar4_rfc7636_appendix_b() {
        let verifier = CodeVerifier::parse("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk").unwrap();
        assert_eq!(
            verifier.challenge(),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }

    #[test]
    fn ar3_verifiers_of_another_shape_are_refused() {
        assert!(CodeVerifier::parse(&"a".repeat(42)).is_none());
        assert!(CodeVerifier::parse(&"a".repeat(43)).is_some());
        assert!(CodeVerifier::parse(&"a".repeat(128)).is_some());
        assert!(CodeVerifier::parse(&"a".repeat(129)).is_none());
        assert!(CodeVerifier::parse(&"+".repeat(43)).is_none());
    }
}
