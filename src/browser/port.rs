//! The one line to JavaScript: calls go out with a ticket, answers come back by one callback, and tasks run in between.
//! `port.js` is the other end. Against web-sys, gloo-net and wasm-bindgen-futures it saves a fifth of the wasm
//! (docs/size.md).

use super::locks::JsLocks;
use super::mailbox::{Tabs, dated};
use crate::client::ports::{OnRing, Task};
use core::cell::{Cell, RefCell};
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use js_sys::Function;
use std::rc::{Rc, Weak};
use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/browser/port.js")]
extern "C" {
    pub(super) type Port;

    #[wasm_bindgen(constructor)]
    fn new(tell: &Closure<dyn Fn(u32, u32, String)>, transport: JsValue, log: JsValue) -> Port;

    #[wasm_bindgen(method, js_name = runSoon)]
    fn run_soon(this: &Port);

    #[wasm_bindgen(method)]
    pub(super) fn exchange(
        this: &Port,
        ticket: u32,
        url: &str,
        endpoint: &str,
        body: Option<&str>,
        json: bool,
        token: Option<&str>,
        seconds: u32,
    );

    #[wasm_bindgen(method)]
    pub(super) fn verify(
        this: &Port,
        ticket: u32,
        algorithm: &str,
        jwk: &str,
        signed: &[u8],
        signature: &[u8],
        hashed: &[u8],
    );

    #[wasm_bindgen(method, js_name = wakeAt)]
    fn wake_at(this: &Port, millis: f64);

    #[wasm_bindgen(method, js_name = watchComebacks)]
    fn watch_comebacks(this: &Port);

    #[wasm_bindgen(method, js_name = loadSecondary)]
    pub(super) fn load_secondary(this: &Port, ticket: u32);

    #[wasm_bindgen(method)]
    pub(super) fn log(this: &Port, level: &str, message: &str, name: &str, value: &str);

    #[wasm_bindgen(method)]
    fn end(this: &Port);

    #[wasm_bindgen(method, getter)]
    fn tabs(this: &Port) -> Tabs;

    #[wasm_bindgen(method, getter)]
    fn locks(this: &Port) -> JsLocks;

    #[wasm_bindgen(method, js_name = canVerify)]
    pub(super) fn can_verify(this: &Port) -> bool;

    pub(super) fn monotonic() -> f64;

    pub(super) fn assign(url: &str);

    #[wasm_bindgen(js_name = tabStorage)]
    pub(super) fn tab_storage() -> JsValue;

    pub(super) fn load(storage: &JsValue, key: &str) -> Option<String>;

    pub(super) fn save(storage: &JsValue, key: &str, value: Option<&str>) -> bool;

    pub(super) fn keys(storage: &JsValue, prefix: &str) -> String;
}

/// Tickets that no call has.
const RUN: u32 = 0;
const WAKE: u32 = 1;
const RESUME: u32 = 2;
const RING: u32 = 3;

/// Codes of a call that failed; 1 is any other failure. Of an answer, or a lock, that did not come in time.
pub(super) const TIMEOUT: u32 = 2;
/// Code of a request that was not sent.
pub(super) const OFFLINE: u32 = 3;
/// Code of a program that is whole.
pub(super) const LOADED: u32 = 0;
/// Added to the status of an answer that is too large.
pub(super) const TOO_LARGE: u32 = 1000;

/// Code of a signature by an algorithm or on a curve that the engine does not know.
pub(super) const UNSUPPORTED: u32 = 2;

/// The line, as long as somebody holds it.
pub(super) struct Line {
    pub(super) port: Port,
    pub(super) tabs: Tabs,
    pub(super) locks: JsLocks,
    desk: Rc<Desk>,
    _tell: Closure<dyn Fn(u32, u32, String)>,
}

/// What is waiting for JavaScript.
#[derive(Default)]
struct Desk {
    last_ticket: Cell<u32>,
    calls: RefCell<Vec<(u32, Rc<Answer>)>>,
    tasks: RefCell<Vec<Task>>,
    wake: RefCell<Option<Box<dyn FnOnce()>>>,
    resume: RefCell<Option<Rc<dyn Fn()>>>,
    ring: RefCell<Option<Rc<OnRing>>>,
}

#[derive(Default)]
struct Answer {
    answer: RefCell<Option<(u32, String)>>,
    waker: RefCell<Option<Waker>>,
}

/// A call that was made: resolves to code and text of its answer.
pub(super) struct Call {
    pub(super) ticket: u32,
    answer: Rc<Answer>,
}

impl Line {
    pub(super) fn new(transport: Option<Function>, log: Option<Function>) -> Self {
        let desk = Rc::<Desk>::default();
        let weak = Rc::downgrade(&desk);
        let tell = Closure::new(move |ticket, code, text| hear(&weak, ticket, code, text));
        let port = Port::new(&tell, transport.into(), log.into());
        Self {
            tabs: port.tabs(),
            locks: port.locks(),
            port,
            desk,
            _tell: tell,
        }
    }

    /// Draws a ticket, for a call to be made with it.
    pub(super) fn call(&self) -> Call {
        let ticket = self.desk.last_ticket.get().max(RING) + 1;
        self.desk.last_ticket.set(ticket);
        let answer = Rc::<Answer>::default();
        self.desk.calls.borrow_mut().push((ticket, answer.clone()));
        Call { ticket, answer }
    }

    /// Runs a task, though not in this turn: whoever spawns may be in the middle of something.
    pub(super) fn spawn(&self, task: Task) {
        self.desk.tasks.borrow_mut().push(task);
        self.port.run_soon();
    }

    /// Runs a task in this turn, for who is in the middle of nothing.
    #[cfg(feature = "js")]
    pub(super) fn run_now(&self, task: Task) {
        self.desk.tasks.borrow_mut().push(task);
        self.desk.run();
    }

    pub(super) fn wake_at(&self, millis: f64, wake: Box<dyn FnOnce()>) {
        self.desk.wake.replace(Some(wake));
        self.port.wake_at(millis);
    }

    pub(super) fn on_ring(&self, hear: OnRing) {
        self.desk.ring.replace(Some(hear.into()));
    }

    pub(super) fn on_resume(&self, resume: Rc<dyn Fn()>) {
        self.desk.resume.replace(Some(resume));
        self.port.watch_comebacks();
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.port.end();
    }
}

fn hear(desk: &Weak<Desk>, ticket: u32, code: u32, text: String) {
    let Some(desk) = desk.upgrade() else { return };
    match ticket {
        RUN => desk.run(),
        WAKE => {
            let wake = desk.wake.take();
            if let Some(wake) = wake {
                wake();
            }
        }
        RESUME => {
            let resume = desk.resume.borrow().clone();
            if let Some(resume) = resume {
                resume();
            }
        }
        RING => {
            let ring = desk.ring.borrow().clone();
            if let Some(ring) = ring
                && let Some((generation, family)) = dated(&text)
            {
                ring(family, generation);
            }
        }
        _ => {
            desk.answer(ticket, code, text);
            desk.run();
        }
    }
}

impl Desk {
    fn answer(&self, ticket: u32, code: u32, text: String) {
        let mut calls = self.calls.borrow_mut();
        let Some(at) = calls.iter().position(|(known, _)| *known == ticket) else {
            return;
        };
        let (_, call) = calls.swap_remove(at);
        drop(calls);
        call.answer.replace(Some((code, text)));
        let waker = call.waker.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Polls every task until none finishes any more: what one has finished, another may wait for. They are few, so
    /// nobody keeps a list of who is ready.
    fn run(&self) {
        let mut context = Context::from_waker(Waker::noop());
        let mut tasks = self.tasks.take();
        loop {
            let before = tasks.len();
            tasks.retain_mut(|task| task.as_mut().poll(&mut context).is_pending());
            let mut spawned = self.tasks.take();
            if tasks.len() == before && spawned.is_empty() {
                break;
            }
            tasks.append(&mut spawned);
        }
        self.tasks.replace(tasks);
    }
}

impl Future for Call {
    type Output = (u32, String);

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<(u32, String)> {
        let answer = self.answer.answer.take();
        if answer.is_none() {
            self.answer.waker.replace(Some(context.waker().clone()));
        }
        answer.map_or(Poll::Pending, Poll::Ready)
    }
}
