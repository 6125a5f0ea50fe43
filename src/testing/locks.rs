//! Locks between tabs: first come, first served.

use super::world::World;
use core::future::poll_fn;
use core::task::{Context, Poll, Waker};
use std::collections::{BTreeMap, VecDeque};

#[derive(Default)]
pub(super) struct Queues(BTreeMap<String, VecDeque<Waiting>>);

struct Waiting {
    id: u64,
    waker: Option<Waker>,
}

/// A place in the queue of a lock; held from when it is the first, until dropped.
pub struct FakeGuard {
    world: World,
    name: String,
    id: u64,
}

impl Drop for FakeGuard {
    fn drop(&mut self) {
        let mut queues = self.world.0.locks.borrow_mut();
        let Some(queue) = queues.0.get_mut(&self.name) else {
            return;
        };
        queue.retain(|waiting| waiting.id != self.id);
        let next = queue.front_mut().and_then(|next| next.waker.take());
        drop(queues);
        if let Some(next) = next {
            next.wake();
        }
    }
}

impl FakeGuard {
    pub(super) fn queue_up(world: &World, name: &str) -> Self {
        let id = world.next_id();
        let mut queues = world.0.locks.borrow_mut();
        let queue = queues.0.entry(name.to_owned()).or_default();
        queue.push_back(Waiting { id, waker: None });
        drop(queues);
        Self {
            world: world.clone(),
            name: name.to_owned(),
            id,
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
        let mut queues = self.world.0.locks.borrow_mut();
        let Some(queue) = queues.0.get_mut(&self.name) else {
            return false;
        };
        if queue.front().is_some_and(|first| first.id == self.id) {
            return true;
        }
        if let Some(waiting) = queue.iter_mut().find(|waiting| waiting.id == self.id) {
            waiting.waker = Some(context.waker().clone());
        }
        false
    }
}
