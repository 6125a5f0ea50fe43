//! The few things that we do with texts. The standard library searches for any pattern and parses any integer; for one
//! byte and for digits this is a tenth of the wasm (docs/size.md).

/// What stands before the first such byte, and what after it.
pub(crate) fn cut(text: &str, ascii: u8) -> Option<(&str, &str)> {
    let at = text.bytes().position(|byte| byte == ascii)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// What stands before the first such byte, or all of it.
pub(crate) fn before(text: &str, ascii: u8) -> &str {
    cut(text, ascii).map_or(text, |(before, _)| before)
}

/// What stands between such bytes, in order.
pub(crate) fn pieces(text: &str, ascii: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    core::iter::from_fn(move || {
        let text = rest?;
        let (piece, after) = cut(text, ascii).map_or((text, None), |(a, b)| (a, Some(b)));
        rest = after;
        Some(piece)
    })
}

/// Texts in a row.
pub(crate) fn joined(parts: &[&str]) -> String {
    let mut text = String::new();
    for part in parts {
        text.push_str(part);
    }
    text
}

/// A number in decimal digits.
pub(crate) fn decimal(number: i64) -> String {
    let mut digits = Vec::new();
    let mut rest = number.unsigned_abs();
    while rest > 0 || digits.is_empty() {
        digits.push(b'0' + u8::try_from(rest % 10).unwrap_or(0));
        rest /= 10;
    }
    if number < 0 {
        digits.push(b'-');
    }
    digits.reverse();
    String::from_utf8(digits).unwrap_or_default()
}

/// The number that is written in decimal digits, and nothing but digits; `None` beyond 2^53.
pub(crate) fn number(digits: &str) -> Option<i64> {
    let mut number = 0;
    for byte in digits.bytes() {
        if !byte.is_ascii_digit() || number > 1 << 50 {
            return None;
        }
        number = number * 10 + i64::from(byte - b'0');
    }
    Some(number).filter(|number| !digits.is_empty() && *number <= 1 << 53)
}

/// Whether there is nothing but white space.
pub(crate) fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn texts_are_cut_at_the_first_byte() {
        assert_eq!(cut("é=a=b", b'='), Some(("é", "a=b")));
        assert_eq!(cut("a", b'='), None);
        assert_eq!(before("a#b#c", b'#'), "a");
        assert_eq!(before("a", b'#'), "a");
        assert_eq!(pieces("a  b", b' ').collect::<Vec<_>>(), ["a", "", "b"]);
    }

    #[test]
    fn numbers_are_written_and_texts_joined() {
        for number in [0, 7, -7, 1_700_000_000_000, i64::MAX, i64::MIN] {
            assert_eq!(decimal(number), number.to_string());
        }
        assert_eq!(joined(&["a", "", "é"]), "aé");
    }

    #[test]
    fn numbers_are_digits_only() {
        assert_eq!(number("0600"), Some(600));
        assert_eq!(number("9007199254740992"), Some(1 << 53));
        for text in [
            "",
            "-1",
            "+1",
            " 1",
            "1.0",
            "9007199254740993",
            "99999999999999999999",
        ] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
