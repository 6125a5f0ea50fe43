//! Finding a session in the storage, or something else.

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

use countersign::client::{Event, LogoutOptions, State};
use countersign::protocol::error::Endpoint;
use countersign::session::state::{Freshness, SignedOutReason, Via, Warning};
use countersign::testing::{FakePlatform, Reply, Trouble, World};
use support::*;

fn reason(page: &Page) -> SignedOutReason {
    match page.auth.state() {
        State::SignedOut(signed_out) => signed_out.reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_stored_is_no_session_and_no_request() {
    let world = World::new();
    let page = Page::new(&world);
    assert_eq!(page.auth.state(), State::Loading);
    page.start();
    assert_eq!(reason(&page), SignedOutReason::NoSession);
    assert!(world.requests().is_empty() && page.tab.storage().texts().is_empty());
    assert!(page.events.borrow().is_empty());
    assert_eq!(
        told(&page.access_token().unwrap_err()),
        r#"login_required {"reason":"noSession"}"#
    );
}

#[test]
fn a_reload_restores_the_session_without_a_request() {
    let (world, _, page) = signed_in();
    let (stored, user) = (page.stored(), page.signed_in().user.clone());
    let before = world.requests().len();
    let page = page.reload();
    page.start();
    assert_eq!(
        (page.stored(), page.signed_in().user.clone()),
        (stored, user)
    );
    assert_eq!(page.access_token().unwrap(), page.stored_token());
    assert_eq!(world.requests().len(), before);
    assert_eq!(*page.events.borrow(), [Event::SignedIn(Via::Restore)]);
    assert_eq!(page.states.borrow().len(), 1);
}

#[test]
fn starting_twice_is_starting_once() {
    let (_, _, page) = signed_in();
    let page = page.reload();
    page.start();
    page.start();
    assert_eq!(page.events.borrow().len(), 1);
}

#[test]
fn every_method_waits_for_the_start() {
    let (_, _, page) = signed_in();
    let page = page.reload();
    assert_eq!(page.access_token().unwrap(), page.stored_token());
}

#[test]
fn an_expired_session_is_shown_once_a_refresh_had_an_answer() {
    let (world, provider, page) = signed_in();
    provider.set_delay(Endpoint::Token, 2000);
    world.sleep(7200);
    let page = page.reload();
    let auth = page.auth.clone();
    let start = world.start(async move { auth.start(None).await });
    world.advance(1);
    assert_eq!(page.auth.state(), State::Loading);
    world.advance(2);
    assert!(matches!(start.take(), Some(State::SignedIn(_))));
    assert_eq!(page.signed_in().freshness, Freshness::Fresh);
    assert_eq!(page.token_requests(), 2);
    assert_eq!(page.events.borrow()[0], Event::SignedIn(Via::Restore));
    let shown: Vec<_> = page.states.borrow().clone();
    assert!(
        shown
            .iter()
            .all(|state| matches!(state, State::SignedIn(_))),
        "{shown:?}"
    );
}

#[test]
fn an_expired_session_that_cannot_be_refreshed_just_now_is_shown_as_stale() {
    let replies = [
        Reply::with_status(503, ""),
        Reply::never(),
        Reply::with_status(401, r#"{"error":"invalid_client"}"#),
    ];
    for reply in replies {
        let (world, _, page) = signed_in();
        let grant = page.stored_refresh_token();
        world.sleep(7200);
        world.queue(Endpoint::Token, reply);
        let page = page.reload();
        page.start();
        let state = page.signed_in();
        assert_eq!(state.freshness, Freshness::Stale);
        assert!(state.error.is_some());
        assert_eq!(page.stored_refresh_token(), grant);
    }
}

#[test]
fn an_expired_session_whose_grant_is_refused_is_over() {
    let (world, _, page) = signed_in();
    world.sleep(7200);
    world.queue(
        Endpoint::Token,
        Reply::with_status(400, r#"{"error":"invalid_grant"}"#),
    );
    let page = page.reload();
    page.start();
    assert_eq!(
        (reason(&page), page.stored()),
        (SignedOutReason::RefreshRejected, None)
    );
}

#[test]
fn an_expired_session_without_a_refresh_token_is_over() {
    for (seconds, alive) in [(3599, true), (3600, false)] {
        let world = World::new();
        let provider = Provider::new(&world);
        provider.gives_refresh_tokens.set(false);
        let page = Page::new(&world);
        page.sign_in(&provider).unwrap();
        assert!(page.has_event(&Event::Warning(Warning::NoRefreshToken)));
        world.sleep(seconds);
        let page = page.reload();
        page.start();
        assert_eq!(page.stored().is_some(), alive);
        if alive {
            assert!(!page.signed_in().refreshable);
        } else {
            assert_eq!(reason(&page), SignedOutReason::Expired);
        }
        assert_eq!(page.token_requests(), 1);
    }
}

#[test]
fn tk4_a_token_without_a_stated_end_is_used_and_survives_a_reload() {
    let world = World::new();
    let provider = Provider::new(&world);
    provider.lifetime.set(None);
    let page = Page::new(&world);
    page.sign_in(&provider).unwrap();
    assert_eq!(page.signed_in().expires_at, None);
    let token = page.stored_token();
    let page = page.reload();
    page.start();
    assert_eq!(page.access_token().unwrap(), token);
    world.sleep(7200);
    assert_ne!(
        page.access_token().unwrap(),
        token,
        "with a refresh token, an hour is assumed"
    );
}

#[test]
fn tk4_a_token_that_is_said_to_be_over_at_once_is_used_as_one_without_a_stated_end() {
    for refreshable in [true, false] {
        let world = World::new();
        let provider = Provider::new(&world);
        provider.lifetime.set(Some(0));
        provider.gives_refresh_tokens.set(refreshable);
        let page = Page::new(&world);
        page.sign_in(&provider).unwrap();
        assert_eq!(page.signed_in().expires_at, None);
        let page = page.reload();
        page.start();
        assert_eq!(page.access_token().unwrap(), page.stored_token());
        // Nobody asks for another one again and again.
        assert_eq!(page.token_requests(), 1);
    }
}

#[test]
fn claims_survive_a_reload_however_deep_they_are_nested() {
    let mut levels = 0;
    loop {
        let world = World::new();
        let provider = Provider::new(&world);
        let claim = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        provider.set_claim("deep", if levels == 0 { "1" } else { &claim });
        let page = Page::new(&world);
        if let Err(error) = page.sign_in(&provider) {
            assert_eq!(error.details().get_str("claim"), Some("payload"));
            break;
        }
        let page = page.reload();
        page.start();
        let user = page.signed_in().user.clone().unwrap();
        assert!(user.get("deep").is_some(), "{levels}");
        levels += 1;
    }
    assert!(levels > 30, "{levels}");
}

#[test]
fn a_page_that_comes_back_shows_who_signed_in_on_a_later_page_of_its_tab() {
    for was_signed_in in [true, false] {
        let world = World::new();
        let provider = Provider::new(&world);
        let page = Page::new(&world);
        page.start();
        if was_signed_in {
            page.sign_in(&provider).unwrap();
        }
        let storage = page.tab.storage();
        let later = FakePlatform::new(&world, storage.clone(), storage.clone());
        let later = Page::with(&world, later, config());
        later.start();
        provider.subject.replace("bob".to_owned());
        later.sign_in(&provider).unwrap();
        let (stored, requests) = (later.stored(), page.token_requests());
        page.tab.resume();
        let user = page.signed_in().user.clone().unwrap();
        assert_eq!(user.get_str("sub"), Some("bob"));
        assert_eq!(page.access_token().unwrap(), later.stored_token());
        assert_eq!((page.stored(), page.token_requests()), (stored, requests));
        // And the page that it was left for is none the worse.
        later.tab.resume();
        assert_eq!(later.access_token().unwrap(), later.stored_token());
    }
}

#[test]
fn a_stored_session_survives_a_wrong_clock() {
    let (world, _, page) = signed_in();
    world.put_clock_back(86_400 * 365);
    let page = page.reload();
    page.start();
    assert_eq!(page.signed_in().freshness, Freshness::Fresh);
    assert_eq!(page.token_requests(), 1);
}

#[test]
fn t29_damaged_records_count_as_absent_and_are_left_alone() {
    let (_, _, page) = signed_in();
    let good = page.stored().unwrap();
    let damaged = [
        String::new(),
        "null".to_owned(),
        "[]".to_owned(),
        "7".to_owned(),
        "<html>".to_owned(),
        "{}".to_owned(),
        good[..good.len() / 2].to_owned(),
        good[..good.len() - 1].to_owned(),
        good.replace("\"v\":1", "\"v\":0"),
        good.replace("\"v\":1", "\"v\":\"1\""),
        good.replace("\"grant\":{", "\"grant\":[{"),
        good.replace("\"access_token\":\"", "\"access_token\":7,\"x\":\""),
        good.replace("\"refresh_token\":\"", "\"refresh_token\":{},\"x\":\""),
        good.replace("\"family\":\"", "\"family\":\"x"),
        good.replace("\"sub\":", "\"sub2\":"),
    ];
    for text in damaged {
        assert_ne!(text, good);
        page.tab.storage().put(SESSION_KEY, &text);
        let page = page.reload();
        page.start();
        assert_eq!(reason(&page), SignedOutReason::NoSession, "{text}");
        assert_eq!(page.stored(), Some(text), "left alone");
        assert_eq!(page.token_requests(), 1);
    }
    page.tab.storage().put(SESSION_KEY, &good);
    let page = page.reload();
    page.start();
    assert_eq!(page.signed_in().generation, 1);
}

#[test]
fn a_damaged_record_is_replaced_by_a_new_sign_in() {
    let (_, provider, page) = signed_in();
    page.tab.storage().put(SESSION_KEY, "damaged");
    let page = page.reload();
    page.start();
    page.sign_in(&provider).unwrap();
    assert_eq!(page.record().generation, 1);
}

#[test]
fn t29_a_newer_record_is_neither_read_nor_overwritten_nor_removed() {
    const NEWER: &str = r#"{"v":2,"anything":["of","tomorrow"]}"#;
    let (world, provider, page) = signed_in_for(600);
    page.tab.storage().put(SESSION_KEY, NEWER);
    let page = page.reload();
    page.start();
    assert_eq!(reason(&page), SignedOutReason::NoSession);
    page.sign_in(&provider).unwrap();
    assert_eq!(page.signed_in().generation, 1);
    assert!(
        page.has_event(&Event::Warning(Warning::StorageFallback)),
        "it lives in memory"
    );
    assert_eq!(page.stored().as_deref(), Some(NEWER));
    world.advance(600);
    assert!(page.access_token().is_ok());
    assert_eq!(
        page.stored().as_deref(),
        Some(NEWER),
        "also after a refresh"
    );
    page.logout(LogoutOptions::default()).unwrap();
    assert_eq!(page.stored().as_deref(), Some(NEWER), "also after a logout");
}

#[test]
fn a_record_that_becomes_newer_while_the_page_is_open_is_left_alone() {
    const NEWER: &str = r#"{"v":2}"#;
    let (world, _, page) = signed_in_for(600);
    page.tab.storage().put(SESSION_KEY, NEWER);
    world.advance(600);
    assert!(page.token_requests() >= 2, "{}", page.token_requests());
    assert!(page.access_token().is_ok());
    assert_eq!(page.stored().as_deref(), Some(NEWER));
    page.logout(LogoutOptions::default()).unwrap();
    assert_eq!(page.stored().as_deref(), Some(NEWER));
}

#[test]
fn a_storage_that_denies_is_no_session_and_a_sign_in_lives_in_memory() {
    for trouble in [Trouble::Full, Trouble::Denied] {
        let world = World::new();
        let provider = Provider::new(&world);
        // The session's own storage refuses; the tab's, where logins are kept, does not.
        let (session, logins) = (world.tab().storage().clone(), world.tab().storage().clone());
        session.set_trouble(trouble);
        let tab = FakePlatform::new(&world, session.clone(), logins);
        let page = Page::with(&world, tab, config());
        page.start();
        assert_eq!(reason(&page), SignedOutReason::NoSession, "{trouble:?}");
        page.sign_in(&provider).unwrap();
        assert!(page.access_token().is_ok(), "{trouble:?}");
        let fallback = Event::Warning(Warning::StorageFallback);
        assert_eq!(
            page.events
                .borrow()
                .iter()
                .filter(|event| **event == fallback)
                .count(),
            1,
            "{trouble:?}"
        );
        assert!(session.texts().is_empty(), "{trouble:?}");
    }
}

#[test]
fn t44_a_session_of_another_client_or_issuer_is_not_ours() {
    let (world, _, page) = signed_in();
    let other = countersign::client::Config::builder(ISSUER, "other", REDIRECT);
    let page = Page::with(&world, page.tab.reload(), other);
    page.start();
    assert_eq!(reason(&page), SignedOutReason::NoSession);
}

#[test]
fn a_signed_out_page_that_comes_back_finds_what_a_later_page_of_its_tab_stored() {
    let (world, _provider, page) = signed_in();
    let earlier = Page::new(&world);
    assert!(matches!(earlier.start(), State::SignedOut(_)));
    earlier.tab.resume();
    assert!(matches!(earlier.auth.state(), State::SignedOut(_)));
    earlier
        .tab
        .storage()
        .put(SESSION_KEY, &page.stored().unwrap());
    earlier.tab.resume();
    assert_eq!(earlier.signed_in().user, page.signed_in().user);
    assert_eq!(earlier.token_requests(), page.token_requests());
}
