//! MD: the server's metadata.

use super::support::*;
use super::{blamed, page};
use countersign::client::Config;
use countersign::protocol::error::Endpoint;
use countersign::protocol::json::Json;
use countersign::testing::{Reply, World};

#[test]
fn md2_the_issuer_of_the_document_is_the_one_that_was_asked() {
    for (configured, says, accepted) in [
        (ISSUER, ISSUER, true),
        ("https://as.example/", "https://as.example/", true),
        ("https://as.example/t/", "https://as.example/t", false),
        (ISSUER, "https://as.example/", false),
        (ISSUER, "https://AS.example", false),
        (ISSUER, "https://as.example:443", false),
        (ISSUER, "https://evil.example", false),
    ] {
        let world = World::new();
        Provider::new(&world);
        let config = Config::builder(configured, CLIENT, REDIRECT);
        let page = Page::with(&world, world.tab(), config);
        let document = Provider::new(&world).discovery().replace(
            &format!(r#""issuer":"{ISSUER}""#),
            &format!(r#""issuer":"{says}""#),
        );
        world.queue(Endpoint::Discovery, Reply::json(&document));
        let error = page.begin_login().err().map(|error| told(&error));
        let expected = r#"invalid_metadata {"field":"issuer","problem":"mismatch"}"#;
        assert_eq!(error.as_deref(), (!accepted).then_some(expected), "{says}");
        // Nothing of it was kept.
        let kept = page.tab.storage().only("countersign:metadata:").is_some();
        assert_eq!(kept, accepted, "{says}");
        assert_eq!(world.requests().len(), 1, "and nobody else was asked");
    }
}

#[test]
fn md3_a_document_is_an_object_with_absolute_https_endpoints() {
    let honest = Provider::new(&World::new()).discovery();
    let (world, _, first) = page();
    let unknown = honest.replacen('{', r#"{"unknown":[{"a":1}],"registration_endpoint":7,"#, 1);
    world.queue(Endpoint::Discovery, Reply::json(&unknown));
    first.begin_login().unwrap();
    for endpoint in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
        let (before, rest) = honest.split_once(&format!("\"{endpoint}\":")).unwrap();
        let rest = &rest[rest.find(',').unwrap()..];
        for value in [
            "7",
            "null",
            "[]",
            "\"\"",
            "\"/relative\"",
            "\"//as.example/x\"",
            "\"javascript:alert(1)\"",
            "\"http://as.example/x\"",
            "\"https://as.example/x#f\"",
            "\"https://as.example/a b\"",
        ] {
            let (world, _, page) = page();
            let document = format!("{before}\"{endpoint}\":{value}{rest}");
            world.queue(Endpoint::Discovery, Reply::json(&document));
            let error = page.begin_login().unwrap_err();
            assert_eq!(error.code().as_str(), "invalid_metadata", "{value}");
            assert_eq!(error.details().get_str("field"), Some(endpoint), "{value}");
        }
    }
    for document in [format!("[{honest}]"), "\"text\"".to_owned(), "{".to_owned()] {
        let (world, _, page) = page();
        world.queue(Endpoint::Discovery, Reply::json(&document));
        let error = page.begin_login().unwrap_err();
        assert_eq!(error.code().as_str(), "invalid_response", "{document:.20}");
    }
}

#[test]
fn md4_keys_and_metadata_that_cannot_be_had_again_harm_no_session() {
    let (world, _, page) = signed_in();
    let stored = page.stored();
    world.sleep(3601);
    for endpoint in [Endpoint::Discovery, Endpoint::Jwks] {
        for _ in 0..20 {
            world.queue(endpoint, Reply::with_status(200, "{}"));
        }
    }
    // A refresh needs the token endpoint, and finds it in the copy.
    page.access_token_with(forced()).unwrap();
    assert_ne!(page.stored(), stored);
    assert!(page.signed_in().user.is_some());
}

#[test]
fn md6_endpoints_may_be_elsewhere_but_on_https() {
    for (host, accepted) in [
        ("https://login.elsewhere.example", true),
        ("https://as.example:8443", true),
        ("http://as.example", false),
        ("http://elsewhere.example", false),
        ("http://127.0.0.1:1", true),
    ] {
        let (world, provider, page) = page();
        let document = provider
            .discovery()
            .replace(&format!("\"{ISSUER}/"), &format!("\"{host}/"));
        world.queue(Endpoint::Discovery, Reply::json(&document));
        match page.begin_login() {
            Ok(uri) => {
                assert!(accepted && uri.starts_with(host), "{host}");
                page.callback(&provider.authorize(&uri)).unwrap();
                let sent = world.requests_to(Endpoint::Token).pop().unwrap();
                assert_eq!(sent.uri, format!("{host}/token"));
            }
            Err(error) => {
                assert!(!accepted, "{host}: {error:?}");
                assert!(told(&error).contains(r#""problem":"insecure""#));
            }
        }
    }
    // By hand as well.
    for (endpoint, accepted) in [("https://a.example/t", true), ("http://a.example/t", false)] {
        let given = format!(
            r#"{{"authorization_endpoint":"https://as.example/a","token_endpoint":"{endpoint}","jwks_uri":"https://as.example/k"}}"#
        );
        let config = config().metadata(Json::parse(&given).unwrap()).build();
        if accepted {
            assert!(config.is_ok());
        } else {
            assert_eq!(blamed(config), "metadata");
        }
    }
}
