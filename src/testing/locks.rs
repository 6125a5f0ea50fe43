//! Locks between tabs: first come, first served.

use super::life::Life;
use super::world::World;
use crate::client::ports::Exclusion;
use core::future::poll_fn;
use core::task::{Context, Poll, Waker};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

/// So many milliseconds lasts a lease whose holder has gone, or sleeps.
const LEASE: i64 = 90_000;

#[derive(Default)]
pub(super) struct Queues(BTreeMap<String, VecDeque<Waiting>>);

struct Waiting {
    id: u64,
    page: u64,
    waker: Option<Waker>,
    /// Until when it is held, of a lease that was granted.
    until: Option<i64>,
}

/// A place in the queue of a lock; held from when it is the first, until dropped.
pub struct FakeGuard {
    world: World,
    life: Rc<Life>,
    name: String,
    id: u64,
    exclusion: Exclusion,
}

impl Drop for FakeGuard {
    fn drop(&mut self) {
        let mut queues = self.world.0.locks.borrow_mut();
        let Some(queue) = queues.0.get_mut(&self.name) else {
            return;
        };
        // Nobody gives back the lease of a page that has gone.
        let outlives = |waiting: &Waiting| waiting.until.is_some() && self.life.is_dead();
        queue.retain(|waiting| waiting.id != self.id || outlives(waiting));
        let next = queue.front_mut().and_then(|next| next.waker.take());
        drop(queues);
        if let Some(next) = next {
            next.wake();
        }
    }
}

impl FakeGuard {
    pub(super) fn queue_up(
        world: &World,
        life: &Rc<Life>,
        name: &str,
        exclusion: Exclusion,
    ) -> Self {
        let id = world.next_id();
        let mut queues = world.0.locks.borrow_mut();
        let queue = queues.0.entry(name.to_owned()).or_default();
        queue.push_back(Waiting {
            id,
            page: life.page,
            waker: None,
            until: None,
        });
        drop(queues);
        Self {
            world: world.clone(),
            life: life.clone(),
            name: name.to_owned(),
            id,
            exclusion,
        }
    }

    /// Waits until it is held; `false` where the time is up before.
    pub(super) async fn is_held_before(&self, monotonic: i64) -> bool {
        poll_fn(|context| {
            if self.poll_turn(context) {
                Poll::Ready(true)
            } else {
                self.world.poll_time(monotonic, context).map(|()| false)
            }
        })
        .await
    }

    fn poll_turn(&self, context: &Context<'_>) -> bool {
        let now = self.world.now().monotonic;
        let mut queues = self.world.0.locks.borrow_mut();
        let Some(queue) = queues.0.get_mut(&self.name) else {
            return false;
        };
        let is_over = |first: &mut Waiting| first.until.is_some_and(|until| until <= now);
        while queue.pop_front_if(is_over).is_some() {}
        if let Some(first) = queue.front_mut().filter(|first| first.id == self.id) {
            first.until = (self.exclusion == Exclusion::Lease).then_some(now + LEASE);
            return true;
        }
        let ends = queue.front().and_then(|first| first.until);
        if let Some(waiting) = queue.iter_mut().find(|waiting| waiting.id == self.id) {
            waiting.waker = Some(context.waker().clone());
        }
        drop(queues);
        if let Some(ends) = ends {
            // Wakes it; it is not over yet.
            let _ = self.world.poll_time(ends, context);
        }
        false
    }
}

impl World {
    /// Whether a page holds a lock, or waits for one.
    pub(super) fn is_queueing(&self, page: u64) -> bool {
        let queues = self.0.locks.borrow();
        let mut all = queues.0.values().flatten();
        all.any(|waiting| waiting.page == page)
    }
}
