//! Asking a server for its metadata (OIDC Discovery §4, RFC 8414 §3).

use super::error::{Endpoint, ProtocolError};
use super::http::{HttpRequest, HttpResponse};
use super::issuer::Issuer;
use super::metadata::{Server, ServerMetadata, parse};
use super::text::joined;

/// Where a server keeps its metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "there are these two")]
pub enum WellKnown {
    /// Behind the issuer (OIDC Discovery §4).
    OpenId,
    /// Between host and path of the issuer (RFC 8414 §3).
    OAuth,
}

/// Asks for the metadata of an issuer. OIDC Discovery §4.1, RFC 8414 §3.1.
#[must_use]
pub fn discovery_request(issuer: &Issuer, place: WellKnown) -> HttpRequest {
    // OIDC Discovery §4.1, RFC 8414 §3.1: a terminating `/` is removed before.
    let base = issuer.as_str().strip_suffix('/').unwrap_or(issuer.as_str());
    let host = issuer.uri().origin();
    let path = base.strip_prefix(host).unwrap_or_default();
    let uri = match place {
        WellKnown::OpenId => joined(&[base, "/.well-known/openid-configuration"]),
        WellKnown::OAuth => joined(&[host, "/.well-known/oauth-authorization-server", path]),
    };
    HttpRequest::get(Endpoint::Discovery, &uri)
}

/// Reads the metadata, and refuses all of it for one member that is wrong. OIDC Discovery §4.2, §4.3; RFC 8414 §3.3.
///
/// # Errors
/// `invalid_response` for something that is no metadata document, `invalid_metadata` naming the member.
pub fn discovery_response(
    server: &Server,
    response: &HttpResponse,
) -> Result<ServerMetadata, Box<ProtocolError>> {
    parse(server, &response.ok_object(Endpoint::Discovery)?)
}

#[cfg(test)]
mod tests {
    use super::super::json::Json;
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const ISSUER: &str = "https://as.example/tenant/";

    #[test]
    fn md1_the_well_known_path_follows_the_issuer_without_its_last_slash() {
        let issuer = Issuer::parse(ISSUER, None).unwrap();
        assert_eq!(
            discovery_request(&issuer, WellKnown::OpenId).uri,
            "https://as.example/tenant/.well-known/openid-configuration"
        );
        for (issuer, uri) in [
            (
                ISSUER,
                "https://as.example/.well-known/oauth-authorization-server/tenant",
            ),
            (
                "https://as.example/",
                "https://as.example/.well-known/oauth-authorization-server",
            ),
            (
                "https://as.example:8443/a/b",
                "https://as.example:8443/.well-known/oauth-authorization-server/a/b",
            ),
        ] {
            let issuer = Issuer::parse(issuer, None).unwrap();
            assert_eq!(discovery_request(&issuer, WellKnown::OAuth).uri, uri);
        }
    }

    #[test]
    fn what_is_no_document_is_an_invalid_response() {
        let server = Server {
            issuer: Issuer::parse(ISSUER, None).ok(),
            oidc: true,
            given: Json::Null,
        };
        for (status, body, problem) in [
            (500, "{}", "status"),
            (200, "<html>", "not_json"),
            (200, " ", "empty"),
            (200, "[]", "not_json"),
        ] {
            let error =
                discovery_response(&server, &HttpResponse::new(status, "", body)).unwrap_err();
            assert_eq!(
                error,
                ProtocolError::invalid_response(Endpoint::Discovery, status, problem)
            );
        }
    }
}
