//! Tabs that come and go, and what must have become of each of them in the end.

use crate::server::{Ended, Fault, Server};
use crate::support::*;
use countersign::client::{State, TokenOptions};
use countersign::session::family::Family;
use countersign::session::record::{Record, Stored};
use countersign::testing::{Conditions, FakePlatform, FakeStorage, Outcome, World};
use std::cell::RefCell;
use std::rc::Rc;

/// What keeps tabs apart and together in a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Locks,
    Leases,
}

/// Something that happens to a tab, or to all.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Pass(i64),
    Sleep(i64),
    ClockBack(i64),
    Open {
        shared: bool,
    },
    Duplicate(usize),
    Close(usize),
    /// Reloads a tab, or opens one again that was closed or killed.
    Reload(usize),
    DieAfter(usize, u32),
    Freeze(usize),
    Cache(usize),
    Wake(usize),
    Resume(usize),
    Ask(usize, bool),
    SignIn(usize, u8),
    LogOut(usize),
    Fault(Fault),
    Offline(bool),
    Delay(i64),
    Conditions(Conditions),
}

/// A user's session as the user sees it: from a sign-in until somebody logs out, or signs in as another.
#[derive(Debug)]
struct Line {
    subject: String,
    grants: Vec<usize>,
    ended: bool,
    /// A page died while it was signing in or out: anything may have become of it.
    unclear: bool,
}

struct Tab {
    page: Page,
    shared: bool,
    line: Option<usize>,
    asleep: bool,
}

pub(crate) struct Play {
    pub(crate) world: World,
    pub(crate) server: Server,
    kind: Kind,
    shared: FakeStorage,
    tabs: Vec<Tab>,
    lines: Vec<Line>,
    shared_line: Option<usize>,
    /// What live tabs are, for the server that asks who holds what.
    live: Rc<RefCell<Vec<FakePlatform>>>,
}

impl Play {
    pub(crate) fn new(kind: Kind) -> Self {
        let world = World::new();
        let server = Server::new(&world);
        server.provider.lifetime.set(Some(60));
        let live: Rc<RefCell<Vec<FakePlatform>>> = Rc::default();
        let holders = Holders {
            world: world.clone(),
            live: live.clone(),
            families: RefCell::default(),
        };
        let asked = server.clone();
        server.set_holders(move || holders.tokens(&asked));
        Self {
            shared: FakeStorage::shared(&world),
            world,
            server,
            kind,
            tabs: Vec::new(),
            lines: Vec::new(),
            shared_line: None,
            live,
        }
    }

    pub(crate) fn take(&mut self, step: &Step) {
        match step {
            Step::Pass(millis) => self.world.advance_millis(*millis),
            Step::Sleep(seconds) => self.world.sleep(*seconds),
            Step::ClockBack(seconds) => self.world.put_clock_back(*seconds),
            Step::Open { shared } => self.open(*shared),
            Step::Offline(offline) => self.world.set_offline(*offline),
            Step::Delay(millis) => self.server.delay.set(*millis),
            Step::Conditions(conditions) => self.world.set_conditions(*conditions),
            Step::Fault(fault) => self.server.fail_next(*fault),
            Step::Duplicate(tab) => self.duplicate(*tab),
            Step::Reload(tab) => self.reload(*tab),
            Step::SignIn(tab, user) => self.sign_in(*tab, *user),
            Step::LogOut(tab) => self.log_out(*tab),
            Step::Close(tab) => self.with(*tab, |tab| tab.page.tab.close()),
            Step::DieAfter(tab, effects) => {
                self.with(*tab, |tab| tab.page.tab.die_after(*effects));
            }
            Step::Freeze(tab) => self.with(*tab, |tab| {
                tab.page.tab.freeze();
                tab.asleep = true;
            }),
            Step::Cache(tab) => self.with(*tab, |tab| {
                tab.asleep = tab.asleep || tab.page.tab.enter_bfcache();
            }),
            Step::Wake(tab) => self.with(*tab, Tab::wake),
            Step::Resume(tab) => self.with(*tab, |tab| tab.page.tab.resume()),
            Step::Ask(tab, force) => self.with(*tab, |tab| drop(tab.ask(*force))),
        }
        self.note_live();
        self.trace(step);
    }

    /// With `PLAY_TRACE` set, what a step did: for whoever looks into a case that was found.
    fn trace(&self, step: &Step) {
        if std::env::var_os("PLAY_TRACE").is_none() {
            return;
        }
        eprintln!("{step:?} at {}", self.world.now().monotonic);
        for (index, tab) in self.tabs.iter().enumerate() {
            let (alive, asleep) = (tab.page.tab.is_alive(), tab.asleep);
            let (grant, generation) = (tab.grant(&self.server), tab.generation());
            eprintln!(
                "  tab {index}: page {} shared {} alive {alive} asleep {asleep} line {:?} grant {grant:?} generation {generation:?}",
                tab.page.tab.id(),
                tab.shared,
                tab.line
            );
        }
        for it in self.server.uses.borrow().iter() {
            eprintln!(
                "  page {} used {} of grant {:?} at {}: {:?} lost {} answered {}",
                it.request.tab,
                it.token.split('.').next().unwrap_or_default(),
                self.server.grant_of_refresh(&it.token),
                it.request.at.monotonic,
                it.outcome,
                it.lost,
                it.request.was_answered()
            );
        }
        let letters = self.world.letters();
        let letters = letters
            .iter()
            .map(|it| (&it.family.as_str()[..4], it.generation));
        eprintln!(
            "  mailbox {:?} lines {:?}",
            letters.collect::<Vec<_>>(),
            self.lines
        );
    }

    /// Lets everything come to rest, and looks at what has become of each tab.
    pub(crate) fn check(mut self) {
        self.world.set_conditions(Conditions::default());
        self.world.set_offline(false);
        self.server.faults.borrow_mut().clear();
        self.server.delay.set(0);
        self.world.settle_storages();
        for tab in &mut self.tabs {
            tab.page.tab.die_after(u32::MAX);
            tab.wake();
        }
        // A dead holder's lease, and a back-off.
        self.world.advance(240);
        for tab in &self.tabs {
            tab.page.tab.resume();
        }
        self.world.advance(10);
        self.note_live();
        self.trace(&Step::Pass(0));
        let live: Vec<_> = self.live_tabs().map(|tab| tab.page.tab.id()).collect();
        let needless = self.server.needless(&live);
        assert!(needless.is_empty(), "{needless:?}");
        self.look_for_losses();
        let wishes: Vec<_> = self.live_tabs().map(|tab| tab.ask(false)).collect();
        self.world.advance(100);
        for wish in wishes {
            assert!(wish.is_there(), "a wish for a token hangs");
        }
        let live: Vec<_> = self.live_tabs().collect();
        for tab in &live {
            self.check_tab(tab);
        }
        for (one, other) in live.iter().zip(live.iter().skip(1)) {
            let is_clear = one.line.is_some_and(|line| !self.lines[line].unclear);
            if one.line == other.line && is_clear {
                assert_eq!(
                    one.generation(),
                    other.generation(),
                    "two tabs of one session"
                );
            }
        }
    }

    fn check_tab(&self, tab: &Tab) {
        let state = tab.page.auth.state();
        assert_ne!(state, State::Loading, "a tab hangs");
        let Some(line) = tab.line.map(|line| &self.lines[line]) else {
            assert!(matches!(state, State::SignedOut(_)), "nobody signed in");
            return;
        };
        if line.unclear {
            return;
        }
        if line.ended {
            assert!(
                matches!(state, State::SignedOut(_)),
                "logged out: {state:?}"
            );
            return;
        }
        if !self.is_honoured(line) {
            return;
        }
        assert!(
            matches!(state, State::SignedIn(_)),
            "an honoured session was lost: {state:?}"
        );
        let grant = tab.grant(&self.server).unwrap();
        assert!(line.grants.contains(&grant), "another session is shown");
    }

    /// Whether somebody holds a good refresh token of a session's last sign-in.
    fn is_honoured(&self, line: &Line) -> bool {
        let holders = self.server.holders();
        let mut good = holders.iter().filter(|token| self.server.honours(token));
        good.any(|token| self.server.grant_of_refresh(token).as_ref() == line.grants.last())
    }

    /// A grant that ended by a second use, while somebody held a token that was good.
    fn look_for_losses(&self) {
        for (index, grant) in self.server.grants.borrow().iter().enumerate() {
            let is_superseded =
                |line: &Line| line.grants.contains(&index) && line.grants.last() != Some(&index);
            assert!(
                grant.ended != Some(Ended::Reused { held: true })
                    || self
                        .lines
                        .iter()
                        .any(|line| is_superseded(line) || line.unclear),
                "an avoidable loss of grant {index}"
            );
        }
    }

    fn live_tabs(&self) -> impl Iterator<Item = &Tab> {
        self.tabs.iter().filter(|tab| tab.page.tab.is_alive())
    }

    fn note_live(&self) {
        let live = self.live_tabs().map(|tab| tab.page.tab.clone());
        self.live.replace(live.collect());
    }

    /// Does something with a tab that is there.
    fn with(&mut self, index: usize, deed: impl FnOnce(&mut Tab)) {
        let count = self.tabs.len().max(1);
        let tab = self.tabs.get_mut(index % count);
        if let Some(tab) = tab.filter(|tab| tab.page.tab.is_alive()) {
            deed(tab);
        }
    }

    fn add(&mut self, tab: FakePlatform, shared: bool, line: Option<usize>) {
        if self.kind == Kind::Leases {
            tab.use_leases();
        }
        let page = Page::with(&self.world, tab, config());
        let tab = Tab {
            page,
            shared,
            line,
            asleep: false,
        };
        tab.start();
        self.tabs.push(tab);
        self.note_live();
        self.world.run_until_idle();
    }

    fn open(&mut self, shared: bool) {
        if self.tabs.len() >= 6 {
            return;
        }
        if shared {
            self.add(self.world.tab_over(&self.shared), true, self.shared_line);
        } else {
            self.add(self.world.tab(), false, None);
        }
    }

    fn duplicate(&mut self, index: usize) {
        let count = self.tabs.len();
        if count == 0 || count >= 6 {
            return;
        }
        let tab = &self.tabs[index % count];
        if tab.page.tab.is_alive() && !tab.asleep {
            let (shared, line) = (tab.shared, tab.line);
            let platform = if shared {
                self.world.tab_over(&self.shared)
            } else {
                tab.page.tab.duplicate()
            };
            self.add(platform, shared, line);
        }
    }

    fn reload(&mut self, index: usize) {
        if self.tabs.is_empty() {
            return;
        }
        let index = index % self.tabs.len();
        let tab = self.tabs.remove(index);
        // What was under way is lost with the page; the storage is as it was.
        self.add(tab.page.tab.reload(), tab.shared, tab.line);
        let tab = self.tabs.pop().unwrap();
        self.tabs.insert(index, tab);
    }

    fn sign_in(&mut self, index: usize, user: u8) {
        let Some(index) = self.awake(index) else {
            return;
        };
        let subject = format!("user{user}");
        let tab = &self.tabs[index];
        let (shared, was_in) = (tab.shared, tab.page.auth.view().is_some());
        self.server.set_user(&subject);
        let auth = tab.page.auth.clone();
        let login = tab
            .page
            .tab
            .start(async move { auth.begin_login(Default::default()).await });
        let uri = self.wait_for(&login).and_then(Result::ok);
        let mut signed_in = None;
        if let Some(uri) = uri {
            let uri = self.server.provider.authorize(&uri);
            let tab = &self.tabs[index];
            let auth = tab.page.auth.clone();
            let callback = tab
                .page
                .tab
                .start(async move { auth.handle_callback(&uri).await.is_ok() });
            signed_in = self.wait_for(&callback);
        }
        let tab = &self.tabs[index];
        let before = if shared { self.shared_line } else { tab.line };
        let stays = before.filter(|line| {
            let line = &self.lines[*line];
            // Where the server gave the grant up meanwhile, the other tabs have lost it for good.
            let grants = self.server.grants.borrow();
            let is_over = |grant: &usize| grants[*grant].ended.is_some();
            let is_lost = line.grants.last().is_some_and(is_over);
            line.subject == subject && !line.ended && !is_lost && (was_in || shared)
        });
        if signed_in == Some(false) {
            return;
        }
        let grant = tab.grant(&self.server).filter(|_| signed_in.is_some());
        let line = stays.unwrap_or_else(|| {
            self.lines.push(Line {
                subject: subject.clone(),
                grants: Vec::new(),
                ended: false,
                unclear: false,
            });
            self.lines.len() - 1
        });
        if let Some(grant) = grant {
            self.lines[line].grants.push(grant);
        }
        if grant.is_none() || !self.tabs[index].page.tab.is_alive() {
            self.lines[line].unclear = true;
            if let Some(before) = before {
                self.lines[before].unclear = true;
            }
        }
        self.tabs[index].line = Some(line);
        if shared {
            self.shared_line = Some(line);
            for tab in self.tabs.iter_mut().filter(|tab| tab.shared) {
                tab.line = Some(line);
            }
        }
    }

    fn log_out(&mut self, index: usize) {
        let Some(index) = self.awake(index) else {
            return;
        };
        let tab = &self.tabs[index];
        let grant = tab.grant(&self.server);
        let auth = tab.page.auth.clone();
        let logout = tab
            .page
            .tab
            .start(async move { auth.begin_logout(Default::default()).await });
        let done = self.wait_for(&logout).is_some();
        let Some(grant) = grant else { return };
        let subject = self.server.grants.borrow()[grant].subject.clone();
        for line in self.lines.iter_mut().filter(|line| line.subject == subject) {
            line.ended = true;
            line.unclear |= !done;
        }
    }

    /// A tab that can be used.
    fn awake(&self, index: usize) -> Option<usize> {
        let index = index.checked_rem(self.tabs.len())?;
        let tab = &self.tabs[index];
        (tab.page.tab.is_alive() && !tab.asleep).then_some(index)
    }

    fn wait_for<T>(&self, outcome: &Outcome<T>) -> Option<T> {
        self.note_live();
        for _ in 0..200 {
            self.world.run_until_idle();
            if outcome.is_there() {
                break;
            }
            self.world.advance_millis(200);
        }
        outcome.take()
    }
}

impl Tab {
    fn start(&self) {
        let auth = self.page.auth.clone();
        drop(self.page.tab.start(async move { auth.start(None).await }));
    }

    fn wake(&mut self) {
        if core::mem::take(&mut self.asleep) {
            self.page.tab.leave_bfcache();
        }
    }

    fn ask(&self, force: bool) -> Outcome<bool> {
        let mut options = TokenOptions::default();
        options.force_refresh = force;
        let auth = self.page.auth.clone();
        self.page
            .tab
            .start(async move { auth.access_token(options).await.is_ok() })
    }

    /// The grant that its session belongs to.
    fn grant(&self, server: &Server) -> Option<usize> {
        let view = self.page.auth.view()?;
        let token = view.get("tokens")?.get("")?.get_str("access_token")?;
        server.grant_of(token)
    }

    fn generation(&self) -> Option<u64> {
        match self.page.auth.state() {
            State::SignedIn(signed_in) => Some(signed_in.generation),
            _ => None,
        }
    }
}

/// Knows what refresh tokens live tabs and the mailbox hold.
struct Holders {
    world: World,
    live: Rc<RefCell<Vec<FakePlatform>>>,
    /// Every family that was ever seen in a storage: with its key a letter can be opened.
    families: RefCell<Vec<Family>>,
}

impl Holders {
    fn tokens(&self, server: &Server) -> Vec<String> {
        let live = self.live.borrow();
        let live: Vec<_> = live.iter().filter(|tab| tab.is_alive()).collect();
        let pages: Vec<_> = live.iter().map(|tab| tab.id()).collect();
        let mut tokens = server.received_by(&pages);
        for tab in live {
            let stored = tab.storage().texts().get(SESSION_KEY).cloned();
            tokens.extend(stored.and_then(|text| self.token(&text)));
        }
        for letter in self.world.letters() {
            let families = self.families.borrow().clone();
            let family = families.iter().find(|it| it.id == letter.family);
            let text = family.and_then(|it| it.open(letter.generation, &letter.sealed));
            tokens.extend(text.and_then(|text| self.token(text.expose())));
        }
        tokens
    }

    fn token(&self, text: &str) -> Option<String> {
        let Stored::Record(record) = Record::decode(text, self.world.now()) else {
            return None;
        };
        self.families.borrow_mut().push(record.family);
        record.refresh_token.map(|token| token.expose().to_owned())
    }
}
