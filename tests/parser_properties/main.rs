//! What must hold of every parser: what was written is read again, whatever comes is answered, and a megabyte of anything
//! takes no longer than a megabyte may.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::wildcard_enum_match_arm,
    unreachable_pub,
    reason = "tests"
)]

mod answers;
mod hostile;
mod jose;
mod json;
mod stored;
mod text;
mod total;

#[path = "../../fuzz/src/lib.rs"]
mod targets;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Holds a property to so many values, the same in each run.
fn check<S: Strategy>(cases: u32, values: S, property: impl Fn(S::Value)) {
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::XorShift);
    TestRunner::new_with_rng(config, rng)
        .run(&values, |value| {
            property(value);
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}
