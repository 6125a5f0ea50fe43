//! The URL that the browser came back with.

use countersign::client::{Auth, Config};
use countersign::protocol::authorization::{AuthorizationResponse, Expected, Refusal, accept};
use countersign::protocol::form;
use countersign::protocol::issuer::Issuer;
use countersign::protocol::json::Json;
use countersign::protocol::metadata::{self, Server, ServerMetadata};
use countersign::protocol::token;
use countersign::testing::{FakePlatform, World};

const ISSUER: &str = "https://as.example";
const REDIRECT: &str = "https://app.example/callback";
const READ: [&str; 6] = [
    "code",
    "error",
    "error_description",
    "error_uri",
    "iss",
    "state",
];

thread_local! {
    /// Clients that take the response from the query, and from the fragment.
    static CLIENTS: [Auth<FakePlatform>; 2] = {
        let config = Config::builder(ISSUER, "spa", REDIRECT);
        let configs = [config.clone(), config.response_in_fragment()];
        configs.map(|config| Auth::new(config.build().unwrap(), World::new().tab()))
    };
    static SERVERS: [ServerMetadata; 3] =
        [server(Some(ISSUER), false), server(Some(ISSUER), true), server(None, false)];
}

/// A callback is ours by its path and its `state`; a parameter that counts stands there once; what is accepted carries
/// the right `state`, the right `iss`, a code and no error; and what is printed shows neither code nor state.
pub fn run(data: &[u8]) {
    let uri = super::text(data);
    let (rest, fragment) = uri.split_once('#').unwrap_or((&uri, ""));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    CLIENTS.with(|clients| {
        for (client, part) in clients.iter().zip([query, fragment]) {
            let is_ours = client.is_callback(&uri);
            if part.is_empty() {
                assert!(!is_ours);
                continue;
            }
            let pairs = response(part);
            assert!(
                !is_ours || (path == REDIRECT && pairs.iter().any(|(name, _)| name == "state"))
            );
        }
    });
}

fn response(query: &str) -> Vec<(String, String)> {
    let pairs = pairs(query);
    let mut repeated = false;
    for name in READ {
        let found: Vec<_> = pairs.iter().filter(|(known, _)| known == name).collect();
        repeated |= found.len() > 1;
        match form::find(query, name) {
            Err(_) => assert!(found.len() > 1, "{name}"),
            Ok(value) => assert_eq!(value.as_ref(), found.first().map(|(_, value)| value)),
        }
    }
    assert_eq!(AuthorizationResponse::parse(query).is_err(), repeated);
    if !repeated {
        SERVERS.with(|servers| {
            for server in servers {
                decide(query, &pairs, server);
            }
        });
        shows_no_secret(query, &pairs);
    }
    pairs
}

fn decide(query: &str, pairs: &[(String, String)], server: &ServerMetadata) {
    let value = |name| {
        let found = pairs.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    };
    let answer = |state: &str, expired| {
        let response = AuthorizationResponse::parse(query).unwrap();
        let expected = Expected {
            state,
            expired,
            metadata: server,
            redirect_uri: REDIRECT,
            code_verifier: "the-verifier",
        };
        accept(response, &expected).map(|code| token::code_request(server, "spa", &code, "").body)
    };
    let Some(state) = value("state") else {
        assert_eq!(answer("", false), Err(Refusal::State));
        return;
    };
    // Before anything else, whatever the server announces.
    if server.iss_parameter_supported() {
        assert_eq!(answer(&format!("{state}x"), false), Err(Refusal::State));
        assert_eq!(answer(state, true), Err(Refusal::Expired));
    }
    let iss_is_right = match value("iss") {
        None => !server.iss_parameter_supported(),
        Some(iss) => server.issuer().is_none_or(|issuer| iss == issuer),
    };
    let code = value("code").filter(|code| !code.is_empty());
    let acceptable = iss_is_right && value("error").is_none() && code.is_some();
    match answer(state, false) {
        Ok(form) => {
            assert!(acceptable);
            let form = self::pairs(&form.unwrap());
            let expected = ("code".to_owned(), code.unwrap().to_owned());
            assert_eq!(form.iter().filter(|(name, _)| name == "code").count(), 1);
            assert!(form.contains(&expected));
        }
        Err(Refusal::Protocol(_)) => assert!(!acceptable),
        Err(other) => panic!("{other:?}"),
    }
}

/// With other secrets it prints the same.
fn shows_no_secret(query: &str, pairs: &[(String, String)]) {
    let twin: Vec<(&str, &str)> = pairs
        .iter()
        .map(|(name, value)| match name.as_str() {
            "code" | "state" => (name.as_str(), "other"),
            _ => (name.as_str(), value.as_str()),
        })
        .collect();
    let printed = |query: &str| format!("{:?}", AuthorizationResponse::parse(query).unwrap());
    assert_eq!(printed(query), printed(&form::encode(&twin)));
}

/// The form decoder again, by other means.
fn pairs(query: &str) -> Vec<(String, String)> {
    let pieces = query.split('&').map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    });
    pieces.collect()
}

fn decoded(text: &str) -> String {
    let text = text.replace('+', " ");
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        let digits = part.get(..2).filter(|two| !two.starts_with('+'));
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                bytes.extend_from_slice(&part.as_bytes()[2..]);
            }
            None => {
                bytes.push(b'%');
                bytes.extend_from_slice(part.as_bytes());
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_default()
}

fn server(issuer: Option<&str>, announces_iss: bool) -> ServerMetadata {
    let document = format!(
        r#"{{"authorization_endpoint":"{ISSUER}/authorize","token_endpoint":"{ISSUER}/token",
            "authorization_response_iss_parameter_supported":{announces_iss}}}"#
    );
    let server = Server {
        issuer: issuer.map(|issuer| Issuer::parse(issuer, None).unwrap()),
        oidc: false,
        given: Json::parse(&document).unwrap(),
    };
    metadata::parse(&server, &Json::Null).unwrap()
}
