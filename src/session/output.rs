//! Everything that the session can ask of the world.

use super::family::{Entry, FamilyId};
use super::record::TokenKey;
use super::state::Event;
use crate::protocol::secret::Secret;
use crate::protocol::time::Timestamp;

/// One thing to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum Output {
    /// Store this record, by one write.
    Persist(Secret),
    /// Remove the stored record.
    Forget,
    /// Commit this to the family's mailbox.
    Publish(Entry),
    /// Tell the family's other tabs to look into the mailbox.
    Ring(FamilyId, u64),
    /// Refresh this token.
    Refresh(TokenKey),
    /// Say [`super::input::Input::Wake`] at this time; replaces an earlier wish.
    WakeAt(Timestamp),
    /// Tell the application of a moment.
    Emit(Event),
    /// [`super::Session::state`] differs.
    StateChanged,
}
