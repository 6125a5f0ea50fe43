//! Who wants to know, and what they are still to be told. Listeners run when no borrow and no lock is held.

use crate::session::state::{Event, State};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

type Callbacks<T> = Rc<RefCell<Vec<(u32, Rc<dyn Fn(&T)>)>>>;

/// Ends a subscription when dropped.
#[must_use = "dropping a subscription ends it"]
pub struct Subscription(Box<dyn Fn()>);

impl Drop for Subscription {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[derive(Default)]
pub(super) struct Listeners {
    states: Callbacks<State>,
    events: Callbacks<Event>,
    /// What they are still to be told: the newest state, then what happened.
    state: RefCell<Option<State>>,
    moments: RefCell<VecDeque<Event>>,
    last_id: Cell<u32>,
    telling: Cell<bool>,
}

impl Listeners {
    pub(super) fn subscribe(&self, listener: impl Fn(&State) + 'static) -> Subscription {
        self.add(&self.states, Rc::new(listener))
    }

    pub(super) fn on_event(&self, listener: impl Fn(&Event) + 'static) -> Subscription {
        self.add(&self.events, Rc::new(listener))
    }

    pub(super) fn note_state(&self, state: State) {
        self.state.replace(Some(state));
    }

    pub(super) fn note_event(&self, event: Event) {
        self.moments.borrow_mut().push_back(event);
    }

    /// Tells everything that was noted: the state first, so that who hears of a moment sees the present.
    pub(super) fn tell(&self) {
        if self.telling.replace(true) {
            return;
        }
        loop {
            if let Some(state) = self.state.take() {
                call(&self.states, &state);
                continue;
            }
            let moment = self.moments.borrow_mut().pop_front();
            let Some(event) = moment else { break };
            call(&self.events, &event);
        }
        self.telling.set(false);
    }

    fn add<T: 'static>(&self, callbacks: &Callbacks<T>, listener: Rc<dyn Fn(&T)>) -> Subscription {
        let id = self.last_id.get() + 1;
        self.last_id.set(id);
        callbacks.borrow_mut().push((id, listener));
        let callbacks: Weak<RefCell<Vec<(u32, Rc<dyn Fn(&T)>)>>> = Rc::downgrade(callbacks);
        Subscription(Box::new(move || {
            if let Some(callbacks) = callbacks.upgrade() {
                callbacks.borrow_mut().retain(|(known, _)| *known != id);
            }
        }))
    }
}

fn call<T>(callbacks: &Callbacks<T>, value: &T) {
    let callbacks: Vec<_> = callbacks
        .borrow()
        .iter()
        .map(|(_, listener)| listener.clone())
        .collect();
    callbacks.iter().for_each(|listener| listener(value));
}
