//! The invariants of `session/mod.rs`, over long random sequences of inputs: in order, late, twice, and with clocks that
//! jump.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::wildcard_enum_match_arm,
    reason = "tests"
)]

mod model;
mod steps;

use countersign::session::RefreshMode;
use countersign::session::input::Input;
use countersign::session::output::Output;
use countersign::session::record::{Record, Stored, TokenKey};
use countersign::session::state::Event;
use model::Model;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use steps::step;

fn runner(cases: u32) -> TestRunner {
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::XorShift))
}

#[test]
fn the_invariants_hold_over_long_sequences() {
    let modes = prop_oneof![4 => Just(RefreshMode::Auto), 1 => Just(RefreshMode::OnDemand), 1 => Just(RefreshMode::Off)];
    let sequences = (modes, prop::collection::vec(step(), 1..120));
    runner(100)
        .run(&sequences, |(mode, steps)| {
            let mut model = Model::new(mode);
            for step in &steps {
                model.take(step);
            }
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn the_sequences_reach_what_the_invariants_are_about() {
    let mut seen = [0_u32; 8];
    let mut runner = runner(1);
    let sequence = prop::collection::vec(step(), 150);
    for _ in 0..80 {
        let steps = sequence.new_tree(&mut runner).unwrap().current();
        let mut model = Model::new(RefreshMode::Auto);
        for step in &steps {
            let (asked, was_live) = (model.asked.clone(), model.session.record().is_some());
            model.take(step);
            seen[0] += u32::from(model.asked.is_some() && model.asked != asked);
            seen[1] += u32::from(was_live && model.session.record().is_none());
            seen[2] += u32::from(model.blocked);
            seen[3] += u32::from(
                model
                    .session
                    .record()
                    .is_some_and(|record| record.generation > 3),
            );
            seen[4] += u32::from(
                model
                    .session
                    .record()
                    .is_some_and(|record| record.unanswered),
            );
            let keys = model
                .session
                .record()
                .map_or(0, |record| record.tokens.len());
            seen[6] += u32::from(keys > 1);
            let other = TokenKey::new(Some("1"), None, None);
            let is_free = model
                .session
                .blocked(&TokenKey::default(), model.now)
                .is_none();
            seen[7] += u32::from(is_free && model.session.blocked(&other, model.now).is_some());
            seen[5] += u32::from(
                model
                    .session
                    .blocked(&TokenKey::default(), model.now)
                    .is_some(),
            );
        }
    }
    assert!(seen.iter().all(|count| *count > 20), "{seen:?}");
}

#[test]
fn a_record_comes_back_from_its_text_whatever_happened() {
    runner(40)
        .run(&prop::collection::vec(step(), 1..60), |steps| {
            let mut model = Model::new(RefreshMode::Auto);
            for step in &steps {
                model.take(step);
            }
            if let Some(text) = model.encoded() {
                match Record::decode(&text, model.now) {
                    Stored::Record(back) => assert_eq!(back.encode(), text),
                    other => panic!("{other:?}"),
                }
            }
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn events_tell_of_no_session_that_is_not_there() {
    runner(40)
        .run(&prop::collection::vec(step(), 1..80), |steps| {
            let mut session = Model::new(RefreshMode::Auto);
            for step in &steps {
                session.take(step);
            }
            session.session.handle(Input::LoggedOut, session.now);
            let events: Vec<_> = std::iter::from_fn(|| session.session.poll_output())
                .filter_map(|output| {
                    if let Output::Emit(event) = output {
                        Some(event)
                    } else {
                        None
                    }
                })
                .collect();
            assert!(
                events
                    .iter()
                    .all(|event| matches!(event, Event::SignedOut(_))),
                "{events:?}"
            );
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}
