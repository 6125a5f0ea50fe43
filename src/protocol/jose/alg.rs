//! The algorithms that we take (RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.2). Whatever is not in the table is refused:
//! `none`, `HS*`, other spellings (RFC 8725 §3.1, §3.2).

use super::super::json::Json;

/// A signature algorithm. What else it needs follows from its name: its digest is the one that the name ends on, and
/// SHA-512 for Ed25519 (RFC 8032 §5.1).
#[derive(Debug, PartialEq, Eq)]
pub struct Algorithm {
    name: &'static str,
    /// `crv` of its keys; empty for RSA.
    curve: &'static str,
    /// Bytes of a signature; 0 for RSA, whose keys decide.
    signature: usize,
}

/// All of them: RFC 7518 §3.3 to §3.5, RFC 8037 §3.1, RFC 9864 §2.2.
static TABLE: [Algorithm; 11] = [
    row("RS256", "", 0),
    row("RS384", "", 0),
    row("RS512", "", 0),
    row("PS256", "", 0),
    row("PS384", "", 0),
    row("PS512", "", 0),
    row("ES256", "P-256", 64),
    row("ES384", "P-384", 96),
    row("ES512", "P-521", 132),
    row("EdDSA", ED25519, 64),
    row(ED25519, ED25519, 64),
];

const ED25519: &str = "Ed25519";

const fn row(name: &'static str, curve: &'static str, signature: usize) -> Algorithm {
    Algorithm {
        name,
        curve,
        signature,
    }
}

impl Algorithm {
    /// By its registered name, exactly.
    #[must_use]
    pub fn by_name(name: &str) -> Option<&'static Self> {
        TABLE.iter().find(|known| known.name == name)
    }

    /// The registered name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// `kty` of its keys (RFC 7518 §6.1, RFC 8037 §2).
    #[must_use]
    pub fn key_type(&self) -> &'static str {
        match self.curve {
            "" => "RSA",
            ED25519 => "OKP",
            _ => "EC",
        }
    }

    /// `crv` of its keys, where they have one.
    #[must_use]
    pub fn curve(&self) -> Option<&'static str> {
        Some(self.curve).filter(|curve| !curve.is_empty())
    }

    /// Whether its digest is SHA-256, which we compute ourselves.
    #[must_use]
    pub fn is_sha256(&self) -> bool {
        self.name.ends_with("256")
    }

    /// Whether a name stands for this algorithm: `EdDSA` with its curve and `Ed25519` are one (RFC 9864 §2.2).
    #[must_use]
    pub fn is_named(&self, name: &Json) -> bool {
        name.as_str()
            .and_then(Self::by_name)
            .is_some_and(|named| self == named || self.curve().is_some_and(|it| it == named.curve))
    }

    /// Whether a server's list names algorithms of ours, but not this one (OIDC Discovery §3). A list that names none of
    /// ours says nothing about the algorithm that is used.
    #[must_use]
    pub fn is_left_out_of(&self, names: &[Json]) -> bool {
        let ours = |name: &Json| name.as_str().and_then(Self::by_name).is_some();
        names.iter().any(ours) && !names.iter().any(|name| self.is_named(name))
    }

    /// How many bytes a signature has (RFC 7518 §3.4, RFC 8032 §5.1.6); 0 for RSA, whose keys decide.
    pub(super) const fn signature_size(&self) -> usize {
        self.signature
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn names_are_taken_as_they_are_registered_and_no_other() {
        for known in &TABLE {
            assert_eq!(Algorithm::by_name(known.name()), Some(known));
        }
        for name in [
            "", "none", "None", "nOnE", "HS256", "HS384", "HS512", "rs256", "RS256 ", "RS1",
            "ES256K", "Ed448", "eddsa", "RSA-OAEP", "A128KW", "dir",
        ] {
            assert_eq!(Algorithm::by_name(name), None, "{name}");
        }
    }

    #[test]
    fn eddsa_and_ed25519_are_one_and_nothing_else_is() {
        let is_named = |algorithm: &str, name: &str| {
            Algorithm::by_name(algorithm)
                .unwrap()
                .is_named(&name.into())
        };
        for known in &TABLE {
            for other in &TABLE {
                let same =
                    known == other || (known.key_type() == "OKP" && other.key_type() == "OKP");
                assert_eq!(
                    is_named(known.name, other.name),
                    same,
                    "{known:?} {other:?}"
                );
            }
        }
        assert!(!is_named("RS256", "none"));
        assert!(
            !Algorithm::by_name("RS256")
                .unwrap()
                .is_named(&Json::integer(7))
        );
    }
}
