//! Authorization server metadata (OIDC Discovery, RFC 8414).

use super::error::{Endpoint, MetadataProblem, ProtocolError};
use super::http::{HttpRequest, HttpResponse};
use super::json::{Json, Object};
use super::text::{cut, joined};
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

    /// Whether the application named it as an exception from `https`.
    #[must_use]
    pub const fn is_insecure_exception(&self) -> bool {
        self.insecure_allowed
    }

    /// Whether an endpoint may be used with this issuer: `https`, loopback, or `http` under the exception
    /// (RFC 6749 §3.1, §3.2; OAuth 2.1 §1.5).
    fn allows(&self, endpoint: &HttpUri) -> bool {
        endpoint.is_https() || endpoint.is_loopback() || self.insecure_allowed
    }
}

/// What we use of a server's metadata: a document with these members only, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerMetadata(Json);

/// Endpoints, and whether we cannot do without.
const ENDPOINTS: [(&str, bool); 4] = [
    ("authorization_endpoint", true),
    ("token_endpoint", true),
    ("jwks_uri", true),
    ("end_session_endpoint", false),
];

const ISS_SUPPORTED: &str = "authorization_response_iss_parameter_supported";

/// Asks for the metadata of an issuer. OIDC Discovery §4.1.
#[must_use]
pub fn discovery_request(issuer: &Issuer) -> HttpRequest {
    // OIDC Discovery §4.1: a terminating `/` is removed before the well-known path is appended.
    let base = issuer.as_str().strip_suffix('/').unwrap_or(issuer.as_str());
    HttpRequest::get(
        Endpoint::Discovery,
        &joined(&[base, "/.well-known/openid-configuration"]),
    )
}

/// Reads the metadata, and refuses all of it for one member that is wrong. OIDC Discovery §4.2, §4.3; RFC 8414 §3.3.
///
/// # Errors
/// `invalid_response` for something that is no metadata document, `invalid_metadata` naming the member.
pub fn discovery_response(
    issuer: &Issuer,
    response: &HttpResponse,
) -> Result<ServerMetadata, Box<ProtocolError>> {
    parse(issuer, &response.ok_object(Endpoint::Discovery)?)
}

/// Reads a metadata document, fresh from the server or from a cache.
///
/// # Errors
/// `invalid_metadata` naming the member.
pub fn parse(issuer: &Issuer, document: &Json) -> Result<ServerMetadata, Box<ProtocolError>> {
    // OIDC Discovery §4.3: identical to the issuer that was asked, or nothing in it may be used.
    match document.get("issuer").map(Json::as_str) {
        Some(Some(found)) if found == issuer.as_str() => {}
        Some(Some(_)) => return Err(refuse("issuer", MetadataProblem::Mismatch)),
        Some(None) => return Err(refuse("issuer", MetadataProblem::Malformed)),
        None => return Err(refuse("issuer", MetadataProblem::Missing)),
    }
    // RFC 7636 §4.2, RFC 9700 §2.1.1: never fall back to `plain`. A server that says nothing may still do S256.
    if let Some(methods) = document.get("code_challenge_methods_supported") {
        let s256 = methods
            .as_array()
            .is_some_and(|methods| methods.iter().any(|method| method.as_str() == Some("S256")));
        if !s256 {
            return Err(refuse(
                "code_challenge_methods_supported",
                MetadataProblem::Unsupported,
            ));
        }
    }
    let mut metadata = Object::new();
    metadata.text("issuer", issuer.as_str());
    for (field, required) in ENDPOINTS {
        match document.get(field) {
            Some(value) => metadata.text(field, endpoint(issuer, value, field)?),
            None if required => return Err(refuse(field, MetadataProblem::Missing)),
            None => &mut metadata,
        };
    }
    metadata.flag(ISS_SUPPORTED, document.is_true(ISS_SUPPORTED));
    Ok(ServerMetadata(metadata.done()))
}

impl ServerMetadata {
    fn text(&self, name: &str) -> &str {
        self.0.get_str(name).unwrap_or_default()
    }

    /// `issuer`
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.text("issuer")
    }

    /// `authorization_endpoint`
    #[must_use]
    pub fn authorization_endpoint(&self) -> &str {
        self.text("authorization_endpoint")
    }

    /// `token_endpoint`
    #[must_use]
    pub fn token_endpoint(&self) -> &str {
        self.text("token_endpoint")
    }

    /// `jwks_uri`
    #[must_use]
    pub fn jwks_uri(&self) -> &str {
        self.text("jwks_uri")
    }

    /// `end_session_endpoint` (OIDC RP-Initiated Logout §2.1)
    #[must_use]
    pub fn end_session_endpoint(&self) -> Option<&str> {
        self.0.get_str("end_session_endpoint")
    }

    /// `authorization_response_iss_parameter_supported` (RFC 9207 §3)
    #[must_use]
    pub fn iss_parameter_supported(&self) -> bool {
        self.0.is_true(ISS_SUPPORTED)
    }

    /// The document, with the members that we use, for the cache.
    #[must_use]
    pub const fn as_json(&self) -> &Json {
        &self.0
    }
}

/// An endpoint that may be used.
fn endpoint<'a>(
    issuer: &Issuer,
    value: &'a Json,
    field: &'static str,
) -> Result<&'a str, Box<ProtocolError>> {
    let text = value.as_str().unwrap_or_default();
    let uri = HttpUri::parse(text).ok_or_else(|| refuse(field, MetadataProblem::Malformed))?;
    if issuer.allows(&uri) {
        Ok(text)
    } else {
        Err(refuse(field, MetadataProblem::Insecure))
    }
}

fn refuse(field: &'static str, problem: MetadataProblem) -> Box<ProtocolError> {
    ProtocolError::invalid_metadata(field, problem)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const ISSUER: &str = "https://as.example/tenant/";

    fn issuer() -> Issuer {
        Issuer::parse(ISSUER, None).unwrap()
    }

    fn document() -> String {
        r#"{"issuer":"https://as.example/tenant/","authorization_endpoint":"https://as.example/authorize?x=1",
            "token_endpoint":"https://as.example/token","jwks_uri":"https://keys.example/jwks",
            "end_session_endpoint":"https://as.example/logout","code_challenge_methods_supported":["plain","S256"],
            "authorization_response_iss_parameter_supported":true,"unknown":{"a":[]}}"#
            .to_owned()
    }

    fn read(document: &str) -> Result<ServerMetadata, Box<ProtocolError>> {
        discovery_response(
            &issuer(),
            &HttpResponse::new(200, "application/json", document),
        )
    }

    #[test]
    fn the_well_known_path_follows_the_issuer_without_its_last_slash() {
        assert_eq!(
            discovery_request(&issuer()).uri,
            "https://as.example/tenant/.well-known/openid-configuration"
        );
    }

    #[test]
    fn a_document_is_read_and_comes_back_from_the_cache() {
        let metadata = read(&document()).unwrap();
        assert_eq!(
            metadata.authorization_endpoint(),
            "https://as.example/authorize?x=1"
        );
        assert!(metadata.iss_parameter_supported());
        assert_eq!(parse(&issuer(), metadata.as_json()), Ok(metadata));
    }

    #[test]
    fn one_wrong_member_refuses_the_document() {
        for (from, to, field, problem) in [
            (
                r#""https://as.example/tenant/""#,
                r#""https://as.example/tenant""#,
                "issuer",
                MetadataProblem::Mismatch,
            ),
            (
                r#""https://as.example/tenant/""#,
                "7",
                "issuer",
                MetadataProblem::Malformed,
            ),
            (
                "\"issuer\"",
                "\"issuers\"",
                "issuer",
                MetadataProblem::Missing,
            ),
            (
                r#""https://as.example/token""#,
                "7",
                "token_endpoint",
                MetadataProblem::Malformed,
            ),
            (
                r#""https://as.example/token""#,
                r#""/token""#,
                "token_endpoint",
                MetadataProblem::Malformed,
            ),
            (
                r#""https://as.example/token""#,
                r#""javascript:alert(1)""#,
                "token_endpoint",
                MetadataProblem::Malformed,
            ),
            (
                r#""https://as.example/token""#,
                r#""http://as.example/token""#,
                "token_endpoint",
                MetadataProblem::Insecure,
            ),
            (
                "token_endpoint",
                "tokens",
                "token_endpoint",
                MetadataProblem::Missing,
            ),
            ("jwks_uri", "jwks", "jwks_uri", MetadataProblem::Missing),
            (
                "\"S256\"",
                "\"s256\"",
                "code_challenge_methods_supported",
                MetadataProblem::Unsupported,
            ),
        ] {
            let error = read(&document().replace(from, to)).unwrap_err();
            assert_eq!(error, refuse(field, problem), "{from} -> {to}");
        }
    }

    #[test]
    fn what_is_no_document_is_an_invalid_response() {
        for (status, body, problem) in [
            (500, "{}", "status"),
            (200, "<html>", "not_json"),
            (200, " ", "empty"),
            (200, "[]", "not_json"),
        ] {
            let error =
                discovery_response(&issuer(), &HttpResponse::new(status, "", body)).unwrap_err();
            assert_eq!(
                error,
                ProtocolError::invalid_response(Endpoint::Discovery, status, problem)
            );
        }
    }

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
