//! The claims of an ID Token and their rules (OIDC Core §2, §3.1.3.7, §12.2).

use super::base64url;
use super::error::{Endpoint, IdTokenProblem, ProtocolError};
use super::json::Json;
use super::secret::{Secret, ct_eq};
use super::time::Timestamp;
use sha2::{Digest, Sha256};

/// What a login expects of its ID Token; prints nothing.
#[allow(
    clippy::exhaustive_structs,
    reason = "made by its callers, all members at once"
)]
pub struct Expected<'a> {
    /// The server that was asked.
    pub issuer: &'a str,
    /// The client that asked.
    pub client_id: &'a str,
    /// `nonce` of the request.
    pub nonce: &'a str,
    /// `max_age` of the request, in seconds.
    pub max_age: Option<i64>,
    /// The access token that came along, for `at_hash`.
    pub access_token: &'a Secret,
    /// Tolerated clock difference, in seconds.
    pub clock_tolerance: i64,
}

/// Checks the claims of an ID Token whose signature is verified, rule by rule.
///
/// # Errors
/// `InvalidIdToken` naming the claim; with the difference of the clocks where that is the reason.
pub fn validate(
    claims: &Json,
    expected: &Expected<'_>,
    now: Timestamp,
) -> Result<(), Box<ProtocolError>> {
    issuer_and_audience(claims, expected.issuer, expected.client_id)?;
    times(claims, expected.clock_tolerance, now)?;
    // OIDC Core §3.1.3.7, 11:
    match claims.get("nonce") {
        None => return Err(refuse("nonce", IdTokenProblem::Missing)),
        Some(nonce)
            if nonce
                .as_str()
                .is_some_and(|nonce| ct_eq(nonce, expected.nonce)) => {}
        Some(_) => return Err(refuse("nonce", IdTokenProblem::Mismatch)),
    }
    // OIDC Core §3.1.3.7, 13: `auth_time` may be a fraction, or `0`.
    if let Some(max_age) = expected.max_age {
        let auth_time = integer(claims, "auth_time")?
            .ok_or_else(|| refuse("auth_time", IdTokenProblem::Missing))?;
        if now.as_seconds() - auth_time > max_age.saturating_add(expected.clock_tolerance) {
            return Err(refuse("auth_time", IdTokenProblem::TooOld));
        }
    }
    access_token_hash(claims, expected.access_token)
}

/// Checks a refreshed ID Token against the one it follows. OIDC Core §12.2.
///
/// # Errors
/// `SubjectMismatch` for another user, `InvalidIdToken` for everything else.
pub fn validate_refreshed(
    claims: &Json,
    previous: &Json,
    client_id: &str,
    clock_tolerance: i64,
    now: Timestamp,
) -> Result<(), Box<ProtocolError>> {
    // OIDC Core §12.2: same `iss`, same `sub`, `aud` with this client.
    if claims.get_str("sub").is_some() && claims.get("sub") != previous.get("sub") {
        return Err(Box::new(ProtocolError::SubjectMismatch {
            endpoint: Endpoint::Token,
        }));
    }
    issuer_and_audience(
        claims,
        previous.get_str("iss").unwrap_or_default(),
        client_id,
    )?;
    times(claims, clock_tolerance, now)?;
    // OIDC Core §12.2: `auth_time`, `azp` and `nonce`, if they are there, as before.
    for claim in ["auth_time", "azp", "nonce"] {
        if claims.get(claim).is_some()
            && previous.get(claim).is_some()
            && claims.get(claim) != previous.get(claim)
        {
            return Err(refuse(claim, IdTokenProblem::Mismatch));
        }
    }
    Ok(())
}

fn issuer_and_audience(
    claims: &Json,
    issuer: &str,
    client_id: &str,
) -> Result<(), Box<ProtocolError>> {
    // OIDC Core §3.1.3.7, 2:
    if text(claims, "iss")? != issuer {
        return Err(refuse("iss", IdTokenProblem::Mismatch));
    }
    // OIDC Core §2: `sub` is at most 255 ASCII characters.
    let sub = text(claims, "sub")?;
    if sub.is_empty() || sub.len() > 255 || !sub.is_ascii() {
        return Err(refuse("sub", IdTokenProblem::Malformed));
    }
    // OIDC Core §3.1.3.7, 3: for us, and for nobody else: we trust no other audience.
    let audience = claims
        .get("aud")
        .ok_or_else(|| refuse("aud", IdTokenProblem::Missing))?;
    let audiences = audience
        .as_array()
        .unwrap_or_else(|| core::slice::from_ref(audience));
    if audiences.is_empty()
        || audiences
            .iter()
            .any(|audience| audience.as_str() != Some(client_id))
    {
        return Err(refuse("aud", IdTokenProblem::Mismatch));
    }
    // OIDC Core §3.1.3.7, 5:
    if claims
        .get("azp")
        .is_some_and(|azp| azp.as_str() != Some(client_id))
    {
        return Err(refuse("azp", IdTokenProblem::Mismatch));
    }
    Ok(())
}

fn times(claims: &Json, tolerance: i64, now: Timestamp) -> Result<(), Box<ProtocolError>> {
    let now = now.as_seconds();
    let missing = |claim| refuse(claim, IdTokenProblem::Missing);
    let skewed = |claim, problem, skew| {
        Box::new(ProtocolError::InvalidIdToken {
            claim,
            problem,
            skew_seconds: Some(skew),
        })
    };
    let exp = integer(claims, "exp")?.ok_or_else(|| missing("exp"))?;
    let iat = integer(claims, "iat")?.ok_or_else(|| missing("iat"))?;
    // OIDC Core §3.1.3.7, 9. A token comes straight from the server: its `iat` is the server's clock.
    if now >= exp.saturating_add(tolerance) {
        return Err(skewed("exp", IdTokenProblem::Expired, now - iat));
    }
    // OIDC Core §3.1.3.7, 10:
    if iat > now.saturating_add(tolerance) {
        return Err(skewed("iat", IdTokenProblem::NotYetValid, now - iat));
    }
    // RFC 7519 §4.1.5:
    if let Some(nbf) = integer(claims, "nbf")?
        && nbf > now.saturating_add(tolerance)
    {
        return Err(skewed("nbf", IdTokenProblem::NotYetValid, now - nbf));
    }
    Ok(())
}

/// OIDC Core §3.1.3.8: the left half of the hash of the access token. Optional in the code flow, enforced when present.
fn access_token_hash(claims: &Json, access_token: &Secret) -> Result<(), Box<ProtocolError>> {
    let Some(at_hash) = claims.get("at_hash") else {
        return Ok(());
    };
    let digest = Sha256::digest(access_token.expose().as_bytes());
    let half = digest.get(..16).map(base64url::encode);
    if at_hash.as_str() == half.as_deref() {
        Ok(())
    } else {
        Err(refuse("at_hash", IdTokenProblem::Mismatch))
    }
}

fn text<'a>(claims: &'a Json, claim: &'static str) -> Result<&'a str, Box<ProtocolError>> {
    let value = claims
        .get(claim)
        .ok_or_else(|| refuse(claim, IdTokenProblem::Missing))?;
    value
        .as_str()
        .ok_or_else(|| refuse(claim, IdTokenProblem::Malformed))
}

fn integer(claims: &Json, claim: &'static str) -> Result<Option<i64>, Box<ProtocolError>> {
    let Some(value) = claims.get(claim) else {
        return Ok(None);
    };
    value
        .as_integer()
        .map(Some)
        .ok_or_else(|| refuse(claim, IdTokenProblem::Malformed))
}

fn refuse(claim: &'static str, problem: IdTokenProblem) -> Box<ProtocolError> {
    ProtocolError::invalid_id_token(claim, problem)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn claims() -> String {
        // at_hash of "a": computed by base64url(left half of SHA-256).
        r#"{"iss":"https://as.example","sub":"u","aud":"spa","exp":1700000060,"iat":1700000000,"nonce":"n","azp":"spa","nbf":1699999990,"auth_time":1699999000.5,"at_hash":"ypeBEsobvcr6wjGzmiPcTQ"}"#
            .to_owned()
    }

    fn check(claims: &str) -> Result<(), Box<ProtocolError>> {
        let expected = Expected {
            issuer: "https://as.example",
            client_id: "spa",
            nonce: "n",
            max_age: Some(1000),
            access_token: &Secret::new("a"),
            clock_tolerance: 30,
        };
        validate(&Json::parse(claims).unwrap(), &expected, NOW)
    }

    #[test]
    fn honest_claims_are_accepted() {
        assert_eq!(check(&claims()), Ok(()));
        for (from, to) in [
            (r#""aud":"spa""#, r#""aud":["spa"]"#),
            (r#","azp":"spa""#, ""),
            (r#","nbf":1699999990"#, ""),
            (r#","at_hash":"ypeBEsobvcr6wjGzmiPcTQ""#, ""),
            ("\"exp\":1700000060", "\"exp\":1699999971"),
            ("\"exp\":1700000060", "\"exp\":1700000060.25"),
            ("\"iat\":1700000000", "\"iat\":1700000030"),
        ] {
            assert_eq!(check(&claims().replace(from, to)), Ok(()), "{from} -> {to}");
        }
    }

    #[test]
    fn each_lie_is_refused_by_its_name() {
        use IdTokenProblem::{Expired, Malformed, Mismatch, Missing, NotYetValid, TooOld};
        for (from, to, claim, problem) in [
            (
                r#""iss":"https://as.example""#,
                r#""iss":"https://as.example/""#,
                "iss",
                Mismatch,
            ),
            (
                r#""iss":"https://as.example""#,
                r#""iss":7"#,
                "iss",
                Malformed,
            ),
            (r#""iss":"https://as.example","#, "", "iss", Missing),
            (r#""sub":"u","#, "", "sub", Missing),
            (r#""sub":"u""#, r#""sub":7"#, "sub", Malformed),
            (r#""sub":"u""#, r#""sub":"""#, "sub", Malformed),
            (r#""sub":"u""#, r#""sub":"é""#, "sub", Malformed),
            (r#""aud":"spa","#, "", "aud", Missing),
            (r#""aud":"spa""#, r#""aud":"other""#, "aud", Mismatch),
            (r#""aud":"spa""#, r#""aud":[]"#, "aud", Mismatch),
            (
                r#""aud":"spa""#,
                r#""aud":["spa","other"]"#,
                "aud",
                Mismatch,
            ),
            (r#""aud":"spa""#, r#""aud":{"spa":1}"#, "aud", Mismatch),
            (r#""azp":"spa""#, r#""azp":"other""#, "azp", Mismatch),
            (r#""exp":1700000060,"#, "", "exp", Missing),
            (
                r#""exp":1700000060"#,
                r#""exp":"1700000060""#,
                "exp",
                Malformed,
            ),
            (r#""exp":1700000060"#, r#""exp":1e308"#, "exp", Malformed),
            (r#""iat":1700000000,"#, "", "iat", Missing),
            (r#""nonce":"n","#, "", "nonce", Missing),
            (r#""nonce":"n""#, r#""nonce":"m""#, "nonce", Mismatch),
            (r#""nonce":"n""#, r#""nonce":["n"]"#, "nonce", Mismatch),
            (r#""auth_time":1699999000.5,"#, "", "auth_time", Missing),
            (
                r#""auth_time":1699999000.5"#,
                r#""auth_time":0"#,
                "auth_time",
                TooOld,
            ),
            (
                "ypeBEsobvcr6wjGzmiPcTQ",
                "ypeBEsobvcr6wjGzmiPcTA",
                "at_hash",
                Mismatch,
            ),
            ("ypeBEsobvcr6wjGzmiPcTQ", "ypeB", "at_hash", Mismatch),
        ] {
            let error = check(&claims().replace(from, to)).unwrap_err();
            assert_eq!(error, refuse(claim, problem), "{from} -> {to}");
        }
        for (from, to, claim, problem, skew) in [
            (
                r#""exp":1700000060,"iat":1700000000"#,
                r#""exp":1699999970,"iat":1699999910"#,
                "exp",
                Expired,
                90,
            ),
            (
                r#""iat":1700000000"#,
                r#""iat":1700000031"#,
                "iat",
                NotYetValid,
                -31,
            ),
            (
                r#""nbf":1699999990"#,
                r#""nbf":1700000031"#,
                "nbf",
                NotYetValid,
                -31,
            ),
        ] {
            let error = check(&claims().replace(from, to)).unwrap_err();
            assert_eq!(
                error,
                Box::new(ProtocolError::InvalidIdToken {
                    claim,
                    problem,
                    skew_seconds: Some(skew)
                }),
                "{from} -> {to}"
            );
        }
    }

    #[test]
    fn a_refreshed_token_keeps_issuer_user_and_login() {
        let check = |claims: &str| {
            let previous = Json::parse(&self::claims()).unwrap();
            validate_refreshed(&Json::parse(claims).unwrap(), &previous, "spa", 30, NOW)
        };
        assert_eq!(check(&claims()), Ok(()));
        assert_eq!(
            check(
                &claims()
                    .replace(r#""nonce":"n","#, "")
                    .replace("1700000000", "1700000001")
            ),
            Ok(())
        );
        assert_eq!(
            check(&claims().replace(r#""sub":"u""#, r#""sub":"v""#)),
            Err(Box::new(ProtocolError::SubjectMismatch {
                endpoint: Endpoint::Token
            }))
        );
        for (from, to, claim) in [
            (
                r#""iss":"https://as.example""#,
                r#""iss":"https://evil.example""#,
                "iss",
            ),
            (r#""nonce":"n""#, r#""nonce":"m""#, "nonce"),
            (
                r#""auth_time":1699999000.5"#,
                r#""auth_time":1699999001"#,
                "auth_time",
            ),
        ] {
            assert_eq!(
                check(&claims().replace(from, to)),
                Err(refuse(claim, IdTokenProblem::Mismatch)),
                "{from}"
            );
        }
    }
}
