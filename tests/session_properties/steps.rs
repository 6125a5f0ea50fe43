//! What may happen.

use countersign::protocol::token::RefreshFailure;
use proptest::prelude::*;

/// One step of a world that does whatever it likes.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Restored(Option<Tokens>),
    SignedIn(u8, Tokens),
    CallbackFailed,
    /// A refresh is sent, for the default token or for another API.
    Started(u8),
    /// The answer to the request sent so many requests ago.
    Refreshed(usize, Tokens),
    Failed(usize, RefreshFailure, Option<u32>),
    UserConfirmed(usize),
    UserChanged(usize),
    Wake,
    Resumed,
    /// Another tab is so many generations ahead (or behind).
    OtherTab(i8, Tokens),
    OtherFamily(Tokens),
    Tombstone(bool),
    LoggedOut,
    /// Seconds by the wall clock and by the monotonic one.
    Pass(i64, i64),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Tokens {
    pub(crate) lifetime: Option<i64>,
    pub(crate) refresh_token: bool,
}

fn tokens() -> impl Strategy<Value = Tokens> {
    let lifetime = prop_oneof![
        Just(None),
        Just(Some(0)),
        Just(Some(5)),
        Just(Some(60)),
        Just(Some(3600))
    ];
    (lifetime, prop::bool::weighted(0.8)).prop_map(|(lifetime, refresh_token)| Tokens {
        lifetime,
        refresh_token,
    })
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let failure = prop_oneof![
        1 => Just(RefreshFailure::Rejected),
        1 => Just(RefreshFailure::Misconfigured),
        3 => Just(RefreshFailure::Transient),
        3 => Just(RefreshFailure::Unknown),
    ];
    let ago = 0..3_usize;
    prop_oneof![
        1 => prop::option::of(tokens()).prop_map(Step::Restored),
        2 => (0..2_u8, tokens()).prop_map(|(user, tokens)| Step::SignedIn(user, tokens)),
        1 => Just(Step::CallbackFailed),
        6 => prop_oneof![2 => Just(0), 1 => 1..3_u8].prop_map(Step::Started),
        6 => (ago.clone(), tokens()).prop_map(|(ago, tokens)| Step::Refreshed(ago, tokens)),
        5 => (ago.clone(), failure, prop::option::of(0..100_u32)).prop_map(|(ago, failure, wait)| Step::Failed(ago, failure, wait)),
        1 => ago.clone().prop_map(Step::UserConfirmed),
        1 => ago.prop_map(Step::UserChanged),
        4 => Just(Step::Wake),
        2 => Just(Step::Resumed),
        2 => (-1..3_i8, tokens()).prop_map(|(ahead, tokens)| Step::OtherTab(ahead, tokens)),
        1 => tokens().prop_map(Step::OtherFamily),
        1 => prop::bool::weighted(0.3).prop_map(Step::Tombstone),
        1 => Just(Step::LoggedOut),
        4 => (0..100_i64).prop_map(|seconds| Step::Pass(seconds, seconds)),
        1 => (0..100_000_i64, Just(0)).prop_map(|(wall, mono)| Step::Pass(wall, mono)),
        1 => (-100_000..0_i64, 0..100_i64).prop_map(|(wall, mono)| Step::Pass(wall, mono)),
    ]
}
