//! What keeps tabs apart, with and without Web Locks and a database. Two `Browser`s on one page are two tabs to each other.

use crate::tabs::{Tab, in_log, say, text};
use crate::{javascript, sleep};
use countersign::browser::{Browser, Guard};
use countersign::client::ports::{
    Clock, Doorbell, Exclusion, LockError, Locks, Mailbox, Posted, Receipt,
};
use js_sys::Function;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test as test;

/// What the page has instead, until this is dropped.
pub(crate) struct Instead(Function);

impl Instead {
    pub(crate) fn of(object: &str, name: &str, value: &str) -> Self {
        let script = format!(
            "const before = Object.getOwnPropertyDescriptor({object}, '{name}');
             Object.defineProperty({object}, '{name}', {{ value: {value}, configurable: true, writable: true }});
             return () => before ? Object.defineProperty({object}, '{name}', before) : delete {object}.{name};"
        );
        let restore = Function::new_no_args(&script).call0(&JsValue::UNDEFINED);
        Self(restore.unwrap().unchecked_into())
    }
}

impl Drop for Instead {
    fn drop(&mut self) {
        self.0.call0(&JsValue::UNDEFINED).unwrap();
    }
}

const REFUSING: &str = "{ request: async () => { throw new DOMException('no', 'SecurityError') } }";

fn without_locks() -> Instead {
    Instead::of("navigator", "locks", "undefined")
}

async fn acquire(browser: &Browser, name: &str, seconds: u32) -> Result<Guard, LockError> {
    browser.acquire(name, seconds).await.map(|(guard, _)| guard)
}

/// A name for a lock that no other test has.
fn name(tab: &Tab) -> String {
    tab.family.lock_name()
}

#[test]
async fn a_wish_that_is_dropped_leaves_the_queue() {
    let tab = Tab::new();
    let name = name(&tab);
    let guard = acquire(&tab.browser, &name, 5).await.unwrap();
    let other = Browser::new();
    {
        let wish = core::pin::pin!(other.acquire(&name, 30));
        let sleep = core::pin::pin!(sleep(50));
        // The wish is made, and given up after a while.
        first(wish, sleep).await;
    }
    sleep(50).await;
    let queue = format!(
        "const {{ held, pending }} = await navigator.locks.query();
         const ours = (list) => list.filter(({{ name }}) => name === '{name}').length;
         return `${{ours(held)}} ${{ours(pending)}}`"
    );
    let queued = javascript(&queue).await.as_string();
    assert_eq!(queued.as_deref(), Some("1 0"));
    drop(guard);
    sleep(50).await;
    let queued = javascript(&queue).await.as_string();
    assert_eq!(queued.as_deref(), Some("0 0"));
}

/// Waits for the first of two.
async fn first<A: Future, B: Future>(
    mut a: core::pin::Pin<&mut A>,
    mut b: core::pin::Pin<&mut B>,
) -> Option<A::Output> {
    core::future::poll_fn(|context| {
        if let core::task::Poll::Ready(output) = a.as_mut().poll(context) {
            return core::task::Poll::Ready(Some(output));
        }
        b.as_mut().poll(context).map(|_| None)
    })
    .await
}

#[test]
async fn a_page_that_goes_leaves_the_queue_and_keeps_what_it_holds() {
    let tab = Tab::new();
    let name = name(&tab);
    let (_guard, exclusion) = tab.browser.acquire(&name, 5).await.unwrap();
    assert_eq!(exclusion, Exclusion::Lock);
    let waiting = Browser::new();
    let before = waiting.now();
    let mut wish = core::pin::pin!(waiting.acquire(&name, 30));
    assert!(
        first(wish.as_mut(), core::pin::pin!(sleep(50)))
            .await
            .is_none()
    );
    javascript("dispatchEvent(new Event('pagehide'))").await;
    assert_eq!(wish.await.err(), Some(LockError::Timeout));
    assert!(waiting.now().since(before) < 5_000, "it does not wait on");
    let third = acquire(&Browser::new(), &name, 1).await;
    assert_eq!(third.err(), Some(LockError::Timeout), "still held");
    javascript("dispatchEvent(new Event('pageshow'))").await;
}

#[test]
async fn a_lock_that_is_stolen_is_not_taken_twice() {
    let tab = Tab::new();
    let name = name(&tab);
    let _guard = acquire(&tab.browser, &name, 5).await.unwrap();
    javascript(&format!(
        "await navigator.locks.request('{name}', {{ steal: true }}, () => {{}})"
    ))
    .await;
    sleep(200).await;
    let row = lease(&tab).await;
    assert_eq!(row, "", "no lease either");
}

/// The row of the lease.
async fn lease(tab: &Tab) -> String {
    tab.newest().await;
    in_log(tab, "return store.get(['lease', 'countersign:' + family])").await
}

#[test]
async fn without_web_locks_a_lease_keeps_tabs_apart() {
    for locks in [
        "undefined",
        REFUSING,
        "{ request() { throw new TypeError() } }",
    ] {
        let _instead = Instead::of("navigator", "locks", locks);
        let tab = Tab::new();
        let other = tab.clone_of();
        let name = name(&tab);
        let (guard, exclusion) = tab.browser.acquire(&name, 5).await.unwrap();
        assert_eq!(exclusion, Exclusion::Lease, "{locks}");
        assert!(lease(&tab).await.contains("until"));
        let waited = acquire(&other.browser, &name, 1).await;
        assert_eq!(waited.err(), Some(LockError::Timeout));
        let free = acquire(&other.browser, "countersign:another", 1).await;
        assert!(free.is_ok(), "another family does not wait");
        drop(free);
        drop(guard);
        let before = other.browser.now();
        let guard = acquire(&other.browser, &name, 5).await.unwrap();
        assert!(other.browser.now().since(before) < 1_000);
        drop(guard);
        sleep(100).await;
        assert_eq!(lease(&tab).await, "", "given back");
        assert_eq!(tab.newest().await, "nothing", "a lease is no letter");
    }
}

#[test]
async fn of_many_who_want_a_lease_one_has_it_at_a_time() {
    let _instead = without_locks();
    let many = 8;
    let family = Tab::new();
    let name = name(&family);
    javascript("globalThis.inside = 0; globalThis.most = 0; globalThis.done = 0;").await;
    for _ in 0..many {
        let (tab, name) = (family.clone_of(), name.clone());
        wasm_bindgen_futures::spawn_local(async move {
            let (guard, got) = tab.browser.acquire(&name, 30).await.unwrap();
            assert_eq!(got, Exclusion::Lease);
            javascript("most = Math.max(most, ++inside)").await;
            sleep(30).await;
            javascript("inside--, done++").await;
            drop(guard);
        });
    }
    for _ in 0..300 {
        sleep(50).await;
        if javascript("return done").await.as_f64() == Some(f64::from(many)) {
            break;
        }
    }
    let seen = javascript("return `${done} of ${most}`").await.as_string();
    assert_eq!(seen, Some(format!("{many} of 1")));
}

#[test]
async fn whoever_waits_for_a_lease_is_told_that_it_is_free() {
    let _instead = without_locks();
    // Nobody looks again by himself.
    javascript("globalThis.later = setTimeout.bind(globalThis)").await;
    let never = "(run, millis) => millis > 140 && millis < 500 ? 0 : later(run, millis)";
    let _patient = Instead::of("globalThis", "setTimeout", never);
    let tab = Tab::new();
    let other = tab.clone_of();
    let name = name(&tab);
    let guard = acquire(&tab.browser, &name, 5).await.unwrap();
    let mut wish = core::pin::pin!(acquire(&other.browser, &name, 10));
    for _ in 0..10 {
        let soon = core::pin::pin!(sleep(100));
        assert!(first(wish.as_mut(), soon).await.is_none());
    }
    drop(guard);
    assert!(wish.await.is_ok());
}

#[test]
async fn a_lease_outlives_its_wish_by_more_than_a_throttled_timer() {
    let _instead = without_locks();
    let tab = Tab::new();
    let before = tab.browser.now().wall.as_millis();
    let _guard = acquire(&tab.browser, &name(&tab), 5).await.unwrap();
    let row = lease(&tab).await;
    let until: i64 = row
        .split("\"until\":")
        .nth(1)
        .and_then(|rest| rest.split([',', '}']).next())
        .and_then(|digits| digits.parse().ok())
        .unwrap();
    assert!(until - before >= 65_000, "{row}");
}

#[test]
async fn a_lease_that_is_over_is_taken_by_the_next() {
    let _instead = without_locks();
    let tab = Tab::new();
    let name = name(&tab);
    tab.newest().await;
    let put = |until: &str| {
        format!("store.put({{ v: 1, id: 1, until: {until} }}, ['lease', 'countersign:' + family])")
    };
    in_log(&tab, &put("Date.now() + 60000")).await;
    let waited = acquire(&tab.browser, &name, 1).await;
    assert_eq!(waited.err(), Some(LockError::Timeout));
    in_log(&tab, &put("Date.now() - 1")).await;
    assert!(acquire(&tab.browser, &name, 1).await.is_ok());
    in_log(&tab, &put("'junk'")).await;
    assert!(
        acquire(&tab.browser, &name, 1).await.is_ok(),
        "no time at all"
    );
}

#[test]
async fn a_lease_that_was_seen_unchanged_for_its_whole_length_is_over_whatever_the_clock_says() {
    let _instead = without_locks();
    let tab = Tab::new();
    let name = name(&tab);
    tab.newest().await;
    let endless = "store.put({ v: 1, id: 1, until: Infinity }, ['lease', 'countersign:' + family])";
    in_log(&tab, endless).await;
    let waited = acquire(&tab.browser, &name, 1).await;
    assert_eq!(waited.err(), Some(LockError::Timeout));
    javascript("globalThis.late = performance.now.bind(performance)").await;
    let _later = Instead::of("performance", "now", "() => late() + 62000");
    let guard = acquire(&tab.browser, &name, 1).await;
    assert!(guard.is_ok());
}

#[test]
async fn a_lease_is_given_back_only_while_it_is_ones_own() {
    let _instead = without_locks();
    let tab = Tab::new();
    let guard = acquire(&tab.browser, &name(&tab), 1).await.unwrap();
    {
        let now = tab.browser.now().wall.as_millis();
        let _later = Instead::of("Date", "now", &format!("() => {}", now + 62_000));
        drop(guard);
    }
    sleep(100).await;
    assert!(lease(&tab).await.contains("until"), "it may be another's");
}

#[test]
async fn a_page_that_goes_gives_its_lease_back_in_that_turn() {
    let _instead = without_locks();
    let tab = Tab::new();
    let _guard = acquire(&tab.browser, &name(&tab), 5).await.unwrap();
    javascript(
        "globalThis.issued = [];
         const { delete: gone } = IDBObjectStore.prototype;
         IDBObjectStore.prototype.delete = function (key) { issued.push(key); return gone.call(this, key); };
         globalThis.restore = () => Object.assign(IDBObjectStore.prototype, { delete: gone });",
    )
    .await;
    let issued = js_sys::eval(
        "dispatchEvent(new Event('pagehide')); restore(); dispatchEvent(new Event('pageshow')); issued.length",
    );
    assert_eq!(issued.unwrap().as_f64(), Some(1.0));
    sleep(100).await;
    assert_eq!(lease(&tab).await, "");
}

/// IndexedDB missing, refusing and hanging.
const DATABASES: [&str; 4] = [
    "undefined",
    "{ open() { throw new DOMException('no', 'SecurityError') } }",
    "{ open() { const request = {}; setTimeout(() => request.onerror(new Event('error'))); return request } }",
    "{ open() { return {} } }",
];

fn without_database() -> Instead {
    Instead::of("globalThis", "indexedDB", DATABASES[0])
}

#[test]
async fn without_a_database_tabs_that_are_awake_hand_each_other_letters() {
    for database in DATABASES {
        let _instead = Instead::of("globalThis", "indexedDB", database);
        let tab = Tab::new();
        let other = tab.clone_of();
        assert_eq!(tab.newest().await, "absent nothing", "{database}");
        assert_eq!(tab.post(2, "two").await, Receipt::Absent);
        other.catches_up().await;
        let reader = tab.clone_of();
        let before = reader.browser.now();
        assert_eq!(reader.newest().await, "absent 2 two");
        let took = reader.browser.now().since(before);
        assert!(took < 2_500, "{took}");
        assert_eq!(other.newest().await, "absent 2 two");
        // It was handed to this one: it knows it when the first is gone.
        drop((tab, reader));
        assert_eq!(other.newest().await, "absent 2 two");
    }
}

#[test]
async fn tabs_that_are_awake_have_a_second_to_say_what_they_know() {
    let _instead = without_database();
    let tab = Tab::new();
    let before = tab.browser.now();
    assert_eq!(tab.newest().await, "absent nothing");
    let alone = tab.browser.now().since(before);
    assert!((900..1_500).contains(&alone), "{alone}");
    let other = tab.clone_of();
    other.post(1, "one").await;
    let before = tab.browser.now();
    assert_eq!(tab.newest().await, "absent 1 one");
    let answered = tab.browser.now().since(before);
    assert!(answered < 500, "{answered}");
    // One that was asleep knows less than one that answers later.
    let family = tab.family.as_str();
    let stale = format!("{{ family: '{family}', generation: 1, sealed: 'one' }}");
    let newer = format!("{{ family: '{family}', generation: 3, sealed: 'three' }}");
    let late = Tab { ..tab.clone_of() };
    let mut asked = core::pin::pin!(late.newest());
    drop(other);
    assert!(
        first(asked.as_mut(), core::pin::pin!(say(&stale)))
            .await
            .is_none()
    );
    assert!(
        first(asked.as_mut(), core::pin::pin!(say(&newer)))
            .await
            .is_none()
    );
    assert_eq!(asked.await, "absent 3 three");
}

#[test]
async fn without_a_database_the_newer_letter_stays_and_an_end_is_an_end() {
    let _instead = without_database();
    let tab = Tab::new();
    let other = tab.clone_of();
    other.newest().await;
    tab.post(5, "five").await;
    tab.post(4, "four").await;
    other.catches_up().await;
    assert_eq!(other.newest().await, "absent 5 five");
    let refused = tab.end(Some(4)).await;
    assert_eq!(refused, Receipt::Surpassed(5));
    assert_eq!(tab.end(Some(5)).await, Receipt::Absent);
    other.catches_up().await;
    assert_eq!(other.rung(), [u64::MAX]);
    tab.post(9, "nine").await;
    other.catches_up().await;
    assert_eq!(other.newest().await, "absent ended");
    assert_eq!(tab.clone_of().newest().await, "absent ended");
    drop(tab);
    let before = other.browser.now();
    assert_eq!(other.newest().await, "absent ended");
    assert!(other.browser.now().since(before) < 500, "nobody is asked");
}

#[test]
async fn without_a_database_a_logout_reaches_the_owners_families_in_tabs_that_are_awake() {
    let _instead = without_database();
    let (tab, mut sibling, stranger) = (Tab::new(), Tab::new(), Tab::new());
    sibling.owner.clone_from(&tab.owner);
    for tab in [&tab, &sibling, &stranger] {
        tab.newest().await;
        tab.post(2, "two").await;
    }
    tab.browser.end(&tab.family, Some(&tab.owner), None).await;
    sibling.catches_up().await;
    assert_eq!(sibling.rung(), [u64::MAX], "it is told");
    assert_eq!(stranger.rung(), [0; 0]);
    assert_eq!(sibling.newest().await, "absent ended");
    assert_eq!(stranger.newest().await, "absent 2 two");
}

#[test]
async fn a_letter_that_the_database_refuses_goes_to_tabs_that_are_awake() {
    let tab = Tab::new();
    let other = tab.clone_of();
    assert_eq!(tab.post(1, "one").await, Receipt::Kept);
    other.newest().await;
    let full = "globalThis.added = IDBObjectStore.prototype.add;
        IDBObjectStore.prototype.add = function () { this.transaction.abort(); return {} };";
    javascript(full).await;
    let receipt = tab.post(2, "two").await;
    javascript("IDBObjectStore.prototype.add = added").await;
    assert_eq!(receipt, Receipt::Absent);
    other.catches_up().await;
    assert_eq!(other.newest().await, "2 two");
    assert_eq!(tab.newest().await, "2 two");
    // What was kept outside of the database ends with it.
    let logout = tab.browser.end(&tab.family, Some(&tab.owner), None);
    assert_eq!(logout.await, Receipt::Kept);
    assert_eq!(tab.newest().await, "ended");
    assert_eq!(other.newest().await, "ended");
}

#[test]
async fn a_database_that_was_absent_is_used_when_it_comes() {
    let tab;
    {
        javascript("globalThis.theirs = indexedDB").await;
        let late = "{ open(name) {
            const request = {};
            setTimeout(() => {
              const real = theirs.open(name);
              real.onupgradeneeded = () => { request.result = real.result; request.onupgradeneeded(); };
              real.onsuccess = () => { request.result = real.result; request.onsuccess(); };
            }, 2000);
            return request;
          } }";
        let _instead = Instead::of("globalThis", "indexedDB", late);
        tab = Tab::new();
    }
    let found = tab.browser.newest(&tab.family).await;
    assert!(matches!(&found, Err(none) if matches!(none.0, Posted::Nothing)));
    assert_eq!(text(found), "absent nothing");
    sleep(1_000).await;
    assert_eq!(tab.post(1, "one").await, Receipt::Kept);
    assert_eq!(Tab::clone_of(&tab).newest().await, "1 one");
}

#[test]
async fn a_database_that_refused_is_tried_again_after_a_minute() {
    javascript(
        "globalThis.theirs = indexedDB; globalThis.refused = 0; globalThis.minutes = [];
         globalThis.later = setTimeout.bind(globalThis);",
    )
    .await;
    let once = "{ open(name) { if (!refused++) throw new Error(); return theirs.open(name); } }";
    let _instead = Instead::of("globalThis", "indexedDB", once);
    let minute = "(run, millis) => millis === 60000 ? minutes.push(run) : later(run, millis)";
    let _clock = Instead::of("globalThis", "setTimeout", minute);
    let tab = Tab::new();
    assert_eq!(tab.newest().await, "absent nothing");
    assert_eq!(tab.newest().await, "absent nothing");
    javascript("minutes.forEach((run) => run())").await;
    assert_eq!(tab.newest().await, "nothing");
}

#[test]
async fn a_connection_that_was_closed_without_a_word_is_opened_anew() {
    javascript("globalThis.theirs = indexedDB").await;
    let told = "{ open(name) {
        const request = theirs.open(name);
        request.addEventListener('success', () => (globalThis.opened = request.result));
        return request;
      } }";
    let _instead = Instead::of("globalThis", "indexedDB", told);
    let tab = Tab::new();
    assert_eq!(tab.newest().await, "nothing");
    javascript("opened.close()").await;
    assert_eq!(tab.newest().await, "absent nothing");
    assert_eq!(tab.newest().await, "nothing");
}

#[test]
async fn without_locks_and_database_the_lowest_claim_goes_first() {
    let _locks = without_locks();
    let _database = without_database();
    let tab = Tab::new();
    let name = name(&tab);
    let claiming = |claim: &str| {
        format!(
            "globalThis.channel = new BroadcastChannel('countersign');
             globalThis.heard = [];
             channel.onmessage = ({{ data }}) => data.lock === '{name}' && heard.push(data.claim);
             globalThis.claiming = setInterval(() => channel.postMessage({{ lock: '{name}', claim: {claim} }}), 10);"
        )
    };
    let silent = "clearInterval(claiming); channel.close(); return heard.join()";
    javascript(&claiming("-0.5")).await;
    let higher =
        format!("setInterval(() => channel.postMessage({{ lock: '{name}', claim: 2 }}), 10)");
    javascript(&format!("globalThis.higher = {higher}")).await;
    let waited = acquire(&tab.browser, &name, 1).await;
    assert_eq!(waited.err(), Some(LockError::Timeout), "a lower claim");
    javascript("clearInterval(higher)").await;
    let heard = javascript(silent).await.as_string().unwrap();
    assert!(!heard.is_empty() && !heard.contains("-1"), "{heard}");
    let objections = |claim: &str| heard.matches(claim).count();
    // One may have been on its way before the lower claim came.
    let most = heard.split(',').map(objections).max();
    assert!(most <= Some(2), "what has lost objects to nobody: {heard}");
    tab.catches_up().await;
    javascript(&claiming("2")).await;
    let (guard, exclusion) = tab.browser.acquire(&name, 5).await.unwrap();
    assert_eq!(exclusion, Exclusion::Lease, "a higher claim");
    sleep(200).await;
    let heard = javascript(silent).await.as_string().unwrap();
    let [claim, .., busy] = heard.split(',').collect::<Vec<_>>()[..] else {
        panic!("{heard}");
    };
    assert!(claim.starts_with("0."), "the claim: {heard}");
    assert!(heard.matches(claim).count() > 1, "an answer: {heard}");
    assert_eq!(busy, "-1", "it is busy");
    let again = acquire(&tab.browser, &name, 1).await;
    assert_eq!(again.err(), Some(LockError::Timeout), "busy in this tab");
    drop(guard);
    assert!(acquire(&tab.clone_of().browser, &name, 5).await.is_ok());
}

#[test]
async fn without_any_way_to_keep_tabs_apart_nothing_throws() {
    let _locks = without_locks();
    let _database = without_database();
    let _channel = Instead::of("globalThis", "BroadcastChannel", "undefined");
    let tab = Tab::new();
    let lock = acquire(&tab.browser, &name(&tab), 5).await;
    assert_eq!(lock.err(), Some(LockError::Absent));
    assert_eq!(tab.newest().await, "absent nothing");
    assert_eq!(tab.post(1, "one").await, Receipt::Absent);
    assert_eq!(tab.newest().await, "absent 1 one");
    tab.browser.mark(&tab.family, 1, true);
    tab.browser.ring(&tab.family, 1);
    assert_eq!(tab.end(None).await, Receipt::Absent);
    assert_eq!(tab.newest().await, "absent ended");
}
