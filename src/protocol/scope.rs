//! `scope` (RFC 6749 §3.3).

use super::text::pieces;

/// A set of scope tokens in the order they were given, without repeats.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope(Vec<String>);

impl Scope {
    /// Parses a space-separated list; `None` for a character outside `%x21 / %x23-5B / %x5D-7E` (RFC 6749 §3.3).
    ///
    /// An empty text is an empty scope: some servers answer so.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut tokens: Vec<String> = Vec::new();
        for token in pieces(text, b' ') {
            if !token
                .bytes()
                .all(|b| matches!(b, 0x21 | 0x23..=0x5B | 0x5D..=0x7E))
            {
                return None;
            }
            if !token.is_empty() && !tokens.iter().any(|known| known == token) {
                tokens.push(token.to_owned());
            }
        }
        Some(Self(tokens))
    }

    /// Whether the token is in it.
    #[must_use]
    pub fn contains(&self, token: &str) -> bool {
        self.0.iter().any(|known| known == token)
    }

    /// Whether there is no token in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tokens, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The text that goes into a request (RFC 6749 §3.3).
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for token in &self.0 {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(token);
        }
        text
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
            Scope::parse("openid  email openid").unwrap().to_text(),
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
