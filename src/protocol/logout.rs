//! Logout at the authorization server (OIDC RP-Initiated Logout).

use super::form;
use super::text::cut;

/// What goes along with a logout. OIDC RP-Initiated Logout §2.
#[allow(
    clippy::exhaustive_structs,
    reason = "made by its callers, all members at once"
)]
pub struct EndSession<'a> {
    /// `client_id`
    pub client_id: &'a str,
    /// `id_token_hint`, an expired one too.
    pub id_token_hint: Option<&'a str>,
    /// `post_logout_redirect_uri`, with a `state` to know the return by. Sent only if configured: an unregistered one
    /// is an error page at most servers.
    pub post_logout_redirect: Option<(&'a str, &'a str)>,
    /// What else the application sends.
    pub parameters: &'a [(String, String)],
}

/// Builds the URI to send the user to. OIDC RP-Initiated Logout §2.
#[must_use]
pub fn end_session_uri(endpoint: &str, end_session: &EndSession<'_>) -> String {
    let mut uri = endpoint.to_owned();
    if cut(&uri, b'?').is_none() {
        uri.push('?');
    }
    form::append(&mut uri, "client_id", end_session.client_id);
    if let Some(hint) = end_session.id_token_hint {
        form::append(&mut uri, "id_token_hint", hint);
    }
    if let Some((redirect_uri, state)) = end_session.post_logout_redirect {
        form::append(&mut uri, "post_logout_redirect_uri", redirect_uri);
        form::append(&mut uri, "state", state);
    }
    for (name, value) in end_session.parameters {
        form::append(&mut uri, name, value);
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_redirect_and_its_state_go_together() {
        let endpoint = "https://as.example/logout";
        let mut end_session = EndSession {
            client_id: "spa",
            id_token_hint: None,
            post_logout_redirect: None,
            parameters: &[],
        };
        assert_eq!(
            end_session_uri(endpoint, &end_session),
            "https://as.example/logout?client_id=spa"
        );
        end_session.id_token_hint = Some("h.i.j");
        end_session.post_logout_redirect = Some(("https://app.example/bye", "s"));
        assert_eq!(
            end_session_uri(endpoint, &end_session),
            "https://as.example/logout?client_id=spa&id_token_hint=h.i.j&post_logout_redirect_uri=https%3A%2F%2Fapp.example%2Fbye&state=s"
        );
    }
}
