//! What the browser's storages hold: our own records of another day, or anything that a page wrote there.

use countersign::protocol::issuer::Issuer;
use countersign::protocol::json::Json;
use countersign::protocol::metadata::{self, Server};
use countersign::protocol::scope::Scope;
use countersign::protocol::time::{Now, Timestamp};
use countersign::protocol::uri::HttpUri;
use countersign::session::input::Input;
use countersign::session::output::Output;
use countersign::session::record::{Record, Stored, TokenKey};
use countersign::session::transaction;
use countersign::session::{RefreshMode, Session};

const NOW: Now = Now::new(Timestamp::from_millis(1_700_000_000_000), 5_000);

/// Every text is read as every record: a session, a pending login, cached metadata.
pub fn run(data: &[u8]) {
    let text = super::text(data);
    if let Stored::Record(record) = Record::decode(&text, NOW) {
        session(&text, *record);
    }
    if let transaction::Stored::Pending(pending) = transaction::decode(&text) {
        login(&text, &pending);
    }
    if let Some(document) = Json::parse(&text) {
        server(&document);
    }
}

/// A record that was read once is read again as the same, starts a session that asks for nothing in the past, and shows
/// no secret.
fn session(text: &str, record: Record) {
    let first = record.encode();
    let again = match Record::decode(&first, NOW) {
        Stored::Record(again) => again,
        Stored::Absent | Stored::Newer => panic!("not read again"),
        _ => panic!("unknown"),
    };
    assert_eq!(again.encode(), first);
    assert!(!record.family.id.as_str().is_empty());
    assert!(record.token(&TokenKey::default()).is_some());
    for (_, token) in &record.tokens {
        assert!(token.lifetime.is_none_or(|lifetime| lifetime >= 0));
        assert_eq!(token.remaining(NOW).is_some(), token.lifetime.is_some());
    }
    let document = Json::parse(text).unwrap();
    let generation = |part| {
        document
            .get(part)
            .and_then(|part| part.get_integer("generation"))
    };
    assert_eq!(generation("view"), generation("grant"), "torn");
    shows_no_secret(text, &record);
    for mode in [RefreshMode::Auto, RefreshMode::OnDemand, RefreshMode::Off] {
        let mut session = Session::new(mode, 7);
        session.handle(Input::Restored(Some(Box::new(record.clone()))), NOW);
        for _ in 0..100 {
            match session.poll_output() {
                None => break,
                Some(Output::WakeAt(at)) => assert!(at > NOW.wall),
                Some(_) => {}
            }
        }
        assert!(session.poll_output().is_none(), "never at rest");
        let later = Now::new(NOW.wall.plus(i64::MAX), i64::MAX);
        for now in [later, Now::new(Timestamp::from_millis(i64::MIN), i64::MIN)] {
            session.handle(Input::Wake, now);
            while session.poll_output().is_some() {}
            let _ = session.lookup(&TokenKey::default(), Some(i64::MAX), now);
        }
    }
}

/// With other secrets the record prints the same.
fn shows_no_secret(text: &str, record: &Record) {
    let mut twin = Json::parse(text).unwrap();
    let other = "B".repeat(42) + "A";
    replace(&mut twin, "grant", |name, value| {
        if matches!(name, "refresh_token" | "id_token" | "family_key") && value.as_str().is_some() {
            *value = other.as_str().into();
        }
    });
    replace(&mut twin, "view", |name, tokens| match (name, tokens) {
        ("tokens", Json::Object(tokens)) => {
            for (_, token) in tokens {
                set(token, "access_token", &other);
            }
        }
        ("user", user) if *user != Json::Null => *user = Json::parse(r#"{"sub":"x"}"#).unwrap(),
        _ => {}
    });
    match Record::decode(&twin.to_text(), NOW) {
        Stored::Record(twin) => assert_eq!(format!("{record:?}"), format!("{twin:?}")),
        other => panic!("{other:?}"),
    }
}

fn replace(document: &mut Json, part: &str, mut change: impl FnMut(&str, &mut Json)) {
    let Json::Object(members) = document else {
        return;
    };
    for (_, members) in members.iter_mut().filter(|(name, _)| name == part) {
        if let Json::Object(members) = members {
            for (name, value) in members {
                change(name, value);
            }
        }
    }
}

fn set(object: &mut Json, member: &str, value: &str) {
    if let Json::Object(members) = object {
        for (_, old) in members.iter_mut().filter(|(name, _)| name == member) {
            *old = value.into();
        }
    }
}

/// Metadata that was read is of the server that was asked, and is read again as the same.
fn server(document: &Json) {
    let server = Server {
        issuer: Issuer::parse("https://as.example", None).ok(),
        oidc: true,
        given: Json::Null,
    };
    if let Ok(read) = metadata::parse(&server, document) {
        assert_eq!(read.issuer(), Some("https://as.example"));
        assert_eq!(metadata::parse(&server, read.as_json()), Ok(read));
    }
}

/// A login that was read is stored as it was, and what stays of it after its callback is a marker without secrets.
fn login(text: &str, pending: &transaction::Transaction) {
    assert_eq!(
        Json::parse(&pending.encode()),
        Json::parse(text),
        "{pending:?}"
    );
    assert_eq!(format!("{pending:?}"), "Transaction(Json(…))");
    let document = Json::parse(text).unwrap();
    assert!(
        document
            .get_str("scope")
            .is_some_and(|scope| Scope::parse(scope) == Some(pending.scope()))
    );
    assert!(HttpUri::parse(pending.redirect_uri()).is_some());
    assert!(pending.code_verifier().len() >= 43);
    for now in [i64::MIN, NOW.wall.as_millis(), i64::MAX] {
        let _ = pending.expired(Timestamp::from_millis(now));
    }
    let marker = pending.used_marker();
    match transaction::decode(&marker) {
        transaction::Stored::Used(Some(path)) => assert_eq!(path, pending.return_to()),
        other => panic!("{other:?}"),
    }
    let began_at = Some(pending.began_at());
    assert_eq!(transaction::began_at(&marker), began_at);
    assert_eq!(transaction::began_at(text), began_at);
    let kept = Json::parse(&marker).unwrap();
    for secret in ["state", "nonce", "code_verifier", "app_state"] {
        assert!(kept.get(secret).is_none(), "{secret}");
    }
}
