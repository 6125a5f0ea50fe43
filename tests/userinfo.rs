//! Claims about the user from the `UserInfo` endpoint (OIDC Core §5.3), in virtual time.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use countersign::client::ports::TransportError;
use countersign::client::{Config, Error, Event, LogoutOptions};
use countersign::protocol::base64url;
use countersign::protocol::error::Endpoint;
use countersign::protocol::http::HttpResponse;
use countersign::protocol::json::Json;
use countersign::session::state::Warning;
use countersign::testing::{Arithmetic, Reply, World};
use support::*;

const CLAIMS: &str = r#"{"sub":"alice-the-subject-of-claims","name":"Alice","n":1.50,"_claim_names":{"a":"s"},"_claim_sources":{"s":{"endpoint":"https://elsewhere.example/claims"}}}"#;
const HEADER: &str = r#"{"alg":"ES256","kid":"k1"}"#;
const SIGNED: &str =
    r#"{"sub":"alice-the-subject-of-claims","iss":"https://as.example","aud":["other","spa"]}"#;

/// What `user_info()` gives, as text.
fn ask(page: &Page) -> Result<String, Error> {
    let auth = page.auth.clone();
    let claims = page
        .world
        .run(async move { auth.user_info().await })
        .expect("an answer or an error");
    claims.map(|claims| claims.to_text())
}

/// What comes of this answer; whatever it is, the session stays as it was.
fn asked(page: &Page, reply: Reply) -> Result<String, String> {
    let before = (page.stored(), page.states.borrow().len());
    page.world.queue(Endpoint::Userinfo, reply);
    let result = ask(page).map_err(|error| told(&error));
    assert_eq!((page.stored(), page.states.borrow().len()), before);
    result
}

fn jwt(header: &str, claims: &str) -> String {
    let signature = base64url::encode(&[7; 64]);
    let part = |text: &str| base64url::encode(text.as_bytes());
    [part(header), part(claims), signature].join(".")
}

/// An answer that is labelled as a JWT.
fn labelled(body: &str) -> Reply {
    Reply::response(HttpResponse::new(
        200,
        "application/jwt; charset=utf-8",
        body,
    ))
}

fn invalid(status: u16, problem: &str) -> Result<String, String> {
    Err(format!(
        r#"invalid_response {{"endpoint":"userinfo","status":{status},"problem":"{problem}"}}"#
    ))
}

#[test]
fn ui1_the_token_goes_in_the_header_and_the_claims_come_as_they_are() {
    let (world, _, page) = signed_in();
    assert_eq!(asked(&page, Reply::json(CLAIMS)).as_deref(), Ok(CLAIMS));
    let sent = world.requests().pop().unwrap();
    assert_eq!(sent.endpoint, Endpoint::Userinfo);
    assert_eq!(sent.uri, "https://as.example/userinfo");
    assert_eq!((sent.body, sent.json), (None, false));
    let token = sent.authorization.unwrap();
    assert_eq!(token.expose(), page.stored_token());
}

#[test]
fn ui1_claims_about_anybody_else_are_not_used() {
    let (_, _, page) = signed_in();
    let mislabelled = HttpResponse::new(200, "text/plain", CLAIMS);
    assert!(asked(&page, Reply::response(mislabelled)).is_ok());
    for sub in [
        r#""mallory""#,
        r#""Alice-the-subject-of-claims""#,
        r#""alice-the-subject-of-claims ""#,
        r#""""#,
        "7",
        "null",
        r#"["alice-the-subject-of-claims"]"#,
    ] {
        let claims = CLAIMS.replace(r#""alice-the-subject-of-claims""#, sub);
        let mismatch = r#"subject_mismatch {"endpoint":"userinfo"}"#;
        let result = asked(&page, Reply::json(&claims));
        assert_eq!(result, Err(mismatch.to_owned()), "{sub}");
        let result = asked(&page, labelled(&jwt(HEADER, &claims)));
        assert_eq!(result, Err(mismatch.to_owned()), "signed, {sub}");
    }
}

#[test]
fn ui2_a_signed_answer_is_verified_before_it_is_used() {
    let (_, _, page) = signed_in();
    for claims in [
        CLAIMS,
        SIGNED,
        &SIGNED.replace(r#"["other","spa"]"#, r#""spa""#),
        &SIGNED.replace('}', r#","exp":99999999999}"#),
    ] {
        let result = asked(&page, labelled(&jwt(HEADER, claims)));
        assert_eq!(result.as_deref(), Ok(claims));
    }
    let with = |from: &str, to: &str| {
        let claims = SIGNED.replace(from, to);
        assert_ne!(claims, SIGNED, "{from}");
        jwt(HEADER, &claims)
    };
    let headed = |header: &str| jwt(header, SIGNED);
    let honest = headed(HEADER);
    let parts: Vec<_> = honest.split('.').collect();
    for (body, problem) in [
        (with("https://as.example", "https://as.example/"), "iss"),
        (with(r#""https://as.example""#, "7"), "iss"),
        (with(r#","spa""#, ""), "aud"),
        (with(r#"["other","spa"]"#, r#""spa2""#), "aud"),
        (with(r#"["other","spa"]"#, "[]"), "aud"),
        (with("}", r#","exp":1}"#), "exp"),
        (with("}", r#","exp":"never"}"#), "exp"),
        (headed(r#"{"alg":"none","kid":"k1"}"#), "alg"),
        (headed(r#"{"alg":"HS256","kid":"k1"}"#), "alg"),
        (headed(r#"{"alg":"ES256","kid":"k2"}"#), "kid"),
        (headed(r#"{"alg":"ES256","kid":"k1","crit":["x"]}"#), "crit"),
        (headed("[]"), "header"),
        (jwt(HEADER, "[]"), "payload"),
        (format!("{}.{}.", parts[0], parts[1]), "signature"),
        // RFC 7516 §3: five parts are an encrypted one.
        (format!("{honest}.AA.AA"), "jwt"),
        (format!("{}.{}", parts[0], parts[1]), "jwt"),
        (SIGNED.to_owned(), "jwt"),
        (String::new(), "jwt"),
    ] {
        let result = asked(&page, labelled(&body));
        assert_eq!(result, invalid(200, problem), "{body}");
    }
    let result = asked(&page, Reply::json(&honest));
    assert_eq!(result, invalid(200, "not_json"), "not labelled");
    page.tab.set_arithmetic(Arithmetic::Wrong);
    assert_eq!(asked(&page, labelled(&honest)), invalid(200, "signature"));
}

#[test]
fn ui2_where_no_signature_can_be_checked_tls_stands_for_it_and_a_warning_is_given() {
    let (_, _, page) = signed_in();
    page.tab.set_arithmetic(Arithmetic::Missing);
    let result = asked(&page, labelled(&jwt(HEADER, SIGNED)));
    assert_eq!(result.as_deref(), Ok(SIGNED));
    assert!(page.has_event(&Event::Warning(Warning::SignatureUnchecked)));
}

#[test]
fn ui3_a_refusal_is_told_in_the_servers_own_words() {
    let (_, _, page) = signed_in();
    let said = |status: u16, problem: &str, words: &str| {
        Err(format!(
            r#"invalid_response {{"endpoint":"userinfo","status":{status},"problem":"{problem}",{words}}}"#
        ))
    };
    let only =
        |error: &str| format!(r#""error":"{error}","error_description":null,"error_uri":null"#);
    let scope = r#"Bearer error="insufficient_scope", scope="openid""#;
    let oauth = r#"{"error":"invalid_request","error_description":"twice"}"#;
    for (reply, expected) in [
        (
            Reply::with_status(403, "").challenge(scope),
            said(403, "insufficient_scope", &only("insufficient_scope")),
        ),
        (
            Reply::with_status(401, "").challenge("Newauth x"),
            invalid(401, "status"),
        ),
        (
            Reply::with_status(400, oauth),
            said(
                400,
                "invalid_request",
                r#""error":"invalid_request","error_description":"twice","error_uri":null"#,
            ),
        ),
        (
            Reply::with_status(
                403,
                r#"{"error":"Access denied for this resource","refnumber":"7"}"#,
            ),
            said(403, "status", &only("Access denied for this resource")),
        ),
        (
            Reply::with_status(404, r#"{"error":"Not found"}"#),
            said(404, "status", &only("Not found")),
        ),
        (
            Reply::json(r#"{"error":"Not found"}"#),
            said(200, "error", &only("Not found")),
        ),
        (Reply::with_status(403, "<html>"), invalid(403, "status")),
        (Reply::with_status(204, ""), invalid(204, "status")),
        (Reply::json(""), invalid(200, "empty")),
        (Reply::json("<html>"), invalid(200, "not_json")),
        (Reply::json("[]"), invalid(200, "not_json")),
        (
            Reply::json(&"x".repeat((1 << 20) + 1)),
            invalid(200, "too_large"),
        ),
        (
            Reply::fail(TransportError::Network),
            Err(r#"network {"endpoint":"userinfo"}"#.to_owned()),
        ),
        (
            Reply::never(),
            Err(r#"timeout {"endpoint":"userinfo","seconds":10}"#.to_owned()),
        ),
    ] {
        assert_eq!(asked(&page, reply), expected);
    }
    for (status, retryable) in [(403, false), (429, true), (503, true)] {
        page.world
            .queue(Endpoint::Userinfo, Reply::with_status(status, ""));
        assert_eq!(ask(&page).unwrap_err().is_retryable(), retryable);
    }
}

#[test]
fn ui5_the_endpoints_of_claim_sources_are_not_called() {
    let (world, _, page) = signed_in();
    let before = world.requests().len();
    assert!(asked(&page, Reply::json(CLAIMS)).is_ok());
    world.sleep(60);
    assert_eq!(world.requests().len(), before + 1);
}

#[test]
fn br3_a_refused_token_is_refreshed_once() {
    let invalid_token = Reply::with_status(401, "").challenge(r#"Bearer error="invalid_token""#);
    // The challenge may stand in a header that CORS does not expose.
    for refusal in [invalid_token, Reply::with_status(401, "")] {
        let (world, _, page) = signed_in();
        let old = page.stored_token();
        world.queue(Endpoint::Userinfo, refusal.clone());
        assert!(ask(&page).is_ok());
        assert_eq!(page.token_requests(), 2);
        let sent = world.requests_to(Endpoint::Userinfo);
        let tokens: Vec<_> = sent
            .into_iter()
            .map(|one| one.authorization.unwrap().expose().to_owned())
            .collect();
        assert_eq!(tokens, [old, page.stored_token()]);
        for reply in [refusal.clone(), refusal] {
            world.queue(Endpoint::Userinfo, reply);
        }
        let error = told(&ask(&page).unwrap_err());
        assert!(error.starts_with("invalid_response"), "{error}");
        assert_eq!(page.token_requests(), 3, "once more, and no third time");
    }
    let (world, _, page) = signed_in();
    for refusal in [
        Reply::with_status(401, "").challenge(r#"Bearer error="insufficient_scope""#),
        Reply::with_status(401, "").challenge(r#"DPoP error="invalid_token""#),
        Reply::with_status(403, "").challenge(r#"Bearer error="invalid_token""#),
        Reply::with_status(500, ""),
    ] {
        assert!(asked(&page, refusal).is_err());
    }
    assert_eq!(page.token_requests(), 1);
    assert_eq!(world.requests_to(Endpoint::Userinfo).len(), 4);
}

#[test]
fn br3_what_somebody_else_refreshed_meanwhile_is_used() {
    let (world, _, page) = signed_in();
    let refusal = Reply::with_status(401, "").delayed(5000);
    world.queue(Endpoint::Userinfo, refusal);
    let auth = page.auth.clone();
    let claims = world.start(async move { auth.user_info().await });
    page.access_token_with(forced()).unwrap();
    world.advance(6);
    assert!(claims.take().unwrap().is_ok());
    assert_eq!(page.token_requests(), 2);
}

#[test]
fn a_token_that_is_over_is_refreshed_first() {
    let (world, _, page) = signed_in_for(60);
    let old = page.stored_token();
    world.sleep(61);
    assert!(ask(&page).is_ok());
    let sent = world.requests_to(Endpoint::Userinfo).pop().unwrap();
    assert_ne!(sent.authorization.unwrap().expose(), old);
}

#[test]
fn it_takes_a_session_an_id_token_and_an_endpoint() {
    let (world, _, page) = signed_in();
    world.queue(Endpoint::Userinfo, Reply::json(CLAIMS).delayed(5000));
    let auth = page.auth.clone();
    let claims = world.start(async move { auth.user_info().await });
    page.logout(LogoutOptions::default()).unwrap();
    world.advance(6);
    let claims = claims.take().unwrap();
    let expected = r#"login_required {"reason":"loggedOut"}"#;
    assert_eq!(told(&claims.unwrap_err()), expected, "meanwhile");
    assert_eq!(told(&ask(&page).unwrap_err()), expected);

    let world = World::new();
    let page = Page::with(
        &world,
        world.tab(),
        Config::plain_oauth(CLIENT, REDIRECT).issuer(ISSUER),
    );
    page.start();
    let error = told(&ask(&page).unwrap_err());
    assert!(
        error.starts_with(r#"invalid_config {"option":"oidc""#),
        "{error}"
    );
    assert_eq!(world.requests().len(), 0);

    let (world, provider) = (World::new(), Provider::new(&World::new()));
    let without = provider.discovery().replace("userinfo_endpoint", "x");
    let provider = Provider::new(&world);
    world.queue(Endpoint::Discovery, Reply::json(&without));
    let page = Page::new(&world);
    page.start();
    page.sign_in(&provider).unwrap();
    let missing = r#"invalid_metadata {"field":"userinfo_endpoint","problem":"missing"}"#;
    assert_eq!(told(&ask(&page).unwrap_err()), missing);
}

#[test]
fn t6_members_named_after_prototypes_are_members_like_others() {
    let (_, _, page) = signed_in();
    let claims = CLAIMS.replace(
        r#""name":"Alice""#,
        r#""__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}"#,
    );
    assert_eq!(asked(&page, Reply::json(&claims)), Ok(claims.clone()));
    assert!(Json::parse(&claims).unwrap().get("admin").is_none());
}
