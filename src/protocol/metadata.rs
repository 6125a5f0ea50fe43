//! Authorization server metadata (OIDC Discovery, RFC 8414).

use super::error::{MetadataProblem, ProtocolError};
use super::issuer::Issuer;
use super::json::{Json, Object};
use super::uri::HttpUri;

/// What we use of a server's metadata: a document with these members only, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerMetadata(Json);

/// Endpoints, and whether we cannot do without: always, or with OpenID Connect.
const ENDPOINTS: [(&str, Need); 6] = [
    ("authorization_endpoint", Need::Always),
    ("token_endpoint", Need::Always),
    ("jwks_uri", Need::OpenId),
    ("userinfo_endpoint", Need::Never),
    ("revocation_endpoint", Need::Never),
    ("end_session_endpoint", Need::Never),
];

#[derive(Clone, Copy, PartialEq)]
enum Need {
    Always,
    OpenId,
    Never,
}

const SIGNING_ALGS: &str = "id_token_signing_alg_values_supported";
const ISS_SUPPORTED: &str = "authorization_response_iss_parameter_supported";

/// Which server a client is of, and what of its metadata was given by hand.
#[derive(Clone, Debug)]
#[allow(
    clippy::exhaustive_structs,
    reason = "made by its callers, all members at once"
)]
pub struct Server {
    /// `None` only in plain OAuth, with endpoints by hand.
    pub issuer: Option<Issuer>,
    /// Whether it is asked for ID Tokens.
    pub oidc: bool,
    /// Members by hand, which win over those of the server's document; `null` where there are none.
    pub given: Json,
}

impl Server {
    /// Whether what was given by hand is enough, so that nothing is asked for.
    #[must_use]
    pub fn is_given(&self) -> bool {
        let is_there = |(field, need): &(&str, Need)| match need {
            Need::Always => self.given.get(field).is_some(),
            Need::OpenId => !self.oidc || self.given.get(field).is_some(),
            Need::Never => true,
        };
        ENDPOINTS.iter().all(is_there)
    }

    /// Whether an endpoint may be used: `https`, loopback, or `http` under the application's exception for the issuer
    /// (RFC 6749 §3.1, §3.2; OAuth 2.1 §1.5).
    #[must_use]
    pub fn allows(&self, endpoint: &HttpUri) -> bool {
        endpoint.is_https() || endpoint.is_loopback() || self.is_insecure_exception()
    }

    /// Whether the application named its `http:` issuer as an exception.
    #[must_use]
    pub fn is_insecure_exception(&self) -> bool {
        self.issuer
            .as_ref()
            .is_some_and(Issuer::is_insecure_exception)
    }

    /// The issuer's text, where there is one.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_ref().map(Issuer::as_str)
    }
}

/// Reads a metadata document, fresh from the server or from a cache; `null` where all of it was given by hand.
///
/// # Errors
/// `invalid_metadata` naming the member.
pub fn parse(server: &Server, document: &Json) -> Result<ServerMetadata, Box<ProtocolError>> {
    // OIDC Discovery §4.3, RFC 8414 §3.3: identical to the issuer that was asked, or nothing in it may be used.
    if document.is_object() {
        match document.get("issuer").map(Json::as_str) {
            Some(found) if found.is_some() && found == server.issuer() => {}
            Some(Some(_)) => return Err(refuse("issuer", MetadataProblem::Mismatch)),
            Some(None) => return Err(refuse("issuer", MetadataProblem::Malformed)),
            None => return Err(refuse("issuer", MetadataProblem::Missing)),
        }
    }
    let member = |field| server.given.get(field).or_else(|| document.get(field));
    // RFC 7636 §4.2, RFC 9700 §2.1.1: never fall back to `plain`. A server that says nothing may still do S256.
    if let Some(methods) = member("code_challenge_methods_supported") {
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
    metadata.optional("issuer", server.issuer());
    for (field, need) in ENDPOINTS {
        let needed = need == Need::Always || (need == Need::OpenId && server.oidc);
        match member(field) {
            Some(value) => metadata.text(field, endpoint(server, value, field)?),
            None if needed => return Err(refuse(field, MetadataProblem::Missing)),
            None => &mut metadata,
        };
    }
    if let Some(list) = member(SIGNING_ALGS).filter(|list| list.as_array().is_some()) {
        metadata.json(SIGNING_ALGS, list.clone());
    }
    let announced = member(ISS_SUPPORTED) == Some(&Json::Bool(true));
    metadata.flag(ISS_SUPPORTED, announced);
    Ok(ServerMetadata(metadata.done()))
}

impl ServerMetadata {
    fn text(&self, name: &str) -> &str {
        self.0.get_str(name).unwrap_or_default()
    }

    /// `issuer`; `None` in plain OAuth with endpoints by hand and no issuer.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.0.get_str("issuer")
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

    /// `jwks_uri`; empty in plain OAuth where the server has none.
    #[must_use]
    pub fn jwks_uri(&self) -> &str {
        self.text("jwks_uri")
    }

    /// `userinfo_endpoint` (OIDC Core §5.3)
    #[must_use]
    pub fn userinfo_endpoint(&self) -> Option<&str> {
        self.0.get_str("userinfo_endpoint")
    }

    /// `revocation_endpoint` (RFC 7009 §2)
    #[must_use]
    pub fn revocation_endpoint(&self) -> Option<&str> {
        self.0.get_str("revocation_endpoint")
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

    /// `id_token_signing_alg_values_supported`; empty where the server says nothing (OIDC Discovery §3).
    #[must_use]
    pub fn id_token_signing_algs(&self) -> &[Json] {
        let list = self.0.get(SIGNING_ALGS).and_then(Json::as_array);
        list.unwrap_or_default()
    }

    /// The document, with the members that we use, for the cache.
    #[must_use]
    pub const fn as_json(&self) -> &Json {
        &self.0
    }
}

/// An endpoint that may be used.
fn endpoint<'a>(
    server: &Server,
    value: &'a Json,
    field: &'static str,
) -> Result<&'a str, Box<ProtocolError>> {
    let text = value.as_str().unwrap_or_default();
    let uri = HttpUri::parse(text).ok_or_else(|| refuse(field, MetadataProblem::Malformed))?;
    if server.allows(&uri) {
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

    fn server(oidc: bool, given: &str) -> Server {
        Server {
            issuer: Some(issuer()),
            oidc,
            given: Json::parse(given).unwrap(),
        }
    }

    fn document() -> String {
        r#"{"issuer":"https://as.example/tenant/","authorization_endpoint":"https://as.example/authorize?x=1",
            "token_endpoint":"https://as.example/token","jwks_uri":"https://keys.example/jwks",
            "end_session_endpoint":"https://as.example/logout","code_challenge_methods_supported":["plain","S256"],
            "authorization_response_iss_parameter_supported":true,"unknown":{"a":[]}}"#
            .to_owned()
    }

    fn read(document: &str) -> Result<ServerMetadata, Box<ProtocolError>> {
        parse(&server(true, "null"), &Json::parse(document).unwrap())
    }

    #[test]
    fn a_document_is_read_and_comes_back_from_the_cache() {
        let metadata = read(&document()).unwrap();
        assert_eq!(
            metadata.authorization_endpoint(),
            "https://as.example/authorize?x=1"
        );
        assert!(metadata.iss_parameter_supported());
        assert_eq!(
            parse(&server(true, "null"), metadata.as_json()),
            Ok(metadata)
        );
    }

    #[test]
    fn md2_md3_one_wrong_member_refuses_the_document() {
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
    fn md5_what_is_given_by_hand_wins_and_is_checked_alike() {
        let document = Json::parse(&document()).unwrap();
        let read = |oidc, given: &str, document: &Json| parse(&server(oidc, given), document);
        let partly = r#"{"token_endpoint":"https://relay.example/token","revocation_endpoint":"https://as.example/r"}"#;
        assert!(!server(true, partly).is_given());
        let metadata = read(true, partly, &document).unwrap();
        assert_eq!(metadata.token_endpoint(), "https://relay.example/token");
        assert_eq!(metadata.revocation_endpoint(), Some("https://as.example/r"));
        assert_eq!(metadata.jwks_uri(), "https://keys.example/jwks");
        let whole = r#"{"authorization_endpoint":"https://as.example/a","token_endpoint":"https://as.example/t"}"#;
        assert!(server(false, whole).is_given() && !server(true, whole).is_given());
        let metadata = read(false, whole, &Json::Null).unwrap();
        assert_eq!(metadata.issuer(), Some(ISSUER));
        assert_eq!(
            read(true, whole, &Json::Null),
            Err(refuse("jwks_uri", MetadataProblem::Missing))
        );
        for (wrong, problem) in [
            ("7", MetadataProblem::Malformed),
            (r#""/token""#, MetadataProblem::Malformed),
            (r#""http://as.example/t""#, MetadataProblem::Insecure),
        ] {
            let given = format!(r#"{{"token_endpoint":{wrong}}}"#);
            assert_eq!(
                read(true, &given, &document),
                Err(refuse("token_endpoint", problem))
            );
        }
    }
}
