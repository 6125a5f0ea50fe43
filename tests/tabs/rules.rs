//! One test for each rule of the family (docs/sessions.md): it fails when the rule is taken out.

use crate::server::{Ended, Fault, Server};
use crate::support::*;
use countersign::client::ports::Locks;
use countersign::client::{AccessToken, Error, LogoutOptions, State};
use countersign::protocol::error::Endpoint;
use countersign::session::state::SignedOutReason;
use countersign::testing::{Conditions, FakeStorage, Happening, Outcome, Reply, World};

type Wish = Outcome<Result<AccessToken, Error>>;

/// Tabs of one session.
struct Tabs {
    world: World,
    server: Server,
    pages: Vec<Page>,
}

/// The first signs in; the others are copies of it, as `window.open` makes them.
fn clones(count: usize) -> Tabs {
    let world = World::new();
    let server = Server::new(&world);
    server.set_user("user0");
    let first = Page::new(&world);
    first.start();
    first.sign_in(&server.provider).unwrap();
    let mut pages = vec![first];
    for _ in 1..count {
        let page = Page::with(&world, pages[0].tab.duplicate(), config());
        page.start();
        pages.push(page);
    }
    let tabs = Tabs {
        world,
        server,
        pages,
    };
    tabs.world.run_until_idle();
    tabs
}

/// The first signs in; the others have nothing in common with it but the storage.
fn unrelated(count: usize) -> (Tabs, FakeStorage) {
    let world = World::new();
    let server = Server::new(&world);
    server.set_user("user0");
    let shared = FakeStorage::shared(&world);
    let mut pages = Vec::new();
    for index in 0..count {
        let page = Page::with(&world, world.tab_over(&shared), config());
        page.start();
        if index == 0 {
            page.sign_in(&server.provider).unwrap();
        }
        pages.push(page);
    }
    world.run_until_idle();
    let tabs = Tabs {
        world,
        server,
        pages,
    };
    (tabs, shared)
}

impl Tabs {
    fn set(&self, set: impl Fn(&mut Conditions)) {
        let mut conditions = Conditions::default();
        set(&mut conditions);
        self.world.set_conditions(conditions);
    }

    fn wish(&self, tab: usize) -> Wish {
        let auth = self.pages[tab].auth.clone();
        let wish = async move { auth.access_token(forced()).await };
        self.pages[tab].tab.start(wish)
    }

    /// Has a tab refresh; it gets what it wants.
    fn refresh(&self, tab: usize) {
        let wish = self.wish(tab);
        self.world.advance(5);
        assert!(wish.take().is_some_and(|token| token.is_ok()));
    }

    fn refreshes(&self) -> usize {
        self.server.uses.borrow().len()
    }

    fn generation(&self, tab: usize) -> u64 {
        self.pages[tab].signed_in().generation
    }

    fn reason(&self, tab: usize) -> Option<SignedOutReason> {
        match self.pages[tab].auth.state() {
            State::SignedOut(signed_out) => Some(signed_out.reason),
            _ => None,
        }
    }

    fn log_out(&self, tab: usize) {
        let auth = self.pages[tab].auth.clone();
        let options = LogoutOptions::default();
        let logout = async move { auth.begin_logout(options).await.is_ok() };
        let done = self.pages[tab].tab.start(logout);
        self.world.advance_millis(1500);
        assert!(done.is_there());
    }

    fn sign_in(&self, tab: usize, user: &str) {
        self.server.set_user(user);
        self.pages[tab].sign_in(&self.server.provider).unwrap();
    }

    fn subject(&self, tab: usize) -> String {
        let user = self.pages[tab].signed_in().user.clone().unwrap();
        user.get_str("sub").unwrap().to_owned()
    }
}

#[test]
fn ten_clones_that_wake_at_once_ask_once() {
    let tabs = clones(10);
    tabs.server.delay.set(50);
    tabs.set(|it| (it.ring_delay, it.mailbox_delay) = (20, 3));
    tabs.world.sleep(7200);
    let wishes: Vec<_> = (0..10).map(|tab| tabs.wish(tab)).collect();
    tabs.world.advance(5);
    assert!(wishes.iter().all(|wish| wish.take().unwrap().is_ok()));
    assert_eq!(tabs.refreshes(), 1);
    assert!((0..10).all(|tab| tabs.generation(tab) == 2));
}

#[test]
fn ten_unrelated_tabs_over_a_stale_storage_ask_once() {
    let (tabs, _) = unrelated(10);
    tabs.server.delay.set(50);
    tabs.set(|it| (it.storage_lag, it.ring_delay, it.mailbox_delay) = (i64::MAX, 20, 3));
    tabs.world.sleep(7200);
    let wishes: Vec<_> = (0..10).map(|tab| tabs.wish(tab)).collect();
    tabs.world.advance(5);
    assert!(wishes.iter().all(|wish| wish.take().unwrap().is_ok()));
    assert_eq!(tabs.refreshes(), 1);
}

#[test]
fn tabs_with_leases_ask_once() {
    let tabs = clones(5);
    tabs.pages.iter().for_each(|page| page.tab.use_leases());
    tabs.server.delay.set(50);
    tabs.set(|it| it.rings_lost = 1);
    let wishes: Vec<_> = (0..5).map(|tab| tabs.wish(tab)).collect();
    tabs.world.advance(5);
    assert!(wishes.iter().all(|wish| wish.take().unwrap().is_ok()));
    assert_eq!(tabs.refreshes(), 1);
}

#[test]
fn the_mailbox_is_read_under_the_lock_whether_or_not_somebody_rang() {
    let tabs = clones(2);
    tabs.set(|it| it.rings_lost = 1);
    tabs.refresh(0);
    assert_eq!(tabs.generation(1), 1, "it has not heard");
    tabs.refresh(1);
    assert_eq!((tabs.refreshes(), tabs.generation(1)), (1, 2));
}

#[test]
fn a_ring_brings_the_new_token_without_a_request() {
    let tabs = clones(2);
    tabs.refresh(0);
    assert_eq!((tabs.refreshes(), tabs.generation(1)), (1, 2));
}

#[test]
fn a_tab_that_queues_leaves_when_another_was_faster() {
    let tabs = clones(2);
    tabs.set(|it| it.mailbox_delay = 20);
    let first = tabs.wish(0);
    tabs.world.advance_millis(70);
    let before = tabs.refreshes();
    tabs.pages[0].tab.freeze();
    let second = tabs.wish(1);
    tabs.world.advance_millis(100);
    tabs.pages[1].tab.resume();
    tabs.world.advance_millis(100);
    assert_eq!((before, tabs.refreshes()), (1, 1));
    assert!(!first.is_there(), "it holds the lock, and sleeps");
    assert!(second.take().is_some_and(|token| token.is_ok()));
}

#[test]
fn waiting_for_the_lock_is_bounded_and_nobody_steals_it() {
    let tabs = clones(2);
    let name = tabs.pages[0].record().family.id.lock_name();
    let holder = tabs.pages[0].tab.clone();
    let held = tabs
        .world
        .run(async move { holder.acquire(&name, 1).await });
    let wish = tabs.wish(1);
    tabs.world.advance(60);
    let error = wish.take().unwrap().unwrap_err();
    assert!(error.is_retryable());
    assert_eq!(tabs.refreshes(), 0);
    assert_eq!(tabs.generation(1), 1, "the session stands");
    drop(held);
    tabs.world.advance(120);
    tabs.refresh(1);
}

#[test]
fn the_new_tokens_are_stored_and_posted_in_the_turn_of_the_answer() {
    let tabs = clones(1);
    let from = tabs.world.journal().len();
    tabs.refresh(0);
    let journal = tabs.world.journal().split_off(from);
    let is_answer = |what: &Happening| matches!(what, Happening::Answered(Endpoint::Token));
    let at = journal.iter().position(|it| is_answer(&it.what)).unwrap();
    let turn: Vec<_> = journal[at + 1..]
        .iter()
        .take_while(|it| it.turn == journal[at].turn)
        .collect();
    assert!(matches!(turn[0].what, Happening::Stored(..)));
    assert!(matches!(turn[1].what, Happening::Committed(_)));
}

#[test]
fn a_page_that_is_closed_right_after_the_answer_has_saved_the_session_for_its_clones() {
    let tabs = clones(2);
    tabs.server.delay.set(50);
    tabs.set(|it| (it.rings_lost, it.mailbox_delay) = (1, 20));
    drop(tabs.wish(0));
    while !tabs
        .server
        .uses
        .borrow()
        .first()
        .is_some_and(|it| it.request.was_answered())
    {
        tabs.world.advance_millis(1);
    }
    tabs.pages[0].tab.close();
    tabs.refresh(1);
    assert_eq!((tabs.refreshes(), tabs.generation(1)), (1, 2));
}

#[test]
fn a_page_that_is_killed_before_it_posted_publishes_when_it_is_opened_again() {
    let mut published = 0;
    for effects in 0..12 {
        let tabs = clones(2);
        let family = tabs.pages[0].record().family.id;
        tabs.pages[0].tab.die_after(effects);
        drop(tabs.wish(0));
        tabs.world.advance(1);
        let posted = tabs.world.mailbox(&family)[0].generation;
        if tabs.pages[0].record().generation == 2 && posted == 1 {
            let reopened = tabs.pages[0].reload();
            reopened.start();
            tabs.world.advance(1);
            assert_eq!(tabs.world.mailbox(&family)[0].generation, 2);
            tabs.refresh(1);
            assert_eq!((tabs.refreshes(), tabs.generation(1)), (1, 2));
            published += 1;
        }
    }
    assert_eq!(published, 1, "there is one such moment");
}

#[test]
fn what_is_missing_in_the_mailbox_is_published_when_the_page_comes_back() {
    let tabs = clones(1);
    tabs.refresh(0);
    tabs.world.empty_mailbox();
    tabs.pages[0].tab.resume();
    let generations: Vec<_> = tabs
        .world
        .letters()
        .iter()
        .map(|it| it.generation)
        .collect();
    assert_eq!(generations, [2]);
}

#[test]
fn a_refusal_is_believed_only_after_the_mailbox_was_read_again() {
    let tabs = clones(2);
    tabs.pages.iter().for_each(|page| page.tab.set_locks(false));
    tabs.set(|it| it.rings_lost = 1);
    // It looks, sends, and is refused late: the other one has been through meanwhile.
    let refusal = Reply::with_status(400, r#"{"error":"invalid_grant"}"#);
    tabs.world.queue(Endpoint::Token, refusal.delayed(500));
    let wish = tabs.wish(0);
    tabs.world.advance_millis(100);
    tabs.refresh(1);
    tabs.world.advance(1);
    assert!(wish.take().is_some_and(|token| token.is_ok()));
    assert_eq!((tabs.generation(0), tabs.generation(1)), (2, 2));
}

#[test]
fn a_refusal_with_nothing_above_it_ends_the_family_for_all() {
    let tabs = clones(2);
    let refusal = Reply::with_status(400, r#"{"error":"invalid_grant"}"#);
    tabs.world.queue(Endpoint::Token, refusal);
    let wish = tabs.wish(0);
    tabs.world.advance(1);
    assert!(wish.take().unwrap().is_err());
    assert_eq!(tabs.reason(0), Some(SignedOutReason::RefreshRejected));
    assert_eq!(tabs.reason(1), Some(SignedOutReason::LoggedOutElsewhere));
}

#[test]
fn a_mark_tells_a_clone_that_an_answer_was_lost() {
    for is_lost in [true, false] {
        let tabs = clones(2);
        if is_lost {
            tabs.server.fail_next(Fault::NoAnswer);
            drop(tabs.wish(0));
            tabs.world.advance_millis(100);
            tabs.pages[0].tab.close();
        } else {
            tabs.server.grants.borrow_mut()[0].ended = Some(Ended::Revoked);
        }
        drop(tabs.wish(1));
        tabs.world.advance(5);
        let expected = if is_lost {
            SignedOutReason::AnswerLost
        } else {
            SignedOutReason::RefreshRejected
        };
        assert_eq!(tabs.reason(1), Some(expected));
    }
}

#[test]
fn an_unanswered_refresh_is_asked_again_until_the_server_answers() {
    let tabs = clones(1);
    for fault in [Fault::LostRequest, Fault::Status(503), Fault::LostRequest] {
        tabs.server.fail_next(fault);
    }
    tabs.world.sleep(7200);
    drop(tabs.wish(0));
    tabs.world.advance(120);
    assert_eq!(
        (tabs.refreshes() >= 4, tabs.generation(0) >= 2),
        (true, true)
    );
    let uses = tabs.server.uses.borrow();
    assert!(uses[..4].iter().all(|it| it.token == uses[0].token));
}

#[test]
fn a_server_with_a_grace_period_honours_what_was_asked_again() {
    let tabs = clones(1);
    tabs.server.grace.set(10_000);
    tabs.server.fail_next(Fault::LostAnswer);
    tabs.world.sleep(7200);
    drop(tabs.wish(0));
    tabs.world.advance(60);
    assert_eq!((tabs.refreshes(), tabs.generation(0)), (2, 2));
}

#[test]
fn an_answer_that_comes_after_a_logout_changes_nothing_and_is_revoked() {
    let tabs = clones(2);
    tabs.set(|it| it.rings_lost = 1);
    // The logout revokes what it knows; the server goes on, as some do.
    let auth = tabs.pages[1].auth.clone();
    let tokens = r#"{"access_token":"late","token_type":"Bearer","refresh_token":"late-refresh"}"#;
    tabs.world
        .queue(Endpoint::Token, Reply::json(tokens).delayed(3000));
    drop(tabs.wish(0));
    tabs.world.advance_millis(100);
    let mut options = LogoutOptions::default();
    options.local = true;
    let logout = async move { auth.begin_logout(options).await.is_ok() };
    drop(tabs.pages[1].tab.start(logout));
    tabs.world.advance(10);
    assert_eq!(tabs.reason(0), Some(SignedOutReason::LoggedOutElsewhere));
    assert_eq!(tabs.pages[0].stored(), None);
    let revoked = tabs.world.requests_to(Endpoint::Revocation);
    let revoked: Vec<_> = revoked
        .iter()
        .filter_map(|it| it.parameter("token"))
        .collect();
    assert_eq!(revoked, ["late-refresh"]);
}

#[test]
fn a_logout_reaches_every_family_of_the_user_and_no_other() {
    let tabs = clones(2);
    let sign_in = |user: &str| {
        let page = Page::new(&tabs.world);
        page.start();
        tabs.server.set_user(user);
        page.sign_in(&tabs.server.provider).unwrap();
        page
    };
    let (same, other) = (sign_in("user0"), sign_in("user1"));
    tabs.log_out(0);
    assert_eq!(tabs.reason(1), Some(SignedOutReason::LoggedOutElsewhere));
    assert!(matches!(same.auth.state(), State::SignedOut(_)));
    assert!(matches!(other.auth.state(), State::SignedIn(_)));
    assert_eq!(same.stored(), None);
}

#[test]
fn a_tab_that_slept_through_a_logout_uses_nothing_any_more() {
    let tabs = clones(2);
    tabs.set(|it| it.rings_lost = 1);
    tabs.pages[1].tab.freeze();
    tabs.log_out(0);
    tabs.pages[1].tab.thaw();
    let wish = tabs.wish(1);
    tabs.world.advance(5);
    assert!(wish.take().unwrap().is_err());
    assert_eq!(tabs.refreshes(), 0);
    assert_eq!(tabs.reason(1), Some(SignedOutReason::LoggedOutElsewhere));
}

#[test]
fn a_tab_out_of_the_bfcache_looks_before_it_is_used() {
    for logs_out in [false, true] {
        let tabs = clones(2);
        assert!(tabs.pages[1].tab.enter_bfcache());
        tabs.refresh(0);
        if logs_out {
            tabs.log_out(0);
        }
        assert_eq!(tabs.generation(1), 1, "it hears nothing");
        tabs.pages[1].tab.leave_bfcache();
        tabs.world.advance_millis(1);
        assert_eq!(tabs.refreshes(), 1);
        assert_eq!(tabs.reason(1).is_some(), logs_out);
        assert!(logs_out || tabs.generation(1) == 2);
    }
}

#[test]
fn a_closed_tab_that_is_opened_again_after_two_rotations_is_in_step() {
    let mut tabs = clones(2);
    tabs.pages[1].tab.close();
    tabs.refresh(0);
    tabs.refresh(0);
    let reopened = tabs.pages[1].reload();
    reopened.start();
    tabs.world.advance_millis(1);
    tabs.pages[1] = reopened;
    assert_eq!((tabs.refreshes(), tabs.generation(1)), (2, 3));
    tabs.refresh(1);
    assert_eq!((tabs.refreshes(), tabs.generation(0)), (3, 4));
}

#[test]
fn signing_in_anew_reaches_the_clones() {
    let tabs = clones(2);
    tabs.sign_in(0, "user0");
    tabs.world.advance(1);
    assert_eq!((tabs.generation(0), tabs.generation(1)), (2, 2));
    assert_eq!(tabs.pages[0].stored_token(), tabs.pages[1].stored_token());
}

#[test]
fn another_user_in_session_storage_leaves_the_other_tabs_alone() {
    let tabs = clones(2);
    tabs.sign_in(0, "user1");
    tabs.world.advance(1);
    assert_eq!(
        (tabs.subject(0).as_str(), tabs.subject(1).as_str()),
        ("user1", "user0")
    );
    tabs.refresh(1);
    assert_eq!(tabs.subject(0), "user1");
}

#[test]
fn what_comes_for_a_session_that_was_left_reaches_the_tabs_in_which_it_lives_on() {
    let tabs = clones(2);
    let late = tabs.wish(0);
    tabs.server.delay.set(500);
    drop(late);
    tabs.world.run_until_idle();
    tabs.server.delay.set(0);
    tabs.sign_in(0, "user1");
    tabs.world.advance(2);
    assert_eq!((tabs.refreshes(), tabs.generation(1)), (1, 2));
    assert_eq!(tabs.subject(1), "user0");
    tabs.refresh(1);
    assert!(tabs.server.needless(&[]).is_empty());
}

#[test]
fn another_user_in_a_shared_storage_is_shown_by_all_its_tabs() {
    let (tabs, _) = unrelated(2);
    let before = tabs.pages[0].record().family.id;
    tabs.sign_in(0, "user1");
    tabs.world.advance(1);
    tabs.pages[1].tab.resume();
    assert_eq!(
        (tabs.subject(0).as_str(), tabs.subject(1).as_str()),
        ("user1", "user1")
    );
    assert!(tabs.world.has_ended(&before));
}

#[test]
fn after_a_logout_a_sign_in_founds_a_new_family_and_clones_stay_signed_out() {
    let tabs = clones(2);
    let before = tabs.pages[0].record().family.id;
    tabs.log_out(0);
    tabs.sign_in(0, "user0");
    tabs.world.advance(1);
    assert_ne!(tabs.pages[0].record().family.id, before);
    assert_eq!(tabs.reason(1), Some(SignedOutReason::LoggedOutElsewhere));
}

#[test]
fn a_sign_in_is_not_undone_by_a_logout_that_it_has_not_heard_of() {
    let tabs = clones(2);
    tabs.set(|it| (it.ring_delay, it.mailbox_delay) = (1100, 200));
    tabs.log_out(0);
    tabs.sign_in(1, "user0");
    tabs.world.advance(5);
    assert_eq!(
        tabs.reason(1),
        None,
        "it looked when the logout rang, and signed in before it knew"
    );
    assert_eq!(tabs.generation(1), 1, "in a family of its own");
}

#[test]
fn a_stale_storage_does_not_take_the_new_users_record_away() {
    let (tabs, shared) = unrelated(2);
    tabs.set(|it| (it.storage_lag, it.storage_events) = (5, true));
    tabs.sign_in(0, "user1");
    tabs.world.advance(1);
    let stored = shared.texts().get(SESSION_KEY).cloned();
    let stored = record(&stored.expect("a record"), tabs.world.now());
    assert_eq!(stored.subject(), Some("user1"));
    assert_eq!(tabs.subject(0), "user1");
}

#[test]
fn without_a_mailbox_tabs_that_are_awake_are_handed_the_letter() {
    let tabs = clones(3);
    tabs.pages
        .iter()
        .for_each(|page| page.tab.set_mailbox(false));
    tabs.refresh(0);
    tabs.refresh(1);
    tabs.refresh(2);
    assert_eq!(tabs.server.needless(&[]), Vec::<String>::new());
    assert!((0..3).all(|tab| tabs.generation(tab) >= 2));
}

#[test]
fn a_storage_that_loses_one_write_in_ten_ends_no_session() {
    let mut tabs = clones(2);
    tabs.set(|it| it.writes_lost = 10);
    for round in 0..40 {
        tabs.refresh(round % 2);
        if round % 5 == 0 {
            tabs.pages[0] = tabs.pages[0].reload();
            tabs.pages[0].start();
        }
    }
    assert!((0..2).all(|tab| tabs.reason(tab).is_none()));
    assert_eq!(tabs.server.needless(&[]), Vec::<String>::new());
}
