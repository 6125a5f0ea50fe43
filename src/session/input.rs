//! Everything that the world can tell the session.

use super::error::Error;
use super::family::{Entry, Family, FamilyId};
use super::record::{Record, TokenKey};
use crate::protocol::json::Json;
use crate::protocol::scope::Scope;
use crate::protocol::secret::Secret;
use crate::protocol::token::{RefreshFailure, TokenResponse};
use std::rc::Rc;

/// One thing that happened.
#[derive(Debug)]
#[non_exhaustive]
pub enum Input {
    /// What the storage had, at start.
    Restored(Option<Box<Record>>),
    /// A callback was completed; its ID Token is validated.
    SignedIn(Box<NewSession>),
    /// A callback was refused. A session that was there stays.
    CallbackFailed(Error),
    /// A refresh request is about to be sent.
    RefreshStarted(TokenKey),
    /// It was answered with tokens.
    Refreshed(Ticket, Box<TokenResponse>),
    /// The ID Token of a refresh is validated: the user's claims are these now.
    UserConfirmed(Ticket, Json, Secret),
    /// A refresh answered about another user.
    UserChanged(Ticket, Error),
    /// The refresh failed.
    RefreshFailed(Ticket, RefreshFailure, Error, Option<u32>),
    /// What a refresh needs could not be loaded: nothing was sent.
    NotLoaded(Error),
    /// Time has passed.
    Wake,
    /// The page came back: visible, online, out of the back/forward cache. What was postponed is due.
    Resumed,
    /// The mailbox, or a shared storage, has something about the family: adopted if it is newer than what is held.
    Family(Entry),
    /// The mailbox has another record of this generation or a later one, and what is held did not get in: that one is
    /// adopted.
    Surpassed(Box<Record>),
    /// What is held did not get into the mailbox and stays all the same, in this family and as this generation: a sign-in
    /// is newer than what was there before, and does not follow a family that has ended.
    Placed(Box<Family>, u64),
    /// A shared storage has the session of another family, which lives: the one that is held is over here.
    Appeared(Box<Record>),
    /// The user logs out.
    LoggedOut,
    /// The user logs out, and other tabs cannot be told.
    Left,
}

/// A completed sign-in.
#[derive(Debug)]
#[allow(
    clippy::exhaustive_structs,
    reason = "made by its callers, all members at once"
)]
pub struct NewSession {
    /// What the token endpoint gave.
    pub tokens: TokenResponse,
    /// The validated claims.
    pub user: Option<Json>,
    /// What was asked for: granted, where the answer says nothing else (RFC 6749 §5.1).
    pub requested_scope: Scope,
    /// The APIs that were asked for, by [`super::token_key::api_of`].
    pub api: String,
    /// For the case that a new family is founded.
    pub new_family: Family,
    /// What the storage had, where the callback came first and [`Input::Restored`] was not said.
    pub stored: Option<Box<Record>>,
    /// Whether the storage is shared: then another user's session does not live on in other tabs.
    pub shared: bool,
}

/// Which refresh an answer belongs to: a late one, of a session that was left or passed by, is recognised by it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ticket(Rc<Drawn>);

#[derive(Debug, PartialEq, Eq)]
struct Drawn {
    family: FamilyId,
    generation: u64,
    key: TokenKey,
}

impl Ticket {
    pub(super) fn draw(record: &Record, key: &TokenKey) -> Self {
        Self(Rc::new(Drawn {
            family: record.family.id.clone(),
            generation: record.generation,
            key: key.clone(),
        }))
    }

    /// The family it was drawn in.
    #[must_use]
    pub fn family(&self) -> &FamilyId {
        &self.0.family
    }

    /// The generation that it follows.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.0.generation
    }

    /// The token that it is about.
    #[must_use]
    pub fn key(&self) -> &TokenKey {
        &self.0.key
    }
}
