//! Everything that the session can ask of the world.

use super::family::FamilyId;
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
    /// The same after a sign-in: it replaces whatever is stored, also another family's.
    PersistAnew(Secret),
    /// Remove the stored record of this family.
    Forget(FamilyId),
    /// Commit what is held to the family's mailbox.
    Publish,
    /// Note for the family's other tabs that a refresh of this generation was sent, or that it is known what became of it.
    Mark(FamilyId, u64, bool),
    /// End a family for all its tabs; with a `sub`, every family of this user.
    End(FamilyId, Option<String>),
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
