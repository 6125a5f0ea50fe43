//! What the facade is told.

use crate::client::{CallbackResult, Error, Event, State};
use crate::protocol::json::Json;
use crate::session::state::Freshness;

/// `{ status, … }`; a session comes with its view, tokens included.
pub(super) fn state(state: &State, view: Option<Json>) -> Json {
    match state {
        State::Loading => Json::object([("status", "loading".into())]),
        State::SignedIn(signed_in) => Json::object([
            ("status", "signedIn".into()),
            ("view", view.unwrap_or(Json::Null)),
            ("stale", Json::Bool(signed_in.freshness == Freshness::Stale)),
            ("error", error(signed_in.error.as_ref())),
        ]),
        State::SignedOut(signed_out) => Json::object([
            ("status", "signedOut".into()),
            ("reason", signed_out.reason.as_str().into()),
            ("error", error(signed_out.error.as_ref())),
        ]),
    }
}

/// `{ event, … }`
pub(super) fn event(event: &Event) -> Json {
    let time = |at: &Option<crate::protocol::time::Timestamp>| {
        at.map_or(Json::Null, |at| Json::integer(at.as_millis()))
    };
    match event {
        Event::SignedIn(via) => {
            Json::object([("event", "signedIn".into()), ("via", via.as_str().into())])
        }
        Event::SignedOut(reason) => Json::object([
            ("event", "signedOut".into()),
            ("reason", reason.as_str().into()),
        ]),
        Event::Refreshed { expires_at } => Json::object([
            ("event", "refreshed".into()),
            ("expiresAt", time(expires_at)),
        ]),
        Event::RefreshFailed { error, retry_at } => Json::object([
            ("event", "refreshFailed".into()),
            ("error", error.to_json()),
            ("retryAt", time(retry_at)),
        ]),
        Event::Warning(warning) => Json::object([
            ("event", "warning".into()),
            ("code", warning.as_str().into()),
        ]),
    }
}

/// `{ returnTo, appState }`
pub(super) fn callback(result: &CallbackResult) -> Json {
    Json::object([
        ("returnTo", Json::optional(result.return_to.as_deref())),
        ("appState", result.app_state.clone()),
    ])
}

fn error(error: Option<&Error>) -> Json {
    error.map_or(Json::Null, Error::to_json)
}
