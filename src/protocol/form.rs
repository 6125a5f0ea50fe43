//! `application/x-www-form-urlencoded` (RFC 6749 Appendix B).

use form_urlencoded::{byte_serialize, parse as parse_pairs};

/// Appends `name=value`, encoded, with `&` in front unless it is the first.
pub fn append(form: &mut String, name: &str, value: &str) {
    if !form.is_empty() && !form.ends_with('?') {
        form.push('&');
    }
    form.extend(byte_serialize(name.as_bytes()));
    form.push('=');
    form.extend(byte_serialize(value.as_bytes()));
}

/// Encodes pairs into a request body.
#[must_use]
pub fn encode(pairs: &[(&str, &str)]) -> String {
    let mut form = String::new();
    for (name, value) in pairs {
        append(&mut form, name, value);
    }
    form
}

/// A parameter of a response stands in it twice (RFC 6749 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Repeated;

/// Finds one parameter in a query or fragment, form-decoded.
///
/// # Errors
/// [`Repeated`] where it stands there more than once: none of the values can be trusted then.
pub fn find(query: &str, name: &str) -> Result<Option<String>, Repeated> {
    let mut values = parse_pairs(query.as_bytes()).filter(|(key, _)| key == name);
    let first = values.next().map(|(_, value)| value.into_owned());
    if values.next().is_some() {
        Err(Repeated)
    } else {
        Ok(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_encoded_and_come_back() {
        let hard = "a b+c&d=e#f?é😀%";
        let form = encode(&[("x", hard), ("y", "")]);
        assert_eq!(form, "x=a+b%2Bc%26d%3De%23f%3F%C3%A9%F0%9F%98%80%25&y=");
        assert_eq!(find(&form, "x").unwrap().unwrap(), hard);
        assert_eq!(find(&form, "y").unwrap().unwrap(), "");
        assert_eq!(find(&form, "z"), Ok(None));
    }

    #[test]
    fn repeated_parameters_are_refused_also_in_another_spelling() {
        assert_eq!(find("code=a&code=b", "code"), Err(Repeated));
        assert_eq!(find("code=a&c%6Fde=a", "code"), Err(Repeated));
        assert_eq!(find("code=a&x=1&x=2", "code").unwrap().unwrap(), "a");
    }
}
