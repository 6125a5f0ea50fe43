//! A megabyte of whatever may hurt, one parser after the other. There is no clock in these tests: were each byte (or each
//! token, member, key) looked at for each other one, they would run for minutes, and some for hours.

use countersign::client::{Auth, Config};
use countersign::protocol::authorization::AuthorizationResponse;
use countersign::protocol::base64url;
use countersign::protocol::bearer;
use countersign::protocol::discovery::discovery_response;
use countersign::protocol::form;
use countersign::protocol::http::HttpResponse;
use countersign::protocol::issuer::Issuer;
use countersign::protocol::jose::alg::Algorithm;
use countersign::protocol::jose::jwk::jwks_response;
use countersign::protocol::jose::jws::CompactJws;
use countersign::protocol::json::Json;
use countersign::protocol::metadata::Server;
use countersign::protocol::scope::Scope;
use countersign::protocol::time::{Now, Timestamp};
use countersign::protocol::token;
use countersign::protocol::uri::HttpUri;
use countersign::session::record::Record;
use countersign::session::transaction;
use countersign::testing::World;

const SIZE: usize = 1 << 20;

/// Runs a parser over units between a head and a tail.
fn feed(heads: &[(&str, &str)], units: &[&str], parse: impl Fn(&str)) {
    for (head, tail) in heads {
        for unit in units {
            let mut text = String::with_capacity(SIZE + 64);
            text.push_str(head);
            for number in 0.. {
                if text.len() + unit.len() + tail.len() > SIZE {
                    break;
                }
                let mut pieces = unit.split('#');
                text.push_str(pieces.next().unwrap());
                for piece in pieces {
                    text.push_str(&number.to_string());
                    text.push_str(piece);
                }
            }
            text.push_str(tail);
            parse(&text);
        }
    }
}

fn answer(body: &str) -> HttpResponse {
    HttpResponse::new(200, "application/json", body)
}

#[test]
fn json() {
    let parse = |text: &str| drop(Json::parse(text));
    feed(&[("", "")], &["[", "{\"a\":", " "], parse);
    feed(&[("\"", "\"")], &["a", "é", "\\u0041", "\\\\"], parse);
    feed(
        &[("[", "0]")],
        &["0,", "\"#\",", "[[]],", "{\"a\":0},"],
        parse,
    );
    let members = [
        "\"#\":0,",
        "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa#\":0,",
    ];
    feed(&[("{", "\"\":0}")], &members, parse);
    let members: String = (0..200).map(|n| format!("\"{n}\":0,")).collect();
    feed(&[("[", "0]")], &[&format!("{{{members}\"\":0}},")], parse);
}

#[test]
fn json_numbers() {
    let parse = |text: &str| {
        assert!(Json::parse(text).is_some_and(|json| json.as_integer().is_none_or(|n| n < 2)))
    };
    feed(
        &[("1", ""), ("0.", "1e1000000"), ("1e", ""), ("1e-", "")],
        &["0"],
        parse,
    );
}

#[test]
fn forms() {
    let find = |text: &str| drop(form::find(text, "code"));
    feed(&[("", "")], &["&", "=", "%", "%41", "a=b&", "#=#&"], find);
    feed(&[("code=", "")], &["a", "%", "%ff"], find);
    feed(&[("", "")], &["é"], |text| {
        drop(form::encode(&[(text, text)]))
    });
}

#[test]
fn callbacks() {
    feed(&[("", "")], &["&", "a=b&", "#=%&"], |query| {
        drop(AuthorizationResponse::parse(query))
    });
    let config = Config::builder("https://as.example", "spa", "https://app.example/callback");
    let clients = [config.clone(), config.response_in_fragment()]
        .map(|config| Auth::new(config.build().unwrap(), World::new().tab()));
    let heads = [
        "https://app.example/callback?state=",
        "https://app.example/callback#state=",
    ]
    .map(|head| (head, ""));
    feed(&heads, &["?", "%", "&a=#"], |uri| {
        assert!(clients.iter().all(|client| !client.is_callback(uri)));
    });
}

#[test]
fn uris() {
    let parse = |text: &str| {
        let uri = HttpUri::parse(text);
        assert!(uri.is_none_or(|uri| !uri.is_loopback() && uri.origin().len() <= SIZE));
    };
    feed(&[("https://", "")], &["a", "@", ":", "]", "/"], parse);
    feed(
        &[("http://127.", ""), ("https://a:", "/")],
        &["0", "0."],
        parse,
    );
}

#[test]
fn scopes() {
    feed(&[("", "")], &[" ", "a ", "a", "a# "], |text| {
        drop(Scope::parse(text))
    });
}

#[test]
fn base64url_texts() {
    feed(&[("", "")], &["A", "_", "é"], |text| {
        drop(base64url::decode(text))
    });
    feed(&[("", "")], &["a"], |text| {
        drop(base64url::encode(text.as_bytes()))
    });
}

#[test]
fn signed_tokens() {
    let header = "eyJhbGciOiJFUzI1NiJ9.";
    let parse = |text: &str| drop(CompactJws::parse(text));
    feed(
        &[("", ""), (header, ""), (header, ".AA")],
        &[".", "A"],
        parse,
    );
    feed(&[("", "")], &["[", "{\"#\":"], |text| {
        let part = base64url::encode(text.as_bytes());
        parse(&format!("{header}{part}.{part}"));
    });
}

#[test]
fn key_sets() {
    let parse = |body: &str| {
        if let Ok(set) = jwks_response(&answer(body)) {
            let _ = set.holds_private();
            for algorithm in ["RS256", "ES256"]
                .into_iter()
                .filter_map(Algorithm::by_name)
            {
                for id in [None, Some("1"), Some("nobody's")] {
                    drop(set.candidates(algorithm, id));
                }
            }
        }
    };
    let rsa = "{\"kty\":\"RSA\",\"kid\":\"#\",\"n\":\"AQ\",\"e\":\"AQ\"},";
    feed(&[("{\"keys\":[", "0]}")], &["{},", rsa], parse);
    let modulus = "{\"keys\":[{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"";
    feed(&[(modulus, "\"}]}")], &["A", "_"], parse);
    let operations = "{\"keys\":[{\"kty\":\"EC\",\"key_ops\":[";
    feed(&[(operations, "\"verify\"]}]}")], &["\"sign\","], parse);
}

#[test]
fn token_answers() {
    let parse = |body: &str| {
        for status in [200, 400] {
            let answer = HttpResponse::new(status, "text/plain", body);
            if let Err(error) = token::response(&answer) {
                let _ = token::classify_refresh(&answer, &error);
            }
        }
    };
    feed(&[("", "")], &["<", " ", "a=b&"], parse);
    let head = |name| format!("{{\"access_token\":\"a\",\"token_type\":\"Bearer\",\"{name}\":\"");
    let [scope, life, error] = ["scope", "expires_in", "error"].map(head);
    feed(&[(&scope, "\"}")], &["a", "s:# "], parse);
    feed(&[(&life, "\"}"), (&error, "\"}")], &["0"], parse);
    let answer = HttpResponse::new(400, "htm".repeat(SIZE / 3), "");
    assert!(!answer.is_html());
}

#[test]
fn metadata_documents() {
    let server = Server {
        issuer: Issuer::parse("https://as.example", None).ok(),
        oidc: true,
        given: Json::Null,
    };
    let parse = |body: &str| drop(discovery_response(&server, &answer(body)));
    let head = |member| {
        format!("{{\"issuer\":\"https://as.example\",\"jwks_uri\":\"https://a/\",{member}")
    };
    let methods = head("\"code_challenge_methods_supported\":[");
    feed(&[(&methods, "0]}")], &["\"plain\",", "[],"], parse);
    let endpoint = head("\"authorization_endpoint\":\"https://");
    feed(&[(&endpoint, "\"}")], &["a", ":", "]", "/"], parse);
}

#[test]
fn stored_texts() {
    let now = Now::new(Timestamp::from_millis(1_700_000_000_000), 5_000);
    let parse = |text: &str| {
        drop(Record::decode(text, now));
        drop(transaction::decode(text));
        let _ = transaction::began_at(text);
    };
    feed(
        &[("", ""), ("{\"v\":1,\"x\":\"", "\"}")],
        &["[", "0"],
        parse,
    );
    let family = "A".repeat(43);
    let begin = format!(
        r#"{{"v":1,"grant":{{"generation":1,"family":"{family}","family_key":"{family}"}},"view":{{"generation":1,"#
    );
    let token = r#"{"access_token":"a","received_at":1}"#;
    let scope = format!("{begin}\"tokens\":{{\"\":{token}}},\"scope\":[");
    feed(
        &[(&scope, "\"a\"]}}")],
        &["\"a\",", "\"s:#\",", "\" \""],
        parse,
    );
    let tokens = format!("{begin}\"scope\":[],\"tokens\":{{");
    feed(
        &[(&tokens, &format!("\"\":{token}}}}}}}"))],
        &[&format!("\"#\":{token},")],
        parse,
    );
}

#[test]
fn challenges() {
    let parse = |text: &str| drop(bearer::refusal(text));
    feed(
        &[("", "")],
        &[",", "=", "a ", "a=b,", "Basic a==,", "a=\"\\\"\","],
        parse,
    );
    feed(
        &[("Bearer error=\"", ""), ("Bearer error=", "")],
        &["a", "\\"],
        parse,
    );
}
