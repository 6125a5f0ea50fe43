//! A tab.

use super::conditions::splitmix;
use super::journal::Happening;
use super::life::{InFlight, Life};
use super::locks::FakeGuard;
use super::server::{Reply, request};
use super::storage::FakeStorage;
use super::world::World;
use crate::client::ports::{
    Clock, Entropy, Exclusion, Http, Level, LockError, Locks, Log, Navigator, NotLoaded, Platform,
    Secondary, SignatureCheck, Signatures, Spawn, Task, TransportError, Unsupported,
};
use crate::protocol::base64url;
use crate::protocol::entropy::NoEntropy;
use crate::protocol::http::{HttpRequest, HttpResponse};
use crate::protocol::time::{Now, Timestamp};
use crate::session::family::FamilyId;
use core::cell::{Cell, RefCell};
use core::future::pending;
use sha2::{Digest, Sha256, Sha384, Sha512};
use std::rc::Rc;

/// A tab of a [`World`]. Cheap to clone; all clones are one tab.
#[derive(Clone)]
pub struct FakePlatform(pub(super) Rc<Page>);

pub(super) struct Page {
    pub(super) world: World,
    pub(super) life: Rc<Life>,
    session: FakeStorage,
    logins: FakeStorage,
    arithmetic: Cell<Arithmetic>,
    randomness: Cell<Randomness>,
    drawn: Cell<u64>,
    exclusion: Cell<Option<Exclusion>>,
    pub(super) has_mailbox: Cell<bool>,
    rest: Cell<Rest>,
    navigations: RefCell<Vec<String>>,
    log: RefCell<Vec<LogLine>>,
}

/// What the signature arithmetic of a tab says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Arithmetic {
    /// Every signature is right.
    #[default]
    Right,
    /// None is.
    Wrong,
    /// The engine does not know the algorithm.
    Unsupported,
    /// There is no `crypto.subtle`.
    Missing,
}

/// What the randomness of a tab is like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Randomness {
    /// Different each time, and the same in each run.
    #[default]
    Repeatable,
    /// Nothing but zeros.
    Zeros,
    /// The same each time.
    Constant,
    /// There is none.
    Missing,
}

/// Where the rest of the program is, which a sign-in does not need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rest {
    /// Here.
    #[default]
    Here,
    /// It comes so many milliseconds after it is first asked for.
    Apart(i64),
    /// It cannot be loaded.
    Missing,
}

/// One line of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogLine {
    /// How grave.
    pub level: Level,
    /// What.
    pub message: &'static str,
    /// Name and value.
    pub field: Option<(&'static str, &'static str)>,
}

impl FakePlatform {
    /// A tab that keeps its session here, and its pending logins there.
    #[must_use]
    pub fn new(world: &World, session: FakeStorage, logins: FakeStorage) -> Self {
        let id = world.next_id();
        let life = Life::new(id, session.id());
        world.0.lives.borrow_mut().insert(id, life.clone());
        Self(Rc::new(Page {
            world: world.clone(),
            session: session.seen_by(&life),
            logins: logins.seen_by(&life),
            life,
            arithmetic: Cell::default(),
            randomness: Cell::default(),
            drawn: Cell::new(id << 32),
            exclusion: Cell::new(Some(Exclusion::Lock)),
            has_mailbox: Cell::new(true),
            rest: Cell::default(),
            navigations: RefCell::default(),
            log: RefCell::default(),
        }))
    }

    /// Leaves the page, and whatever it was doing, and loads it again.
    #[must_use]
    pub fn reload(&self) -> Self {
        self.close();
        self.follow(self.0.session.clone(), self.0.logins.clone())
    }

    /// Another tab with a copy of the storage, as `window.open` gives.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        let session = self.0.session.duplicate();
        let logins = if self.0.session.is_same(&self.0.logins) {
            session.clone()
        } else {
            self.0.logins.duplicate()
        };
        self.follow(session, logins)
    }

    /// Where the session is kept.
    #[must_use]
    pub fn storage(&self) -> &FakeStorage {
        &self.0.session
    }

    /// From now on, signatures are this.
    pub fn set_arithmetic(&self, arithmetic: Arithmetic) {
        self.0.arithmetic.set(arithmetic);
    }

    /// From now on, randomness is like this.
    pub fn set_randomness(&self, randomness: Randomness) {
        self.0.randomness.set(randomness);
    }

    /// Whether there are locks between tabs.
    pub fn set_locks(&self, there: bool) {
        self.0.exclusion.set(there.then_some(Exclusion::Lock));
    }

    /// There are leases instead of locks: one that nobody gives back ends after a minute and a half.
    pub fn use_leases(&self) {
        self.0.exclusion.set(Some(Exclusion::Lease));
    }

    /// Whether there is a mailbox between tabs.
    pub fn set_mailbox(&self, there: bool) {
        self.0.has_mailbox.set(there);
    }

    /// Where the rest of the program is from now on.
    pub fn set_rest(&self, rest: Rest) {
        self.0.rest.set(rest);
    }

    /// Where the page was sent.
    #[must_use]
    pub fn navigations(&self) -> Vec<String> {
        self.0.navigations.borrow().clone()
    }

    /// What was logged.
    #[must_use]
    pub fn log_lines(&self) -> Vec<LogLine> {
        self.0.log.borrow().clone()
    }

    /// What other tabs rang about.
    #[must_use]
    pub fn heard(&self) -> Vec<(FamilyId, u64)> {
        let rings = self.0.world.0.rings.borrow();
        let others = rings
            .iter()
            .filter(|(page, _, _)| *page != self.0.life.page);
        others
            .map(|(_, family, generation)| (family.clone(), *generation))
            .collect()
    }

    fn follow(&self, session: FakeStorage, logins: FakeStorage) -> Self {
        let next = Self::new(&self.0.world, session, logins);
        next.set_arithmetic(self.0.arithmetic.get());
        next.set_randomness(self.0.randomness.get());
        next.0.exclusion.set(self.0.exclusion.get());
        next.set_mailbox(self.0.has_mailbox.get());
        next.set_rest(self.0.rest.get());
        next
    }
}

impl Platform for FakePlatform {
    type Storage = FakeStorage;

    fn session_storage(&self) -> &FakeStorage {
        &self.0.session
    }

    fn login_storage(&self) -> &FakeStorage {
        &self.0.logins
    }
}

impl Clock for FakePlatform {
    fn now(&self) -> Now {
        self.0.world.now()
    }

    fn wake_at(&self, at: Timestamp, wake: Box<dyn FnOnce()>) {
        if self.is_alive() {
            self.0.world.set_alarm(self.0.life.page, at, wake);
        }
    }

    fn on_resume(&self, resume: Box<dyn Fn()>) {
        self.0.life.resume.replace(Some(Rc::from(resume)));
    }
}

impl Http for FakePlatform {
    async fn send(&self, asked: HttpRequest, timeout: u32) -> Result<HttpResponse, TransportError> {
        let (world, life) = (&self.0.world, &self.0.life);
        if world.0.server.borrow().is_offline() {
            return Err(TransportError::Offline);
        }
        if !life.acts(world.turn()) {
            return pending().await;
        }
        let (endpoint, sent_at) = (asked.endpoint, world.now());
        let stored = [self.0.session.texts(), self.0.logins.texts()];
        let request = request(asked, sent_at, stored, life);
        world.note(Happening::Sent(endpoint));
        let taken = world.0.server.borrow_mut().take(request.clone());
        let reply = match taken {
            Ok(reply) => reply,
            Err(Some(answer)) => answer(&request),
            Err(None) => Reply::fail(TransportError::Network),
        };
        let (delay, outcome) = reply.within(timeout);
        let in_flight = InFlight::begin(life);
        world.wait_until(sent_at.monotonic + delay).await;
        drop(in_flight);
        if !life.acts(world.turn()) {
            return pending().await;
        }
        request.hand_over(world.turn());
        world.note(Happening::Answered(endpoint));
        outcome
    }
}

impl Locks for FakePlatform {
    type Guard = FakeGuard;

    async fn acquire(&self, name: &str, timeout: u32) -> Result<(FakeGuard, Exclusion), LockError> {
        let exclusion = self.0.exclusion.get().ok_or(LockError::Absent)?;
        let world = &self.0.world;
        let deadline = world.now().monotonic + i64::from(timeout) * 1000;
        let guard = FakeGuard::queue_up(world, &self.0.life, name, exclusion);
        if guard.is_held_before(deadline).await {
            Ok((guard, exclusion))
        } else {
            Err(LockError::Timeout)
        }
    }
}

impl Signatures for FakePlatform {
    fn available(&self) -> bool {
        self.0.arithmetic.get() != Arithmetic::Missing
    }

    async fn verify(&self, check: &SignatureCheck<'_>) -> Result<Option<String>, Unsupported> {
        match self.0.arithmetic.get() {
            Arithmetic::Unsupported => Err(Unsupported),
            Arithmetic::Right => Ok(Some(half_digest(check.algorithm.name(), check.hashed))),
            Arithmetic::Wrong | Arithmetic::Missing => Ok(None),
        }
    }
}

/// The left half of a text's digest, in base64url (OIDC Core §3.1.3.8).
fn half_digest(algorithm: &str, text: &str) -> String {
    let digest = match algorithm.get(2..) {
        Some("256") => Sha256::digest(text).to_vec(),
        Some("384") => Sha384::digest(text).to_vec(),
        _ => Sha512::digest(text).to_vec(),
    };
    let half = digest.get(..digest.len() / 2);
    base64url::encode(half.unwrap_or_default())
}

impl Entropy for FakePlatform {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoEntropy> {
        match self.0.randomness.get() {
            Randomness::Missing => return Err(NoEntropy),
            Randomness::Zeros => buffer.fill(0),
            Randomness::Constant => buffer.fill(7),
            Randomness::Repeatable => buffer.fill_with(|| self.0.draw()),
        }
        Ok(())
    }
}

impl Page {
    /// The next byte of a splitmix64 sequence.
    fn draw(&self) -> u8 {
        let [.., byte] = splitmix(&self.drawn).to_be_bytes();
        byte
    }
}

impl Secondary for FakePlatform {
    fn has_secondary(&self) -> bool {
        self.0.rest.get() == Rest::Here
    }

    async fn load_secondary(&self) -> Result<(), NotLoaded> {
        if let Rest::Apart(millis) = self.0.rest.get() {
            let world = &self.0.world;
            world.wait_until(world.now().monotonic + millis).await;
            self.set_rest(Rest::Here);
        }
        self.has_secondary().then_some(()).ok_or(NotLoaded)
    }
}

impl Navigator for FakePlatform {
    fn assign(&self, uri: &str) {
        if self.is_alive() {
            self.0.navigations.borrow_mut().push(uri.to_owned());
        }
    }
}

impl Spawn for FakePlatform {
    fn spawn(&self, task: Task) {
        if self.is_alive() {
            self.0.world.spawn(self.0.life.page, task);
        }
    }
}

impl Log for FakePlatform {
    fn log(
        &self,
        level: Level,
        message: &'static str,
        field: Option<(&'static str, &'static str)>,
    ) {
        self.0.log.borrow_mut().push(LogLine {
            level,
            message,
            field,
        });
    }
}
