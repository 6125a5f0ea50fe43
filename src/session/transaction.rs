//! A pending login: one stored record per `state`, with a lifetime (RFC 6749 §10.12; RFC 9700 §4.7).

use crate::protocol::base64url::encode;
use crate::protocol::entropy::{Entropy, NoEntropy};
use crate::protocol::json::{Json, Object};
use crate::protocol::pkce::CodeVerifier;
use crate::protocol::scope::Scope;
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

/// What a login remembers until its response comes: the stored document, checked. Prints nothing of it.
#[derive(Clone, Debug)]
pub struct Transaction(Json);

/// What a storage had for a `state`.
#[derive(Debug)]
#[non_exhaustive]
pub enum Stored {
    /// A pending login.
    Pending(Transaction),
    /// One that was handled; it began there.
    Used(Option<String>),
    /// Nothing that we can use.
    Absent,
}

/// The storage key of a `state`.
#[must_use]
pub fn key(state: &str) -> String {
    joined(&[KEY_PREFIX, state])
}

impl Transaction {
    /// Checks a document: `None` unless it has every member that [`Draft::draw`] gives it, in the same form.
    fn new(document: Json) -> Option<Self> {
        let is_text = |name: &&str| document.get_str(name).is_some();
        let texts = ["state", "nonce", "issuer", "client_id", "return_to"];
        let is_whole = texts.iter().all(is_text)
            && document.get_integer("began_at").is_some()
            && CodeVerifier::parse(document.get_str("code_verifier")?).is_some()
            && HttpUri::parse(document.get_str("redirect_uri")?).is_some()
            && Scope::parse(document.get_str("scope")?).is_some();
        is_whole.then_some(Self(document))
    }

    fn text(&self, name: &str) -> &str {
        self.0.get_str(name).unwrap_or_default()
    }

    /// `state`
    #[must_use]
    pub fn state(&self) -> &str {
        self.text("state")
    }

    /// `nonce`
    #[must_use]
    pub fn nonce(&self) -> &str {
        self.text("nonce")
    }

    /// `code_verifier` (RFC 7636 §4.1)
    #[must_use]
    pub fn code_verifier(&self) -> &str {
        self.text("code_verifier")
    }

    /// The server that was asked: the code goes nowhere else (RFC 9700 §4.4).
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.text("issuer")
    }

    /// The client that asked.
    #[must_use]
    pub fn client_id(&self) -> &str {
        self.text("client_id")
    }

    /// `redirect_uri` of the request.
    #[must_use]
    pub fn redirect_uri(&self) -> &str {
        self.text("redirect_uri")
    }

    /// `scope` of the request.
    #[must_use]
    pub fn scope(&self) -> Scope {
        Scope::parse(self.text("scope")).unwrap_or_default()
    }

    /// The APIs that the request names, by [`super::token_key::api_of`].
    #[must_use]
    pub fn api(&self) -> &str {
        self.text("api")
    }

    /// `max_age` of the request.
    #[must_use]
    pub fn max_age(&self) -> Option<i64> {
        self.0.get_integer("max_age")
    }

    /// `acr_values` of the request, or what its `claims` called essential.
    #[must_use]
    pub fn acr_values(&self) -> Option<&str> {
        self.0.get_str("acr_values")
    }

    /// Whether the request called `auth_time` essential.
    #[must_use]
    pub fn auth_time_required(&self) -> bool {
        self.0.is_true("auth_time_required")
    }

    /// `organization` of the request.
    #[must_use]
    pub fn organization(&self) -> Option<&str> {
        self.0.get_str("organization")
    }

    /// Where the application was.
    #[must_use]
    pub fn return_to(&self) -> &str {
        self.text("return_to")
    }

    /// What the application wants back: stored, never sent.
    #[must_use]
    pub fn app_state(&self) -> Json {
        self.0.get("app_state").cloned().unwrap_or(Json::Null)
    }

    /// When it began.
    #[must_use]
    pub fn began_at(&self) -> Timestamp {
        Timestamp::from_millis(self.0.get_integer("began_at").unwrap_or_default())
    }

    /// Whether it has outlived its time, or comes from a future that a clock only dreamt of.
    #[must_use]
    pub fn expired(&self, now: Timestamp) -> bool {
        let age = now.since(self.began_at());
        age >= LIFETIME || age <= -LIFETIME
    }

    /// The text to store.
    #[must_use]
    pub fn encode(&self) -> String {
        self.0.to_text()
    }

    /// What stays after it was taken: no verifier, only that it was, and where it had begun.
    #[must_use]
    pub fn used_marker(&self) -> String {
        Object::new()
            .integer("v", VERSION)
            .integer("began_at", self.began_at().as_millis())
            .flag("used", true)
            .text("return_to", self.return_to())
            .done()
            .to_text()
    }
}

/// What a login asks to be shown by its ID Token: it is held to it.
#[derive(Debug, Default)]
#[allow(
    clippy::exhaustive_structs,
    reason = "made by its callers, all members at once"
)]
pub struct Wishes {
    /// `max_age`, in seconds (OIDC Core §3.1.2.1).
    pub max_age: Option<i64>,
    /// `acr_values` (OIDC Core §3.1.2.1), or an essential `acr` of `claims` (§5.5.1.1).
    pub acr_values: Option<String>,
    /// An essential `auth_time` of `claims` (OIDC Core §5.5.1).
    pub auth_time_required: bool,
    /// `organization`
    pub organization: Option<String>,
}

/// A login that is not drawn yet.
#[derive(Debug)]
#[allow(
    clippy::exhaustive_structs,
    reason = "made by its callers, all members at once"
)]
pub struct Draft<'a> {
    /// The server that is asked.
    pub issuer: &'a str,
    /// The client that asks.
    pub client_id: &'a str,
    /// `redirect_uri` of the request.
    pub redirect_uri: &'a HttpUri,
    /// `scope` of the request.
    pub scope: &'a Scope,
    /// The APIs that the request names, by [`super::token_key::api_of`].
    pub api: &'a str,
    /// What the ID Token is to show.
    pub wishes: &'a Wishes,
    /// Where the application is.
    pub return_to: &'a str,
    /// What the application wants back.
    pub app_state: Json,
    /// By how its `state` begins, a response is known to belong to this client.
    pub state_prefix: &'a str,
}

impl Draft<'_> {
    /// Draws what the login is known by: `state`, `nonce` and `code_verifier`, 256 random bits each.
    ///
    /// # Errors
    /// [`NoEntropy`] where the platform has no secure randomness, or a source that repeats itself: the `nonce`, which all
    /// may see, would be the verifier.
    pub fn draw(self, now: Timestamp, entropy: &impl Entropy) -> Result<Transaction, NoEntropy> {
        let mut bytes = [[0; 32]; 3];
        entropy.fill(bytes.as_flattened_mut())?;
        let [state, nonce, verifier] = bytes;
        if state == nonce || nonce == verifier {
            return Err(NoEntropy);
        }
        let document = Object::new()
            .integer("v", VERSION)
            .integer("began_at", now.as_millis())
            .text("state", &joined(&[self.state_prefix, &encode(&state)]))
            .text("nonce", &encode(&nonce))
            .text("code_verifier", &encode(&verifier))
            .text("issuer", self.issuer)
            .text("client_id", self.client_id)
            .text("redirect_uri", self.redirect_uri.as_str())
            .text("scope", self.scope.as_str())
            .optional("api", Some(self.api).filter(|api| !api.is_empty()))
            .optional_integer("max_age", self.wishes.max_age)
            .optional("acr_values", self.wishes.acr_values.as_deref())
            .flag("auth_time_required", self.wishes.auth_time_required)
            .optional("organization", self.wishes.organization.as_deref())
            .text("return_to", self.return_to)
            .json("app_state", self.app_state)
            .done();
        Ok(Transaction(document))
    }
}

/// Reads a stored login; total.
#[must_use]
pub fn decode(text: &str) -> Stored {
    let Some(document) =
        Json::parse_stored(text).filter(|document| document.get_integer("v") == Some(VERSION))
    else {
        return Stored::Absent;
    };
    if document.get("used").is_some() {
        return Stored::Used(document.get_str("return_to").map(str::to_owned));
    }
    Transaction::new(document).map_or(Stored::Absent, Stored::Pending)
}

/// When a stored login began, pending or used; `None` for what is no record of ours.
#[must_use]
pub fn began_at(text: &str) -> Option<Timestamp> {
    Json::parse_stored(text)?
        .get_integer("began_at")
        .map(Timestamp::from_millis)
}

/// Which of these stored logins to drop: the expired ones, and the oldest beyond [`MAX_PENDING`].
#[must_use]
pub fn sweep(mut logins: Vec<(String, Option<Timestamp>)>, now: Timestamp) -> Vec<String> {
    let age = |at: Option<Timestamp>| at.map_or(i64::MAX, |at| now.since(at).saturating_abs());
    let mut dropped = Vec::new();
    // The oldest first, until the rest is few and young. They are few: sorting them would cost more wasm than time.
    while !logins.is_empty() {
        let (mut oldest, mut oldest_age) = (0, 0);
        for (at, login) in logins.iter().enumerate() {
            if age(login.1) >= oldest_age {
                (oldest, oldest_age) = (at, age(login.1));
            }
        }
        if oldest_age < LIFETIME && logins.len() <= MAX_PENDING {
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
        let document = Object::new()
            .integer("v", VERSION)
            .integer("began_at", NOW.as_millis())
            .text("state", "cs-1-x")
            .text("nonce", "n")
            .text("code_verifier", &"v".repeat(43))
            .text("issuer", "https://as.example")
            .text("client_id", "spa")
            .text("redirect_uri", "https://app.example/")
            .text("scope", "openid")
            .optional_integer("max_age", None)
            .text("return_to", "/deep?x=1#y")
            .json("app_state", Json::parse(r#"{"cart":[1,2]}"#).unwrap())
            .done();
        Transaction::new(document).unwrap()
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
    fn cb13_a_thousand_abandoned_logins_leave_few_behind() {
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
