//! Options, normalised by the facade, as JSON text. A member that is missing has its default; a document of another shape
//! counts as empty, and what is required is then refused by its name.

use crate::client::{Config, Error, LoginOptions, LogoutOptions, TokenOptions};
use crate::protocol::json::Json;
use crate::protocol::secret::Secret;
use crate::session::record::TokenKey;

pub(super) fn config(text: &str) -> Result<Config, Error> {
    Config::read(&parse(text))
}

pub(super) fn login(text: &str) -> LoginOptions {
    let options = parse(text);
    LoginOptions {
        parameters: parameters(&options),
        app_state: options.get("appState").cloned().unwrap_or(Json::Null),
        return_to: options.get_str("returnTo").unwrap_or("/").to_owned(),
        shared_redirect_uri: options.is_true("sharedRedirect"),
        by_user: options.is_true("byUser"),
    }
}

/// What is wanted of a token; with one that an API has refused, the `WWW-Authenticate` of that, if it could be read.
pub(super) fn token(text: &str) -> (TokenOptions, Option<String>) {
    let options = parse(text);
    let wishes = TokenOptions {
        key: TokenKey::from_text(options.get_str("key").unwrap_or_default()),
        min_validity: options.get_integer("minValidity"),
        force_refresh: options.is_true("forceRefresh"),
        refused: options.get_str("refused").map(Secret::new),
    };
    (wishes, owned(&options, "challenge"))
}

pub(super) fn logout(text: &str) -> LogoutOptions {
    let options = parse(text);
    LogoutOptions {
        local: options.is_true("local"),
        elsewhere: options.is_true("elsewhere"),
        post_logout_redirect_uri: owned(&options, "postLogoutRedirectUri"),
        parameters: parameters(&options),
        state_prefix: owned(&options, "statePrefix").unwrap_or_default(),
        revoke: options.get("revoke").map(|_| options.is_true("revoke")),
    }
}

fn owned(options: &Json, name: &str) -> Option<String> {
    options.get_str(name).map(str::to_owned)
}

fn parse(text: &str) -> Json {
    Json::parse(text).unwrap_or(Json::Null)
}

fn parameters(options: &Json) -> Vec<(String, String)> {
    let mut parameters = Vec::new();
    if let Some(Json::Object(members)) = options.get("params") {
        for (name, value) in members {
            // Several of one name: `resource` (RFC 8707 §2).
            let values = value
                .as_array()
                .unwrap_or_else(|| core::slice::from_ref(value));
            for value in values.iter().filter_map(Json::as_str) {
                parameters.push((name.clone(), value.to_owned()));
            }
        }
    }
    parameters
}
