//! AR: the authorization request.

use super::support::*;
use super::{asking, blamed, page, parameter, query, stored_login};
use countersign::client::Config;
use countersign::protocol::error::Endpoint;
use countersign::protocol::form;
use countersign::protocol::pkce::CodeVerifier;
use countersign::protocol::scope::Scope;
use countersign::testing::{Reply, World};
use std::collections::BTreeSet;

/// The server's metadata with one text in it replaced.
fn discovery(from: &str, to: &str) -> Reply {
    let honest = Provider::new(&World::new()).discovery();
    let changed = honest.replace(from, to);
    assert_ne!(changed, honest, "{from}");
    Reply::json(&changed)
}

#[test]
fn ar1_only_a_code_is_asked_for_and_taken() {
    let (world, provider, page) = page();
    let uri = page.begin_login().unwrap();
    assert_eq!(parameter(&uri, "response_type").as_deref(), Some("code"));
    for wish in [
        ("response_type", "token"),
        ("response_type", "id_token token"),
        ("response_mode", "form_post"),
    ] {
        let before = world.requests().len();
        assert_eq!(blamed(page.begin_login_with(asking(&[wish]))), "extra");
        assert_eq!(world.requests().len(), before);
    }
    // A response with a token in it is none.
    let token = "access_token=stolen&token_type=Bearer&id_token=a.b.c";
    let state = state_of(&uri);
    for (answer, code) in [
        (
            format!("{REDIRECT}?{token}&state={state}"),
            "invalid_response",
        ),
        (
            format!("{REDIRECT}#{token}&state={state}"),
            "stale_callback",
        ),
    ] {
        let uri = answer.replace(&state, &state_of(&page.begin_login().unwrap()));
        assert_eq!(page.callback(&uri).unwrap_err().code().as_str(), code);
    }
    assert_eq!(page.token_requests(), 0);
    assert!(page.access_token().is_err());
    // The twin: beside a code it is ignored.
    let uri = provider.authorize(&page.begin_login().unwrap());
    page.callback(&format!("{uri}&{token}")).unwrap();
    assert_ne!(page.access_token().unwrap(), "stolen");
}

#[test]
fn ar2_every_login_has_a_verifier_of_its_own_and_only_the_token_request_carries_it() {
    let (world, provider, page) = page();
    let mut challenges = BTreeSet::new();
    for _ in 0..2 {
        let uri = page.begin_login().unwrap();
        let verifier = stored_login(&page, &uri).code_verifier().to_owned();
        let challenge = CodeVerifier::parse(&verifier).unwrap().challenge();
        assert_eq!(
            parameter(&uri, "code_challenge"),
            Some(challenge.clone()),
            "of this verifier"
        );
        challenges.insert(challenge);
        assert!(!uri.contains(&verifier));
        page.callback(&provider.authorize(&uri)).unwrap();
        let carriers: Vec<_> = world
            .requests()
            .into_iter()
            .filter(|request| {
                request.uri.contains(&verifier)
                    || request.body.iter().any(|body| body.contains(&verifier))
            })
            .collect();
        assert_eq!(carriers.len(), 1);
        assert_eq!(carriers[0].endpoint, Endpoint::Token);
        assert_eq!(carriers[0].parameter("code_verifier"), Some(verifier));
    }
    assert_eq!(challenges.len(), 2);
    for name in ["code_challenge", "code_challenge_method"] {
        let off = asking(&[(name, "")]);
        assert_eq!(blamed(page.begin_login_with(off)), "extra", "no switch");
    }
}

#[test]
fn ar4_a_server_that_offers_plain_only_is_refused() {
    for (methods, accepted) in [
        (r#"["plain","S256"]"#, true),
        (r#"["plain"]"#, false),
        ("[]", false),
        (r#""S256""#, false),
        (r#"["s256"]"#, false),
    ] {
        let (world, _, page) = page();
        let member = format!(r#"{{"code_challenge_methods_supported":{methods},"issuer":"#);
        world.queue(Endpoint::Discovery, discovery(r#"{"issuer":"#, &member));
        match page.begin_login() {
            Ok(uri) => {
                assert!(accepted, "{methods}");
                let method = parameter(&uri, "code_challenge_method");
                assert_eq!(method.as_deref(), Some("S256"));
            }
            Err(error) => {
                assert!(!accepted, "{methods}");
                assert_eq!(
                    told(&error),
                    r#"invalid_metadata {"field":"code_challenge_methods_supported","problem":"unsupported"}"#
                );
            }
        }
    }
}

#[test]
fn ar5_t11_a_server_that_is_silent_about_pkce_is_held_to_state_and_nonce() {
    let pending = pending(false);
    let request = pending.page.begin_login().unwrap();
    for name in ["state", "nonce", "code_challenge"] {
        let value = parameter(&request, name).unwrap();
        assert!(value.len() >= 43, "{name}: 256 bits");
    }
    // A server that never looks at the verifier, and codes that an attacker has of it.
    let foreign = format!("{REDIRECT}?code=stolen&state=countersign-forged");
    assert!(pending.page.callback(&foreign).is_err());
    assert_eq!(pending.page.token_requests(), 0, "state");
    pending.provider.set_claim("nonce", "\"of another login\"");
    assert_eq!(
        told(&pending.page.callback(&pending.uri).unwrap_err()),
        r#"invalid_id_token {"claim":"nonce","problem":"mismatch","skewSeconds":null}"#
    );
    assert_eq!(pending.page.stored(), None);
}

#[test]
fn ar6_a_state_is_good_once_in_the_tab_that_drew_it() {
    let Pending {
        world, page, uri, ..
    } = pending(false);
    let other = Page::new(&world);
    let elsewhere = state_of(&other.begin_login().unwrap());
    let mine = state_of(&uri);
    for (name, forged) in [
        ("absent", uri.replace(&format!("&state={mine}"), "")),
        ("empty", uri.replace(&mine, "")),
        ("wrong", uri.replace(&mine, &format!("{mine}x"))),
        ("of another tab", uri.replace(&mine, &elsewhere)),
    ] {
        let error = page.callback(&forged).unwrap_err();
        assert_eq!(error.code().as_str(), "stale_callback", "{name}");
        assert_eq!(page.token_requests(), 0, "{name}");
    }
    page.callback(&uri).unwrap();
    // Replayed by a page that has the storage, and not the session.
    let session = page.tab.storage().only(SESSION_KEY).unwrap().0;
    let page = page.reload();
    assert!(countersign::client::ports::Storage::remove(page.tab.storage(), &session).is_ok());
    let error = page.callback(&uri).unwrap_err();
    assert!(told(&error).contains(r#""problem":"used""#));
    assert_eq!(page.token_requests(), 1);
}

#[test]
fn ar7_id9_the_nonce_of_the_request_comes_back_in_the_id_token() {
    let Pending { provider, page, .. } = pending(false);
    let uri = page.begin_login().unwrap();
    let nonce = parameter(&uri, "nonce").unwrap();
    assert_eq!(nonce, stored_login(&page, &uri).nonce());
    for (claim, problem) in [
        ("null", "missing"),
        ("\"\"", "mismatch"),
        ("\"another\"", "mismatch"),
        (&*format!("[\"{nonce}\"]"), "mismatch"),
        ("7", "mismatch"),
    ] {
        let uri = page.begin_login().unwrap();
        let answer = provider.authorize(&uri);
        provider.set_claim("nonce", claim);
        assert_eq!(
            told(&page.callback(&answer).unwrap_err()),
            format!(
                r#"invalid_id_token {{"claim":"nonce","problem":"{problem}","skewSeconds":null}}"#
            ),
            "{claim}"
        );
        provider.claims.borrow_mut().clear();
    }
    page.callback(&provider.authorize(&uri)).unwrap();
}

#[test]
fn ar8_the_redirect_uri_is_sent_as_it_was_registered() {
    for redirect in [
        "https://app.example",
        "https://app.example/",
        "https://APP.example:443/cb/?x=1&y=%7e",
        "http://localhost:3000/cb",
    ] {
        let world = World::new();
        let provider = Provider::new(&world);
        let config = Config::builder(ISSUER, CLIENT, redirect);
        let page = Page::with(&world, world.tab(), config);
        let uri = page.begin_login().unwrap();
        assert_eq!(parameter(&uri, "redirect_uri").as_deref(), Some(redirect));
        let answer = provider.authorize(&uri);
        let answer = answer.strip_prefix(redirect).unwrap();
        let separator = if redirect.contains('?') { "&" } else { "?" };
        page.callback(&format!("{redirect}{separator}{}", &answer[1..]))
            .unwrap();
        let sent = world.requests_to(Endpoint::Token).pop().unwrap();
        assert_eq!(sent.parameter("redirect_uri").as_deref(), Some(redirect));
    }
    for redirect in ["/cb", "", "app.example", "https://app.example/#x", "a:b"] {
        let config = Config::builder(ISSUER, CLIENT, redirect);
        assert_eq!(blamed(config.build()), "redirectUri", "{redirect}");
    }
    let (_, _, page) = page();
    let wish = asking(&[("redirect_uri", "https://evil.example/")]);
    assert_eq!(blamed(page.begin_login_with(wish)), "extra");
}

#[test]
fn ar9_the_endpoints_query_is_kept_and_nothing_stands_there_twice() {
    let (world, _, page) = page();
    let own = "tenant=%7e1&x";
    let endpoint = format!("https://as.example/authorize?{own}");
    world.queue(
        Endpoint::Discovery,
        discovery("https://as.example/authorize", &endpoint),
    );
    let wishes = [("prompt", "login"), ("scope", "openid email")];
    let uri = page.begin_login_with(asking(&wishes)).unwrap();
    assert!(uri.starts_with(&format!("{endpoint}&")));
    let names: Vec<_> = query(&uri)
        .split('&')
        .map(|pair| pair.split('=').next().unwrap())
        .collect();
    let once: BTreeSet<_> = names.iter().collect();
    assert_eq!(names.len(), once.len(), "{names:?}");
    for name in ["state", "client_id", "redirect_uri", "code_challenge"] {
        let doubled = asking(&[(name, "x")]);
        assert_eq!(blamed(page.begin_login_with(doubled)), "extra", "{name}");
    }
}

#[test]
fn ar10_values_arrive_as_they_were_whatever_they_contain() {
    let (_, provider, page) = page();
    for value in [
        "a b",
        "a+b",
        "a&b=c#d",
        "100%",
        "%26",
        "é😀\u{10FFFF}",
        "\"<>\\^`{|}",
        "",
        "\u{0}\r\n",
    ] {
        let uri = page
            .begin_login_with(asking(&[("login_hint", value)]))
            .unwrap();
        assert_eq!(parameter(&uri, "login_hint").as_deref(), Some(value));
        assert!(uri.bytes().all(|byte| (0x21..0x7F).contains(&byte)));
        page.callback(&provider.authorize(&uri)).unwrap();
    }
    let uri = page
        .begin_login_with(asking(&[("login_hint", "a b+c")]))
        .unwrap();
    assert!(uri.contains("login_hint=a+b%2Bc"), "RFC 6749 App. B");
}

#[test]
fn ar11_a_scope_is_made_of_allowed_characters_in_the_order_given() {
    let scope = Scope::parse(" openid email  openid a:b!#[]~ ").unwrap();
    assert_eq!(scope.as_str(), "openid email a:b!#[]~");
    for byte in 0..=255 {
        let text = String::from_utf8_lossy(&[b'a', byte, b'b']).into_owned();
        let allowed = byte == b' ' || (0x21..0x7F).contains(&byte) && !b"\"\\".contains(&byte);
        assert_eq!(Scope::parse(&text).is_some(), allowed, "{byte:02x}");
    }
    let (_, _, page) = page();
    for scope in ["openid \"x\"", "openid\tx", "openid\nx", "openid ü"] {
        let wish = asking(&[("scope", scope)]);
        assert_eq!(blamed(page.begin_login_with(wish)), "scope", "{scope}");
    }
    let uri = page
        .begin_login_with(asking(&[("scope", "email openid email")]))
        .unwrap();
    assert_eq!(parameter(&uri, "scope").as_deref(), Some("email openid"));
    assert!(form::find(query(&uri), "scope").is_ok());
}

#[test]
fn ar12_what_an_application_asks_for_is_passed_on_and_what_the_protocol_owns_is_not() {
    let (world, _, page) = page();
    let wishes = [
        ("audience", "https://api.example"),
        ("resource", "https://api.example/a"),
        ("resource", "https://api.example/b"),
        ("organization", "org_1"),
        ("invitation", "i"),
        ("acr_values", "gold silver"),
        ("max_age", "0"),
        ("login_hint", "+1 555"),
        ("ui_locales", "de fr"),
        ("claims", r#"{"id_token":{}}"#),
        ("prompt", "login consent"),
        ("display", "touch"),
        ("connection", "c"),
        ("authorization_details", r#"[{"type":"x"}]"#),
        ("anything_else", "é"),
    ];
    let uri = page.begin_login_with(asking(&wishes)).unwrap();
    let sent: String = form::encode(&wishes);
    assert!(uri.ends_with(&format!("&{sent}")), "{uri}");
    let before = world.requests().len();
    for name in [
        "client_id",
        "client_secret",
        "code",
        "code_challenge",
        "code_challenge_method",
        "nonce",
        "redirect_uri",
        "request",
        "request_uri",
        "response_mode",
        "response_type",
        "state",
        "",
    ] {
        let wish = asking(&[(name, "x")]);
        assert_eq!(blamed(page.begin_login_with(wish)), "extra", "{name}");
    }
    assert_eq!(world.requests().len(), before);
}

#[test]
fn ar13_the_user_is_sent_to_https_or_loopback_only() {
    for (endpoint, problem) in [
        ("https://login.elsewhere.example/a", None),
        ("http://127.0.0.1:9000/a", None),
        ("http://localhost/a", None),
        ("http://[::1]:1/a", None),
        ("http://as.example/a", Some("insecure")),
        ("http://127.0.0.1.evil.example/a", Some("insecure")),
        ("http://localhost.evil.example/a", Some("insecure")),
        ("javascript:alert(1)//", Some("malformed")),
        ("data:text/html,x", Some("malformed")),
        ("file:///etc/passwd", Some("malformed")),
        ("//as.example/a", Some("malformed")),
        ("/authorize", Some("malformed")),
        ("https://as.example@evil.example/", Some("malformed")),
        ("https:///a", Some("malformed")),
    ] {
        let (world, _, page) = page();
        world.queue(
            Endpoint::Discovery,
            discovery("https://as.example/authorize", endpoint),
        );
        let auth = page.auth.clone();
        let login = world.start(async move { auth.login(asking(&[])).await.err() });
        world.advance(1);
        let navigations = page.tab.navigations();
        let error = login.take().flatten().map(|error| told(&error));
        let expected = problem.map(|problem| {
            format!(
                r#"invalid_metadata {{"field":"authorization_endpoint","problem":"{problem}"}}"#
            )
        });
        assert_eq!(error, expected, "{endpoint}");
        assert_eq!(navigations.is_empty(), problem.is_some(), "{endpoint}");
        assert!(navigations.iter().all(|uri| uri.starts_with(endpoint)));
    }
}
