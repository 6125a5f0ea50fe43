//! Logins that follow each other without the user's doing, and what they most likely come from.

use super::error::{Error, ErrorKind, StaleProblem};
use crate::protocol::json::{Json, Object};
use crate::protocol::time::Timestamp;

/// So many logins within [`WINDOW`] may leave without the user's doing; the next one does not.
pub const LIMIT: usize = 3;
/// In milliseconds (one minute).
pub const WINDOW: i64 = 60_000;

const VERSION: i64 = 1;

/// What a login loop most likely comes from: what to look at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LikelyCause {
    /// The ID Token was refused for its time: this device's clock is wrong, or the server's.
    Clock,
    /// What was stored is gone on the next page: the pending login, or the session.
    Storage,
    /// No callback came: nothing handles it at the place where the server sends it.
    RedirectUri,
    /// The server does not recognise who is signed in: a silent login has no cookie to go by.
    Cookies,
    /// An API answers 401 to a token that was just issued.
    ApiRejectsToken,
    /// Something else.
    Unknown,
}

impl LikelyCause {
    /// Every one, for the tests that hold Rust and TypeScript together.
    pub const ALL: [Self; 6] = [
        Self::Clock,
        Self::Storage,
        Self::RedirectUri,
        Self::Cookies,
        Self::ApiRejectsToken,
        Self::Unknown,
    ];

    /// The spelling of the TypeScript type.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Clock => "clock",
            Self::Storage => "storage",
            Self::RedirectUri => "redirect_uri",
            Self::Cookies => "cookies",
            Self::ApiRejectsToken => "api_rejects_token",
            Self::Unknown => "unknown",
        }
    }

    /// Of a callback that was refused.
    #[must_use]
    pub fn of(error: &Error) -> Self {
        if error.needs_interaction() {
            Self::Cookies
        } else if error.skew_seconds().is_some() {
            Self::Clock
        } else if matches!(
            error.kind(),
            ErrorKind::Storage { .. }
                | ErrorKind::StaleCallback {
                    problem: StaleProblem::Unknown,
                    ..
                }
        ) {
            Self::Storage
        } else {
            Self::Unknown
        }
    }
}

/// The latest logins of one client that left this tab without the user's doing. No more than a loop needs, and nothing
/// of what they were about.
#[derive(Clone, Debug)]
pub struct Logins {
    /// The oldest first.
    left_at: Vec<Timestamp>,
    likely: LikelyCause,
}

impl Logins {
    /// Reads what is stored; total. `None` for a record of a newer version, which is left alone; one that cannot be read
    /// counts as empty.
    #[must_use]
    pub fn decode(text: &str, now: Timestamp) -> Option<Self> {
        let document = Json::parse(text).unwrap_or(Json::Null);
        let version = document.get_integer("v").unwrap_or_default();
        if version > VERSION {
            return None;
        }
        let stored = document.get("left_at").filter(|_| version == VERSION);
        let stored = stored.and_then(Json::as_array).unwrap_or_default();
        let mut left_at = Vec::new();
        for at in stored.iter().filter_map(Json::as_integer) {
            let at = Timestamp::from_millis(at.min(now.as_millis()));
            if now.since(at) < WINDOW {
                left_at.push(at);
            }
        }
        left_at.drain(..left_at.len().saturating_sub(LIMIT));
        let likely = document.get_str("likely");
        let is_likely = |cause: &LikelyCause| likely == Some(cause.as_str());
        let likely = LikelyCause::ALL.into_iter().find(is_likely);
        Some(Self {
            left_at,
            likely: likely.unwrap_or(LikelyCause::Unknown),
        })
    }

    /// The text to store.
    #[must_use]
    pub fn encode(&self) -> String {
        let left_at = self.left_at.iter();
        let left_at = left_at.map(|at| Json::integer(at.as_millis())).collect();
        Object::new()
            .integer("v", VERSION)
            .json("left_at", Json::Array(left_at))
            .text("likely", self.likely.as_str())
            .done()
            .to_text()
    }

    /// Another one leaves. Until its callback comes, this is what can be said of it.
    pub fn leave(&mut self, now: Timestamp) {
        self.left_at.push(now);
        self.likely = LikelyCause::RedirectUri;
    }

    /// What became of the latest. Says whether there is one.
    pub fn note(&mut self, likely: LikelyCause) -> bool {
        self.likely = likely;
        !self.left_at.is_empty()
    }

    /// What the next login would come from.
    #[must_use]
    pub const fn likely(&self) -> LikelyCause {
        self.likely
    }

    /// How many there were, and in how many seconds, if the next would be one too many.
    #[must_use]
    pub fn too_many(&self, now: Timestamp) -> Option<(u32, i64)> {
        let first = self.left_at.first()?;
        let logins = u32::try_from(self.left_at.len()).unwrap_or(u32::MAX);
        let seconds = (now.since(*first) + 999) / 1000;
        (self.left_at.len() >= LIMIT).then_some((logins, seconds.max(1)))
    }
}
