//! TK: the token request and its answer.

use super::page;
use super::support::*;
use countersign::protocol::error::{Endpoint, OAuthErrorResponse, ProtocolError};
use countersign::protocol::http::HttpResponse;
use countersign::protocol::json::Json;
use countersign::protocol::token::{self, TokenResponse};
use countersign::testing::{Reply, Trouble};

/// The answer with this member, or without it where it is `None`.
fn with(name: &str, json: Option<&str>) -> Result<TokenResponse, Box<ProtocolError>> {
    let honest = [
        ("access_token", "\"a\""),
        ("token_type", "\"Bearer\""),
        ("expires_in", "60"),
    ];
    let mut members: Vec<_> = honest.into_iter().filter(|(own, _)| *own != name).collect();
    members.extend(json.map(|json| (name, json)));
    let members: Vec<_> = members
        .iter()
        .map(|(name, json)| format!("\"{name}\":{json}"))
        .collect();
    read(200, &format!("{{{}}}", members.join(",")))
}

fn read(status: u16, body: &str) -> Result<TokenResponse, Box<ProtocolError>> {
    token::response(&HttpResponse::new(status, "application/json", body))
}

/// What the answer is refused for.
fn problem(result: Result<TokenResponse, Box<ProtocolError>>) -> &'static str {
    match *result.unwrap_err() {
        ProtocolError::InvalidResponse { problem, .. } => problem,
        other => panic!("{other:?}"),
    }
}

#[test]
fn tk1_the_request_is_a_form_that_names_the_client_and_has_no_secret() {
    let (world, provider, page) = page();
    page.sign_in(&provider).unwrap();
    page.access_token_with(forced()).unwrap();
    let requests = world.requests_to(Endpoint::Token);
    for (request, grant) in requests.iter().zip(["authorization_code", "refresh_token"]) {
        let form = request.body.as_deref().expect("a POST");
        assert!(!request.json && request.authorization.is_none());
        assert_eq!(request.parameter("grant_type").as_deref(), Some(grant));
        assert_eq!(request.parameter("client_id").as_deref(), Some(CLIENT));
        for unwanted in ["secret", "assertion", "password"] {
            assert!(!form.contains(unwanted), "{unwanted}");
        }
    }
    let names = |index: usize| -> Vec<&str> {
        let form: &str = requests[index].body.as_deref().unwrap();
        form.split('&')
            .map(|pair| pair.split('=').next().unwrap())
            .collect()
    };
    assert_eq!(
        names(0),
        [
            "grant_type",
            "client_id",
            "code",
            "redirect_uri",
            "code_verifier"
        ]
    );
    assert_eq!(names(1), ["grant_type", "client_id", "refresh_token"]);
}

#[test]
fn tk3_a_bearer_token_is_taken_in_any_case_of_letters_and_nothing_else() {
    for kind in ["Bearer", "bearer", "BEARER", "bEARER"] {
        let answer = with("token_type", Some(&format!("\"{kind}\"")));
        assert_eq!(answer.unwrap().access_token.expose(), "a");
    }
    for kind in [
        None,
        Some("\"mac\""),
        Some("\"N_A\""),
        // We sent no proof.
        Some("\"DPoP\""),
        Some("\"dpop\""),
        Some("\"Bearer \""),
        Some("\"\""),
        Some("7"),
        Some("[\"Bearer\"]"),
        Some("true"),
    ] {
        assert_eq!(problem(with("token_type", kind)), "token_type", "{kind:?}");
    }
    for token in [None, Some("\"\""), Some("7"), Some("[\"a\"]"), Some("{}")] {
        assert_eq!(problem(with("access_token", token)), "access_token");
    }
}

#[test]
fn tk4_a_lifetime_may_be_missing_but_neither_negative_nor_endless() {
    for (lifetime, seconds) in [
        (None, None),
        (Some("60"), Some(60)),
        // No token is over before it is there: it says as little as none.
        (Some("0"), None),
        (Some("0.9"), None),
        (Some("\"0\""), None),
        (Some("1"), Some(1)),
        (Some("60.9"), Some(60)),
        // Digits in a text, as some servers write them.
        (Some("\"3600\""), Some(3600)),
    ] {
        assert_eq!(with("expires_in", lifetime).unwrap().expires_in, seconds);
    }
    for lifetime in [
        "-1",
        "1e400",
        "1e15",
        "9223372036854775807",
        "\"NaN\"",
        "\"soon\"",
        "\"-1\"",
        "\"\"",
        "[60]",
        "true",
    ] {
        let refused = with("expires_in", Some(lifetime));
        assert_eq!(problem(refused), "expires_in", "{lifetime}");
    }
}

#[test]
fn tk5_a_missing_scope_is_the_one_asked_for_and_another_is_told() {
    for (scope, granted) in [
        (None, "openid offline_access"),
        (Some("\"\""), "openid offline_access"),
        (Some("\"openid offline_access\""), "openid offline_access"),
        (Some("\"openid\""), "openid"),
        (Some("\"openid email\""), "openid email"),
    ] {
        let (_, provider, page) = page();
        if let Some(scope) = scope {
            provider.set_member("scope", scope);
        }
        page.sign_in(&provider).unwrap();
        assert_eq!(page.signed_in().scope.as_str(), granted, "{scope:?}");
    }
    for scope in ["[\"openid\"]", "7", "\"a\\\"b\""] {
        assert_eq!(problem(with("scope", Some(scope))), "scope");
    }
}

#[test]
fn tk6_members_that_nobody_knows_are_ignored() {
    let deep = r#"{"claims":[{"a":[1,2.5e300,null]}],"__proto__":{}}"#;
    for (name, json) in [
        ("iat", "1700000000"),
        ("claims", deep),
        ("refresh_expires_in", "\"x\""),
        ("", "7"),
    ] {
        let answer = with(name, Some(json)).unwrap();
        assert_eq!(
            (answer.access_token.expose(), answer.expires_in),
            ("a", Some(60))
        );
    }
}

#[test]
fn tk7_what_is_no_json_object_is_refused_whatever_it_is_called() {
    let honest = r#"{"access_token":"a","token_type":"Bearer"}"#;
    for kind in [
        "application/json;charset=UTF-8",
        "APPLICATION/JSON",
        "text/plain",
        "",
    ] {
        assert!(token::response(&HttpResponse::new(200, kind, honest)).is_ok());
    }
    for (body, expected) in [
        (String::new(), "empty"),
        (" \r\n".to_owned(), "empty"),
        ("<!doctype html><p>hello".to_owned(), "not_json"),
        (format!("{honest},"), "not_json"),
        (format!("\u{FEFF}{honest}"), "not_json"),
        (format!("[{honest}]"), "not_json"),
        (honest.replace('"', "'"), "not_json"),
        (honest.replace("\"a\"", "NaN"), "not_json"),
        // A name that stands there twice: nobody may choose which one counts.
        (
            honest.replacen('{', r#"{"access_token":"b","#, 1),
            "not_json",
        ),
        (
            honest.replacen('{', r#"{"access\u005ftoken":"b","#, 1),
            "not_json",
        ),
        (format!("{{\"a\":{}", "[".repeat(10_000)), "not_json"),
    ] {
        assert_eq!(problem(read(200, &body)), expected, "{:.60}", body);
    }
    let Pending {
        world, page, uri, ..
    } = pending(false);
    world.queue(Endpoint::Token, Reply::json(&"x".repeat(5 << 20)));
    assert!(told(&page.callback(&uri).unwrap_err()).contains("too_large"));
}

#[test]
fn tk8_an_error_keeps_the_servers_words_and_an_unreadable_one_its_status() {
    let words = |status: u16, body: &str| match *read(status, body).unwrap_err() {
        ProtocolError::Token { response, status } => (status, response),
        other => panic!("{other:?}"),
    };
    let (status, response) = words(
        400,
        r#"{"error":"invalid_grant","error_description":"a \"b\"","error_uri":"https://as.example/e"}"#,
    );
    let OAuthErrorResponse {
        error,
        error_description,
        error_uri,
        ..
    } = response;
    assert_eq!((status, error.as_str()), (400, "invalid_grant"));
    assert_eq!(error_description.as_deref(), Some("a \"b\""));
    assert_eq!(error_uri.as_deref(), Some("https://as.example/e"));
    // Real servers: their own codes, other statuses, an object inside `error`.
    assert_eq!(
        words(403, r#"{"error":"invalid_code"}"#).1.error,
        "invalid_code"
    );
    assert_eq!(words(500, r#"{"error":"server_error"}"#).0, 500);
    let wrapped = r#"{"success":false,"error":{"code":7,"error":"invalid_grant"}}"#;
    assert_eq!(words(400, wrapped).1.error, "invalid_grant");
    for body in [
        "",
        "null",
        "{}",
        "<html>",
        r#"{"error":7}"#,
        r#"{"error":{}}"#,
    ] {
        for status in [400, 401, 403, 429, 500, 502] {
            assert_eq!(problem(read(status, body)), "status", "{status} {body}");
        }
    }
}

#[test]
fn tk10_the_access_token_is_opaque() {
    let expired = r#"{"exp":1,"iss":"https://evil.example","sub":"mallory"}"#;
    let part = |text: &str| countersign::protocol::base64url::encode(text.as_bytes());
    let jwt = [part(r#"{"alg":"none"}"#), part(expired), String::new()].join(".");
    // RFC 6749 App. A.12: any printable character, and no other, since no header carries one.
    for token in ["_0XBPWQQ_x", &jwt, "a.b.c", " {\"a\": '\\~'}", "null"] {
        let (_, provider, page) = page();
        provider.set_member("access_token", &Json::from(token).to_text());
        page.sign_in(&provider).unwrap();
        assert_eq!(page.access_token().unwrap(), token);
        let user = page.signed_in().user.clone().unwrap();
        assert_eq!(user.get_str("sub"), Some("alice-the-subject-of-claims"));
    }
}

#[test]
fn tk11_tokens_may_be_long_and_a_full_storage_keeps_no_half() {
    let long = "t".repeat(16 << 10);
    let quoted = format!("\"{long}\"");
    let Pending {
        provider,
        page,
        uri,
        ..
    } = pending(false);
    provider.set_member("access_token", &quoted);
    provider.set_member("refresh_token", &quoted);
    page.callback(&uri).unwrap();
    assert_eq!(page.access_token().unwrap(), long);
    assert_eq!(page.stored_refresh_token(), long);
    // The quota is used up between the login and its return.
    let Pending { page, uri, .. } = pending(false);
    page.tab.storage().set_trouble(Trouble::Full);
    page.callback(&uri).unwrap();
    assert!(page.access_token().is_ok());
    assert_eq!(page.stored(), None);
}
