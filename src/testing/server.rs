//! The server: answers as it is told to, and remembers what it was asked.

use super::life::Life;
use crate::client::ports::TransportError;
use crate::protocol::error::Endpoint;
use crate::protocol::form;
use crate::protocol::http::{HttpRequest, HttpResponse};
use crate::protocol::secret::Secret;
use crate::protocol::time::Now;
use core::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

/// No document is larger, in bytes; the browser refuses to read on.
const LARGEST: usize = 1 << 20;

/// A request that was sent. Prints nothing: it holds codes and tokens.
#[derive(Clone)]
#[non_exhaustive]
pub struct Request {
    /// Which endpoint it went to.
    pub endpoint: Endpoint,
    /// Its URI.
    pub uri: String,
    /// Its body, of a POST.
    pub body: Option<String>,
    /// Whether the body is JSON; otherwise it is a form.
    pub json: bool,
    /// The access token of its `Authorization` header.
    pub authorization: Option<Secret>,
    /// When it was sent.
    pub at: Now,
    /// What the storage of the sender's session held at that moment.
    pub session_stored: BTreeMap<String, String>,
    /// What the storage of its pending logins held.
    pub logins_stored: BTreeMap<String, String>,
    /// Which tab sent it.
    pub tab: u64,
    life: Rc<Life>,
    /// The turn in which its answer was handed over.
    answered_in: Rc<Cell<Option<u64>>>,
}

impl Request {
    /// A parameter of its form; `None` where it is missing or stands there twice.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        form::find(self.body.as_deref()?, name).ok().flatten()
    }

    /// Whether its answer, or the lack of one, was handed over, to a page that was not killed in the very turn of it.
    #[must_use]
    pub fn was_answered(&self) -> bool {
        let turn = self.answered_in.get();
        turn.is_some_and(|turn| !self.life.died_in(turn))
    }

    pub(super) fn hand_over(&self, turn: u64) {
        self.answered_in.set(Some(turn));
    }
}

/// How a request is answered.
#[derive(Clone)]
pub struct Reply {
    outcome: Option<Result<HttpResponse, TransportError>>,
    delay: i64,
}

impl Reply {
    /// 200 with this JSON text.
    #[must_use]
    pub fn json(body: &str) -> Self {
        Self::with_status(200, body)
    }

    /// This status with this JSON text.
    #[must_use]
    pub fn with_status(status: u16, body: &str) -> Self {
        Self::response(HttpResponse::new(status, "application/json", body))
    }

    /// A whole answer.
    #[must_use]
    pub fn response(response: HttpResponse) -> Self {
        let status = response.status;
        let outcome = if response.body.len() > LARGEST {
            Err(TransportError::TooLarge(status))
        } else {
            Ok(response)
        };
        Self {
            outcome: Some(outcome),
            delay: 0,
        }
    }

    /// No answer, for this reason.
    #[must_use]
    pub const fn fail(error: TransportError) -> Self {
        Self {
            outcome: Some(Err(error)),
            delay: 0,
        }
    }

    /// No answer, ever: the sender's patience decides.
    #[must_use]
    pub const fn never() -> Self {
        Self {
            outcome: None,
            delay: 0,
        }
    }

    /// With a `Retry-After`, in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        if let Some(Ok(response)) = &mut self.outcome {
            response.retry_after = Some(seconds);
        }
        self
    }

    /// With a `WWW-Authenticate`.
    #[must_use]
    pub fn challenge(mut self, challenge: &str) -> Self {
        if let Some(Ok(response)) = &mut self.outcome {
            challenge.clone_into(&mut response.www_authenticate);
        }
        self
    }

    /// So many milliseconds later.
    #[must_use]
    pub const fn delayed(mut self, millis: i64) -> Self {
        self.delay = millis;
        self
    }

    /// What the sender hears, and after how many milliseconds.
    pub(super) fn within(self, timeout: u32) -> (i64, Result<HttpResponse, TransportError>) {
        let limit = i64::from(timeout) * 1000;
        match self.outcome {
            Some(outcome) if self.delay < limit => (self.delay, outcome),
            _ => (limit, Err(TransportError::Timeout)),
        }
    }
}

type Answer = Rc<dyn Fn(&Request) -> Reply>;

#[derive(Default)]
pub(super) struct Server {
    answer: Option<Answer>,
    queues: Vec<(Endpoint, VecDeque<Reply>)>,
    requests: Vec<Request>,
    offline: bool,
}

impl Server {
    pub(super) fn answer_by(&mut self, answer: Answer) {
        self.answer = Some(answer);
    }

    pub(super) fn queue(&mut self, endpoint: Endpoint, reply: Reply) {
        match self.queues.iter_mut().find(|(known, _)| *known == endpoint) {
            Some((_, queue)) => queue.push_back(reply),
            None => self.queues.push((endpoint, VecDeque::from([reply]))),
        }
    }

    pub(super) const fn set_offline(&mut self, offline: bool) {
        self.offline = offline;
    }

    pub(super) const fn is_offline(&self) -> bool {
        self.offline
    }

    pub(super) fn requests(&self) -> &[Request] {
        &self.requests
    }

    /// Takes a request in: its queued reply, or who is to answer it.
    pub(super) fn take(&mut self, request: Request) -> Result<Reply, Option<Answer>> {
        let queue = self
            .queues
            .iter_mut()
            .find(|(endpoint, _)| *endpoint == request.endpoint);
        let queued = queue.and_then(|(_, queue)| queue.pop_front());
        self.requests.push(request);
        queued.ok_or_else(|| self.answer.clone())
    }
}

pub(super) fn request(
    request: HttpRequest,
    at: Now,
    [session_stored, logins_stored]: [BTreeMap<String, String>; 2],
    life: &Rc<Life>,
) -> Request {
    Request {
        endpoint: request.endpoint,
        uri: request.uri,
        body: request.body,
        json: request.json,
        authorization: request.authorization,
        at,
        session_stored,
        logins_stored,
        tab: life.page,
        life: life.clone(),
        answered_in: Rc::default(),
    }
}
