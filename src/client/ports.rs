//! What a client needs of the world, as small traits. `browser::Browser` has them over web APIs,
//! `testing::FakePlatform` in virtual time.

pub use crate::protocol::entropy::Entropy;
use crate::protocol::http::{HttpRequest, HttpResponse};
use crate::protocol::jose::alg::Algorithm;
use crate::protocol::jose::jwk::PublicKey;
use crate::protocol::time::{Now, Timestamp};
use crate::session::family::{FamilyId, Letter};
use core::pin::Pin;

/// All of them.
pub trait Platform:
    Clock
    + Doorbell
    + Entropy
    + Http
    + Locks
    + Log
    + Mailbox
    + Navigator
    + Secondary
    + Signatures
    + Spawn
    + 'static
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
    /// Whether other tabs write here, too: then it may be behind, and what it has may be another tab's.
    fn is_shared(&self) -> bool;
    /// Whether nothing is kept, and nothing is meant to be: the session lives in memory.
    fn is_memory(&self) -> bool {
        false
    }
}

/// Why a lock was not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LockError {
    /// The platform has no way to keep tabs apart.
    Absent,
    /// Somebody held it too long.
    Timeout,
}

/// What keeps tabs apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "made by platforms")]
pub enum Exclusion {
    /// A Web Lock: given back by the browser when the page dies.
    Lock,
    /// A lease in the mailbox, or a claim among tabs that are awake, where there are no Web Locks or they refuse.
    Lease,
}

/// Locks between tabs.
pub trait Locks {
    /// Held, or queued for, until dropped.
    type Guard;
    /// Waits for the lock, so many seconds at the most; leaves the queue when dropped.
    ///
    /// # Errors
    /// [`LockError`]; the lock is not held then.
    fn acquire(
        &self,
        name: &str,
        timeout: u32,
    ) -> impl Future<Output = Result<(Self::Guard, Exclusion), LockError>>;
}

/// What the mailbox has of a family.
#[derive(Clone, Debug)]
#[allow(clippy::exhaustive_enums, reason = "made by platforms")]
pub enum Posted {
    /// Nothing.
    Nothing,
    /// Its newest generation.
    Letter {
        /// Which.
        generation: u64,
        /// The record, sealed.
        sealed: String,
        /// A refresh of it was sent, and no answer to it is known.
        unanswered: bool,
    },
    /// The family has ended.
    Ended,
}

/// What became of what was handed to the mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "made by platforms")]
pub enum Receipt {
    /// It is in.
    Kept,
    /// It is not: the mailbox has this generation, the same or a later one.
    Surpassed(u64),
    /// It is not: the family has ended.
    Ended,
    /// There is no mailbox, or it refused. Tabs that are awake were handed it all the same.
    Absent,
}

/// There is no mailbox on this page, or it refused.
#[derive(Clone, Debug)]
#[allow(clippy::exhaustive_structs, reason = "made by platforms")]
pub struct NoMailbox(
    /// What tabs that are awake say of the family.
    pub Posted,
);

/// What was asked in one turn, and comes in a later one. Boxed, so that it can be kept.
pub type Later<T> = Pin<Box<dyn Future<Output = T>>>;

/// What stands in the rest of the program: the compiler is not to see, where this is called, what it is.
pub(crate) fn apart<T>(future: impl Future<Output = T> + 'static) -> Later<T> {
    core::hint::black_box(Box::pin(future))
}

/// What the tabs of a family hand each other: an append-only log of sealed records, and of families that have ended.
pub trait Mailbox {
    /// What there is of a family, before anything that is handed in after this: asked in this turn.
    ///
    /// # Errors
    /// [`NoMailbox`]; tabs that are awake were asked then.
    fn newest(&self, family: &FamilyId) -> Later<Result<Posted, NoMailbox>>;
    /// Adds a letter, and drops older ones of its family. Issued in this turn, whether or not the receipt is waited for;
    /// it outlives the page.
    fn post(&self, letter: &Letter) -> Later<Receipt>;
    /// Notes that a refresh of this generation was sent, or that it is known what became of it. Issued in this turn.
    fn mark(&self, family: &FamilyId, generation: u64, unanswered: bool);
    /// Ends a family for ever, and all of an owner, and rings for each. With `unless_above` only where there is nothing
    /// above this generation. Issued in this turn; it outlives the page.
    fn end(
        &self,
        family: &FamilyId,
        owner: Option<&str>,
        unless_above: Option<u64>,
    ) -> Later<Receipt>;
}

/// What is done when another tab rings: it is given the family and its generation.
pub type OnRing = Box<dyn Fn(&str, u64)>;

/// Tells the family's other tabs to look into the mailbox. Carries nothing else: a ring that is lost, late, forged or
/// repeated costs a look.
pub trait Doorbell {
    /// Rings; with [`u64::MAX`] for a family that has ended.
    fn ring(&self, family: &FamilyId, generation: u64);
    /// Calls back with family and generation when another tab rings, and with an empty family when one has written to a
    /// shared storage.
    fn on_ring(&self, hear: OnRing);
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

/// The rest of the program could not be loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotLoaded;

/// The rest of the program: what signing in does not need may travel apart (docs/size.md).
pub trait Secondary {
    /// Whether it is there: always, where it does not travel apart.
    fn has_secondary(&self) -> bool {
        true
    }
    /// Waits until it is there, and loads it if need be.
    ///
    /// # Errors
    /// [`NotLoaded`]; the next call tries again.
    async fn load_secondary(&self) -> Result<(), NotLoaded> {
        Ok(())
    }
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
