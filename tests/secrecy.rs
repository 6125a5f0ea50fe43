//! No secret is in anything that is printed, thrown, logged or told: tokens, codes, verifiers, states, nonces, keys, and
//! claim values in `Debug`. Flows run, good and bad; then everything that could be seen is searched.

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
use countersign::client::{Config, Error, LoginOptions, LogoutOptions};
use countersign::protocol::authorization::AuthorizationResponse;
use countersign::protocol::base64url;
use countersign::protocol::error::Endpoint;
use countersign::protocol::form;
use countersign::protocol::http::HttpResponse;
use countersign::protocol::json::Json;
use countersign::protocol::token;
use countersign::session::family::Entry;
use countersign::session::input::{Input, NewSession};
use countersign::session::transaction;
use countersign::session::{RefreshMode, Session};
use countersign::testing::{Arithmetic, Happening, Reply, Trouble, World};
use std::collections::BTreeSet;
use support::*;

/// So many characters of a secret in a row are a leak.
const WINDOW: usize = 16;

/// Everything that was seen.
#[derive(Default)]
struct Seen(String);

impl Seen {
    fn debug(&mut self, value: &impl std::fmt::Debug) {
        self.0.push_str(&format!("{value:?}\n{value:#?}\n"));
    }

    fn error(&mut self, error: &Error) {
        self.debug(error);
        let texts = [
            error.to_string(),
            error.details().to_text(),
            error.to_json().to_text(),
        ];
        self.0.push_str(&texts.join("\n"));
    }

    fn result<T: std::fmt::Debug>(&mut self, result: &Result<T, Error>) {
        match result {
            Ok(value) => self.debug(value),
            Err(error) => self.error(error),
        }
    }

    /// All that a page has told, logged and kept for itself.
    fn page(&mut self, page: &Page) {
        self.debug(&page.auth.state());
        self.debug(&*page.states.borrow());
        self.debug(&*page.events.borrow());
        self.debug(&page.tab.log_lines());
        for state in page.states.borrow().iter() {
            if let countersign::client::State::SignedIn(state) = state {
                state.error.iter().for_each(|error| self.error(error));
            }
        }
    }
}

/// A secret in every spelling in which it could slip out.
fn spellings(secret: &str) -> Vec<String> {
    let mut encoded = String::new();
    form::append(&mut encoded, "", secret);
    let escaped: String = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut all = vec![
        secret.to_owned(),
        encoded,
        escaped,
        hex,
        secret.chars().rev().collect(),
    ];
    // In base64 a text looks different by where it begins; the edges mix with what stands around.
    for shift in 0..3 {
        let shifted = [&"   "[..shift], secret].concat();
        let text = base64url::encode(shifted.as_bytes());
        let text = &text[4..text.len() - 4];
        all.push(text.to_owned());
        all.push(text.replace('-', "+").replace('_', "/"));
    }
    all
}

fn windows(secrets: &BTreeSet<String>) -> BTreeSet<Vec<u8>> {
    let spellings = secrets.iter().flat_map(|secret| spellings(secret));
    spellings
        .flat_map(|text| {
            text.as_bytes()
                .windows(WINDOW)
                .map(<[u8]>::to_vec)
                .collect::<Vec<_>>()
        })
        .collect()
}

/// The first secret that can be seen.
fn leak(windows: &BTreeSet<Vec<u8>>, seen: &str) -> Option<String> {
    let found = seen
        .as_bytes()
        .windows(WINDOW)
        .position(|window| windows.contains(window))?;
    let from = found.saturating_sub(80);
    Some(String::from_utf8_lossy(&seen.as_bytes()[from..(found + 80).min(seen.len())]).into_owned())
}

/// The secrets of a world: what the server gave out, and what was drawn and stored here.
fn secrets(world: &World, provider: &Provider) -> BTreeSet<String> {
    let mut secrets: BTreeSet<_> = provider.secrets.borrow().iter().cloned().collect();
    for moment in world.journal() {
        if let Happening::Stored(_, text) = moment.what
            && let Some(document) = Json::parse(&text)
        {
            let grant = document.get("grant").unwrap_or(&document);
            for name in [
                "state",
                "nonce",
                "code_verifier",
                "family_key",
                "refresh_token",
                "id_token",
            ] {
                secrets.extend(grant.get_str(name).map(str::to_owned));
            }
        }
    }
    secrets
}

fn claims() -> BTreeSet<String> {
    ["alice-the-subject-of-claims", "claim-value-of@user.example"]
        .map(str::to_owned)
        .into()
}

fn world() -> (World, Provider, Page) {
    let world = World::new();
    let provider = Provider::new(&world);
    let page = Page::new(&world);
    page.start();
    (world, provider, page)
}

/// Runs a flow and asserts that nothing of it can be seen.
fn keeps_quiet(name: &str, flow: impl Fn(&World, &Provider, &Page, &mut Seen)) {
    let (world, provider, page) = world();
    let mut seen = Seen::default();
    flow(&world, &provider, &page, &mut seen);
    seen.page(&page);
    let mut all = secrets(&world, &provider);
    assert!(all.len() >= 4, "{name}: only {} secrets", all.len());
    assert!(
        all.iter().all(|secret| secret.len() >= WINDOW),
        "{name}: {all:?}"
    );
    assert!(seen.0.len() > 200, "{name}: nothing to be seen");
    all.extend(claims());
    if let Some(leak) = leak(&windows(&all), &seen.0) {
        panic!("{name}: …{leak}…");
    }
}

#[test]
fn a_leak_would_be_found() {
    let secret = "rt7.f63f60529fc19225a99aa871885c38419dfc46dd9ba8b071".to_owned();
    let known = windows(&[secret.clone()].into());
    let base64 = |text: &str| base64url::encode(format!("Bearer {text}").as_bytes());
    for leaky in [
        secret.clone(),
        format!("x{}y", &secret[10..26]),
        base64(&secret),
        base64(&format!("x{secret}")),
        base64(&format!("xy{secret}")),
        secret.chars().rev().collect(),
        secret.bytes().map(|byte| format!("%{byte:02X}")).collect(),
    ] {
        assert!(
            leak(&known, &format!("an error occurred: {leaky}!")).is_some(),
            "{leaky}"
        );
    }
    assert_eq!(
        leak(&known, &format!("{} and so on, and on", &secret[10..25])),
        None
    );
}

#[test]
fn t40_good_flows_show_nothing() {
    keeps_quiet(
        "sign in, refresh, log out",
        |world, provider, page, seen| {
            provider.gives_id_token_on_refresh.set(true);
            let mut options = LoginOptions::default();
            options.app_state = Json::parse(r#"{"private":"app-state-is-private"}"#).unwrap();
            let uri = provider.authorize(&page.begin_login_with(options).unwrap());
            seen.result(&page.callback(&uri));
            for _ in 0..3 {
                page.access_token_with(forced()).unwrap();
                world.advance(1);
            }
            seen.page(page);
            page.logout(LogoutOptions::default()).unwrap();
            assert!(!seen.0.contains("app-state-is-private"));
        },
    );
    keeps_quiet("an access token", |_, provider, page, seen| {
        page.sign_in(provider).unwrap();
        let auth = page.auth.clone();
        let token = page
            .world
            .run(async move { auth.access_token(forced()).await })
            .unwrap();
        seen.result(&token);
        seen.debug(&page.record());
        seen.debug(&Entry::Session(page.record()));
    });
}

#[test]
fn t40_refused_callbacks_show_nothing() {
    type Change = fn(&Provider, &Page);
    let none: Change = |_, _| {};
    let cases: [(&str, &str, Change); 12] = [
        ("code twice", "&code=other-code-of-somebody", none),
        ("both", "&error=access_denied", none),
        ("issuer", "&iss=https%3A%2F%2Fevil.example", none),
        ("nonce", "", |provider, _| {
            provider.set_claim("nonce", "\"another-nonce-than-ours\"")
        }),
        ("audience", "", |provider, _| {
            provider.set_claim("aud", "\"another-audience\"")
        }),
        ("subject", "", |provider, _| provider.set_claim("sub", "7")),
        ("expired", "", |provider, _| {
            provider.set_claim("exp", "1600000000")
        }),
        ("unsigned", "", |provider, _| {
            drop(provider.header.replace(r#"{"alg":"none"}"#.to_owned()))
        }),
        ("wrongly signed", "", |_, page| {
            page.tab.set_arithmetic(Arithmetic::Wrong)
        }),
        ("no arithmetic", "", |_, page| {
            page.tab.set_arithmetic(Arithmetic::Missing)
        }),
        ("type", "", |provider, _| {
            provider.set_member("token_type", "\"mac\"")
        }),
        ("storage", "", |_, page| {
            page.tab.storage().set_trouble(Trouble::Full)
        }),
    ];
    for (name, suffix, change) in cases {
        keeps_quiet(name, |_, provider, page, seen| {
            let uri = provider.authorize(&page.begin_login().unwrap());
            change(provider, page);
            seen.result(&page.callback(&format!("{uri}{suffix}")));
            seen.result(&page.callback(&format!("{uri}{suffix}&again=1")));
            // So that there are secrets enough to look for.
            page.begin_login().ok();
        });
    }
}

#[test]
fn t40_failed_refreshes_show_nothing() {
    let replies = [
        Reply::never(),
        Reply::fail(TransportError::Network),
        Reply::with_status(503, "<html>"),
        Reply::with_status(400, r#"{"error":"invalid_grant"}"#),
        Reply::with_status(401, r#"{"error":"invalid_client"}"#),
        Reply::json(r#"{"access_token":"half-an-answer-with-a-token"}"#),
        Reply::json("x"),
    ];
    for (number, reply) in replies.into_iter().enumerate() {
        keeps_quiet(&number.to_string(), |world, provider, page, seen| {
            page.sign_in(provider).unwrap();
            world.queue(Endpoint::Token, reply.clone());
            let error = page.access_token_with(forced()).unwrap_err();
            seen.error(&error);
            assert!(!seen.0.contains("half-an-answer"));
        });
    }
    keeps_quiet("another user", |_, provider, page, seen| {
        page.sign_in(provider).unwrap();
        provider.gives_id_token_on_refresh.set(true);
        provider.set_claim("sub", "\"another-subject-altogether\"");
        seen.error(&page.access_token_with(forced()).unwrap_err());
        assert!(!seen.0.contains("another-subject"));
    });
}

#[test]
fn t40_what_the_layers_pass_around_prints_no_secret() {
    keeps_quiet("values", |world, provider, page, seen| {
        let uri = provider.authorize(&page.begin_login().unwrap());
        let (_, stored) = page.tab.storage().only(LOGIN_PREFIX).unwrap();
        seen.debug(&transaction::decode(&stored));
        seen.debug(&AuthorizationResponse::parse(
            uri.split_once('?').unwrap().1,
        ));
        page.callback(&uri).unwrap();

        let record = page.record();
        let answer = |name: &str| {
            let text = format!(
                r#"{{"access_token":"{0}","token_type":"Bearer","refresh_token":"{0}","id_token":"{0}"}}"#,
                provider.secrets.borrow()[1]
            );
            token::response(&HttpResponse::new(200, name, text)).unwrap()
        };
        seen.debug(&answer("tokens"));
        let mut session = Session::new(RefreshMode::Auto, 1);
        let new = NewSession {
            tokens: answer("tokens"),
            user: record.user.clone(),
            requested_scope: record.scope.clone(),
            api: String::new(),
            new_family: record.family.clone(),
            stored: Some(record),
            shared: false,
        };
        let input = Input::SignedIn(Box::new(new));
        seen.debug(&input);
        session.handle(input, world.now());
        // With its outputs in it, the record to store among them.
        seen.debug(&session);
        seen.debug(&session.lookup(&Default::default(), None, world.now()));
        while let Some(output) = session.poll_output() {
            seen.debug(&output);
        }
        seen.debug(&session);
        seen.debug(&config());
        seen.debug(&config().build());
    });
}

#[test]
fn t40_userinfo_shows_nothing() {
    let mine = r#"{"sub":"alice-the-subject-of-claims","email":"claim-value-of@user.example"}"#;
    let jwt = |body: &str| Reply::response(HttpResponse::new(200, "application/jwt", body));
    for reply in [
        Reply::json(mine),
        Reply::json(&mine.replace("alice", "mallory-alice")),
        Reply::json(&mine.replace("sub", "subject")),
        Reply::json(&format!("{mine},")),
        Reply::with_status(401, mine),
        Reply::with_status(403, r#"{"error":"insufficient_scope"}"#),
        Reply::with_status(503, mine),
        jwt("claim-value-of@user.example"),
        jwt(&[base64url::encode(b"{}"), base64url::encode(mine.as_bytes())].join(".")),
        Reply::never(),
    ] {
        keeps_quiet("userinfo", |world, provider, page, seen| {
            page.sign_in(provider).unwrap();
            for _ in 0..2 {
                world.queue(Endpoint::Userinfo, reply.clone());
            }
            let auth = page.auth.clone();
            seen.result(&world.run(async move { auth.user_info().await }).unwrap());
        });
    }
}

#[test]
fn t40_logouts_show_nothing() {
    let dialect = r#"{"endpoint":"https://as.example/bye","params":{"access_token_hint":"access_token_hint"}}"#;
    let given = r#"{"revocation_endpoint":"https://as.example/revoke"}"#;
    for reply in [
        Reply::json(""),
        Reply::with_status(401, r#"{"error":"invalid_client"}"#),
        Reply::with_status(503, "<html>"),
        Reply::fail(TransportError::Network),
        Reply::never(),
    ] {
        keeps_quiet("logout", |world, provider, _, seen| {
            let config = config()
                .metadata(Json::parse(given).unwrap())
                .post_logout_redirect_uri("https://app.example/bye")
                .logout(Json::parse(dialect).unwrap())
                .revocation_by_json();
            let page = Page::with(world, world.tab(), config);
            page.start();
            page.sign_in(provider).unwrap();
            world.queue(Endpoint::Revocation, reply.clone());
            let mut options = LogoutOptions::default();
            options.revoke = Some(true);
            seen.debug(&options);
            // The URI is where the hints belong; nothing else is to have them.
            let uri = page.logout(options).unwrap().unwrap();
            assert!(uri.contains("id_token_hint=") && uri.contains("access_token_hint="));
            assert_eq!(world.requests_to(Endpoint::Revocation).len(), 1);
            seen.result(&page.access_token());
            seen.page(&page);
        });
    }
}

#[test]
fn t40_what_a_login_asked_for_and_did_not_get_is_not_shown() {
    let value = "\"claim-value-of@user.example\"";
    for (wish, claim) in [
        (("acr_values", "gold"), "acr"),
        (("organization", "org_1"), "org_id"),
        (("organization", "acme"), "org_name"),
        (("max_age", "60"), "auth_time"),
    ] {
        keeps_quiet(claim, |_, provider, page, seen| {
            let mut options = LoginOptions::default();
            options.parameters = vec![(wish.0.to_owned(), wish.1.to_owned())];
            let uri = provider.authorize(&page.begin_login_with(options).unwrap());
            provider.set_claim(claim, value);
            let refused = page.callback(&uri);
            assert!(refused.is_err());
            seen.result(&refused);
            page.begin_login().ok();
        });
    }
}

#[test]
fn t40_plain_oauth_and_fragments_show_nothing() {
    keeps_quiet("fragment", |world, provider, _, seen| {
        let config = config().response_in_fragment();
        seen.debug(&config);
        let page = Page::with(world, world.tab(), config);
        page.start();
        let uri = provider.authorize(&page.begin_login().unwrap());
        seen.result(&page.callback(&uri));
        seen.result(&page.callback(&uri.replace('?', "#")));
        seen.page(&page);
    });
    keeps_quiet("plain", |world, provider, signed_in, seen| {
        // So that there are secrets enough to look for.
        signed_in.sign_in(provider).unwrap();
        let config = Config::plain_oauth(CLIENT, REDIRECT).issuer(ISSUER);
        let page = Page::with(world, world.tab(), config);
        page.start();
        let uri = page.begin_login().unwrap();
        let uri = format!("{REDIRECT}?code=of-no-importance&state={}", state_of(&uri));
        seen.result(&page.callback(&uri));
        let auth = page.auth.clone();
        seen.result(&world.run(async move { auth.user_info().await }).unwrap());
        seen.page(&page);
        seen.debug(&page.record());
    });
}
