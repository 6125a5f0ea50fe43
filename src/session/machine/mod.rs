mod kin;
mod live;
mod lookup;
mod refresh;
mod settle;

pub use lookup::Lookup;

use super::error::Error;
use super::family::FamilyId;
use super::input::{Input, NewSession, Ticket};
use super::output::Output;
use super::record::{AccessToken, Record, TokenKey};
use super::state::{Event, SignedOut, SignedOutReason, State, Via, Warning};
use crate::protocol::secret::Secret;
use crate::protocol::time::Now;
use live::{Live, expired, margin};

/// When a session refreshes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefreshMode {
    /// Ahead of expiry, and when a token is asked for.
    Auto,
    /// Only when a token is asked for.
    OnDemand,
    /// Never: the session ends with its access token.
    Off,
}

/// The life of a login.
#[derive(Debug)]
pub struct Session {
    mode: RefreshMode,
    phase: Phase,
    /// The state as it was last told.
    told: State,
    outputs: Vec<Output>,
    /// Families that this session was of, and is not any more: what a storage still has of them is old.
    left: Vec<FamilyId>,
    /// Spreads refreshes of many browsers; a seed is enough.
    jitter: u32,
}

#[derive(Debug)]
enum Phase {
    Loading,
    SignedIn(Box<Live>),
    SignedOut(SignedOut),
}

impl Session {
    /// A session about which nothing is known yet. `seed` is any number; it spreads refreshes.
    #[must_use]
    pub fn new(mode: RefreshMode, seed: u32) -> Self {
        Self {
            mode,
            phase: Phase::Loading,
            told: State::Loading,
            outputs: Vec::new(),
            left: Vec::new(),
            jitter: seed | 1,
        }
    }

    /// Takes in one thing that happened. Every output is to be polled before the next input.
    pub fn handle(&mut self, input: Input, now: Now) {
        match input {
            Input::Restored(record) => self.restored(record, now),
            Input::SignedIn(new) => self.signed_in(*new, now),
            Input::CallbackFailed(error) => self.callback_failed(error),
            Input::RefreshStarted(_) => self.refresh_started(),
            Input::Refreshed(ticket, tokens) => self.refreshed(&ticket, *tokens, now),
            Input::UserConfirmed(ticket, user, id_token) => {
                self.user_confirmed(&ticket, user, id_token);
            }
            Input::UserChanged(ticket, error) => self.user_changed(&ticket, error),
            Input::NotLoaded(error) => self.not_loaded(error, now),
            Input::RefreshFailed(ticket, failure, error, retry_after) => {
                self.refresh_failed(&ticket, failure, error, retry_after, now);
            }
            Input::Wake => {}
            Input::Resumed => {
                if let Some(live) = self.live() {
                    live.postponed.take_if(|postponed| !postponed.by_server);
                }
            }
            Input::Family(entry) => self.heard_of_family(entry),
            Input::Surpassed(record) => self.surpassed(record),
            Input::Placed(family, generation) => self.placed(*family, generation),
            Input::Appeared(record) => self.appeared(record),
            Input::Left => self.leave(SignedOutReason::LoggedOut, None),
            Input::LoggedOut => self.end(SignedOutReason::LoggedOut, None),
        }
        self.settle(now);
    }

    /// The next thing to do; `None` when there is nothing more.
    pub fn poll_output(&mut self) -> Option<Output> {
        (!self.outputs.is_empty()).then(|| self.outputs.remove(0))
    }

    /// The present, as it was last told.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.told
    }

    /// The session behind [`Session::state`], tokens included; `None` without one.
    #[must_use]
    pub fn record(&self) -> Option<&Record> {
        if let Phase::SignedIn(live) = &self.phase {
            Some(&live.record)
        } else {
            None
        }
    }

    fn restored(&mut self, record: Option<Box<Record>>, now: Now) {
        if !matches!(self.phase, Phase::Loading) {
            return;
        }
        if let Some(record) = record {
            let unconfirmed = self.is_refreshable(&record) && expired(&record, now);
            self.enter(record, Via::Restore, unconfirmed);
        } else {
            self.phase = Phase::SignedOut(SignedOut {
                reason: SignedOutReason::NoSession,
                error: None,
            });
        }
    }

    fn signed_in(&mut self, new: NewSession, now: Now) {
        let NewSession {
            tokens,
            user,
            requested_scope,
            api,
            new_family,
            stored,
            shared,
        } = new;
        let subject = user.as_ref().and_then(|user| user.get_str("sub"));
        let stored = stored.filter(|stored| !self.left.contains(&stored.family.id));
        let mut found = [self.record(), stored.as_deref()];
        if shared {
            // The stored session rules: somebody else may have signed in.
            found.reverse();
        }
        let before = found.into_iter().flatten().next();
        let previous =
            before.filter(|previous| previous.subject().is_some() && previous.subject() == subject);
        // The same user over a live session stays in its family, so that its other tabs follow; another founds a new one.
        let (family, generation) = previous.map_or((new_family, 1), |previous| {
            (previous.family.clone(), previous.generation + 1)
        });
        // In a shared storage there is one session: those before are superseded.
        let mut superseded = Vec::new();
        let families = found.into_iter().flatten().map(|it| &it.family.id);
        for id in families.filter(|id| shared && **id != family.id) {
            superseded.push(id.clone());
        }
        let no_refresh_token =
            tokens.refresh_token.is_none() && requested_scope.contains("offline_access");
        let record = Record {
            generation,
            user,
            scope: tokens.scope.unwrap_or(requested_scope),
            api,
            tokens: vec![(
                TokenKey::default(),
                access_token(tokens.access_token, tokens.expires_in, now),
            )],
            refresh_token: tokens.refresh_token,
            id_token: tokens.id_token,
            family,
            unanswered: false,
        };
        self.enter(Box::new(record), Via::Callback, false);
        if let Some(record) = self.record().map(Record::encode) {
            self.outputs.push(Output::PersistAnew(Secret::new(record)));
        }
        self.publish();
        for superseded in superseded {
            self.left.push(superseded.clone());
            self.outputs.push(Output::End(superseded, None));
        }
        if no_refresh_token {
            let warning = Event::Warning(Warning::NoRefreshToken);
            self.outputs.push(Output::Emit(warning));
        }
    }

    fn callback_failed(&mut self, error: Error) {
        if let Some(live) = self.live() {
            live.refused = Some(error);
            return;
        }
        let silent = error.needs_interaction();
        let reason = if silent {
            SignedOutReason::InteractionRequired
        } else {
            SignedOutReason::CallbackFailed
        };
        self.phase = Phase::SignedOut(SignedOut {
            reason,
            error: Some(error),
        });
    }

    /// Stores what is held now.
    fn persist(&mut self) {
        if let Some(record) = self.record().map(Record::encode) {
            self.outputs.push(Output::Persist(Secret::new(record)));
        }
    }

    fn enter(&mut self, record: Box<Record>, via: Via, unconfirmed: bool) {
        let jitter = self.draw();
        self.phase = Phase::SignedIn(Box::new(Live {
            margin: margin(&record, jitter),
            asked_again: record.unanswered,
            record,
            untold: Some(via),
            refreshing: false,
            sent: false,
            unconfirmed,
            failures: 0,
            postponed: None,
            blocked: false,
            failure: None,
            refused: None,
            refused_keys: Vec::new(),
        }));
    }

    fn is_refreshable(&self, record: &Record) -> bool {
        record.refresh_token.is_some() && self.mode != RefreshMode::Off
    }

    fn live(&mut self) -> Option<&mut Live> {
        if let Phase::SignedIn(live) = &mut self.phase {
            Some(live)
        } else {
            None
        }
    }

    /// The session that a ticket was drawn for, if it is still the one, so many generations later.
    fn live_of(&mut self, ticket: &Ticket, later: u64) -> Option<&mut Live> {
        self.live().filter(|live| {
            live.record.family.id == *ticket.family()
                && live.record.generation == ticket.generation() + later
        })
    }

    /// The next number of a xorshift sequence.
    const fn draw(&mut self) -> u32 {
        self.jitter ^= self.jitter << 13;
        self.jitter ^= self.jitter >> 17;
        self.jitter ^= self.jitter << 5;
        self.jitter
    }
}

fn access_token(value: Secret, expires_in: Option<i64>, now: Now) -> AccessToken {
    AccessToken {
        value,
        received: now,
        // Ten years at the most (`token::response`).
        lifetime: expires_in.map(|seconds| seconds * 1000),
    }
}
