//! Leaving for the authorization server: what is asked, what is stored before, and what is refused.

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
use countersign::client::{Config, ConfigBuilder, LoginOptions};
use countersign::protocol::error::Endpoint;
use countersign::protocol::form;
use countersign::protocol::http::HttpResponse;
use countersign::protocol::json::Json;
use countersign::protocol::pkce::CodeVerifier;
use countersign::session::transaction::{self, Stored, Transaction};
use countersign::testing::{Randomness, Reply, Trouble, World};
use std::collections::BTreeSet;
use support::*;

fn parameter(uri: &str, name: &str) -> Option<String> {
    let query = uri.split_once('?')?.1;
    form::find(query, name).ok().flatten()
}

fn pending(page: &Page, uri: &str) -> Transaction {
    let texts = page.tab.storage().texts();
    match transaction::decode(&texts[&transaction::key(&parameter(uri, "state").unwrap())]) {
        Stored::Pending(transaction) => transaction,
        other => panic!("not pending: {other:?}"),
    }
}

fn options(parameters: &[(&str, &str)], return_to: &str) -> LoginOptions {
    let mut options = LoginOptions::default();
    options.by_user = true;
    options.parameters = parameters
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    options.return_to = return_to.to_owned();
    options
}

fn world() -> (World, Provider, Page) {
    let world = World::new();
    let provider = Provider::new(&world);
    let page = Page::new(&world);
    (world, provider, page)
}

#[test]
fn the_request_carries_what_the_stored_login_remembers() {
    let (world, _, page) = world();
    let mut options = options(&[("login_hint", "a+b@c"), ("max_age", "60")], "/deep?x=1#y");
    options.app_state = Json::parse(r#"{"cart":[1]}"#).unwrap();
    let uri = page.begin_login_with(options).unwrap();
    assert!(uri.starts_with("https://as.example/authorize?"));
    let login = pending(&page, &uri);
    let challenge = CodeVerifier::parse(login.code_verifier())
        .unwrap()
        .challenge();
    for (name, expected) in [
        ("response_type", "code"),
        ("client_id", CLIENT),
        ("redirect_uri", REDIRECT),
        ("scope", "openid offline_access"),
        ("state", login.state()),
        ("nonce", login.nonce()),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
        ("login_hint", "a+b@c"),
        ("max_age", "60"),
    ] {
        assert_eq!(parameter(&uri, name).as_deref(), Some(expected), "{name}");
    }
    assert!(!uri.contains(login.code_verifier()));
    assert!(login.state().starts_with("countersign-"));
    assert_eq!((login.issuer(), login.client_id()), (ISSUER, CLIENT));
    assert_eq!(
        (login.return_to(), login.max_age()),
        ("/deep?x=1#y", Some(60))
    );
    assert_eq!(login.app_state().to_text(), r#"{"cart":[1]}"#);
    assert_eq!(login.began_at(), world.now().wall);
}

#[test]
fn login_navigates_and_never_ends() {
    let (world, _, page) = world();
    let auth = page.auth.clone();
    let login = world.start(async move { auth.login(LoginOptions::default()).await.err() });
    world.advance(100);
    assert!(!login.is_there());
    let navigations = page.tab.navigations();
    assert_eq!(navigations.len(), 1);
    assert_eq!(pending(&page, &navigations[0]).return_to(), "/");
}

#[test]
fn every_login_draws_its_own_secrets() {
    let (_, _, page) = world();
    let mut seen = BTreeSet::new();
    for _ in 0..15 {
        let uri = page.begin_login().unwrap();
        let login = pending(&page, &uri);
        seen.extend([login.state(), login.nonce()].map(str::to_owned));
        seen.insert(login.code_verifier().to_owned());
    }
    assert_eq!(seen.len(), 45);
}

#[test]
fn ar3_without_randomness_no_login_begins() {
    for randomness in [Randomness::Missing, Randomness::Zeros, Randomness::Constant] {
        let (_, _, page) = world();
        page.tab.set_randomness(randomness);
        let error = page.begin_login().unwrap_err();
        assert_eq!(
            told(&error),
            r#"unsupported_environment {"missing":"crypto.getRandomValues"}"#
        );
        assert_eq!(page.tab.storage().only(LOGIN_PREFIX), None);
        page.tab.set_randomness(Randomness::Repeatable);
        assert!(page.begin_login().is_ok());
    }
}

#[test]
fn a_login_that_cannot_be_stored_is_refused_before_it_leaves() {
    for trouble in [Trouble::Full, Trouble::Denied] {
        let (world, _, page) = world();
        page.tab.storage().set_trouble(trouble);
        let auth = page.auth.clone();
        let error = world
            .run(async move { auth.login(LoginOptions::default()).await })
            .unwrap();
        assert_eq!(
            told(&error.unwrap_err()),
            r#"storage {"operation":"write"}"#,
            "{trouble:?}"
        );
        assert!(page.tab.navigations().is_empty(), "{trouble:?}");
        page.tab.storage().set_trouble(Trouble::None);
        assert!(page.begin_login().is_ok(), "{trouble:?}");
    }
}

#[test]
fn options_that_cannot_be_used_are_named_and_nothing_is_asked_or_stored() {
    let owned = [
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
        "redirect_uri",
        "client_id",
    ];
    let owned = owned.into_iter().chain([
        "response_type",
        "response_mode",
        "request",
        "request_uri",
        "client_secret",
        "",
    ]);
    let cases = owned
        .map(|name| (options(&[(name, "x")], "/"), "extra"))
        .chain([
            (options(&[("scope", "a\"b")], "/"), "scope"),
            (options(&[("scope", "email")], "/"), "scope"),
            (options(&[("max_age", "soon")], "/"), "maxAge"),
            (options(&[("max_age", "-1")], "/"), "maxAge"),
            (options(&[], "//evil.example"), "returnTo"),
            (options(&[], "https://evil.example/"), "returnTo"),
            (options(&[], "javascript:alert(1)"), "returnTo"),
            (options(&[], ""), "returnTo"),
        ]);
    for (options, option) in cases {
        let (world, _, page) = world();
        let name = format!("{:?} {}", options.parameters, options.return_to);
        let error = page.begin_login_with(options).unwrap_err();
        assert_eq!(error.code().as_str(), "invalid_config", "{name}");
        assert_eq!(error.details().get_str("option"), Some(option), "{name}");
        assert!(
            world.requests().is_empty() && page.tab.storage().texts().is_empty(),
            "{name}"
        );
    }
    let (_, _, page) = world();
    let fine = options(
        &[
            ("scope", "openid email"),
            ("max_age", "0"),
            ("prompt", "login"),
        ],
        "/a?b#c",
    );
    let uri = page.begin_login_with(fine).unwrap();
    assert_eq!(parameter(&uri, "scope").as_deref(), Some("openid email"));
}

#[test]
fn configurations_that_cannot_be_used_are_named() {
    let with =
        |issuer: &str, client: &str, redirect: &str| Config::builder(issuer, client, redirect);
    let fine = || with(ISSUER, CLIENT, REDIRECT);
    let cases: [(&str, ConfigBuilder); 15] = [
        ("issuer", with("", CLIENT, REDIRECT)),
        ("issuer", with("as.example", CLIENT, REDIRECT)),
        ("issuer", with("https://as.example?x", CLIENT, REDIRECT)),
        ("issuer", with("https://as.example#x", CLIENT, REDIRECT)),
        ("issuer", with("javascript:alert(1)", CLIENT, REDIRECT)),
        ("issuer", with("http://as.example", CLIENT, REDIRECT)),
        (
            "issuer",
            with("http://as.example", CLIENT, REDIRECT).allow_insecure_issuer("http://as.example/"),
        ),
        ("clientId", with(ISSUER, "", REDIRECT)),
        ("clientId", with(ISSUER, "é", REDIRECT)),
        ("redirectUri", with(ISSUER, CLIENT, "/callback")),
        (
            "redirectUri",
            with(ISSUER, CLIENT, "https://app.example/#x"),
        ),
        ("scope", fine().scope("a\\b")),
        ("clockTolerance", fine().clock_tolerance(601)),
        ("timeout", fine().timeout(0)),
        (
            "postLogoutRedirectUri",
            fine().post_logout_redirect_uri("bye"),
        ),
    ];
    for (option, builder) in cases {
        let error = builder.clone().build().unwrap_err();
        assert_eq!(error.code().as_str(), "invalid_config", "{builder:?}");
        assert_eq!(
            error.details().get_str("option"),
            Some(option),
            "{builder:?}"
        );
        assert!(!error.is_retryable());
    }
    for builder in [
        fine(),
        with("http://127.0.0.1:9000", CLIENT, "http://127.0.0.1:3000/"),
        with("http://as.example", CLIENT, REDIRECT).allow_insecure_issuer("http://as.example"),
    ] {
        assert!(builder.build().is_ok());
    }
}

#[test]
fn an_issuer_that_is_in_trouble_is_a_typed_error_and_nothing_is_stored() {
    let document = |from: &str, to: &str| {
        let text = Provider::new(&World::new()).discovery();
        let changed = text.replace(from, to);
        assert_ne!(changed, text, "{from}");
        Reply::json(&changed)
    };
    let status = |status| Reply::with_status(status, "{}");
    let cases = [
        (
            Reply::fail(TransportError::Network),
            r#"network {"endpoint":"discovery"}"#,
            true,
        ),
        (
            Reply::never(),
            r#"timeout {"endpoint":"discovery","seconds":10}"#,
            true,
        ),
        (
            document("/authorize", "/authorise").delayed(10_000),
            r#"timeout {"endpoint":"discovery","seconds":10}"#,
            true,
        ),
        (
            status(500),
            r#"invalid_response {"endpoint":"discovery","status":500,"problem":"status"}"#,
            true,
        ),
        (
            status(404),
            r#"invalid_response {"endpoint":"discovery","status":404,"problem":"status"}"#,
            false,
        ),
        (
            status(302),
            r#"invalid_response {"endpoint":"discovery","status":302,"problem":"status"}"#,
            false,
        ),
        (
            Reply::response(HttpResponse::new(200, "text/html", "<!doctype html>")),
            r#"invalid_response {"endpoint":"discovery","status":200,"problem":"not_json"}"#,
            false,
        ),
        (
            Reply::json(""),
            r#"invalid_response {"endpoint":"discovery","status":200,"problem":"empty"}"#,
            false,
        ),
        (
            Reply::json("[]"),
            r#"invalid_response {"endpoint":"discovery","status":200,"problem":"not_json"}"#,
            false,
        ),
        (
            Reply::json(&" ".repeat((1 << 20) + 1)),
            r#"invalid_response {"endpoint":"discovery","status":200,"problem":"too_large"}"#,
            false,
        ),
        (
            Reply::json(&"[".repeat(10_000)),
            r#"invalid_response {"endpoint":"discovery","status":200,"problem":"not_json"}"#,
            false,
        ),
        (
            document(
                r#""issuer":"https://as.example""#,
                r#""issuer":"https://as.example/""#,
            ),
            r#"invalid_metadata {"field":"issuer","problem":"mismatch"}"#,
            false,
        ),
        (
            document(r#""issuer":"#, r#""x":"#),
            r#"invalid_metadata {"field":"issuer","problem":"missing"}"#,
            false,
        ),
        (
            document("https://as.example/token", "http://as.example/token"),
            r#"invalid_metadata {"field":"token_endpoint","problem":"insecure"}"#,
            false,
        ),
        (
            document("https://as.example/authorize", "javascript:alert(1)"),
            r#"invalid_metadata {"field":"authorization_endpoint","problem":"malformed"}"#,
            false,
        ),
        (
            document(
                r#""jwks_uri""#,
                r#""code_challenge_methods_supported":["plain"],"jwks_uri""#,
            ),
            r#"invalid_metadata {"field":"code_challenge_methods_supported","problem":"unsupported"}"#,
            false,
        ),
    ];
    for (reply, expected, retryable) in cases {
        let (world, _, page) = world();
        world.queue(Endpoint::Discovery, reply.clone());
        // Where there is nothing at one place, the other is asked, too.
        if expected.starts_with("network") || expected.contains(r#""status":4"#) {
            world.queue(Endpoint::Discovery, reply);
        }
        let error = page.begin_login().unwrap_err();
        assert_eq!(
            (told(&error).as_str(), error.is_retryable()),
            (expected, retryable)
        );
        assert!(page.tab.storage().texts().is_empty(), "{expected}");
        // The same login, with an honest document.
        assert!(page.begin_login().is_ok(), "{expected}");
    }
}

#[test]
fn a_session_that_was_good_outlives_a_login_that_cannot_begin() {
    let (world, _, page) = signed_in();
    let page = page.reload();
    page.start();
    page.tab.storage().put(METADATA_KEY, "damaged");
    let (texts, state) = (page.tab.storage().texts(), page.auth.state());
    world.queue(Endpoint::Discovery, Reply::with_status(200, "<html>"));
    assert!(page.begin_login().is_err());
    assert_eq!(
        (page.tab.storage().texts(), page.auth.state()),
        (texts, state)
    );
    assert_eq!(page.access_token().unwrap(), page.stored_token());
}

#[test]
fn a_slow_but_honest_issuer_is_waited_for() {
    let (world, provider, page) = world();
    provider.set_delay(Endpoint::Discovery, 9_999);
    assert!(page.begin_login().is_ok());
    assert_eq!(world.requests().len(), 1);
}

#[test]
fn concurrent_logins_share_one_discovery_and_have_a_state_each() {
    let (world, provider, page) = world();
    provider.set_delay(Endpoint::Discovery, 500);
    let logins: Vec<_> = (0..3)
        .map(|_| {
            let auth = page.auth.clone();
            world.start(async move { auth.begin_login(LoginOptions::default()).await })
        })
        .collect();
    world.advance(1);
    let uris: BTreeSet<_> = logins
        .iter()
        .map(|login| login.take().unwrap().unwrap())
        .collect();
    assert_eq!((uris.len(), world.requests().len()), (3, 1));
}

#[test]
fn md4_metadata_outlives_the_redirect_for_an_hour() {
    let (world, _, page) = world();
    page.begin_login().unwrap();
    let page = page.reload();
    world.sleep(3599);
    page.begin_login().unwrap();
    assert_eq!(world.requests_to(Endpoint::Discovery).len(), 1);
    let page = page.reload();
    world.sleep(1);
    page.begin_login().unwrap();
    assert_eq!(world.requests_to(Endpoint::Discovery).len(), 2);
    // A copy that is too old is better than none, and the server is left in peace for a minute.
    world.sleep(7200);
    world.queue(Endpoint::Discovery, Reply::with_status(503, ""));
    assert!(page.begin_login().is_ok() && page.begin_login().is_ok());
    assert_eq!(world.requests_to(Endpoint::Discovery).len(), 3);
    world.sleep(60);
    world.queue(Endpoint::Discovery, Reply::json("{}"));
    assert!(page.begin_login().is_ok());
    world.sleep(60);
    page.begin_login().unwrap();
    assert_eq!(world.requests_to(Endpoint::Discovery).len(), 5);
}

#[test]
fn metadata_that_was_given_otherwise_then_is_asked_for_anew() {
    let (world, _, page) = world();
    page.begin_login().unwrap();
    let given = Json::parse(r#"{"token_endpoint":"https://relay.example/token"}"#).unwrap();
    let page = Page::with(&world, page.tab.reload(), config().metadata(given));
    page.begin_login().unwrap();
    assert_eq!(world.requests_to(Endpoint::Discovery).len(), 2);
}

#[test]
fn cached_metadata_is_checked_like_fresh() {
    for (from, to) in [
        ("\"v\":1", "\"v\":2"),
        (
            r#""issuer":"https://as.example""#,
            r#""issuer":"https://evil.example""#,
        ),
        ("https://as.example/token", "http://as.example/token"),
        ("}", ""),
    ] {
        let (world, _, page) = world();
        page.begin_login().unwrap();
        let text = page.tab.storage().texts()[METADATA_KEY].clone();
        let changed = text.replace(from, to);
        assert_ne!(changed, text);
        page.tab.storage().put(METADATA_KEY, &changed);
        let page = page.reload();
        page.begin_login().unwrap();
        assert_eq!(world.requests_to(Endpoint::Discovery).len(), 2, "{from}");
    }
}

#[test]
fn a_hundred_abandoned_logins_leave_bounded_storage() {
    let (_, _, page) = world();
    for _ in 0..100 {
        page.begin_login().unwrap();
    }
    let logins = page
        .tab
        .storage()
        .texts()
        .keys()
        .filter(|key| key.starts_with(LOGIN_PREFIX))
        .count();
    assert_eq!(logins, transaction::MAX_PENDING + 1);
}

#[test]
fn logins_that_are_over_go_with_the_next_page_and_where_the_storage_is_full() {
    for is_full in [false, true] {
        let (world, _, mut page) = world();
        page.begin_login().unwrap();
        let (old, _) = page.tab.storage().only(LOGIN_PREFIX).unwrap();
        world.advance(transaction::LIFETIME);
        if is_full {
            page.tab.storage().set_trouble(Trouble::Full);
        } else {
            page = page.reload();
        }
        assert_eq!(page.begin_login().is_ok(), !is_full);
        assert!(!page.tab.storage().texts().contains_key(&old));
    }
}
