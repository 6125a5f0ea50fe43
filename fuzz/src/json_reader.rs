//! A document of anybody's.

use countersign::protocol::json::Json;
use serde_json::Value;

const MAX_DEPTH: usize = 32;
const MAX_MEMBERS: usize = 1024;

/// What we read, `serde_json` reads too, as the same value; what it reads and we do not is beyond our caps or has
/// duplicate members. What we print we read again, as the same value. What is printed for people shows nothing.
pub fn run(data: &[u8]) {
    let text = super::text(data);
    let theirs = serde_json::from_str::<Value>(&text);
    let Some(ours) = Json::parse(&text) else {
        if let Ok(theirs) = theirs {
            assert!(
                depth(&theirs) > MAX_DEPTH
                    || widest(&theirs) > MAX_MEMBERS
                    || members(&theirs) < colons(&text),
                "refused for no reason"
            );
        }
        return;
    };
    let printed = ours.to_text();
    assert!(Json::parse(&printed).is_some_and(|again| again == ours && again.to_text() == printed));
    match theirs {
        Ok(theirs) => {
            assert!(serde_json::from_str::<Value>(&printed).is_ok_and(|again| again == theirs));
            assert!(depth(&theirs) <= MAX_DEPTH && members(&theirs) == colons(&text));
        }
        // A number that no f64 holds; we keep it as text.
        Err(error) => assert!(error.to_string().starts_with("number out of range")),
    }
    assert_eq!(format!("{ours:?}"), "Json(…)");
    reads(&ours);
}

/// Numbers are whole up to 2^53, whatever their spelling.
fn reads(json: &Json) {
    match json {
        Json::Number(text) => {
            let value = json.as_integer();
            assert!(value.is_none_or(|value| value.unsigned_abs() <= 1 << 53));
            if let Ok(exact) = text.parse::<i64>() {
                assert_eq!(value, Some(exact).filter(|n| n.unsigned_abs() <= 1 << 53));
            } else if let Ok(float) = text.parse::<f64>()
                && float.abs() < 9e15
            {
                let whole: i64 = format!("{:.0}", float.trunc()).parse().unwrap();
                // The nearest f64 may have been rounded up to the next whole number.
                let value = value.unwrap();
                assert!(value.abs_diff(whole) <= 1, "{text}");
            }
        }
        Json::Array(elements) => elements.iter().for_each(reads),
        Json::Object(members) => {
            for (name, value) in members {
                assert_eq!(json.get(name).is_none(), *value == Json::Null);
                reads(value);
            }
        }
        Json::Null | Json::Bool(_) | Json::String(_) => {}
    }
}

fn children(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(elements) => elements.iter().collect(),
        Value::Object(members) => members.values().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

/// How deep the deepest value stands; 0 on top.
fn depth(value: &Value) -> usize {
    let below = children(value).into_iter().map(|child| depth(child) + 1);
    below.max().unwrap_or(0)
}

fn own(value: &Value) -> usize {
    value.as_object().map_or(0, serde_json::Map::len)
}

fn widest(value: &Value) -> usize {
    let below = children(value).into_iter().map(widest).max();
    own(value).max(below.unwrap_or(0))
}

fn members(value: &Value) -> usize {
    own(value) + children(value).into_iter().map(members).sum::<usize>()
}

/// How many members a correct document has, duplicates too: the colons outside of strings.
fn colons(text: &str) -> usize {
    let (mut colons, mut in_string, mut escaped) = (0, false, false);
    for byte in text.bytes() {
        match byte {
            b'"' if !escaped => in_string = !in_string,
            b':' if !in_string => colons += 1,
            _ => {}
        }
        escaped = byte == b'\\' && !escaped;
    }
    colons
}
