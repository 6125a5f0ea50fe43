//! Layer 3a: the ports over web APIs. wasm32 only.

mod clock;
mod http;
mod locks;
mod mailbox;
mod port;
mod signatures;
mod storage;

use crate::client::ports::{
    Entropy, Level, Log, Navigator, NotLoaded, Platform, Secondary, Spawn, Task,
};
use crate::protocol::entropy::NoEntropy;
use core::cell::Cell;
use js_sys::Function;
pub use locks::Guard;
use port::Line;
use std::rc::Rc;
pub use storage::BrowserStorage;

/// A browser page.
pub struct Browser {
    session_storage: BrowserStorage,
    login_storage: BrowserStorage,
    line: Rc<Line>,
    /// Only the npm package has it apart.
    has_secondary: Cell<bool>,
}

impl Browser {
    /// The page that this runs in, with its sessionStorage.
    #[must_use]
    pub fn new() -> Self {
        Self::with(BrowserStorage::tab(), BrowserStorage::tab(), None, None)
    }

    /// With a storage for the session, one for pending logins, a stand-in for `fetch`
    /// (`(Request, endpoint) => Promise<Response>`), and a receiver of log records (`(level, message, name, value)`).
    #[must_use]
    pub fn with(
        session: BrowserStorage,
        login: BrowserStorage,
        transport: Option<Function>,
        log: Option<Function>,
    ) -> Self {
        Self {
            session_storage: session,
            login_storage: login,
            line: Rc::new(Line::new(transport, log)),
            has_secondary: Cell::new(cfg!(not(feature = "js"))),
        }
    }
}

impl Default for Browser {
    fn default() -> Self {
        Self::new()
    }
}

impl Platform for Browser {
    type Storage = BrowserStorage;

    fn session_storage(&self) -> &BrowserStorage {
        &self.session_storage
    }

    fn login_storage(&self) -> &BrowserStorage {
        &self.login_storage
    }
}

impl Entropy for Browser {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoEntropy> {
        getrandom::fill(buffer).map_err(|_| NoEntropy)
    }
}

impl Spawn for Browser {
    fn spawn(&self, task: Task) {
        self.line.spawn(task);
    }
}

#[cfg(feature = "js")]
impl Browser {
    /// Runs a task of the exports: JavaScript has just called, so nobody is in the middle of something.
    pub(crate) fn run_now(&self, task: Task) {
        self.line.run_now(task);
    }
}

impl Secondary for Browser {
    fn has_secondary(&self) -> bool {
        self.has_secondary.get()
    }

    async fn load_secondary(&self) -> Result<(), NotLoaded> {
        if !self.has_secondary() {
            let call = self.line.call();
            self.line.port.load_secondary(call.ticket);
            let (code, _) = call.await;
            self.has_secondary.set(code == port::LOADED);
        }
        self.has_secondary().then_some(()).ok_or(NotLoaded)
    }
}

impl Navigator for Browser {
    fn assign(&self, uri: &str) {
        port::assign(uri);
    }
}

impl Log for Browser {
    fn log(
        &self,
        level: Level,
        message: &'static str,
        field: Option<(&'static str, &'static str)>,
    ) {
        let level = if level == Level::Warn {
            "warn"
        } else {
            "debug"
        };
        let (name, value) = field.unwrap_or_default();
        self.line.port.log(level, message, name, value);
    }
}
