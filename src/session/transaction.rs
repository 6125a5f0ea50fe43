//! A pending login: one stored record per `state`, with a lifetime (RFC 6749 §10.12; RFC 9700 §4.7).

use crate::protocol::entropy::{Entropy, NoEntropy, random_token};
use crate::protocol::json::{Json, Object};
use crate::protocol::pkce::CodeVerifier;
use crate::protocol::scope::Scope;
use crate::protocol::secret::Secret;
use crate::protocol::text::joined;
use crate::protocol::time::Timestamp;
use crate::protocol::uri::HttpUri;

/// A login that was not completed in this time is forgotten, in milliseconds (one hour).
pub const LIFETIME: i64 = 3_600_000;
/// So many pending logins are kept at the most, the youngest.
pub const MAX_PENDING: usize = 20;
/// Every stored login begins so.
pub const KEY_PREFIX: &str = "countersign:login:";

const VERSION: i64 = 1;

/// What a login remembers until its response comes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Transaction {
    /// `state`
    pub state: Secret,
    /// `nonce`, with `openid`.
    pub nonce: Secret,
    /// `code_verifier`
    pub code_verifier: CodeVerifier,
    /// The server that was asked: the code goes nowhere else (RFC 9700 §4.4).
    pub issuer: String,
    /// The client that asked.
    pub client_id: String,
    /// `redirect_uri` of the request.
    pub redirect_uri: HttpUri,
    /// `scope` of the request.
    pub scope: Scope,
    /// `max_age` of the request.
    pub max_age: Option<i64>,
    /// Where the application was.
    pub return_to: String,
    /// What the application wants back: stored, never sent.
    pub app_state: Json,
    /// When it began.
    pub began_at: Timestamp,
}

/// What a storage had for a `state`.
#[derive(Debug)]
#[non_exhaustive]
pub enum Stored {
    /// A pending login.
    Pending(Box<Transaction>),
    /// One that was handled; it began there.
    Used(Option<String>),
    /// Nothing that we can use.
    Absent,
}

/// Draws a `state`: a tag by which a response is known to belong to this client, and 256 random bits.
///
/// # Errors
/// [`NoEntropy`] where the platform has no secure randomness.
pub fn random_state(tag: &str, entropy: &impl Entropy) -> Result<Secret, NoEntropy> {
    random_token(entropy).map(|random| Secret::new(joined(&[tag, &random])))
}

/// The storage key of a `state`.
#[must_use]
pub fn key(state: &str) -> String {
    joined(&[KEY_PREFIX, state])
}

impl Transaction {
    /// Whether it has outlived its time, or comes from a future that a clock only dreamt of.
    #[must_use]
    pub const fn expired(&self, now: Timestamp) -> bool {
        let age = now.since(self.began_at);
        age >= LIFETIME || age <= -LIFETIME
    }

    /// The text to store.
    #[must_use]
    pub fn encode(&self) -> String {
        Object::new()
            .integer("v", VERSION)
            .integer("began_at", self.began_at.as_millis())
            .text("state", self.state.expose())
            .text("nonce", self.nonce.expose())
            .text("code_verifier", self.code_verifier.expose())
            .text("issuer", &self.issuer)
            .text("client_id", &self.client_id)
            .text("redirect_uri", self.redirect_uri.as_str())
            .text("scope", &self.scope.to_text())
            .optional_integer("max_age", self.max_age)
            .text("return_to", &self.return_to)
            .json("app_state", self.app_state.clone())
            .done()
            .to_text()
    }

    /// What stays after it was taken: no verifier, only that it was, and where it had begun.
    #[must_use]
    pub fn used_marker(&self) -> String {
        Object::new()
            .integer("v", VERSION)
            .integer("began_at", self.began_at.as_millis())
            .flag("used", true)
            .text("return_to", &self.return_to)
            .done()
            .to_text()
    }
}

/// Reads a stored login; total.
#[must_use]
pub fn decode(text: &str) -> Stored {
    let Some(document) =
        Json::parse(text).filter(|document| document.get_integer("v") == Some(VERSION))
    else {
        return Stored::Absent;
    };
    if document.get("used").is_some() {
        return Stored::Used(document.get_str("return_to").map(str::to_owned));
    }
    read(&document).map_or(Stored::Absent, |transaction| {
        Stored::Pending(Box::new(transaction))
    })
}

/// When a stored login began, pending or used; `None` for what is no record of ours.
#[must_use]
pub fn began_at(text: &str) -> Option<Timestamp> {
    Json::parse(text)?
        .get_integer("began_at")
        .map(Timestamp::from_millis)
}

/// Finds everything before it copies anything: a document that breaks off half way leaves nothing to drop.
fn read(document: &Json) -> Option<Transaction> {
    let text = |name| document.get_str(name);
    let (state, nonce, verifier) = (text("state")?, text("nonce")?, text("code_verifier")?);
    let (issuer, client_id, return_to) = (text("issuer")?, text("client_id")?, text("return_to")?);
    let (redirect_uri, scope) = (text("redirect_uri")?, text("scope")?);
    let began_at = document.get_integer("began_at")?;
    Some(Transaction {
        code_verifier: CodeVerifier::parse(verifier)?,
        redirect_uri: HttpUri::parse(redirect_uri)?,
        scope: Scope::parse(scope)?,
        state: Secret::new(state),
        nonce: Secret::new(nonce),
        issuer: issuer.to_owned(),
        client_id: client_id.to_owned(),
        max_age: document.get_integer("max_age"),
        return_to: return_to.to_owned(),
        app_state: document.get("app_state").cloned().unwrap_or(Json::Null),
        began_at: Timestamp::from_millis(began_at),
    })
}

/// Which of these stored logins to drop: the expired ones, and the oldest beyond [`MAX_PENDING`].
#[must_use]
pub fn sweep(mut logins: Vec<(String, Option<Timestamp>)>, now: Timestamp) -> Vec<String> {
    let age = |at: Option<Timestamp>| at.map_or(i64::MAX, |at| now.since(at).saturating_abs());
    let mut dropped = Vec::new();
    // The oldest first, until the rest is few and young. They are few: sorting them would cost more wasm than time.
    while let Some(oldest) =
        (0..logins.len()).max_by_key(|at| logins.get(*at).map(|login| age(login.1)))
    {
        let is_young = logins
            .get(oldest)
            .is_some_and(|login| age(login.1) < LIFETIME);
        if is_young && logins.len() <= MAX_PENDING {
            break;
        }
        dropped.push(logins.swap_remove(oldest).0);
    }
    dropped
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn transaction() -> Transaction {
        Transaction {
            state: Secret::new("cs-1-x"),
            nonce: Secret::new("n"),
            code_verifier: CodeVerifier::parse(&"v".repeat(43)).unwrap(),
            issuer: "https://as.example".to_owned(),
            client_id: "spa".to_owned(),
            redirect_uri: HttpUri::parse("https://app.example/").unwrap(),
            scope: Scope::parse("openid").unwrap(),
            max_age: None,
            return_to: "/deep?x=1#y".to_owned(),
            app_state: Json::parse(r#"{"cart":[1,2]}"#).unwrap(),
            began_at: NOW,
        }
    }

    #[test]
    fn a_login_comes_back_as_it_was() {
        let text = transaction().encode();
        let Stored::Pending(back) = decode(&text) else {
            panic!("not read")
        };
        assert_eq!(back.encode(), text);
    }

    #[test]
    fn a_used_login_keeps_no_secret() {
        let marker = transaction().used_marker();
        assert!(!marker.contains("vvv") && !marker.contains("cs-1-x"));
        assert!(
            matches!(decode(&marker), Stored::Used(Some(return_to)) if return_to == "/deep?x=1#y")
        );
    }

    #[test]
    fn damaged_records_count_as_absent() {
        let text = transaction().encode();
        for end in 0..text.len() {
            assert!(
                matches!(decode(text.get(..end).unwrap()), Stored::Absent),
                "{end}"
            );
        }
        for (from, to) in [
            ("\"v\":1", "\"v\":2"),
            ("\"nonce\":\"n\"", "\"nonce\":7"),
            ("vvvv", "v"),
            ("https://app", "app"),
        ] {
            assert!(
                matches!(decode(&text.replace(from, to)), Stored::Absent),
                "{from} -> {to}"
            );
        }
    }

    #[test]
    fn a_login_lives_an_hour() {
        let transaction = transaction();
        assert!(!transaction.expired(NOW.plus(LIFETIME - 1)));
        assert!(transaction.expired(NOW.plus(LIFETIME)));
        assert!(
            !transaction.expired(NOW.plus(-60_000)),
            "a clock put back by a minute"
        );
        assert!(transaction.expired(NOW.plus(-LIFETIME)));
    }

    #[test]
    fn a_thousand_abandoned_logins_leave_few_behind() {
        let logins = (0..1000)
            .map(|n| (n.to_string(), Some(NOW.plus(-n))))
            .collect();
        assert_eq!(sweep(logins, NOW).len(), 1000 - MAX_PENDING);
        let old = vec![
            ("old".to_owned(), Some(NOW.plus(-LIFETIME))),
            ("damaged".to_owned(), None),
            ("young".to_owned(), Some(NOW)),
        ];
        assert_eq!(sweep(old, NOW), ["damaged", "old"]);
    }
}
