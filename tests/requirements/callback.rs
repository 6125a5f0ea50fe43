//! CB: the authorization response.

use super::support::*;
use super::{asking, page, parameter};
use countersign::client::ports::TransportError;
use countersign::client::{Config, State};
use countersign::protocol::error::Endpoint;
use countersign::session::state::SignedOutReason;
use countersign::testing::{Reply, World};

/// A login at a server that announces `iss`, or does not, and its honest response without one.
fn pending_at(announced: bool) -> (Provider, Page, String) {
    let world = World::new();
    let provider = Provider::new(&world);
    provider.announces_iss.set(announced);
    let page = Page::new(&world);
    let uri = provider.authorize(&page.begin_login().unwrap());
    let bare = uri.split("&iss=").next().unwrap().to_owned();
    (provider, page, bare)
}

#[test]
fn cb3_a_server_that_announces_iss_has_to_send_it_with_errors_too() {
    let (_, page, uri) = pending_at(true);
    assert_eq!(
        told(&page.callback(&uri).unwrap_err()),
        r#"issuer_mismatch {"expected":"https://as.example","actual":null,"untrusted":null}"#
    );
    // Some leave it out of their errors: refused as well, but the developer gets to read what they said.
    let (_, page, uri) = pending_at(true);
    let state = state_of(&uri);
    let error = page
        .callback(&format!("{REDIRECT}?error=access_denied&state={state}"))
        .unwrap_err();
    assert_eq!(
        told(&error),
        r#"issuer_mismatch {"expected":"https://as.example","actual":null,"untrusted":{"error":"access_denied","error_description":null,"error_uri":null}}"#
    );
    assert_eq!(page.token_requests(), 0);
    for (announced, sent) in [(true, true), (false, false)] {
        let (_, page, uri) = pending_at(announced);
        let iss = if sent {
            "&iss=https%3A%2F%2Fas.example"
        } else {
            ""
        };
        page.callback(&format!("{uri}{iss}")).unwrap();
    }
}

#[test]
fn cb4_an_iss_that_was_not_announced_is_compared_as_well() {
    let (_, page, uri) = pending_at(false);
    page.callback(&format!("{uri}&iss=https%3A%2F%2Fas.example"))
        .unwrap();
    let (_, page, uri) = pending_at(false);
    let error = page
        .callback(&format!("{uri}&iss=https%3A%2F%2Fevil.example"))
        .unwrap_err();
    assert_eq!(error.code().as_str(), "issuer_mismatch");
    assert_eq!(page.token_requests(), 0);
}

#[test]
fn cb5_an_error_is_told_in_the_servers_words_once_state_and_iss_are_right() {
    for error in [
        "login_required",
        "consent_required",
        "interaction_required",
        "account_selection_required",
        "access_denied",
        "Of no specification",
    ] {
        for with_session in [false, true] {
            let Pending { page, uri, .. } = pending(with_session);
            let (stored, asked) = (page.stored(), page.token_requests());
            let words = "error_description=%3Cb%3E%26%3C/b%3E&error_uri=https://as.example/%3Fe";
            let (name, state) = (error.replace(' ', "+"), state_of(&uri));
            let refusal = page.callback(&format!("{REDIRECT}?error={name}&{words}&state={state}"));
            assert_eq!(
                told(&refusal.unwrap_err()),
                format!(
                    r#"authorization_error {{"error":"{error}","error_description":"<b>&</b>","error_uri":"https://as.example/?e"}}"#
                )
            );
            assert_eq!((page.stored(), page.token_requests()), (stored, asked));
        }
    }
    // One that belongs to no login of ours clears neither the login nor the session.
    for with_session in [false, true] {
        let Pending { page, uri, .. } = pending(with_session);
        let texts = page.tab.storage().texts();
        for foreign in [
            "error=access_denied",
            "error=access_denied&state=countersign-forged",
        ] {
            let result = page.callback(&format!("{REDIRECT}?{foreign}"));
            assert_eq!(result.is_ok(), with_session, "{foreign}");
            assert_eq!(page.tab.storage().texts(), texts, "{foreign}");
        }
        page.callback(&uri).unwrap();
    }
}

#[test]
fn cb7_unknown_parameters_are_ignored() {
    let Pending { page, uri, .. } = pending(false);
    let more = "session_state=x.y&scope=openid&authuser=0&prompt=none&x&x&x=%ff&=&%zz=1";
    page.callback(&format!("{uri}&{more}")).unwrap();
}

#[test]
fn cb8_a_code_is_sent_once_whatever_comes_of_it() {
    for reply in [
        None,
        Some(Reply::with_status(400, r#"{"error":"invalid_grant"}"#)),
        Some(Reply::with_status(503, "")),
        Some(Reply::fail(TransportError::Network)),
        Some(Reply::never()),
    ] {
        let Pending {
            world, page, uri, ..
        } = pending(false);
        let refused = reply.is_some();
        reply
            .into_iter()
            .for_each(|reply| world.queue(Endpoint::Token, reply));
        let first = page.callback(&uri);
        assert_eq!(first.is_err(), refused);
        assert_eq!(page.callback(&uri), first, "the first result");
        world.advance(600);
        let reloaded = page.reload();
        assert_eq!(reloaded.callback(&uri).is_err(), refused);
        let code = parameter(&uri, "code");
        let sent = world
            .requests_to(Endpoint::Token)
            .into_iter()
            .filter(|request| request.parameter("code") == code);
        assert_eq!(sent.count(), 1);
    }
}

#[test]
fn cb10_t7_a_code_goes_to_the_server_that_its_login_began_with() {
    const EVIL: &str = "https://evil.example";
    let world = World::new();
    let honest = Provider::new(&world);
    let page = Page::new(&world);
    let evil = Page::with(
        &world,
        page.tab.clone(),
        Config::builder(EVIL, CLIENT, REDIRECT),
    );
    let servers = [Provider::at(&world, EVIL), honest.clone()];
    world.on_request(move |request| {
        let honest = usize::from(!request.uri.starts_with(EVIL));
        servers[honest].answer(request)
    });
    let honest_request = page.begin_login().unwrap();
    let evil_request = evil.begin_login().unwrap();
    // The mix-up: the user chose the evil server, which sent the browser on to the honest one with the evil state.
    let code = "code=of-the-honest-server";
    let mixed = format!("{REDIRECT}?{code}&state={}", state_of(&evil_request));
    let error = page.callback(&mixed).unwrap_err();
    assert_eq!(error.code().as_str(), "stale_callback", "not its login");
    let iss = "iss=https%3A%2F%2Fas.example";
    let error = evil.callback(&format!("{mixed}&{iss}")).unwrap_err();
    assert_eq!(error.code().as_str(), "issuer_mismatch");
    // And the other way round.
    let crossed = format!("{REDIRECT}?{code}&state={}", state_of(&honest_request));
    assert!(evil.callback(&crossed).is_err());
    assert!(world.requests_to(Endpoint::Token).is_empty());
    // Each login was left to its own client.
    page.callback(&honest.authorize(&honest_request)).unwrap();
    let sent = world.requests_to(Endpoint::Token);
    assert!(
        sent.iter()
            .all(|sent| sent.uri == "https://as.example/token")
    );
}

#[test]
fn cb12_a_response_in_the_other_part_of_the_url_is_not_read() {
    let Pending { page, uri, .. } = pending(false);
    let fragment = uri.replace('?', "#");
    assert!(!page.auth.is_callback(&fragment));
    let error = page.callback(&fragment).unwrap_err();
    assert!(told(&error).contains(r#""problem":"missing""#));
    // What stands in the fragment of an honest response neither helps nor harms.
    page.callback(&format!("{uri}#error=access_denied&code=other&state=other"))
        .unwrap();
}

#[test]
fn cb14_a_url_of_another_origin_or_path_is_no_callback() {
    for (name, change) in [
        ("another path", ("/callback", "/callback2")),
        ("a longer path", ("/callback", "/callback/x")),
        ("another host", ("app.example", "app.example.evil.example")),
        ("another scheme", ("https:", "http:")),
        ("another port", ("app.example", "app.example:8443")),
        ("another case", ("/callback", "/Callback")),
        ("user information", ("https://", "https://app.example@")),
    ] {
        let Pending { page, uri, .. } = pending(false);
        let other = uri.replacen(change.0, change.1, 1);
        assert_ne!(other, uri);
        assert!(!page.auth.is_callback(&other), "{name}");
        let error = page.callback(&other).unwrap_err();
        assert_eq!(error.code().as_str(), "stale_callback", "{name}");
        assert_eq!(page.token_requests(), 0, "{name}");
        assert!(page.auth.is_callback(&uri));
        page.callback(&uri).unwrap();
    }
}

#[test]
fn t9_an_attackers_response_signs_nobody_in_and_ends_no_session() {
    for with_session in [false, true] {
        let (world, provider, page) = page();
        if with_session {
            page.sign_in(&provider).unwrap();
        }
        let mine = page.begin_login().unwrap();
        // The attacker's own code and state, from a login in another browser.
        let elsewhere = Page::new(&world).begin_login().unwrap();
        let theirs = provider.authorize(&elsewhere);
        let (stored, asked) = (page.stored(), page.token_requests());
        let result = page.callback(&theirs);
        assert_eq!(result.is_ok(), with_session);
        assert_eq!((page.stored(), page.token_requests()), (stored, asked));
        match page.auth.state() {
            State::SignedIn(_) => assert!(with_session),
            State::SignedOut(out) => {
                assert!(!with_session);
                assert_eq!(out.reason, SignedOutReason::CallbackFailed);
            }
            other => panic!("{other:?}"),
        }
        page.callback(&provider.authorize(&mine)).unwrap();
    }
}

#[test]
fn t10_an_injected_code_meets_the_verifier_of_another_login() {
    let Pending {
        world, page, uri, ..
    } = pending(false);
    let code = parameter(&uri, "code").unwrap();
    let injected = uri.replace(&code, "code-of-the-attackers-login");
    world.queue(
        Endpoint::Token,
        Reply::with_status(400, r#"{"error":"invalid_grant"}"#),
    );
    let verifier = super::stored_login(&page, &uri).code_verifier().to_owned();
    assert!(page.callback(&injected).is_err());
    let sent = world.requests_to(Endpoint::Token).pop().unwrap();
    assert_eq!(sent.parameter("code_verifier"), Some(verifier));
    assert_eq!(page.stored(), None);
    // The honest code comes too late: its login was used up.
    assert!(page.callback(&uri).is_err());
    assert_eq!(page.token_requests(), 1);
}

#[test]
fn t12_an_access_token_is_taken_from_no_url_and_held_to_its_hash() {
    let Pending {
        provider,
        page,
        uri,
        ..
    } = pending(false);
    let injected = "access_token=stolen&token_type=Bearer&expires_in=3600";
    for url in [
        format!("{REDIRECT}#{injected}"),
        format!("{REDIRECT}?{injected}"),
        format!("{REDIRECT}#{injected}&state={}", state_of(&uri)),
    ] {
        assert!(page.callback(&url).is_err(), "{url}");
        assert!(page.access_token().is_err(), "{url}");
    }
    page.callback(&format!("{uri}#{injected}")).unwrap();
    assert_ne!(page.access_token().unwrap(), "stolen");
    // Swapped in the token answer: the ID Token knows another one.
    let uri = provider.authorize(&page.begin_login_with(asking(&[])).unwrap());
    provider.set_claim("at_hash", "\"AAAAAAAAAAAAAAAAAAAAAA\"");
    provider.set_member("access_token", "\"stolen\"");
    assert!(told(&page.callback(&uri).unwrap_err()).contains("at_hash"));
    assert_ne!(page.access_token().unwrap(), "stolen");
}
