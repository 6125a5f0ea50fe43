//! `application/x-www-form-urlencoded` (RFC 6749 Appendix B).

use super::text::{cut, pieces};

/// Appends `name=value`, encoded, with `&` in front unless it is the first.
pub fn append(form: &mut String, name: &str, value: &str) {
    if !form.is_empty() && !form.ends_with('?') {
        form.push('&');
    }
    escape(form, name);
    form.push('=');
    escape(form, value);
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
    let mut found = None;
    for pair in pieces(query, b'&') {
        let (key, value) = cut(pair, b'=').unwrap_or((pair, ""));
        if unescape(key) != name {
            continue;
        }
        if found.is_some() {
            return Err(Repeated);
        }
        found = Some(unescape(value));
    }
    Ok(found)
}

fn escape(form: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'*' | b'-' | b'.' | b'_' => {
                form.push(char::from(byte));
            }
            b' ' => form.push('+'),
            _ => {
                form.push('%');
                for digit in [byte >> 4, byte & 15] {
                    let digit = char::from_digit(digit.into(), 16);
                    form.extend(digit.map(|digit| digit.to_ascii_uppercase()));
                }
            }
        }
    }
}

/// A `%` that begins no escape stands for itself; bytes that are no UTF-8 make the text an empty one, which no check
/// takes for a value.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        let escaped = match tail {
            [high, low, after @ ..] if *first == b'%' => hex(*high).zip(hex(*low)).zip(Some(after)),
            _ => None,
        };
        if let Some(((high, low), after)) = escaped {
            bytes.push(high << 4 | low);
            rest = after;
        } else {
            bytes.push(if *first == b'+' { b' ' } else { *first });
        }
    }
    String::from_utf8(bytes).unwrap_or_default()
}

fn hex(digit: u8) -> Option<u8> {
    let digit = char::from(digit).to_digit(16)?;
    u8::try_from(digit).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn values_are_encoded_and_come_back() {
        let hard = "a b+c&d=e#f?é😀%";
        let form = encode(&[("x", hard), ("y", "")]);
        assert_eq!(form, "x=a+b%2Bc%26d%3De%23f%3F%C3%A9%F0%9F%98%80%25&y=");
        assert_eq!(find(&form, "x").unwrap().unwrap(), hard);
        assert_eq!(find(&form, "y").unwrap().unwrap(), "");
        assert_eq!(find(&form, "z"), Ok(None));
        assert_eq!(find("a=%&b=%4&c=%zz", "a").unwrap().unwrap(), "%");
        assert_eq!(find("a=%&b=%4&c=%zz", "b").unwrap().unwrap(), "%4");
        assert_eq!(find("a=%&b=%4&c=%zz", "c").unwrap().unwrap(), "%zz");
        assert_eq!(find("a=x%ff", "a").unwrap().unwrap(), "");
    }

    #[test]
    fn repeated_parameters_are_refused_also_in_another_spelling() {
        assert_eq!(find("code=a&code=b", "code"), Err(Repeated));
        assert_eq!(find("code=a&c%6Fde=a", "code"), Err(Repeated));
        assert_eq!(find("code=a&x=1&x=2", "code").unwrap().unwrap(), "a");
    }
}
