//! Why a protected resource refused an access token (RFC 6750 §3), read out of `WWW-Authenticate` (RFC 9110 §11.6.1).

/// The first `error` of a `Bearer` challenge; `None` where there is none, or where what stands before it is no list of
/// challenges. The header may hold several challenges, of other schemes, too; each byte of it is looked at once.
#[must_use]
pub fn refusal(header: &str) -> Option<String> {
    let mut rest = header.as_bytes();
    let mut is_bearer = false;
    loop {
        let (name, next) = name(rest)?;
        // RFC 9110 §11.2: a parameter has a `=` behind its name, a scheme has not. A token68 looks like one or the other.
        if let [b'=', tail @ ..] = next {
            let (value, tail) = value(after_space(tail))?;
            if is_bearer && name.eq_ignore_ascii_case(b"error") {
                return String::from_utf8(value).ok();
            }
            rest = tail;
        } else {
            is_bearer = name.eq_ignore_ascii_case(b"bearer");
            rest = next;
        }
    }
}

/// The next scheme, token68 or name of a parameter, and what follows it; `None` where there is none.
fn name(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let bytes = after_space(bytes);
    let ends = |byte: &u8| matches!(byte, b' ' | b'\t' | b',' | b'=' | b'"');
    let end = bytes.iter().position(ends).unwrap_or(bytes.len());
    let name = bytes.get(..end).filter(|name| !name.is_empty())?;
    Some((name, after_space(bytes.get(end..)?)))
}

/// A token or a quoted string (RFC 9110 §5.6.2, §5.6.4), and what follows it.
fn value(bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut value = Vec::new();
    let mut rest = bytes.strip_prefix(b"\"").unwrap_or(bytes);
    let quoted = rest.len() < bytes.len();
    loop {
        match rest {
            [b'"', tail @ ..] if quoted => return Some((value, tail)),
            [b' ' | b'\t' | b',', ..] | [] if !quoted => return Some((value, rest)),
            [b'\\', byte, tail @ ..] | [byte, tail @ ..] => {
                value.push(*byte);
                rest = tail;
            }
            [] => return None,
        }
    }
}

/// What follows white space, and the commas of a list.
fn after_space(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t' | b',', tail @ ..] = bytes {
        bytes = tail;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn br4_the_error_of_a_bearer_challenge_is_found_among_others() {
        for header in [
            // RFC 6750 §3:
            r#"Bearer realm="example", error="invalid_token", error_description="The access token expired""#,
            r#"Bearer error="invalid_token""#,
            "Bearer error=invalid_token",
            "bEaReR ERROR = \"invalid_token\"",
            "Bearer\terror=\"invalid_token\"",
            r#"Basic realm="x", DPoP algs="ES256", Bearer error="invalid_token""#,
            // RFC 9110 §11.6.1:
            r#"Basic realm="simple", Newauth realm="apps", type=1, title="Login to \"apps\"", Bearer error="invalid_token""#,
            r#"Negotiate, Bearer error="invalid_token""#,
            r#"Negotiate YWJj/+.~_-==, Bearer error="invalid_token""#,
            r#"Negotiate YWJj , Bearer error="invalid_token""#,
            r#", ,Bearer , error="invalid_token""#,
            r#"Bearer realm="Bearer error=\"no\", ", error="invalid_token""#,
            r#"Bearer realm="", error="in\v\alid_token""#,
            r#"Bearer realm="é", error="invalid_token", error="other""#,
            r#"Bearer realm="a", Bearer error="invalid_token""#,
            r#"Bearer error="invalid_token", scope=""#,
        ] {
            assert_eq!(
                refusal(header).as_deref(),
                Some("invalid_token"),
                "{header}"
            );
        }
        let other = r#"Bearer error="insufficient_scope", error="invalid_token""#;
        assert_eq!(refusal(other).as_deref(), Some("insufficient_scope"));
    }

    #[test]
    fn br4_what_only_looks_like_one_is_none() {
        for header in [
            "",
            " , ",
            "Bearer",
            r#"Bearer realm="x""#,
            "Bearer invalid_token",
            r#"DPoP error="invalid_token""#,
            r#"Bearer realm="x", DPoP error="invalid_token""#,
            r#"Bearerx error="invalid_token""#,
            r#"Basic realm="x, Bearer error=\"invalid_token\"""#,
            r#"Basic realm="x\", Bearer error="invalid_token""#,
            r#"Bearer error_description="error=invalid_token""#,
            r#"Bearer "error"="invalid_token""#,
            r#"Bearer error="invalid_token"#,
            r#"Bearer error="invalid_token\"#,
            r#"Bearer (x), error="invalid_token""#,
            r#"="x", Bearer error="invalid_token""#,
        ] {
            assert_eq!(refusal(header), None, "{header}");
        }
        let text = "Bearer error=\"\u{e9}\\\u{e9}\"";
        assert_eq!(refusal(text).as_deref(), Some("\u{e9}\u{e9}"));
    }

    #[test]
    fn br4_a_megabyte_is_read_in_linear_time() {
        for (head, unit, is_list) in [
            ("", ",", true),
            ("", "a, ", true),
            ("Bearer ", "a=b,", true),
            ("Bearer ", "a=\"\\\"\",", true),
            ("", "Basic a==,", true),
            ("Bearer x=", "a", true),
            ("", "a ", true),
            ("", "=", false),
            ("Bearer ", "a= ", true),
            ("Bearer x=\"", "a", false),
            ("Bearer x=\"", "\\\"", false),
        ] {
            let mut header = head.to_owned();
            while header.len() < 1 << 20 {
                header.push_str(unit);
            }
            // Were each byte looked at for each other one, this would take minutes.
            header.push_str(", Bearer error=x");
            assert_eq!(refusal(&header).is_some(), is_list, "{head}{unit}");
        }
    }
}
