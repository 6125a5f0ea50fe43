//! A JSON reader and writer (RFC 8259) for documents that a stranger sent: linear in time, capped in depth and in the
//! number of members, duplicate members refused, numbers kept as they were written.
//!
//! Our own few hundred lines rather than a crate: `miniserde` costs 7.9 kB brotli, `serde_json` 19.5 kB (docs/size.md), and none
//! of them keeps numbers as text, which spares the float parser and printer and hands claims on unchanged.

use super::text::{before, decimal};
mod reader;

use core::fmt;
use reader::{MAX_DEPTH, Reader};

/// A JSON value. Prints no content, since it may hold tokens and claims.
#[derive(Clone, PartialEq)]
#[allow(clippy::exhaustive_enums, reason = "JSON has exactly these")]
pub enum Json {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number, as written.
    Number(String),
    /// A string.
    String(String),
    /// An array.
    Array(Vec<Self>),
    /// An object, members in their order, no name twice.
    Object(Vec<(String, Self)>),
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Json(…)")
    }
}

impl Json {
    /// Parses a whole document; `None` for anything that RFC 8259 does not allow, for duplicate members, and beyond the
    /// caps.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::parse_within(text, MAX_DEPTH)
    }

    /// Parses a document of our own from a storage: what was taken from a stranger's stands a few levels further in.
    #[must_use]
    pub fn parse_stored(text: &str) -> Option<Self> {
        Self::parse_within(text, MAX_DEPTH + 4)
    }

    fn parse_within(text: &str, deepest: usize) -> Option<Self> {
        let mut reader = Reader {
            text,
            at: 0,
            deepest,
        };
        reader.skip_space();
        let value = reader.value(0)?;
        reader.skip_space();
        (reader.at == text.len()).then_some(value)
    }

    /// A whole number.
    #[must_use]
    pub fn integer(value: i64) -> Self {
        Self::Number(decimal(value))
    }

    /// Whether it is an object.
    #[must_use]
    pub const fn is_object(&self) -> bool {
        matches!(self, Self::Object(_))
    }

    /// A member of an object; `None` where it is missing, where it is `null`, and for anything but an object.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else {
            return None;
        };
        let (_, value) = members.iter().find(|(key, _)| key == name)?;
        Some(value).filter(|value| !matches!(value, Self::Null))
    }

    /// Whether a member is `true`.
    #[must_use]
    pub fn is_true(&self, name: &str) -> bool {
        matches!(self.get(name), Some(Self::Bool(true)))
    }

    /// A member that is a string.
    #[must_use]
    pub fn get_str(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// A member that is a whole number.
    #[must_use]
    pub fn get_integer(&self, name: &str) -> Option<i64> {
        self.get(name)?.as_integer()
    }

    /// The text of a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self {
            Some(text)
        } else {
            None
        }
    }

    /// The elements of an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Self]> {
        if let Self::Array(elements) = self {
            Some(elements)
        } else {
            None
        }
    }

    /// A number without its fraction; `None` beyond 2^53, which no clock and no lifetime reaches.
    #[must_use]
    pub fn as_integer(&self) -> Option<i64> {
        let Self::Number(text) = self else {
            return None;
        };
        let exponent_at = text.bytes().position(|byte| matches!(byte, b'e' | b'E'));
        let (mantissa, exponent) = text.split_at_checked(exponent_at.unwrap_or(text.len()))?;
        // How many digits there are before the point, once it is moved.
        let mut places = digits(before(mantissa, b'.')).count();
        let shift = digits(exponent).fold(0_usize, |shift, digit| {
            shift.saturating_mul(10).saturating_add(usize::from(digit))
        });
        places = if exponent.as_bytes().get(1) == Some(&b'-') {
            places.saturating_sub(shift)
        } else {
            places.saturating_add(shift)
        };
        let mut value: i64 = 0;
        let mut digits = digits(mantissa);
        while places > 0 {
            let digit = digits.next();
            // Zero stays zero however many places follow: `0e999999999` ends here.
            if digit.is_none() && value == 0 {
                break;
            }
            value = value * 10 + i64::from(digit.unwrap_or(0));
            if value > 1 << 53 {
                return None;
            }
            places -= 1;
        }
        Some(if text.starts_with('-') { -value } else { value })
    }

    /// The document as text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Number(text) => out.push_str(text),
            Self::String(text) => write_string(text, out),
            Self::Array(elements) => {
                for (at, element) in elements.iter().enumerate() {
                    out.push(if at == 0 { '[' } else { ',' });
                    element.write(out);
                }
                out.push_str(if elements.is_empty() { "[]" } else { "]" });
            }
            Self::Object(members) => {
                for (at, (name, value)) in members.iter().enumerate() {
                    out.push(if at == 0 { '{' } else { ',' });
                    write_string(name, out);
                    out.push(':');
                    value.write(out);
                }
                out.push_str(if members.is_empty() { "{}" } else { "}" });
            }
        }
    }
}

/// An object that is being put together, member by member.
#[derive(Default)]
pub struct Object(Vec<(String, Json)>);

impl Object {
    /// One without members.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a member.
    #[inline(never)]
    pub fn json(&mut self, name: &str, value: Json) -> &mut Self {
        self.0.push((name.to_owned(), value));
        self
    }

    /// Adds a string.
    #[inline(never)]
    pub fn text(&mut self, name: &str, value: &str) -> &mut Self {
        self.json(name, value.into())
    }

    /// Adds a string, or `null`.
    #[inline(never)]
    pub fn optional(&mut self, name: &str, value: Option<&str>) -> &mut Self {
        self.json(name, value.map_or(Json::Null, Json::from))
    }

    /// Adds a whole number.
    #[inline(never)]
    pub fn integer(&mut self, name: &str, value: i64) -> &mut Self {
        self.json(name, Json::integer(value))
    }

    /// Adds a whole number, or `null`.
    #[inline(never)]
    pub fn optional_integer(&mut self, name: &str, value: Option<i64>) -> &mut Self {
        self.json(name, value.map_or(Json::Null, Json::integer))
    }

    /// Adds `true` or `false`.
    #[inline(never)]
    pub fn flag(&mut self, name: &str, value: bool) -> &mut Self {
        self.json(name, Json::Bool(value))
    }

    /// The object, with what was added.
    #[inline(never)]
    pub fn done(&mut self) -> Json {
        Json::Object(core::mem::take(&mut self.0))
    }
}

/// The digits of a number, without sign, point and exponent sign.
fn digits(number: &str) -> impl Iterator<Item = u8> {
    number
        .bytes()
        .filter(u8::is_ascii_digit)
        .map(|byte| byte - b'0')
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                out.push('\\');
                out.push(character);
            }
            '\0'..='\x1f' => {
                let code = u32::from(character);
                out.push_str(if code < 16 { "\\u000" } else { "\\u001" });
                out.extend(char::from_digit(code % 16, 16));
            }
            _ => out.push(character),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::reader::MAX_MEMBERS;
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn documents_come_back_as_they_were() {
        for text in [
            "null",
            "true",
            "[]",
            "{}",
            "-0.5e+3",
            r#"{"a":[1,2.50,{"b":"x"}],"c":null}"#,
            r#""a\"b\\c\u001f\u0000é😀""#,
        ] {
            assert_eq!(Json::parse(text).unwrap().to_text(), text);
        }
        assert_eq!(
            Json::parse(r#" "\u0041\ud83d\ude00\/" "#).unwrap().as_str(),
            Some("A😀/")
        );
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for text in [
            "",
            " ",
            "nul",
            "[1,]",
            "[,]",
            "{\"a\"}",
            "{\"a\":1,}",
            "{a:1}",
            "'a'",
            "01",
            "1.",
            ".5",
            "+1",
            "1e",
            "NaN",
            "\"",
            "\"\n\"",
            "\"\\x\"",
            "\"\\ud800\"",
            "\"\\ud800\\u0041\"",
            "\"\\udc00\"",
            "[1] 2",
            "\u{feff}{}",
            "{\"a\":1,\"a\":2}",
            "{\"a\":1,\"\\u0061\":2}",
        ] {
            assert!(Json::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn tk7_t8_depth_and_members_are_capped() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(Json::parse(&nested(MAX_DEPTH + 1)).is_some());
        assert!(Json::parse(&nested(MAX_DEPTH + 2)).is_none());
        assert!(Json::parse_stored(&nested(MAX_DEPTH + 5)).is_some());
        assert!(Json::parse_stored(&nested(MAX_DEPTH + 6)).is_none());
        assert!(Json::parse(&nested(1_000_000)).is_none());
        let wide = |members: usize| {
            format!(
                "{{{}}}",
                (0..members)
                    .map(|n| format!("\"{n}\":0"))
                    .collect::<Vec<_>>()
                    .join(",")
            )
        };
        assert!(Json::parse(&wide(MAX_MEMBERS)).is_some());
        assert!(Json::parse(&wide(MAX_MEMBERS + 1)).is_none());
    }

    #[test]
    fn numbers_are_read_without_floats() {
        let integer = |text: &str| Json::parse(text).unwrap().as_integer();
        for (text, value) in [
            ("0", 0),
            ("-7", -7),
            ("1700000000.9", 1_700_000_000),
            ("1.7e9", 1_700_000_000),
            ("17e8", 1_700_000_000),
            ("5e-1", 0),
            ("123e-2", 1),
            ("0e999999999", 0),
            ("9007199254740992", 1 << 53),
        ] {
            assert_eq!(integer(text), Some(value), "{text}");
        }
        for text in ["9007199254740993", "1e308", "1e9999999999", "-1e30"] {
            assert_eq!(integer(text), None, "{text}");
        }
        assert_eq!(Json::parse("\"1\"").unwrap().as_integer(), None);
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(
            format!("{:?}", Json::parse(r#"{"sub":"alice"}"#)),
            "Some(Json(…))"
        );
    }
}
