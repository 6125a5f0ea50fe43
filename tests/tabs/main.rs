//! Several tabs on one world that is as nasty as browsers are.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::wildcard_enum_match_arm,
    reason = "tests"
)]

mod interleaved;
mod play;
mod rules;
mod server;
#[path = "../support/mod.rs"]
mod support;
mod world;
