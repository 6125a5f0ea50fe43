//! What servers answer, and what the browser comes back with.

use crate::check;
use crate::json::document;
use countersign::protocol::authorization::{AuthorizationResponse, Expected, accept};
use countersign::protocol::bearer;
use countersign::protocol::discovery::discovery_response;
use countersign::protocol::error::ProtocolError;
use countersign::protocol::form;
use countersign::protocol::http::HttpResponse;
use countersign::protocol::issuer::Issuer;
use countersign::protocol::json::{Json, Object};
use countersign::protocol::metadata::{self, Server, ServerMetadata};
use countersign::protocol::token;
use countersign::protocol::userinfo::{UserInfo, check_subject, userinfo_response};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

const ISSUER: &str = "https://as.example";

fn server() -> Server {
    Server {
        issuer: Issuer::parse(ISSUER, None).ok(),
        oidc: true,
        given: Json::Null,
    }
}

/// A document of these members, among others that nobody knows.
fn with_others(members: Json, others: &[(String, Json)]) -> String {
    let Json::Object(mut members) = members else {
        panic!("no object")
    };
    for (at, (name, value)) in others.iter().enumerate() {
        members.insert(at.min(members.len()), (format!("x_{name}"), value.clone()));
    }
    Json::Object(members).to_text()
}

fn others() -> impl Strategy<Value = Vec<(String, Json)>> {
    btree_map("[a-z]{0,8}", document(), 0..4).prop_map(|members| members.into_iter().collect())
}

#[test]
fn the_tokens_that_a_server_gives_are_the_tokens_that_we_have() {
    // RFC 6749 App. A.12, A.17: what a header or a form can carry.
    let tokens = (
        "[ -~]+",
        option::of("[ -~]+"),
        option::of("[ -~]+"),
        option::of(0_i64..=316_224_000),
        option::of("[a-z:./]{1,9}( [a-z:./]{1,9}){0,4}"),
        "(B|b)(E|e)(A|a)(R|r)(E|e)(R|r)",
        others(),
    );
    check(
        300,
        tokens,
        |(access, refresh, id, life, scope, kind, others)| {
            let answer = Object::new()
                .text("token_type", &kind)
                .text("access_token", &access)
                .optional("refresh_token", refresh.as_deref())
                .optional("id_token", id.as_deref())
                .optional_integer("expires_in", life)
                .optional("scope", scope.as_deref())
                .done();
            let answer = HttpResponse::new(200, "text/plain", with_others(answer, &others));
            let read = token::response(&answer).unwrap();
            assert_eq!(read.access_token.expose(), access);
            assert_eq!(
                read.refresh_token.map(|token| token.expose().to_owned()),
                refresh
            );
            assert_eq!(read.id_token.map(|token| token.expose().to_owned()), id);
            assert_eq!(read.expires_in, life.filter(|life| *life > 0));
            let asked = |text: &str| {
                text.split(' ')
                    .map(str::to_owned)
                    .collect::<std::collections::BTreeSet<_>>()
            };
            assert_eq!(
                read.scope.map(|scope| asked(scope.as_str())),
                scope.as_deref().map(asked)
            );
        },
    );
}

#[test]
fn a_refusal_is_kept_in_the_servers_words_and_in_any_shape() {
    let refusals = (
        any::<String>(),
        any::<Option<String>>(),
        200_u16..600,
        any::<bool>(),
        others(),
    );
    check(
        300,
        refusals,
        |(error, description, status, wrapped, others)| {
            let mut refusal = Object::new()
                .text("error", &error)
                .optional("error_description", description.as_deref())
                .done();
            if wrapped {
                refusal = Object::new().json("error", refusal).done();
            }
            let answer = HttpResponse::new(status, "", with_others(refusal, &others));
            match *token::response(&answer).unwrap_err() {
                ProtocolError::Token {
                    response,
                    status: said,
                } => {
                    assert_eq!((response.error, said), (error, status));
                    assert_eq!(response.error_description, description);
                }
                other => panic!("{other:?}"),
            }
        },
    );
}

#[test]
fn metadata_is_read_among_any_other_members_and_comes_back_from_the_cache() {
    let path = "(/[a-zA-Z0-9._~-]{1,6}){0,3}";
    let documents = (path, path, path, option::of(path), any::<bool>(), others());
    check(
        300,
        documents,
        |(authorize, token, keys, logout, iss, others)| {
            let uri = |path: &str| format!("https://as.example{path}");
            let document = Object::new()
                .text("issuer", ISSUER)
                .text("authorization_endpoint", &uri(&authorize))
                .text("token_endpoint", &uri(&token))
                .text("jwks_uri", &uri(&keys))
                .optional(
                    "end_session_endpoint",
                    logout.as_deref().map(uri).as_deref(),
                )
                .flag("authorization_response_iss_parameter_supported", iss)
                .done();
            let body = with_others(document, &others);
            let read =
                |body: &str| discovery_response(&server(), &HttpResponse::new(200, "", body));
            let metadata = read(&body).unwrap();
            assert_eq!(metadata.authorization_endpoint(), uri(&authorize));
            assert_eq!(metadata.token_endpoint(), uri(&token));
            assert_eq!(metadata.jwks_uri(), uri(&keys));
            assert_eq!(
                metadata.end_session_endpoint(),
                logout.as_deref().map(uri).as_deref()
            );
            assert_eq!(metadata.iss_parameter_supported(), iss);
            let cached = Json::parse(&metadata.as_json().to_text()).unwrap();
            assert_eq!(metadata::parse(&server(), &cached), Ok(metadata));
            // The issuer exactly, or nothing.
            for other in [
                "https://as.example/",
                "https://AS.example",
                "https://as.example:443",
                "http://as.example",
            ] {
                let body = body.replace(
                    r#""issuer":"https://as.example""#,
                    &format!(r#""issuer":"{other}""#),
                );
                assert!(read(&body).is_err(), "{other}");
            }
        },
    );
}

fn metadata() -> ServerMetadata {
    let given = r#"{"authorization_endpoint":"https://as.example/a","token_endpoint":"https://as.example/t","jwks_uri":"https://as.example/j"}"#;
    let server = Server {
        given: Json::parse(given).unwrap(),
        ..server()
    };
    metadata::parse(&server, &Json::Null).unwrap()
}

#[test]
fn a_code_is_found_among_any_other_parameters_and_goes_to_the_token_endpoint() {
    let metadata = metadata();
    let callbacks = (
        ".+",
        any::<String>(),
        any::<bool>(),
        vec(("x[a-z]{0,3}", any::<String>()), 0..5),
        any::<prop::sample::Index>(),
    );
    check(
        300,
        callbacks,
        |(code, state, with_iss, mut parameters, index)| {
            let at = index.index(parameters.len() + 1);
            parameters.insert(at, ("code".to_owned(), code.clone()));
            parameters.insert(0, ("state".to_owned(), state.clone()));
            if with_iss {
                parameters.push(("iss".to_owned(), ISSUER.to_owned()));
            }
            let pairs: Vec<_> = parameters
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            let query = form::encode(&pairs);
            let decide = |state: &str| {
                let response = AuthorizationResponse::parse(&query).unwrap();
                let expected = Expected {
                    state,
                    expired: false,
                    metadata: &metadata,
                    redirect_uri: "https://app.example/",
                    code_verifier: "v",
                };
                accept(response, &expected).map(|code| {
                    token::code_request(&metadata, "spa", &code, "")
                        .body
                        .unwrap()
                })
            };
            let body = decide(&state).unwrap();
            assert_eq!(form::find(&body, "code"), Ok(Some(code)));
            assert!(decide(&format!("{state}x")).is_err());
        },
    );
}

#[test]
fn the_error_of_a_challenge_is_found_among_any_others() {
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let challenges = (
        any::<String>(),
        vec(("[a-zA-Z]{1,6}", "[a-z]{1,4}", any::<String>()), 0..4),
        vec(("[a-df-z]{1,4}", any::<String>()), 0..3),
        "[ \t]{0,2}",
    );
    check(300, challenges, |(error, before, parameters, space)| {
        let mut header = String::new();
        for (scheme, name, value) in &before {
            if !scheme.eq_ignore_ascii_case("bearer") {
                header += &format!("{scheme} {name}{space}={space}{},", quoted(value));
            }
        }
        header += "Bearer ";
        for (name, value) in &parameters {
            header += &format!("{name}={},{space}", quoted(value));
        }
        let with = |name: &str| format!("{header}{name}{space}={space}{}", quoted(&error));
        assert_eq!(bearer::refusal(&with("error")), Some(error.clone()));
        assert_eq!(bearer::refusal(&with("ERROR")), Some(error.clone()));
        assert_eq!(bearer::refusal(&with("errors")), None);
    });
}

#[test]
fn claims_about_the_user_are_handed_on_as_they_came_and_are_of_that_user() {
    let answers = (any::<String>(), any::<String>(), others());
    check(300, answers, |(sub, other, others)| {
        let claims = |sub: &str| Object::new().text("sub", sub).done();
        let body = with_others(claims(&sub), &others);
        let answer = HttpResponse::new(200, "application/json", body.as_str());
        let Ok(UserInfo::Claims(read)) = userinfo_response(&answer) else {
            panic!("{body}")
        };
        assert_eq!(read.to_text(), body);
        assert!(check_subject(&read, &claims(&sub)).is_ok());
        assert_eq!(check_subject(&read, &claims(&other)).is_ok(), sub == other);
        assert!(check_subject(&read, &claims(&format!("{sub} "))).is_err());
    });
}
