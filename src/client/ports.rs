//! What a client needs of the world, as small traits. `browser::Browser` has them over web APIs,
//! `testing::FakePlatform` in virtual time.

pub use crate::protocol::entropy::Entropy;
use crate::protocol::http::{HttpRequest, HttpResponse};
use crate::protocol::jose::alg::Algorithm;
use crate::protocol::jose::jwk::PublicKey;
use crate::protocol::time::{Now, Timestamp};
use crate::session::family::{Entry, FamilyId};
use core::pin::Pin;

/// All of them.
pub trait Platform:
    Clock + Doorbell + Entropy + Http + Locks + Log + Mailbox + Navigator + Signatures + Spawn + 'static
{
    /// A storage.
    type Storage: Storage;
    /// Where the session is kept, as the application chose.
    fn session_storage(&self) -> &Self::Storage;
    /// Where pending logins are kept: always the tab's own storage.
    fn login_storage(&self) -> &Self::Storage;
}

/// Why no answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportError {
    /// Nothing was sent: the device is offline.
    Offline,
    /// No answer: a lost or refused connection, CORS, a redirect. It may have been sent.
    Network,
    /// No answer in time. It may have been sent.
    Timeout,
    /// An answer beyond any sensible size; its status.
    TooLarge(u16),
}

/// Sends requests: without cookies, cache, referrer and redirects.
pub trait Http {
    /// Sends one, and waits so many seconds for the whole answer.
    ///
    /// # Errors
    /// [`TransportError`] where no answer came.
    fn send(
        &self,
        request: HttpRequest,
        timeout: u32,
    ) -> impl Future<Output = Result<HttpResponse, TransportError>>;
}

/// The two clocks, and one alarm.
pub trait Clock {
    /// Both clocks.
    fn now(&self) -> Now;
    /// Calls back at this time or soon after, also when the device slept, and never more than a minute from now: who is
    /// called looks at the clock. Replaces an earlier wish.
    fn wake_at(&self, at: Timestamp, wake: Box<dyn FnOnce()>);
    /// Calls back whenever the page comes back: visible, online, out of the back/forward cache.
    fn on_resume(&self, resume: Box<dyn Fn()>);
}

/// A storage refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StorageError;

/// A synchronous storage of texts.
pub trait Storage {
    /// Reads.
    ///
    /// # Errors
    /// [`StorageError`] where access is denied.
    fn load(&self, key: &str) -> Result<Option<String>, StorageError>;
    /// Writes, replacing.
    ///
    /// # Errors
    /// [`StorageError`] where it is full or access is denied.
    fn save(&self, key: &str, value: &str) -> Result<(), StorageError>;
    /// Removes; no error where there was nothing.
    ///
    /// # Errors
    /// [`StorageError`] where access is denied.
    fn remove(&self, key: &str) -> Result<(), StorageError>;
    /// The keys that begin so; empty where the storage cannot tell.
    fn keys(&self, prefix: &str) -> Vec<String>;
}

/// Why a lock was not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LockError {
    /// The platform has no locks, or they refuse.
    Absent,
    /// Somebody held it too long.
    Timeout,
}

/// Locks between tabs.
pub trait Locks {
    /// Held until dropped.
    type Guard;
    /// Waits for the lock, so many seconds at the most.
    ///
    /// # Errors
    /// [`LockError`]; the lock is not held then.
    fn acquire(
        &self,
        name: &str,
        timeout: u32,
    ) -> impl Future<Output = Result<Self::Guard, LockError>>;
}

/// What the tabs of a family hand each other.
pub trait Mailbox {
    /// The newest entry of a family; `None` where there is none, and where there is no mailbox.
    fn load(&self, family: &FamilyId) -> impl Future<Output = Option<Entry>>;
    /// Commits an entry: issued in this turn, finished later.
    fn commit(&self, entry: Entry);
}

/// Tells the family's other tabs to look into the mailbox. Carries nothing else.
pub trait Doorbell {
    /// Rings.
    fn ring(&self, family: &FamilyId, generation: u64);
}

/// A signature to check; prints nothing, since it holds the token. Key and algorithm are chosen by the core, the platform only does the arithmetic.
#[allow(
    clippy::exhaustive_structs,
    reason = "made by its callers, all members at once"
)]
pub struct SignatureCheck<'a> {
    /// The algorithm.
    pub algorithm: &'static Algorithm,
    /// The key, fit for it.
    pub key: &'a PublicKey,
    /// What was signed.
    pub signing_input: &'a str,
    /// The signature.
    pub signature: &'a [u8],
    /// The text whose hash is wanted along with the answer, in one crossing: the access token.
    pub hashed: &'a str,
}

/// The platform does not know the algorithm or its curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unsupported;

/// Signature arithmetic.
pub trait Signatures {
    /// Whether there is any on this page: `crypto.subtle` is missing on plain http beyond loopback.
    fn available(&self) -> bool;
    /// If the signature is right: the left half of the digest of `hashed`, by the hash of the algorithm, in base64url
    /// (OIDC Core §3.1.3.8). `None` if it is wrong, and for a key that the platform refuses.
    ///
    /// # Errors
    /// [`Unsupported`] where the platform cannot tell.
    fn verify(
        &self,
        check: &SignatureCheck<'_>,
    ) -> impl Future<Output = Result<Option<String>, Unsupported>>;
}

/// Leaves the page.
pub trait Navigator {
    /// Goes to a URI.
    fn assign(&self, uri: &str);
}

/// Something to run. Boxed: each other type of future would bring its own copy of the executor into the wasm.
pub type Task = Pin<Box<dyn Future<Output = ()>>>;

/// Runs tasks on this thread.
pub trait Spawn {
    /// Runs one to its end, nobody waiting.
    fn spawn(&self, task: Task);
}

/// How grave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Level {
    /// For whoever looks for a fault.
    Debug,
    /// Worth knowing.
    Warn,
}

/// Receives records of what happens. Message and fields are static texts and numbers: a secret has no way in.
pub trait Log {
    /// Takes one.
    fn log(&self, level: Level, message: &'static str, field: Option<(&'static str, &'static str)>);
}
