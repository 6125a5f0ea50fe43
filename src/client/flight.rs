//! At most one run of something, whose result all who ask for it share.

use super::ports::Spawn;
use core::cell::RefCell;
use core::future::poll_fn;
use core::task::{Poll, Waker};
use std::rc::Rc;

/// A result that is there once and for ever, or is being waited for.
pub(super) struct Landing<T>(Rc<Shared<T>>);

struct Shared<T> {
    begun: core::cell::Cell<bool>,
    result: RefCell<Option<T>>,
    waiting: RefCell<Vec<Waker>>,
}

impl<T> Clone for Landing<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Default for Landing<T> {
    fn default() -> Self {
        Self(Rc::new(Shared {
            begun: false.into(),
            result: RefCell::new(None),
            waiting: RefCell::default(),
        }))
    }
}

impl<T: Clone + 'static> Landing<T> {
    /// The result; the first who asks runs the task, on its own, so that a caller who gives up stops nobody else.
    pub(super) async fn once<F: Future<Output = T> + 'static>(
        &self,
        spawn: &impl Spawn,
        run: impl FnOnce() -> F,
    ) -> T {
        if !self.0.begun.replace(true) {
            let (landing, task) = (self.clone(), run());
            spawn.spawn(async move {
                let result = task.await;
                landing.0.result.replace(Some(result));
                let waiting = landing.0.waiting.take();
                waiting.into_iter().for_each(Waker::wake);
            });
        }
        poll_fn(|context| {
            let result = self.0.result.borrow().clone();
            if result.is_none() {
                self.0.waiting.borrow_mut().push(context.waker().clone());
            }
            result.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    fn has_landed(&self) -> bool {
        self.0.result.borrow().is_some()
    }
}

/// A task that may run again, but never twice at a time.
pub(super) struct Flight<T>(RefCell<Landing<T>>);

impl<T> Default for Flight<T> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<T: Clone + 'static> Flight<T> {
    /// Joins the run that is under way, or begins one.
    pub(super) async fn join<F: Future<Output = T> + 'static>(
        &self,
        spawn: &impl Spawn,
        run: impl FnOnce() -> F,
    ) -> T {
        let landed = self.0.borrow().has_landed();
        if landed {
            self.0.replace(Landing::default());
        }
        let landing = self.0.borrow().clone();
        landing.once(spawn, run).await
    }
}
