//! The family: all tabs that hold copies of one session.
//!
//! Whoever copies the storage is a member. The lock is held by family, the mailbox is kept by family, and the generation
//! tells which of two copies is newer. The id and the key are random, drawn at sign-in, and never change by rotation.

use super::record::Record;
use crate::protocol::base64url;
use crate::protocol::entropy::{Entropy, NoEntropy, random_bytes, random_token};
use crate::protocol::secret::Secret;
use crate::protocol::text::{decimal, joined};
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};

/// Octets of a nonce (RFC 8439 §2.8).
const NONCE: usize = 12;

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
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

impl Family {
    /// Seals a text of this generation: only who has the key can read it or make one (RFC 8439 §2.8). A random nonce,
    /// and the text, in base64url.
    ///
    /// # Errors
    /// [`NoEntropy`] where the platform has no secure randomness.
    pub fn seal(
        &self,
        generation: u64,
        text: &str,
        entropy: &impl Entropy,
    ) -> Result<String, NoEntropy> {
        let drawn = random_bytes(entropy)?;
        let nonce = drawn.get(..NONCE).unwrap_or_default();
        let mut sealed = text.as_bytes().to_vec();
        let cipher = self.cipher().zip(Nonce::try_from(nonce).ok());
        let (cipher, nonce) = cipher.ok_or(NoEntropy)?;
        let bound = self.bound(generation);
        // It fails only beyond 256 GiB (RFC 8439 §2.8).
        cipher
            .encrypt_in_place(&nonce, bound.as_bytes(), &mut sealed)
            .map_err(|_| NoEntropy)?;
        let mut letter = nonce.to_vec();
        letter.append(&mut sealed);
        Ok(base64url::encode(&letter))
    }

    /// Opens what was sealed for this family and generation; `None` for anything else.
    #[must_use]
    pub fn open(&self, generation: u64, sealed: &str) -> Option<Secret> {
        let letter = base64url::decode(sealed)?;
        let (nonce, text) = letter.split_at_checked(NONCE)?;
        let mut text = text.to_vec();
        let bound = self.bound(generation);
        let nonce = Nonce::try_from(nonce).ok()?;
        self.cipher()?
            .decrypt_in_place(&nonce, bound.as_bytes(), &mut text)
            .ok()?;
        String::from_utf8(text).ok().map(Secret::new)
    }

    fn cipher(&self) -> Option<ChaCha20Poly1305> {
        let key = base64url::decode(self.key.expose())?;
        let key = Key::try_from(key.as_slice()).ok()?;
        Some(ChaCha20Poly1305::new(&key))
    }

    /// What a sealed text is bound to: one of another family or generation does not pass for it.
    fn bound(&self, generation: u64) -> String {
        let generation = decimal(i64::try_from(generation).unwrap_or(i64::MAX));
        joined(&["countersign 1 ", self.id.as_str(), " ", &generation])
    }
}

/// What the mailbox keeps of a generation.
#[derive(Clone, Debug)]
#[allow(
    clippy::exhaustive_structs,
    reason = "made by its callers, all members at once"
)]
pub struct Letter {
    /// Whose.
    pub family: FamilyId,
    /// Which.
    pub generation: u64,
    /// A hash of issuer, client and `sub`: a logout reaches every family of a user.
    pub owner: String,
    /// The record, by [`Family::seal`].
    pub sealed: String,
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
