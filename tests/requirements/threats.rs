//! T: attacks that need no page.

use countersign::protocol::authorization::AuthorizationResponse;
use countersign::protocol::http::HttpResponse;
use countersign::protocol::jose::jwk::jwks_response;
use countersign::protocol::jose::jws::CompactJws;
use countersign::protocol::json::Json;
use countersign::protocol::pkce::CodeVerifier;
use countersign::protocol::scope::Scope;
use countersign::protocol::time::{Now, Timestamp};
use countersign::protocol::uri::HttpUri;
use countersign::protocol::{base64url, bearer, form, token};
use countersign::session::record::Record;
use countersign::session::transaction;
use std::time::{Duration, Instant};

/// Long enough, in bytes, for a reader that takes time by the square to need many times the limit.
const LENGTH: usize = 1 << 17;
const LIMIT: Duration = Duration::from_secs(2);

/// Its name, and what it does with a text.
type Reader = (&'static str, fn(&str));

/// Everything that reads what comes from outside.
fn readers() -> Vec<Reader> {
    vec![
        ("callback", |text| {
            drop(AuthorizationResponse::parse(text));
        }),
        ("form", |text| drop(form::find(text, "code"))),
        ("JSON", |text| drop(Json::parse(text))),
        ("JWS", |text| drop(CompactJws::parse(text))),
        ("JWK Set", |text| {
            drop(jwks_response(&HttpResponse::new(200, "", text)));
        }),
        ("token answer", |text| {
            drop(token::response(&HttpResponse::new(200, "", text)));
        }),
        ("scope", |text| drop(Scope::parse(text))),
        ("URI", |text| drop(HttpUri::parse(text))),
        ("verifier", |text| drop(CodeVerifier::parse(text))),
        ("base64url", |text| drop(base64url::decode(text))),
        ("challenges", |text| drop(bearer::refusal(text))),
        ("session", |text| {
            drop(Record::decode(text, Now::new(Timestamp::from_millis(0), 0)));
        }),
        ("login", |text| drop(transaction::decode(text))),
    ]
}

#[test]
#[allow(clippy::disallowed_methods, reason = "real time is what this is about")]
fn t32_no_reader_takes_time_by_the_square() {
    let counted = |piece: &dyn Fn(usize) -> String| {
        let mut text = String::new();
        let mut count = 0;
        while text.len() < LENGTH {
            text.push_str(&piece(count));
            count += 1;
        }
        text
    };
    let repeated = |piece: &str| piece.repeat(LENGTH / piece.len());
    let mut hostile: Vec<String> = [
        "(", ",", "\"", ".", "\\", "=", "&", "%", " ", "[", "1", "é", "%25", "code=a&", "a=\"",
        "\\\"", "{\"a\":", "Bearer ", "AAAA",
    ]
    .map(repeated)
    .into();
    hostile.push(counted(&|count| format!("{count:x} ")));
    hostile.push(counted(&|count| format!("p{count}=v&")));
    hostile.push(counted(&|count| format!("Scheme{count} a=\"b\", ")));
    hostile.push(format!(
        "{{{}}}",
        counted(&|count| format!("\"{count}\":0,"))
    ));
    hostile.push(format!("[{}0]", repeated("0,")));
    hostile.push(format!("\"{}\"", repeated("\\u0061")));
    let words = counted(&|count| format!("{count:x} "));
    hostile.push(format!(
        r#"{{"scope":"{words}","token_type":"Bearer","access_token":"a"}}"#
    ));
    let keys = counted(&|count| format!(r#"{{"kty":"EC","kid":"{count}"}},"#));
    hostile.push(format!(r#"{{"keys":[{keys}{{}}]}}"#));
    for (name, read) in readers() {
        for text in &hostile {
            let start = Instant::now();
            read(text);
            let took = start.elapsed();
            assert!(took < LIMIT, "{name}: {took:?} for {text:.40}…");
        }
    }
}
