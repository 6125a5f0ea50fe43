//! Logout at the authorization server (OIDC RP-Initiated Logout), and its dialects.

use super::form;
use super::json::Json;
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
    /// `access_token_hint`: of no specification, and sent only where a dialect names it.
    pub access_token_hint: Option<&'a str>,
    /// `post_logout_redirect_uri`. Sent only if configured: an unregistered one is an error page at most servers.
    pub post_logout_redirect_uri: Option<&'a str>,
    /// `state`, to know the return by.
    pub state: Option<&'a str>,
    /// What else the application sends.
    pub parameters: &'a [(String, String)],
}

/// How a server names a parameter of the logout: by its dialect, or as RP-Initiated Logout does; `None` where it is left
/// out.
#[must_use]
pub fn parameter_name<'a>(dialect: &'a Json, name: &'a str) -> Option<&'a str> {
    if let Some(Json::Object(names)) = dialect.get("params")
        && let Some((_, other)) = names.iter().find(|(known, _)| known == name)
    {
        return other.as_str();
    }
    Some(name).filter(|name| *name != "access_token_hint")
}

/// Builds the URI to send the user to. OIDC RP-Initiated Logout §2.
#[must_use]
pub fn end_session_uri(endpoint: &str, dialect: &Json, end_session: &EndSession<'_>) -> String {
    let mut uri = endpoint.to_owned();
    if cut(&uri, b'?').is_none() {
        uri.push('?');
    }
    for (name, value) in [
        ("client_id", Some(end_session.client_id)),
        ("id_token_hint", end_session.id_token_hint),
        ("access_token_hint", end_session.access_token_hint),
        (
            "post_logout_redirect_uri",
            end_session.post_logout_redirect_uri,
        ),
        ("state", end_session.state),
    ] {
        if let Some((name, value)) = parameter_name(dialect, name).zip(value) {
            form::append(&mut uri, name, value);
        }
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

    const ENDPOINT: &str = "https://as.example/logout";

    fn uri(dialect: &str, end_session: &EndSession<'_>) -> String {
        end_session_uri(ENDPOINT, &Json::parse(dialect).unwrap(), end_session)
    }

    #[test]
    fn what_is_there_is_sent() {
        let mut end_session = EndSession {
            client_id: "spa",
            id_token_hint: None,
            access_token_hint: None,
            post_logout_redirect_uri: None,
            state: None,
            parameters: &[],
        };
        assert_eq!(
            uri("null", &end_session),
            "https://as.example/logout?client_id=spa"
        );
        end_session.id_token_hint = Some("h.i.j");
        end_session.access_token_hint = Some("a");
        end_session.post_logout_redirect_uri = Some("https://app.example/bye");
        end_session.state = Some("s");
        assert_eq!(
            uri("null", &end_session),
            "https://as.example/logout?client_id=spa&id_token_hint=h.i.j&post_logout_redirect_uri=https%3A%2F%2Fapp.example%2Fbye&state=s"
        );
    }

    #[test]
    fn a_dialect_renames_and_leaves_out() {
        let end_session = EndSession {
            client_id: "spa",
            id_token_hint: Some("h.i.j"),
            access_token_hint: Some("a"),
            post_logout_redirect_uri: Some("https://app.example/"),
            state: Some("s"),
            parameters: &[("federated".to_owned(), String::new())],
        };
        assert_eq!(
            uri(
                r#"{"params":{"post_logout_redirect_uri":"returnTo","id_token_hint":null,"state":null}}"#,
                &end_session
            ),
            "https://as.example/logout?client_id=spa&returnTo=https%3A%2F%2Fapp.example%2F&federated="
        );
        assert_eq!(
            uri(
                r#"{"params":{"client_id":null,"id_token_hint":null,"access_token_hint":"access_token_hint","post_logout_redirect_uri":null,"state":null}}"#,
                &end_session
            ),
            "https://as.example/logout?access_token_hint=a&federated="
        );
    }
}
