//! The ports over web APIs, in a real browser.
#![cfg(target_arch = "wasm32")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

mod locks;
mod signatures;
mod tabs;
mod vectors;

use core::cell::Cell;
use countersign::browser::{Browser, BrowserStorage};
use countersign::client::ports::{
    Clock, Doorbell, Http, LockError, Locks, Storage, TransportError,
};
use countersign::protocol::base64url;
use countersign::protocol::discovery::{WellKnown, discovery_request};
use countersign::protocol::entropy::random_token;
use countersign::protocol::error::Endpoint;
use countersign::protocol::http::{HttpRequest, HttpResponse};
use countersign::protocol::issuer::Issuer;
use countersign::protocol::json::Json;
use countersign::protocol::metadata::{Server, parse};
use countersign::protocol::pkce::CodeVerifier;
use countersign::protocol::secret::Secret;
use countersign::protocol::token::refresh_request;
use js_sys::{Function, Promise};
use std::collections::BTreeSet;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test as test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

/// Runs JavaScript that gives a value or a promise.
async fn javascript(body: &str) -> JsValue {
    let result = Function::new_no_args(&format!("return (async () => {{ {body} }})()"))
        .call0(&JsValue::UNDEFINED)
        .unwrap();
    JsFuture::from(result.unchecked_into::<Promise>())
        .await
        .unwrap()
}

async fn sleep(millis: u32) {
    javascript(&format!(
        "await new Promise((resolve) => setTimeout(resolve, {millis}))"
    ))
    .await;
}

fn issuer() -> Issuer {
    Issuer::parse("https://as.example", None).unwrap()
}

fn with_transport(body: &str) -> Browser {
    let transport = Function::new_with_args("request, endpoint", body);
    Browser::with(
        BrowserStorage::Memory,
        BrowserStorage::Memory,
        Some(transport),
        None,
    )
}

async fn send(
    transport: &str,
    request: HttpRequest,
    seconds: u32,
) -> Result<HttpResponse, TransportError> {
    with_transport(transport).send(request, seconds).await
}

#[test]
fn the_tabs_storage_keeps_texts_and_finds_them_by_prefix() {
    let storage = BrowserStorage::tab();
    assert_eq!(storage.load("countersign:test:a"), Ok(None));
    storage.save("countersign:test:a", "é😀\"").unwrap();
    storage.save("countersign:test:b", "").unwrap();
    storage.save("countersign:other", "x").unwrap();
    assert_eq!(
        storage.load("countersign:test:a").unwrap().as_deref(),
        Some("é😀\"")
    );
    let mut keys = storage.keys("countersign:test:");
    keys.sort();
    assert_eq!(keys, ["countersign:test:a", "countersign:test:b"]);
    for key in keys.iter().map(String::as_str).chain(["countersign:other"]) {
        storage.remove(key).unwrap();
    }
    assert_eq!(storage.load("countersign:test:a"), Ok(None));
}

#[test]
async fn a_storage_that_throws_is_an_error_and_no_panic() {
    let object = javascript(
        "const refuse = () => { throw new DOMException('no', 'QuotaExceededError') };
         return { getItem: refuse, setItem: refuse, removeItem: refuse }",
    )
    .await;
    for storage in [
        BrowserStorage::Object(object.unchecked_into()),
        BrowserStorage::Denied,
    ] {
        assert!(storage.load("k").is_err());
        assert!(storage.save("k", "v").is_err());
        assert!(storage.remove("k").is_err());
    }
    let memory = BrowserStorage::Memory;
    assert_eq!(memory.save("k", "v"), Ok(()));
    assert_eq!(
        memory.load("k"),
        Ok(None),
        "the session itself is in memory"
    );
}

#[test]
fn ar3_ten_thousand_verifiers_are_well_formed_all_different_and_evenly_drawn() {
    let browser = Browser::new();
    let (mut drawn, mut counts) = (BTreeSet::new(), [0_u32; 256]);
    for _ in 0..10_000 {
        let verifier = random_token(&browser).unwrap();
        assert!(CodeVerifier::parse(&verifier).is_some() && verifier.len() == 43);
        for byte in base64url::decode(&verifier).unwrap() {
            counts[usize::from(byte)] += 1;
        }
        assert!(drawn.insert(verifier));
    }
    // 1250 of each value are expected; ten times the deviation of an even source is beyond any run.
    for (byte, count) in counts.into_iter().enumerate() {
        assert!((900..1600).contains(&count), "{byte}: {count}");
    }
}

#[test]
async fn a_lock_is_held_until_its_guard_is_dropped() {
    let browser = Browser::new();
    let guard = browser.acquire("countersign:test", 1).await.unwrap();
    let other = browser.acquire("countersign:another", 1).await;
    assert!(other.is_ok(), "another family does not wait");
    let waited = browser.acquire("countersign:test", 1).await;
    assert_eq!(waited.err(), Some(LockError::Timeout));
    drop(guard);
    assert!(browser.acquire("countersign:test", 1).await.is_ok());
}

#[test]
async fn tk2_tk9_t18_requests_go_without_cookies_cache_referrer_and_redirects() {
    let echo = r#"return (async () => new Response(JSON.stringify({
        url: request.url, method: request.method, credentials: request.credentials, cache: request.cache,
        redirect: request.redirect, referrer: request.referrer, type: request.headers.get('content-type'),
        authorization: request.headers.get('authorization'), body: await request.text(), endpoint,
        keepalive: request.keepalive,
      }), { status: 418, headers: { 'content-type': 'application/json', 'retry-after': '7',
        'www-authenticate': 'Bearer error="invalid_token"' } }))()"#;
    let server = Server {
        issuer: Some(issuer()),
        oidc: true,
        given: Json::Null,
    };
    let metadata = parse(
        &server,
        &Json::parse(
            r#"{"issuer":"https://as.example","authorization_endpoint":"https://as.example/a",
                "token_endpoint":"https://as.example/token","jwks_uri":"https://as.example/k"}"#,
        )
        .unwrap(),
    )
    .unwrap();
    let request = refresh_request(&metadata, "spa", &Secret::new("r t"), "");
    let answer = send(echo, request, 5).await.unwrap();
    assert_eq!((answer.status, answer.retry_after), (418, Some(7)));
    assert_eq!(answer.content_type, "application/json");
    assert_eq!(answer.www_authenticate, "Bearer error=\"invalid_token\"");
    let seen = Json::parse(&answer.body).unwrap();
    for (member, value) in [
        ("url", "https://as.example/token"),
        ("method", "POST"),
        ("credentials", "omit"),
        ("cache", "no-store"),
        ("redirect", "error"),
        ("referrer", "about:client"),
        ("type", "application/x-www-form-urlencoded"),
        (
            "body",
            "grant_type=refresh_token&client_id=spa&refresh_token=r+t",
        ),
        ("endpoint", "token"),
    ] {
        assert_eq!(seen.get_str(member), Some(value), "{member}");
    }
    assert_eq!(seen.get("authorization"), None);
    assert_eq!(seen.get("keepalive"), Some(&Json::Bool(false)));
    let seen = send(echo, discovery_request(&issuer(), WellKnown::OpenId), 5)
        .await
        .unwrap();
    let seen = Json::parse(&seen.body).unwrap();
    assert_eq!(seen.get_str("method"), Some("GET"));
    assert_eq!(seen.get_str("endpoint"), Some(Endpoint::Discovery.as_str()));
    let uri = "https://as.example/x";
    let request = HttpRequest::get_authorized(Endpoint::Userinfo, uri, Secret::new("t"));
    let seen = send(echo, request, 5).await.unwrap();
    let seen = Json::parse(&seen.body).unwrap();
    assert_eq!(seen.get_str("method"), Some("GET"));
    assert_eq!(seen.get_str("authorization"), Some("Bearer t"));
    assert_eq!(seen.get("type"), None);
    let request = HttpRequest::post_json(Endpoint::Revocation, uri, &Json::from("r"));
    let seen = send(echo, request, 5).await.unwrap();
    let seen = Json::parse(&seen.body).unwrap();
    assert_eq!(seen.get_str("type"), Some("application/json"));
    assert_eq!(seen.get_str("body"), Some("\"r\""));
}

#[test]
async fn a_revocation_outlives_the_page_and_its_deadline() {
    let wait = "globalThis.revocation = request; return new Promise(() => {})";
    let revoke = HttpRequest::post(Endpoint::Revocation, "https://as.example/x", String::new());
    let answer = send(wait, revoke, 1).await;
    assert_eq!(answer.err(), Some(TransportError::Timeout));
    let seen = javascript("return [revocation.keepalive, revocation.signal.aborted].join()").await;
    assert_eq!(seen.as_string().as_deref(), Some("true,false"));
    let refresh = HttpRequest::post(Endpoint::Token, "https://as.example/x", String::new());
    let answer = send(wait, refresh, 1).await;
    assert_eq!(answer.err(), Some(TransportError::Timeout));
    let seen = javascript("return [revocation.keepalive, revocation.signal.aborted].join()").await;
    assert_eq!(seen.as_string().as_deref(), Some("false,true"));
}

#[test]
async fn t8_answers_that_never_end_or_never_come_are_typed() {
    let ask = |transport: &'static str| {
        send(
            transport,
            discovery_request(&issuer(), WellKnown::OpenId),
            1,
        )
    };
    let huge = "return new Response(new Uint8Array(3 << 20), { status: 203 })";
    assert_eq!(ask(huge).await.err(), Some(TransportError::TooLarge(203)));
    let endless =
        "return new Response(new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(65536)) } }))";
    assert_eq!(
        ask(endless).await.err(),
        Some(TransportError::TooLarge(200))
    );
    let dripping =
        "return new Response(new ReadableStream({ start(c) { c.enqueue(new Uint8Array(1)) } }))";
    assert_eq!(ask(dripping).await.err(), Some(TransportError::Timeout));
    let hung = "return new Promise(() => {})";
    assert_eq!(ask(hung).await.err(), Some(TransportError::Timeout));
    for lost in [
        "return Promise.reject('why')",
        "return Promise.reject(new TypeError('x'))",
        "throw undefined",
        "return 7",
        "return undefined",
        "return { status: 200 }",
    ] {
        assert_eq!(
            ask(lost).await.err(),
            Some(TransportError::Network),
            "{lost}"
        );
    }
    let fine = ask("return new Response('{\"a\":\"é\"}')").await.unwrap();
    assert_eq!(fine.body, "{\"a\":\"é\"}");
    let broken = "return new Response(new Uint8Array([0x7B, 0x22, 0xE9, 0x22, 0x3A, 0x37, 0x7D]))";
    assert_eq!(ask(broken).await.unwrap().json_object(), None);
    assert_eq!(ask("return new Response(null)").await.unwrap().body, "");
}

#[test]
async fn an_alarm_goes_off_once_and_the_last_wish_counts() {
    let browser = Browser::new();
    let (first, second) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let count = |cell: &Rc<Cell<i32>>| {
        let cell = cell.clone();
        Box::new(move || cell.set(cell.get() + 1))
    };
    let before = browser.now();
    browser.wake_at(before.wall.plus(30), count(&first));
    browser.wake_at(before.wall.plus(60), count(&second));
    sleep(200).await;
    assert_eq!((first.get(), second.get()), (0, 1));
    assert!(browser.now().since(before) >= 190);
    browser.wake_at(before.wall.plus(250), count(&first));
    drop(browser);
    sleep(200).await;
    assert_eq!(first.get(), 0, "a browser that is gone wakes nobody");
}

#[test]
async fn rf9_an_alarm_further_ahead_than_browsers_count_does_not_go_off_at_once() {
    let browser = Browser::new();
    let rung = Rc::new(Cell::new(false));
    for ahead in [(1_i64 << 31) - 1, 1 << 31, 1 << 32, 1 << 53] {
        let ring = rung.clone();
        let at = browser.now().wall.plus(ahead);
        browser.wake_at(at, Box::new(move || ring.set(true)));
        sleep(50).await;
        assert!(!rung.get(), "{ahead}");
    }
    let ring = rung.clone();
    browser.wake_at(browser.now().wall, Box::new(move || ring.set(true)));
    sleep(50).await;
    assert!(rung.get());
}

#[test]
async fn coming_back_to_the_page_is_heard_until_the_browser_is_dropped() {
    let browser = Browser::new();
    let heard = Rc::new(Cell::new(0));
    let hear = heard.clone();
    browser.on_resume(Box::new(move || hear.set(hear.get() + 1)));
    for event in ["online", "pageshow", "focus"] {
        javascript(&format!("dispatchEvent(new Event('{event}'))")).await;
    }
    let visibility = "document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))";
    javascript(visibility).await;
    assert_eq!(heard.get(), 4);
    // A page that goes does not come back.
    let hidden = locks::Instead::of("document", "hidden", "true");
    javascript(visibility).await;
    drop(hidden);
    assert_eq!(heard.get(), 4);
    // Frozen and resumed: it does not bubble.
    let resumed = "document.dispatchEvent(new Event('resume'))";
    javascript(resumed).await;
    assert_eq!(heard.get(), 5);
    drop(browser);
    javascript(&format!("{visibility}; {resumed}")).await;
    assert_eq!(heard.get(), 5);
}

#[test]
async fn what_another_tab_writes_to_a_shared_storage_is_a_ring_if_it_is_ours() {
    let browser = Browser::new();
    let (back, rung) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let (hear_back, hear_ring) = (back.clone(), rung.clone());
    browser.on_resume(Box::new(move || hear_back.set(hear_back.get() + 1)));
    browser.on_ring(Box::new(move |family, generation| {
        assert_eq!((family, generation), ("", 0), "of no family by name");
        hear_ring.set(hear_ring.get() + 1);
    }));
    let written =
        |key: &str| format!("dispatchEvent(new StorageEvent('storage', {{ key: {key} }}))");
    javascript(&written("'theirs'")).await;
    assert_eq!(rung.get(), 0);
    javascript(&written("'countersign:session'")).await;
    assert_eq!(rung.get(), 1);
    javascript(&written("null")).await;
    assert_eq!(rung.get(), 2, "all of it was cleared");
    assert_eq!(back.get(), 0, "nobody came back");
}
