//! What runs in a world, turn by turn.

use super::journal::Outcome;
use super::platform::FakePlatform;
use super::world::World;
use crate::client::ports::Task;
use core::cell::RefCell;
use core::task::{Context, Waker};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::Wake;

/// [`World::run`] gives up after so much virtual time, in milliseconds.
const PATIENCE: i64 = 300_000;
/// A task that was polled so often without any time passing will never rest.
const MOST_TURNS: u32 = 100_000;

pub(super) struct Running {
    page: u64,
    /// `None` while it is being polled.
    task: Option<Task>,
}

impl World {
    /// Starts a task; nothing of it runs before the world does.
    pub fn start<T: 'static>(&self, task: impl Future<Output = T> + 'static) -> Outcome<T> {
        self.start_in(0, task)
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
        while self.run_turn() {
            turns += 1;
            assert!(turns < MOST_TURNS, "a task never rests");
        }
    }

    /// Runs the next task as far as it goes without waiting; `false` where none can run before time passes.
    pub fn run_turn(&self) -> bool {
        while let Some(id) = self.next_ready() {
            if self.poll(id) {
                self.bury();
                return true;
            }
        }
        false
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

    pub(super) fn start_in<T: 'static>(
        &self,
        page: u64,
        task: impl Future<Output = T> + 'static,
    ) -> Outcome<T> {
        let outcome = Rc::new(RefCell::new(None));
        let result = outcome.clone();
        self.spawn(
            page,
            Box::pin(async move {
                let value = task.await;
                result.replace(Some(value));
            }),
        );
        Outcome::of(outcome)
    }

    /// Ends the tasks of a page.
    pub(super) fn end_tasks(&self, page: u64) {
        let mut tasks = self.0.tasks.borrow_mut();
        let ended = tasks.extract_if(.., |_, running| running.page == page);
        let ended: Vec<_> = ended.collect();
        drop(tasks);
        // Only now: what is dropped may release a lock.
        drop(ended);
    }

    /// Has every task of a page look again whether it can go on.
    pub(super) fn wake_page(&self, page: u64) {
        let tasks = self.0.tasks.borrow();
        let of_page = tasks.iter().filter(|(_, running)| running.page == page);
        of_page.for_each(|(id, _)| wake_up(&self.0.ready, *id));
    }

    fn next_ready(&self) -> Option<u64> {
        self.0
            .ready
            .lock()
            .ok()
            .and_then(|mut ready| ready.pop_front())
    }

    /// Runs a task, unless it has ended or its page is frozen.
    fn poll(&self, id: u64) -> bool {
        let mut tasks = self.0.tasks.borrow_mut();
        let running = tasks.get_mut(&id);
        let running = running.filter(|running| !self.is_frozen(running.page));
        let Some(mut task) = running.and_then(|running| running.task.take()) else {
            return false;
        };
        drop(tasks);
        self.next_turn();
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
            return true;
        }
        drop(tasks);
        drop(task);
        true
    }

    pub(super) fn is_frozen(&self, page: u64) -> bool {
        let lives = self.0.lives.borrow();
        lives.get(&page).is_some_and(|life| life.frozen.get())
    }
}

impl FakePlatform {
    /// Starts a task of this page: it ends with the page, and rests while the page is frozen.
    pub fn start<T: 'static>(&self, task: impl Future<Output = T> + 'static) -> Outcome<T> {
        self.0.world.start_in(self.0.life.page, task)
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
