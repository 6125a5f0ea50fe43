//! Which of the server's keys may have signed an ID Token, when they are asked for again, and the hash that follows from
//! the algorithm.

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

use countersign::protocol::error::Endpoint;
use countersign::testing::{Arithmetic, Reply, World};
use support::*;

fn problem(claim: &str, problem: &str) -> String {
    format!(r#"invalid_id_token {{"claim":"{claim}","problem":"{problem}","skewSeconds":null}}"#)
}

fn sign_with(pending: &Pending, header: &str) {
    pending.provider.header.replace(header.to_owned());
}

#[test]
fn id16_an_unknown_key_is_asked_for_once() {
    let pending = pending(false);
    // The server changes its key between the two requests, and signs with the new one.
    let old = Reply::json(&pending.provider.jwks());
    pending.world.queue(Endpoint::Jwks, old);
    pending.provider.key_ids.replace(vec!["k2".to_owned()]);
    sign_with(&pending, r#"{"alg":"ES256","kid":"k2"}"#);
    pending.page.callback(&pending.uri).unwrap();
    assert_eq!(pending.world.requests_to(Endpoint::Jwks).len(), 2);
}

#[test]
fn id16_t30_a_hundred_random_key_ids_cost_one_request_in_thirty_seconds() {
    let (world, provider, page) = signed_in();
    let asked = || world.requests_to(Endpoint::Jwks).len();
    let mut before = asked();
    for round in 0..3 {
        for n in 0..100 {
            let header = format!(r#"{{"alg":"ES256","kid":"random {round} {n}"}}"#);
            provider.header.replace(header);
            let error = page.sign_in(&provider).unwrap_err();
            assert_eq!(told(&error), problem("kid", "no_matching_key"));
        }
        assert_eq!(asked(), before + 1, "round {round}");
        before = asked();
        world.advance(30);
    }
    // The tokens of refreshes share the pause.
    provider.gives_id_token_on_refresh.set(true);
    provider.set_claim("nonce", "null");
    for _ in 0..3 {
        page.access_token_with(forced()).unwrap();
        world.run_until_idle();
    }
    assert_eq!(asked(), before + 1);
}

#[test]
fn id15_a_key_without_an_id_that_did_not_sign_may_have_been_replaced() {
    let pending = pending(false);
    sign_with(&pending, r#"{"alg":"ES256"}"#);
    pending.page.tab.set_arithmetic(Arithmetic::Wrong);
    for _ in 0..5 {
        let error = pending.page.sign_in(&pending.provider).unwrap_err();
        assert_eq!(told(&error), problem("signature", "bad_signature"));
    }
    assert_eq!(pending.world.requests_to(Endpoint::Jwks).len(), 2);
    // A key that is named, and there, is not: it was not the one that signed.
    sign_with(&pending, r#"{"alg":"ES256","kid":"k1"}"#);
    pending.world.advance(30);
    let error = pending.page.sign_in(&pending.provider).unwrap_err();
    assert_eq!(told(&error), problem("signature", "bad_signature"));
    assert_eq!(pending.world.requests_to(Endpoint::Jwks).len(), 2);
}

#[test]
fn an_algorithm_that_the_engine_does_not_know_is_told_from_a_wrong_signature() {
    for (arithmetic, expected) in [
        (Arithmetic::Unsupported, problem("alg", "unsupported_alg")),
        (Arithmetic::Wrong, problem("signature", "bad_signature")),
    ] {
        refuses("arithmetic", &expected, |pending| {
            pending.page.tab.set_arithmetic(arithmetic);
            handle(pending, &pending.uri)
        });
    }
}

#[test]
fn id6_t31_an_algorithm_that_the_server_does_not_announce_is_refused() {
    const NAME: &str = "id_token_signing_alg_values_supported";
    let with_list = |list: &str| {
        let world = World::new();
        let provider = Provider::new(&world);
        let metadata = provider.discovery();
        let announcing = metadata.replacen('{', &format!(r#"{{"{NAME}":{list},"#), 1);
        world.queue(Endpoint::Discovery, Reply::json(&announcing));
        let page = Page::new(&world);
        page.start();
        (world, provider, page)
    };
    for list in [
        r#"["RS256","ES256"]"#,
        r#"["HS256"]"#,
        r#"["none",7]"#,
        "[]",
        "7",
        "null",
    ] {
        let (_, provider, page) = with_list(list);
        page.sign_in(&provider).expect(list);
    }
    let lists = [r#"["HS256","RS256"]"#, r#"["EdDSA"]"#];
    for (list, reloads) in lists.into_iter().zip([false, true]) {
        let (world, provider, mut page) = with_list(list);
        let error = page.sign_in(&provider).unwrap_err();
        assert_eq!(told(&error), problem("alg", "unsupported_alg"));
        // The server may have changed its mind meanwhile: it is asked again, also after a reload.
        if reloads {
            page = page.reload();
            page.start();
        }
        page.sign_in(&provider).unwrap();
        assert_eq!(world.requests_to(Endpoint::Discovery).len(), 2, "{list}");
    }
}

#[test]
fn id17_t31_keys_in_the_header_are_never_used() {
    let jwk = r#""jwk":{"kty":"EC","crv":"P-256","kid":"k9","x":"AQ","y":"Ag"}"#;
    let elsewhere =
        r#""jku":"https://evil.example/jwks","x5u":"https://evil.example/cert","x5c":["AQ"]"#;
    for member in [jwk, elsewhere] {
        let expected = problem("kid", "no_matching_key");
        refuses(member, &expected, |pending| {
            sign_with(
                pending,
                &format!(r#"{{"alg":"ES256","kid":"k9",{member}}}"#),
            );
            handle(pending, &pending.uri)
        });
        let honest = pending(false);
        sign_with(
            &honest,
            &format!(r#"{{"alg":"ES256","kid":"k1",{member}}}"#),
        );
        honest.page.callback(&honest.uri).unwrap();
        let asked = honest.world.requests();
        assert!(asked.iter().all(|request| request.uri.starts_with(ISSUER)));
    }
}

#[test]
fn id13_t12_the_hash_of_the_access_token_is_the_one_of_the_algorithm() {
    const OKP: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"o","x":"AQ"}]}"#;
    let (sha256, sha512) = (
        "\"ypeBEsobvcr6wjGzmiPcTQ\"",
        "\"H0D8ktokFpR1CXnubPWC8tXX0o4YM13gWrxU0FYOD1M\"",
    );
    let es256 = r#"{"alg":"ES256","kid":"k1"}"#;
    let eddsa = r#"{"alg":"EdDSA","kid":"o"}"#;
    let ed25519 = r#"{"alg":"Ed25519","kid":"o"}"#;
    let sign_in = |header: &str, at_hash: &str, arithmetic| {
        let pending = pending(false);
        pending.page.tab.set_arithmetic(arithmetic);
        if header != es256 {
            pending.world.queue(Endpoint::Jwks, Reply::json(OKP));
        }
        sign_with(&pending, header);
        pending.provider.set_member("access_token", "\"a\"");
        pending.provider.set_claim("at_hash", at_hash);
        let result = pending.page.callback(&pending.uri);
        result.map(|_| ()).map_err(|error| told(&error))
    };
    let wrong = Err(problem("at_hash", "mismatch"));
    for (header, right, other) in [
        (es256, sha256, sha512),
        (eddsa, sha512, sha256),
        (ed25519, sha512, sha256),
    ] {
        assert_eq!(sign_in(header, right, Arithmetic::Right), Ok(()));
        assert_eq!(sign_in(header, other, Arithmetic::Right), wrong);
    }
    // Without `crypto.subtle` there is SHA-256, and for the rest TLS.
    assert_eq!(sign_in(es256, sha256, Arithmetic::Missing), Ok(()));
    assert_eq!(sign_in(es256, sha512, Arithmetic::Missing), wrong);
    assert_eq!(sign_in(eddsa, sha256, Arithmetic::Missing), Ok(()));
}

#[test]
fn md4_keys_are_kept_for_an_hour() {
    let (world, provider, page) = signed_in();
    page.sign_in(&provider).unwrap();
    assert_eq!(world.requests_to(Endpoint::Jwks).len(), 1);
    world.sleep(3601);
    page.sign_in(&provider).unwrap();
    assert_eq!(world.requests_to(Endpoint::Jwks).len(), 2);
}

#[test]
fn key_answers_that_cannot_be_used_are_refused() {
    for (reply, expected) in [
        (
            Reply::json("<html>"),
            r#"invalid_response {"endpoint":"jwks","status":200,"problem":"not_json"}"#,
        ),
        (
            Reply::json("{}"),
            r#"invalid_response {"endpoint":"jwks","status":200,"problem":"keys"}"#,
        ),
        (
            Reply::with_status(500, ""),
            r#"invalid_response {"endpoint":"jwks","status":500,"problem":"status"}"#,
        ),
        (
            Reply::never(),
            r#"timeout {"endpoint":"jwks","seconds":10}"#,
        ),
    ] {
        let Pending {
            world, page, uri, ..
        } = pending(false);
        for _ in 0..3 {
            world.queue(Endpoint::Jwks, reply.clone());
        }
        assert_eq!(told(&page.callback(&uri).unwrap_err()), expected);
        assert_eq!(page.stored(), None);
    }
}

#[test]
fn id19_private_keys_that_a_server_publishes_are_warned_of() {
    let ours = r#"{"kty":"EC","crv":"P-256","kid":"k1","x":"AQ","y":"Ag"}"#;
    for (other, warned) in [
        (
            r#"{"kty":"EC","crv":"P-256","x":"AQ","y":"Ag","d":"AQ"}"#,
            true,
        ),
        (r#"{"kty":"oct","k":"AQ"}"#, true),
        (r#"{"kty":"EC","crv":"P-256","x":"AQ","y":"Ag"}"#, false),
    ] {
        let pending = pending(false);
        let keys = format!(r#"{{"keys":[{ours},{other}]}}"#);
        pending.world.queue(Endpoint::Jwks, Reply::json(&keys));
        pending.page.callback(&pending.uri).unwrap();
        let lines = pending.page.tab.log_lines();
        let found = lines
            .iter()
            .filter(|line| line.message.contains("private keys"));
        assert_eq!(found.count(), usize::from(warned), "{other}");
    }
}
