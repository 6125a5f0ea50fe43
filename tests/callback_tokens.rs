//! What a callback makes of the token endpoint's answer, the ID Token and the keys.

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
use countersign::client::{Event, LoginOptions, State};
use countersign::protocol::error::Endpoint;
use countersign::protocol::http::HttpResponse;
use countersign::session::state::Warning;
use countersign::testing::{Arithmetic, Reply, World};
use support::*;

#[test]
fn one_sequential_round_trip_is_all_it_takes() {
    let Pending {
        world,
        provider,
        page,
        uri,
    } = pending(false);
    // The redirect: a new page, with what the storage kept.
    let page = Page::with(&world, page.tab.reload(), config());
    for endpoint in [Endpoint::Discovery, Endpoint::Jwks, Endpoint::Token] {
        provider.set_delay(endpoint, 1000);
    }
    let (auth, from) = (page.auth, world.now().monotonic);
    let (before, callback) = (world.requests().len(), uri);
    let start = world.start(async move { auth.start(Some(callback)).await });
    world.advance_millis(999);
    assert!(!start.is_there());
    let sent: Vec<_> = world.requests().split_off(before);
    assert_eq!(sent.len(), 2);
    assert!(
        sent.iter()
            .any(|request| request.endpoint == Endpoint::Token && request.at.monotonic == from)
    );
    assert!(
        sent.iter()
            .any(|request| request.endpoint == Endpoint::Jwks && request.at.monotonic == from)
    );
    world.advance_millis(1);
    assert!(matches!(start.take(), Some(State::SignedIn(_))));
    assert_eq!(world.requests().len(), before + 2);
}

#[test]
fn keys_that_come_later_than_the_token_are_waited_for() {
    let Pending {
        world,
        provider,
        page,
        uri,
    } = pending(false);
    provider.set_delay(Endpoint::Jwks, 3000);
    page.callback(&uri).unwrap();
    assert_eq!(world.requests_to(Endpoint::Jwks).len(), 1);
}

#[test]
fn keys_that_could_not_be_had_are_asked_for_once_more() {
    let Pending {
        world,
        provider,
        page,
        uri,
    } = pending(false);
    provider.set_delay(Endpoint::Token, 100);
    world.queue(Endpoint::Jwks, Reply::with_status(503, ""));
    page.callback(&uri).unwrap();
    assert_eq!(world.requests_to(Endpoint::Jwks).len(), 2);
}

#[test]
fn token_answers_that_cannot_be_used_are_refused() {
    let invalid = |status: u16, problem: &str| {
        format!(
            r#"invalid_response {{"endpoint":"token","status":{status},"problem":"{problem}"}}"#
        )
    };
    let answer = |from: &str, to: &str| {
        let honest =
            r#"{"access_token":"a","token_type":"Bearer","expires_in":60,"id_token":"x.y.z"}"#;
        let changed = honest.replace(from, to);
        assert_ne!(changed, honest, "{from}");
        Reply::json(&changed)
    };
    let html = |status| Reply::response(HttpResponse::new(status, "text/html", "<html>hello"));
    let cases = [
        ("html", html(200), invalid(200, "not_json")),
        ("html 502", html(502), invalid(502, "status")),
        ("empty", Reply::json(""), invalid(200, "empty")),
        ("huge", Reply::json(&"x".repeat((1 << 20) + 1)), invalid(200, "too_large")),
        ("nested", Reply::json(&"[".repeat(10_000)), invalid(200, "not_json")),
        ("duplicate", answer("\"expires_in\":60", "\"access_token\":\"b\""), invalid(200, "not_json")),
        ("array", Reply::json("[]"), invalid(200, "not_json")),
        ("nothing", Reply::json("{}"), invalid(200, "token_type")),
        ("mac", answer("Bearer", "mac"), invalid(200, "token_type")),
        ("DPoP without proof", answer("Bearer", "DPoP"), invalid(200, "token_type")),
        ("type is a number", answer("\"Bearer\"", "7"), invalid(200, "token_type")),
        ("no access token", answer("\"access_token\":\"a\",", ""), invalid(200, "access_token")),
        ("empty access token", answer("\"a\"", "\"\""), invalid(200, "access_token")),
        ("access token is a number", answer("\"a\"", "7"), invalid(200, "access_token")),
        ("eternal", answer("60", "1e400"), invalid(200, "expires_in")),
        ("negative", answer("60", "-1"), invalid(200, "expires_in")),
        ("201", Reply::with_status(201, "{}"), invalid(201, "status")),
        ("network", Reply::fail(TransportError::Network), r#"network {"endpoint":"token"}"#.to_owned()),
        ("slow", Reply::never(), r#"timeout {"endpoint":"token","seconds":10}"#.to_owned()),
        (
            "refused",
            Reply::with_status(400, r#"{"error":"invalid_grant","error_description":"used"}"#),
            r#"token_error {"error":"invalid_grant","error_description":"used","error_uri":null,"status":400}"#.to_owned(),
        ),
        (
            "refused with 200",
            Reply::json(r#"{"error":"invalid_client"}"#),
            r#"token_error {"error":"invalid_client","error_description":null,"error_uri":null,"status":200}"#.to_owned(),
        ),
        (
            "no ID Token",
            answer(",\"id_token\":\"x.y.z\"", ""),
            r#"invalid_id_token {"claim":"id_token","problem":"missing","skewSeconds":null}"#.to_owned(),
        ),
    ];
    for (name, reply, expected) in cases {
        refuses(name, &expected, |pending| {
            pending.world.queue(Endpoint::Token, reply.clone());
            let (uri, before) = (&pending.uri, pending.page.token_requests());
            let result = handle(pending, uri);
            assert_eq!(
                pending.page.token_requests(),
                before + 1,
                "{name}: a code is sent once"
            );
            result
        });
    }
}

#[test]
fn id_tokens_that_lie_are_refused_by_the_claim() {
    // Issued at the world's first second, and for five minutes.
    let cases = [
        ("iss", "\"https://as.example/\"", "mismatch", "null"),
        ("iss", "\"https://evil.example\"", "mismatch", "null"),
        ("iss", "null", "missing", "null"),
        ("aud", "\"other\"", "mismatch", "null"),
        ("aud", "[\"spa\",\"other\"]", "mismatch", "null"),
        ("aud", "[]", "mismatch", "null"),
        ("aud", "null", "missing", "null"),
        ("azp", "\"other\"", "mismatch", "null"),
        ("nonce", "\"other\"", "mismatch", "null"),
        ("nonce", "[]", "mismatch", "null"),
        ("nonce", "null", "missing", "null"),
        ("exp", "1699999970", "expired", "0"),
        ("exp", "null", "missing", "null"),
        ("exp", "\"1900000000\"", "malformed", "null"),
        ("iat", "1700000031", "not_yet_valid", "-31"),
        ("iat", "null", "missing", "null"),
        ("nbf", "1700000031", "not_yet_valid", "-31"),
        ("sub", "null", "missing", "null"),
        ("sub", "7", "malformed", "null"),
        ("sub", "\"\"", "malformed", "null"),
        ("at_hash", "\"AAAAAAAAAAAAAAAAAAAAAA\"", "mismatch", "null"),
    ];
    for (claim, json, problem, skew) in cases {
        let expected = format!(
            r#"invalid_id_token {{"claim":"{claim}","problem":"{problem}","skewSeconds":{skew}}}"#
        );
        refuses(json, &expected, |pending| {
            pending.provider.set_claim(claim, json);
            handle(pending, &pending.uri)
        });
    }
    for (claim, json) in [
        ("aud", "[\"spa\"]"),
        ("azp", "\"spa\""),
        ("exp", "1699999971"),
        ("exp", "1700000100.5"),
        ("iat", "1700000030"),
        ("nbf", "1700000030"),
        ("sub", "\"a\""),
        ("unknown", "{\"a\":[]}"),
    ] {
        let Pending {
            provider,
            page,
            uri,
            ..
        } = pending(false);
        provider.set_claim(claim, json);
        assert!(page.callback(&uri).is_ok(), "{claim} {json}");
    }
}

#[test]
fn an_id_token_that_nobody_signed_is_refused() {
    let headers = [
        (r#"{"alg":"none"}"#, "alg", "unsupported_alg"),
        (r#"{"alg":"HS256","kid":"k1"}"#, "alg", "unsupported_alg"),
        (r#"{"alg":"ES256K","kid":"k1"}"#, "alg", "unsupported_alg"),
        (r#"{"kid":"k1"}"#, "alg", "unsupported_alg"),
        (
            r#"{"alg":"ES256","kid":"k1","crit":["x"],"x":1}"#,
            "crit",
            "malformed",
        ),
        (
            r#"{"alg":"ES256","kid":"k1","typ":"at+jwt"}"#,
            "typ",
            "mismatch",
        ),
        (r#"{"alg":"ES256","kid":"k2"}"#, "kid", "no_matching_key"),
    ];
    for (header, claim, problem) in headers {
        let expected = format!(
            r#"invalid_id_token {{"claim":"{claim}","problem":"{problem}","skewSeconds":null}}"#
        );
        refuses(header, &expected, |pending| {
            pending.provider.header.replace(header.to_owned());
            handle(pending, &pending.uri)
        });
    }
    let expected =
        r#"invalid_id_token {"claim":"signature","problem":"bad_signature","skewSeconds":null}"#;
    refuses("wrongly signed", expected, |pending| {
        pending.page.tab.set_arithmetic(Arithmetic::Wrong);
        handle(pending, &pending.uri)
    });
    for text in ["", "x", "a.b", "a.b.c.d.e"] {
        let expected = if text.is_empty() {
            r#"invalid_id_token {"claim":"id_token","problem":"missing","skewSeconds":null}"#
        } else {
            r#"invalid_id_token {"claim":"id_token","problem":"malformed","skewSeconds":null}"#
        };
        refuses(text, expected, |pending| {
            pending
                .provider
                .set_member("id_token", &format!("\"{text}\""));
            handle(pending, &pending.uri)
        });
    }
}

#[test]
fn id11_max_age_is_held_to() {
    for (auth_time, problem) in [
        (None, Some("missing")),
        (Some("1699999909"), Some("too_old")),
        (Some("0"), Some("too_old")),
        (Some("1699999910.5"), None),
    ] {
        let world = World::new();
        let provider = Provider::new(&world);
        let page = Page::new(&world);
        let mut options = LoginOptions::default();
        options.parameters = vec![("max_age".to_owned(), "60".to_owned())];
        let uri = provider.authorize(&page.begin_login_with(options).unwrap());
        if let Some(auth_time) = auth_time {
            provider.set_claim("auth_time", auth_time);
        }
        let error = page.callback(&uri).err().map(|error| told(&error));
        let expected = problem.map(|problem| format!(r#"invalid_id_token {{"claim":"auth_time","problem":"{problem}","skewSeconds":null}}"#));
        assert_eq!(error, expected);
    }
}

/// What comes of a login that asks for this, where the ID Token claims that.
fn shown(asked: (&str, &str), claim: Option<(&'static str, &str)>) -> Option<String> {
    let world = World::new();
    let provider = Provider::new(&world);
    let page = Page::new(&world);
    let mut options = LoginOptions::default();
    options.parameters = vec![(asked.0.to_owned(), asked.1.to_owned())];
    let uri = provider.authorize(&page.begin_login_with(options).unwrap());
    if let Some((name, json)) = claim {
        provider.set_claim(name, json);
    }
    page.callback(&uri).err().map(|error| told(&error))
}

#[test]
fn id10_id11_t46_what_a_login_asked_for_is_shown_or_refused() {
    const ESSENTIAL_ACR: &str =
        r#"{"id_token":{"acr":{"essential":true,"values":["urn:a","urn:b"]}}}"#;
    const ONE_ACR: &str = r#"{"id_token":{"acr":{"essential":true,"value":"urn:b"}}}"#;
    const VOLUNTARY_ACR: &str = r#"{"id_token":{"acr":{"values":["urn:a"]}}}"#;
    const ESSENTIAL_TIME: &str = r#"{"id_token":{"auth_time":{"essential":true}}}"#;
    let acr = Some(("acr", r#""urn:b""#));
    let low = Some(("acr", r#""0""#));
    for (asked, claim, refused) in [
        (("acr_values", "urn:a urn:b"), acr, None),
        (
            ("acr_values", "urn:a urn:b"),
            low,
            Some(("acr", "mismatch")),
        ),
        (("acr_values", "urn:a"), None, Some(("acr", "missing"))),
        (("claims", ESSENTIAL_ACR), acr, None),
        (("claims", ESSENTIAL_ACR), low, Some(("acr", "mismatch"))),
        (("claims", ONE_ACR), acr, None),
        (("claims", ONE_ACR), None, Some(("acr", "missing"))),
        (("claims", VOLUNTARY_ACR), None, None),
        (("claims", ESSENTIAL_TIME), Some(("auth_time", "1")), None),
        (
            ("claims", ESSENTIAL_TIME),
            None,
            Some(("auth_time", "missing")),
        ),
        (
            ("organization", "org_1"),
            Some(("org_id", r#""org_1""#)),
            None,
        ),
        (
            ("organization", "org_1"),
            Some(("org_id", r#""org_2""#)),
            Some(("org_id", "mismatch")),
        ),
        (
            ("organization", "Acme"),
            Some(("org_name", r#""acme""#)),
            None,
        ),
        (
            ("organization", "Acme"),
            None,
            Some(("org_name", "missing")),
        ),
        (("prompt", "login"), None, None),
    ] {
        let expected = refused.map(|(claim, problem)| {
            format!(
                r#"invalid_id_token {{"claim":"{claim}","problem":"{problem}","skewSeconds":null}}"#
            )
        });
        assert_eq!(shown(asked, claim), expected, "{asked:?} {claim:?}");
    }
}

#[test]
fn t41_without_signature_arithmetic_tls_must_do() {
    let at = |issuer: &'static str, exception: bool| {
        let world = World::new();
        let provider = Provider::at(&world, issuer);
        let builder = countersign::client::Config::builder(issuer, CLIENT, REDIRECT);
        let builder = if exception {
            builder.allow_insecure_issuer(issuer)
        } else {
            builder
        };
        (provider, Page::with(&world, world.tab(), builder))
    };
    let unchecked = Event::Warning(Warning::SignatureUnchecked);
    for (issuer, exception, accepted) in [
        ("https://as.example", false, true),
        ("http://127.0.0.1:9000", false, false),
        ("http://as.internal", true, true),
    ] {
        let (provider, page) = at(issuer, exception);
        page.tab.set_arithmetic(Arithmetic::Missing);
        let result = page.sign_in(&provider);
        assert_eq!(result.is_ok(), accepted, "{issuer}");
        assert_eq!(page.has_event(&unchecked), accepted, "{issuer}");
        if let Err(error) = result {
            assert_eq!(
                told(&error),
                r#"unsupported_environment {"missing":"crypto.subtle"}"#
            );
        }
        // Its claims are checked all the same.
        let (provider, page) = at(issuer, exception);
        page.tab.set_arithmetic(Arithmetic::Missing);
        provider.set_claim("nonce", "\"other\"");
        assert!(page.sign_in(&provider).is_err(), "{issuer}");
        // With arithmetic there is nothing to warn of.
        let (provider, page) = at(issuer, exception);
        page.sign_in(&provider).unwrap();
        assert!(!page.has_event(&unchecked), "{issuer}");
    }
}
