//! Tabs, crashes, lost answers, jumping clocks and a server in trouble, in any order: no session is lost that could be
//! kept, and no refresh token is sent twice without cause.

use crate::play::{Kind, Play, Step};
use crate::server::Fault;
use countersign::testing::Conditions;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

fn conditions() -> impl Strategy<Value = Conditions> {
    let storage = (prop::sample::select(vec![0, 2, 5, 50]), any::<bool>());
    let bell = (
        prop::sample::select(vec![0, 3, 50, 1000]),
        0..2_u32,
        prop::sample::select(vec![0, 0, 1, 3]),
    );
    let rest = (
        prop::sample::select(vec![0, 1, 20, 200]),
        prop::sample::select(vec![0, 0, 0, 10]),
    );
    (storage, bell, rest).prop_map(|(storage, bell, rest)| {
        let mut conditions = Conditions::default();
        (conditions.storage_lag, conditions.storage_events) = storage;
        (conditions.ring_delay, conditions.ring_repeats) = (bell.0, bell.1);
        conditions.rings_lost = bell.2;
        (conditions.mailbox_delay, conditions.writes_lost) = rest;
        conditions
    })
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        Just(Fault::LostRequest),
        Just(Fault::LostAnswer),
        Just(Fault::NoAnswer),
        Just(Fault::Status(503)),
        Just(Fault::Html),
        Just(Fault::TooMany(3)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let tab = 0..6_usize;
    prop_oneof![
        6 => (0..400_i64).prop_map(Step::Pass),
        4 => (1..90_i64).prop_map(|seconds| Step::Pass(seconds * 1000)),
        1 => (1..100_000_i64).prop_map(Step::Sleep),
        1 => (-100_000..100_000_i64).prop_map(Step::ClockBack),
        2 => any::<bool>().prop_map(|shared| Step::Open { shared }),
        3 => tab.clone().prop_map(Step::Duplicate),
        1 => tab.clone().prop_map(Step::Close),
        3 => tab.clone().prop_map(Step::Reload),
        2 => (tab.clone(), 0..12_u32).prop_map(|(tab, effects)| Step::DieAfter(tab, effects)),
        2 => tab.clone().prop_map(Step::Freeze),
        1 => tab.clone().prop_map(Step::Cache),
        3 => tab.clone().prop_map(Step::Wake),
        2 => tab.clone().prop_map(Step::Resume),
        6 => (tab.clone(), any::<bool>()).prop_map(|(tab, force)| Step::Ask(tab, force)),
        3 => (tab.clone(), 0..2_u8).prop_map(|(tab, user)| Step::SignIn(tab, user)),
        1 => tab.prop_map(Step::LogOut),
        2 => fault().prop_map(Step::Fault),
        1 => any::<bool>().prop_map(Step::Offline),
        1 => (0..300_i64).prop_map(Step::Delay),
        2 => conditions().prop_map(Step::Conditions),
    ]
}

/// Everything begins with a session in tabs of both kinds.
pub(crate) fn begun(kind: Kind) -> Play {
    let mut play = Play::new(kind);
    for step in [
        Step::Open { shared: false },
        Step::SignIn(0, 0),
        Step::Duplicate(0),
        Step::Open { shared: true },
        Step::SignIn(2, 0),
        Step::Open { shared: true },
        Step::Delay(50),
    ] {
        play.take(&step);
    }
    play
}

/// More of them, for who has the time: `COUNTERSIGN_CASES=20`.
fn many() -> u32 {
    let many = std::env::var("COUNTERSIGN_CASES").ok();
    many.and_then(|many| many.parse().ok()).unwrap_or(1)
}

fn runs(kind: Kind, cases: u32) {
    let config = Config {
        cases: cases * many(),
        failure_persistence: None,
        max_shrink_iters: 400,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::XorShift);
    TestRunner::new_with_rng(config, rng)
        .run(&prop::collection::vec(step(), 1..40), |steps| {
            let mut play = begun(kind);
            steps.iter().for_each(|step| play.take(step));
            play.check();
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn with_locks_no_session_is_lost_that_could_be_kept() {
    runs(Kind::Locks, 150);
}

#[test]
fn with_leases_no_session_is_lost_that_could_be_kept() {
    runs(Kind::Leases, 60);
}
