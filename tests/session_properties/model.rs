//! What is known of a session from outside, and what must hold after each input.

use crate::steps::{Step, Tokens};
use countersign::client::{Error, State};
use countersign::protocol::entropy::{Entropy, NoEntropy};
use countersign::protocol::error::Endpoint;
use countersign::protocol::http::HttpResponse;
use countersign::protocol::json::Json;
use countersign::protocol::scope::Scope;
use countersign::protocol::secret::Secret;
use countersign::protocol::time::{Now, Timestamp};
use countersign::protocol::token::{self, RefreshFailure, TokenResponse};
use countersign::session::error::ErrorKind;
use countersign::session::family::{Entry, Family, FamilyId};
use countersign::session::input::{Input, NewSession, Ticket};
use countersign::session::output::Output;
use countersign::session::record::{Record, TokenKey};
use countersign::session::{Lookup, RefreshMode, Session};
use std::cell::Cell;

/// Entropy that only tests may have.
struct Counter<'a>(&'a Cell<u8>);

impl Entropy for Counter<'_> {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoEntropy> {
        self.0.set(self.0.get().wrapping_add(1).max(1));
        buffer.fill(self.0.get());
        Ok(())
    }
}

/// What is known of the session from outside, and what it was promised.
pub(crate) struct Model {
    pub(crate) session: Session,
    pub(crate) mode: RefreshMode,
    pub(crate) now: Now,
    pub(crate) drawn: Cell<u8>,
    pub(crate) issued: u32,
    /// What the storage holds.
    pub(crate) stored: Option<String>,
    /// Requests that were sent, in order.
    pub(crate) sent: Vec<Ticket>,
    /// What a refresh is asked for, or under way.
    pub(crate) asked: Option<Ticket>,
    /// The server does not accept this client.
    pub(crate) blocked: bool,
    /// When it wants to be woken.
    pub(crate) alarm: Option<Timestamp>,
}

/// What must hold of one input, beside what holds of all.
#[derive(Default)]
struct Expected {
    /// The session may end, or be another afterwards.
    may_end: bool,
    /// It changes nothing: an answer for a session that was left or passed by.
    is_late: bool,
    /// It is about a token for another API than the one signed in for: that one stays as it is.
    about: Option<TokenKey>,
    /// The server refuses that API: it harms no other.
    is_refused: bool,
}

/// The default, or another API.
fn key(api: u8) -> TokenKey {
    let name = api.to_string();
    TokenKey::new(Some(&*name).filter(|_| api > 0), None, None)
}

fn error() -> Error {
    ErrorKind::Network {
        endpoint: Endpoint::Token,
    }
    .into()
}

fn user(number: u8) -> Json {
    Json::parse(&format!(r#"{{"sub":"user{number}"}}"#)).unwrap()
}

impl Model {
    pub(crate) fn new(mode: RefreshMode) -> Self {
        Self {
            session: Session::new(mode, 7),
            mode,
            now: Now::new(Timestamp::from_millis(1_700_000_000_000), 1_000_000_000),
            drawn: Cell::new(0),
            issued: 0,
            stored: None,
            sent: Vec::new(),
            asked: None,
            blocked: false,
            alarm: None,
        }
    }

    fn family(&self) -> Family {
        Family::random(&Counter(&self.drawn)).unwrap()
    }

    fn response(&mut self, tokens: Tokens) -> TokenResponse {
        self.issued += 1;
        let number = self.issued;
        let lifetime = tokens.lifetime.map_or(String::new(), |seconds| {
            format!(r#","expires_in":{seconds}"#)
        });
        let refresh = if tokens.refresh_token {
            format!(r#","refresh_token":"rt{number}""#)
        } else {
            String::new()
        };
        let body =
            format!(r#"{{"access_token":"at{number}","token_type":"Bearer"{lifetime}{refresh}}}"#);
        token::response(&HttpResponse::new(200, "application/json", body)).unwrap()
    }

    /// A whole record, as another tab would have it.
    fn record(&mut self, family: Family, generation: u64, tokens: Tokens) -> Box<Record> {
        let mut other = Session::new(RefreshMode::OnDemand, 1);
        let new = NewSession {
            tokens: self.response(Tokens {
                lifetime: tokens.lifetime.map(|life| life.max(1)),
                ..tokens
            }),
            user: Some(user(0)),
            requested_scope: Scope::parse("openid").unwrap(),
            api: String::new(),
            new_family: family,
            stored: None,
            shared: false,
        };
        other.handle(Input::SignedIn(Box::new(new)), self.now);
        let mut record = other.record().unwrap().clone();
        record.generation = generation;
        Box::new(record)
    }

    fn ticket(&self) -> Option<Ticket> {
        self.session
            .refresh_ticket(&TokenKey::default())
            .map(|(ticket, _)| ticket)
    }

    pub(crate) fn encoded(&self) -> Option<String> {
        self.session.record().map(Record::encode)
    }

    fn family_id(&self) -> Option<FamilyId> {
        self.session.record().map(|record| record.family.id.clone())
    }

    fn remaining(&self) -> Option<i64> {
        self.session
            .record()?
            .token(&TokenKey::default())?
            .remaining(self.now)
    }

    /// The request sent so many requests ago.
    fn answered(&self, ago: usize) -> Option<Ticket> {
        self.sent.iter().rev().nth(ago).cloned()
    }

    pub(crate) fn take(&mut self, step: &Step) {
        let live = self
            .session
            .record()
            .map(|record| (record.family.clone(), record.generation));
        let is_live = |ticket: &Ticket, later: u64| {
            live.as_ref().is_some_and(|(family, generation)| {
                family.id == *ticket.family() && *generation == ticket.generation() + later
            })
        };
        let late = |is_late: bool| Expected {
            is_late,
            ..Expected::default()
        };
        let (input, expected) = match step {
            Step::Pass(wall, monotonic) => {
                self.now = Now::new(
                    self.now.wall.plus(wall * 1000),
                    self.now.monotonic + monotonic * 1000,
                );
                return;
            }
            Step::Restored(tokens) => {
                let family = self.family();
                let record = tokens.map(|tokens| self.record(family, 1, tokens));
                if self.session.state() == &State::Loading && live.is_none() {
                    self.stored = record.as_deref().map(Record::encode);
                }
                (Input::Restored(record), late(live.is_some()))
            }
            Step::SignedIn(number, tokens) => {
                let new = NewSession {
                    tokens: self.response(*tokens),
                    user: Some(user(*number)),
                    requested_scope: Scope::parse("openid").unwrap(),
                    api: String::new(),
                    new_family: self.family(),
                    stored: None,
                    shared: false,
                };
                (self.asked, self.blocked) = (None, false);
                (
                    Input::SignedIn(Box::new(new)),
                    Expected {
                        may_end: true,
                        ..Expected::default()
                    },
                )
            }
            Step::CallbackFailed => (Input::CallbackFailed(error()), Expected::default()),
            Step::Started(api) => {
                let key = key(*api);
                let Some((ticket, _)) = self.session.refresh_ticket(&key) else {
                    return;
                };
                self.sent.push(ticket.clone());
                self.asked = Some(ticket);
                (Input::RefreshStarted(key), Expected::default())
            }
            Step::Refreshed(ago, tokens) => {
                let Some(ticket) = self.answered(*ago) else {
                    return;
                };
                let is_late = !is_live(&ticket, 0);
                if !is_late {
                    self.asked = None;
                    // Of another API it says nothing about what the default was refused for.
                    self.blocked &= !ticket.key().is_default();
                }
                let tokens = self.response(*tokens);
                let key = ticket.key().clone();
                let expected = Expected {
                    is_late,
                    about: Some(key).filter(|key| !is_late && !key.is_default()),
                    ..Expected::default()
                };
                (Input::Refreshed(ticket, Box::new(tokens)), expected)
            }
            Step::Failed(ago, failure, wait) => {
                let Some(ticket) = self.answered(*ago) else {
                    return;
                };
                let is_late = !is_live(&ticket, 0);
                let refused = matches!(
                    failure,
                    RefreshFailure::Rejected | RefreshFailure::Misconfigured
                );
                let is_default = ticket.key().is_default();
                if !is_late {
                    self.asked = None;
                    if is_default || !refused {
                        self.blocked = *failure == RefreshFailure::Misconfigured;
                    }
                }
                let about = Some(ticket.key().clone());
                let expected = Expected {
                    may_end: is_default && *failure == RefreshFailure::Rejected,
                    is_late,
                    about: about.filter(|_| !is_late && !is_default),
                    is_refused: !is_late && !is_default && refused,
                };
                (
                    Input::RefreshFailed(ticket, *failure, error(), *wait),
                    expected,
                )
            }
            Step::UserConfirmed(ago) => {
                let Some(ticket) = self.answered(*ago) else {
                    return;
                };
                let is_late = !is_live(&ticket, 1);
                (
                    Input::UserConfirmed(ticket, user(0), Secret::new("id")),
                    late(is_late),
                )
            }
            Step::UserChanged(ago) => {
                let Some(ticket) = self.answered(*ago) else {
                    return;
                };
                let is_late = !is_live(&ticket, 1);
                (
                    Input::UserChanged(ticket, error()),
                    Expected {
                        may_end: true,
                        is_late,
                        ..Expected::default()
                    },
                )
            }
            Step::Wake => {
                self.alarm = None;
                (Input::Wake, Expected::default())
            }
            Step::Resumed => (Input::Resumed, Expected::default()),
            Step::OtherTab(ahead, tokens) => {
                let Some((family, generation)) = live.clone() else {
                    return;
                };
                let record = self.record(
                    family,
                    generation.saturating_add_signed(i64::from(*ahead)),
                    *tokens,
                );
                if *ahead > 0 {
                    (self.asked, self.blocked) = (None, false);
                }
                (Input::Family(Entry::Session(record)), late(*ahead <= 0))
            }
            Step::OtherFamily(tokens) => {
                let family = self.family();
                let record = self.record(family, 1000, *tokens);
                (Input::Family(Entry::Session(record)), late(true))
            }
            Step::Tombstone(own) => {
                let family = live
                    .clone()
                    .filter(|_| *own)
                    .map_or_else(|| self.family(), |(family, _)| family);
                let is_late = live.is_none_or(|(live, _)| live.id != family.id);
                (
                    Input::Family(Entry::Tombstone(family.id)),
                    Expected {
                        may_end: true,
                        is_late,
                        ..Expected::default()
                    },
                )
            }
            Step::LoggedOut => (
                Input::LoggedOut,
                Expected {
                    may_end: true,
                    ..Expected::default()
                },
            ),
        };
        if expected.is_late {
            // What time alone does is not the late answer's doing.
            self.feed(Input::Wake, &Expected::default());
        }
        self.feed(input, &expected);
    }

    /// One input, every output, and everything that must hold of both.
    fn feed(&mut self, input: Input, expected: &Expected) {
        let name = format!("{input:?}");
        let (state, record, family) = (
            self.session.state().clone(),
            self.encoded(),
            self.family_id(),
        );
        let rotated = if let Input::Refreshed(_, tokens) = &input {
            tokens.refresh_token.clone()
        } else {
            None
        };
        let default = self.default_token();
        self.session.handle(input, self.now);
        let outputs: Vec<_> = std::iter::from_fn(|| self.session.poll_output()).collect();

        // 3. It ends only by what may end it, or by the end of what cannot be refreshed.
        if record.is_some() && self.family_id() != family {
            let had_grant = record
                .as_ref()
                .is_some_and(|text| text.contains(r#""refresh_token":"rt"#));
            let by_time = !had_grant || self.mode == RefreshMode::Off;
            assert!(expected.may_end || by_time, "{name} ended {record:?}");
        }
        // 4. Forgotten exactly when left; told exactly when different.
        let forgets = outputs
            .iter()
            .filter(|output| matches!(output, Output::Forget(_)))
            .count();
        let was_there = record.is_some()
            || self.stored.is_some()
            || outputs
                .iter()
                .any(|output| matches!(output, Output::Persist(_) | Output::PersistAnew(_)));
        let left = was_there && self.session.record().is_none() && forgets > 0;
        assert_eq!(forgets, usize::from(left), "{name}");
        assert!(
            !(record.is_some() && self.session.record().is_none()) || forgets == 1,
            "{name}"
        );
        let changes = outputs
            .iter()
            .filter(|output| matches!(output, Output::StateChanged))
            .count();
        assert_eq!(
            changes,
            usize::from(state != *self.session.state()),
            "{name}"
        );

        let mut first_write = None;
        for output in &outputs {
            match output {
                Output::Persist(text) | Output::PersistAnew(text) => {
                    first_write = first_write.or_else(|| Some(text.expose().to_owned()));
                    self.stored = Some(text.expose().to_owned());
                }
                Output::Forget(_) => self.stored = None,
                // 2. Never two for the same, with no answer between them.
                Output::Refresh(_) => {
                    let ticket = self.ticket();
                    assert!(ticket.is_some(), "{name} asks for what cannot be");
                    assert_ne!(self.asked, ticket, "{name} asks twice");
                    assert!(
                        !self.blocked,
                        "{name} asks though the server does not accept this client"
                    );
                    // Nor two of one session, of whatever key.
                    assert!(!self.is_asking(), "{name} asks twice");
                    self.asked = ticket;
                }
                // 5. Always ahead.
                Output::WakeAt(at) => {
                    assert!(*at > self.now.wall, "{name}");
                    self.alarm = Some(*at);
                }
                Output::Publish
                | Output::End(..)
                | Output::Mark(..)
                | Output::Ring(..)
                | Output::Emit(_)
                | Output::StateChanged => {}
                other => panic!("{other:?}"),
            }
        }
        self.check_late(&name, expected, (&state, &record), &outputs);
        if let Some(key) = &expected.about {
            self.check_other_api(&name, key, expected.is_refused, &default, &state);
        }
        // What is stored is what is held, to the byte; and a new refresh token is in the first write.
        assert_eq!(
            self.stored.as_ref().filter(|_| self.encoded().is_some()),
            self.encoded().as_ref(),
            "{name}"
        );
        if let Some(rotated) =
            rotated.filter(|_| !expected.is_late && self.session.record().is_some())
        {
            assert!(matches!(outputs[0], Output::Persist(_)), "{name}");
            assert!(first_write.unwrap().contains(rotated.expose()), "{name}");
        }
        self.check_alarm(&name);
        self.check_lookup(&name);
    }

    /// Whether something of this very session is asked for, for whatever API.
    fn is_asking(&self) -> bool {
        let whose = |ticket: &Ticket| (ticket.family().clone(), ticket.generation());
        self.asked.as_ref().map(whose) == self.ticket().as_ref().map(whose)
    }

    fn default_token(&self) -> Option<String> {
        let token = self.session.record()?.token(&TokenKey::default())?;
        Some(token.value.expose().to_owned())
    }

    /// What comes of one API leaves the token that was signed in for alone, and a refusal the state, too.
    fn check_other_api(
        &self,
        name: &str,
        key: &TokenKey,
        is_refused: bool,
        default: &Option<String>,
        before: &State,
    ) {
        if self.session.record().is_none() {
            return;
        }
        assert_eq!(self.default_token(), *default, "{name}");
        let (State::SignedIn(now), State::SignedIn(before)) = (self.session.state(), before) else {
            return;
        };
        assert_eq!(now.scope, before.scope, "{name}");
        if is_refused {
            assert!(self.session.blocked(key, self.now).is_some(), "{name}");
            assert_eq!(
                (now.freshness, now.generation, &now.error),
                (before.freshness, before.generation, &before.error),
                "{name}"
            );
        }
    }

    /// 6. A late answer changes nothing.
    fn check_late(
        &self,
        name: &str,
        expected: &Expected,
        before: (&State, &Option<String>),
        outputs: &[Output],
    ) {
        if expected.is_late {
            assert_eq!(before, (self.session.state(), &self.encoded()), "{name}");
            let quiet = outputs
                .iter()
                .all(|output| matches!(output, Output::WakeAt(_)));
            assert!(quiet, "{name} was late: {outputs:?}");
        }
    }

    /// 5. While a session lives, somebody looks at it before its token ends, and before its next try.
    fn check_alarm(&self, name: &str) {
        if self.session.record().is_none() {
            return;
        }
        if let Some(left) = self.remaining().filter(|left| *left > 0) {
            let alarm = self.alarm.expect(name);
            assert!(
                alarm.since(self.now.wall) <= left.max(1),
                "{name}: {alarm:?} is after the end"
            );
        }
        let refreshes = self.mode == RefreshMode::Auto && self.ticket().is_some() && !self.blocked;
        if refreshes && self.remaining().is_some() && !self.is_asking() {
            assert!(
                self.alarm.is_some(),
                "{name}: nobody wakes it for its next try"
            );
        }
    }

    /// What is handed out is good, and what is not good is not handed out.
    fn check_lookup(&self, name: &str) {
        match self.session.lookup(&TokenKey::default(), Some(0), self.now) {
            Lookup::Fresh(token) => {
                let record = self.session.record().expect(name);
                assert_eq!(
                    token.expose(),
                    record.token(&TokenKey::default()).unwrap().value.expose()
                );
                assert!(self.remaining().is_none_or(|left| left > 0), "{name}");
            }
            Lookup::LoginRequired(_) => assert!(self.session.record().is_none(), "{name}"),
            Lookup::Refresh | Lookup::Blocked(_) => assert!(self.ticket().is_some(), "{name}"),
            other => panic!("{other:?}"),
        }
        let shows = matches!(self.session.state(), State::SignedIn(_));
        assert!(!shows || self.session.record().is_some(), "{name}");
    }
}
