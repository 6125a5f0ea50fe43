//! Randomness as a parameter, and the values that are drawn from it.

use super::base64url;

/// A cryptographically secure source of random bytes.
pub trait Entropy {
    /// Fills the buffer, or says that the platform has no secure source.
    ///
    /// # Errors
    /// [`NoEntropy`] where there is none; nothing falls back to a weaker one.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoEntropy>;
}

/// The platform has no secure source of randomness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NoEntropy;

/// Draws 256 bits as 43 base64url characters: a `state`, a `nonce`, a `code_verifier` (RFC 7636 §4.1, §7.1).
///
/// # Errors
/// [`NoEntropy`], also when the source returns nothing but zeros.
pub fn random_token(entropy: &impl Entropy) -> Result<String, NoEntropy> {
    random_bytes(entropy).map(|bytes| base64url::encode(&bytes))
}

/// Draws 256 bits.
///
/// # Errors
/// [`NoEntropy`], also when the source returns nothing but zeros: a stubbed one, most likely.
pub fn random_bytes(entropy: &impl Entropy) -> Result<[u8; 32], NoEntropy> {
    let mut bytes = [0; 32];
    entropy.fill(&mut bytes)?;
    if bytes == [0; 32] {
        Err(NoEntropy)
    } else {
        Ok(bytes)
    }
}
