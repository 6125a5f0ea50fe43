//! `scope` (RFC 6749 §3.3).

use super::text::pieces;

/// No scope is longer, in bytes: repeats are looked for one by one.
const LONGEST: usize = 1 << 14;

/// A set of scope tokens in the order they were given, without repeats: a text with one space between two.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope(String);

impl Scope {
    /// Parses a space-separated list; `None` for a character outside `%x21 / %x23-5B / %x5D-7E` (RFC 6749 §3.3), and for
    /// one that is too long.
    ///
    /// An empty text is an empty scope: some servers answer so.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let allowed = |b: u8| matches!(b, 0x20 | 0x21 | 0x23..=0x5B | 0x5D..=0x7E);
        if text.len() > LONGEST || !text.bytes().all(allowed) {
            return None;
        }
        let mut scope = Self::default();
        for token in pieces(text, b' ') {
            if !token.is_empty() && !scope.contains(token) {
                if !scope.is_empty() {
                    scope.0.push(' ');
                }
                scope.0.push_str(token);
            }
        }
        Some(scope)
    }

    /// Whether the token is in it.
    #[must_use]
    pub fn contains(&self, token: &str) -> bool {
        self.iter().any(|known| known == token)
    }

    /// Whether there is no token in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tokens, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        pieces(&self.0, b' ').filter(|token| !token.is_empty())
    }

    /// The text that goes into a request (RFC 6749 §3.3).
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn order_is_kept_and_repeats_are_dropped() {
        assert_eq!(
            Scope::parse("openid  email openid").unwrap().as_str(),
            "openid email"
        );
        assert!(Scope::parse("").unwrap().is_empty());
    }

    #[test]
    fn characters_outside_the_grammar_are_refused() {
        for text in ["a\"b", "a\\b", "a\tb", "a\nb", "é"] {
            assert_eq!(Scope::parse(text), None, "{text}");
        }
        assert!(Scope::parse("https://api.example/read:all").is_some());
    }
}
