//! The authorization request and its response (RFC 6749 §4.1.1, §4.1.2; OIDC Core §3.1.2; RFC 7636; RFC 9207).

use super::error::{Endpoint, OAuthErrorResponse, ProtocolError};
use super::form;
use super::metadata::ServerMetadata;
use super::scope::Scope;
use super::secret::Secret;
use super::text::cut;

/// Parameters that the protocol owns: an application that sets one would break a check.
const OWNED: [&str; 12] = [
    "client_id",
    "client_secret",
    "code",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "redirect_uri",
    "request",
    "request_uri",
    "response_mode",
    "response_type",
    "state",
];

/// Parameters of the response that we read.
const READ: [&str; 6] = [
    "error_description",
    "error_uri",
    "state",
    "iss",
    "code",
    "error",
];

/// Whether an application may set this parameter of the authorization request.
#[must_use]
pub fn is_free_parameter(name: &str) -> bool {
    !name.is_empty() && !OWNED.contains(&name)
}

/// The authorization request. RFC 6749 §4.1.1, RFC 7636 §4.3, OIDC Core §3.1.2.1.
#[allow(
    clippy::exhaustive_structs,
    reason = "made by its callers, all members at once"
)]
pub struct AuthorizationRequest<'a> {
    /// `client_id`
    pub client_id: &'a str,
    /// `redirect_uri`, the exact registered text.
    pub redirect_uri: &'a str,
    /// `scope`
    pub scope: &'a Scope,
    /// `state`
    pub state: &'a str,
    /// Whether the response is to come in the fragment (OAuth 2.0 Multiple Response Types §2.1).
    pub in_fragment: bool,
    /// `nonce`, with `openid`.
    pub nonce: Option<&'a str>,
    /// `code_challenge`, by S256.
    pub code_challenge: &'a str,
    /// What else the application asks for; names checked by [`is_free_parameter`].
    pub parameters: &'a [(String, String)],
}

impl AuthorizationRequest<'_> {
    /// The URI to send the user to. A query that the endpoint has of its own is kept (RFC 6749 §3.1).
    #[must_use]
    pub fn to_uri(&self, metadata: &ServerMetadata) -> String {
        let mut uri = metadata.authorization_endpoint().to_owned();
        if cut(&uri, b'?').is_none() {
            uri.push('?');
        }
        let owned = [
            ("client_id", self.client_id),
            ("response_type", "code"),
            ("redirect_uri", self.redirect_uri),
            ("scope", self.scope.as_str()),
            ("state", self.state),
            ("code_challenge", self.code_challenge),
            ("code_challenge_method", "S256"),
        ];
        for (name, value) in &owned {
            // Only a scope may be empty: then it is the server's default (RFC 6749 §3.3).
            if !value.is_empty() {
                form::append(&mut uri, name, value);
            }
        }
        if self.in_fragment {
            form::append(&mut uri, "response_mode", "fragment");
        }
        if let Some(nonce) = self.nonce {
            form::append(&mut uri, "nonce", nonce);
        }
        for (name, value) in self.parameters.iter().filter(|(name, _)| name != "scope") {
            form::append(&mut uri, name, value);
        }
        uri
    }
}

/// What the callback carried. RFC 6749 §4.1.2, RFC 9207 §2.
#[derive(Debug)]
pub struct AuthorizationResponse {
    state: Option<Secret>,
    iss: Option<String>,
    code: Option<Secret>,
    error: Option<OAuthErrorResponse>,
}

impl AuthorizationResponse {
    /// Reads the query of a callback; unknown parameters are left alone (RFC 6749 §4.1.2).
    ///
    /// # Errors
    /// `InvalidResponse` for a parameter of ours that stands there twice (RFC 6749 §3.1).
    pub fn parse(query: &str) -> Result<Self, Box<ProtocolError>> {
        for name in READ {
            form::find(query, name).map_err(|_| malformed(name))?;
        }
        let find = |name| form::find(query, name).ok().flatten();
        Ok(Self {
            state: find("state").map(Secret::new),
            iss: find("iss"),
            code: find("code").map(Secret::new),
            error: find("error").map(|error| OAuthErrorResponse {
                error,
                error_description: find("error_description"),
                error_uri: find("error_uri"),
            }),
        })
    }

    /// Whether it says which server it came from (RFC 9207 §2).
    #[must_use]
    pub const fn names_issuer(&self) -> bool {
        self.iss.is_some()
    }

    /// The error that it carries, not yet to be believed.
    #[must_use]
    pub const fn untrusted_error(&self) -> Option<&OAuthErrorResponse> {
        self.error.as_ref()
    }
}

/// What the pending login expects of its response; prints nothing, since it holds the verifier.
#[allow(
    clippy::exhaustive_structs,
    reason = "made by its callers, all members at once"
)]
pub struct Expected<'a> {
    /// `state` of the transaction.
    pub state: &'a str,
    /// Whether the transaction has outlived its time.
    pub expired: bool,
    /// The server that was asked.
    pub metadata: &'a ServerMetadata,
    /// `redirect_uri` of the request.
    pub redirect_uri: &'a str,
    /// `code_verifier` of the transaction.
    pub code_verifier: &'a str,
}

/// Why a response is not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// `state` is missing or another one (RFC 6749 §10.12).
    State,
    /// The login began too long ago.
    Expired,
    /// Anything after that.
    Protocol(Box<ProtocolError>),
}

/// A code that passed every check: the only thing that a token request takes. Prints nothing.
pub struct ValidatedCode<'a> {
    pub(super) code: Secret,
    pub(super) redirect_uri: &'a str,
    pub(super) code_verifier: &'a str,
}

/// Checks a response against the login that is waiting for it: `state`, age, `iss`, `error`, `code`, in this order.
///
/// # Errors
/// The first check that fails.
pub fn accept<'a>(
    response: AuthorizationResponse,
    expected: &Expected<'a>,
) -> Result<ValidatedCode<'a>, Refusal> {
    // RFC 6749 §10.12, §4.1.2.
    if !response
        .state
        .as_ref()
        .is_some_and(|state| state.ct_eq(expected.state))
    {
        return Err(Refusal::State);
    }
    if expected.expired {
        return Err(Refusal::Expired);
    }
    // RFC 9207 §2.4: compared when present, required when announced; also on an error.
    let issuer = expected.metadata.issuer();
    let iss_is_right = match (&response.iss, issuer) {
        (Some(iss), Some(issuer)) => iss == issuer,
        (None, _) => !expected.metadata.iss_parameter_supported(),
        // Plain OAuth without an issuer has nothing to compare it with.
        (Some(_), None) => true,
    };
    if !iss_is_right {
        let expected = issuer.unwrap_or_default().to_owned();
        let error = ProtocolError::IssuerMismatch {
            expected,
            actual: response.iss,
            untrusted: response.error,
        };
        return Err(Refusal::Protocol(Box::new(error)));
    }
    // RFC 6749 §4.1.2, §4.1.2.1: one of the two, and not both.
    match (response.error, response.code) {
        (Some(error), None) => {
            let error = ProtocolError::Authorization(error);
            Err(Refusal::Protocol(Box::new(error)))
        }
        (None, Some(code)) if !code.expose().is_empty() => Ok(ValidatedCode {
            code,
            redirect_uri: expected.redirect_uri,
            code_verifier: expected.code_verifier,
        }),
        _ => Err(Refusal::Protocol(malformed("code"))),
    }
}

fn malformed(parameter: &'static str) -> Box<ProtocolError> {
    ProtocolError::invalid_response(Endpoint::Authorization, 0, parameter)
}

#[cfg(test)]
mod tests {
    use super::super::issuer::Issuer;
    use super::super::json::Json;
    use super::super::json::Object;
    use super::super::metadata::{self, Server};
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn server(iss_parameter_supported: bool) -> ServerMetadata {
        let server = Server {
            issuer: Issuer::parse("https://as.example", None).ok(),
            oidc: true,
            given: Json::Null,
        };
        let document = Object::new()
            .text("issuer", "https://as.example")
            .text(
                "authorization_endpoint",
                "https://as.example/authorize?tenant=1",
            )
            .text("token_endpoint", "https://as.example/token")
            .text("jwks_uri", "https://as.example/jwks")
            .flag(
                "authorization_response_iss_parameter_supported",
                iss_parameter_supported,
            )
            .done();
        metadata::parse(&server, &document).unwrap()
    }

    fn decide(query: &str, expired: bool, iss_announced: bool) -> Result<(), Refusal> {
        let response = AuthorizationResponse::parse(query).map_err(Refusal::Protocol)?;
        let expected = Expected {
            state: "s1",
            expired,
            metadata: &server(iss_announced),
            redirect_uri: "https://app.example/",
            code_verifier: &"v".repeat(43),
        };
        accept(response, &expected).map(|_| ())
    }

    fn refused(query: &str, iss_announced: bool) -> ProtocolError {
        match decide(query, false, iss_announced) {
            Err(Refusal::Protocol(error)) => *error,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_request_keeps_the_endpoints_query_and_adds_each_parameter_once() {
        let mut request = AuthorizationRequest {
            client_id: "spa",
            in_fragment: false,
            redirect_uri: "https://app.example/",
            scope: &Scope::parse("openid a:b").unwrap(),
            state: "s",
            nonce: Some("n"),
            code_challenge: "c",
            parameters: &[
                ("prompt".to_owned(), "login consent".to_owned()),
                ("scope".to_owned(), "x".to_owned()),
            ],
        };
        assert_eq!(
            request.to_uri(&server(true)),
            "https://as.example/authorize?tenant=1&client_id=spa&response_type=code&redirect_uri=https%3A%2F%2Fapp.example%2F\
             &scope=openid+a%3Ab&state=s&code_challenge=c&code_challenge_method=S256&nonce=n&prompt=login+consent"
        );
        let none = Scope::default();
        (request.scope, request.in_fragment, request.nonce) = (&none, true, None);
        assert_eq!(
            request.to_uri(&server(true)),
            "https://as.example/authorize?tenant=1&client_id=spa&response_type=code&redirect_uri=https%3A%2F%2Fapp.example%2F\
             &state=s&code_challenge=c&code_challenge_method=S256&response_mode=fragment&prompt=login+consent"
        );
    }

    #[test]
    fn the_order_is_state_age_iss_error_code() {
        let evil = "iss=https%3A%2F%2Fevil.example";
        assert_eq!(
            decide(&format!("state=s2&error=x&{evil}"), true, true),
            Err(Refusal::State)
        );
        assert_eq!(
            decide(&format!("state=s1&error=x&{evil}"), true, true),
            Err(Refusal::Expired)
        );
        let mismatch = refused(&format!("state=s1&error=x&{evil}"), true);
        assert!(matches!(
            mismatch,
            ProtocolError::IssuerMismatch {
                untrusted: Some(_),
                ..
            }
        ));
        let error = refused("state=s1&error=x&iss=https%3A%2F%2Fas.example", true);
        assert!(matches!(error, ProtocolError::Authorization(error) if error.error == "x"));
        assert_eq!(
            decide("state=s1&code=c&iss=https%3A%2F%2Fas.example", false, true),
            Ok(())
        );
    }

    #[test]
    fn rfc9207_iss_is_required_when_announced_and_compared_when_present() {
        assert_eq!(decide("state=s1&code=c", false, false), Ok(()));
        assert_eq!(
            decide("state=s1&code=c&iss=https%3A%2F%2Fas.example", false, false),
            Ok(())
        );
        for query in [
            "state=s1&code=c",
            "state=s1&code=c&iss=https%3A%2F%2Fas.example%2F",
            "state=s1&code=c&iss=HTTPS%3A%2F%2Fas.example",
        ] {
            assert!(
                matches!(refused(query, true), ProtocolError::IssuerMismatch { .. }),
                "{query}"
            );
        }
        assert!(decide("state=s1&code=c&iss=", false, false).is_err());
    }

    #[test]
    fn malformed_callbacks_are_refused() {
        for query in [
            "state=s1",
            "state=s1&code=",
            "state=s1&code=c&error=e",
            "state=s1&code=c&code=d",
        ] {
            assert_eq!(
                decide(query, false, false),
                Err(Refusal::Protocol(malformed("code"))),
                "{query}"
            );
        }
        assert_eq!(
            decide("state=s1&state=s1&code=c", false, false),
            Err(Refusal::Protocol(malformed("state")))
        );
        assert_eq!(decide("code=c", false, false), Err(Refusal::State));
        assert_eq!(decide("state=&code=c", false, false), Err(Refusal::State));
    }
}
