//! The world itself: it is as nasty as it says, and no more.

use crate::support::*;
use countersign::client::LoginOptions;
use countersign::client::ports::{Clock, Doorbell, Exclusion, Locks, Mailbox, Posted};
use countersign::client::ports::{LockError, NoMailbox, Receipt, Storage};
use countersign::protocol::entropy::{Entropy, NoEntropy};
use countersign::protocol::error::Endpoint;
use countersign::session::family::{Family, FamilyId, Letter};
use countersign::testing::{Conditions, FakePlatform, FakeStorage, Reply, World};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

struct Fixed(u8);

impl Entropy for Fixed {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoEntropy> {
        buffer.fill(self.0);
        Ok(())
    }
}

fn family(number: u8) -> FamilyId {
    Family::random(&Fixed(number)).unwrap().id
}

fn letter(family: &FamilyId, generation: u64) -> Letter {
    Letter {
        family: family.clone(),
        generation,
        owner: "owner".to_owned(),
        sealed: format!("sealed {generation}"),
    }
}

fn world_with(set: impl Fn(&mut Conditions)) -> World {
    let world = World::new();
    let mut conditions = Conditions::default();
    set(&mut conditions);
    world.set_conditions(conditions);
    world
}

fn load(tab: &FakePlatform) -> Option<String> {
    tab.storage().load("key").unwrap()
}

/// Notes each ring that a tab hears, and when.
fn listen(tab: &FakePlatform, world: &World) -> Rc<RefCell<Vec<(u64, i64)>>> {
    let heard: Rc<RefCell<Vec<(u64, i64)>>> = Rc::default();
    let (noted, world, from) = (heard.clone(), world.clone(), world.now().monotonic);
    tab.on_ring(Box::new(move |_, generation| {
        let now = world.now().monotonic - from;
        noted.borrow_mut().push((generation, now));
    }));
    heard
}

fn generation(posted: &Posted) -> Option<u64> {
    match posted {
        Posted::Letter { generation, .. } => Some(*generation),
        Posted::Ended => Some(u64::MAX),
        Posted::Nothing => None,
    }
}

#[test]
fn a_shared_storage_shows_each_tab_its_own_writes_at_once_and_those_of_others_later() {
    let world = world_with(|it| it.storage_lag = 5);
    let shared = FakeStorage::shared(&world);
    let (one, other) = (world.tab_over(&shared), world.tab_over(&shared));
    one.storage().save("key", "a").unwrap();
    assert_eq!((load(&one).as_deref(), load(&other)), (Some("a"), None));
    let young = world.tab_over(&shared);
    assert_eq!(
        load(&young).as_deref(),
        Some("a"),
        "it was written before it"
    );
    world.advance_millis(4);
    other.storage().save("key", "b").unwrap();
    world.advance_millis(1);
    assert_eq!(
        load(&other).as_deref(),
        Some("b"),
        "the last writer's rules"
    );
    assert_eq!(load(&young).as_deref(), Some("a"));
    world.advance_millis(4);
    for tab in [one, other, young] {
        assert_eq!(load(&tab).as_deref(), Some("b"));
    }
    assert_eq!(shared.texts().len(), 1);
}

#[test]
fn a_shared_storage_may_stay_stale_until_it_is_settled_and_removals_are_stale_too() {
    let world = world_with(|it| it.storage_lag = i64::MAX);
    let shared = FakeStorage::shared(&world);
    let (one, other) = (world.tab_over(&shared), world.tab_over(&shared));
    one.storage().save("key", "a").unwrap();
    world.settle_storages();
    one.storage().remove("key").unwrap();
    world.advance(3600);
    assert_eq!((load(&one), load(&other).as_deref()), (None, Some("a")));
    world.settle_storages();
    assert_eq!((load(&other), shared.texts().len()), (None, 0));
}

#[test]
fn other_tabs_are_told_of_a_write_once_they_can_read_it() {
    let world = world_with(|it| (it.storage_lag, it.storage_events) = (5, true));
    let shared = FakeStorage::shared(&world);
    let (one, other) = (world.tab_over(&shared), world.tab_over(&shared));
    let read = Rc::new(RefCell::new(Vec::new()));
    for tab in [&one, &other] {
        let (reader, read) = (tab.clone(), read.clone());
        tab.on_ring(Box::new(move |_, _| {
            read.borrow_mut().push((reader.id(), load(&reader)));
        }));
    }
    one.storage().save("key", "a").unwrap();
    world.advance_millis(4);
    assert!(read.borrow().is_empty());
    world.advance_millis(1);
    assert_eq!(*read.borrow(), [(other.id(), Some("a".to_owned()))]);
}

#[test]
fn the_doorbell_rings_late_twice_or_never() {
    let world = world_with(|it| (it.ring_delay, it.ring_repeats) = (10, 1));
    let (one, other) = (world.tab(), world.tab());
    let (own, heard) = (listen(&one, &world), listen(&other, &world));
    one.ring(&family(1), 7);
    world.advance(1);
    assert_eq!(*heard.borrow(), [(7, 10), (7, 20)]);
    assert!(own.borrow().is_empty());
    let mut never = Conditions::default();
    never.rings_lost = 1;
    world.set_conditions(never);
    one.ring(&family(1), 8);
    world.advance(1);
    assert_eq!(heard.borrow().len(), 2);
    let mut half = Conditions::default();
    half.rings_lost = 2;
    world.set_conditions(half);
    (0..100).for_each(|_| one.ring(&family(1), 9));
    world.advance(1);
    assert!((30..70).contains(&(heard.borrow().len() - 2)));
}

#[test]
fn the_mailbox_takes_its_time_and_keeps_the_order_in_which_it_was_asked() {
    let world = world_with(|it| it.mailbox_delay = 10);
    let (one, other, id) = (world.tab(), world.tab(), family(1));
    let seen = {
        let (one, other, id) = (one.clone(), other, id.clone());
        world.start(async move {
            let first = one.post(&letter(&id, 2));
            let second = other.post(&letter(&id, 2));
            let seen = one.newest(&id).await.unwrap();
            let third = one.end(&id, None, None);
            (first.await, second.await, generation(&seen), third.await)
        })
    };
    world.advance_millis(9);
    assert!(world.letters().is_empty());
    world.advance_millis(1);
    assert_eq!(world.letters().len(), 1, "it is in before anybody knows");
    assert!(!seen.is_there());
    world.advance_millis(30);
    assert_eq!(
        seen.take(),
        Some((Receipt::Kept, Receipt::Surpassed(2), Some(2), Receipt::Kept))
    );
    let late = world.run(async move { one.post(&letter(&id, 3)).await });
    assert_eq!(late, Some(Receipt::Ended));
}

#[test]
fn what_was_handed_to_the_mailbox_outlives_the_page_but_not_the_browser() {
    for kills in [false, true] {
        let world = world_with(|it| it.mailbox_delay = 10);
        let (tab, id) = (world.tab(), family(1));
        drop(tab.post(&letter(&id, 1)));
        if kills {
            world.kill_browser();
        } else {
            tab.close();
        }
        drop(tab.post(&letter(&id, 2)));
        world.advance(1);
        assert!(!tab.is_alive());
        let kept: Vec<_> = world.letters().iter().map(|it| it.generation).collect();
        assert_eq!(kept, if kills { vec![] } else { vec![1] });
    }
}

#[test]
fn ending_an_owner_ends_all_of_its_families_and_spares_what_went_on() {
    let world = World::new();
    let (one, other) = (world.tab(), world.tab());
    let heard = listen(&other, &world);
    let ended = world.run(async move {
        for number in 1..=3 {
            let mut letter = letter(&family(number), 5);
            if number == 3 {
                letter.owner = "another".to_owned();
            }
            one.post(&letter).await;
        }
        let spared = one.end(&family(1), None, Some(4)).await;
        (spared, one.end(&family(1), Some("owner"), Some(5)).await)
    });
    assert_eq!(ended, Some((Receipt::Surpassed(5), Receipt::Kept)));
    world.advance(1);
    let has_ended: Vec<_> = (1..=3).map(|it| world.has_ended(&family(it))).collect();
    assert_eq!(has_ended, [true, true, false]);
    assert_eq!(*heard.borrow(), [(u64::MAX, 0), (u64::MAX, 0)]);
}

#[test]
fn without_a_mailbox_tabs_that_are_awake_answer_from_memory() {
    let world = World::new();
    let tabs: Vec<_> = (0..3).map(|_| world.tab()).collect();
    tabs.iter().for_each(|tab| tab.set_mailbox(false));
    let id = family(1);
    let ask = |tab: &FakePlatform| {
        let (tab, id) = (tab.clone(), id.clone());
        let Some(Err(NoMailbox(posted))) = world.run(async move { tab.newest(&id).await }) else {
            panic!("a mailbox");
        };
        generation(&posted)
    };
    tabs[1].freeze();
    let (tab, sent) = (tabs[0].clone(), letter(&id, 4));
    let receipt = world.run(async move { tab.post(&sent).await });
    assert_eq!((receipt, ask(&tabs[2])), (Some(Receipt::Absent), Some(4)));
    let young = tabs[2].duplicate();
    tabs[0].close();
    assert_eq!(ask(&young), Some(4), "of the one that heard");
    tabs[2].close();
    assert_eq!(ask(&young), None, "the last that knows is asleep");
    tabs[1].thaw();
    assert_eq!(ask(&young), Some(4));
}

#[test]
fn a_frozen_page_does_nothing_and_hears_later_and_a_bfcached_one_never() {
    let world = World::new();
    let tabs: Vec<_> = (0..3).map(|_| world.tab()).collect();
    let heard: Vec<_> = tabs.iter().map(|tab| listen(tab, &world)).collect();
    let woken = Rc::new(Cell::new(0));
    for tab in &tabs[1..] {
        let woken = woken.clone();
        tab.wake_at(
            world.now().wall.plus(1000),
            Box::new(move || woken.set(woken.get() + 1)),
        );
    }
    tabs[1].freeze();
    assert!(tabs[2].enter_bfcache());
    tabs[0].ring(&family(1), 3);
    world.advance(60);
    assert!(heard.iter().all(|heard| heard.borrow().is_empty()));
    assert_eq!(woken.get(), 0);
    tabs[1].thaw();
    tabs[2].leave_bfcache();
    world.advance(1);
    assert_eq!(*heard[1].borrow(), [(3, 60_000)]);
    assert!(heard[2].borrow().is_empty());
    assert_eq!(woken.get(), 2);
}

#[test]
fn a_page_that_waits_for_an_answer_or_a_lock_does_not_get_into_the_bfcache() {
    let world = World::new();
    let (sender, holder) = (Page::new(&world), world.tab());
    world.on_request(|_| Reply::never());
    let auth = sender.auth.clone();
    drop(
        sender
            .tab
            .start(async move { auth.begin_login(LoginOptions::default()).await }),
    );
    let held = {
        let holder = holder.clone();
        world.run(async move { holder.acquire("lock", 1).await.ok() })
    };
    assert!(!sender.tab.enter_bfcache() && !sender.tab.is_alive());
    assert!(!holder.enter_bfcache() && !holder.is_alive());
    drop(held);
}

#[test]
fn a_page_can_be_killed_before_any_effect_also_in_the_middle_of_a_turn() {
    let ends = [0, 1, 2, 3, 4].map(|effects| {
        let world = World::new();
        let (tab, id) = (world.tab(), family(1));
        tab.die_after(effects);
        let page = tab.clone();
        drop(tab.start(async move {
            page.storage().save("key", "a").unwrap();
            drop(page.post(&letter(&id, 1)));
            page.ring(&id, 1);
            page.storage().remove("key").unwrap();
        }));
        world.run_until_idle();
        let (stored, posted) = (tab.storage().texts().len(), world.letters().len());
        (stored, posted, world.rings().len(), tab.is_alive())
    });
    let expected = [
        (0, 0, 0, false),
        (1, 0, 0, false),
        (1, 1, 0, false),
        (1, 1, 1, false),
        (0, 1, 1, true),
    ];
    assert_eq!(ends, expected);
}

#[test]
fn a_lock_goes_with_its_page_and_a_lease_outlives_it() {
    for leases in [false, true] {
        let world = World::new();
        let (one, other) = (world.tab(), world.tab());
        if leases {
            one.use_leases();
            other.use_leases();
        }
        let holder = one.clone();
        drop(one.start(async move {
            let _guard = holder.acquire("lock", 1).await;
            core::future::pending::<()>().await;
        }));
        let queue = |seconds| {
            let other = other.clone();
            world.run(async move { other.acquire("lock", seconds).await.map(|(_, kind)| kind) })
        };
        assert_eq!(queue(1), Some(Err(LockError::Timeout)));
        one.close();
        let from = world.now().monotonic;
        let kind = if leases {
            Exclusion::Lease
        } else {
            Exclusion::Lock
        };
        assert_eq!(queue(200), Some(Ok(kind)));
        assert_eq!(world.now().monotonic - from > 60_000, leases);
    }
}

#[test]
fn a_storage_loses_one_write_in_so_many_without_a_word() {
    let world = world_with(|it| it.writes_lost = 10);
    let tab = world.tab();
    (0..200).for_each(|n| tab.storage().save(&n.to_string(), "a").unwrap());
    assert!((160..198).contains(&tab.storage().texts().len()));
}

#[test]
fn a_request_tells_whether_its_answer_was_handed_over() {
    // The request, the answer, and in the same turn what is done with it.
    for (effects, answered) in [(1, false), (2, false), (100, true)] {
        let world = World::new();
        let provider = Provider::new(&world);
        let page = Page::new(&world);
        provider.set_delay(Endpoint::Discovery, 10);
        page.tab.die_after(effects);
        let auth = page.auth.clone();
        let login = async move { auth.begin_login(LoginOptions::default()).await };
        drop(page.tab.start(login));
        world.run_until_idle();
        let request = world.requests().pop().unwrap();
        assert!(request.tab == page.tab.id() && !request.was_answered());
        world.advance(1);
        assert_eq!(page.tab.is_alive(), answered, "{effects}");
        assert_eq!(request.was_answered(), answered, "{effects}");
    }
}
