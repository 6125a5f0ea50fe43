//! A session that lives, and what time does to it.

use super::super::error::Error;
use super::super::record::{Record, TokenKey};
use super::super::schedule;
use super::super::state::Via;
use crate::protocol::time::Now;

#[derive(Debug)]
pub(super) struct Live {
    pub(super) record: Box<Record>,
    /// By which way it came; told once the session is shown.
    pub(super) untold: Option<Via>,
    /// A refresh is asked for or under way.
    pub(super) refreshing: bool,
    /// A request of ours is out, or about to be: the mark in the mailbox is our own.
    pub(super) sent: bool,
    /// It is restored with an expired token: not shown before a refresh had an answer.
    pub(super) unconfirmed: bool,
    /// The refresh token was sent before, and no answer came; between refreshes the same as the record's `unanswered`.
    pub(super) asked_again: bool,
    pub(super) failures: u32,
    pub(super) postponed: Option<Postponed>,
    /// Asking again does not help before a reload.
    pub(super) blocked: bool,
    /// Why the last refresh failed.
    pub(super) failure: Option<Error>,
    /// Why the last callback was refused; a refresh does not mend it.
    pub(super) refused: Option<Error>,
    /// Tokens for other APIs that the server refuses.
    pub(super) refused_keys: Vec<RefusedKey>,
    /// How long before expiry this token is refreshed.
    pub(super) margin: i64,
}

/// A token for another API that is not asked for again.
#[derive(Debug)]
pub(super) struct RefusedKey {
    pub(super) key: TokenKey,
    pub(super) error: Error,
    /// Before a reload or a sign-in; otherwise before the next refresh.
    pub(super) for_good: bool,
}

/// The last failure, and for how many milliseconds after it nothing is tried.
#[derive(Debug)]
pub(super) struct Postponed {
    pub(super) since: Now,
    pub(super) wait: i64,
    /// The server asked for the wait: coming back to the page does not shorten it.
    pub(super) by_server: bool,
}

impl Live {
    /// In how many milliseconds a refresh is due; `None` where the token's end is not known.
    pub(super) fn due_in(&self, now: Now) -> Option<i64> {
        let token = self.record.token(&TokenKey::default())?;
        // What was sent and not answered is asked again at once: a grace period may be running out at the server.
        let due_in = if self.record.unanswered {
            0
        } else {
            token.remaining(now)? - self.margin
        };
        // A server that gives tokens without a life is not asked for one after the other.
        let settled_in = if self.unconfirmed {
            0
        } else {
            schedule::MIN_INTERVAL - now.since(token.received)
        };
        let postponed_for = self
            .postponed
            .as_ref()
            .map_or(0, |postponed| postponed.left(now));
        Some(due_in.max(settled_in).max(postponed_for))
    }

    /// The refresh token is good; so is the client, unless only another token than the default came of it.
    pub(super) fn recovered(&mut self, renewed: bool) {
        self.refreshing = false;
        self.sent = false;
        self.unconfirmed = false;
        self.failures = 0;
        self.postponed = None;
        if renewed || !self.blocked {
            self.blocked = false;
            self.failure = None;
        }
        self.asked_again = self.record.unanswered;
    }
}

impl Postponed {
    pub(super) fn left(&self, now: Now) -> i64 {
        self.wait - now.since(self.since)
    }
}

pub(super) fn remaining(record: &Record, now: Now) -> Option<i64> {
    record.token(&TokenKey::default())?.remaining(now)
}

pub(super) fn expired(record: &Record, now: Now) -> bool {
    remaining(record, now).is_some_and(|left| left <= 0)
}

pub(super) fn margin(record: &Record, jitter: u32) -> i64 {
    let lifetime = record
        .token(&TokenKey::default())
        .and_then(|token| token.lifetime);
    schedule::refresh_margin(lifetime.unwrap_or(schedule::ASSUMED_LIFETIME), jitter)
}
