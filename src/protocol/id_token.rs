//! The claims of an ID Token and their rules (OIDC Core §2, §3.1.3.7, §12.2).

use super::error::{Endpoint, IdTokenProblem, ProtocolError};
use super::json::Json;
use super::secret::ct_eq;
use super::text::pieces;
use super::time::Timestamp;

/// An ID Token comes fresh from the token endpoint; one that was issued longer ago, in seconds, does not (one day).
const OLDEST: i64 = 86_400;

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
    /// Whether `auth_time` was asked for as essential (OIDC Core §5.5.1).
    pub auth_time_required: bool,
    /// The `acr` values that were asked for, separated by spaces.
    pub acr_values: Option<&'a str>,
    /// The organization that was asked for: its `org_id`, which begins so, or its `org_name`.
    pub organization: Option<&'a str>,
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
    // OIDC Core §3.1.3.7, 12:
    if let Some(asked) = expected.acr_values {
        let acr = text(claims, "acr")?;
        if pieces(asked, b' ').all(|one| one != acr) {
            return Err(refuse("acr", IdTokenProblem::Mismatch));
        }
    }
    // OIDC Core §3.1.3.7, 13: `auth_time` may be a fraction, or `0`.
    if expected.auth_time_required || expected.max_age.is_some() {
        let auth_time = integer(claims, "auth_time")?
            .ok_or_else(|| refuse("auth_time", IdTokenProblem::Missing))?;
        let (age, tolerance) = (now.as_seconds() - auth_time, expected.clock_tolerance);
        if expected
            .max_age
            .is_some_and(|most| age > most.saturating_add(tolerance))
        {
            return Err(refuse("auth_time", IdTokenProblem::TooOld));
        }
    }
    expected
        .organization
        .map_or(Ok(()), |asked| organization(claims, asked))
}

/// Who asked for an organization gets a user of that one. Without it an invitation or a link that an attacker
/// made would sign in elsewhere.
fn organization(claims: &Json, asked: &str) -> Result<(), Box<ProtocolError>> {
    let by_id = asked.starts_with("org_");
    let claim = if by_id { "org_id" } else { "org_name" };
    let found = text(claims, claim)?;
    if found == asked || (!by_id && found.eq_ignore_ascii_case(asked)) {
        Ok(())
    } else {
        Err(refuse(claim, IdTokenProblem::Mismatch))
    }
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
    // OIDC Core §12.2: `auth_time` and `nonce`, if they are there, as before; `azp` as before, also if it was not there.
    // `org_id` is ours: the organization that was checked at the login stays.
    for claim in ["auth_time", "nonce", "azp", "org_id"] {
        let (now, before) = (claims.get(claim), previous.get(claim));
        let may_be_left_out = matches!(claim, "auth_time" | "nonce");
        if now != before && !(may_be_left_out && (now.is_none() || before.is_none())) {
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
    // OIDC Core §3.1.3.7, 4 and 5: with one audience there is no other authorized party.
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
    if now - iat > OLDEST {
        return Err(skewed("iat", IdTokenProblem::TooOld, now - iat));
    }
    // RFC 7519 §4.1.5:
    if let Some(nbf) = integer(claims, "nbf")?
        && nbf > now.saturating_add(tolerance)
    {
        return Err(skewed("nbf", IdTokenProblem::NotYetValid, now - nbf));
    }
    Ok(())
}

/// Compares `at_hash` with the left half of the access token's digest, by the hash of the ID Token's `alg`, in base64url.
/// Optional in the code flow, compared where it is present. OIDC Core §3.1.3.8.
///
/// # Errors
/// `InvalidIdToken` for another one.
pub fn compare_at_hash(claims: &Json, half: &str) -> Result<(), Box<ProtocolError>> {
    match claims.get("at_hash") {
        Some(at_hash) if at_hash.as_str() != Some(half) => {
            Err(refuse("at_hash", IdTokenProblem::Mismatch))
        }
        _ => Ok(()),
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
        r#"{"iss":"https://as.example","sub":"u","aud":"spa","exp":1700000060,"iat":1700000000,"nonce":"n","azp":"spa","nbf":1699999990,"auth_time":1699999000.5,"org_id":"org_1"}"#
            .to_owned()
    }

    fn expected() -> Expected<'static> {
        Expected {
            issuer: "https://as.example",
            client_id: "spa",
            nonce: "n",
            max_age: Some(1000),
            auth_time_required: false,
            acr_values: None,
            organization: None,
            clock_tolerance: 30,
        }
    }

    fn check(claims: &str) -> Result<(), Box<ProtocolError>> {
        validate(&Json::parse(claims).unwrap(), &expected(), NOW)
    }

    #[test]
    fn honest_claims_are_accepted() {
        assert_eq!(check(&claims()), Ok(()));
        for (from, to) in [
            (r#""aud":"spa""#, r#""aud":["spa"]"#),
            (r#","azp":"spa""#, ""),
            (r#","nbf":1699999990"#, ""),
            ("\"exp\":1700000060", "\"exp\":1699999971"),
            ("\"exp\":1700000060", "\"exp\":1700000060.25"),
            ("\"iat\":1700000000", "\"iat\":1700000030"),
            ("\"iat\":1700000000", "\"iat\":1699913600"),
            ("\"nbf\":1699999990", "\"nbf\":1700000030"),
            ("\"sub\":\"u\"", &format!("\"sub\":\"{}\"", "u".repeat(255))),
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
                r#""iat":1700000000"#,
                r#""iat":1699913599"#,
                "iat",
                TooOld,
                86_401,
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

    /// The claims with one more, or with one that is there replaced.
    fn with(member: &str) -> String {
        let (name, _) = member.split_once(':').unwrap();
        let claims = claims().replace(name, "\"other\"");
        claims.replacen('{', &format!("{{{member},"), 1)
    }

    #[test]
    fn the_authentication_that_was_asked_for_is_there() {
        use IdTokenProblem::{Malformed, Mismatch, Missing};
        let check_acr = |claims: &str| {
            let mut expected = expected();
            expected.acr_values = Some("urn:a urn:b");
            validate(&Json::parse(claims).unwrap(), &expected, NOW)
        };
        for acr in ["urn:a", "urn:b"] {
            assert_eq!(check_acr(&with(&format!(r#""acr":"{acr}""#))), Ok(()));
        }
        assert_eq!(check_acr(&claims()), Err(refuse("acr", Missing)));
        for acr in ["0", "urn:a urn:b", "urn", ""] {
            let claims = with(&format!(r#""acr":"{acr}""#));
            assert_eq!(check_acr(&claims), Err(refuse("acr", Mismatch)), "{acr}");
        }
        let array = with(r#""acr":["urn:a"]"#);
        assert_eq!(check_acr(&array), Err(refuse("acr", Malformed)));
        assert_eq!(check(&with(r#""acr":7"#)), Ok(()), "nobody asked");
    }

    #[test]
    fn the_time_of_authentication_is_there_when_it_was_asked_for() {
        let check = |claims: &str, required| {
            let mut expected = expected();
            (expected.max_age, expected.auth_time_required) = (None, required);
            validate(&Json::parse(claims).unwrap(), &expected, NOW)
        };
        let (without, ancient) = (with(r#""auth_time":null"#), with(r#""auth_time":0"#));
        assert_eq!(check(&ancient, true), Ok(()));
        assert_eq!(check(&without, false), Ok(()));
        assert_eq!(check(&with(r#""auth_time":"7""#), false), Ok(()));
        assert_eq!(
            check(&without, true),
            Err(refuse("auth_time", IdTokenProblem::Missing))
        );
        let text = check(&with(r#""auth_time":"7""#), true);
        assert_eq!(text, Err(refuse("auth_time", IdTokenProblem::Malformed)));
    }

    #[test]
    fn the_organization_that_was_asked_for_is_the_users() {
        use IdTokenProblem::{Malformed, Mismatch, Missing};
        let check = |claims: &str, asked| {
            let mut expected = expected();
            expected.organization = Some(asked);
            validate(&Json::parse(claims).unwrap(), &expected, NOW)
        };
        let named = |name: &str| with(&format!(r#""org_name":"{name}""#));
        for (claims, asked) in [
            (claims(), "org_1"),
            (named("acme"), "acme"),
            (named("acme"), "ACME"),
            (named("Acme"), "acme"),
        ] {
            assert_eq!(check(&claims, asked), Ok(()), "{asked}");
        }
        for (claims, asked, claim, problem) in [
            (claims(), "org_2", "org_id", Mismatch),
            (claims(), "org_1x", "org_id", Mismatch),
            (with(r#""org_id":"ORG_1""#), "org_1", "org_id", Mismatch),
            (with(r#""org_id":["org_1"]"#), "org_1", "org_id", Malformed),
            (with(r#""org_id":null"#), "org_1", "org_id", Missing),
            // An identifier is no name, and a name no identifier.
            (named("org_2"), "org_2", "org_id", Mismatch),
            (claims(), "acme", "org_name", Missing),
            (named("acme2"), "acme", "org_name", Mismatch),
            (with(r#""org_name":7"#), "acme", "org_name", Malformed),
        ] {
            assert_eq!(
                check(&claims, asked),
                Err(refuse(claim, problem)),
                "{asked}"
            );
        }
    }

    #[test]
    fn the_hash_of_the_access_token_is_compared_where_it_is_there() {
        let compare = |claims: &str| compare_at_hash(&Json::parse(claims).unwrap(), "ypeB");
        assert_eq!(compare(r#"{"at_hash":"ypeB"}"#), Ok(()));
        assert_eq!(compare("{}"), Ok(()));
        for claims in [
            r#"{"at_hash":"ypeA"}"#,
            r#"{"at_hash":"ypeBEsob"}"#,
            r#"{"at_hash":"ype"}"#,
            r#"{"at_hash":""}"#,
            r#"{"at_hash":7}"#,
        ] {
            let refused = Err(refuse("at_hash", IdTokenProblem::Mismatch));
            assert_eq!(compare(claims), refused, "{claims}");
        }
    }

    #[test]
    fn a_refreshed_token_keeps_issuer_user_and_login() {
        let check = |claims: &str| {
            let previous = Json::parse(&self::claims()).unwrap();
            validate_refreshed(&Json::parse(claims).unwrap(), &previous, "spa", 30, NOW)
        };
        assert_eq!(check(&claims()), Ok(()));
        for member in [
            r#""nonce":null"#,
            r#""auth_time":null"#,
            r#""iat":1700000001"#,
        ] {
            assert_eq!(check(&with(member)), Ok(()), "{member}");
        }
        let missing = check(&with(r#""iat":null"#));
        assert_eq!(missing, Err(refuse("iat", IdTokenProblem::Missing)));
        let previous = Json::parse(&with(r#""azp":null"#)).unwrap();
        let claims_with_azp = Json::parse(&claims()).unwrap();
        assert_eq!(
            validate_refreshed(&claims_with_azp, &previous, "spa", 30, NOW),
            Err(refuse("azp", IdTokenProblem::Mismatch))
        );
        assert_eq!(
            check(&claims().replace(r#""sub":"u""#, r#""sub":"v""#)),
            Err(Box::new(ProtocolError::SubjectMismatch {
                endpoint: Endpoint::Token
            }))
        );
        for (member, claim) in [
            (r#""iss":"https://evil.example""#, "iss"),
            (r#""aud":["spa","other"]"#, "aud"),
            (r#""nonce":"m""#, "nonce"),
            (r#""auth_time":1699999001"#, "auth_time"),
            (r#""azp":null"#, "azp"),
            (r#""org_id":"org_2""#, "org_id"),
            (r#""org_id":null"#, "org_id"),
        ] {
            assert_eq!(
                check(&with(member)),
                Err(refuse(claim, IdTokenProblem::Mismatch)),
                "{member}"
            );
        }
    }
}
