//! Several APIs: access tokens by `audience`, `resource` and `scope`, from one refresh token, through one queue.

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
use countersign::client::{Event, LoginOptions, TokenOptions};
use countersign::protocol::error::Endpoint;
use countersign::protocol::form;
use countersign::protocol::json::Json;
use countersign::protocol::scope::Scope;
use countersign::session::record::TokenKey;
use countersign::session::state::Freshness;
use countersign::testing::{Outcome, Reply, Request, World};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use support::*;

/// A server that rotates, knows a reuse when it sees one, and refuses what it is told to.
#[derive(Clone)]
struct Strict {
    provider: Provider,
    newest: Rc<RefCell<Option<String>>>,
    reused: Rc<Cell<bool>>,
    /// What it says to requests with this in their body, and the status.
    refused: Rc<RefCell<Vec<(&'static str, Reply)>>>,
}

impl Strict {
    fn new(world: &World) -> Self {
        let strict = Self {
            provider: Provider::new(world),
            newest: Rc::default(),
            reused: Rc::default(),
            refused: Rc::default(),
        };
        let server = strict.clone();
        world.on_request(move |request| server.answer(request));
        strict
    }

    fn refuse(&self, what: &'static str, error: &str) {
        let reply = Reply::with_status(400, &format!(r#"{{"error":"{error}"}}"#));
        self.refused.borrow_mut().push((what, reply));
    }

    fn answer(&self, request: &Request) -> Reply {
        if request.endpoint != Endpoint::Token {
            return self.provider.answer(request);
        }
        let sent = request.parameter("refresh_token");
        if sent.is_some() && sent != *self.newest.borrow() {
            self.reused.set(true);
            return Reply::with_status(400, r#"{"error":"invalid_grant"}"#);
        }
        let body = request.body.clone().unwrap();
        let refused = self.refused.borrow();
        if let Some((_, reply)) = refused.iter().find(|(what, _)| body.contains(what)) {
            return reply.clone();
        }
        let reply = self.provider.answer(request);
        let secrets = self.provider.secrets.borrow();
        let newest = secrets.iter().rev().find(|secret| secret.starts_with("rt"));
        self.newest.replace(newest.cloned());
        reply
    }
}

fn audience(name: &str) -> TokenOptions {
    wish(TokenKey::new(Some(name), None, None))
}

fn resource(uri: &str) -> TokenOptions {
    wish(TokenKey::new(None, Some(uri), None))
}

fn scoped(words: &str) -> TokenOptions {
    wish(TokenKey::new(None, None, Scope::parse(words).as_ref()))
}

fn wish(key: TokenKey) -> TokenOptions {
    let mut options = TokenOptions::default();
    options.key = key;
    options
}

fn forced(mut options: TokenOptions) -> TokenOptions {
    options.force_refresh = true;
    options
}

fn signed_in_to(parameters: &[(&str, &str)]) -> (World, Strict, Page) {
    let world = World::new();
    let server = Strict::new(&world);
    let page = Page::new(&world);
    page.start();
    let mut options = LoginOptions::default();
    options.by_user = true;
    for (name, value) in parameters {
        let (name, value) = ((*name).to_owned(), (*value).to_owned());
        options.parameters.push((name, value));
    }
    let uri = page.begin_login_with(options).unwrap();
    page.callback(&server.provider.authorize(&uri)).unwrap();
    (world, server, page)
}

fn ask(page: &Page, options: TokenOptions) -> Outcome<Result<String, String>> {
    let auth = page.auth.clone();
    page.tab.start(async move {
        let token = auth.access_token(options).await;
        token
            .map(|token| token.expose().to_owned())
            .map_err(|error| told(&error))
    })
}

/// The refresh requests so far: which refresh token, and what was asked for beside.
fn refreshes(world: &World) -> Vec<(String, String)> {
    let requests = world.requests_to(Endpoint::Token);
    let refreshes = requests
        .iter()
        .filter_map(|request| Some((request.parameter("refresh_token")?, target(request))));
    refreshes.collect()
}

fn target(request: &Request) -> String {
    let mut target = String::new();
    for name in ["audience", "resource", "scope"] {
        if let Some(value) = request.parameter(name) {
            form::append(&mut target, name, &value);
        }
    }
    target
}

fn duplicate(page: &Page) -> Page {
    let copy = Page::with(&page.world, page.tab.duplicate(), config());
    copy.start();
    copy
}

const REFUSED: &str = r#"token_error {"error":"invalid_target","error_description":null,"error_uri":null,"status":400}"#;

#[test]
fn each_api_has_a_token_of_its_own_and_all_share_one_queue() {
    let (world, server, page) = signed_in_to(&[]);
    server.provider.set_delay(Endpoint::Token, 200);
    let names = ["a", "b", "c", "a"];
    let wishes: Vec<_> = names
        .iter()
        .map(|name| ask(&page, audience(name)))
        .collect();
    world.advance(2);
    let tokens: Vec<_> = wishes
        .iter()
        .map(|it| it.take().unwrap().unwrap())
        .collect();
    assert_eq!(tokens[0], tokens[3]);
    let sent = refreshes(&world);
    let targets: Vec<_> = sent.iter().map(|(_, target)| &**target).collect();
    assert_eq!(targets, ["audience=a", "audience=b", "audience=c"]);
    assert!(
        sent[0].0 != sent[1].0 && sent[1].0 != sent[2].0,
        "rotated each time"
    );
    assert!(!server.reused.get());
    // Fresh ones are served as they are, and the default was not touched.
    for (name, token) in names.iter().zip(&tokens) {
        assert_eq!(page.access_token_with(audience(name)).unwrap(), *token);
    }
    assert!(!tokens.contains(&page.access_token().unwrap()));
    assert_eq!(refreshes(&world).len(), 3);
    assert_eq!(page.record().tokens.len(), 4);
}

#[test]
fn the_order_of_a_scope_makes_no_other_token() {
    let (world, _, page) = signed_in_to(&[]);
    let token = page.access_token_with(scoped("w r w")).unwrap();
    assert_eq!(page.access_token_with(scoped("r w")).unwrap(), token);
    assert_eq!(refreshes(&world).len(), 1);
    assert_eq!(refreshes(&world)[0].1, "scope=r+w");
}

#[test]
fn what_was_signed_in_for_is_the_default_token_by_whatever_name() {
    let (world, _, page) = signed_in_to(&[("audience", "a")]);
    let token = page.access_token().unwrap();
    assert_eq!(page.access_token_with(audience("a")).unwrap(), token);
    assert_eq!(refreshes(&world).len(), 0);
    // After a reload, too, and in a clone.
    let page = page.reload();
    page.start();
    let copy = duplicate(&page);
    assert_eq!(page.access_token_with(audience("a")).unwrap(), token);
    assert_eq!(copy.access_token_with(audience("a")).unwrap(), token);
    assert_eq!(refreshes(&world).len(), 0);
    // A part of its scope is another token, and one token.
    let options = wish(TokenKey::new(Some("a"), None, Scope::parse("r").as_ref()));
    let part = page.access_token_with(options).unwrap();
    assert_eq!(page.access_token_with(scoped("r")).unwrap(), part);
    assert_ne!(part, token);
    assert_eq!(refreshes(&world).len(), 1);
    let new = page.access_token_with(forced(audience("a"))).unwrap();
    assert_eq!(page.access_token().unwrap(), new);
}

#[test]
fn ri1_the_resource_is_named_in_the_token_requests_too() {
    let (world, _, page) = signed_in_to(&[("resource", "https://api.example/a")]);
    let code = &world.requests_to(Endpoint::Token)[0];
    assert_eq!(code.parameter("resource").unwrap(), "https://api.example/a");
    page.access_token_with(forced(TokenOptions::default()))
        .unwrap();
    page.access_token_with(scoped("r")).unwrap();
    let targets: Vec<_> = refreshes(&world).into_iter().map(|it| it.1).collect();
    assert_eq!(
        targets,
        [
            "resource=https%3A%2F%2Fapi.example%2Fa",
            "resource=https%3A%2F%2Fapi.example%2Fa&scope=r"
        ]
    );
}

#[test]
fn of_several_resources_each_has_its_token_and_the_server_chooses_the_default() {
    let (world, _, page) = signed_in_to(&[("resource", "urn:a"), ("resource", "urn:b")]);
    assert_eq!(
        world.requests_to(Endpoint::Token)[0].parameter("resource"),
        None
    );
    let tokens = ["urn:a", "urn:b"].map(|uri| page.access_token_with(resource(uri)).unwrap());
    assert_ne!(tokens[0], tokens[1]);
    page.access_token_with(forced(TokenOptions::default()))
        .unwrap();
    let targets: Vec<_> = refreshes(&world).into_iter().map(|it| it.1).collect();
    assert_eq!(targets, ["resource=urn%3Aa", "resource=urn%3Ab", ""]);
}

#[test]
fn a_resource_that_was_not_signed_in_for_is_refused_here() {
    // There are servers that rotate first and refuse then: nothing would be left to ask with.
    for named in [&[][..], &[("resource", "urn:a")], &[("audience", "x")]] {
        let (world, _, page) = signed_in_to(named);
        let before = page.auth.state();
        for options in [resource("urn:b"), forced(resource("urn:b"))] {
            let error = page.access_token_with(options).unwrap_err();
            assert_eq!(
                told(&error),
                r#"token_error {"error":"invalid_target","error_description":"name this resource at sign-in, too","error_uri":null,"status":0}"#
            );
        }
        assert_eq!(refreshes(&world).len(), 0);
        assert_eq!(page.auth.state(), before);
    }
}

#[test]
fn a_refused_api_harms_none_of_the_others() {
    for error in [
        "invalid_target",
        "invalid_scope",
        "invalid_grant",
        "consent_required",
    ] {
        let (world, server, page) = signed_in_to(&[]);
        server.refuse("audience=b", error);
        server.provider.set_delay(Endpoint::Token, 200);
        let before = page.auth.state();
        let wishes = ["a", "b", "c"].map(|name| ask(&page, audience(name)));
        world.advance(2);
        let [a, b, c] = wishes.map(|wish| wish.take().unwrap());
        assert!(a.is_ok() && c.is_ok(), "{error}");
        assert!(b.unwrap_err().contains(error), "{error}");
        assert_eq!(
            page.auth.state(),
            before_but_generation(&page, before),
            "{error}"
        );
        assert!(!server.reused.get());
        let failed = |event: &Event| matches!(event, Event::RefreshFailed { .. });
        assert!(!page.events.borrow().iter().any(failed), "{error}");
        // The default is as it was, and can be refreshed.
        page.access_token_with(forced(TokenOptions::default()))
            .unwrap();
        assert_eq!(refreshes(&world).len(), 4, "{error}");
    }
}

/// The state as it was; refreshes have counted on.
fn before_but_generation(
    page: &Page,
    before: countersign::client::State,
) -> countersign::client::State {
    let countersign::client::State::SignedIn(before) = before else {
        panic!("{before:?}")
    };
    let mut state = (*before).clone();
    state.generation = page.record().generation;
    countersign::client::State::SignedIn(state.into())
}

#[test]
fn a_refused_api_is_not_asked_for_again_before_a_reload_or_a_sign_in() {
    let (world, server, page) = signed_in_to(&[]);
    server.refuse("audience=b", "invalid_target");
    for options in [audience("b"), audience("b"), forced(audience("b"))] {
        let error = page.access_token_with(options).unwrap_err();
        assert_eq!(told(&error), REFUSED);
    }
    assert_eq!(refreshes(&world).len(), 1);
    page.access_token_with(forced(TokenOptions::default()))
        .unwrap();
    assert!(page.access_token_with(audience("b")).is_err());
    assert_eq!(refreshes(&world).len(), 2);

    server.refused.borrow_mut().clear();
    assert!(page.access_token_with(audience("b")).is_err());
    let copy = page.reload();
    copy.start();
    copy.access_token_with(audience("b")).unwrap();

    let (_, server, page) = signed_in_to(&[]);
    server.refuse("audience=b", "invalid_target");
    assert!(page.access_token_with(audience("b")).is_err());
    server.refused.borrow_mut().clear();
    page.sign_in(&server.provider).unwrap();
    page.access_token_with(audience("b")).unwrap();
}

#[test]
fn a_refused_grant_is_asked_again_once_the_refresh_token_is_another() {
    let (world, server, page) = signed_in_to(&[]);
    server.refuse("audience=b", "invalid_grant");
    assert!(page.access_token_with(audience("b")).is_err());
    assert!(page.access_token_with(audience("b")).is_err());
    assert_eq!(refreshes(&world).len(), 1);
    server.refused.borrow_mut().clear();
    page.access_token_with(audience("a")).unwrap();
    page.access_token_with(audience("b")).unwrap();
    assert_eq!(refreshes(&world).len(), 3);
}

#[test]
fn where_the_api_that_was_signed_in_for_is_refused_the_others_go_on() {
    let (world, server, page) = signed_in_to(&[("resource", "urn:a"), ("resource", "urn:b")]);
    page.access_token_with(resource("urn:b")).unwrap();
    let all = Reply::with_status(400, r#"{"error":"invalid_target"}"#);
    world.queue(Endpoint::Token, all);
    let failed = page.access_token_with(forced(TokenOptions::default()));
    assert_eq!(told(&failed.unwrap_err()), REFUSED);
    // It is not asked again, whatever comes of the others.
    for _ in 0..3 {
        page.access_token_with(forced(resource("urn:b"))).unwrap();
        let failed = page.access_token_with(forced(TokenOptions::default()));
        assert_eq!(told(&failed.unwrap_err()), REFUSED);
    }
    assert_eq!(refreshes(&world).len(), 5);
    assert!(!server.reused.get());
    // A client that is not accepted is one for every API.
    let (world, _, page) = signed_in_to(&[]);
    world.queue(
        Endpoint::Token,
        Reply::with_status(401, r#"{"error":"invalid_client"}"#),
    );
    page.access_token_with(forced(TokenOptions::default()))
        .unwrap_err();
    page.access_token_with(audience("a")).unwrap_err();
    assert_eq!(refreshes(&world).len(), 1);
}

#[test]
fn trouble_of_the_server_is_told_to_all_who_wait_for_whatever_api() {
    for trouble in [
        Reply::with_status(503, "{}"),
        Reply::with_status(429, "{}").retry_after(30),
        Reply::fail(TransportError::Network),
    ] {
        let (world, _, page) = signed_in_to(&[]);
        world.queue(Endpoint::Token, trouble.clone().delayed(200));
        let wishes = ["a", "b", "c"].map(|name| ask(&page, audience(name)));
        world.advance_millis(900);
        for wish in wishes {
            wish.take().unwrap().unwrap_err();
        }
        assert_eq!(refreshes(&world).len(), 1);
        let state = page.signed_in();
        assert_eq!(state.freshness, Freshness::Fresh);
        assert!(state.error.is_some());
        // And the default is served all the while.
        page.access_token().unwrap();
        world.advance(31);
        page.access_token_with(audience("b")).unwrap();
        assert_eq!(page.signed_in().error, None);
    }
}

#[test]
fn a_lost_answer_for_one_api_is_known_to_all() {
    let (world, _, page) = signed_in_to(&[]);
    world.queue(Endpoint::Token, Reply::fail(TransportError::Network));
    assert!(page.access_token_with(audience("a")).is_err());
    assert!(page.record().unanswered);
    // It had not rotated: whatever API asks next makes sure of that.
    world.advance(60);
    page.access_token_with(audience("b")).unwrap();
    assert!(!page.record().unanswered);
}

#[test]
fn a_narrowed_answer_leaves_the_scope_of_the_session_alone() {
    let (_, server, page) = signed_in_to(&[]);
    let scope = page.signed_in().scope.clone();
    server.provider.set_member("scope", r#""r""#);
    page.access_token_with(scoped("r")).unwrap();
    assert_eq!(page.signed_in().scope, scope);
    page.access_token_with(forced(TokenOptions::default()))
        .unwrap();
    assert_eq!(page.signed_in().scope.as_str(), "r");
}

#[test]
fn every_token_survives_a_reload_until_it_expires() {
    let (world, server, page) = signed_in_to(&[]);
    server.provider.lifetime.set(Some(600));
    let a = page.access_token_with(audience("a")).unwrap();
    server.provider.lifetime.set(Some(2000));
    let b = page.access_token_with(audience("b")).unwrap();
    let page = page.reload();
    page.start();
    assert_eq!(page.access_token_with(audience("a")).unwrap(), a);
    assert_eq!(page.access_token_with(audience("b")).unwrap(), b);
    assert_eq!(refreshes(&world).len(), 2);
    // What has expired is dropped by the next refresh of whatever, and nobody refreshes it ahead of time.
    world.advance(700);
    assert_eq!(refreshes(&world).len(), 2);
    page.access_token_with(audience("c")).unwrap();
    let keys: Vec<_> = page
        .record()
        .tokens
        .iter()
        .map(|(key, _)| key.as_str().to_owned())
        .collect();
    assert_eq!(keys, ["", "audience=b", "audience=c"]);
    assert_ne!(page.access_token_with(audience("a")).unwrap(), a);
}

#[test]
fn clones_adopt_what_one_of_them_got_for_every_api() {
    let (world, server, first) = signed_in_to(&[]);
    let second = duplicate(&first);
    server.provider.set_delay(Endpoint::Token, 100);
    let wishes = [
        ask(&first, audience("a")),
        ask(&second, audience("a")),
        ask(&first, audience("b")),
        ask(&second, audience("c")),
        ask(&second, audience("b")),
    ];
    world.advance(3);
    let [a, a2, b, c, b2] = wishes.map(|wish| wish.take().unwrap().unwrap());
    assert_eq!((&a, &b), (&a2, &b2));
    assert_eq!(refreshes(&world).len(), 3);
    assert!(!server.reused.get());
    for page in [&first, &second] {
        for (name, token) in [("a", &a), ("b", &b), ("c", &c)] {
            assert_eq!(page.access_token_with(audience(name)).unwrap(), *token);
        }
    }
    assert_eq!(refreshes(&world).len(), 3);
    assert_eq!(first.record().generation, second.record().generation);
    assert_eq!(first.stored_token(), second.stored_token());
}

#[test]
fn what_is_refused_in_one_tab_ends_no_other() {
    let (world, server, first) = signed_in_to(&[]);
    let second = duplicate(&first);
    server.refuse("audience=b", "invalid_grant");
    assert!(first.access_token_with(audience("b")).is_err());
    world.advance(5);
    for page in [&first, &second] {
        page.access_token().unwrap();
        page.signed_in();
        page.access_token_with(forced(audience("a"))).unwrap();
    }
    assert!(!server.reused.get());
    assert_eq!(refreshes(&world).len(), 3);
}

#[test]
fn a_token_that_came_while_another_tab_was_ahead_is_not_lost() {
    // Without locks two tabs ask at once, and only one letter of a generation gets into the mailbox.
    let (world, server, first) = signed_in_to(&[]);
    server.provider.rotates.set(false);
    let second = duplicate(&first);
    for page in [&first, &second] {
        page.tab.set_locks(false);
    }
    server.provider.set_delay(Endpoint::Token, 100);
    let wishes = [ask(&first, audience("a")), ask(&second, audience("b"))];
    world.advance(3);
    let [a, b] = wishes.map(|wish| wish.take().unwrap().unwrap());
    assert_eq!(refreshes(&world).len(), 2);
    assert_eq!(first.access_token_with(audience("a")).unwrap(), a);
    assert_eq!(second.access_token_with(audience("b")).unwrap(), b);
    assert_eq!(refreshes(&world).len(), 2);
}

#[test]
fn without_a_refresh_token_another_api_takes_another_sign_in() {
    let world = World::new();
    let provider = Provider::new(&world);
    provider.gives_refresh_tokens.set(false);
    let page = Page::new(&world);
    page.start();
    page.sign_in(&provider).unwrap();
    let error = page.access_token_with(audience("a")).unwrap_err();
    assert_eq!(
        told(&error),
        r#"login_required {"reason":"interactionRequired"}"#
    );
    page.signed_in();
    page.access_token().unwrap();
}

#[test]
fn very_many_apis_do_not_fill_the_storage() {
    let (world, server, page) = signed_in_to(&[]);
    // As long as access tokens with many claims are.
    let long = Json::from("x".repeat(1500).as_str()).to_text();
    let default = page.access_token().unwrap();
    for number in 0..130 {
        server.provider.members.borrow_mut().clear();
        let long = long.replacen("x", &number.to_string(), 1);
        server.provider.set_member("access_token", &long);
        page.access_token_with(audience(&format!("https://api.example/{number}")))
            .unwrap();
    }
    let record = page.record();
    assert_eq!(record.tokens.len(), 120);
    assert_eq!(page.access_token().unwrap(), default);
    let size = page.stored().unwrap().len();
    assert!((180_000..216_000).contains(&size), "{size}");
    // The newest are served, of the oldest a new one is asked for.
    let last = audience("https://api.example/129");
    page.access_token_with(last).unwrap();
    assert_eq!(refreshes(&world).len(), 130);
    page.access_token_with(audience("https://api.example/0"))
        .unwrap();
    assert_eq!(refreshes(&world).len(), 131);
    let copy = duplicate(&page);
    copy.access_token_with(audience("https://api.example/129"))
        .unwrap();
    assert_eq!(refreshes(&world).len(), 131);
}

#[test]
fn a_key_in_a_foreign_record_is_never_sent_by_itself() {
    let (world, _, page) = signed_in_to(&[]);
    page.access_token_with(audience("a")).unwrap();
    let stored = page.stored().unwrap();
    assert!(stored.contains(r#""audience=a""#));
    // Nothing but the default is refreshed without being asked for.
    world.advance(4 * 3600);
    let targets: Vec<_> = refreshes(&world).into_iter().map(|it| it.1).collect();
    assert_eq!(targets[0], "audience=a");
    assert!(targets.len() > 2 && targets[1..].iter().all(String::is_empty));
}
