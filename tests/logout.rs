//! Logging out: forgotten first, then ended at the server.

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

use countersign::client::ports::TransportError;
use countersign::client::{ConfigBuilder, Event, LogoutOptions, State};
use countersign::protocol::error::Endpoint;
use countersign::protocol::form;
use countersign::protocol::json::Json;
use countersign::session::state::SignedOutReason;
use countersign::testing::{Reply, Trouble, World};
use support::*;

const BYE: &str = "https://app.example/bye";

fn local() -> LogoutOptions {
    let mut options = LogoutOptions::default();
    options.local = true;
    options
}

fn is_logged_out(page: &Page) -> bool {
    matches!(page.auth.state(), State::SignedOut(out) if out.reason == SignedOutReason::LoggedOut)
}

#[test]
fn lo2_the_session_is_forgotten_before_anything_is_asked() {
    let (world, provider, page) = signed_in();
    world.sleep(4000);
    provider.set_delay(Endpoint::Discovery, 5000);
    let auth = page.auth.clone();
    let logout = world.start(async move { auth.begin_logout(LogoutOptions::default()).await });
    world.run_until_idle();
    assert!(is_logged_out(&page) && page.stored().is_none());
    assert!(!logout.is_there());
    world.advance(6);
    assert!(logout.take().unwrap().is_ok());
}

#[test]
fn an_expired_session_is_forgotten_without_a_refresh() {
    for begun in [false, true] {
        let (world, provider, page) = signed_in();
        world.sleep(7200);
        provider.set_delay(Endpoint::Token, 5000);
        let (page, requests) = (page.reload(), page.token_requests());
        if begun {
            let auth = page.auth.clone();
            let _start = world.start(async move { auth.start(None).await });
            world.run_until_idle();
            assert_eq!(page.token_requests(), requests + 1);
        }
        let (auth, sent) = (page.auth.clone(), page.token_requests());
        let logout = world.start(async move { auth.begin_logout(local()).await });
        world.run_until_idle();
        assert!(
            is_logged_out(&page) && page.stored().is_none(),
            "begun: {begun}"
        );
        assert_eq!(logout.take(), Some(Ok(None)));
        world.advance(60);
        assert!(
            is_logged_out(&page) && page.stored().is_none(),
            "begun: {begun}"
        );
        assert_eq!(page.token_requests(), sent, "begun: {begun}");
    }
}

#[test]
fn a_logout_waits_for_the_callback_that_would_sign_in_again() {
    let (world, provider, page) = signed_in();
    let uri = provider.authorize(&page.begin_login().unwrap());
    provider.set_delay(Endpoint::Token, 2000);
    let page = page.reload();
    let (auth, callback) = (page.auth.clone(), uri);
    let start = world.start(async move { auth.start(Some(callback)).await });
    world.run_until_idle();
    page.logout(local()).unwrap();
    assert!(start.is_there());
    assert!(is_logged_out(&page) && page.stored().is_none());
}

#[test]
fn lo1_the_user_is_sent_to_where_the_session_ends() {
    let (_, _, page) = signed_in();
    let id_token = page.auth.id_token().unwrap();
    let family = page.record().family.id;
    let uri = page.logout(LogoutOptions::default()).unwrap().unwrap();
    let query = uri.strip_prefix("https://as.example/logout?").unwrap();
    assert_eq!(
        form::find(query, "client_id").unwrap().as_deref(),
        Some(CLIENT)
    );
    assert_eq!(form::find(query, "id_token_hint").unwrap(), Some(id_token));
    assert_eq!(form::find(query, "post_logout_redirect_uri").unwrap(), None);
    assert_eq!(form::find(query, "state").unwrap(), None);
    assert!(page.has_event(&Event::SignedOut(SignedOutReason::LoggedOut)));
    assert!(page.world.has_ended(&family));
    assert_eq!(page.world.rings().last().unwrap().0, family);
    assert_eq!(page.auth.id_token(), None);
    assert_eq!(
        told(&page.access_token().unwrap_err()),
        r#"login_required {"reason":"loggedOut"}"#
    );
}

#[test]
fn lo2_what_stays_in_storage_is_no_token_and_no_verifier() {
    let (world, provider, page) = signed_in();
    let page = Page::with(
        &world,
        page.tab.reload(),
        config().post_logout_redirect_uri(BYE),
    );
    page.start();
    let mut options = LogoutOptions::default();
    options.state_prefix = "countersign-logout-".to_owned();
    let uri = page.logout(options).unwrap().unwrap();
    let query = uri.split_once('?').unwrap().1;
    let state = form::find(query, "state").unwrap().unwrap();
    assert_eq!(
        form::find(query, "post_logout_redirect_uri")
            .unwrap()
            .as_deref(),
        Some(BYE)
    );
    assert!(state.starts_with("countersign-logout-"));
    let texts: String = page.tab.storage().texts().into_values().collect();
    assert!(texts.contains(&state));
    assert!(!texts.contains("verifier") && !texts.contains("alice"));
    assert!(
        provider
            .secrets
            .borrow()
            .iter()
            .all(|secret| !texts.contains(secret))
    );
}

#[test]
fn the_return_from_a_logout_is_no_login_callback() {
    let (world, _, page) = signed_in();
    let page = Page::with(
        &world,
        page.tab.reload(),
        config()
            .state_prefix("cs-login-")
            .post_logout_redirect_uri(REDIRECT),
    );
    page.start();
    let mut options = LogoutOptions::default();
    options.state_prefix = "cs-logout-".to_owned();
    let uri = page.logout(options).unwrap().unwrap();
    let state = form::find(uri.split_once('?').unwrap().1, "state")
        .unwrap()
        .unwrap();
    assert!(!page.auth.is_callback(&format!("{REDIRECT}?state={state}")));
    assert!(
        page.auth
            .is_callback(&format!("{REDIRECT}?code=x&state=cs-login-x"))
    );
}

#[test]
fn a_local_logout_asks_nobody() {
    let (world, _, page) = signed_in();
    world.sleep(4000);
    let before = world.requests().len();
    assert_eq!(page.logout(local()).unwrap(), None);
    assert!(is_logged_out(&page) && page.stored().is_none());
    assert_eq!(world.requests().len(), before);
}

#[test]
fn a_server_that_cannot_be_asked_does_not_keep_the_session_alive() {
    let (world, _, page) = signed_in();
    let page = page.reload();
    page.tab.storage().put(METADATA_KEY, "damaged");
    for _ in 0..2 {
        world.queue(Endpoint::Discovery, Reply::fail(TransportError::Network));
    }
    assert_eq!(
        told(&page.logout(LogoutOptions::default()).unwrap_err()),
        r#"network {"endpoint":"discovery"}"#
    );
    assert!(is_logged_out(&page) && page.stored().is_none());
}

#[test]
fn a_storage_that_cannot_remove_does_not_bring_the_session_back_here() {
    let (_, _, page) = signed_in();
    page.tab.storage().set_trouble(Trouble::Denied);
    page.logout(local()).unwrap();
    assert!(is_logged_out(&page));
    assert!(page.access_token().is_err());
}

#[test]
fn logging_out_without_a_session_still_reaches_the_server() {
    let (_, _, page) = signed_in();
    page.logout(local()).unwrap();
    let uri = page.logout(LogoutOptions::default()).unwrap().unwrap();
    assert_eq!(uri, "https://as.example/logout?client_id=spa");
    assert!(is_logged_out(&page));
    assert_eq!(
        page.events
            .borrow()
            .iter()
            .filter(|event| matches!(event, Event::SignedOut(_)))
            .count(),
        1
    );
}

#[test]
fn nothing_wakes_up_after_a_logout() {
    let (world, _, page) = signed_in_for(60);
    page.logout(local()).unwrap();
    let (requests, states) = (world.requests().len(), page.states.borrow().len());
    world.advance(10_000);
    page.tab.resume();
    assert_eq!(
        (world.requests().len(), page.states.borrow().len()),
        (requests, states)
    );
}

#[test]
fn after_a_logout_a_new_sign_in_founds_a_new_family() {
    let (_, provider, page) = signed_in();
    let family = page.record().family.id;
    page.logout(local()).unwrap();
    page.sign_in(&provider).unwrap();
    assert_ne!(page.record().family.id, family);
    assert_eq!(page.record().generation, 1);
}

#[test]
fn lo9_a_logout_reaches_a_copy_of_the_tab_at_its_next_refresh() {
    let (world, _, page) = signed_in_for(600);
    let other = Page::with(&world, page.tab.duplicate(), config());
    other.start();
    page.logout(local()).unwrap();
    let requests = page.token_requests();
    world.advance(600);
    assert!(
        matches!(other.auth.state(), State::SignedOut(out) if out.reason == SignedOutReason::LoggedOutElsewhere)
    );
    assert_eq!((other.stored(), page.token_requests()), (None, requests));
}

#[test]
fn logout_navigates_where_it_says() {
    let (world, _, page) = signed_in();
    let auth = page.auth.clone();
    world
        .run(async move { auth.logout(LogoutOptions::default()).await })
        .unwrap()
        .unwrap();
    assert!(page.tab.navigations()[0].starts_with("https://as.example/logout?"));
}

/// A page that is signed in at a server that revokes, with a logout of its own kind.
fn revoking(config: ConfigBuilder) -> (World, Page) {
    let world = World::new();
    let provider = Provider::new(&world);
    let given = r#"{"revocation_endpoint":"https://as.example/revoke"}"#;
    let config = config.metadata(Json::parse(given).unwrap());
    let page = Page::with(&world, world.tab(), config);
    page.start();
    page.sign_in(&provider).unwrap();
    (world, page)
}

#[test]
fn lo5_a_logout_revokes_the_refresh_token_first_and_waits_a_second_for_it() {
    let (world, page) = revoking(config());
    let token = page.stored_refresh_token();
    world.queue(Endpoint::Revocation, Reply::never());
    let before = world.now().monotonic;
    assert!(page.logout(LogoutOptions::default()).unwrap().is_some());
    assert_eq!(world.now().monotonic - before, 1000);
    let requests = world.requests_to(Endpoint::Revocation);
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].parameter("token"), Some(token));
    assert_eq!(
        requests[0].parameter("token_type_hint").as_deref(),
        Some("refresh_token")
    );
    // The local truth came first.
    assert!(!requests[0].session_stored.contains_key(SESSION_KEY));
}

#[test]
fn lo5_a_logout_goes_on_whatever_the_revocation_says() {
    for reply in [
        Reply::with_status(401, r#"{"error":"invalid_client"}"#),
        Reply::with_status(503, ""),
        Reply::fail(TransportError::Network),
        Reply::json(""),
    ] {
        let (world, page) = revoking(config());
        world.queue(Endpoint::Revocation, reply);
        let uri = page.logout(LogoutOptions::default()).unwrap().unwrap();
        assert!(uri.starts_with("https://as.example/logout?"), "{uri}");
        assert!(is_logged_out(&page) && page.stored().is_none());
    }
}

#[test]
fn revocation_follows_what_was_asked_for() {
    // The access token is the hint, and would be revoked with the other.
    let hinting =
        r#"{"endpoint":"https://as.example/logout","params":{"access_token_hint":"hint"}}"#;
    for (dialect, is_local, revoke, requests) in [
        ("null", false, None, 1),
        ("null", false, Some(false), 0),
        ("null", true, None, 0),
        ("null", true, Some(true), 1),
        (hinting, false, None, 0),
        (hinting, false, Some(true), 1),
    ] {
        let (world, page) = revoking(config().logout(Json::parse(dialect).unwrap()));
        let mut options = LogoutOptions::default();
        options.local = is_local;
        options.revoke = revoke;
        assert_eq!(page.logout(options).unwrap().is_none(), is_local);
        assert_eq!(world.requests_to(Endpoint::Revocation).len(), requests);
    }
}

#[test]
fn lo5_a_server_that_wants_json_gets_json() {
    let (world, page) = revoking(config().revocation_by_json());
    let token = page.stored_refresh_token();
    page.logout(LogoutOptions::default()).unwrap();
    let request = world.requests_to(Endpoint::Revocation).remove(0);
    assert_eq!(
        request.body,
        Some(format!(r#"{{"client_id":"spa","token":"{token}"}}"#))
    );
}

#[test]
fn lo4_t16_a_dialect_has_its_own_place_and_names() {
    let dialect = r#"{"endpoint":"https://as.example/v2/logout?x=1","params":
        {"post_logout_redirect_uri":"returnTo","id_token_hint":null,"state":null}}"#;
    let config = config().post_logout_redirect_uri("https://app.example/bye");
    let (_, page) = revoking(config.logout(Json::parse(dialect).unwrap()));
    let uri = page.logout(LogoutOptions::default()).unwrap().unwrap();
    assert_eq!(
        uri,
        "https://as.example/v2/logout?x=1&client_id=spa&returnTo=https%3A%2F%2Fapp.example%2Fbye"
    );
    // Without a `state` there is nothing to compare.
    let texts = page.tab.storage().texts();
    assert!(
        !texts
            .keys()
            .any(|key| key.starts_with("countersign:logout:"))
    );
}

#[test]
fn a_page_that_slept_through_its_end_leaves_what_its_user_signed_in_to_since() {
    for (elsewhere, reason) in [
        (true, SignedOutReason::LoggedOutElsewhere),
        (false, SignedOutReason::LoggedOut),
    ] {
        let (world, provider, slept) = signed_in();
        let other = Page::new(&world);
        other.start();
        other.sign_in(&provider).unwrap();
        let mut options = local();
        options.elsewhere = elsewhere;
        slept.logout(options).unwrap();
        world.run_until_idle();
        assert!(
            matches!(slept.auth.state(), State::SignedOut(out) if out.reason == reason),
            "elsewhere: {elsewhere}"
        );
        let stands = matches!(other.auth.state(), State::SignedIn(_));
        assert_eq!(stands, elsewhere);
        assert_eq!(other.access_token_with(forced()).is_ok(), elsewhere);
        world.advance(600);
        assert_eq!(slept.token_requests(), if elsewhere { 3 } else { 2 });
    }
}
