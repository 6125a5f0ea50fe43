//! The token endpoint: requests, answers, and what a failed refresh means (RFC 6749 §4.1.3, §4.1.4, §5, §6).

use super::authorization::ValidatedCode;
use super::error::{Endpoint, OAuthErrorResponse, ProtocolError};
use super::form;
use super::http::{HttpRequest, HttpResponse};
use super::json::Json;
use super::metadata::ServerMetadata;
use super::scope::Scope;
use super::secret::Secret;
use super::text::{is_blank, number};

/// A lifetime beyond this is a mistake of the server's, not a lifetime (ten years, in seconds).
const MAX_LIFETIME: i64 = 10 * 366 * 86_400;

/// Trades a validated code for tokens.
///
/// The `redirect_uri` is the one recorded at login, not the present URL: servers compare the two.
///
/// RFC 6749 §4.1.3, RFC 7636 §4.5.
#[must_use]
pub fn code_request(
    metadata: &ServerMetadata,
    client_id: &str,
    code: &ValidatedCode<'_>,
    target: &str,
) -> HttpRequest {
    let mut body = form::encode(&[
        ("grant_type", "authorization_code"),
        ("client_id", client_id),
        ("code", code.code.expose()),
        ("redirect_uri", code.redirect_uri),
        ("code_verifier", code.code_verifier),
    ]);
    extend(&mut body, target);
    HttpRequest::post(Endpoint::Token, metadata.token_endpoint(), body)
}

/// Asks for a new access token. `scope` is left out: it stays what was granted.
///
/// RFC 6749 §6.
#[must_use]
pub fn refresh_request(
    metadata: &ServerMetadata,
    client_id: &str,
    refresh_token: &Secret,
    target: &str,
) -> HttpRequest {
    let mut body = form::encode(&[
        ("grant_type", "refresh_token"),
        ("client_id", client_id),
        ("refresh_token", refresh_token.expose()),
    ]);
    extend(&mut body, target);
    HttpRequest::post(Endpoint::Token, metadata.token_endpoint(), body)
}

fn extend(body: &mut String, target: &str) {
    if !target.is_empty() {
        body.push('&');
        body.push_str(target);
    }
}

/// What the token endpoint gave. RFC 6749 §5.1, OIDC Core §3.1.3.3.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TokenResponse {
    /// `access_token`: opaque, never parsed.
    pub access_token: Secret,
    /// `expires_in`, in seconds; `None` where the server gave none.
    pub expires_in: Option<i64>,
    /// `refresh_token`
    pub refresh_token: Option<Secret>,
    /// `id_token`, not yet validated.
    pub id_token: Option<Secret>,
    /// `scope`; `None` where it is as requested.
    pub scope: Option<Scope>,
}

/// Reads the answer to a code or refresh request.
///
/// # Errors
/// `Token` where the server refused in OAuth's words, `InvalidResponse` for everything that is no answer.
pub fn response(response: &HttpResponse) -> Result<TokenResponse, Box<ProtocolError>> {
    if response.status != 200 {
        return Err(refusal(response));
    }
    let answer = response.ok_object(Endpoint::Token)?;
    // Some servers answer an error with 200; it is one all the same.
    if let Some(error) = oauth_error(&answer) {
        return Err(Box::new(ProtocolError::Token {
            response: error,
            status: response.status,
        }));
    }
    let refused =
        |problem| ProtocolError::invalid_response(Endpoint::Token, response.status, problem);
    // RFC 6749 §5.1, App. A.12 to A.17: what is there is a string of printable ASCII. An empty one counts as absent.
    for name in [
        "token_type",
        "access_token",
        "refresh_token",
        "id_token",
        "scope",
    ] {
        let printable = |text: &str| text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if answer
            .get(name)
            .is_some_and(|value| !value.as_str().is_some_and(printable))
        {
            return Err(refused(name));
        }
    }
    let text = |name| answer.get_str(name).filter(|text| !text.is_empty());
    // RFC 6749 §5.1: both REQUIRED; §7.1: a type that we do not know must not be used. Names of types are case-insensitive.
    if !text("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")) {
        return Err(refused("token_type"));
    }
    let Some(access_token) = text("access_token") else {
        return Err(refused("access_token"));
    };
    let expires_in = expires_in(&answer).map_err(|()| refused("expires_in"))?;
    let Some(scope) = Scope::parse(text("scope").unwrap_or_default()) else {
        return Err(refused("scope"));
    };
    Ok(TokenResponse {
        access_token: Secret::new(access_token),
        expires_in,
        refresh_token: text("refresh_token").map(Secret::new),
        id_token: text("id_token").map(Secret::new),
        scope: Some(scope).filter(|scope| !scope.is_empty()),
    })
}

/// What a failed refresh means for the session; `classify_refresh` has the table of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefreshFailure {
    /// The grant is gone: the session ends.
    Rejected,
    /// The server does not accept this client or this request: the session stays, asking again does not help.
    Misconfigured,
    /// The server or the way to it is in trouble: the session stays, asked again later.
    Transient,
    /// Sent, and not answered: it may have rotated the refresh token. Asked again until the server answers.
    Unknown,
}

/// Classes an answer to a refresh request that [`response`] did not take.
#[must_use]
pub fn classify_refresh(response: &HttpResponse, error: &ProtocolError) -> RefreshFailure {
    let status = response.status;
    if let ProtocolError::Token {
        response: OAuthErrorResponse { error, .. },
        ..
    } = error
    {
        match error.as_str() {
            "invalid_grant"
            | "login_required"
            | "interaction_required"
            | "consent_required"
            | "mfa_required" => {
                return RefreshFailure::Rejected;
            }
            "invalid_client"
            | "unauthorized_client"
            | "invalid_request"
            | "invalid_scope"
            | "invalid_target"
            | "unsupported_grant_type" => {
                return RefreshFailure::Misconfigured;
            }
            // RFC 6749 §4.1.2.1, RFC 8628 §3.5: words of the other endpoints, said here at any status.
            "server_error" | "temporarily_unavailable" | "slow_down" => {
                return RefreshFailure::Transient;
            }
            _ => {}
        }
    }
    if response.is_html() || matches!(status, 408 | 429) || status >= 500 {
        return RefreshFailure::Transient;
    }
    // A success that cannot be read may have rotated the refresh token.
    if (200..300).contains(&status) {
        return RefreshFailure::Unknown;
    }
    // An empty body, or JSON that is no OAuth error: some servers refuse a refresh token so.
    if matches!(status, 400 | 401 | 403)
        && (is_blank(&response.body) || Json::parse(&response.body).is_some())
    {
        return RefreshFailure::Rejected;
    }
    RefreshFailure::Transient
}

fn refusal(response: &HttpResponse) -> Box<ProtocolError> {
    match response.json_object().as_ref().and_then(oauth_error) {
        Some(error) => Box::new(ProtocolError::Token {
            response: error,
            status: response.status,
        }),
        None => ProtocolError::invalid_response(Endpoint::Token, response.status, "status"),
    }
}

/// `error` of an answer (RFC 6749 §5.2); also where a server wraps it in an object of the same name.
pub(super) fn oauth_error(answer: &Json) -> Option<OAuthErrorResponse> {
    let error = answer.get("error")?;
    let holder = if error.is_object() { error } else { answer };
    let text = |name| holder.get_str(name).map(str::to_owned);
    Some(OAuthErrorResponse {
        error: text("error")?,
        error_description: text("error_description"),
        error_uri: text("error_uri"),
    })
}

/// `expires_in`: a number, or its digits in a string as some servers write it; never negative, never eternal. Nobody
/// issues a token that is over already: with 0 some servers say that they know of no end, as by leaving it out.
fn expires_in(answer: &Json) -> Result<Option<i64>, ()> {
    let seconds = match answer.get("expires_in") {
        None => return Ok(None),
        Some(Json::String(digits)) => number(digits),
        Some(value) => value.as_integer(),
    };
    seconds
        .filter(|seconds| (0..=MAX_LIFETIME).contains(seconds))
        .map(|seconds| Some(seconds).filter(|seconds| *seconds > 0))
        .ok_or(())
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn read(status: u16, body: &str) -> Result<TokenResponse, Box<ProtocolError>> {
        response(&HttpResponse::new(status, "application/json", body))
    }

    #[test]
    fn answers_of_every_harmless_shape_are_taken() {
        let full = read(200, r#"{"token_type":"Bearer","access_token":"a","expires_in":60,"refresh_token":"r","id_token":"i","scope":"x y","sub":"z"}"#)
            .unwrap();
        assert_eq!(full.access_token.expose(), "a");
        assert_eq!(full.expires_in, Some(60));
        assert_eq!(full.scope.unwrap().as_str(), "x y");
        let small = read(200, r#"{"token_type":"bearer","access_token":"_0X","scope":"","refresh_token":null,"expires_in":"600"}"#).unwrap();
        assert_eq!(small.expires_in, Some(600));
        assert!(small.scope.is_none() && small.refresh_token.is_none() && small.id_token.is_none());
        assert_eq!(
            read(200, r#"{"token_type":"BEARER","access_token":"a"}"#)
                .unwrap()
                .expires_in,
            None
        );
    }

    #[test]
    fn answers_that_break_the_rules_name_the_member() {
        for (body, problem) in [
            (r#"{"token_type":"Bearer"}"#, "access_token"),
            (
                r#"{"token_type":"Bearer","access_token":""}"#,
                "access_token",
            ),
            (
                r#"{"token_type":"Bearer","access_token":7}"#,
                "access_token",
            ),
            (
                r#"{"token_type":"Bearer","access_token":"a\r\nb: c"}"#,
                "access_token",
            ),
            (
                r#"{"token_type":"Bearer","access_token":"a","refresh_token":"ü"}"#,
                "refresh_token",
            ),
            (r#"{"access_token":"a"}"#, "token_type"),
            (r#"{"token_type":"mac","access_token":"a"}"#, "token_type"),
            (r#"{"token_type":"DPoP","access_token":"a"}"#, "token_type"),
            (
                r#"{"token_type":"Bearer","access_token":"a","expires_in":-1}"#,
                "expires_in",
            ),
            (
                r#"{"token_type":"Bearer","access_token":"a","expires_in":1e400}"#,
                "expires_in",
            ),
            (
                r#"{"token_type":"Bearer","access_token":"a","expires_in":{}}"#,
                "expires_in",
            ),
            (
                r#"{"token_type":"Bearer","access_token":"a","expires_in":"soon"}"#,
                "expires_in",
            ),
            (
                r#"{"token_type":"Bearer","access_token":"a","refresh_token":[]}"#,
                "refresh_token",
            ),
            (
                r#"{"token_type":"Bearer","access_token":"a","scope":["x"]}"#,
                "scope",
            ),
            ("", "empty"),
            ("<html></html>", "not_json"),
            ("[]", "not_json"),
        ] {
            let error = read(200, body).unwrap_err();
            assert_eq!(
                error,
                ProtocolError::invalid_response(Endpoint::Token, 200, problem),
                "{body}"
            );
        }
    }

    #[test]
    fn refresh_failures_are_classed_as_the_table_of_the_design_says() {
        use RefreshFailure::{Misconfigured, Rejected, Transient, Unknown};
        let cases = [
            (400, r#"{"error":"invalid_grant"}"#, Rejected),
            (500, r#"{"error":"invalid_grant"}"#, Rejected),
            (200, r#"{"error":"login_required"}"#, Rejected),
            (400, r#"{"error":"interaction_required"}"#, Rejected),
            (400, r#"{"error":"consent_required"}"#, Rejected),
            (403, r#"{"error":"mfa_required","mfa_token":"x"}"#, Rejected),
            (
                400,
                r#"{"success":false,"error":{"code":24007,"error":"invalid_grant"}}"#,
                Rejected,
            ),
            (400, "", Rejected),
            (401, r#"{"message":"no"}"#, Rejected),
            (403, "[]", Rejected),
            (401, r#"{"error":"invalid_client"}"#, Misconfigured),
            (400, r#"{"error":"unauthorized_client"}"#, Misconfigured),
            (400, r#"{"error":"invalid_request"}"#, Misconfigured),
            (400, r#"{"error":"invalid_scope"}"#, Misconfigured),
            (400, r#"{"error":"invalid_target"}"#, Misconfigured),
            (403, "<html>blocked</html>", Transient),
            (400, "<!doctype html>", Transient),
            (408, "", Transient),
            (429, r#"{"error":"too_many_requests"}"#, Transient),
            (500, "", Transient),
            (503, r#"{"error":"temporarily_unavailable"}"#, Transient),
            (200, "<html>portal</html>", Transient),
            (400, r#"{"error":"temporarily_unavailable"}"#, Transient),
            (404, "not found", Transient),
            // As four real servers say it.
            (
                403,
                r#"{"error":"invalid_grant","error_description":"Unknown or invalid refresh token."}"#,
                Rejected,
            ),
            (401, r#"{"error":"invalid_token"}"#, Rejected),
            (
                400,
                r#"{"success":false,"status":400,"error":{"code":24007,"type":"LoginException","error":"invalid token passed"}}"#,
                Rejected,
            ),
            (
                401,
                r#"{"error":"Access denied for this resource","refnumber":"1"}"#,
                Rejected,
            ),
            // Answered, with nothing that can be used: it may have rotated.
            (200, "", Unknown),
            (200, r#"{"token_type":"Bearer"}"#, Unknown),
            (
                201,
                r#"{"token_type":"Bearer","access_token":"a"}"#,
                Unknown,
            ),
            (204, "", Unknown),
        ];
        for (status, body, class) in cases {
            let answer = HttpResponse::new(status, "", body);
            let error = response(&answer).unwrap_err();
            assert_eq!(classify_refresh(&answer, &error), class, "{status} {body}");
        }
    }
}
