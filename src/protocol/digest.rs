//! SHA-256, computed here so that it does not depend on `crypto.subtle`, which plain http beyond loopback lacks.

use super::base64url;
use sha2::{Digest, Sha256};

/// The digest of a text (FIPS 180-4 §6.2), in base64url.
#[must_use]
pub(crate) fn sha256(text: &str) -> String {
    base64url::encode(&Sha256::digest(text.as_bytes()))
}

/// The left half of the digest of a text, in base64url: `at_hash` where the hash is SHA-256 (OIDC Core §3.1.3.8).
#[must_use]
pub(crate) fn half_sha256(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    base64url::encode(digest.get(..16).unwrap_or_default())
}
