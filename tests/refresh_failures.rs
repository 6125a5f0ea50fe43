//! Refreshes that fail: what each answer means, and what stays as it was.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::wildcard_enum_match_arm,
    reason = "tests"
)]

mod support;

use countersign::client::ports::{Locks, TransportError};
use countersign::client::{Event, State};
use countersign::protocol::error::Endpoint;
use countersign::protocol::http::HttpResponse;
use countersign::session::RefreshMode;
use countersign::session::state::{Freshness, SignedOutReason, Via, Warning};
use countersign::testing::{Reply, Trouble, World};
use support::*;

#[test]
fn rf9_offline_keeps_the_session_and_coming_back_refreshes() {
    let (world, _, page) = signed_in_for(60);
    let before = page.stored().unwrap();
    world.set_offline(true);
    world.advance(600);
    let state = page.signed_in();
    assert_eq!(state.freshness, Freshness::Stale);
    assert_eq!(
        told(state.error.as_ref().unwrap()),
        r#"network {"endpoint":"token"}"#
    );
    assert_eq!(
        page.stored().unwrap(),
        before,
        "nothing was sent, nothing is marked"
    );
    assert_eq!(page.token_requests(), 1);
    assert_eq!(
        told(&page.access_token().unwrap_err()),
        r#"network {"endpoint":"token"}"#
    );

    world.set_offline(false);
    page.tab.resume();
    assert_eq!(page.token_requests(), 2, "at once, not after the back-off");
    let state = page.signed_in();
    assert_eq!((state.freshness, &state.error), (Freshness::Fresh, &None));
    assert!(page.access_token().is_ok());
}

#[test]
fn rf5_back_off_grows_and_retries_by_itself() {
    let (world, _, page) = signed_in_for(60);
    for _ in 0..4 {
        world.queue(Endpoint::Token, Reply::with_status(503, ""));
    }
    world.advance(120);
    let times: Vec<_> = world
        .requests_to(Endpoint::Token)
        .iter()
        .skip(1)
        .map(|request| request.at.monotonic)
        .collect();
    let gaps: Vec<_> = times
        .windows(2)
        .map(|pair| pair[1] - pair[0])
        .take(4)
        .collect();
    for (gap, base) in gaps.iter().zip([1000, 2000, 4000, 8000]) {
        assert!((base..=base * 5 / 4).contains(gap), "{gaps:?}");
    }
    assert_eq!(gaps.len(), 4);
    assert_eq!(page.signed_in().error, None);
}

#[test]
fn rf5_retry_after_is_heeded_by_the_timer_by_coming_back_and_by_every_wish() {
    let (world, _, page) = signed_in_for(60);
    world.queue(Endpoint::Token, Reply::with_status(429, "").retry_after(30));
    world.advance(50);
    assert_eq!(page.token_requests(), 2);
    let asked_at = world.requests().pop().unwrap().at.monotonic;
    world.advance(5);
    page.tab.resume();
    let error = page.access_token().err();
    assert_eq!(page.token_requests(), 2);
    world.advance(60);
    let next = &world.requests_to(Endpoint::Token)[2];
    assert!(
        (30_000..=38_000).contains(&(next.at.monotonic - asked_at)),
        "{}",
        next.at.monotonic - asked_at
    );
    assert!(error.is_none_or(|error| told(&error).contains("429")));
    assert_eq!(page.signed_in().freshness, Freshness::Fresh);
}

#[test]
fn an_application_that_asks_in_a_loop_hears_the_same_error_at_once() {
    let (world, _, page) = signed_in_for(60);
    world.sleep(60);
    world.queue(Endpoint::Token, Reply::with_status(503, ""));
    let error = page.access_token().unwrap_err();
    assert!(error.is_retryable());
    let before = page.token_requests();
    for _ in 0..100 {
        assert_eq!(page.access_token().unwrap_err(), error);
    }
    assert_eq!(page.token_requests(), before);
}

/// What one answer to a refresh does to a session that was good.
#[derive(Debug, PartialEq)]
enum After {
    /// Kept, tried again by itself.
    Retried,
    /// Kept, not tried again.
    Blocked,
    /// Ended for this reason.
    Ended(SignedOutReason),
}

#[test]
fn rf5_each_answer_has_its_class() {
    let json = |status, body: &str| Reply::with_status(status, body);
    let error = |status, code: &str| json(status, &format!(r#"{{"error":"{code}"}}"#));
    let html = |status| Reply::response(HttpResponse::new(status, "text/html", "<html><h1>x</h1>"));
    let ended = After::Ended(SignedOutReason::RefreshRejected);
    let rejected = [
        ("invalid_grant", error(400, "invalid_grant")),
        ("invalid_grant, 403", error(403, "invalid_grant")),
        ("invalid_grant, 500", error(500, "invalid_grant")),
        ("login_required", error(400, "login_required")),
        ("interaction_required", error(400, "interaction_required")),
        ("consent_required", error(400, "consent_required")),
        ("mfa_required", error(403, "mfa_required")),
        (
            "wrapped",
            json(400, r#"{"error":{"error":"invalid_grant"}}"#),
        ),
        ("400 empty", json(400, "")),
        ("401 empty", json(401, " \n")),
        ("403 no OAuth error", json(403, r#"{"code":17}"#)),
    ];
    let misconfigured = [
        ("invalid_client", error(401, "invalid_client")),
        ("unauthorized_client", error(400, "unauthorized_client")),
        ("invalid_request", error(400, "invalid_request")),
        ("invalid_scope", error(400, "invalid_scope")),
        ("invalid_target", error(400, "invalid_target")),
    ];
    let transient = [
        ("html 200", html(200)),
        ("html 400", html(400)),
        ("html 403", html(403)),
        ("408", json(408, "")),
        ("429", json(429, "")),
        ("500", json(500, r#"{"error":"server_error"}"#)),
        ("502", html(502)),
        ("503 empty", json(503, "")),
        ("blocked", Reply::fail(TransportError::Network)),
        ("timeout", Reply::never()),
        (
            "too large",
            Reply::response(HttpResponse::new(
                200,
                "application/json",
                "x".repeat((1 << 20) + 1),
            )),
        ),
        ("200 empty", json(200, "")),
        ("200 no tokens", json(200, "{}")),
        (
            "200 other type",
            json(200, r#"{"access_token":"a","token_type":"mac"}"#),
        ),
    ];
    let cases = rejected
        .map(|(name, reply)| (name, reply, After::Ended(SignedOutReason::RefreshRejected)))
        .into_iter()
        .chain(misconfigured.map(|(name, reply)| (name, reply, After::Blocked)))
        .chain(transient.map(|(name, reply)| (name, reply, After::Retried)));
    for (name, reply, expected) in cases {
        let (world, _, page) = signed_in_for(600);
        let (token, grant) = (page.stored_token(), page.stored_refresh_token());
        world.queue(Endpoint::Token, reply);
        world.queue(Endpoint::Token, Reply::with_status(503, ""));
        let error = page.access_token_with(forced()).unwrap_err();
        let ends = expected == ended;
        let before = page.token_requests();
        match page.auth.state() {
            State::SignedOut(out) => {
                assert_eq!(After::Ended(out.reason), expected, "{name}");
                assert_eq!(
                    told(&error),
                    r#"login_required {"reason":"refreshRejected"}"#,
                    "{name}"
                );
                assert!(out.error.is_some(), "{name}");
                assert_eq!(page.stored(), None, "{name}");
                assert!(
                    page.has_event(&Event::SignedOut(SignedOutReason::RefreshRejected)),
                    "{name}"
                );
            }
            State::SignedIn(signed_in) => {
                assert!(!ends, "{name}");
                assert_eq!(signed_in.error.as_ref(), Some(&error), "{name}");
                assert_eq!(
                    (page.stored_token(), page.stored_refresh_token()),
                    (token.clone(), grant),
                    "{name}"
                );
                assert_eq!(
                    page.access_token().unwrap(),
                    token,
                    "{name}: still fresh, still served"
                );
            }
            State::Loading | _ => panic!("{name}: loading"),
        }
        world.advance(590);
        let retried = page.token_requests() > before;
        assert_eq!(retried, expected == After::Retried, "{name}");
    }
}

#[test]
fn a_misconfigured_client_asks_once_until_a_reload() {
    let (world, _, page) = signed_in_for(60);
    world.queue(
        Endpoint::Token,
        Reply::with_status(401, r#"{"error":"invalid_client"}"#),
    );
    world.advance(3600);
    let told_once = r#"token_error {"error":"invalid_client","error_description":null,"error_uri":null,"status":401}"#;
    assert_eq!(told(&page.access_token().unwrap_err()), told_once);
    assert_eq!(
        told(&page.access_token_with(forced()).unwrap_err()),
        told_once
    );
    page.tab.resume();
    assert_eq!(page.token_requests(), 2);
    let page = page.reload();
    page.start();
    assert_eq!(page.token_requests(), 3);
    assert_eq!(page.signed_in().freshness, Freshness::Fresh);
}

#[test]
fn a_refusal_after_an_answer_that_never_came_is_an_answer_lost() {
    let (world, _, page) = signed_in();
    world.queue(Endpoint::Token, Reply::never());
    world.queue(
        Endpoint::Token,
        Reply::with_status(400, r#"{"error":"invalid_grant"}"#),
    );
    assert_eq!(
        told(&page.access_token_with(forced()).unwrap_err()),
        r#"timeout {"endpoint":"token","seconds":10}"#
    );
    assert!(page.record().unanswered);
    world.advance(2);
    let error = page.access_token_with(forced()).unwrap_err();
    assert_eq!(told(&error), r#"login_required {"reason":"answerLost"}"#);
}

/// The page again, in which nothing is refreshed by itself.
fn on_demand(page: &Page) -> Page {
    let config = config().refresh(RefreshMode::OnDemand);
    Page::with(&page.world, page.tab.reload(), config)
}

fn asking_on_demand() -> (World, Page) {
    let (world, _, page) = signed_in();
    let page = on_demand(&page);
    page.start();
    (world, page)
}

#[test]
fn a_forced_refresh_without_an_answer_is_asked_again_though_the_token_is_fresh() {
    for reloads in [false, true] {
        let (world, _, mut page) = signed_in();
        let sent = page.token_requests();
        world.queue(Endpoint::Token, Reply::never());
        page.access_token_with(forced()).unwrap_err();
        if reloads {
            page = page.reload();
            page.start();
        }
        world.advance(10);
        assert_eq!(page.token_requests(), sent + 2, "reloads: {reloads}");
        assert!(!page.record().unanswered, "reloads: {reloads}");
        world.advance(60);
        assert_eq!(page.token_requests(), sent + 2, "reloads: {reloads}");
    }
}

#[test]
fn a_lost_answer_is_remembered_through_trouble_and_reload() {
    for reloads in [false, true] {
        let (world, mut page) = asking_on_demand();
        world.queue(Endpoint::Token, Reply::never());
        page.access_token_with(forced()).unwrap_err();
        if reloads {
            page = on_demand(&page);
            page.start();
        }
        // A refresh that fails before it is sent says nothing about the one that was.
        world.set_offline(true);
        world.advance(2);
        page.access_token_with(forced()).unwrap_err();
        world.set_offline(false);
        world.queue(Endpoint::Token, Reply::with_status(503, ""));
        world.advance(3);
        page.access_token_with(forced()).unwrap_err();
        assert!(page.record().unanswered, "reloads: {reloads}");
        world.queue(
            Endpoint::Token,
            Reply::with_status(400, r#"{"error":"invalid_grant"}"#),
        );
        world.advance(10);
        let error = page.access_token_with(forced()).unwrap_err();
        assert_eq!(
            told(&error),
            r#"login_required {"reason":"answerLost"}"#,
            "reloads: {reloads}"
        );
    }
}

/// Has another tab hold the lock while this one asks for a new token.
fn fails_for_want_of_the_lock(world: &World, page: &Page) {
    let name = page.record().family.id.lock_name();
    let other = world.tab();
    let guard = world.run(async move { other.acquire(&name, 1).await });
    let error = page.access_token_with(forced()).unwrap_err();
    assert_eq!(told(&error), r#"timeout {"endpoint":"token","seconds":25}"#);
    drop(guard);
}

#[test]
fn a_lock_that_is_not_granted_says_nothing_about_an_answer_that_was_lost() {
    for reloads in [false, true] {
        let (world, mut page) = asking_on_demand();
        world.queue(Endpoint::Token, Reply::never());
        page.access_token_with(forced()).unwrap_err();
        if reloads {
            page = on_demand(&page);
            page.start();
        }
        world.advance(2);
        fails_for_want_of_the_lock(&world, &page);
        assert!(page.record().unanswered, "reloads: {reloads}");
        world.queue(
            Endpoint::Token,
            Reply::with_status(400, r#"{"error":"invalid_grant"}"#),
        );
        world.advance(5);
        let error = page.access_token_with(forced()).unwrap_err();
        assert_eq!(
            told(&error),
            r#"login_required {"reason":"answerLost"}"#,
            "reloads: {reloads}"
        );
    }
}

#[test]
fn an_answer_that_came_after_all_is_not_lost_any_more() {
    let (world, _, page) = signed_in();
    world.queue(Endpoint::Token, Reply::never());
    page.access_token_with(forced()).unwrap_err();
    world.advance(2);
    page.access_token_with(forced()).unwrap();
    assert!(!page.record().unanswered);
    fails_for_want_of_the_lock(&world, &page);
    assert!(!page.record().unanswered);
    world.queue(
        Endpoint::Token,
        Reply::with_status(400, r#"{"error":"invalid_grant"}"#),
    );
    world.advance(5);
    let error = page.access_token_with(forced()).unwrap_err();
    assert_eq!(
        told(&error),
        r#"login_required {"reason":"refreshRejected"}"#
    );
}

#[test]
fn tk11_a_storage_that_is_full_or_denied_in_a_refresh_leaves_the_session_in_memory() {
    for trouble in [Trouble::Full, Trouble::Denied, Trouble::LosesWrites] {
        let (_, _, page) = signed_in();
        let old = page.stored_token();
        page.tab.storage().set_trouble(trouble);
        let new = page.access_token_with(forced()).unwrap();
        assert_ne!(new, old, "{trouble:?}");
        assert_eq!(page.access_token().unwrap(), new, "{trouble:?}");
        let warned = page.has_event(&Event::Warning(Warning::StorageFallback));
        assert!(warned, "{trouble:?}");
        // A record with a spent refresh token would be worse than none.
        if trouble == Trouble::Full {
            assert_eq!(page.stored(), None);
        }
    }
}

#[test]
fn a_callback_error_outlives_a_refresh() {
    let (world, _, page) = signed_in_for(60);
    let uri = page.begin_login().unwrap();
    let state = countersign::protocol::form::find(uri.split_once('?').unwrap().1, "state")
        .unwrap()
        .unwrap();
    page.callback(&format!("{REDIRECT}?error=access_denied&state={state}"))
        .unwrap_err();
    assert!(page.signed_in().error.is_some());
    world.advance(60);
    assert_eq!(page.token_requests(), 2);
    assert!(told(page.signed_in().error.as_ref().unwrap()).starts_with("authorization_error"));
    assert!(!page.has_event(&Event::SignedIn(Via::OtherTab)));
}
