//! What the browser's storages hold.

use crate::check;
use crate::json::document;
use crate::targets::stored_records;
use countersign::protocol::json::Json;
use countersign::protocol::scope::Scope;
use countersign::protocol::time::Timestamp;
use countersign::protocol::uri::HttpUri;
use countersign::session::transaction::{self, Draft, Stored, Wishes};
use countersign::testing::World;
use proptest::prelude::*;
use proptest::sample::Index;

#[test]
fn a_login_comes_back_with_whatever_the_application_gave_it() {
    let logins = (
        any::<String>(),
        any::<String>(),
        any::<String>(),
        document(),
        -(1_i64 << 53)..1 << 53,
    );
    let tab = World::new().tab();
    check(
        300,
        logins,
        |(client_id, return_to, state_prefix, app_state, now)| {
            let draft = Draft {
                issuer: "https://as.example",
                client_id: &client_id,
                redirect_uri: &HttpUri::parse("https://app.example/").unwrap(),
                scope: &Scope::parse("openid").unwrap(),
                api: "",
                wishes: &Wishes::default(),
                return_to: &return_to,
                app_state: app_state.clone(),
                state_prefix: &state_prefix,
            };
            let drawn = draft.draw(Timestamp::from_millis(now), &tab).unwrap();
            let text = drawn.encode();
            let Stored::Pending(back) = transaction::decode(&text) else {
                panic!("{text}")
            };
            assert_eq!(back.encode(), text);
            assert_eq!(back.client_id(), client_id);
            assert_eq!(back.return_to(), return_to);
            assert!(back.app_state() == app_state);
            assert!(back.state().starts_with(&state_prefix));
            assert_eq!(back.began_at().as_millis(), now);
            stored_records::run(text.as_bytes());
        },
    );
}

/// Puts another value somewhere into a document.
fn graft(json: &mut Json, path: &[Index], value: &Json) {
    let Some((first, rest)) = path.split_first() else {
        *json = value.clone();
        return;
    };
    match json {
        Json::Array(elements) if !elements.is_empty() => {
            let at = first.index(elements.len());
            graft(&mut elements[at], rest, value);
        }
        Json::Object(members) if !members.is_empty() => {
            let at = first.index(members.len());
            graft(&mut members[at].1, rest, value);
        }
        _ => *json = value.clone(),
    }
}

#[test]
fn a_record_with_another_value_anywhere_is_read_whole_or_not_at_all() {
    let value = prop_oneof![
        3 => document(),
        1 => any::<i64>().prop_map(Json::integer),
        1 => (-9_i64..9).prop_map(Json::integer),
        1 => Just(Json::Object(Vec::new())),
    ];
    let grafts = (prop::collection::vec(any::<Index>(), 1..5), value);
    for record in [
        "session",
        "more-tokens",
        "session-without-end",
        "login",
        "metadata",
    ] {
        let path = format!(
            "{}/fuzz/corpus/stored_records/{record}",
            env!("CARGO_MANIFEST_DIR")
        );
        let record = Json::parse(&std::fs::read_to_string(path).unwrap()).unwrap();
        check(400, grafts.clone(), |(path, value)| {
            let mut other = record.clone();
            graft(&mut other, &path, &value);
            stored_records::run(other.to_text().as_bytes());
        });
    }
}
