//! ID: the claims of an ID Token, and what a login may ask of them.

use super::support::*;
use super::{asking, page, parameter};
use countersign::client::Error;

/// What a sign-in says whose ID Token has these claims instead of its own, and which asked for this.
fn told_of(parameters: &[(&str, &str)], claims: &[(&'static str, &str)]) -> Option<String> {
    let (_, provider, page) = page();
    let uri = page.begin_login_with(asking(parameters)).unwrap();
    let answer = provider.authorize(&uri);
    for (name, json) in claims {
        provider.set_claim(name, json);
    }
    let error: Option<Error> = page.callback(&answer).err();
    assert_eq!(page.stored().is_some(), error.is_none(), "{claims:?}");
    error.map(|error| told(&error))
}

/// That a claim of these values is accepted, and of those refused for the problem beside them.
fn holds(
    name: &'static str,
    parameters: &[(&str, &str)],
    accepted: &[&str],
    refused: &[(&str, &str)],
) {
    for json in accepted {
        assert_eq!(told_of(parameters, &[(name, json)]), None, "{json}");
    }
    for (json, problem) in refused {
        let told = told_of(parameters, &[(name, json)]).unwrap_or_default();
        let expected =
            format!(r#"invalid_id_token {{"claim":"{name}","problem":"{problem}","skewSeconds":"#);
        assert!(told.starts_with(&expected), "{json}: {told}");
    }
}

#[test]
fn id2_iss_is_the_issuer_that_was_asked() {
    holds(
        "iss",
        &[],
        &["\"https://as.example\""],
        &[
            ("\"https://as.example/\"", "mismatch"),
            ("\"https://AS.example\"", "mismatch"),
            ("\"https://evil.example\"", "mismatch"),
            ("\"as.example\"", "mismatch"),
            ("[\"https://as.example\"]", "malformed"),
            ("\"\"", "mismatch"),
            ("null", "missing"),
        ],
    );
}

#[test]
fn id3_aud_is_this_client_and_nobody_else() {
    holds(
        "aud",
        &[],
        &["\"spa\"", "[\"spa\"]", "[\"spa\",\"spa\"]"],
        &[
            ("\"other\"", "mismatch"),
            ("\"SPA\"", "mismatch"),
            ("\"spa other\"", "mismatch"),
            ("[\"other\"]", "mismatch"),
            ("[\"spa\",\"other\"]", "mismatch"),
            ("[\"spa\",7]", "mismatch"),
            ("[]", "mismatch"),
            ("{\"spa\":true}", "mismatch"),
            ("null", "missing"),
        ],
    );
}

#[test]
fn id4_azp_is_this_client_where_it_is_there() {
    holds(
        "azp",
        &[],
        &["\"spa\"", "null"],
        &[
            ("\"other\"", "mismatch"),
            ("[\"spa\"]", "mismatch"),
            ("\"\"", "mismatch"),
        ],
    );
    // Several audiences are refused, whoever is authorized.
    let several = [("aud", "[\"spa\",\"api\"]"), ("azp", "\"spa\"")];
    assert!(told_of(&[], &several).unwrap().contains("\"aud\""));
}

#[test]
fn id7_exp_lies_ahead_within_the_tolerance() {
    // It is 1 700 000 000, and 30 seconds are tolerated.
    holds(
        "exp",
        &[],
        &["1699999971", "1700000000.5", "1.7000001e9", "9e15"],
        &[
            ("1699999970", "expired"),
            ("0", "expired"),
            ("-1", "expired"),
            ("\"1700000300\"", "malformed"),
            ("true", "malformed"),
            ("1e308", "malformed"),
            ("null", "missing"),
        ],
    );
}

#[test]
fn id8_iat_is_there_not_ahead_and_not_of_long_ago() {
    holds(
        "iat",
        &[],
        &["1700000030", "1699999999.9", "1699913600"],
        &[
            ("1700000031", "not_yet_valid"),
            ("1699913599", "too_old"),
            ("0", "too_old"),
            ("\"1700000000\"", "malformed"),
            ("null", "missing"),
        ],
    );
    // By how much the clocks differ is told.
    let ahead = told_of(&[], &[("iat", "1700003600")]).unwrap();
    assert!(ahead.ends_with(r#""skewSeconds":-3600}"#), "{ahead}");
}

#[test]
fn id10_acr_is_one_of_those_that_were_asked_for() {
    let asked = [("acr_values", "urn:gold urn:silver")];
    holds(
        "acr",
        &asked,
        &["\"urn:gold\"", "\"urn:silver\""],
        &[
            ("\"urn:bronze\"", "mismatch"),
            ("\"urn:gold urn:silver\"", "mismatch"),
            ("\"\"", "mismatch"),
            ("[\"urn:gold\"]", "malformed"),
            ("null", "missing"),
        ],
    );
    holds("acr", &[], &["\"urn:bronze\"", "null"], &[]);
}

#[test]
fn id12_sub_is_a_text_of_up_to_255_ascii_characters() {
    let longest = format!("\"{}\"", "s".repeat(255));
    let longer = format!("\"{}\"", "s".repeat(256));
    holds(
        "sub",
        &[],
        &["\"a\"", "\"00u|x:y@z\"", &longest],
        &[
            (&longer, "malformed"),
            ("\"\"", "malformed"),
            ("\"Zoë\"", "malformed"),
            ("7", "malformed"),
            ("[\"a\"]", "malformed"),
            ("null", "missing"),
        ],
    );
}

#[test]
fn id14_nbf_has_come_and_claims_are_of_their_types() {
    holds(
        "nbf",
        &[],
        &["1700000030", "0", "null"],
        &[
            ("1700000031", "not_yet_valid"),
            ("\"1700000000\"", "malformed"),
            ("[]", "malformed"),
        ],
    );
    let asked = [("max_age", "60")];
    holds(
        "auth_time",
        &asked,
        &["1700000000"],
        &[("\"1700000000\"", "malformed"), ("true", "malformed")],
    );
}

#[test]
fn id20_a_token_made_for_another_purpose_is_no_id_token() {
    for (typ, accepted) in [
        (None, true),
        (Some("\"JWT\""), true),
        (Some("\"jwt\""), true),
        (Some("\"at+jwt\""), false),
        (Some("\"application/at+jwt\""), false),
        (Some("\"dpop+jwt\""), false),
        (Some("\"logout+jwt\""), false),
        (Some("\"\""), false),
        (Some("7"), false),
    ] {
        let Pending {
            provider,
            page,
            uri,
            ..
        } = pending(false);
        let typ_member = typ.map_or(String::new(), |typ| format!(r#","typ":{typ}"#));
        provider
            .header
            .replace(format!(r#"{{"alg":"ES256","kid":"k1"{typ_member}}}"#));
        let error = page.callback(&uri).err().map(|error| told(&error));
        let expected =
            r#"invalid_id_token {"claim":"typ","problem":"mismatch","skewSeconds":null}"#;
        assert_eq!(error.as_deref(), (!accepted).then_some(expected), "{typ:?}");
    }
}

#[test]
fn t46_who_asked_for_an_organization_gets_a_user_of_that_one() {
    let by_id = [("organization", "org_1"), ("invitation", "ticket")];
    holds(
        "org_id",
        &by_id,
        &["\"org_1\""],
        &[
            ("\"org_2\"", "mismatch"),
            ("\"ORG_1\"", "mismatch"),
            ("[\"org_1\"]", "malformed"),
            ("null", "missing"),
        ],
    );
    let by_name = [("organization", "Acme")];
    holds(
        "org_name",
        &by_name,
        &["\"acme\"", "\"Acme\""],
        &[("\"acme2\"", "mismatch"), ("null", "missing")],
    );
    // Not asked for, it is a claim like any other; in the URL of the page it is not ours to read.
    assert_eq!(told_of(&[], &[("org_id", "\"org_2\"")]), None);
    let (_, _, page) = page();
    let uri = page.begin_login().unwrap();
    assert_eq!(parameter(&uri, "organization"), None);
    let uri = page.begin_login_with(asking(&by_id)).unwrap();
    for (name, value) in by_id {
        assert_eq!(parameter(&uri, name).as_deref(), Some(value));
    }
}

#[test]
fn ui4_claims_is_passed_on_and_what_it_calls_essential_is_held_to() {
    let (_, _, page) = page();
    let wish = r#"{"userinfo":{"email":null},"id_token":{"acr":{"essential":true,"values":["gold","silver"]},"auth_time":{"essential":true}}}"#;
    let uri = page.begin_login_with(asking(&[("claims", wish)])).unwrap();
    assert_eq!(parameter(&uri, "claims").as_deref(), Some(wish));
    let asked = [("claims", wish)];
    let auth_time = ("auth_time", "1600000000");
    for (acr, accepted) in [
        ("\"gold\"", true),
        ("\"silver\"", true),
        ("\"bronze\"", false),
    ] {
        let told = told_of(&asked, &[("acr", acr), auth_time]);
        assert_eq!(told.is_none(), accepted, "{acr}: {told:?}");
    }
    let told = told_of(&asked, &[("acr", "\"gold\"")]).unwrap();
    assert!(told.contains(r#""claim":"auth_time","problem":"missing""#));
    // What is not essential is a wish.
    let wish = r#"{"id_token":{"acr":{"values":["gold"]},"auth_time":null}}"#;
    assert_eq!(told_of(&[("claims", wish)], &[]), None);
    for broken in ["[]", "{", "x", ""] {
        let wish = asking(&[("claims", broken)]);
        assert_eq!(super::blamed(page.begin_login_with(wish)), "claims");
    }
}
