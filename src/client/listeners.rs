//! Who wants to know, and what they are still to be told. Listeners run when no borrow and no lock is held.

use crate::session::state::{Event, State};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// One list for both kinds: one copy of its code.
type Listener = Rc<dyn Fn(&Notice)>;

enum Notice {
    State(State),
    Event(Event),
}

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
    listeners: Rc<RefCell<Vec<(u32, Listener)>>>,
    /// What they are still to be told: the newest state, then what happened.
    state: RefCell<Option<State>>,
    moments: RefCell<Vec<Event>>,
    last_id: Cell<u32>,
    telling: Cell<bool>,
}

impl Listeners {
    pub(super) fn subscribe(&self, listener: impl Fn(&State) + 'static) -> Subscription {
        self.add(Rc::new(move |notice| {
            if let Notice::State(state) = notice {
                listener(state);
            }
        }))
    }

    pub(super) fn on_event(&self, listener: impl Fn(&Event) + 'static) -> Subscription {
        self.add(Rc::new(move |notice| {
            if let Notice::Event(event) = notice {
                listener(event);
            }
        }))
    }

    pub(super) fn note_state(&self, state: State) {
        self.state.replace(Some(state));
    }

    pub(super) fn note_event(&self, event: Event) {
        self.moments.borrow_mut().push(event);
    }

    /// Tells everything that was noted: the state first, so that who hears of a moment sees the present.
    pub(super) fn tell(&self) {
        if self.telling.replace(true) {
            return;
        }
        while let Some(notice) = self.next() {
            let listeners = self.listeners.borrow().clone();
            for (_, listener) in listeners {
                listener(&notice);
            }
        }
        self.telling.set(false);
    }

    fn next(&self) -> Option<Notice> {
        let state = self.state.take();
        state.map(Notice::State).or_else(|| {
            let mut moments = self.moments.borrow_mut();
            (!moments.is_empty()).then(|| Notice::Event(moments.remove(0)))
        })
    }

    fn add(&self, listener: Listener) -> Subscription {
        let id = self.last_id.get() + 1;
        self.last_id.set(id);
        self.listeners.borrow_mut().push((id, listener));
        let listeners = Rc::downgrade(&self.listeners);
        Subscription(Box::new(move || {
            if let Some(listeners) = listeners.upgrade() {
                listeners.borrow_mut().retain(|(known, _)| *known != id);
            }
        }))
    }
}
