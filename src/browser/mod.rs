//! Layer 3a: the ports over web APIs. wasm32 only.

mod clock;
mod http;
mod locks;
mod port;
mod signatures;
mod storage;

use crate::client::ports::{
    Doorbell, Entropy, Later, Level, Log, Mailbox, Navigator, NoMailbox, OnRing, Platform, Posted,
    Receipt, Spawn, Task,
};
use crate::protocol::entropy::NoEntropy;
use crate::session::family::{FamilyId, Letter};
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

impl Navigator for Browser {
    fn assign(&self, uri: &str) {
        port::assign(uri);
    }
}

/// The mailbox and the doorbell between tabs are not built in this version: every tab is on its own, as it would be with
/// neither IndexedDB nor BroadcastChannel.
impl Mailbox for Browser {
    fn newest(&self, _family: &FamilyId) -> Later<Result<Posted, NoMailbox>> {
        Box::pin(core::future::ready(Err(NoMailbox(Posted::Nothing))))
    }

    fn post(&self, _letter: &Letter) -> Later<Receipt> {
        Box::pin(core::future::ready(Receipt::Absent))
    }

    fn mark(&self, _family: &FamilyId, _generation: u64, _unanswered: bool) {}

    fn end(
        &self,
        _family: &FamilyId,
        _owner: Option<&str>,
        _unless_above: Option<u64>,
    ) -> Later<Receipt> {
        Box::pin(core::future::ready(Receipt::Absent))
    }
}

impl Doorbell for Browser {
    fn ring(&self, _family: &FamilyId, _generation: u64) {}

    fn on_ring(&self, _hear: OnRing) {}
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
