//! Logins that follow each other without the user's doing: when they stop, and what they are put down to.

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

use countersign::client::ports::Storage;
use countersign::client::{Error, LoginOptions};
use countersign::protocol::error::Endpoint;
use countersign::session::login_loop::{LIMIT, WINDOW};
use countersign::testing::{Reply, Trouble, World};
use support::*;

const LOOP_KEY: &str = "countersign:loop:https://as.example spa";

/// A login without the user's doing.
fn by_itself(page: &Page) -> Result<String, Error> {
    page.begin_login_with(LoginOptions::default())
}

/// Loads a page that logs in by itself, again and again, until it stops; how often it left, and why it stopped. What
/// happens between two pages is up to `back`: it is given the page that the login left from, and the request.
fn circle(mut page: Page, mut back: impl FnMut(&Page, &str) -> Page) -> (usize, Error) {
    for left in 0..10 {
        page.start();
        match by_itself(&page) {
            Ok(uri) => page = back(&page, &uri),
            Err(error) => return (left, error),
        }
        page.world.sleep(1);
    }
    panic!("it goes on for ever")
}

/// The page at the `redirect_uri`, with what the server made of the login.
fn callback(provider: &Provider, page: &Page, uri: &str) -> Page {
    let next = page.reload();
    let _ = next.callback(&provider.authorize(uri));
    next
}

fn assert_loop((left, error): (usize, Error), seconds: i64, likely: &str) {
    assert_eq!(left, LIMIT, "{likely}");
    assert_eq!(
        told(&error),
        format!(r#"login_loop {{"logins":3,"seconds":{seconds},"likely":"{likely}"}}"#)
    );
    assert!(!error.is_retryable());
}

fn world() -> (World, Provider, Page) {
    let world = World::new();
    let provider = Provider::new(&world);
    let page = Page::new(&world);
    (world, provider, page)
}

#[test]
fn a_clock_that_is_a_day_off_is_named() {
    for off in ["-86400", "86400"] {
        let (world, provider, page) = world();
        let stopped = circle(page, |page, uri| {
            let now = world.now().wall.as_seconds() + off.parse::<i64>().unwrap();
            provider.set_claim("iat", &now.to_string());
            provider.set_claim("exp", &(now + 300).to_string());
            callback(&provider, page, uri)
        });
        assert_loop(stopped, 3, "clock");
    }
}

#[test]
fn another_refusal_of_the_id_token_is_not_put_down_to_the_clock() {
    let (_, provider, page) = world();
    provider.set_claim("aud", r#""another""#);
    let stopped = circle(page, |page, uri| callback(&provider, page, uri));
    assert_loop(stopped, 3, "unknown");
}

#[test]
fn a_storage_that_forgets_the_pending_login_is_named() {
    let (_, provider, page) = world();
    let stopped = circle(page, |page, uri| {
        let storage = page.tab.storage();
        let texts = storage.texts();
        for key in texts.keys().filter(|key| key.starts_with(LOGIN_PREFIX)) {
            storage.remove(key).unwrap();
        }
        callback(&provider, page, uri)
    });
    assert_loop(stopped, 3, "storage");
}

#[test]
fn a_storage_that_forgets_the_session_is_named() {
    let (_, provider, page) = world();
    let stopped = circle(page, |page, uri| {
        let page = callback(&provider, page, uri);
        page.signed_in();
        page.tab.storage().remove(SESSION_KEY).unwrap();
        page.reload()
    });
    assert_loop(stopped, 3, "storage");
}

#[test]
fn a_callback_that_never_comes_is_put_down_to_the_redirect_uri() {
    let (_, _, page) = world();
    let stopped = circle(page, |page, _| page.reload());
    assert_loop(stopped, 3, "redirect_uri");
}

#[test]
fn t39_a_silent_login_that_is_refused_again_and_again_is_put_down_to_cookies() {
    for word in ["login_required", "interaction_required"] {
        let (_, _, page) = world();
        let stopped = circle(page, |page, uri| {
            let next = page.reload();
            let answer = format!("{REDIRECT}?error={word}&state={}", state_of(uri));
            next.callback(&answer).unwrap_err();
            next
        });
        assert_loop(stopped, 3, "cookies");
    }
}

#[test]
fn an_api_that_refuses_every_fresh_token_is_named() {
    for (challenge, refused) in [
        (None, true),
        (Some(r#"Bearer error="invalid_token""#), true),
        (Some(r#"Bearer error="insufficient_scope""#), false),
        (Some("Basic"), false),
    ] {
        let (_, provider, page) = world();
        let stopped = circle(page, |page, uri| {
            let page = callback(&provider, page, uri);
            assert_eq!(page.auth.token_refused(challenge), refused);
            page.reload()
        });
        assert_loop(stopped, 3, "api_rejects_token");
    }
}

#[test]
fn a_login_over_a_good_session_is_put_down_to_nothing_that_is_known() {
    let (_, provider, page) = world();
    let stopped = circle(page, |page, uri| callback(&provider, page, uri).reload());
    assert_loop(stopped, 3, "unknown");
}

#[test]
fn a_session_that_was_over_at_once_was_not_lost_by_the_storage() {
    let (world, provider, page) = world();
    provider.lifetime.set(Some(1));
    provider.gives_refresh_tokens.set(false);
    let stopped = circle(page, |page, uri| {
        let page = callback(&provider, page, uri);
        world.sleep(2);
        page
    });
    assert_loop(stopped, 9, "unknown");
}

#[test]
fn a_login_error_of_the_server_is_put_down_to_nothing_that_is_known() {
    let (_, _, page) = world();
    let stopped = circle(page, |page, uri| {
        let next = page.reload();
        let answer = format!("{REDIRECT}?error=access_denied&state={}", state_of(uri));
        next.callback(&answer).unwrap_err();
        next
    });
    assert_loop(stopped, 3, "unknown");
}

#[test]
fn the_fourth_leaves_once_the_first_is_a_minute_old() {
    let (world, _, page) = world();
    for _ in 0..LIMIT {
        by_itself(&page.reload()).unwrap();
        world.advance(1);
    }
    world.advance_millis(WINDOW - 3001);
    let error = by_itself(&page.reload()).unwrap_err();
    assert_eq!(error.details().get_integer("seconds"), Some(60));
    world.advance_millis(1);
    assert!(by_itself(&page.reload()).is_ok());
    // And the next one when the second is.
    assert!(by_itself(&page.reload()).is_err());
    world.advance(1);
    assert!(by_itself(&page.reload()).is_ok());
}

#[test]
fn one_that_is_refused_asks_nothing_stores_nothing_and_goes_nowhere() {
    let (world, _, page) = world();
    for _ in 0..LIMIT {
        by_itself(&page.reload()).unwrap();
    }
    let (requests, texts) = (world.requests().len(), page.tab.storage().texts());
    let page = page.reload();
    let auth = page.auth.clone();
    let refused = world.run(async move { auth.login(LoginOptions::default()).await });
    assert_eq!(refused.unwrap().unwrap_err().code().as_str(), "login_loop");
    assert!(page.tab.navigations().is_empty());
    assert_eq!(world.requests().len(), requests);
    assert_eq!(page.tab.storage().texts(), texts);
}

#[test]
fn the_users_own_login_always_leaves_and_the_count_begins_anew() {
    let (_, provider, page) = world();
    for _ in 0..10 {
        page.reload().begin_login().unwrap();
    }
    for _ in 0..LIMIT {
        by_itself(&page.reload()).unwrap();
    }
    assert!(by_itself(&page.reload()).is_err());
    let uri = page.reload().begin_login().unwrap();
    // What becomes of it is no part of a loop.
    let page = callback(&provider, &page, &uri);
    assert_eq!(page.tab.storage().texts().get(LOOP_KEY), None);
    let stopped = circle(page, |page, _| page.reload());
    assert_loop(stopped, 3, "redirect_uri");
}

#[test]
fn a_page_leaves_once_however_often_it_asks_for_it() {
    let (world, provider, mut page) = world();
    for round in 0..LIMIT {
        page = page.reload();
        page.start();
        let logins: Vec<_> = (0..4)
            .map(|_| {
                let auth = page.auth.clone();
                world.start(async move { auth.begin_login(LoginOptions::default()).await })
            })
            .collect();
        world.advance(1);
        for login in logins {
            assert!(login.take().unwrap().is_ok(), "{round}");
        }
    }
    // Until its callback comes.
    let uri = by_itself(&page).unwrap();
    page.callback(&provider.authorize(&uri)).unwrap();
    assert!(by_itself(&page).is_err());
}

#[test]
fn a_login_that_could_not_begin_is_not_counted() {
    let (world, _, page) = world();
    page.tab.storage().put(METADATA_KEY, "damaged");
    for _ in 0..5 {
        world.queue(Endpoint::Discovery, Reply::with_status(500, ""));
        let error = by_itself(&page.reload()).unwrap_err();
        assert_eq!(error.code().as_str(), "invalid_response");
    }
    assert!(by_itself(&page.reload()).is_ok());
}

#[test]
fn other_tabs_and_other_clients_are_counted_apart() {
    let (world, _, page) = world();
    for _ in 0..LIMIT {
        by_itself(&page.reload()).unwrap();
    }
    assert!(by_itself(&Page::new(&world)).is_ok());
    let client = countersign::client::Config::builder(ISSUER, "another", REDIRECT);
    let other = Page::with(&world, page.tab.reload(), client);
    assert!(by_itself(&other).is_ok());
    assert!(by_itself(&page.reload()).is_err());
}

#[test]
fn a_clock_that_is_put_back_locks_nobody_out_for_longer_than_a_minute() {
    let (world, _, page) = world();
    for _ in 0..LIMIT {
        by_itself(&page.reload()).unwrap();
    }
    world.put_clock_back(86_400);
    let error = by_itself(&page.reload()).unwrap_err();
    assert_eq!(error.details().get_integer("seconds"), Some(1));
    world.advance_millis(WINDOW);
    assert!(by_itself(&page.reload()).is_ok());
}

#[test]
fn a_record_that_cannot_be_read_counts_as_none_and_one_of_a_newer_version_is_left_alone() {
    let (_, _, page) = world();
    for _ in 0..LIMIT {
        by_itself(&page.reload()).unwrap();
    }
    let whole = page.tab.storage().texts()[LOOP_KEY].clone();
    for (from, to) in [
        ("}", ""),
        (r#""left_at":["#, r#""left_at":{"#),
        (r#""left_at":["#, r#""left_at":[null,"x",1e400,{},["#),
        (r#""v":1"#, r#""v":0"#),
        (r#""v":1"#, r#""v":"1""#),
    ] {
        let damaged = whole.replace(from, to);
        assert_ne!(damaged, whole);
        page.tab.storage().put(LOOP_KEY, &damaged);
        assert!(by_itself(&page.reload()).is_ok(), "{damaged}");
    }
    let newer = whole.replace(r#""v":1"#, r#""v":2"#);
    page.tab.storage().put(LOOP_KEY, &newer);
    by_itself(&page.reload()).unwrap();
    page.reload().begin_login().unwrap();
    assert_eq!(page.tab.storage().texts()[LOOP_KEY], newer);
    // More than three were never written by us, and are as good a reason to stop.
    let times = whole.split_once('[').unwrap().1.split_once(']').unwrap().0;
    let more = whole.replace(times, &format!("{times},{times},{times}"));
    page.tab.storage().put(LOOP_KEY, &more);
    assert!(by_itself(&page.reload()).is_err());
}

#[test]
fn the_record_stays_small_and_holds_times_and_a_word() {
    let (world, provider, mut page) = world();
    for _ in 0..50 {
        let uri = by_itself(&page).unwrap();
        page = callback(&provider, &page, &uri);
        world.advance_millis(WINDOW / 2);
    }
    let at = world.now().wall.as_millis() - WINDOW / 2;
    let record = page.tab.storage().texts()[LOOP_KEY].clone();
    let last = format!(
        r#"{{"v":1,"left_at":[{},{at}],"likely":"storage"}}"#,
        at - WINDOW / 2
    );
    assert_eq!(record, last);
}

#[test]
fn what_cannot_be_counted_is_no_reason_to_refuse_a_login() {
    let (_, _, page) = world();
    page.tab.storage().set_trouble(Trouble::LosesWrites);
    for _ in 0..LIMIT + 2 {
        assert!(by_itself(&page.reload()).is_ok());
    }
}
