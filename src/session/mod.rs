//! Layer 1: the life of a login as a state machine.
//!
//! [`Session::handle`] takes what the world tells, with the time; [`Session::poll_output`] gives what the session asks of
//! the world, until `None`. It reads no clock, draws no randomness, sends nothing and stores nothing.
//!
//! What always holds (`tests/session_properties`):
//!
//! 1. One input, then every output, before the next input; `client::Auth::apply` is the only caller of both.
//! 2. Never two [`output::Output::Refresh`] of one session, of whatever key, without an answer to the first between them.
//! 3. A signed-in session ends only by: a refusal of the grant, a logout, a tombstone, another `sub` in an answer, a
//!    callback that signs in anew, another family in a shared storage, expiry without a refresh token. Network, server and
//!    configuration trouble never do it.
//! 4. [`output::Output::Forget`] exactly when a stored session is left; [`output::Output::StateChanged`] exactly when
//!    [`Session::state`] differs. What was last persisted is what is held, but for what a shared storage has already.
//! 5. Every [`output::Output::WakeAt`] lies in the future; one is outstanding, and not later than that, while the access
//!    token's end lies ahead, and while a refresh by itself is to come.
//! 6. Within a family the generation never goes back; a family that was left does not come back.
//! 7. `handle` is total: any input in any state, no panic. A late answer, of a session that was left, changes nothing.

pub mod error;
mod error_code;
pub mod family;
pub mod input;
pub mod login_loop;
mod machine;
pub mod output;
pub mod record;
pub mod schedule;
pub mod state;
pub mod token_key;
pub mod transaction;

pub use machine::{Lookup, RefreshMode, Session};
