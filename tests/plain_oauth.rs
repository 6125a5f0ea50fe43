//! Plain OAuth 2.0 (`oidc: false`), metadata by hand, and responses in the fragment.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]

mod support;

use countersign::client::{Config, ConfigBuilder, Event, LoginOptions, State};
use countersign::protocol::error::Endpoint;
use countersign::protocol::form;
use countersign::protocol::json::Json;
use countersign::session::state::Warning;
use countersign::testing::{Reply, World};
use support::*;

const ENDPOINTS: &str = r#"{"authorization_endpoint":"https://as.example/authorize","token_endpoint":"https://as.example/token"}"#;

fn plain() -> ConfigBuilder {
    Config::plain_oauth(CLIENT, REDIRECT)
}

fn by_hand() -> ConfigBuilder {
    plain().metadata(Json::parse(ENDPOINTS).unwrap())
}

fn page(config: ConfigBuilder) -> (World, Provider, Page) {
    let world = World::new();
    let provider = Provider::new(&world);
    let page = Page::with(&world, world.tab(), config);
    page.start();
    (world, provider, page)
}

fn parameter(uri: &str, name: &str) -> Option<String> {
    form::find(uri.split_once('?')?.1, name).ok().flatten()
}

/// What the provider sends back, of a request that may have no `nonce`.
fn answer(uri: &str, extra: &str) -> String {
    let state = parameter(uri, "state").unwrap();
    format!("{REDIRECT}?code=c0de&state={state}{extra}")
}

#[test]
fn without_openid_there_is_a_session_and_no_user() {
    let (world, _, page) = page(by_hand());
    let uri = page.begin_login().unwrap();
    for absent in ["nonce", "scope", "response_mode"] {
        assert_eq!(parameter(&uri, absent), None, "{absent}");
    }
    assert!(parameter(&uri, "code_challenge").is_some());
    page.callback(&answer(&uri, "")).unwrap();
    assert_eq!(page.signed_in().user, None);
    // The ID Token that came along was not asked for: nobody checked it, so nobody gets it.
    assert_eq!(page.auth.id_token(), None);
    let endpoints: Vec<_> = world.requests().iter().map(|one| one.endpoint).collect();
    assert_eq!(endpoints, [Endpoint::Token]);
    world.sleep(3600);
    assert_ne!(page.access_token().unwrap(), "");
    assert!(page.signed_in().refreshable);
}

#[test]
fn the_session_outlives_a_reload_under_the_endpoints_name() {
    let (_, _, page) = page(by_hand());
    let uri = page.begin_login().unwrap();
    page.callback(&answer(&uri, "")).unwrap();
    let texts = page.tab.storage().texts();
    assert!(texts.contains_key("countersign:session:https://as.example/authorize spa"));
    let page = Page::with(&page.world, page.tab.reload(), by_hand());
    page.start();
    assert_eq!(page.signed_in().user, None);
}

#[test]
fn a_session_with_a_user_is_none_of_plain_oauth_and_one_without_is_none_of_openid_connect() {
    let plain = || by_hand().issuer(ISSUER);
    let is_restored = |before: &Page, config| {
        let page = Page::with(&before.world, before.tab.reload(), config);
        page.start();
        matches!(page.auth.state(), State::SignedIn(_))
    };
    let (_, _, with_user) = signed_in();
    assert!(!is_restored(&with_user, plain()));
    assert!(is_restored(&with_user, config()));

    let (_, _, without) = page(plain());
    let uri = without.begin_login().unwrap();
    without.callback(&answer(&uri, "")).unwrap();
    assert!(!is_restored(&without, config()));
    assert!(is_restored(&without, plain()));
}

#[test]
fn an_iss_without_an_issuer_is_told_and_with_one_compared() {
    for (config, iss, taken, warned) in [
        (by_hand(), "", true, false),
        (by_hand(), "&iss=https%3A%2F%2Fevil.example", true, true),
        (
            by_hand().issuer(ISSUER),
            "&iss=https%3A%2F%2Fevil.example",
            false,
            false,
        ),
        (
            by_hand().issuer(ISSUER),
            "&iss=https%3A%2F%2Fas.example",
            true,
            false,
        ),
    ] {
        let (_, _, page) = page(config);
        let uri = page.begin_login().unwrap();
        assert_eq!(page.callback(&answer(&uri, iss)).is_ok(), taken, "{iss}");
        let warning = Event::Warning(Warning::IssuerUnchecked);
        assert_eq!(page.has_event(&warning), warned, "{iss}");
    }
}

#[test]
fn md5_an_issuer_or_both_endpoints_are_needed() {
    let refused = |config: ConfigBuilder| told(&config.build().unwrap_err());
    assert!(refused(plain()).contains(r#""option":"issuer""#));
    let one = Json::parse(r#"{"token_endpoint":"https://as.example/token"}"#).unwrap();
    assert!(refused(plain().metadata(one)).contains(r#""option":"issuer""#));
    assert!(plain().issuer(ISSUER).build().is_ok() && by_hand().build().is_ok());
    let bad = ENDPOINTS.replace("https://as.example/token", "http://as.example/token");
    let bad = plain().metadata(Json::parse(&bad).unwrap());
    assert!(refused(bad).contains(r#""option":"metadata""#));
    for logout in [r#"{"endpoint":"/logout"}"#, r#"{"params":{}}"#] {
        let config = by_hand().logout(Json::parse(logout).unwrap());
        assert!(refused(config).contains(r#""option":"logout""#));
    }
}

#[test]
fn md1_plain_oauth_asks_the_place_of_rfc8414_first_and_openid_connect_its_own() {
    let paths = |page: &Page| -> Vec<String> {
        let requests = page.world.requests_to(Endpoint::Discovery);
        requests.into_iter().map(|one| one.uri).collect()
    };
    let openid = "https://as.example/.well-known/openid-configuration";
    let oauth = "https://as.example/.well-known/oauth-authorization-server";
    for (config, order) in [
        (plain().issuer(ISSUER), [oauth, openid]),
        (config(), [openid, oauth]),
    ] {
        let (_, _, first) = page(config.clone());
        first.begin_login().unwrap();
        assert_eq!(paths(&first), [order[0]]);
        let (world, _, second) = page(config);
        world.queue(Endpoint::Discovery, Reply::with_status(404, "Not Found"));
        second.begin_login().unwrap();
        assert_eq!(paths(&second), order);
    }
}

#[test]
fn cb12_a_response_is_read_only_where_it_was_asked_for() {
    let (world, provider, page) = page(config().response_in_fragment());
    let uri = page.begin_login().unwrap();
    assert_eq!(
        parameter(&uri, "response_mode").as_deref(),
        Some("fragment")
    );
    let in_query = provider.authorize(&uri);
    let in_fragment = in_query.replace('?', "#");
    assert!(!page.auth.is_callback(&in_query) && page.auth.is_callback(&in_fragment));
    assert!(page.callback(&in_query).is_err());
    assert!(world.requests_to(Endpoint::Token).is_empty());
    page.callback(&in_fragment).unwrap();
    assert!(page.signed_in().user.is_some());
}

#[test]
fn resources_are_repeated_and_kept_in_order() {
    let (_, _, page) = page(by_hand());
    let mut options = LoginOptions::default();
    for resource in ["https://a.example", "https://b.example"] {
        let parameter = ("resource".to_owned(), resource.to_owned());
        options.parameters.push(parameter);
    }
    let uri = page.begin_login_with(options).unwrap();
    assert!(uri.ends_with("&resource=https%3A%2F%2Fa.example&resource=https%3A%2F%2Fb.example"));
}

#[test]
fn cb11_a_shared_redirect_uri_is_told_where_the_server_does_not_name_itself() {
    for (announces, warned) in [(false, true), (true, false)] {
        let (_, provider, page) = page(config());
        provider.announces_iss.set(announces);
        let mut options = LoginOptions::default();
        options.shared_redirect_uri = true;
        page.begin_login_with(options).unwrap();
        let warning = Event::Warning(Warning::SharedRedirectUri);
        assert_eq!(page.has_event(&warning), warned);
    }
}
