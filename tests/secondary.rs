//! The rest of the program, which a sign-in does not need, comes later or not at all.

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

use countersign::client::ports::{Mailbox, Posted};
use countersign::client::{Event, LogoutOptions, State};
use countersign::session::state::{Freshness, SignedOutReason};
use countersign::testing::{Rest, World};
use support::*;

fn page(world: &World, rest: Rest) -> Page {
    let page = Page::new(world);
    page.tab.set_rest(rest);
    page
}

fn posted(world: &World, page: &Page) -> Posted {
    let family = page.record().family.id;
    let newest = page.tab.newest(&family);
    world.run(newest).unwrap().unwrap()
}

#[test]
fn a_sign_in_is_published_once_it_is_there() {
    let world = World::new();
    let provider = Provider::new(&world);
    let page = page(&world, Rest::Apart(2000));
    page.sign_in(&provider).unwrap();
    assert_eq!(page.signed_in().freshness, Freshness::Fresh);
    assert!(matches!(posted(&world, &page), Posted::Nothing));

    world.advance(3);
    assert!(matches!(
        posted(&world, &page),
        Posted::Letter { generation: 1, .. }
    ));
    let rung = page.tab.duplicate().heard();
    assert_eq!(rung.last().map(|(_, generation)| *generation), Some(1));
    assert_eq!(page.record().generation, 1, "once");
}

/// A page that was left before its sign-in was published, asleep, and the next page of its tab, where somebody logged out.
fn left_and_logged_out(world: &World, provider: &Provider) -> (Page, Page) {
    let page = page(world, Rest::Apart(2000));
    page.sign_in(provider).unwrap();
    assert!(page.tab.enter_bfcache());
    let next = Page::with(world, page.tab.duplicate(), config());
    next.start();
    let mut here = LogoutOptions::default();
    here.local = true;
    next.logout(here).unwrap();
    world.advance(1);
    (page, next)
}

#[test]
fn a_sign_in_that_comes_out_of_the_cache_is_no_newer_than_a_logout() {
    let world = World::new();
    let (page, _) = left_and_logged_out(&world, &Provider::new(&world));
    page.tab.leave_bfcache();
    world.advance(5);
    let State::SignedOut(ended) = page.auth.state() else {
        panic!("{:?}", page.auth.state())
    };
    assert_eq!(ended.reason, SignedOutReason::LoggedOutElsewhere);
    assert_eq!(page.stored(), None);
}

#[test]
fn nor_does_it_take_away_who_signed_in_after_it() {
    let world = World::new();
    let provider = Provider::new(&world);
    let (page, next) = left_and_logged_out(&world, &provider);
    provider.set_claim("sub", r#""user2""#);
    next.sign_in(&provider).unwrap();
    page.tab.storage().restore(next.tab.storage().texts());
    page.tab.leave_bfcache();
    world.advance(5);
    assert_eq!(page.record().subject(), Some("user2"));
    page.signed_in();
}

#[test]
fn who_asks_for_a_token_waits_for_it() {
    let world = World::new();
    let provider = Provider::new(&world);
    let page = page(&world, Rest::Apart(2000));
    page.sign_in(&provider).unwrap();
    let token = page.access_token_with(forced());
    assert!(token.is_ok());
    assert_eq!(page.token_requests(), 2);
    assert_eq!(page.record().generation, 2);
}

#[test]
fn a_refresh_without_it_harms_nothing_and_is_tried_again() {
    let world = World::new();
    let provider = Provider::new(&world);
    let page = page(&world, Rest::Missing);
    page.sign_in(&provider).unwrap();
    let before = page.stored();
    let error = page.access_token_with(forced()).unwrap_err();
    assert_eq!(
        told(&error),
        r#"wasm_load_failed {"url":null,"problem":"network"}"#
    );
    assert!(error.is_retryable());
    assert_eq!(page.token_requests(), 1, "nothing was sent");
    assert_eq!(page.stored(), before);
    assert!(page.has_event(&Event::RefreshFailed {
        error,
        retry_at: Some(world.now().wall.plus(5_000)),
    }));
    assert!(page.signed_in().error.is_some());

    page.tab.set_rest(Rest::Here);
    world.advance(31);
    assert!(page.access_token_with(forced()).is_ok());
    assert_eq!(page.signed_in().error, None);
}

#[test]
fn a_stored_session_is_not_taken_for_none() {
    let (world, _, page) = signed_in_for(600);
    page.tab.set_rest(Rest::Missing);
    let page = page.reload();
    assert_eq!(page.start(), State::Loading, "nobody was signed out");
    assert!(page.stored().is_some());

    page.tab.set_rest(Rest::Apart(500));
    let page = page.reload();
    page.start();
    world.advance(1);
    page.signed_in();
}

#[test]
fn a_sign_in_over_a_stored_session_stays_in_its_family() {
    let (world, provider, page) = signed_in_for(600);
    let before = page.record().family.id;
    page.tab.set_rest(Rest::Apart(500));
    let page = page.reload();
    let uri = page.begin_login().unwrap();
    let page = page.reload();
    page.tab.set_rest(Rest::Apart(500));
    page.callback(&provider.authorize(&uri)).unwrap();
    world.advance(1);
    assert_eq!(page.record().family.id, before);
    assert_eq!(page.record().generation, 2);
}
