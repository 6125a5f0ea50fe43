use super::Browser;
use crate::client::ports::Clock;
use crate::protocol::time::{Now, Timestamp};
use core::cell::RefCell;
use js_sys::Function;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::EventTarget;

/// A timer is never set further ahead than this: browsers throttle and sleep, so the clock is asked again.
const LONGEST: i64 = 60_000;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(handler: &Function, millis: i32) -> JsValue;

    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(id: &JsValue);

    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
}

impl Clock for Browser {
    fn now(&self) -> Now {
        Now::new(wall(), millis(performance_now()))
    }

    fn wake_at(&self, at: Timestamp, wake: Box<dyn FnOnce()>) {
        self.alarm.set(at, wake);
    }

    fn on_resume(&self, resume: Box<dyn Fn()>) {
        self.resume.replace(ResumeListener::new(resume));
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

/// One wake-up.
#[derive(Default)]
pub(super) struct Alarm(Rc<RefCell<Armed>>);

#[derive(Default)]
struct Armed {
    wish: Option<(Timestamp, Box<dyn FnOnce()>)>,
    timer: Option<JsValue>,
    tick: Option<Closure<dyn Fn()>>,
}

impl Alarm {
    fn set(&self, at: Timestamp, wake: Box<dyn FnOnce()>) {
        let mut armed = self.0.borrow_mut();
        armed.wish = Some((at, wake));
        if armed.tick.is_none() {
            let weak = Rc::downgrade(&self.0);
            armed.tick = Some(Closure::new(move || {
                if let Some(armed) = weak.upgrade() {
                    tick(&armed);
                }
            }));
        }
        armed.arm();
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.0.borrow_mut().disarm();
    }
}

impl Armed {
    fn arm(&mut self) {
        self.disarm();
        if let (Some((at, _)), Some(tick)) = (&self.wish, &self.tick) {
            let millis = at.since(wall()).clamp(0, LONGEST);
            self.timer = Some(set_timeout(
                tick.as_ref().unchecked_ref(),
                i32::try_from(millis).unwrap_or(0),
            ));
        }
    }

    fn disarm(&mut self) {
        if let Some(timer) = self.timer.take() {
            clear_timeout(&timer);
        }
    }
}

fn tick(armed: &RefCell<Armed>) {
    let due = armed.borrow_mut().wish.take_if(|(at, _)| wall() >= *at);
    match due {
        Some((_, wake)) => wake(),
        None => armed.borrow_mut().arm(),
    }
}

/// Hears that the page came back, until dropped.
pub(super) struct ResumeListener {
    handler: Closure<dyn Fn()>,
    window: web_sys::Window,
}

/// `visibilitychange` is fired at the document and bubbles up to the window.
const EVENTS: [&str; 4] = ["visibilitychange", "pageshow", "online", "focus"];

impl ResumeListener {
    fn new(resume: Box<dyn Fn()>) -> Option<Self> {
        let window = web_sys::window()?;
        let handler = Closure::<dyn Fn()>::new(resume);
        let target: &EventTarget = window.as_ref();
        for event in EVENTS {
            // No engine refuses an event name.
            let _ =
                target.add_event_listener_with_callback(event, handler.as_ref().unchecked_ref());
        }
        Some(Self { handler, window })
    }
}

impl Drop for ResumeListener {
    fn drop(&mut self) {
        let target: &EventTarget = self.window.as_ref();
        for event in EVENTS {
            let _ = target
                .remove_event_listener_with_callback(event, self.handler.as_ref().unchecked_ref());
        }
    }
}
