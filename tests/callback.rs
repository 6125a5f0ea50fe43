//! Coming back from the authorization server: what is believed, in which order, and what stays as it was.

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

use countersign::client::{Event, LoginOptions, LogoutOptions, State};
use countersign::protocol::error::Endpoint;
use countersign::protocol::form;
use countersign::protocol::json::Json;
use countersign::session::state::{Freshness, SignedOutReason, Via, Warning};
use countersign::testing::{Trouble, World};
use support::*;

/// Its name, the URI that comes back, and what is wrong with it.
type Case<T> = (&'static str, fn(&T) -> String, &'static str);

#[test]
fn an_honest_callback_signs_in() {
    let world = World::new();
    let provider = Provider::new(&world);
    let page = Page::new(&world);
    let mut options = LoginOptions::default();
    options.return_to = "/deep?x=1#y".to_owned();
    options.app_state = Json::parse(r#"{"cart":[1]}"#).unwrap();
    let uri = provider.authorize(&page.begin_login_with(options).unwrap());
    let verifier = page.tab.storage().only(LOGIN_PREFIX).unwrap().1;
    let verifier = Json::parse(&verifier)
        .unwrap()
        .get_str("code_verifier")
        .unwrap()
        .to_owned();
    assert!(page.auth.is_callback(&uri));
    let result = page
        .callback(&format!("{uri}&session_state=x&unknown=1#hash"))
        .unwrap();
    assert_eq!(result.return_to.as_deref(), Some("/deep?x=1#y"));
    assert_eq!(result.app_state.to_text(), r#"{"cart":[1]}"#);

    let request = world.requests_to(Endpoint::Token).pop().unwrap();
    let code = form::find(uri.split_once('?').unwrap().1, "code").unwrap();
    for (name, expected) in [
        ("grant_type", Some("authorization_code")),
        ("client_id", Some(CLIENT)),
        ("code", code.as_deref()),
        ("redirect_uri", Some(REDIRECT)),
        ("code_verifier", Some(&*verifier)),
        ("client_secret", None),
    ] {
        assert_eq!(request.parameter(name).as_deref(), expected, "{name}");
    }
    assert!(
        request
            .logins_stored
            .values()
            .all(|text| !text.contains(&verifier)),
        "taken out before anything is sent"
    );
    let state = page.signed_in();
    assert_eq!(
        state.user.as_ref().unwrap().get_str("sub"),
        Some("alice-the-subject-of-claims")
    );
    assert_eq!(state.expires_at, Some(world.now().wall.plus(3_600_000)));
    assert!(state.refreshable && state.error.is_none());
    assert_eq!(*page.events.borrow(), [Event::SignedIn(Via::Callback)]);
    assert_eq!(page.access_token().unwrap(), page.stored_token());
    assert_eq!(world.mailbox(&page.record().family.id).len(), 1);
    assert_eq!(world.rings(), [(page.record().family.id, 1)]);
}

#[test]
fn a_callback_is_ours_by_path_and_prefix() {
    let Pending { page, uri, .. } = pending(false);
    let state = state_of(&uri);
    for (uri, ours) in [
        (uri, true),
        (
            format!("{REDIRECT}?error=access_denied&state={state}"),
            true,
        ),
        (
            format!("{REDIRECT}?code=x&state=countersign-anything#h"),
            true,
        ),
        (REDIRECT.to_owned(), false),
        (format!("{REDIRECT}?code=x"), false),
        (format!("{REDIRECT}?error=x"), false),
        (format!("{REDIRECT}?code=x&state=somebody-elses"), false),
        (format!("{REDIRECT}?code=x&state="), false),
        (format!("{REDIRECT}/more?code=x&state={state}"), false),
        (
            format!("https://app.example/other?code=x&state={state}"),
            false,
        ),
        (
            format!("https://evil.example/callback?code=x&state={state}"),
            false,
        ),
        (format!("{REDIRECT}#code=x&state={state}"), false),
    ] {
        assert_eq!(page.auth.is_callback(&uri), ours, "{uri}");
    }
}

#[test]
fn a_stale_callback_signs_nobody_in_and_disturbs_no_session() {
    let cases: [Case<Pending>; 6] = [
        ("no state", |_| format!("{REDIRECT}?code=x"), "missing"),
        (
            "empty state",
            |_| format!("{REDIRECT}?code=x&state="),
            "missing",
        ),
        (
            "unknown state",
            |_| format!("{REDIRECT}?code=x&state=countersign-unknown"),
            "unknown",
        ),
        (
            "foreign state",
            |_| format!("{REDIRECT}?code=x&state=theirs"),
            "unknown",
        ),
        (
            "other case",
            |pending| {
                pending
                    .uri
                    .to_uppercase()
                    .replace(
                        "HTTPS://APP.EXAMPLE/CALLBACK?CODE",
                        &format!("{REDIRECT}?code"),
                    )
                    .replace("STATE", "state")
            },
            "unknown",
        ),
        (
            "other path",
            |pending| pending.uri.replace("/callback", "/other"),
            "unknown",
        ),
    ];
    for (name, uri, problem) in cases {
        for with_session in [false, true] {
            let pending = pending(with_session);
            let (stored, texts, requests) = (
                pending.page.stored(),
                pending.page.tab.storage().texts(),
                pending.world.requests().len(),
            );
            let result = pending.page.callback(&uri(&pending));
            assert_eq!(pending.world.requests().len(), requests, "{name}");
            assert_eq!(
                pending.page.tab.storage().texts(),
                texts,
                "{name}: the pending login as well"
            );
            if with_session {
                // There is nothing to complain about: a bookmark, the back button.
                assert_eq!(result.unwrap().return_to, None, "{name}");
                assert_eq!(pending.page.signed_in().error, None, "{name}");
            } else {
                let expected = format!(
                    r#"stale_callback {{"problem":"{problem}","returnTo":null,"untrusted":null}}"#
                );
                assert_eq!(told(&result.unwrap_err()), expected, "{name}");
                assert_eq!(stored, None);
            }
            // The twin that is accepted.
            pending.page.callback(&pending.uri).unwrap();
        }
    }
}

#[test]
fn cb13_a_login_is_waited_for_an_hour() {
    for (seconds, accepted) in [(3599, true), (3600, false)] {
        let Pending {
            world, page, uri, ..
        } = pending(false);
        world.sleep(seconds);
        let result = page.callback(&uri);
        assert_eq!(result.is_ok(), accepted, "{seconds}");
        if let Err(error) = result {
            assert_eq!(
                told(&error),
                r#"stale_callback {"problem":"expired","returnTo":"/","untrusted":null}"#
            );
            assert_eq!(page.token_requests(), 0);
        }
    }
}

#[test]
fn cb1_a_second_handling_on_the_page_gets_the_first_result() {
    let Pending {
        world,
        provider,
        page,
        uri,
    } = pending(false);
    provider.set_delay(Endpoint::Token, 500);
    let calls: Vec<_> = (0..3)
        .map(|_| {
            let (auth, uri) = (page.auth.clone(), uri.clone());
            world.start(async move { auth.handle_callback(&uri).await })
        })
        .collect();
    world.advance(1);
    let results: Vec<_> = calls
        .iter()
        .map(|call| call.take().unwrap().unwrap())
        .collect();
    assert!(
        results
            .iter()
            .all(|result| *result == results[0] && result.return_to.is_some())
    );
    assert_eq!(page.callback(&uri).unwrap(), results[0]);
    assert_eq!(page.token_requests(), 1, "a code is sent once");
}

#[test]
fn cb1_a_used_callback_is_stale_on_another_page() {
    let Pending { page, uri, .. } = pending(false);
    page.callback(&uri).unwrap();
    // With the session, a reload of the callback is nothing.
    let page = page.reload();
    assert_eq!(page.callback(&uri).unwrap().return_to, None);
    assert_eq!(page.signed_in().error, None);
    let mut options = LogoutOptions::default();
    options.local = true;
    page.logout(options).unwrap();
    let page = page.reload();
    let error = page.callback(&uri).unwrap_err();
    assert_eq!(
        told(&error),
        r#"stale_callback {"problem":"used","returnTo":"/","untrusted":null}"#
    );
    assert_eq!(page.token_requests(), 1);
}

#[test]
fn cb1_two_tabs_with_the_same_callback_have_one_winner() {
    let Pending {
        world, page, uri, ..
    } = pending(false);
    let other = Page::with(
        &world,
        countersign::testing::FakePlatform::new(
            &world,
            page.tab.storage().clone(),
            page.tab.storage().clone(),
        ),
        config(),
    );
    let calls: Vec<_> = [&page, &other]
        .into_iter()
        .map(|page| {
            let (auth, uri) = (page.auth.clone(), uri.clone());
            world.start(async move { auth.handle_callback(&uri).await })
        })
        .collect();
    world.advance(1);
    let won = calls
        .iter()
        .filter(|call| call.take().unwrap().is_ok())
        .count();
    assert_eq!((won, page.token_requests()), (1, 1));
}

#[test]
fn cb6_what_repeats_a_parameter_or_says_two_things_is_refused_before_anything_is_sent() {
    let cases: [Case<String>; 9] = [
        ("code twice", |uri| format!("{uri}&code=other"), "code"),
        (
            "code twice, encoded",
            |uri| format!("{uri}&c%6Fde=other"),
            "code",
        ),
        ("state twice", |uri| format!("{uri}&state=other"), "state"),
        (
            "iss twice",
            |uri| format!("{uri}&iss=https%3A%2F%2Fas.example&iss=https%3A%2F%2Fas.example"),
            "iss",
        ),
        (
            "error twice",
            |uri| format!("{uri}&error=a&error=b"),
            "error",
        ),
        (
            "description twice",
            |uri| format!("{uri}&error_description=a&error_description=b"),
            "error_description",
        ),
        (
            "code and error",
            |uri| format!("{uri}&error=access_denied"),
            "code",
        ),
        (
            "neither",
            |uri| format!("{REDIRECT}?state={}", state_of(uri)),
            "code",
        ),
        (
            "empty code",
            |uri| format!("{REDIRECT}?code=&state={}", state_of(uri)),
            "code",
        ),
    ];
    for (name, change, problem) in cases {
        let expected = format!(
            r#"invalid_response {{"endpoint":"authorization","status":0,"problem":"{problem}"}}"#
        );
        refuses(name, &expected, |pending| {
            let requests = pending.page.token_requests();
            let result = handle(pending, &change(&pending.uri));
            assert_eq!(pending.page.token_requests(), requests, "{name}");
            result
        });
    }
}

#[test]
fn cb2_the_issuer_is_compared_exactly_and_also_on_an_error() {
    let cases = [
        ("https%3A%2F%2Fevil.example", "https://evil.example"),
        ("https%3A%2F%2Fas.example%2F", "https://as.example/"),
        ("https%3A%2F%2FAS.example", "https://AS.example"),
        ("https%253A%252F%252Fas.example", "https%3A%2F%2Fas.example"),
        ("", ""),
    ];
    for (iss, actual) in cases {
        let expected = format!(
            r#"issuer_mismatch {{"expected":"https://as.example","actual":"{actual}","untrusted":null}}"#
        );
        refuses(iss, &expected, |pending| {
            handle(pending, &format!("{}&iss={iss}", pending.uri))
        });
        let untrusted = r#"{"error":"access_denied","error_description":null,"error_uri":null}"#;
        let expected = expected.replace(
            r#""untrusted":null"#,
            &format!(r#""untrusted":{untrusted}"#),
        );
        refuses(iss, &expected, |pending| {
            handle(
                pending,
                &format!(
                    "{REDIRECT}?error=access_denied&state={}&iss={iss}",
                    state_of(&pending.uri)
                ),
            )
        });
    }
    let Pending { page, uri, .. } = pending(false);
    page.callback(&format!("{uri}&iss=https%3A%2F%2Fas.example"))
        .unwrap();
}

#[test]
fn cb5_an_error_of_the_server_is_told_in_its_own_words() {
    let expected = r#"authorization_error {"error":"access_denied","error_description":"no <b>way</b>","error_uri":"https://as.example/why"}"#;
    refuses("access_denied", expected, |pending| {
        let answer = "error=access_denied&error_description=no+%3Cb%3Eway%3C/b%3E&error_uri=https://as.example/why";
        handle(
            pending,
            &format!("{REDIRECT}?{answer}&state={}", state_of(&pending.uri)),
        )
    });
}

#[test]
fn t39_a_silent_login_that_needs_the_user_says_so() {
    for error in [
        "login_required",
        "interaction_required",
        "consent_required",
        "account_selection_required",
    ] {
        let Pending { page, uri, .. } = pending(false);
        page.callback(&format!(
            "{REDIRECT}?error={error}&state={}",
            state_of(&uri)
        ))
        .unwrap_err();
        assert!(
            matches!(page.auth.state(), State::SignedOut(out) if out.reason == SignedOutReason::InteractionRequired),
            "{error}"
        );
        assert!(page.tab.navigations().is_empty(), "nobody is sent back");
    }
}

#[test]
fn t44_a_login_of_another_client_or_issuer_is_left_to_it() {
    let Pending {
        world, page, uri, ..
    } = pending(false);
    let other = countersign::client::Config::builder("https://other.example", CLIENT, REDIRECT);
    let page = Page::with(&world, page.tab.reload(), other);
    let texts = page.tab.storage().texts();
    let error = page.callback(&uri).unwrap_err();
    assert_eq!(
        told(&error),
        r#"stale_callback {"problem":"unknown","returnTo":null,"untrusted":null}"#
    );
    assert_eq!(
        (page.tab.storage().texts(), page.token_requests()),
        (texts, 0)
    );
    let page = page.reload();
    page.callback(&uri).unwrap();
}

#[test]
fn t41_an_insecure_issuer_is_warned_of_once() {
    for (issuer, warned) in [
        ("http://as.internal", 1),
        ("http://127.0.0.1:9000", 0),
        ("https://as.example", 0),
    ] {
        let world = World::new();
        let provider = Provider::at(&world, issuer);
        let builder = countersign::client::Config::builder(issuer, CLIENT, REDIRECT);
        let page = Page::with(
            &world,
            world.tab(),
            if warned == 1 {
                builder.allow_insecure_issuer(issuer)
            } else {
                builder
            },
        );
        page.start();
        page.sign_in(&provider).unwrap();
        let warning = Event::Warning(Warning::InsecureIssuer);
        assert_eq!(
            page.events
                .borrow()
                .iter()
                .filter(|event| **event == warning)
                .count(),
            warned,
            "{issuer}"
        );
    }
}

#[test]
fn the_same_user_keeps_the_family_and_another_founds_one() {
    let (_, provider, page) = signed_in();
    let first = page.record();
    page.sign_in(&provider).unwrap();
    let second = page.record();
    assert_eq!(
        (&second.family.id, second.generation),
        (&first.family.id, 2)
    );
    assert_eq!(second.family.key.expose(), first.family.key.expose());
    // Also after the redirect, where only the storage knows.
    let uri = provider.authorize(&page.begin_login().unwrap());
    let page = page.reload();
    page.callback(&uri).unwrap();
    assert_eq!(
        (page.record().family.id, page.record().generation),
        (first.family.id.clone(), 3)
    );

    provider.subject.replace("bob".to_owned());
    let uri = provider.authorize(&page.begin_login().unwrap());
    let page = page.reload();
    page.callback(&uri).unwrap();
    let bob = page.record();
    assert_ne!(bob.family.id, first.family.id);
    assert_ne!(bob.family.key.expose(), first.family.key.expose());
    assert_eq!((bob.generation, bob.subject()), (1, Some("bob")));
}

#[test]
fn a_storage_that_fills_up_meanwhile_leaves_the_session_in_memory() {
    let Pending { page, uri, .. } = pending(false);
    page.tab.storage().set_trouble(Trouble::Full);
    page.callback(&uri).unwrap();
    assert!(page.access_token().is_ok());
    assert!(page.has_event(&Event::Warning(Warning::StorageFallback)));
    assert_eq!(page.stored(), None);
    assert_eq!(
        page.tab.storage().only(LOGIN_PREFIX),
        None,
        "what cannot be marked is removed"
    );
}

#[test]
fn a_storage_that_denies_meanwhile_is_an_error() {
    refuses("denied", r#"storage {"operation":"read"}"#, |pending| {
        pending.page.tab.storage().set_trouble(Trouble::Denied);
        let result = handle(pending, &pending.uri);
        pending.page.tab.storage().set_trouble(Trouble::None);
        result
    });
}

#[test]
fn a_refused_callback_leaves_an_expired_session_to_its_refresh() {
    let (world, _, page) = signed_in_for(60);
    let state = state_of(&page.begin_login().unwrap());
    world.sleep(120);
    let page = page.reload();
    let error = page
        .callback(&format!("{REDIRECT}?error=access_denied&state={state}"))
        .unwrap_err();
    assert_eq!(page.token_requests(), 2);
    let state = page.signed_in();
    assert_eq!(
        (state.freshness, &state.error),
        (Freshness::Fresh, &Some(error))
    );
    assert_eq!(page.access_token().unwrap(), page.stored_token());
}
