//! Layer 2: [`Auth`], which acts: async, over ports, never over a web crate.
//!
//! Each flow has a file: [`start`](Auth::start), [`login`](Auth::begin_login), [`callback`](Auth::handle_callback),
//! [`refresh`](Auth::access_token), [`logout`](Auth::begin_logout). What a session is and when it refreshes is decided
//! in [`crate::session`]; `Auth::apply` is the one place where that is turned into deeds.

mod access_token;
mod callback;
mod config;
mod family;
mod flight;
mod listeners;
mod login;
mod login_loop;
mod logout;
mod metadata;
pub mod ports;
mod refresh;
mod secondary;
mod start;
mod userinfo;
mod verify;

pub use crate::session::error::{Error, ErrorCode, ErrorKind};
pub use crate::session::state::{Event, State};
pub use access_token::{AccessToken, TokenOptions};
pub use callback::CallbackResult;
pub use config::{Config, ConfigBuilder};
pub use listeners::Subscription;
pub use login::LoginOptions;
pub use logout::LogoutOptions;

use crate::protocol::base64url;
use crate::protocol::entropy::Entropy;
use crate::protocol::jose::jwk::JwkSet;
use crate::protocol::json::Json;
use crate::protocol::metadata::ServerMetadata;
use crate::protocol::secret::Secret;
use crate::protocol::time::Now;
use crate::session::Session;
use crate::session::family::FamilyId;
use crate::session::input::{Input, Ticket};
use crate::session::output::Output;
use crate::session::record::{Record, TokenKey};
use crate::session::state::{SignedOutReason, Warning};
use callback::Callback;
use core::task::Waker;
use family::Pending;
use flight::{Flight, Landing};
use listeners::Listeners;
use metadata::Cached;
use ports::Platform;
use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

/// A client of one authorization server. Cheap to clone; all clones are one client.
pub struct Auth<P: Platform>(Rc<Inner<P>>);

impl<P: Platform> Clone for Auth<P> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// A client that does not keep itself alive: for its own listeners.
pub struct WeakAuth<P: Platform>(Weak<Inner<P>>);

impl<P: Platform> WeakAuth<P> {
    /// The client, if somebody still has it.
    #[must_use]
    pub fn upgrade(&self) -> Option<Auth<P>> {
        self.0.upgrade().map(Auth)
    }
}

struct Inner<P: Platform> {
    config: Config,
    platform: P,
    session: RefCell<Session>,
    listeners: Listeners,
    started: Landing,
    callbacks: RefCell<Vec<Rc<Callback>>>,
    refresh: Flight,
    /// The last access token that was refreshed because an API refused it.
    refused: RefCell<Option<Secret>>,
    /// What the last run of `refresh` was begun for.
    refreshed: RefCell<Option<Ticket>>,
    metadata: RefCell<Option<Cached<ServerMetadata>>>,
    metadata_flight: Flight,
    jwks: RefCell<Option<Cached<JwkSet>>>,
    jwks_flight: Flight,
    /// When they were asked for again for a `kid` that they lacked.
    jwks_renewed_at: Cell<Option<Now>>,
    /// The storage holds a record of a newer version: left alone, this session lives in memory.
    storage_is_newer: Cell<bool>,
    /// What the mailbox will say to what was last handed to it.
    receipt: RefCell<Option<Pending>>,
    /// Sign-ins whose receipt is waited for.
    arriving: Cell<u32>,
    /// To be rung, once no lock is held.
    rings: RefCell<Vec<(FamilyId, u64)>>,
    /// Who waits for the session to change.
    watchers: RefCell<Vec<Waker>>,
    warned: RefCell<Vec<Warning>>,
    /// A login has left without the user's doing, and its callback has not come.
    has_left: Cell<bool>,
    /// So many more logins may be pending before those that nobody will come back from are looked for.
    room_for_logins: Cell<usize>,
}

impl<P: Platform> Auth<P> {
    /// A client. Does nothing before [`Auth::start`].
    #[must_use]
    pub fn new(config: Config, platform: P) -> Self {
        let mut seed = [0; 4];
        // Only spreads refreshes: without randomness they are merely not spread.
        let _ = platform.fill(&mut seed);
        let session = RefCell::new(Session::new(config.refresh, u32::from_le_bytes(seed)));
        let auth = Self(Rc::new(Inner {
            config,
            platform,
            session,
            listeners: Listeners::default(),
            started: Landing::default(),
            callbacks: RefCell::default(),
            refresh: Flight::default(),
            refused: RefCell::default(),
            refreshed: RefCell::default(),
            metadata: RefCell::default(),
            metadata_flight: Flight::default(),
            jwks: RefCell::default(),
            jwks_flight: Flight::default(),
            jwks_renewed_at: Cell::default(),
            storage_is_newer: Cell::new(false),
            receipt: RefCell::default(),
            arriving: Cell::default(),
            rings: RefCell::default(),
            watchers: RefCell::default(),
            warned: RefCell::default(),
            has_left: Cell::default(),
            room_for_logins: Cell::default(),
        }));
        let weak = Rc::downgrade(&auth.0);
        auth.0
            .platform
            .on_resume(Box::new(move || Self::wake(&weak, Input::Resumed)));
        let weak = auth.downgrade();
        auth.0.platform.on_ring(Box::new(move |family, generation| {
            if let Some(auth) = weak.upgrade() {
                auth.hear_ring(family, generation);
            }
        }));
        auth
    }

    /// The client, without keeping it alive.
    #[must_use]
    pub fn downgrade(&self) -> WeakAuth<P> {
        WeakAuth(Rc::downgrade(&self.0))
    }

    /// The present.
    #[must_use]
    pub fn state(&self) -> State {
        self.0.session.borrow().state().clone()
    }

    /// Calls back on every change of [`Auth::state`], until the subscription is dropped.
    pub fn subscribe(&self, listener: impl Fn(&State) + 'static) -> Subscription {
        self.0.listeners.subscribe(listener)
    }

    /// Calls back on every moment, until the subscription is dropped.
    pub fn on_event(&self, listener: impl Fn(&Event) + 'static) -> Subscription {
        self.0.listeners.on_event(listener)
    }

    /// The raw ID Token, for services that want it; `None` where there is none.
    #[must_use]
    pub fn id_token(&self) -> Option<String> {
        let session = self.0.session.borrow();
        session
            .record()?
            .id_token
            .as_ref()
            .map(|token| token.expose().to_owned())
    }

    /// What the npm package's facade reads of the session, access tokens included; `None` without one.
    #[must_use]
    pub fn view(&self) -> Option<Json> {
        self.0.session.borrow().record().map(Record::view)
    }

    /// The session that is held now, all of it.
    #[inline(never)]
    fn held(&self) -> Option<Box<Record>> {
        let session = self.0.session.borrow();
        session.record().map(|record| Box::new(record.clone()))
    }

    /// Why there is no session, once it is known that there is none.
    #[inline(never)]
    fn ended(&self) -> Option<SignedOutReason> {
        self.0.session.borrow().ended()
    }

    fn now(&self) -> Now {
        self.0.platform.now()
    }

    /// The world that it acts in.
    #[cfg(all(target_arch = "wasm32", feature = "js"))]
    pub(crate) fn platform(&self) -> &P {
        &self.0.platform
    }

    /// One input, then every output. Listeners are told by [`Auth::tell`], once no borrow and no lock is held.
    fn apply(&self, input: Input) {
        let now = self.now();
        self.0.session.borrow_mut().handle(input, now);
        loop {
            let output = self.0.session.borrow_mut().poll_output();
            match output {
                None => break,
                Some(output) => self.act(output),
            }
        }
        // Who queues for the lock looks whether there is still something to queue for.
        let watchers = self.0.watchers.take();
        watchers.into_iter().for_each(Waker::wake);
    }

    fn act(&self, output: Output) {
        let platform = &self.0.platform;
        match output {
            Output::Persist(record) => self.persist(record.expose(), false),
            Output::PersistAnew(record) => self.persist(record.expose(), true),
            Output::Forget(family) => self.forget(&family),
            // What a sign-in brought before the rest of the program was there is published along with its settling.
            Output::Publish => {
                if platform.has_secondary() {
                    drop(self.0.receipt.replace(self.publish_record()));
                }
            }
            Output::Mark(family, generation, unanswered) => {
                platform.mark(&family, generation, unanswered);
            }
            Output::End(family, subject) => self.end_family(&family, subject.as_deref()),
            Output::Ring(family, generation) => {
                self.0.rings.borrow_mut().push((family, generation));
            }
            Output::Refresh(_) => {
                // Drawn now: when the task runs, somebody may have done it already. Or is at it: then that will do.
                let ticket = self.ticket(&TokenKey::default());
                if let Some(ticket) = ticket.filter(|ticket| !self.is_refreshing(ticket)) {
                    let auth = self.clone();
                    platform.spawn(Box::pin(async move {
                        // The session is told how it went; nobody else waits for it.
                        let _ = auth.refresh(ticket).await;
                    }));
                }
            }
            Output::WakeAt(at) => {
                let weak = Rc::downgrade(&self.0);
                platform.wake_at(at, Box::new(move || Self::wake(&weak, Input::Wake)));
            }
            Output::Emit(event) => self.0.listeners.note_event(event),
            Output::StateChanged => self.0.listeners.note_state(self.state()),
        }
    }

    /// Notes a warning, each once.
    fn warn(&self, warning: Warning) {
        let mut warned = self.0.warned.borrow_mut();
        if !warned.contains(&warning) {
            warned.push(warning);
            self.0.listeners.note_event(Event::Warning(warning));
        }
    }

    /// Tells other tabs, then listeners, what was noted: no lock is held by now.
    fn tell(&self) {
        let rings = self.0.rings.take();
        for (family, generation) in rings {
            self.0.platform.ring(&family, generation);
        }
        self.0.listeners.tell();
    }

    fn wake(weak: &Weak<Inner<P>>, input: Input) {
        if let Some(inner) = weak.upgrade() {
            let auth = Self(inner);
            let came_back = matches!(input, Input::Resumed);
            auth.apply(input);
            if came_back {
                auth.follow_this_tab();
                auth.look_soon();
            }
            auth.tell();
        }
    }
}

fn no_entropy(_: crate::protocol::entropy::NoEntropy) -> Error {
    Error::unsupported_environment("crypto.getRandomValues")
}

/// Whether a text can be returned to: a path of this origin, in a form that no browser takes for another origin.
fn is_local_path(text: &str) -> bool {
    let second = text.as_bytes().get(1);
    text.starts_with('/')
        && !matches!(second, Some(b'/' | b'\\'))
        && !text.bytes().any(|b| b < 0x20 || b == 0x7F)
}

/// 256 random bits as text.
fn random(platform: &impl Entropy) -> Result<String, Error> {
    crate::protocol::entropy::random_bytes(platform)
        .map(|bytes| base64url::encode(&bytes))
        .map_err(no_entropy)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn only_paths_of_this_origin_are_returned_to() {
        for path in ["/", "/a", "/a?b=//c#d", "/%2f%2fevil"] {
            assert!(is_local_path(path), "{path}");
        }
        for path in [
            "",
            "a",
            "//evil",
            "/\\evil",
            "https://evil",
            "javascript:alert(1)",
            "/\n/evil",
            "/\t/evil",
            "\\/evil",
            " /a",
        ] {
            assert!(!is_local_path(path), "{path}");
        }
    }
}
