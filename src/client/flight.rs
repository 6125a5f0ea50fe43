//! At most one run of something, whose outcome all who ask for it share. What a run brings is kept by its owner: one
//! type of outcome means one copy of this code in the wasm.

use super::Error;
use super::ports::Spawn;
use core::cell::{Cell, RefCell};
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::rc::Rc;

/// How a run ended.
pub(super) type Outcome = Result<(), Error>;

/// A run that is to be done; does nothing until it is spawned.
pub(super) type Run = Pin<Box<dyn Future<Output = Outcome>>>;

/// An outcome that is there once and for ever, or is being waited for.
#[derive(Clone, Default)]
pub(crate) struct Landing(Rc<Shared>);

#[derive(Default)]
struct Shared {
    begun: Cell<bool>,
    outcome: RefCell<Option<Outcome>>,
    waiting: RefCell<Vec<Waker>>,
}

impl Landing {
    /// The outcome of the first run; it runs on its own, so that a caller who gives up stops nobody else.
    pub(super) fn once(&self, spawn: &impl Spawn, run: Run) -> Self {
        if !self.0.begun.replace(true) {
            let landing = self.clone();
            spawn.spawn(Box::pin(async move { landing.land(run.await) }));
        }
        self.clone()
    }

    fn land(&self, outcome: Outcome) {
        self.0.outcome.replace(Some(outcome));
        let waiting = self.0.waiting.take();
        waiting.into_iter().for_each(Waker::wake);
    }

    fn has_landed(&self) -> bool {
        self.0.outcome.borrow().is_some()
    }
}

impl Future for Landing {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        let outcome = self.0.outcome.borrow().clone();
        if outcome.is_none() {
            let waker = context.waker().clone();
            self.0.waiting.borrow_mut().push(waker);
        }
        outcome.map_or(Poll::Pending, Poll::Ready)
    }
}

/// A task that may run again, but never twice at a time.
#[derive(Default)]
pub(super) struct Flight(RefCell<Landing>);

impl Flight {
    /// Whether a run has begun and not ended.
    pub(super) fn is_under_way(&self) -> bool {
        let landing = self.0.borrow();
        landing.0.begun.get() && !landing.has_landed()
    }

    /// Joins the run that is under way, or begins this one.
    pub(super) fn join(&self, spawn: &impl Spawn, run: Run) -> Landing {
        let landed = self.0.borrow().has_landed();
        if landed {
            self.0.replace(Landing::default());
        }
        let landing = self.0.borrow().clone();
        landing.once(spawn, run)
    }
}
