use super::Browser;
use super::port::monotonic;
use crate::client::ports::Clock;
use crate::protocol::time::{Now, Timestamp};

impl Clock for Browser {
    fn now(&self) -> Now {
        Now::new(wall(), millis(monotonic()))
    }

    #[allow(
        clippy::as_conversions,
        clippy::cast_precision_loss,
        reason = "no clock shows 2^53 milliseconds"
    )]
    fn wake_at(&self, at: Timestamp, wake: Box<dyn FnOnce()>) {
        self.line.wake_at(at.as_millis() as f64, wake);
    }

    fn on_resume(&self, resume: Box<dyn Fn()>) {
        self.line.on_resume(resume.into());
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "the one place that reads the wall clock"
)]
fn wall() -> Timestamp {
    Timestamp::from_millis(millis(js_sys::Date::now()))
}

#[allow(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "saturates; no clock shows 2^63 milliseconds"
)]
fn millis(number: f64) -> i64 {
    number as i64
}
