//! Issuer Identifiers (OIDC Discovery §3, RFC 8414 §2).

use super::text::cut;
use super::uri::HttpUri;

/// Issuer Identifier: an `https:` URI without query and fragment, compared exactly (OIDC Discovery §3, RFC 8414 §2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    uri: HttpUri,
    insecure_allowed: bool,
}

/// Why a text is no usable issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IssuerProblem {
    /// No absolute http(s) URI, or one with a query or fragment.
    Malformed,
    /// `http:` beyond loopback, and not repeated in `allowInsecureIssuer`.
    Insecure,
}

impl Issuer {
    /// Parses an issuer. `http:` is accepted on loopback, and elsewhere if `insecure_exception` repeats it exactly.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str, insecure_exception: Option<&str>) -> Result<Self, IssuerProblem> {
        let uri = HttpUri::parse(text)
            .filter(|uri| cut(uri.as_str(), b'?').is_none())
            .ok_or(IssuerProblem::Malformed)?;
        let insecure_allowed = !uri.is_https() && insecure_exception == Some(text);
        if uri.is_https() || uri.is_loopback() || insecure_allowed {
            Ok(Self {
                uri,
                insecure_allowed,
            })
        } else {
            Err(IssuerProblem::Insecure)
        }
    }

    /// The text, as it was given: never normalised, since servers compare it byte by byte.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.uri.as_str()
    }

    pub(super) const fn uri(&self) -> &HttpUri {
        &self.uri
    }

    /// Whether the application named it as an exception from `https`.
    #[must_use]
    pub const fn is_insecure_exception(&self) -> bool {
        self.insecure_allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn an_http_issuer_is_loopback_or_an_exact_exception() {
        assert!(Issuer::parse("http://127.0.0.1:4444", None).is_ok());
        assert_eq!(
            Issuer::parse("http://as.lan", None),
            Err(IssuerProblem::Insecure)
        );
        assert_eq!(
            Issuer::parse("http://as.lan", Some("http://as.lan/")),
            Err(IssuerProblem::Insecure)
        );
        assert!(
            Issuer::parse("http://as.lan", Some("http://as.lan"))
                .unwrap()
                .is_insecure_exception()
        );
        assert_eq!(
            Issuer::parse("https://as.example?x", None),
            Err(IssuerProblem::Malformed)
        );
    }
}
