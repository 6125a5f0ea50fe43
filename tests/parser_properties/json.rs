//! The JSON reader and writer (RFC 8259).

use crate::check;
use crate::targets::json_reader;
use countersign::protocol::json::Json;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

/// Any document, a few levels deep.
pub(crate) fn document() -> impl Strategy<Value = Json> {
    let number = r"-?(0|[1-9][0-9]{0,18})(\.[0-9]{1,6})?([eE][+-]?[0-9]{1,3})?";
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Bool),
        number.prop_map(Json::Number),
        any::<String>().prop_map(Json::String),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Json::Array),
            btree_map(any::<String>(), inner, 0..6)
                .prop_map(|members| Json::Object(members.into_iter().collect())),
        ]
    })
}

/// The document as another writer may write it: with white space, and with escapes that nobody needs.
fn written(json: &Json, style: &[u8], at: &mut usize, out: &mut String) {
    let mut next = || {
        *at += 1;
        style[*at % style.len()]
    };
    let space = [" ", "\t", "\n", "\r", "", "", "", ""];
    out.push_str(space[usize::from(next() % 8)]);
    match json {
        Json::String(text) => string(text, next(), out),
        Json::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                out.push(if index == 0 { '[' } else { ',' });
                written(element, style, at, out);
            }
            out.push_str(if elements.is_empty() { "[ ]" } else { "]" });
        }
        Json::Object(members) => {
            for (index, (name, value)) in members.iter().enumerate() {
                out.push_str(if index == 0 { "{\n" } else { ",\t" });
                string(name, style[*at % style.len()], out);
                out.push_str(" :");
                written(value, style, at, out);
            }
            out.push_str(if members.is_empty() { "{\r\n}" } else { "}" });
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => out.push_str(&json.to_text()),
    }
    out.push(' ');
}

fn string(text: &str, style: u8, out: &mut String) {
    out.push('"');
    for (index, character) in text.chars().enumerate() {
        let escape = character < ' ' || matches!(character, '"' | '\\');
        if escape || (index + usize::from(style)).is_multiple_of(3) {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                let digits = format!("{unit:04x}");
                let upper = digits.to_uppercase();
                let digits = if style.is_multiple_of(2) {
                    digits
                } else {
                    upper
                };
                out.push_str("\\u");
                out.push_str(&digits);
            }
        } else {
            out.push(character);
        }
    }
    out.push('"');
}

#[test]
fn what_is_written_is_read_again() {
    check(400, document(), |json| {
        let text = json.to_text();
        assert!(
            Json::parse(&text).is_some_and(|again| again == json),
            "{text}"
        );
        json_reader::run(text.as_bytes());
    });
}

#[test]
fn white_space_and_escapes_change_no_value() {
    check(
        400,
        (document(), vec(any::<u8>(), 1..20)),
        |(json, style)| {
            let mut text = String::new();
            written(&json, &style, &mut 0, &mut text);
            assert!(
                Json::parse(&text).is_some_and(|again| again == json),
                "{text}"
            );
            json_reader::run(text.as_bytes());
        },
    );
}

#[test]
fn a_document_that_was_tampered_with_is_read_as_any_reader_reads_it() {
    let edits = (
        document(),
        any::<prop::sample::Index>(),
        any::<char>(),
        any::<bool>(),
    );
    check(1000, edits, |(json, index, character, insert)| {
        let mut text: Vec<char> = json.to_text().chars().collect();
        let at = index.index(text.len());
        if insert {
            text.insert(at, character);
        } else {
            text.remove(at);
        }
        json_reader::run(text.into_iter().collect::<String>().as_bytes());
    });
}

#[test]
fn a_duplicate_member_is_refused_and_another_one_is_not() {
    check(
        200,
        (document(), document(), any::<String>()),
        |(one, other, name)| {
            let twice = |second: &str| {
                let second = Json::from(second).to_text();
                let first = Json::from(name.as_str()).to_text();
                let (one, other) = (one.to_text(), other.to_text());
                Json::parse(&format!(
                    "{{{first}:{one},\"\u{1F511}\u{1F511}\":0,{second}:{other}}}"
                ))
            };
            assert!(twice(&name).is_none());
            assert!(twice(&format!("{name}\u{1F511}")).is_some());
        },
    );
}

#[test]
fn whole_numbers_are_read_in_every_spelling() {
    let edge = 1_i64 << 53;
    check(
        500,
        (-edge..=edge, 0_usize..6, any::<bool>()),
        |(number, places, upper)| {
            let e = if upper { 'E' } else { 'e' };
            let power = 10_i64.pow(u32::try_from(places).unwrap());
            let (sign, digits) = (if number < 0 { "-" } else { "" }, number.unsigned_abs());
            for (spelling, value) in [
                (number.to_string(), number),
                (format!("{number}.{}", "9".repeat(places + 1)), number),
                (format!("{number}{e}0"), number),
                (
                    format!("{number}{}{e}-{places}", "0".repeat(places)),
                    number,
                ),
                (format!("{number}{e}-{places}"), number / power),
                (format!("{sign}0.{digits:030}{e}+30"), number),
            ] {
                let read = Json::parse(&spelling).map(|json| json.as_integer());
                assert_eq!(read, Some(Some(value)), "{spelling}");
            }
            assert_eq!(Json::integer(number).to_text(), number.to_string());
        },
    );
}

#[test]
fn whole_numbers_beyond_the_edge_are_none() {
    let edge = 1_i64 << 53;
    check(
        200,
        (edge + 1..=i64::MAX, any::<bool>()),
        |(number, negative)| {
            let text = format!("{}{number}", if negative { "-" } else { "" });
            assert_eq!(
                Json::parse(&text).map(|json| json.as_integer()),
                Some(None),
                "{text}"
            );
        },
    );
}
