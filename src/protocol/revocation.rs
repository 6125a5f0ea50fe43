//! Revocation of tokens (RFC 7009).

use super::error::Endpoint;
use super::form;
use super::http::HttpRequest;
use super::json::Object;
use super::secret::Secret;

/// Which token is revoked. RFC 7009 §2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "we hold no other")]
pub enum TokenTypeHint {
    /// `refresh_token`: the access tokens go with it (RFC 7009 §2.1).
    RefreshToken,
    /// `access_token`
    AccessToken,
}

/// Asks for a token to be revoked: in a form (RFC 7009 §2.1), or in JSON for servers that want it so.
///
/// There is no reader of the answer: a 200 says nothing about the token (RFC 7009 §2.2), and a logout goes on after any
/// other.
#[must_use]
pub fn revocation_request(
    endpoint: &str,
    client_id: &str,
    token: &Secret,
    hint: TokenTypeHint,
    as_json: bool,
) -> HttpRequest {
    if as_json {
        let body = Object::new()
            .text("client_id", client_id)
            .text("token", token.expose())
            .done();
        return HttpRequest::post_json(Endpoint::Revocation, endpoint, &body);
    }
    let hint = match hint {
        TokenTypeHint::RefreshToken => "refresh_token",
        TokenTypeHint::AccessToken => "access_token",
    };
    let body = form::encode(&[
        ("client_id", client_id),
        ("token", token.expose()),
        ("token_type_hint", hint),
    ]);
    HttpRequest::post(Endpoint::Revocation, endpoint, body)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_token_is_revoked_in_a_form_or_in_json() {
        let request = |hint, as_json| {
            let token = Secret::new("t&t");
            revocation_request("https://as.example/revoke", "spa", &token, hint, as_json)
        };
        let form = request(TokenTypeHint::RefreshToken, false);
        assert_eq!(form.uri, "https://as.example/revoke");
        assert_eq!(
            form.body.as_deref(),
            Some("client_id=spa&token=t%26t&token_type_hint=refresh_token")
        );
        let json = request(TokenTypeHint::AccessToken, true);
        assert!(json.json);
        assert_eq!(
            json.body.as_deref(),
            Some(r#"{"client_id":"spa","token":"t&t"}"#)
        );
    }
}
