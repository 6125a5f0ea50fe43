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

enum Notice {
    State(State),
    Event(Event),
}

#[derive(Default)]
pub(super) struct Listeners {
    states: Callbacks<State>,
    events: Callbacks<Event>,
    notices: RefCell<VecDeque<Notice>>,
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
        self.notices.borrow_mut().push_back(Notice::State(state));
    }

    pub(super) fn note_event(&self, event: Event) {
        self.notices.borrow_mut().push_back(Notice::Event(event));
    }

    /// Tells everything that was noted, in order. A listener that causes more is told of it after the others were told
    /// of this.
    pub(super) fn tell(&self) {
        if self.telling.replace(true) {
            return;
        }
        loop {
            let notice = self.notices.borrow_mut().pop_front();
            match notice {
                Some(Notice::State(state)) => call(&self.states, &state),
                Some(Notice::Event(event)) => call(&self.events, &event),
                None => break,
            }
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
