//! The `UserInfo` endpoint (OIDC Core §5.3).

use super::bearer;
use super::error::{Endpoint, OAuthErrorResponse, ProtocolError};
use super::http::{HttpRequest, HttpResponse};
use super::json::Json;
use super::secret::Secret;
use super::text::before;
use super::time::Timestamp;
use super::token::oauth_error;

/// Asks for claims about the user. OIDC Core §5.3.1.
#[must_use]
pub fn userinfo_request(endpoint: &str, access_token: Secret) -> HttpRequest {
    HttpRequest::get_authorized(Endpoint::Userinfo, endpoint, access_token)
}

/// What the endpoint answered; nothing of it may be used before [`check_subject`]. OIDC Core §5.3.2.
#[derive(Clone, Debug)]
#[allow(
    clippy::exhaustive_enums,
    reason = "the specification has exactly these"
)]
pub enum UserInfo {
    /// `application/json`
    Claims(Json),
    /// `application/jwt`: worth nothing before its signature is verified.
    Signed(Secret),
}

/// Reads an answer. Where it is labelled as a JWT it is none of anything else: a server that signs for this client does
/// so always.
///
/// # Errors
/// `InvalidResponse`, in the words of RFC 6750 §3.1 where the server used them.
pub fn userinfo_response(response: &HttpResponse) -> Result<UserInfo, Box<ProtocolError>> {
    if response.status != 200 {
        return Err(refusal(response));
    }
    let kind = before(&response.content_type, b';').trim_ascii();
    if kind.eq_ignore_ascii_case("application/jwt") {
        return Ok(UserInfo::Signed(Secret::new(response.body.trim_ascii())));
    }
    let claims = response.ok_object(Endpoint::Userinfo)?;
    // Some servers answer an error with 200; it is one all the same.
    if claims.get("sub").is_none() && oauth_error(&claims).is_some() {
        return Err(refusal(response));
    }
    Ok(UserInfo::Claims(claims))
}

/// Whether a token that is new may help: the server called this one invalid, or does not let us read what it called it.
#[must_use]
pub fn refuses_token(response: &HttpResponse) -> bool {
    let challenge = &response.www_authenticate;
    // RFC 6750 §3.1:
    response.status == 401
        && (challenge.is_empty() || bearer::refusal(challenge).as_deref() == Some("invalid_token"))
}

/// Checks what a signed answer says of itself, if it does.
///
/// # Errors
/// `InvalidResponse` naming the claim.
pub fn check_signed(
    claims: &Json,
    issuer: &str,
    client_id: &str,
    clock_tolerance: i64,
    now: Timestamp,
) -> Result<(), Box<ProtocolError>> {
    let refused = |claim| {
        Err(ProtocolError::invalid_response(
            Endpoint::Userinfo,
            200,
            claim,
        ))
    };
    if claims
        .get("iss")
        .is_some_and(|iss| iss.as_str() != Some(issuer))
    {
        return refused("iss");
    }
    // OIDC Core §5.3.2: this client, or it among others.
    if claims.get("aud").is_some_and(|aud| {
        let audiences = aud.as_array().unwrap_or_else(|| core::slice::from_ref(aud));
        audiences
            .iter()
            .all(|audience| audience.as_str() != Some(client_id))
    }) {
        return refused("aud");
    }
    // RFC 7519 §4.1.4:
    if claims.get("exp").is_some_and(|exp| {
        let exp = exp.as_integer().unwrap_or(0);
        now.as_seconds() >= exp.saturating_add(clock_tolerance)
    }) {
        return refused("exp");
    }
    Ok(())
}

/// Checks that an answer is about the user of the ID Token.
///
/// # Errors
/// `SubjectMismatch` for another user, and for nobody.
pub fn check_subject(claims: &Json, user: &Json) -> Result<(), Box<ProtocolError>> {
    // OIDC Core §5.3.2: compared exactly; tokens may have been swapped.
    let sub = claims.get_str("sub");
    if sub.is_some() && sub == user.get_str("sub") {
        return Ok(());
    }
    Err(Box::new(ProtocolError::SubjectMismatch {
        endpoint: Endpoint::Userinfo,
    }))
}

/// OIDC Core §5.3.3: a refusal in the words of RFC 6750 §3.1, where the server has such. They stand in the header; where
/// that cannot be read, many have them in the body, too, beside others of their own.
fn refusal(response: &HttpResponse) -> Box<ProtocolError> {
    let challenge = bearer::refusal(&response.www_authenticate);
    let body = response.json_object().as_ref().and_then(oauth_error);
    let words = body.or_else(|| {
        challenge.clone().map(|error| OAuthErrorResponse {
            error,
            error_description: None,
            error_uri: None,
        })
    });
    let said = challenge
        .as_ref()
        .or_else(|| words.as_ref().map(|words| &words.error));
    let known = ["invalid_token", "insufficient_scope", "invalid_request"];
    let known = known
        .into_iter()
        .find(|known| said.is_some_and(|said| said == known));
    let unknown = if response.status == 200 {
        "error"
    } else {
        "status"
    };
    Box::new(ProtocolError::InvalidResponse {
        endpoint: Endpoint::Userinfo,
        status: response.status,
        problem: known.unwrap_or(unknown),
        words,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn br3_only_a_401_that_calls_the_token_invalid_or_says_nothing_asks_for_another() {
        let asks = |status, challenge: &str| {
            let mut response = HttpResponse::new(status, "", "");
            challenge.clone_into(&mut response.www_authenticate);
            refuses_token(&response)
        };
        assert!(asks(401, r#"Bearer error="invalid_token""#));
        assert!(asks(401, ""));
        assert!(!asks(401, "Bearer"));
        assert!(!asks(401, r#"Bearer error="insufficient_scope""#));
        assert!(!asks(403, r#"Bearer error="invalid_token""#));
        assert!(!asks(200, ""));
    }

    #[test]
    fn ui3_words_of_the_header_and_of_the_body_are_told_apart() {
        let refused = |body: &str, challenge: &str| {
            let mut response = HttpResponse::new(403, "application/json", body);
            challenge.clone_into(&mut response.www_authenticate);
            let refused = *userinfo_response(&response).unwrap_err();
            let ProtocolError::InvalidResponse { problem, words, .. } = refused else {
                panic!("{refused:?}");
            };
            (problem, words.map(|words| words.error))
        };
        let scope = r#"Bearer error="insufficient_scope""#;
        let (known, own) = ("insufficient_scope", Some("no!".to_owned()));
        let body = r#"{"error":"no!"}"#;
        assert_eq!(refused(body, scope), (known, own.clone()));
        assert_eq!(refused(body, ""), ("status", own));
        assert_eq!(refused("", scope), (known, Some(known.to_owned())));
        assert_eq!(
            refused("", r#"Bearer error="new""#),
            ("status", Some("new".to_owned()))
        );
        assert_eq!(refused("", ""), ("status", None));
    }
}
