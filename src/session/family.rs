//! The family: all tabs that hold copies of one session.
//!
//! Whoever copies the storage is a member. The lock is held by family, the mailbox is kept by family, and the generation
//! tells which of two copies is newer. The id and the key are random, drawn at sign-in, and never change by rotation.

use super::record::Record;
use crate::protocol::base64url;
use crate::protocol::entropy::{Entropy, NoEntropy, random_token};
use crate::protocol::secret::Secret;
use crate::protocol::text::joined;

/// A family's name and the key that seals its mailbox.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Family {
    /// Random, 256 bits.
    pub id: FamilyId,
    /// Random, 256 bits: whoever has not copied the storage cannot open the mailbox.
    pub key: Secret,
}

/// The name of a family; no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FamilyId(String);

impl FamilyId {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the lock under which a family refreshes.
    #[must_use]
    pub fn lock_name(&self) -> String {
        joined(&["countersign:", &self.0])
    }
}

impl Family {
    /// Founds one.
    ///
    /// # Errors
    /// [`NoEntropy`] where the platform has no secure randomness.
    pub fn random(entropy: &impl Entropy) -> Result<Self, NoEntropy> {
        Ok(Self {
            id: FamilyId(random_token(entropy)?),
            key: Secret::new(random_token(entropy)?),
        })
    }

    /// Reads one from a record; `None` unless both are 256 bits.
    #[must_use]
    pub fn parse(id: &str, key: &str) -> Option<Self> {
        let is_256_bits =
            |text: &str| base64url::decode(text).is_some_and(|bytes| bytes.len() == 32);
        (is_256_bits(id) && is_256_bits(key)).then(|| Self {
            id: FamilyId(id.to_owned()),
            key: Secret::new(key),
        })
    }
}

/// What the mailbox says about a family.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Entry {
    /// A generation of its session.
    Session(Box<Record>),
    /// The family has ended: nothing of it may be used or stored again.
    Tombstone(FamilyId),
}
