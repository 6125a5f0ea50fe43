//! Forms, URIs, scopes, base64url, numbers.

use crate::check;
use countersign::protocol::base64url;
use countersign::protocol::form::{self, Repeated};
use countersign::protocol::http::HttpResponse;
use countersign::protocol::scope::Scope;
use countersign::protocol::token;
use countersign::protocol::uri::HttpUri;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

#[test]
fn every_parameter_of_a_form_comes_back() {
    let parameters = btree_map(any::<String>(), any::<String>(), 1..8);
    check(400, parameters, |parameters| {
        let pairs: Vec<_> = parameters
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        let form = form::encode(&pairs);
        assert!(form.bytes().all(|byte| byte.is_ascii_graphic()), "{form}");
        // As another writer may encode it: every byte.
        let escaped = |text: &str| {
            text.bytes()
                .map(|byte| format!("%{byte:02x}"))
                .collect::<String>()
        };
        let other: Vec<_> = pairs
            .iter()
            .map(|(n, v)| format!("{}={}", escaped(n), escaped(v)))
            .collect();
        let other = other.join("&");
        for (name, value) in &parameters {
            for form in [&form, &other] {
                assert_eq!(form::find(form, name).ok().flatten().as_ref(), Some(value));
                let again = format!("{form}&{}=", escaped(name));
                assert!(form::find(&again, name).is_err(), "{again}");
            }
        }
        assert_eq!(form::find(&form, "\u{1F511} is not there"), Ok(None));
    });
}

#[test]
fn any_query_has_a_parameter_once_or_is_refused() {
    check(500, ("[a-c=&%+0-9]{0,40}", "[a-c]?"), |(query, name)| {
        let count = query
            .split('&')
            .filter(|pair| pair.split('=').next() == Some(&name))
            .count();
        // Names that are spelled with escapes may add to it.
        match form::find(&query, &name) {
            Ok(None) => assert_eq!(count, 0, "{query}"),
            Ok(Some(_)) => assert!(count <= 1, "{query}"),
            Err(Repeated { .. }) => assert!(query.contains('&'), "{query}"),
        }
    });
}

#[test]
fn a_uri_keeps_its_text_and_comes_apart_into_it() {
    let parts = (
        "https?",
        r"[a-zA-Z0-9.-]{1,12}|\[[0-9a-f:]{2,8}\]",
        proptest::option::of(0_u16..),
        "(/[a-zA-Z0-9._~!$&'()*+,;=:@%-]{0,6}){0,4}",
        proptest::option::of("[a-z0-9=&/?@:%+]{0,12}"),
    );
    check(500, parts, |(scheme, host, port, path, query)| {
        let port = port.map_or(String::new(), |port| format!(":{port}"));
        let origin = format!("{scheme}://{host}{port}");
        let rest = query
            .as_ref()
            .map_or(String::new(), |query| format!("?{query}"));
        let text = format!("{origin}{path}{rest}");
        let uri = HttpUri::parse(&text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!(uri.as_str(), text);
        assert_eq!(uri.origin(), origin);
        assert_eq!(uri.without_query(), format!("{origin}{path}"));
        assert_eq!(uri.query(), query.unwrap_or_default());
        assert_eq!(uri.is_https(), scheme == "https");
        for (what, wrong) in [
            (
                "user information",
                format!("{scheme}://user@{host}{port}{path}"),
            ),
            ("a fragment", format!("{text}#")),
            ("a space", format!("{text} ")),
            ("a backslash", format!("{origin}\\{path}")),
            ("two ports", format!("{origin}:80:80{path}")),
            ("another scheme", format!("x{text}")),
            ("no host", format!("{scheme}://{port}{path}")),
        ] {
            assert_eq!(HttpUri::parse(&wrong), None, "{what}: {wrong}");
        }
    });
}

#[test]
fn only_this_machine_is_loopback() {
    check(
        300,
        (any::<[u8; 4]>(), "[a-z0-9.-]{1,9}"),
        |([a, b, c, d], more)| {
            let is_loopback = |host: &str| {
                HttpUri::parse(&format!("http://{host}/"))
                    .unwrap()
                    .is_loopback()
            };
            assert!(is_loopback(&format!("127.{b}.{c}.{d}")));
            assert_eq!(is_loopback(&format!("{a}.{b}.{c}.{d}")), a == 127);
            assert!(!is_loopback(&format!("127.{b}.{c}.{d}.{more}")));
            assert!(!is_loopback(&format!("127.{b}.{c}.{}", u16::from(d) + 256)));
            assert!(!is_loopback(&format!("localhost.{more}")));
            assert!(!is_loopback(&format!("x{more}.localhost")));
        },
    );
}

#[test]
fn a_scope_has_each_token_once_in_the_order_they_came() {
    let token = r"[!#-\[\]-~]{1,4}";
    check(500, (vec(token, 0..12), " {1,3}"), |(tokens, space)| {
        let mut expected: Vec<&str> = Vec::new();
        for token in &tokens {
            if !expected.contains(&token.as_str()) {
                expected.push(token);
            }
        }
        let text = format!("{space}{}{space}", tokens.join(&space));
        let scope = Scope::parse(&text).unwrap();
        assert_eq!(scope.iter().collect::<Vec<_>>(), expected);
        assert_eq!(scope.as_str(), expected.join(" "));
        assert_eq!(scope.is_empty(), tokens.is_empty());
        assert!(tokens.iter().all(|token| scope.contains(token)));
        assert_eq!(Scope::parse(scope.as_str()), Some(scope));
    });
}

#[test]
fn a_character_outside_the_grammar_refuses_the_scope() {
    check(
        500,
        ("[a-z ]{0,6}", any::<char>(), "[a-z ]{0,6}"),
        |(before, character, after)| {
            // RFC 6749 §3.3, and the space between two.
            let allowed = matches!(character, ' ' | '!' | '#'..='[' | ']'..='~');
            let scope = Scope::parse(&format!("{before}{character}{after}"));
            assert_eq!(scope.is_some(), allowed, "{character:?}");
        },
    );
}

#[test]
fn bytes_have_one_spelling_in_base64url() {
    check(500, vec(any::<u8>(), 0..80), |bytes| {
        let text = base64url::encode(&bytes);
        assert_eq!(text.len(), (bytes.len() * 4).div_ceil(3));
        assert_eq!(base64url::decode(&text), Some(bytes));
    });
    check(2000, "[A-Za-z0-9_-]{0,12}", |text| {
        if let Some(bytes) = base64url::decode(&text) {
            assert_eq!(base64url::encode(&bytes), text);
        }
    });
}

#[test]
fn a_character_outside_the_alphabet_is_no_base64url() {
    check(500, (any::<char>(), 0_usize..8), |(character, at)| {
        let mut text: Vec<char> = "AAAAAAA".chars().collect();
        text.insert(at, character);
        let text: String = text.into_iter().collect();
        let allowed = character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
        assert_eq!(base64url::decode(&text).is_some(), allowed, "{text}");
    });
}

#[test]
fn a_lifetime_in_digits_is_the_number_that_they_write() {
    let life = |digits: &str| {
        let body =
            format!(r#"{{"access_token":"a","token_type":"Bearer","expires_in":"{digits}"}}"#);
        token::response(&HttpResponse::new(200, "", body)).map(|tokens| tokens.expires_in)
    };
    check(
        300,
        (0_i64..=316_224_000, 0_usize..30),
        |(seconds, zeros)| {
            let digits = format!("{}{seconds}", "0".repeat(zeros));
            assert_eq!(
                life(&digits),
                Ok(Some(seconds).filter(|seconds| *seconds > 0))
            );
            for wrong in [
                format!("-{digits}"),
                format!("+{digits}"),
                format!(" {digits}"),
                format!("{digits}.0"),
                format!("{digits}e0"),
                format!("{digits}٣"),
                format!("1{digits:0>30}"),
            ] {
                assert!(life(&wrong).is_err(), "{wrong}");
            }
        },
    );
}
