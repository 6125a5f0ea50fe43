//! An authorization server that rotates refresh tokens and takes a second use for theft (RFC 9700 §4.14.2).

use crate::support::{ISSUER, Provider};
use countersign::client::ports::TransportError;
use countersign::protocol::error::Endpoint;
use countersign::protocol::http::HttpResponse;
use countersign::testing::{Reply, Request, World};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

/// What goes wrong with one token request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It never gets there.
    LostRequest,
    /// It is carried out, and the answer is lost.
    LostAnswer,
    /// It is carried out, and the answer never comes: the sender's patience decides.
    NoAnswer,
    /// Not carried out, and this status.
    Status(u16),
    /// Not carried out, and a page instead of an answer.
    Html,
    /// Not carried out: too many requests; to be asked again after so many seconds.
    TooMany(u32),
}

/// How the use of a refresh token ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was taken, and another one was given.
    Rotated,
    /// The grant was over, or is over by this second use.
    Refused,
    /// Nothing was done.
    NotDone,
}

/// One use of a refresh token.
pub(crate) struct Use {
    pub(crate) token: String,
    pub(crate) request: Request,
    pub(crate) outcome: Outcome,
    /// Whether a fault kept the answer from the sender.
    pub(crate) lost: bool,
}

impl Use {
    /// Whether the family can know how it ended: what was given is stored in the turn of the answer, and a refusal once
    /// its hearer, one of these pages, has looked for news.
    pub(crate) fn is_known(&self, live: &[u64]) -> bool {
        let heard = !self.lost && self.request.was_answered();
        match self.outcome {
            Outcome::Rotated => heard,
            Outcome::Refused => heard && live.contains(&self.request.tab),
            Outcome::NotDone => false,
        }
    }
}

/// A session of a user at the server.
pub(crate) struct Grant {
    pub(crate) subject: String,
    pub(crate) ended: Option<Ended>,
}

/// Why a grant is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// A refresh token was used twice; whether some tab or the mailbox held a good one then.
    Reused {
        held: bool,
    },
    Revoked,
}

struct Issued {
    grant: usize,
    used_at: Option<i64>,
    /// To whom; told apart from those that a fault kept from it.
    request: Request,
    lost: bool,
}

/// Tells what refresh tokens live tabs and the mailbox hold.
type Holders = Rc<dyn Fn() -> Vec<String>>;

#[derive(Clone)]
pub(crate) struct Server(Rc<Inner>);

pub(crate) struct Inner {
    pub(crate) provider: Provider,
    world: World,
    /// For so many milliseconds after its use a refresh token may be used again.
    pub(crate) grace: Cell<i64>,
    /// How long an answer takes, in milliseconds.
    pub(crate) delay: Cell<i64>,
    pub(crate) faults: RefCell<VecDeque<Fault>>,
    pub(crate) uses: RefCell<Vec<Use>>,
    pub(crate) grants: RefCell<Vec<Grant>>,
    refresh_tokens: RefCell<BTreeMap<String, Issued>>,
    access_tokens: RefCell<BTreeMap<String, usize>>,
    holders: RefCell<Option<Holders>>,
}

impl std::ops::Deref for Server {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Server {
    pub(crate) fn new(world: &World) -> Self {
        let server = Self(Rc::new(Inner {
            provider: Provider::new(world),
            world: world.clone(),
            grace: Cell::new(0),
            delay: Cell::new(0),
            faults: RefCell::default(),
            uses: RefCell::default(),
            grants: RefCell::default(),
            refresh_tokens: RefCell::default(),
            access_tokens: RefCell::default(),
            holders: RefCell::default(),
        }));
        let answers = server.clone();
        world.on_request(move |request| answers.answer(request));
        server
    }

    /// Signs this user in from now on.
    pub(crate) fn set_user(&self, subject: &str) {
        self.provider.subject.replace(subject.to_owned());
    }

    pub(crate) fn set_holders(&self, holders: impl Fn() -> Vec<String> + 'static) {
        self.holders.replace(Some(Rc::new(holders)));
    }

    pub(crate) fn fail_next(&self, fault: Fault) {
        self.faults.borrow_mut().push_back(fault);
    }

    /// Whether a refresh token would be taken now.
    pub(crate) fn honours(&self, token: &str) -> bool {
        let tokens = self.refresh_tokens.borrow();
        tokens.get(token).is_some_and(|issued| {
            self.grants.borrow()[issued.grant].ended.is_none() && self.is_usable(issued)
        })
    }

    /// Which grant an access token belongs to.
    pub(crate) fn grant_of(&self, access_token: &str) -> Option<usize> {
        self.access_tokens.borrow().get(access_token).copied()
    }

    /// Which grant a refresh token belongs to.
    pub(crate) fn grant_of_refresh(&self, token: &str) -> Option<usize> {
        self.refresh_tokens.borrow().get(token).map(|it| it.grant)
    }

    /// The refresh tokens that reached these tabs.
    pub(crate) fn received_by(&self, tabs: &[u64]) -> Vec<String> {
        let tokens = self.refresh_tokens.borrow();
        let received = tokens.iter().filter(|(_, issued)| {
            !issued.lost && issued.request.was_answered() && tabs.contains(&issued.request.tab)
        });
        received.map(|(token, _)| token.clone()).collect()
    }

    /// The refresh tokens that live tabs and the mailbox hold.
    pub(crate) fn holders(&self) -> Vec<String> {
        let holders = self.holders.borrow().clone();
        holders.map_or_else(Vec::new, |holders| holders())
    }

    /// Uses of refresh tokens that were used before, though it was known how that ended.
    pub(crate) fn needless(&self, live: &[u64]) -> Vec<String> {
        let uses = self.uses.borrow();
        let is_needless = |(index, it): &(usize, &Use)| {
            let mut before = uses[..*index].iter();
            before.any(|earlier| earlier.token == it.token && earlier.is_known(live))
        };
        let needless = uses.iter().enumerate().filter(is_needless);
        needless
            .map(|(index, it)| format!("use {index} of {}", it.token))
            .collect()
    }

    fn is_usable(&self, issued: &Issued) -> bool {
        let now = self.world.now().monotonic;
        issued
            .used_at
            .is_none_or(|used_at| now - used_at < self.grace.get())
    }

    fn answer(&self, request: &Request) -> Reply {
        let reply = match request.endpoint {
            Endpoint::Discovery => {
                let revocation = format!(r#"{{"revocation_endpoint":"{ISSUER}/revoke","#);
                Reply::json(&self.provider.discovery().replacen('{', &revocation, 1))
            }
            Endpoint::Token => self.token(request),
            Endpoint::Revocation => self.revoke(request),
            _ => self.provider.answer(request),
        };
        reply.delayed(self.delay.get())
    }

    fn token(&self, request: &Request) -> Reply {
        let sent = request.parameter("refresh_token");
        let fault = self.faults.borrow_mut().pop_front();
        let is_done = matches!(fault, None | Some(Fault::LostAnswer | Fault::NoAnswer));
        let lost = fault.is_some() && is_done;
        let (outcome, reply) = if is_done {
            self.grant(request, sent.as_deref(), lost)
        } else {
            (Outcome::NotDone, Reply::never())
        };
        if let Some(token) = sent {
            self.uses.borrow_mut().push(Use {
                token,
                request: request.clone(),
                outcome,
                lost,
            });
        }
        match fault {
            None => reply,
            Some(Fault::LostRequest | Fault::LostAnswer) => Reply::fail(TransportError::Network),
            Some(Fault::NoAnswer) => Reply::never(),
            Some(Fault::Status(status)) => Reply::with_status(status, ""),
            Some(Fault::TooMany(seconds)) => Reply::with_status(429, "").retry_after(seconds),
            Some(Fault::Html) => Reply::response(HttpResponse::new(
                200,
                "text/html",
                "<html>maintenance</html>",
            )),
        }
    }

    /// Carries a token request out.
    fn grant(&self, request: &Request, sent: Option<&str>, lost: bool) -> (Outcome, Reply) {
        let grant = match sent {
            None => {
                let subject = self.provider.subject.borrow().clone();
                self.grants.borrow_mut().push(Grant {
                    subject,
                    ended: None,
                });
                self.grants.borrow().len() - 1
            }
            Some(token) => match self.take(token) {
                Some(grant) => grant,
                None => {
                    let refusal = Reply::with_status(400, r#"{"error":"invalid_grant"}"#);
                    return (Outcome::Refused, refusal);
                }
            },
        };
        let given = self.provider.secrets.borrow().len();
        let reply = self.provider.answer(request);
        for secret in &self.provider.secrets.borrow()[given..] {
            if secret.starts_with("rt") {
                let issued = Issued {
                    grant,
                    used_at: None,
                    request: request.clone(),
                    lost,
                };
                let mut tokens = self.refresh_tokens.borrow_mut();
                tokens.insert(secret.clone(), issued);
            } else if secret.starts_with("at") {
                let mut tokens = self.access_tokens.borrow_mut();
                tokens.insert(secret.clone(), grant);
            }
        }
        (Outcome::Rotated, reply)
    }

    /// Takes a refresh token: the grant that it belongs to, if it is good. A second use ends the grant.
    fn take(&self, token: &str) -> Option<usize> {
        if self.honours(token) {
            let now = self.world.now().monotonic;
            let mut tokens = self.refresh_tokens.borrow_mut();
            let issued = tokens.get_mut(token)?;
            issued.used_at.get_or_insert(now);
            return Some(issued.grant);
        }
        let grant = self.grant_of_refresh(token)?;
        if self.grants.borrow()[grant].ended.is_none() {
            let held = self.holders();
            let is_of_grant =
                |token: &String| self.grant_of_refresh(token) == Some(grant) && self.honours(token);
            let held = held.iter().any(is_of_grant);
            self.grants.borrow_mut()[grant].ended = Some(Ended::Reused { held });
        }
        None
    }

    fn revoke(&self, request: &Request) -> Reply {
        let token = request.parameter("token").unwrap_or_default();
        let grant = self.grant_of_refresh(&token);
        if let Some(grant) = grant.or_else(|| self.grant_of(&token)) {
            let mut grants = self.grants.borrow_mut();
            grants[grant].ended.get_or_insert(Ended::Revoked);
        }
        Reply::with_status(200, "")
    }
}
