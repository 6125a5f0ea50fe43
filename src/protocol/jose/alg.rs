//! The algorithms that we take, and what each needs (RFC 7518 §3.1). Whatever is not in the table is refused:
//! `none`, `HS*`, other spellings (RFC 8725 §3.1, §3.2).

/// A signature algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 §3.3).
    Rs256,
    /// ECDSA with P-256 and SHA-256 (RFC 7518 §3.4).
    Es256,
}

impl Algorithm {
    /// By its registered name, exactly.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            _ => None,
        }
    }

    /// The registered name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }

    /// `kty` of its keys (RFC 7518 §6.1).
    #[must_use]
    pub const fn key_type(self) -> &'static str {
        match self {
            Self::Rs256 => "RSA",
            Self::Es256 => "EC",
        }
    }

    /// `crv` of its keys, where they have one.
    #[must_use]
    pub const fn curve(self) -> Option<&'static str> {
        match self {
            Self::Rs256 => None,
            Self::Es256 => Some("P-256"),
        }
    }

    /// Whether a signature of so many bytes can be one (RFC 7518 §3.3, §3.4).
    #[must_use]
    pub const fn fits_signature(self, bytes: usize) -> bool {
        match self {
            Self::Rs256 => bytes >= 256,
            Self::Es256 => bytes == 64,
        }
    }
}
