//! What the facade is told.

use crate::client::{CallbackResult, Error, Event, State};
use crate::protocol::json::{Json, Object};
use crate::protocol::time::Timestamp;
use crate::session::state::Freshness;

/// `{ status, … }`; a session comes with its view, tokens included.
pub(super) fn state(state: &State, view: Option<Json>) -> Json {
    let mut message = Object::new();
    match state {
        State::Loading => message.text("status", "loading"),
        State::SignedIn(signed_in) => message
            .text("status", "signedIn")
            .json("view", view.unwrap_or(Json::Null))
            .flag("stale", signed_in.freshness == Freshness::Stale)
            .json("error", error(signed_in.error.as_ref())),
        State::SignedOut(signed_out) => message
            .text("status", "signedOut")
            .text("reason", signed_out.reason.as_str())
            .json("error", error(signed_out.error.as_ref())),
    };
    message.done()
}

/// `{ event, … }`
pub(super) fn event(event: &Event) -> Json {
    let mut message = Object::new();
    match event {
        Event::SignedIn(via) => message.text("event", "signedIn").text("via", via.as_str()),
        Event::SignedOut(reason) => message
            .text("event", "signedOut")
            .text("reason", reason.as_str()),
        Event::Refreshed { expires_at } => message
            .text("event", "refreshed")
            .optional_integer("expiresAt", expires_at.map(Timestamp::as_millis)),
        Event::RefreshFailed { error, retry_at } => message
            .text("event", "refreshFailed")
            .json("error", error.to_json())
            .optional_integer("retryAt", retry_at.map(Timestamp::as_millis)),
        Event::Warning(warning) => message
            .text("event", "warning")
            .text("code", warning.as_str()),
    };
    message.done()
}

/// `{ returnTo, appState }`
pub(super) fn callback(result: &CallbackResult) -> Json {
    Object::new()
        .optional("returnTo", result.return_to.as_deref())
        .json("appState", result.app_state.clone())
        .done()
}

fn error(error: Option<&Error>) -> Json {
    error.map_or(Json::Null, Error::to_json)
}
