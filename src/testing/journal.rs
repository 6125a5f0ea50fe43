//! What happened, and what will.

use crate::protocol::error::Endpoint;
use crate::protocol::time::Now;
use crate::session::family::FamilyId;
use core::cell::RefCell;
use std::rc::Rc;

/// Something that happened, and in which turn: all that one task does without waiting is one turn.
#[derive(Clone)]
#[non_exhaustive]
pub struct Moment {
    /// Which turn.
    pub turn: u64,
    /// When.
    pub at: Now,
    /// What.
    pub what: Happening,
}

/// What can be seen from outside.
#[derive(Clone)]
#[non_exhaustive]
pub enum Happening {
    /// A request left.
    Sent(Endpoint),
    /// Its answer, or the lack of one, was handed over.
    Answered(Endpoint),
    /// A text was stored under a key.
    Stored(String, String),
    /// A key was removed.
    Removed(String),
    /// An entry was committed to the mailbox of a family.
    Committed(FamilyId),
}

/// What a task that was started will give.
pub struct Outcome<T>(Rc<RefCell<Option<T>>>);

impl<T> Outcome<T> {
    pub(super) const fn of(result: Rc<RefCell<Option<T>>>) -> Self {
        Self(result)
    }

    /// The result, once, as soon as it is there.
    #[must_use]
    pub fn take(&self) -> Option<T> {
        self.0.borrow_mut().take()
    }

    /// Whether the result is there.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.0.borrow().is_some()
    }
}
