//! What an application sees of a session. All of it is `Send + Sync + Clone`: signals of Leptos and Dioxus ask for it.

use super::error::Error;
use crate::protocol::json::Json;
use crate::protocol::scope::Scope;
use crate::protocol::time::Timestamp;
use std::sync::Arc;

/// The present.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum State {
    /// Not known yet.
    Loading,
    /// There is a session.
    SignedIn(Arc<SignedIn>),
    /// There is none.
    SignedOut(SignedOut),
}

/// A session, without its tokens.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SignedIn {
    /// Validated claims of the ID Token; `None` without OpenID Connect.
    pub user: Option<Json>,
    /// Granted scope (RFC 6749 §3.3).
    pub scope: Scope,
    /// Expiry of the access token; `None` where the server gave none.
    pub expires_at: Option<Timestamp>,
    /// Whether the access token can be used.
    pub freshness: Freshness,
    /// Whether a refresh token is there: without one the session ends with its access token.
    pub refreshable: bool,
    /// What failed while the session still stands.
    pub error: Option<Error>,
    /// Counts sign-ins and refreshes.
    pub generation: u64,
}

/// Whether the access token can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Freshness {
    /// It can.
    Fresh,
    /// It has expired, and cannot be refreshed just now: offline, server trouble. The user stays known.
    Stale,
}

/// No session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignedOut {
    /// Why.
    pub reason: SignedOutReason,
    /// What failed, if something did.
    pub error: Option<Error>,
}

/// Why there is no session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignedOutReason {
    /// There was none.
    NoSession,
    /// The user logged out here.
    LoggedOut,
    /// The user logged out in another tab.
    LoggedOutElsewhere,
    /// The access token expired, and there is no refresh token.
    Expired,
    /// The server refused the refresh token.
    RefreshRejected,
    /// It refused it after a refresh whose answer never came, most likely because that one had rotated it.
    AnswerLost,
    /// A silent login found that the user is needed (OIDC Core §3.1.2.6).
    InteractionRequired,
    /// A refresh answered about another user.
    UserChanged,
    /// The login came back with an error, or with something that is not to be believed.
    CallbackFailed,
}

impl SignedOutReason {
    /// Every one, for the tests that hold Rust and TypeScript together.
    pub const ALL: [Self; 9] = [
        Self::NoSession,
        Self::LoggedOut,
        Self::LoggedOutElsewhere,
        Self::Expired,
        Self::RefreshRejected,
        Self::AnswerLost,
        Self::InteractionRequired,
        Self::UserChanged,
        Self::CallbackFailed,
    ];

    /// The spelling of the TypeScript type `SignedOutReason`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoSession => "noSession",
            Self::LoggedOut => "loggedOut",
            Self::LoggedOutElsewhere => "loggedOutElsewhere",
            Self::Expired => "expired",
            Self::RefreshRejected => "refreshRejected",
            Self::AnswerLost => "answerLost",
            Self::InteractionRequired => "interactionRequired",
            Self::UserChanged => "userChanged",
            Self::CallbackFailed => "callbackFailed",
        }
    }
}

/// A moment, where [`State`] is the present.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A session began, or was found.
    SignedIn(Via),
    /// It ended.
    SignedOut(SignedOutReason),
    /// The access token was refreshed.
    Refreshed {
        /// Expiry of the new one.
        expires_at: Option<Timestamp>,
    },
    /// A refresh failed; the session stands.
    RefreshFailed {
        /// Why.
        error: Error,
        /// When it is tried again by itself.
        retry_at: Option<Timestamp>,
    },
    /// It works, but the developer should know.
    Warning(Warning),
}

/// By which way a session came here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Via {
    /// A login came back.
    Callback,
    /// The storage had it.
    Restore,
    /// Another tab has it.
    OtherTab,
}

impl Via {
    /// Every one, for the tests that hold Rust and TypeScript together.
    pub const ALL: [Self; 3] = [Self::Callback, Self::Restore, Self::OtherTab];

    /// The spelling of the TypeScript type.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Callback => "callback",
            Self::Restore => "restore",
            Self::OtherTab => "otherTab",
        }
    }
}

/// What a developer should know though it works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// The storage refused: the session lives in memory and ends with the page.
    StorageFallback,
    /// `offline_access` was asked for, and no refresh token came.
    NoRefreshToken,
    /// `crypto.subtle` is missing: the ID Token was accepted because it came over TLS (OIDC Core §3.1.3.7, 6).
    SignatureUnchecked,
    /// The issuer is `http:` beyond loopback, by the application's own exception.
    InsecureIssuer,
    /// There are no Web Locks: two tabs may refresh at once.
    NoLocks,
    /// There is no IndexedDB, or it refuses: tabs hand the session only to tabs that are awake.
    NoMailbox,
    /// Plain OAuth without an issuer got a response that names one (RFC 9207 §2.4).
    IssuerUnchecked,
    /// Another client of the page, of another server, has the same `redirect_uri`, and this server does not send `iss`
    /// (RFC 9700 §4.4.2).
    SharedRedirectUri,
}

impl Warning {
    /// Every one, for the tests that hold Rust and TypeScript together.
    pub const ALL: [Self; 8] = [
        Self::StorageFallback,
        Self::NoRefreshToken,
        Self::SignatureUnchecked,
        Self::InsecureIssuer,
        Self::NoLocks,
        Self::NoMailbox,
        Self::IssuerUnchecked,
        Self::SharedRedirectUri,
    ];

    /// The spelling of the TypeScript type `WarningCode`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StorageFallback => "storage_fallback",
            Self::NoRefreshToken => "no_refresh_token",
            Self::SignatureUnchecked => "signature_unchecked",
            Self::InsecureIssuer => "insecure_issuer",
            Self::NoLocks => "no_locks",
            Self::NoMailbox => "no_mailbox",
            Self::IssuerUnchecked => "issuer_unchecked",
            Self::SharedRedirectUri => "shared_redirect_uri",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn state_and_event_can_live_in_any_signal() {
        const fn holds<T: Send + Sync + Clone + PartialEq>() {}
        holds::<State>();
        holds::<Event>();
    }
}
