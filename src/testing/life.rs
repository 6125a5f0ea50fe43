//! The life of a page: until when what it does has an effect, and whether it runs and hears.

use super::mailbox::Drawers;
use super::platform::FakePlatform;
use super::world::World;
use crate::session::family::FamilyId;
use core::cell::{Cell, RefCell};
use std::rc::Rc;

/// What a page does when another one rings.
pub(super) type Ear = Rc<dyn Fn(&str, u64)>;

pub(super) struct Life {
    /// Whose. What was written by one with a lower number was written before this page was there.
    pub(super) page: u64,
    /// The storage that its session is in.
    pub(super) area: u64,
    dead: Cell<bool>,
    /// The turn in which it died.
    died_in: Cell<Option<u64>>,
    /// How many effects it still has; `None` for as many as it likes.
    left: Cell<Option<u32>>,
    pub(super) frozen: Cell<bool>,
    pub(super) deaf: Cell<bool>,
    /// Requests without an answer yet.
    pub(super) in_flight: Cell<u32>,
    pub(super) resume: RefCell<Option<Rc<dyn Fn()>>>,
    pub(super) ear: RefCell<Option<Ear>>,
    /// What it was handed by tabs without a mailbox.
    pub(super) memory: RefCell<Drawers>,
}

impl Life {
    pub(super) fn new(page: u64, area: u64) -> Rc<Self> {
        Rc::new(Self {
            page,
            area,
            dead: Cell::default(),
            died_in: Cell::default(),
            left: Cell::default(),
            frozen: Cell::default(),
            deaf: Cell::default(),
            in_flight: Cell::default(),
            resume: RefCell::default(),
            ear: RefCell::default(),
            memory: RefCell::default(),
        })
    }

    /// That of whoever looks from outside: it sees all that was ever written.
    pub(super) fn eternal() -> Rc<Self> {
        Self::new(u64::MAX, 0)
    }

    pub(super) fn is_dead(&self) -> bool {
        self.dead.get()
    }

    /// Whether its last turn was this one: then it may have done less in it than it meant to.
    pub(super) fn died_in(&self, turn: u64) -> bool {
        self.died_in.get() == Some(turn)
    }

    pub(super) fn is_awake(&self) -> bool {
        !self.dead.get() && !self.frozen.get() && !self.deaf.get()
    }

    /// Whether what it is about to do has an effect. A page that is to die just before it dies.
    pub(super) fn acts(&self, turn: u64) -> bool {
        match self.left.get() {
            Some(0) => self.die(turn),
            Some(left) => self.left.set(Some(left - 1)),
            None => {}
        }
        !self.dead.get()
    }

    fn die(&self, turn: u64) {
        if !self.dead.replace(true) {
            self.died_in.set(Some(turn));
        }
    }
}

/// A request without an answer yet.
pub(super) struct InFlight(Rc<Life>);

impl InFlight {
    pub(super) fn begin(life: &Rc<Life>) -> Self {
        life.in_flight.set(life.in_flight.get() + 1);
        Self(life.clone())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.set(self.0.in_flight.get() - 1);
    }
}

impl FakePlatform {
    /// Which tab this is, as in [`Request::tab`](super::Request::tab).
    #[must_use]
    pub fn id(&self) -> u64 {
        self.0.life.page
    }

    /// Leaves the page, and whatever it was doing. What it stored stays, for [`FakePlatform::reload`].
    pub fn close(&self) {
        self.0.world.close(self.0.life.page);
    }

    /// The page is killed just before the effect after so many more: a write, a request, an answer, a ring, or something
    /// that is handed to the mailbox, also in the middle of a turn.
    pub fn die_after(&self, effects: u32) {
        self.0.life.left.set(Some(effects));
    }

    /// Whether the page is there: not closed, and not killed.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        !self.0.life.is_dead()
    }

    /// Nothing of it runs until [`FakePlatform::thaw`]; what it holds it keeps, locks included, and rings wait.
    pub fn freeze(&self) {
        self.0.life.frozen.set(true);
    }

    /// It runs on, and hears what it was rung about meanwhile.
    pub fn thaw(&self) {
        self.0.life.frozen.set(false);
        self.0.world.wake_page(self.0.life.page);
        self.0.world.run_until_idle();
    }

    /// Goes into the back/forward cache: nothing of it runs, and it is deaf. A page that waits for an answer or a lock, or
    /// holds one, does not get in, and is closed; `false` then.
    #[must_use]
    pub fn enter_bfcache(&self) -> bool {
        let life = &self.0.life;
        let fits = life.in_flight.get() == 0 && !self.0.world.is_queueing(life.page);
        if fits {
            life.frozen.set(true);
            life.deaf.set(true);
        } else {
            self.close();
        }
        fits && !life.is_dead()
    }

    /// Comes out of the back/forward cache.
    pub fn leave_bfcache(&self) {
        self.0.life.deaf.set(false);
        self.thaw();
        self.resume();
    }

    /// The page becomes visible, online, or comes out of the back/forward cache.
    pub fn resume(&self) {
        self.0.world.resume(&self.0.life);
        self.0.world.run_until_idle();
    }
}

impl World {
    /// The whole browser is killed: all pages, and what was handed to the mailbox and is not in it yet.
    pub fn kill_browser(&self) {
        self.0.operations.take();
        let pages: Vec<_> = self.0.lives.borrow().keys().copied().collect();
        for page in pages {
            self.close(page);
        }
    }

    /// Everybody but this page who is still there.
    pub(super) fn others(&self, page: u64) -> Vec<Rc<Life>> {
        let lives = self.0.lives.borrow();
        let others = lives.values().filter(|life| life.page != page);
        others.cloned().collect()
    }

    /// Ends all that a page does, as leaving it does.
    pub(super) fn close(&self, page: u64) {
        let life = self.0.lives.borrow_mut().remove(&page);
        if let Some(life) = life {
            life.die(0);
            life.resume.take();
            life.ear.take();
        }
        self.0.alarms.borrow_mut().remove(&page);
        self.end_tasks(page);
    }

    /// Closes those that were killed in this turn.
    pub(super) fn bury(&self) {
        let dead = {
            let lives = self.0.lives.borrow();
            let dead = lives.values().filter(|life| life.is_dead());
            dead.map(|life| life.page).collect::<Vec<_>>()
        };
        for page in dead {
            self.close(page);
        }
    }

    pub(super) fn resume(&self, life: &Life) {
        let resume = life.resume.borrow().clone();
        if let Some(resume) = resume.filter(|_| life.is_awake()) {
            self.next_turn();
            resume();
            self.bury();
        }
    }

    /// Does something in a page, so many milliseconds from now, if it is still there.
    pub(super) fn tell_page(&self, life: &Rc<Life>, delay: i64, deed: impl FnOnce() + 'static) {
        let (world, at) = (self.clone(), self.now().monotonic + delay);
        let told = async move {
            world.wait_until(at).await;
            deed();
        };
        self.spawn(life.page, Box::pin(told));
    }

    /// Rings at every other page.
    pub(super) fn ring(&self, from: u64, family: &FamilyId, generation: u64) {
        let ring = (from, family.clone(), generation);
        self.0.rings.borrow_mut().push(ring);
        let conditions = self.conditions();
        for life in self.others(from) {
            let ear = life.ear.borrow().clone();
            let Some(ear) = ear.filter(|_| !life.deaf.get()) else {
                continue;
            };
            for time in 0..=i64::from(conditions.ring_repeats) {
                if !self.one_in(conditions.rings_lost) {
                    let (ear, family) = (ear.clone(), family.clone());
                    let delay = conditions.ring_delay * (time + 1);
                    self.tell_page(&life, delay, move || ear(family.as_str(), generation));
                }
            }
        }
    }
}
