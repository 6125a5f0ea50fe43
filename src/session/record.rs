//! The stored session: `{ v, view, grant }`, written by one `setItem`, since two records can be torn by a crash.
//!
//! `view` is all that the TypeScript facade reads, before any wasm is loaded, and what it is handed on every change.
//! `grant` is read here only. A damaged or unknown record counts as absent; one of a newer version is left alone.

use super::family::Family;
use super::schedule;
pub use super::token_key::TokenKey;
use crate::protocol::json::{Json, Object};
use crate::protocol::scope::Scope;
use crate::protocol::secret::Secret;
use crate::protocol::time::{Now, Timestamp};

/// The version written by this code. An older tab leaves a newer record alone.
pub const VERSION: i64 = 1;

/// So many access tokens are kept at the most.
const MAX_TOKENS: usize = 120;

/// An access token and how long it can be used.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AccessToken {
    /// The token: opaque, never parsed.
    pub value: Secret,
    /// When it was received, by both clocks.
    pub received: Now,
    /// `expires_in`, in milliseconds; `None` where the server gave none.
    pub lifetime: Option<i64>,
}

impl AccessToken {
    /// Milliseconds that it still has, by the two clocks; `None` where its end is not known.
    #[must_use]
    pub fn remaining(&self, now: Now) -> Option<i64> {
        self.lifetime
            .map(|lifetime| lifetime - now.since(self.received))
    }

    /// When it expires, by the wall clock at receipt.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.lifetime
            .map(|lifetime| self.received.wall.plus(lifetime))
    }
}

/// A session, all of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Record {
    /// Counts sign-ins and refreshes within the family.
    pub generation: u64,
    /// Validated claims of the ID Token.
    pub user: Option<Json>,
    /// Granted scope.
    pub scope: Scope,
    /// What was signed in for, by [`super::token_key::api_of`]: the default token is for it.
    pub api: String,
    /// Access tokens by key.
    pub tokens: Vec<(TokenKey, AccessToken)>,
    /// The refresh token.
    pub refresh_token: Option<Secret>,
    /// The raw ID Token, for logout and federation.
    pub id_token: Option<Secret>,
    /// The family.
    pub family: Family,
    /// A refresh of this generation was sent, and no answer to it is known.
    pub unanswered: bool,
}

/// What a storage had.
#[derive(Debug)]
#[non_exhaustive]
pub enum Stored {
    /// A session of ours.
    Record(Box<Record>),
    /// Nothing, or nothing that we can use.
    Absent,
    /// A record of a newer version: neither read nor overwritten.
    Newer,
}

/// What stands in a storage.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Peek {
    /// Nothing of ours.
    Nothing,
    /// A record of a newer version: not overwritten.
    Newer,
    /// A record of this family.
    Family(String),
}

impl Record {
    /// The token of a key.
    #[must_use]
    pub fn token(&self, key: &TokenKey) -> Option<&AccessToken> {
        self.tokens
            .iter()
            .find(|(known, _)| known == key)
            .map(|(_, token)| token)
    }

    /// Takes in a token. What has expired of other APIs is asked for again when it is wanted, and of very many so are the
    /// oldest: a storage has an end.
    pub(super) fn hold(&mut self, key: &TokenKey, token: AccessToken, now: Now) {
        self.tokens.retain(|(known, token)| {
            known != key && (known.is_default() || token.remaining(now).is_none_or(|left| left > 0))
        });
        if self.tokens.len() >= MAX_TOKENS {
            let oldest = self.tokens.iter().position(|(key, _)| !key.is_default());
            oldest.map(|oldest| self.tokens.remove(oldest));
        }
        self.tokens.push((key.clone(), token));
    }

    /// `sub` of its user.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.user.as_ref()?.get_str("sub")
    }

    /// The part that the facade reads.
    #[must_use]
    pub fn view(&self) -> Json {
        let mut tokens = Object::new();
        for (key, token) in &self.tokens {
            let lifetime = token.lifetime.unwrap_or(schedule::ASSUMED_LIFETIME);
            // Without a refresh token an unknown end is no reason to stop using it.
            let deadline = token
                .lifetime
                .or_else(|| self.refresh_token.as_ref().map(|_| lifetime))
                .map(|life| token.received.wall.plus(life));
            let leeway = match self.refresh_token {
                Some(_) => schedule::leeway(lifetime),
                None => 0,
            };
            let expires_at = token.expires_at().map(Timestamp::as_millis);
            let token = Object::new()
                .text("access_token", token.value.expose())
                .integer("received_at", token.received.wall.as_millis())
                .optional_integer("expires_at", expires_at)
                .optional_integer("deadline", deadline.map(Timestamp::as_millis))
                .integer("leeway", leeway)
                .done();
            tokens.json(key.as_str(), token);
        }
        Object::new()
            .json("generation", self.generation_number())
            .json("user", self.user.clone().unwrap_or(Json::Null))
            .json(
                "scope",
                Json::Array(self.scope.iter().map(Json::from).collect()),
            )
            .optional("api", Some(&*self.api).filter(|api| !api.is_empty()))
            .flag("refreshable", self.refresh_token.is_some())
            .json("tokens", tokens.done())
            .done()
    }

    /// The text to store.
    #[must_use]
    pub fn encode(&self) -> String {
        let grant = Object::new()
            .json("generation", self.generation_number())
            .text("family", self.family.id.as_str())
            .text("family_key", self.family.key.expose())
            .optional(
                "refresh_token",
                self.refresh_token.as_ref().map(Secret::expose),
            )
            .optional("id_token", self.id_token.as_ref().map(Secret::expose))
            .flag("unanswered", self.unanswered)
            .done();
        Object::new()
            .integer("v", VERSION)
            .json("view", self.view())
            .json("grant", grant)
            .done()
            .to_text()
    }

    /// What stands in a storage, as far as it must be known before something is written there.
    #[must_use]
    pub fn peek(text: &str) -> Peek {
        let document = Json::parse(text).unwrap_or(Json::Null);
        match document.get_integer("v") {
            Some(version) if version > VERSION => Peek::Newer,
            Some(VERSION) => {
                let grant = document.get("grant");
                let family = grant.and_then(|grant| grant.get_str("family"));
                family.map_or(Peek::Nothing, |family| Peek::Family(family.to_owned()))
            }
            _ => Peek::Nothing,
        }
    }

    fn generation_number(&self) -> Json {
        Json::integer(i64::try_from(self.generation).unwrap_or(i64::MAX))
    }

    /// Reads a stored text; total. Time that passed while no page was open is counted by the wall clock, and a clock
    /// that was put back counts as no time at all: a stored session survives a wrong clock.
    #[must_use]
    pub fn decode(text: &str, now: Now) -> Stored {
        let Some(document) = Json::parse_stored(text) else {
            return Stored::Absent;
        };
        match document.get_integer("v") {
            Some(VERSION) => read(&document, now)
                .map_or(Stored::Absent, |record| Stored::Record(Box::new(record))),
            Some(version) if version > VERSION => Stored::Newer,
            _ => Stored::Absent,
        }
    }
}

/// Finds everything before it copies anything: a document that breaks off half way leaves little to drop.
fn read(document: &Json, now: Now) -> Option<Record> {
    let (view, grant) = (document.get("view")?, document.get("grant")?);
    let generation = grant.get_integer("generation")?;
    let (family, family_key) = (grant.get_str("family")?, grant.get_str("family_key")?);
    let (refresh_token, id_token) = (text(grant, "refresh_token")?, text(grant, "id_token")?);
    let (scope, user) = (read_scope(view.get("scope")?)?, view.get("user"));
    let whole = view.get_integer("generation") == Some(generation)
        && user.is_none_or(|user| user.get_str("sub").is_some());
    let record = Record {
        generation: u64::try_from(generation).ok().filter(|_| whole)?,
        tokens: read_tokens(view.get("tokens")?, now)?,
        family: Family::parse(family, family_key)?,
        user: user.cloned(),
        scope,
        api: text(view, "api")?.unwrap_or_default().to_owned(),
        refresh_token: refresh_token.map(Secret::new),
        id_token: id_token.map(Secret::new),
        unanswered: grant.is_true("unanswered"),
    };
    record
        .token(&TokenKey::default())
        .is_some()
        .then_some(record)
}

/// A member that is a string or absent.
fn text<'a>(grant: &'a Json, name: &str) -> Option<Option<&'a str>> {
    match grant.get(name) {
        None => Some(None),
        Some(text) => text.as_str().map(Some),
    }
}

fn read_scope(tokens: &Json) -> Option<Scope> {
    let mut scope = String::new();
    for token in tokens.as_array()? {
        if !scope.is_empty() {
            scope.push(' ');
        }
        scope.push_str(token.as_str()?);
    }
    Scope::parse(&scope)
}

fn read_tokens(tokens: &Json, now: Now) -> Option<Vec<(TokenKey, AccessToken)>> {
    let Json::Object(members) = tokens else {
        return None;
    };
    let mut tokens = Vec::new();
    for (key, token) in members {
        let token = read_token(token, now)?;
        tokens.push((TokenKey::from_text(key), token));
    }
    Some(tokens)
}

fn read_token(token: &Json, now: Now) -> Option<AccessToken> {
    let received = Timestamp::from_millis(token.get_integer("received_at")?);
    let lifetime = match token.get("expires_at") {
        None => None,
        Some(expires_at) => Some(Timestamp::from_millis(expires_at.as_integer()?).since(received))
            .filter(|life| *life >= 0),
    };
    let elapsed = now.wall.since(received).max(0);
    let monotonic = now.monotonic.saturating_sub(elapsed);
    Some(AccessToken {
        value: Secret::new(token.get_str("access_token")?),
        received: Now::new(received, monotonic),
        lifetime,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const NOW: Now = Now::new(Timestamp::from_millis(1_700_000_000_000), 5_000);

    pub(in crate::session) fn record() -> Record {
        let token = AccessToken {
            value: Secret::new("at"),
            received: NOW,
            lifetime: Some(60_000),
        };
        Record {
            generation: 3,
            user: Json::parse(r#"{"sub":"u","updated_at":1.50}"#),
            scope: Scope::parse("openid x").unwrap(),
            api: "audience=a".to_owned(),
            tokens: vec![(TokenKey::default(), token)],
            refresh_token: Some(Secret::new("rt")),
            id_token: Some(Secret::new("i.d.t")),
            family: Family::parse(&"A".repeat(43), &"A".repeat(43)).unwrap(),
            unanswered: false,
        }
    }

    #[test]
    fn a_record_comes_back_as_it_was() {
        let text = record().encode();
        let Stored::Record(back) = Record::decode(&text, NOW) else {
            panic!("not read")
        };
        assert_eq!(back.encode(), text);
        assert_eq!(
            back.token(&TokenKey::default()).unwrap().remaining(NOW),
            Some(60_000)
        );
        let later = Now::new(NOW.wall.plus(20_000), 7);
        let Stored::Record(back) = Record::decode(&text, later) else {
            panic!("not read")
        };
        assert_eq!(
            back.token(&TokenKey::default()).unwrap().remaining(later),
            Some(40_000)
        );
        let put_back = Now::new(NOW.wall.plus(-86_400_000), 7);
        let Stored::Record(back) = Record::decode(&text, put_back) else {
            panic!("not read")
        };
        assert_eq!(
            back.token(&TokenKey::default())
                .unwrap()
                .remaining(put_back),
            Some(60_000)
        );
    }

    #[test]
    fn every_truncation_and_type_swap_counts_as_absent() {
        let text = record().encode();
        for end in 0..text.len() {
            assert!(
                matches!(
                    Record::decode(text.get(..end).unwrap(), NOW),
                    Stored::Absent
                ),
                "{end}"
            );
        }
        for (from, to) in [
            ("\"v\":1", "\"v\":0"),
            ("\"v\":1", "\"v\":\"1\""),
            ("\"at\"", "7"),
            ("\"rt\"", "[]"),
            ("\"i.d.t\"", "{}"),
            ("\"sub\":\"u\"", "\"sub\":7"),
            ("\"generation\":3", "\"generation\":-3"),
            ("[\"openid\",\"x\"]", "\"openid\""),
            ("1700000060000", "\"soon\""),
            ("1700000060000", "1"),
            ("\"audience=a\"", "[]"),
            ("\"family\":\"A", "\"family\":\"B=A"),
            ("\"tokens\":{\"\":", "\"tokens\":{\"x\":"),
        ] {
            let swapped = text.replace(from, to);
            assert_ne!(swapped, text);
            let read = Record::decode(&swapped, NOW);
            // An end before the beginning is the one that is read as unknown.
            assert!(
                matches!(read, Stored::Absent) || to == "1",
                "{from} -> {to}"
            );
        }
    }

    #[test]
    fn a_newer_version_is_recognised() {
        assert!(matches!(
            Record::decode(r#"{"v":2,"anything":[]}"#, NOW),
            Stored::Newer
        ));
    }
}
