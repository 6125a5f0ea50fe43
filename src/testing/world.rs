//! The two clocks, the tasks, and what happened.

use super::journal::{Happening, Moment, Outcome};
use super::locks::Queues;
use super::mailbox::Drawer;
use super::platform::FakePlatform;
use super::server::{Reply, Request, Server};
use super::storage::FakeStorage;
use crate::client::ports::Task;
use crate::protocol::error::Endpoint;
use crate::protocol::time::{Now, Timestamp};
use crate::session::family::{FamilyId, Letter};

use core::cell::{Cell, RefCell};
use core::future::{Future, poll_fn};
use core::task::{Context, Poll, Waker};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::Wake;

/// [`World::run`] gives up after so much virtual time, in milliseconds.
const PATIENCE: i64 = 300_000;
/// A task that was polled so often without any time passing will never rest.
const MOST_TURNS: u32 = 100_000;

/// A world in virtual time. Cheap to clone; all clones are one world.
#[derive(Clone)]
pub struct World(pub(super) Rc<Inner>);

pub(super) struct Inner {
    now: Cell<Now>,
    turn: Cell<u64>,
    last_id: Cell<u64>,
    ready: Arc<Mutex<VecDeque<u64>>>,
    tasks: RefCell<BTreeMap<u64, Running>>,
    timers: RefCell<Vec<(i64, Waker)>>,
    alarms: RefCell<BTreeMap<u64, Alarm>>,
    pub(super) server: RefCell<Server>,
    pub(super) locks: RefCell<Queues>,
    pub(super) mailbox: RefCell<BTreeMap<FamilyId, Drawer>>,
    pub(super) rings: RefCell<Vec<(u64, FamilyId, u64)>>,
    pub(super) ears: RefCell<BTreeMap<u64, Ear>>,
    journal: RefCell<Vec<Moment>>,
}

/// What a tab does when another one rings.
pub(super) type Ear = Rc<dyn Fn(&str, u64)>;

struct Running {
    page: u64,
    /// `None` while it is being polled.
    task: Option<Task>,
}

struct Alarm {
    since: Now,
    wait: i64,
    wake: Box<dyn FnOnce()>,
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
            ready: Arc::default(),
            tasks: RefCell::default(),
            timers: RefCell::default(),
            alarms: RefCell::default(),
            server: RefCell::default(),
            locks: RefCell::default(),
            mailbox: RefCell::default(),
            rings: RefCell::default(),
            ears: RefCell::default(),
            journal: RefCell::default(),
        }))
    }

    /// A new tab, with an empty storage of its own.
    #[must_use]
    pub fn tab(&self) -> FakePlatform {
        let storage = FakeStorage::new(self);
        FakePlatform::new(self, storage.clone(), storage)
    }

    /// Both clocks.
    #[must_use]
    pub fn now(&self) -> Now {
        self.0.now.get()
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

    /// What the mailbox has of a family, oldest first.
    #[must_use]
    pub fn mailbox(&self, family: &FamilyId) -> Vec<Letter> {
        let mailbox = self.0.mailbox.borrow();
        let drawer = mailbox.get(family);
        drawer.map_or_else(Vec::new, |drawer| drawer.letters.clone())
    }

    /// Whether the mailbox says that a family has ended.
    #[must_use]
    pub fn has_ended(&self, family: &FamilyId) -> bool {
        let mailbox = self.0.mailbox.borrow();
        mailbox.get(family).is_some_and(|drawer| drawer.ended)
    }

    /// Ends a family in the mailbox, as another tab would that does not ring.
    pub fn end_family(&self, family: &FamilyId) {
        let _ = self.end(family, None, None);
    }

    /// Starts a task; nothing of it runs before the world does.
    pub fn start<T: 'static>(&self, task: impl Future<Output = T> + 'static) -> Outcome<T> {
        let outcome = Rc::new(RefCell::new(None));
        let result = outcome.clone();
        self.spawn(
            0,
            Box::pin(async move {
                let value = task.await;
                result.replace(Some(value));
            }),
        );
        Outcome::of(outcome)
    }

    /// Runs a task to its end, moving the clocks as far as it takes; `None` where it has not ended after five minutes.
    pub fn run<T: 'static>(&self, task: impl Future<Output = T> + 'static) -> Option<T> {
        let outcome = self.start(task);
        let mut patience = PATIENCE;
        loop {
            self.run_until_idle();
            if outcome.is_there() {
                return outcome.take();
            }
            let step = self.next_due().filter(|step| *step <= patience)?;
            patience -= step;
            self.step(step);
        }
    }

    /// Runs every task as far as it goes without any time passing.
    ///
    /// # Panics
    /// Where some task never rests.
    pub fn run_until_idle(&self) {
        let mut turns = 0;
        while let Some(id) = self.next_ready() {
            turns += 1;
            assert!(turns < MOST_TURNS, "a task never rests");
            self.poll(id);
        }
    }

    /// Lets so many seconds pass on both clocks; whatever falls due on the way happens at its time.
    pub fn advance(&self, seconds: i64) {
        self.advance_millis(seconds.saturating_mul(1000));
    }

    /// The same in milliseconds.
    pub fn advance_millis(&self, millis: i64) {
        let mut left = millis.max(0);
        loop {
            self.run_until_idle();
            let step = self.next_due().filter(|step| *step <= left);
            self.step(step.unwrap_or(left));
            left -= step.unwrap_or(left);
            if step.is_none() {
                return self.run_until_idle();
            }
        }
    }

    /// The device sleeps for so many seconds: only the wall clock goes on, and nothing happens before the world runs on.
    pub fn sleep(&self, seconds: i64) {
        let now = self.now();
        let wall = now.wall.plus(seconds.saturating_mul(1000));
        self.0.now.set(Now::new(wall, now.monotonic));
    }

    /// Somebody puts the wall clock back (or, negative, ahead) by so many seconds.
    pub fn put_clock_back(&self, seconds: i64) {
        self.sleep(seconds.saturating_neg());
    }

    pub(super) fn spawn(&self, page: u64, task: Task) {
        let id = self.next_id();
        let running = Running {
            page,
            task: Some(task),
        };
        self.0.tasks.borrow_mut().insert(id, running);
        wake_up(&self.0.ready, id);
    }

    pub(super) fn next_id(&self) -> u64 {
        self.0.last_id.set(self.0.last_id.get() + 1);
        self.0.last_id.get()
    }

    pub(super) fn note(&self, what: Happening) {
        self.0.journal.borrow_mut().push(Moment {
            turn: self.0.turn.get(),
            at: self.now(),
            what,
        });
    }

    pub(super) fn set_alarm(&self, page: u64, at: Timestamp, wake: Box<dyn FnOnce()>) {
        let since = self.now();
        let wait = at.since(since.wall);
        let alarm = Alarm { since, wait, wake };
        self.0.alarms.borrow_mut().insert(page, alarm);
    }

    /// Ends all that a page does, as leaving it does.
    pub(super) fn close(&self, page: u64) {
        self.0.alarms.borrow_mut().remove(&page);
        self.0.ears.borrow_mut().remove(&page);
        let mut tasks = self.0.tasks.borrow_mut();
        let ended = tasks.extract_if(.., |_, running| running.page == page);
        let ended: Vec<_> = ended.collect();
        drop(tasks);
        // Only now: what is dropped may release a lock.
        drop(ended);
    }

    /// Waits for a moment of the monotonic clock.
    pub(super) async fn wait_until(&self, monotonic: i64) {
        poll_fn(|context| self.poll_time(monotonic, context)).await;
    }

    pub(super) fn poll_time(&self, monotonic: i64, context: &Context<'_>) -> Poll<()> {
        if self.now().monotonic >= monotonic {
            return Poll::Ready(());
        }
        let waker = context.waker().clone();
        self.0.timers.borrow_mut().push((monotonic, waker));
        Poll::Pending
    }

    fn next_ready(&self) -> Option<u64> {
        self.0
            .ready
            .lock()
            .ok()
            .and_then(|mut ready| ready.pop_front())
    }

    fn poll(&self, id: u64) {
        let task = self
            .0
            .tasks
            .borrow_mut()
            .get_mut(&id)
            .and_then(|running| running.task.take());
        let Some(mut task) = task else { return };
        self.0.turn.set(self.0.turn.get() + 1);
        let waker = Waker::from(Arc::new(Signal {
            id,
            ready: self.0.ready.clone(),
        }));
        let ended = task
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_ready();
        let mut tasks = self.0.tasks.borrow_mut();
        if ended {
            tasks.remove(&id);
        } else if let Some(running) = tasks.get_mut(&id) {
            running.task = Some(task);
            return;
        }
        drop(tasks);
        drop(task);
    }

    /// In how many milliseconds something falls due.
    fn next_due(&self) -> Option<i64> {
        let now = self.now();
        let timers = self.0.timers.borrow();
        let alarms = self.0.alarms.borrow();
        let timers = timers.iter().map(|(at, _)| at - now.monotonic);
        let alarms = alarms
            .values()
            .map(|alarm| alarm.wait - now.since(alarm.since));
        timers.chain(alarms).min().map(|due| due.max(0))
    }

    /// Moves both clocks, and lets happen what is due then.
    fn step(&self, millis: i64) {
        let now = self.now();
        let now = Now::new(now.wall.plus(millis), now.monotonic + millis);
        self.0.now.set(now);
        let timers: Vec<_> = {
            let mut timers = self.0.timers.borrow_mut();
            timers
                .extract_if(.., |(at, _)| *at <= now.monotonic)
                .collect()
        };
        timers.into_iter().for_each(|(_, waker)| waker.wake());
        let alarms: Vec<_> = {
            let mut alarms = self.0.alarms.borrow_mut();
            alarms
                .extract_if(.., |_, alarm| now.since(alarm.since) >= alarm.wait)
                .collect()
        };
        for (_, alarm) in alarms {
            self.0.turn.set(self.0.turn.get() + 1);
            (alarm.wake)();
        }
    }
}

struct Signal {
    id: u64,
    ready: Arc<Mutex<VecDeque<u64>>>,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        wake_up(&self.ready, self.id);
    }
}

fn wake_up(ready: &Mutex<VecDeque<u64>>, id: u64) {
    // Poisoned only by a panic that has ended the test already.
    if let Ok(mut ready) = ready.lock()
        && !ready.contains(&id)
    {
        ready.push_back(id);
    }
}
