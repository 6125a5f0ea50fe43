//! Refreshing: when it is asked for, when it is time, and when it fails.

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

use countersign::client::{Event, State, TokenOptions};
use countersign::protocol::error::Endpoint;
use countersign::session::RefreshMode;
use countersign::session::state::{Freshness, SignedOutReason, Warning};
use countersign::testing::{Arithmetic, Happening, Reply};
use support::*;

fn valid_for(seconds: i64) -> TokenOptions {
    let mut options = TokenOptions::default();
    options.min_validity = Some(seconds);
    options
}

#[test]
fn a_fresh_token_is_served_without_a_request() {
    let (world, _, page) = signed_in();
    let before = world.requests().len();
    assert_eq!(page.access_token().unwrap(), page.stored_token());
    assert_eq!(world.requests().len(), before);
}

#[test]
fn rf3_concurrent_wishes_share_one_request() {
    let (world, provider, page) = signed_in_for(60);
    provider.set_delay(Endpoint::Token, 500);
    world.sleep(55);
    let first = page.token_requests();
    let wishes: Vec<_> = (0..20)
        .map(|n| {
            let auth = page.auth.clone();
            let options = if n % 2 == 0 {
                forced()
            } else {
                TokenOptions::default()
            };
            world.start(async move { auth.access_token(options).await })
        })
        .collect();
    world.advance(1);
    let tokens: Vec<_> = wishes
        .iter()
        .map(|wish| wish.take().unwrap().unwrap())
        .collect();
    assert_eq!(page.token_requests(), first + 1);
    assert!(
        tokens
            .iter()
            .all(|token| token.expose() == page.stored_token())
    );
}

#[test]
fn a_token_with_too_little_life_left_is_refreshed() {
    let (world, _, page) = signed_in_for(600);
    let old = page.stored_token();
    world.advance(400);
    assert_eq!(page.access_token_with(valid_for(199)).unwrap(), old);
    let new = page.access_token_with(valid_for(201)).unwrap();
    assert_ne!(new, old);
    assert_eq!(new, page.stored_token());
    // More than the server ever gives: what it gave is handed out, after one request.
    let before = page.token_requests();
    let newest = page.access_token_with(valid_for(100_000)).unwrap();
    assert_eq!(
        (page.token_requests(), newest),
        (before + 1, page.stored_token())
    );
}

#[test]
fn a_forced_refresh_brings_a_new_token() {
    let (_, _, page) = signed_in();
    let old = page.stored_token();
    let new = page.access_token_with(forced()).unwrap();
    assert_ne!(new, old);
    assert_eq!(new, page.stored_token());
    assert!(
        page.events
            .borrow()
            .iter()
            .any(|event| matches!(event, Event::Refreshed { .. }))
    );
}

#[test]
fn rf1_the_new_refresh_token_is_stored_in_the_turn_of_the_answer() {
    let (world, provider, page) = signed_in_for(60);
    // The keys that the new ID Token needs are too old, and do not come any more.
    world.advance(4000);
    provider.gives_id_token_on_refresh.set(true);
    let old = page.stored_refresh_token();
    for _ in 0..50 {
        world.queue(Endpoint::Jwks, Reply::never());
    }
    provider.set_delay(Endpoint::Token, 100);
    let auth = page.auth.clone();
    let wish = world.start(async move { auth.access_token(forced()).await });
    let from = world.journal().len();
    world.advance_millis(150);
    assert!(wish.take().unwrap().is_ok());
    assert!(
        world.requests().last().unwrap().endpoint == Endpoint::Jwks,
        "the keys are asked for"
    );
    let new = page.stored_refresh_token();
    assert_ne!(new, old);
    assert!(provider.secrets.borrow().contains(&new));

    let journal = world.journal().split_off(from);
    let answered = journal
        .iter()
        .position(|moment| matches!(moment.what, Happening::Answered(Endpoint::Token)))
        .unwrap();
    let (answered, next) = (&journal[answered], &journal[answered + 1]);
    let stores = |what: &Happening| matches!(what, Happening::Stored(key, text) if key == SESSION_KEY && text.contains(&new));
    assert!(
        stores(&next.what),
        "nothing comes between answer and storage"
    );
    assert_eq!(next.turn, answered.turn);
}

#[test]
fn rf1_the_mark_is_written_before_the_request_and_goes_with_the_answer() {
    let (world, _, page) = signed_in();
    assert!(!page.record().unanswered);
    page.access_token_with(forced()).unwrap();
    let sent = world.requests_to(Endpoint::Token).pop().unwrap();
    assert!(record(&sent.session_stored[SESSION_KEY], world.now()).unanswered);
    assert!(!page.record().unanswered);
}

#[test]
fn rf1_a_chain_of_fifty_rotations_never_sends_a_token_twice() {
    let (world, _, page) = signed_in();
    for _ in 0..50 {
        page.access_token_with(forced()).unwrap();
    }
    let mut sent: Vec<_> = world
        .requests_to(Endpoint::Token)
        .iter()
        .filter_map(|request| request.parameter("refresh_token"))
        .collect();
    assert_eq!(sent.len(), 50);
    sent.sort();
    sent.dedup();
    assert_eq!(sent.len(), 50);
    assert_eq!(page.record().generation, 51);
}

#[test]
fn rf2_rf4_a_refresh_keeps_the_refresh_token_when_none_is_issued() {
    let (world, provider, page) = signed_in();
    provider.rotates.set(false);
    let old = page.stored_refresh_token();
    page.access_token_with(forced()).unwrap();
    assert_eq!(page.stored_refresh_token(), old);
    let sent = world.requests_to(Endpoint::Token).pop().unwrap();
    // RFC 6749 §6: no scope is the scope granted.
    assert_eq!(sent.parameter("scope"), None);
    assert_eq!(sent.parameter("refresh_token"), Some(old));
    assert_eq!(sent.parameter("client_id").as_deref(), Some(CLIENT));
    assert!(!sent.body.unwrap().contains("client_secret"));
}

#[test]
fn rf9_a_timer_refreshes_ahead_of_time() {
    let (world, _, page) = signed_in_for(600);
    let first = page.stored_token();
    world.advance(500);
    assert_eq!(page.stored_token(), first);
    world.advance(60);
    assert_ne!(page.stored_token(), first);
    assert_eq!(page.token_requests(), 2);
    // And so on, for ever.
    world.advance(6000);
    assert!(
        (12..=13).contains(&page.token_requests()),
        "{}",
        page.token_requests()
    );
    assert_eq!(page.signed_in().freshness, Freshness::Fresh);
}

#[test]
fn rf9_a_timer_refreshes_after_a_sleep_and_after_a_clock_was_put_back() {
    let (world, _, page) = signed_in_for(600);
    world.sleep(590);
    world.advance(0);
    assert_eq!(
        page.token_requests(),
        2,
        "the wall clock went on, the monotonic one stood"
    );
    world.put_clock_back(86_400);
    world.advance(520);
    assert_eq!(page.token_requests(), 2);
    world.advance(30);
    assert_eq!(
        page.token_requests(),
        3,
        "the monotonic clock went on, the wall clock was put back"
    );
    assert_eq!(page.signed_in().freshness, Freshness::Fresh);
}

#[test]
fn a_token_that_expired_in_a_sleep_is_not_handed_out() {
    let (world, _, page) = signed_in_for(600);
    let old = page.stored_token();
    world.sleep(86_400);
    assert_ne!(page.access_token().unwrap(), old);
}

#[test]
fn on_demand_refreshes_only_when_asked() {
    let (world, _, page) = signed_in_for(60);
    let page = Page::with(
        &world,
        page.tab.reload(),
        config().refresh(RefreshMode::OnDemand),
    );
    page.start();
    let first = page.token_requests();
    world.advance(600);
    assert_eq!(page.token_requests(), first);
    assert_eq!(page.signed_in().freshness, Freshness::Stale);
    page.access_token().unwrap();
    assert_eq!(page.token_requests(), first + 1);
    assert_eq!(page.signed_in().freshness, Freshness::Fresh);
}

#[test]
fn off_never_refreshes_and_ends_with_the_token() {
    let (world, _, page) = signed_in_for(60);
    let page = Page::with(
        &world,
        page.tab.reload(),
        config().refresh(RefreshMode::Off),
    );
    page.start();
    let (first, token) = (page.token_requests(), page.stored_token());
    assert_eq!(page.access_token_with(forced()).ok(), Some(token));
    assert_eq!(page.token_requests(), first);
    world.advance(61);
    assert_eq!(page.token_requests(), first);
    assert!(
        matches!(page.auth.state(), State::SignedOut(out) if out.reason == SignedOutReason::Expired)
    );
    assert_eq!(page.stored(), None);
}

#[test]
fn t38_a_late_answer_after_logout_changes_nothing() {
    let (world, provider, page) = signed_in();
    provider.set_delay(Endpoint::Token, 2000);
    let auth = page.auth.clone();
    let wish = world.start(async move { auth.access_token(forced()).await });
    world.advance(1);
    page.logout(Default::default()).unwrap();
    let (state, stored) = (page.auth.state(), page.tab.storage().texts());
    assert_eq!(page.stored(), None);
    world.advance(10);
    assert_eq!(
        told(&wish.take().unwrap().unwrap_err()),
        r#"login_required {"reason":"loggedOut"}"#
    );
    assert_eq!(
        (page.auth.state(), page.tab.storage().texts()),
        (state, stored)
    );
    let refreshed = |event: &Event| matches!(event, Event::Refreshed { .. });
    assert!(!page.events.borrow().iter().any(refreshed));
}

#[test]
fn a_late_answer_after_a_new_sign_in_changes_nothing() {
    let (world, provider, page) = signed_in();
    let uri = provider.authorize(&page.begin_login().unwrap());
    world.queue(
        Endpoint::Token,
        Reply::json(r#"{"access_token":"late","token_type":"Bearer","refresh_token":"late-rt"}"#)
            .delayed(5000),
    );
    let auth = page.auth.clone();
    let _wish = world.start(async move { auth.access_token(forced()).await });
    world.advance(1);
    page.callback(&uri).unwrap();
    let stored = page.stored().unwrap();
    world.advance(10);
    assert_eq!(page.stored().unwrap(), stored);
    assert!(!stored.contains("late"));
}

#[test]
fn a_refresh_of_an_older_session_does_not_stop_the_timer_of_a_new_one() {
    let (world, provider, page) = signed_in_for(8);
    let uri = provider.authorize(&page.begin_login().unwrap());
    world.queue(Endpoint::Token, Reply::never());
    let auth = page.auth.clone();
    let _wish = world.start(async move { auth.access_token(forced()).await });
    world.run_until_idle();
    // A new session, whose refresh is due before the old request is given up.
    page.callback(&uri).unwrap();
    world.advance(60);
    assert_eq!(page.signed_in().freshness, Freshness::Fresh);
    assert!(page.token_requests() >= 8, "{}", page.token_requests());
}

#[test]
fn a_refreshed_id_token_brings_new_claims() {
    let (world, provider, page) = signed_in();
    provider.gives_id_token_on_refresh.set(true);
    provider.set_claim("email", "\"new@user.example\"");
    page.access_token_with(forced()).unwrap();
    world.run_until_idle();
    let user = page.signed_in().user.clone().unwrap();
    assert_eq!(user.get_str("email"), Some("new@user.example"));
    assert!(page.stored().unwrap().contains("new@user.example"));
    assert_eq!(
        page.auth.id_token(),
        provider.secrets.borrow().last().cloned()
    );
}

#[test]
fn rf6_a_refreshed_id_token_that_is_not_to_be_believed_leaves_claims_and_session() {
    let cases: [(&str, &str, &str); 9] = [
        ("aud", "\"other\"", "audience"),
        ("exp", "1600000000", "expired"),
        ("nonce", "\"other\"", "another nonce"),
        ("azp", "\"other\"", "authorized party"),
        ("azp", "\"spa\"", "an authorized party where there was none"),
        ("org_id", "\"org_2\"", "another organization"),
        (
            "at_hash",
            "\"AAAAAAAAAAAAAAAAAAAAAA\"",
            "for another access token",
        ),
        ("iat", "1900000000", "from the future"),
        ("sub", "7", "no text"),
    ];
    for (claim, json, name) in cases {
        let (world, provider, page) = signed_in();
        provider.gives_id_token_on_refresh.set(true);
        provider.set_claim("email", "\"new@user.example\"");
        provider.set_claim(claim, json);
        let token = page.access_token_with(forced());
        world.run_until_idle();
        assert_eq!(token.ok(), Some(page.stored_token()), "{name}");
        let user = page.signed_in().user.clone().unwrap();
        assert_eq!(
            user.get_str("email"),
            Some("claim-value-of@user.example"),
            "{name}"
        );
        assert!(
            !page.stored().unwrap().contains("new@user.example"),
            "{name}"
        );
    }
    // A signature that does not verify, and a key that cannot be had.
    for missing_key in [false, true] {
        let (world, provider, page) = signed_in();
        provider.gives_id_token_on_refresh.set(true);
        provider.set_claim("email", "\"new@user.example\"");
        if missing_key {
            provider
                .header
                .replace(r#"{"alg":"ES256","kid":"k9"}"#.to_owned());
        } else {
            page.tab.set_arithmetic(Arithmetic::Wrong);
        }
        assert!(page.access_token_with(forced()).is_ok());
        world.advance(1);
        assert!(!page.stored().unwrap().contains("new@user.example"));
        assert_eq!(page.signed_in().error, None);
    }
}

#[test]
fn rf6_t37_a_refresh_about_another_user_or_issuer_ends_the_session() {
    for (claim, json) in [("sub", "\"bob\""), ("iss", "\"https://evil.example\"")] {
        let (world, provider, page) = signed_in();
        provider.gives_id_token_on_refresh.set(true);
        provider.set_claim(claim, json);
        let error = page.access_token_with(forced()).unwrap_err();
        assert_eq!(
            told(&error),
            r#"login_required {"reason":"userChanged"}"#,
            "{claim}"
        );
        assert!(
            matches!(page.auth.state(), State::SignedOut(out) if out.reason == SignedOutReason::UserChanged)
        );
        world.run_until_idle();
        assert_eq!(page.stored(), None, "{claim}");
    }
}

#[test]
fn rf3_what_another_tab_refreshed_is_adopted_under_the_lock() {
    let (world, provider, page) = signed_in_for(600);
    let other = Page::with(&world, page.tab.duplicate(), config());
    other.start();
    provider.set_delay(Endpoint::Token, 1000);
    let before = page.token_requests();
    let wishes: Vec<_> = [&page, &other]
        .map(|page| {
            let auth = page.auth.clone();
            world.start(async move { auth.access_token(forced()).await })
        })
        .into_iter()
        .collect();
    world.advance(5);
    let tokens: Vec<_> = wishes
        .iter()
        .map(|wish| wish.take().unwrap().unwrap().expose().to_owned())
        .collect();
    assert_eq!(page.token_requests(), before + 1);
    assert_eq!(tokens[0], tokens[1]);
    assert_eq!(page.stored_refresh_token(), other.stored_refresh_token());
    // And each goes on by itself.
    world.advance(1000);
    assert!(page.token_requests() <= before + 4);
}

#[test]
fn an_entry_that_has_expired_as_well_is_adopted_and_refreshed() {
    let (world, _, page) = signed_in_for(600);
    let other = Page::with(&world, page.tab.duplicate(), config());
    other.start();
    other.access_token_with(forced()).unwrap();
    let adopted = other.stored_refresh_token();
    other.tab.close();
    world.sleep(7200);
    let token = page.access_token().unwrap();
    let sent = world.requests_to(Endpoint::Token).pop().unwrap();
    assert_eq!(sent.parameter("refresh_token"), Some(adopted));
    assert_eq!(token, page.stored_token());
    assert_eq!(page.record().generation, 3);
}

#[test]
fn a_tombstone_ends_the_session_before_anything_is_sent() {
    let (world, _, page) = signed_in();
    world.end_family(&page.record().family.id);
    let before = page.token_requests();
    let error = page.access_token_with(forced()).unwrap_err();
    assert_eq!(
        told(&error),
        r#"login_required {"reason":"loggedOutElsewhere"}"#
    );
    assert_eq!((page.token_requests(), page.stored()), (before, None));
}

#[test]
fn without_locks_a_refresh_works_and_warns_once() {
    let (_, _, page) = signed_in();
    page.tab.set_locks(false);
    page.access_token_with(forced()).unwrap();
    page.access_token_with(forced()).unwrap();
    let warnings = page
        .events
        .borrow()
        .iter()
        .filter(|event| **event == Event::Warning(Warning::NoLocks))
        .count();
    assert_eq!(warnings, 1);
}

#[test]
fn listeners_run_when_the_lock_is_free() {
    let (world, _, page) = signed_in();
    let (auth, name) = (page.auth.clone(), page.record().family.id.lock_name());
    let free = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let (seen, tab, inner) = (free.clone(), page.tab.clone(), world.clone());
    let _subscription = auth.on_event(move |event| {
        if matches!(event, Event::Refreshed { .. }) {
            use countersign::client::ports::Locks;
            let (tab, name) = (tab.clone(), name.clone());
            seen.borrow_mut()
                .push(inner.start(async move { tab.acquire(&name, 0).await.is_ok() }));
        }
    });
    page.access_token_with(forced()).unwrap();
    world.run_until_idle();
    assert_eq!(
        free.borrow()
            .iter()
            .map(|held| held.take())
            .collect::<Vec<_>>(),
        [Some(true)]
    );
}
