//! A signed token.

use countersign::protocol::base64url;
use countersign::protocol::id_token::{self, Expected};
use countersign::protocol::jose::jws::CompactJws;
use countersign::protocol::json::Json;
use countersign::protocol::time::Timestamp;
use countersign::protocol::userinfo;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// What is taken apart has three parts of strict base64url, an algorithm of ours, and no extension; put together again it
/// is the same token, and it is no token with anything before or behind it. Its claims are accepted if they are right.
pub fn run(data: &[u8]) {
    let text = super::text(data);
    let token = assembled(&text).unwrap_or_else(|| text.into_owned());
    let Ok(jws) = CompactJws::parse(&token) else {
        return;
    };
    let parts: Vec<&str> = token.split('.').collect();
    assert_eq!(parts.len(), 3);
    for part in &parts {
        let bytes = base64url::decode(part).unwrap();
        assert_eq!(base64url::encode(&bytes), *part);
    }
    assert_eq!(jws.signing_input, parts[..2].join("."));
    assert_eq!(base64url::encode(&jws.signature), parts[2]);
    let header = object(parts[0]);
    assert_eq!(header.get_str("alg"), Some(jws.algorithm.name()));
    assert_eq!(header.get_str("kid"), jws.key_id.as_deref());
    assert!(header.get("crit").is_none() && header.get("b64").is_none());
    assert!(jws.payload == object(parts[1]) && jws.payload.is_object());
    for more in [".", "=", " ", "\n", ".e30", "\u{feff}"] {
        assert!(CompactJws::parse(&format!("{token}{more}")).is_err());
        assert!(CompactJws::parse(&format!("{more}{token}")).is_err());
    }
    claims(&jws.payload);
}

fn claims(claims: &Json) {
    let lenient = Expected {
        issuer: "https://as.example",
        client_id: "spa",
        nonce: "n",
        max_age: None,
        auth_time_required: false,
        acr_values: None,
        organization: None,
        clock_tolerance: 30,
    };
    let strict = Expected {
        max_age: Some(60),
        auth_time_required: true,
        acr_values: Some("urn:a urn:b"),
        organization: Some("org_1"),
        ..lenient
    };
    let accepted = id_token::validate(claims, &lenient, NOW).is_ok();
    let integer = |name| claims.get_integer(name);
    let now = NOW.as_seconds();
    if accepted {
        assert_eq!(claims.get_str("iss"), Some("https://as.example"));
        assert_eq!(claims.get_str("nonce"), Some("n"));
        assert!(
            claims
                .get_str("sub")
                .is_some_and(|sub| (1..=255).contains(&sub.len()))
        );
        let audience = claims.get("aud").unwrap();
        let audiences = audience
            .as_array()
            .unwrap_or_else(|| std::slice::from_ref(audience));
        assert!(!audiences.is_empty() && audiences.iter().all(|aud| aud.as_str() == Some("spa")));
        assert!(
            claims
                .get("azp")
                .is_none_or(|azp| azp.as_str() == Some("spa"))
        );
        assert!(integer("exp").is_some_and(|exp| exp > now - 30));
        assert!(integer("iat").is_some_and(|iat| iat <= now + 30));
        assert!(claims.get("nbf").is_none() || integer("nbf").is_some_and(|nbf| nbf <= now + 30));
        let again = id_token::validate_refreshed(claims, claims, "spa", 30, NOW);
        assert_eq!(again, Ok(()));
        assert!(userinfo::check_subject(claims, claims).is_ok());
        assert!(userinfo::check_signed(claims, "https://as.example", "spa", 30, NOW).is_ok());
    }
    if id_token::validate(claims, &strict, NOW).is_ok() {
        assert!(accepted);
        assert!(integer("auth_time").is_some_and(|at| at >= now - 90));
        assert!(matches!(claims.get_str("acr"), Some("urn:a" | "urn:b")));
        assert_eq!(claims.get_str("org_id"), Some("org_1"));
    }
    let other = Timestamp::from_millis(i64::MIN);
    let _ = id_token::validate(claims, &strict, other);
    let _ = userinfo::check_signed(claims, "", "", i64::MAX, other);
}

/// Three lines (header, payload, length of the signature) are a token that is still to be put together, so that the
/// fuzzer need not learn base64.
fn assembled(text: &str) -> Option<String> {
    let mut lines = text.splitn(3, '\n');
    let (header, payload) = (lines.next()?, lines.next()?);
    let length = lines.next()?.trim_end().parse::<usize>().ok()?.min(1024);
    let parts = [header.as_bytes(), payload.as_bytes(), &vec![1; length]];
    Some(parts.map(base64url::encode).join("."))
}

fn object(part: &str) -> Json {
    let bytes = base64url::decode(part).unwrap();
    Json::parse(&String::from_utf8(bytes).unwrap()).unwrap()
}
