//! Which access token is meant, where one refresh token stands for several APIs.

use crate::protocol::form;
use crate::protocol::scope::Scope;
use crate::protocol::text::{joined, pieces};

/// Which access token: for which `audience`, `resource` and `scope`, as the parameters of the request for it. The default
/// is the one signed in for.
#[derive(Clone, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct TokenKey(String);

impl TokenKey {
    /// The key of a token for this API (`audience`, or RFC 8707 §2 `resource`) and this part of the granted scope
    /// (RFC 6749 §6), in whatever order. With nothing it is the default; an empty parameter is none (RFC 6749 §3.1).
    #[must_use]
    pub fn new(audience: Option<&str>, resource: Option<&str>, scope: Option<&Scope>) -> Self {
        let mut words: Vec<_> = scope
            .map(|scope| scope.iter().collect())
            .unwrap_or_default();
        words.sort_unstable();
        let scope = words.join(" ");
        let mut text = String::new();
        for (name, value) in [
            ("audience", audience),
            ("resource", resource),
            ("scope", Some(&*scope)),
        ] {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                form::append(&mut text, name, value);
            }
        }
        Self(text)
    }

    /// One that [`TokenKey::as_str`] gave.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text by which it is stored; empty for the default.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the token that was signed in for.
    #[must_use]
    pub const fn is_default(&self) -> bool {
        self.0.is_empty()
    }

    /// The same key in a session that was signed in for these APIs ([`api_of`]): who names them means the default.
    #[must_use]
    pub fn within(&self, api: &str) -> Self {
        let (target, scope) = self.parts();
        Self::from_text(if target == api { scope } else { &self.0 })
    }

    /// The parameters of the request for it. RFC 8707 §2.2: the resource that was signed in for is named here, too, where
    /// it is one; which of several a token is for by default, the server knows.
    #[must_use]
    pub fn parameters(&self, api: &str) -> String {
        let (target, scope) = self.parts();
        match only_resource(api) {
            Some(resource) if target.is_empty() && scope.is_empty() => resource.to_owned(),
            Some(resource) if target.is_empty() => joined(&[resource, "&", scope]),
            _ => self.0.clone(),
        }
    }

    /// Whether its `resource` is one of those signed in for: RFC 8707 §2.2 lets a client choose among those, and there are servers that
    /// refuse one only after they have rotated the refresh token, so that nothing is left to ask with.
    #[must_use]
    pub fn is_covered_by(&self, api: &str) -> bool {
        let resource = resources(&self.0).next();
        resource.is_none_or(|resource| resources(api).any(|known| known == resource))
    }

    /// What names the API, and what names the scope. Values are encoded: none has a `=` in it.
    fn parts(&self) -> (&str, &str) {
        let text = self.0.as_bytes();
        let scope = text.windows(6).position(|part| part == b"scope=");
        let scope = scope.unwrap_or(text.len());
        let parted = text.get(..scope).is_some_and(|it| it.ends_with(b"&"));
        let target = self.0.get(..scope - usize::from(parted));
        let scope = self.0.get(scope..);
        (target.unwrap_or_default(), scope.unwrap_or_default())
    }
}

/// The APIs that these parameters of a sign-in name: `audience`, and every `resource`.
#[must_use]
pub fn api_of(parameters: &[(String, String)]) -> String {
    let mut api = String::new();
    for name in ["audience", "resource"] {
        for (_, value) in parameters.iter().filter(|(known, _)| known == name) {
            form::append(&mut api, name, value);
        }
    }
    api
}

fn resources(form: &str) -> impl Iterator<Item = &str> {
    pieces(form, b'&').filter(|pair| pair.starts_with("resource="))
}

fn only_resource(api: &str) -> Option<&str> {
    let mut resources = resources(api);
    let first = resources.next();
    first.filter(|_| resources.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn key(audience: &str, resource: &str, scope: &str) -> TokenKey {
        TokenKey::new(Some(audience), Some(resource), Scope::parse(scope).as_ref())
    }

    #[test]
    fn a_key_is_what_the_request_carries_whatever_the_order_of_the_scope() {
        let text = "audience=a+b&resource=https%3A%2F%2Fx%2F%3Fscope%3D1%26&scope=r+w";
        assert_eq!(key("a b", "https://x/?scope=1&", "w r w").as_str(), text);
        assert_eq!(key("a b", "https://x/?scope=1&", "r w").as_str(), text);
        assert_eq!(TokenKey::from_text(text).parameters(""), text);
        assert!(key("", "", "").is_default());
        assert_eq!(TokenKey::default(), TokenKey::new(None, None, None));
    }

    #[test]
    fn who_names_what_was_signed_in_for_means_the_default() {
        let api = "audience=a&resource=urn%3Ar";
        assert_eq!(key("a", "urn:r", "").within(api), TokenKey::default());
        assert_eq!(key("a", "urn:r", "s").within(api), key("", "", "s"));
        for other in [
            key("a", "", ""),
            key("", "urn:r", "s"),
            key("a", "urn:r2", ""),
            key("", "", "s"),
            key("", "", ""),
        ] {
            assert_eq!(other.within(api), other);
        }
        assert_eq!(
            key("a", "", "").within("audience=ab").as_str(),
            "audience=a"
        );
        assert_eq!(
            key("ab", "", "").within("audience=a").as_str(),
            "audience=ab"
        );
    }

    #[test]
    fn the_one_resource_that_was_signed_in_for_is_named_by_default() {
        let one = "audience=a&resource=urn%3Ar";
        assert_eq!(key("", "", "").parameters(one), "resource=urn%3Ar");
        assert_eq!(key("", "", "s").parameters(one), "resource=urn%3Ar&scope=s");
        assert_eq!(key("b", "", "").parameters(one), "audience=b");
        assert_eq!(key("", "urn:q", "").parameters(one), "resource=urn%3Aq");
        let two = "resource=urn%3Ar&resource=urn%3Aq";
        assert_eq!(key("", "", "").parameters(two), "");
        assert_eq!(key("", "", "s").parameters("audience=a"), "scope=s");
    }

    #[test]
    fn a_resource_is_one_of_those_signed_in_for() {
        let two = "resource=urn%3Ar&resource=urn%3Aq";
        assert!(key("", "urn:r", "s").is_covered_by(two));
        assert!(key("", "urn:q", "").is_covered_by(two));
        assert!(!key("", "urn:p", "").is_covered_by(two));
        assert!(!key("", "urn:r", "").is_covered_by(""));
        assert!(key("b", "", "s").is_covered_by("audience=a"));
    }

    #[test]
    fn a_sign_in_names_its_apis_in_one_order() {
        let pairs = [
            ("resource", "urn:r"),
            ("prompt", "login"),
            ("audience", "a"),
        ];
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        assert_eq!(api_of(&pairs), "audience=a&resource=urn%3Ar");
        assert_eq!(api_of(&[]), "");
    }
}
