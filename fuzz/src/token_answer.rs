//! What the token endpoint said.

use countersign::protocol::error::ProtocolError;
use countersign::protocol::http::HttpResponse;
use countersign::protocol::json::Json;
use countersign::protocol::token::{self, RefreshFailure};
use countersign::protocol::userinfo::{self, UserInfo};

/// `STATUS CONTENT-TYPE`, a line feed, and the body; without such a first line, all of it is the body of a 200.
///
/// Tokens come from a 200 only, and are some; a session ends by an answer that refuses it, never by a busy server or a
/// page of somebody else's; what is printed shows no token.
pub fn run(data: &[u8]) {
    let text = super::text(data);
    let answer = split(&text).unwrap_or_else(|| HttpResponse::new(200, "", text.as_ref()));
    match token::response(&answer) {
        Ok(tokens) => {
            assert_eq!(answer.status, 200);
            let secrets = [&tokens.refresh_token, &tokens.id_token];
            let secrets = secrets.into_iter().flatten();
            let mut given = secrets.chain([&tokens.access_token]);
            assert!(given.all(|token| !token.expose().is_empty()));
            assert!(
                tokens
                    .expires_in
                    .is_none_or(|life| (0..=1 << 30).contains(&life))
            );
            assert!(tokens.scope.is_none_or(|scope| !scope.is_empty()));
        }
        Err(error) => assert_class(&answer, &error),
    }
    shows_no_secret(&answer);
    user_info(&answer);
}

/// Claims about the user come from a 200, too, and are an object, or signed.
fn user_info(answer: &HttpResponse) {
    match userinfo::userinfo_response(answer) {
        Ok(info) => {
            let printed = format!("{info:?}");
            assert_eq!(answer.status, 200);
            match info {
                UserInfo::Claims(claims) => {
                    assert!(claims.is_object() && printed == "Claims(Json(…))")
                }
                UserInfo::Signed(_) => assert_eq!(printed, "Signed(Secret(…))"),
            }
        }
        Err(error) => assert!(matches!(*error, ProtocolError::InvalidResponse { .. })),
    }
    assert!(!userinfo::refuses_token(answer) || answer.status == 401);
}

fn assert_class(answer: &HttpResponse, error: &ProtocolError) {
    let class = token::classify_refresh(answer, error);
    let in_its_words = matches!(error, ProtocolError::Token { .. });
    if !in_its_words {
        assert_ne!(class, RefreshFailure::Misconfigured);
        let is_refusal = matches!(answer.status, 400 | 401 | 403) && !answer.is_html();
        assert!(is_refusal || class != RefreshFailure::Rejected);
    }
    // A refusal is an answer: only a success that cannot be read may have rotated the refresh token.
    let is_success = (200..300).contains(&answer.status) && !answer.is_html();
    assert!(class != RefreshFailure::Unknown || is_success);
    if let ProtocolError::Token { response, .. } = error {
        let document = Json::parse(&answer.body).unwrap();
        let said = document.get("error").unwrap();
        let said = said.as_str().or_else(|| said.get_str("error"));
        assert_eq!(said, Some(response.error.as_str()));
    }
}

/// With other tokens it prints the same, and ends the same.
fn shows_no_secret(answer: &HttpResponse) {
    let Some(Json::Object(mut members)) = Json::parse(&answer.body) else {
        return;
    };
    for (name, value) in &mut members {
        let is_token = matches!(name.as_str(), "access_token" | "refresh_token" | "id_token");
        if is_token && value.as_str().is_some_and(|token| !token.is_empty()) {
            *value = "other".into();
        }
    }
    let mut twin = answer.clone();
    twin.body = Json::Object(members).to_text();
    let printed = |answer| format!("{:?}", token::response(answer));
    assert_eq!(printed(answer), printed(&twin));
}

fn split(text: &str) -> Option<HttpResponse> {
    let (first, body) = text.split_once('\n')?;
    let (status, content_type) = first.split_once(' ')?;
    Some(HttpResponse::new(status.parse().ok()?, content_type, body))
}
