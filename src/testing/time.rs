//! The two clocks, and what falls due.

use super::world::World;
use crate::protocol::time::{Now, Timestamp};
use core::future::poll_fn;
use core::task::{Context, Poll};

pub(super) struct Alarm {
    since: Now,
    wait: i64,
    wake: Box<dyn FnOnce()>,
}

impl World {
    /// Both clocks.
    #[must_use]
    pub fn now(&self) -> Now {
        self.0.now.get()
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

    pub(super) fn set_alarm(&self, page: u64, at: Timestamp, wake: Box<dyn FnOnce()>) {
        let since = self.now();
        let wait = at.since(since.wall);
        let alarm = Alarm { since, wait, wake };
        self.0.alarms.borrow_mut().insert(page, alarm);
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

    /// In how many milliseconds something falls due.
    pub(super) fn next_due(&self) -> Option<i64> {
        let now = self.now();
        let timers = self.0.timers.borrow();
        let alarms = self.0.alarms.borrow();
        let operations = self.0.operations.borrow();
        let timers = timers.iter().map(|(at, _)| at - now.monotonic);
        let awake = alarms.iter().filter(|(page, _)| !self.is_frozen(**page));
        let alarms = awake.map(|(_, alarm)| alarm.wait - now.since(alarm.since));
        let operation = operations.front().map(|(at, _)| at - now.monotonic);
        let due = timers.chain(alarms).chain(operation);
        due.min().map(|due| due.max(0))
    }

    /// Moves both clocks, and lets happen what is due then.
    pub(super) fn step(&self, millis: i64) {
        let now = self.now();
        let now = Now::new(now.wall.plus(millis), now.monotonic + millis);
        self.0.now.set(now);
        self.run_operations();
        let timers: Vec<_> = {
            let mut timers = self.0.timers.borrow_mut();
            timers
                .extract_if(.., |(at, _)| *at <= now.monotonic)
                .collect()
        };
        timers.into_iter().for_each(|(_, waker)| waker.wake());
        let alarms: Vec<_> = {
            let mut alarms = self.0.alarms.borrow_mut();
            let is_due = |page: &u64, alarm: &mut Alarm| {
                now.since(alarm.since) >= alarm.wait && !self.is_frozen(*page)
            };
            alarms.extract_if(.., is_due).collect()
        };
        for (_, alarm) in alarms {
            self.next_turn();
            (alarm.wake)();
            self.bury();
        }
    }
}
