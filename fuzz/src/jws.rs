//! A signed token.

use countersign::protocol::base64url;
use countersign::protocol::jose::jws::CompactJws;
use countersign::protocol::json::Json;

/// What is taken apart has three parts of strict base64url, an algorithm of ours, and no extension; put together again it
/// is the same token, and it is no token with anything before or behind it.
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
    assert!(jws.algorithm.fits_signature(jws.signature.len()));
    let header = object(parts[0]);
    assert_eq!(header.get_str("alg"), Some(jws.algorithm.name()));
    assert_eq!(header.get_str("kid"), jws.key_id.as_deref());
    assert!(header.get("crit").is_none() && header.get("b64").is_none());
    assert!(jws.payload == object(parts[1]) && jws.payload.is_object());
    for more in [".", "=", " ", "\n", ".e30", "\u{feff}"] {
        assert!(CompactJws::parse(&format!("{token}{more}")).is_err());
        assert!(CompactJws::parse(&format!("{more}{token}")).is_err());
    }
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
