//! The mailbox and the doorbell between tabs. Two `Browser`s on one page are two tabs to each other.

use crate::{javascript, sleep};
use countersign::browser::Browser;
use countersign::client::ports::{Doorbell, Mailbox, NoMailbox, Posted, Receipt};
use countersign::protocol::entropy::random_token;
use countersign::session::family::{Family, FamilyId, Letter};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen_test::wasm_bindgen_test as test;

/// A tab, and a family and an owner that no other test knows.
pub(crate) struct Tab {
    pub(crate) browser: Browser,
    pub(crate) family: FamilyId,
    pub(crate) owner: String,
    pub(crate) rings: Rings,
}

pub(crate) type Rings = Rc<RefCell<Vec<(String, u64)>>>;

impl Tab {
    pub(crate) fn new() -> Self {
        let browser = Browser::new();
        let family = Family::random(&browser).unwrap().id;
        let owner = random_token(&browser).unwrap();
        let rings = heard(&browser);
        Self {
            browser,
            family,
            owner,
            rings,
        }
    }

    /// Another tab of the family.
    pub(crate) fn clone_of(&self) -> Self {
        let browser = Browser::new();
        let rings = heard(&browser);
        Self {
            browser,
            family: self.family.clone(),
            owner: self.owner.clone(),
            rings,
        }
    }

    pub(crate) fn letter(&self, generation: u64, sealed: &str) -> Letter {
        Letter {
            family: self.family.clone(),
            generation,
            owner: self.owner.clone(),
            sealed: sealed.to_owned(),
        }
    }

    pub(crate) async fn post(&self, generation: u64, sealed: &str) -> Receipt {
        self.browser.post(&self.letter(generation, sealed)).await
    }

    pub(crate) async fn newest(&self) -> String {
        text(self.browser.newest(&self.family).await)
    }

    /// Waits until it has heard all that was said on the channel before.
    pub(crate) async fn catches_up(&self) {
        let last = (random_token(&self.browser).unwrap(), 0);
        say(&format!("{{ family: '{}', generation: 0 }}", last.0)).await;
        for _ in 0..500 {
            if self.rings.borrow().contains(&last) {
                return;
            }
            sleep(10).await;
        }
        panic!("the channel is silent");
    }

    /// The generations of this family that it was rung for.
    pub(crate) fn rung(&self) -> Vec<u64> {
        let rings = self.rings.borrow();
        let own = rings.iter().filter(|ring| ring.0 == self.family.as_str());
        own.map(|ring| ring.1).collect()
    }

    pub(crate) async fn end(&self, unless_above: Option<u64>) -> Receipt {
        self.browser.end(&self.family, None, unless_above).await
    }
}

fn heard(browser: &Browser) -> Rings {
    let rings = Rings::default();
    let hear = rings.clone();
    browser.on_ring(Box::new(move |family, generation| {
        hear.borrow_mut().push((family.to_owned(), generation));
    }));
    rings
}

/// What was found, in one word.
pub(crate) fn text(found: Result<Posted, NoMailbox>) -> String {
    let (absent, posted) = match found {
        Ok(posted) => ("", posted),
        Err(NoMailbox(posted)) => ("absent ", posted),
    };
    let word = match posted {
        Posted::Nothing => "nothing".to_owned(),
        Posted::Ended => "ended".to_owned(),
        Posted::Letter {
            generation,
            sealed,
            unanswered,
        } => format!(
            "{generation} {sealed}{}",
            if unanswered { " unanswered" } else { "" }
        ),
    };
    format!("{absent}{word}")
}

/// Runs JavaScript with the log's `store` in a transaction, and `family` and `owner`; gives what it returns or the result
/// of the request that it returns.
pub(crate) async fn in_log(tab: &Tab, body: &str) -> String {
    let (family, owner) = (tab.family.as_str(), &tab.owner);
    let script = format!(
        "const [family, owner] = ['{family}', '{owner}'];
         const db = await new Promise((resolve) => {{
           const opening = indexedDB.open('countersign');
           opening.onsuccess = () => resolve(opening.result);
         }});
         try {{
           const transaction = db.transaction('log', 'readwrite');
           const store = transaction.objectStore('log');
           const mine = IDBKeyRange.bound([family], [family, []]);
           const request = (() => {{ {body} }})();
           await new Promise((resolve) => (transaction.oncomplete = resolve));
           return JSON.stringify(request?.result) ?? '';
         }} finally {{ db.close(); }}"
    );
    javascript(&script).await.as_string().unwrap()
}

/// Says something on the channel.
pub(crate) async fn say(message: &str) {
    javascript(&format!(
        "const channel = new BroadcastChannel('countersign');
         channel.postMessage({message});
         setTimeout(() => channel.close(), 5000);"
    ))
    .await;
}

#[test]
async fn what_one_tab_posts_another_finds() {
    let tab = Tab::new();
    let other = tab.clone_of();
    assert_eq!(other.newest().await, "nothing");
    assert_eq!(tab.post(7, "seven").await, Receipt::Kept);
    assert_eq!(other.newest().await, "7 seven");
    assert_eq!(other.post(8, "eight").await, Receipt::Kept);
    assert_eq!(tab.newest().await, "8 eight");
    assert_eq!(Tab::new().newest().await, "nothing", "another family");
    let keys = in_log(&tab, "return store.getAllKeys(mine)").await;
    let own = format!("[[\"{}\",8]]", tab.family.as_str());
    assert_eq!(keys, own, "older ones are gone");
}

#[test]
async fn a_generation_that_is_there_is_not_overwritten() {
    javascript("globalThis.noise = []; onerror = (...error) => noise.push(error)").await;
    let tab = Tab::new();
    let other = tab.clone_of();
    assert_eq!(tab.post(3, "first").await, Receipt::Kept);
    assert_eq!(other.post(3, "second").await, Receipt::Surpassed(3));
    assert_eq!(other.newest().await, "3 first");
    assert_eq!(tab.post(5, "fifth").await, Receipt::Kept);
    assert_eq!(other.post(4, "fourth").await, Receipt::Surpassed(5));
    assert_eq!(other.newest().await, "5 fifth");
    let keys = in_log(&tab, "return store.count(mine)").await;
    assert_eq!(keys, "1", "what came too late does not stay");
    let noise = javascript("onerror = null; return noise.join()").await;
    assert_eq!(
        noise.as_string().as_deref(),
        Some(""),
        "the page hears nothing of it"
    );
}

#[test]
async fn of_letters_posted_at_once_one_is_kept() {
    let tabs = [(); 5].map(|()| Tab::new());
    let [first, ..] = &tabs;
    for tab in &tabs {
        tab.newest().await;
    }
    let receipts: Vec<_> = tabs
        .iter()
        .map(|tab| {
            let letter = Letter {
                owner: tab.owner.clone(),
                ..first.letter(2, &tab.owner)
            };
            tab.browser.post(&letter)
        })
        .collect();
    let mut seen = Vec::new();
    for receipt in receipts {
        seen.push(receipt.await);
    }
    let kept = seen.iter().filter(|seen| **seen == Receipt::Kept).count();
    assert_eq!(kept, 1, "{seen:?}");
    assert!(
        seen.iter()
            .all(|seen| matches!(seen, Receipt::Kept | Receipt::Surpassed(2))),
        "{seen:?}"
    );
}

#[test]
async fn a_letter_is_issued_in_the_turn_in_which_it_is_posted() {
    let tab = Tab::new();
    tab.newest().await;
    let seen = "globalThis.issued = [];
        const { transaction } = IDBDatabase.prototype;
        const { commit } = IDBTransaction.prototype;
        IDBDatabase.prototype.transaction = function (...args) {
          issued.push(args[1]);
          return transaction.apply(this, args);
        };
        IDBTransaction.prototype.commit = function () { issued.push('commit'); return commit.call(this); };
        globalThis.restore = () => {
          Object.assign(IDBDatabase.prototype, { transaction });
          Object.assign(IDBTransaction.prototype, { commit });
        };";
    javascript(seen).await;
    let receipt = tab.browser.post(&tab.letter(1, "one"));
    let issued = js_sys::eval("issued.join()").unwrap();
    let ended = tab.browser.end(&tab.family, Some(&tab.owner), None);
    let then = js_sys::eval("restore(), issued.join()").unwrap();
    assert_eq!(issued.as_string().as_deref(), Some("readwrite,commit"));
    assert_eq!(
        then.as_string().as_deref(),
        Some("readwrite,commit,readwrite,commit,readwrite")
    );
    assert_eq!(receipt.await, Receipt::Kept);
    assert_eq!(ended.await, Receipt::Kept);
}

#[test]
async fn a_family_that_has_ended_takes_no_letter() {
    let tab = Tab::new();
    let other = tab.clone_of();
    tab.post(1, "one").await;
    assert_eq!(tab.end(None).await, Receipt::Kept);
    assert_eq!(other.newest().await, "ended");
    assert_eq!(other.post(9, "nine").await, Receipt::Ended);
    assert_eq!(other.newest().await, "ended");
    sleep(100).await;
    let keys = in_log(&tab, "return store.getAllKeys(mine)").await;
    // JSON has no infinity.
    let own = format!("[[\"{}\",null]]", tab.family.as_str());
    assert_eq!(keys, own, "no letter stays");
}

#[test]
async fn an_end_with_a_condition_spares_what_is_newer() {
    let tab = Tab::new();
    tab.post(4, "four").await;
    assert_eq!(tab.end(Some(3)).await, Receipt::Surpassed(4));
    assert_eq!(tab.newest().await, "4 four");
    tab.browser.mark(&tab.family, 4, true);
    assert_eq!(tab.end(Some(4)).await, Receipt::Kept, "a mark is no letter");
    assert_eq!(tab.newest().await, "ended");
    assert_eq!(
        tab.end(Some(4)).await,
        Receipt::Kept,
        "it has ended already"
    );
}

#[test]
async fn a_logout_reaches_all_families_of_the_owner_and_no_other() {
    let tab = Tab::new();
    let mut sibling = Tab::new();
    sibling.owner.clone_from(&tab.owner);
    let stranger = Tab::new();
    for tab in [&tab, &sibling, &stranger] {
        tab.post(2, "two").await;
    }
    let end = tab.browser.end(&tab.family, Some(&tab.owner), None);
    assert_eq!(end.await, Receipt::Kept);
    assert_eq!(tab.newest().await, "ended");
    assert_eq!(sibling.newest().await, "ended");
    assert_eq!(stranger.newest().await, "2 two");
    let value = in_log(&sibling, "return store.get([family, Infinity])").await;
    assert!(value.contains(&tab.owner) && value.contains("\"at\":"));
    assert!(!value.contains("two"));
    stranger.catches_up().await;
    let ended = |tab: &Tab| (tab.family.as_str().to_owned(), u64::MAX);
    let rings = stranger.rings.borrow().clone();
    assert!(rings.contains(&ended(&tab)), "{rings:?}");
    assert!(rings.contains(&ended(&sibling)), "{rings:?}");
    assert!(!rings.contains(&ended(&stranger)));
}

#[test]
async fn a_mark_says_that_a_refresh_has_no_answer_until_it_is_taken_back_or_surpassed() {
    let tab = Tab::new();
    let other = tab.clone_of();
    tab.post(1, "one").await;
    tab.browser.mark(&tab.family, 1, true);
    assert_eq!(other.newest().await, "1 one unanswered");
    assert_eq!(other.post(1, "again").await, Receipt::Surpassed(1));
    tab.browser.mark(&tab.family, 1, false);
    assert_eq!(other.newest().await, "1 one");
    tab.browser.mark(&tab.family, 1, true);
    assert_eq!(
        tab.post(2, "two").await,
        Receipt::Kept,
        "a mark is no letter"
    );
    assert_eq!(other.newest().await, "2 two");
    assert_eq!(in_log(&tab, "return store.count(mine)").await, "1");
}

#[test]
async fn entries_of_another_version_or_shape_are_passed_over_and_kept() {
    let tab = Tab::new();
    tab.post(1, "one").await;
    let forged = "const at = Date.now();
        store.put({ v: 2, sealed: 'later', at }, [family, 2]);
        store.put({ v: 1, sealed: 7, at }, [family, 3]);
        store.put({ v: 1, sealed: { toString: 1 }, at }, [family, 4]);
        store.put('text', [family, 5]);
        store.put({ v: 1, sealed: 'x', at }, [family, 'x']);
        store.put({ v: 1, sealed: 'x', at }, [family, -1]);
        store.put({ v: 1, sealed: 'x', at }, [family, 1e300]);
        store.put({ v: 1, sealed: 'x', at }, [family]);
        store.put({ v: 1, sealed: 'x', at }, [family, 1, 1]);
        store.put({ v: 1, sealed: 'x', at }, family);";
    in_log(&tab, forged).await;
    assert_eq!(tab.newest().await, "1 one");
    let later = tab.post(2, "two").await;
    assert_eq!(later, Receipt::Surpassed(5), "not overwritten");
    in_log(&tab, "store.put({ v: 2 }, [family, Infinity])").await;
    assert_eq!(tab.newest().await, "ended", "an end is an end");
}

#[test]
async fn another_tab_is_rung_and_this_one_is_not() {
    let tab = Tab::new();
    let other = tab.clone_of();
    tab.browser.ring(&tab.family, 6);
    tab.browser.ring(&tab.family, u64::MAX);
    other.catches_up().await;
    assert_eq!(other.rung(), [6, u64::MAX]);
    tab.catches_up().await;
    assert_eq!(tab.rung(), [0; 0]);
}

#[test]
async fn what_is_not_a_ring_is_not_heard() {
    let tab = Tab::new();
    let family = tab.family.as_str();
    for message in [
        "null",
        "undefined",
        "7",
        "'text'",
        "[]",
        "{}",
        "{ family: 7, generation: 1 }",
        "{ family: 'FAMILY' }",
        "{ family: 'FAMILY', generation: '1' }",
        "{ family: 'FAMILY', generation: -1 }",
        "{ family: 'FAMILY', generation: 0.5 }",
        "{ family: 'FAMILY', generation: NaN }",
        "{ family: 'FAMILY', generation: 1e300 }",
        "{ family: 'FAMILY', generation: -Infinity }",
        "{ family: { toString: 1 }, generation: 1 }",
        "{ lock: 7, claim: 'x' }",
        "{ lock: 'x', claim: {} }",
    ] {
        say(&message.replace("FAMILY", family)).await;
    }
    say(&format!("{{ family: '{family}', generation: 1 }}")).await;
    tab.catches_up().await;
    assert_eq!(tab.rung(), [1]);
    let families = tab.rings.borrow().clone();
    assert!(
        families.iter().all(|ring| ring.0.len() == 43),
        "{families:?}"
    );
}

#[test]
async fn nothing_sealed_is_said_where_the_mailbox_works() {
    let tab = Tab::new();
    javascript(
        "globalThis.said = [];
         globalThis.ear = new BroadcastChannel('countersign');
         ear.onmessage = ({ data }) => said.push(JSON.stringify(data));",
    )
    .await;
    tab.newest().await;
    tab.post(1, "sealed-one").await;
    tab.browser.mark(&tab.family, 1, true);
    tab.browser.ring(&tab.family, 1);
    tab.browser
        .end(&tab.family, Some(&tab.owner), Some(1))
        .await;
    tab.clone_of().catches_up().await;
    sleep(100).await;
    let said = javascript("ear.close(); return said.join('\\n')").await;
    let said = said.as_string().unwrap();
    let ring = format!(
        "{{\"family\":\"{}\",\"generation\":1}}",
        tab.family.as_str()
    );
    assert!(said.contains(&ring), "{said}");
    assert!(
        !said.contains("sealed") && !said.contains(&tab.owner),
        "{said}"
    );
}

#[test]
async fn a_page_that_goes_hears_nothing_until_it_comes_back() {
    let tab = Tab::new();
    let family = tab.family.as_str();
    let ring = format!("{{ family: '{family}', generation: 1 }}");
    javascript("dispatchEvent(new Event('pagehide'))").await;
    say(&ring).await;
    sleep(200).await;
    javascript("dispatchEvent(new Event('pageshow'))").await;
    tab.catches_up().await;
    assert_eq!(tab.rung(), [0; 0]);
    say(&ring).await;
    tab.catches_up().await;
    assert_eq!(tab.rung(), [1]);
}

#[test]
async fn a_database_that_is_deleted_meanwhile_is_opened_anew() {
    let tab = Tab::new();
    let other = tab.clone_of();
    other.newest().await;
    tab.post(1, "one").await;
    let deleted = javascript(
        "return new Promise((resolve) => {
           const deleting = indexedDB.deleteDatabase('countersign');
           deleting.onsuccess = () => resolve(true);
           setTimeout(() => resolve(false), 5000);
         })",
    )
    .await;
    assert!(deleted.is_truthy(), "nobody stands in the way");
    assert_eq!(other.newest().await, "nothing");
    assert_eq!(tab.post(1, "one").await, Receipt::Kept);
    assert_eq!(other.newest().await, "1 one");
}

#[test]
async fn the_oldest_letters_are_swept_by_number_and_ends_stay_for_400_days() {
    let tab = Tab::new();
    let filled = "for (let i = 0; i < 505; i++) {
        store.put({ v: 1, sealed: 'x', at: 1000 + i }, ['swept-' + i, 1]);
        store.put({ v: 1, at: 1000 + i }, ['ended-' + i, Infinity]);
        store.put({ v: 1, at: Date.now() }, ['young-' + i, Infinity]);
      }";
    in_log_after(&tab, filled).await;
    assert_eq!(tab.post(1, "one").await, Receipt::Kept);
    let count = |prefix: &str| {
        format!("return store.count(IDBKeyRange.bound(['{prefix}'], ['{prefix}z']))")
    };
    let now = in_log(&tab, &count("swept-")).await;
    assert_eq!(now, "505", "not in the turn of a letter");
    sleep(2_500).await;
    assert_eq!(tab.newest().await, "1 one", "the newest stays");
    let first = in_log(&tab, "return store.get(['swept-0', 1])").await;
    assert_eq!(first, "", "the oldest goes first");
    let last = in_log(&tab, "return store.get(['swept-504', 1])").await;
    assert!(last.contains("1504"));
    let letters: u32 = in_log(&tab, &count("swept-")).await.parse().unwrap();
    assert!((400..500).contains(&letters), "{letters}");
    assert_eq!(in_log(&tab, &count("young-")).await, "505");
    assert_eq!(in_log(&tab, &count("ended-")).await, "0");
    let emptied = "for (const prefix of ['swept-', 'young-'])
        store.delete(IDBKeyRange.bound([prefix], [prefix + 'z']))";
    in_log(&tab, emptied).await;
}

/// The same, once the database is there.
async fn in_log_after(tab: &Tab, body: &str) {
    tab.newest().await;
    in_log(tab, body).await;
}
