//! The world: what there is of it, and what happened in it.

use super::conditions::Conditions;
use super::journal::{Happening, Moment};
use super::life::Life;
use super::locks::Queues;
use super::mailbox::{Drawers, Operation};
use super::platform::FakePlatform;
use super::server::{Reply, Request, Server};
use super::storage::FakeStorage;
use super::tasks::Running;
use super::time::Alarm;
use crate::protocol::error::Endpoint;
use crate::protocol::time::{Now, Timestamp};
use crate::session::family::FamilyId;

use core::cell::{Cell, RefCell};
use core::task::Waker;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::sync::{Arc, Mutex};

/// A world in virtual time. Cheap to clone; all clones are one world.
#[derive(Clone)]
pub struct World(pub(super) Rc<Inner>);

pub(super) struct Inner {
    pub(super) now: Cell<Now>,
    pub(super) turn: Cell<u64>,
    last_id: Cell<u64>,
    pub(super) conditions: Cell<Conditions>,
    pub(super) drawn: Cell<u64>,
    /// Storages are settled up to this write.
    pub(super) settled: Cell<u64>,
    pub(super) ready: Arc<Mutex<VecDeque<u64>>>,
    pub(super) tasks: RefCell<BTreeMap<u64, Running>>,
    pub(super) timers: RefCell<Vec<(i64, Waker)>>,
    pub(super) alarms: RefCell<BTreeMap<u64, Alarm>>,
    pub(super) lives: RefCell<BTreeMap<u64, Rc<Life>>>,
    pub(super) server: RefCell<Server>,
    pub(super) locks: RefCell<Queues>,
    pub(super) mailbox: RefCell<Drawers>,
    pub(super) operations: RefCell<VecDeque<Operation>>,
    pub(super) rings: RefCell<Vec<(u64, FamilyId, u64)>>,
    journal: RefCell<Vec<Moment>>,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// A world in November 2023, with no tab and a server that cannot be reached.
    #[must_use]
    pub fn new() -> Self {
        Self(Rc::new(Inner {
            now: Cell::new(Now::new(Timestamp::from_millis(1_700_000_000_000), 5_000)),
            turn: Cell::new(0),
            last_id: Cell::new(0),
            conditions: Cell::default(),
            drawn: Cell::default(),
            settled: Cell::default(),
            ready: Arc::default(),
            tasks: RefCell::default(),
            timers: RefCell::default(),
            alarms: RefCell::default(),
            lives: RefCell::default(),
            server: RefCell::default(),
            locks: RefCell::default(),
            mailbox: RefCell::default(),
            operations: RefCell::default(),
            rings: RefCell::default(),
            journal: RefCell::default(),
        }))
    }

    /// A new tab, with an empty storage of its own.
    #[must_use]
    pub fn tab(&self) -> FakePlatform {
        let storage = FakeStorage::new(self);
        FakePlatform::new(self, storage.clone(), storage)
    }

    /// A new tab that keeps its session in a storage which other tabs have, too, and its pending logins in its own.
    #[must_use]
    pub fn tab_over(&self, shared: &FakeStorage) -> FakePlatform {
        FakePlatform::new(self, shared.clone(), FakeStorage::new(self))
    }

    /// Answers every request for which no reply is queued.
    pub fn on_request(&self, server: impl Fn(&Request) -> Reply + 'static) {
        self.0.server.borrow_mut().answer_by(Rc::new(server));
    }

    /// Answers the next request to an endpoint, once those that were queued before are used up.
    pub fn queue(&self, endpoint: Endpoint, reply: Reply) {
        self.0.server.borrow_mut().queue(endpoint, reply);
    }

    /// Whether the device has no network: then nothing is sent.
    pub fn set_offline(&self, offline: bool) {
        self.0.server.borrow_mut().set_offline(offline);
    }

    /// Every request that was sent, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.0.server.borrow().requests().to_vec()
    }

    /// The requests that were sent to an endpoint.
    #[must_use]
    pub fn requests_to(&self, endpoint: Endpoint) -> Vec<Request> {
        let requests = self.requests();
        requests
            .into_iter()
            .filter(|request| request.endpoint == endpoint)
            .collect()
    }

    /// All that happened, in order.
    #[must_use]
    pub fn journal(&self) -> Vec<Moment> {
        self.0.journal.borrow().clone()
    }

    /// Every ring of the doorbell: the family and its generation.
    #[must_use]
    pub fn rings(&self) -> Vec<(FamilyId, u64)> {
        let rings = self.0.rings.borrow();
        rings
            .iter()
            .map(|(_, family, generation)| (family.clone(), *generation))
            .collect()
    }

    pub(super) fn next_id(&self) -> u64 {
        self.0.last_id.set(self.0.last_id.get() + 1);
        self.0.last_id.get()
    }

    pub(super) fn turn(&self) -> u64 {
        self.0.turn.get()
    }

    pub(super) fn next_turn(&self) {
        self.0.turn.set(self.turn() + 1);
    }

    pub(super) fn note(&self, what: Happening) {
        self.0.journal.borrow_mut().push(Moment {
            turn: self.turn(),
            at: self.now(),
            what,
        });
    }
}
