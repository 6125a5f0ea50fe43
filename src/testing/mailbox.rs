//! The mailbox between tabs: coherent, and atomic in each of its steps, as IndexedDB is. It takes its time.

use super::journal::Happening;
use super::life::Life;
use super::platform::FakePlatform;
use super::world::World;
use crate::client::ports::{Doorbell, Later, Mailbox, NoMailbox, OnRing, Posted, Receipt};
use crate::session::family::{FamilyId, Letter};
use core::cell::RefCell;
use core::future::{poll_fn, ready};
use core::task::Poll;
use std::collections::BTreeMap;
use std::rc::Rc;

/// What there is of each family.
#[derive(Default)]
pub(super) struct Drawers(BTreeMap<FamilyId, Drawer>);

#[derive(Default)]
struct Drawer {
    newest: Option<Letter>,
    ended: bool,
    /// The generation whose refresh has no answer yet.
    marked: Option<u64>,
}

/// Something that the mailbox will do, when it is due.
pub(super) type Operation = (i64, Box<dyn FnOnce(&World)>);

impl Drawers {
    fn posted(&self, family: &FamilyId) -> Posted {
        let Some(drawer) = self.0.get(family) else {
            return Posted::Nothing;
        };
        match &drawer.newest {
            _ if drawer.ended => Posted::Ended,
            None => Posted::Nothing,
            Some(letter) => Posted::Letter {
                generation: letter.generation,
                sealed: letter.sealed.clone(),
                unanswered: drawer.marked == Some(letter.generation),
            },
        }
    }

    fn post(&mut self, letter: Letter) -> Receipt {
        let drawer = self.0.entry(letter.family.clone()).or_default();
        let newest = drawer.newest.as_ref().map(|newest| newest.generation);
        if drawer.ended {
            return Receipt::Ended;
        }
        if let Some(newest) = newest.filter(|newest| *newest >= letter.generation) {
            return Receipt::Surpassed(newest);
        }
        drawer.newest = Some(letter);
        Receipt::Kept
    }

    /// Ends families; gives those that were ended now.
    fn end(&mut self, end: &End) -> (Receipt, Vec<FamilyId>) {
        let drawer = self.0.entry(end.family.clone()).or_default();
        let newest = drawer.newest.as_ref().map(|newest| newest.generation);
        if let Some((newest, known)) = newest.zip(end.unless_above)
            && newest > known
        {
            return (Receipt::Surpassed(newest), Vec::new());
        }
        let mut ended = Vec::new();
        for (id, drawer) in &mut self.0 {
            let owner = drawer.newest.as_ref().map(|letter| &letter.owner);
            if *id == end.family || owner.is_some() && owner == end.owner.as_ref() {
                (drawer.newest, drawer.ended) = (None, true);
                ended.push(id.clone());
            }
        }
        (Receipt::Kept, ended)
    }
}

/// A wish to end a family.
#[derive(Clone)]
struct End {
    family: FamilyId,
    owner: Option<String>,
    unless_above: Option<u64>,
}

impl World {
    /// What the mailbox has: the newest letter of each family that has not ended.
    #[must_use]
    pub fn letters(&self) -> Vec<Letter> {
        let mailbox = self.0.mailbox.borrow();
        let newest = mailbox.0.values().map(|drawer| drawer.newest.clone());
        newest.flatten().collect()
    }

    /// What the mailbox has of a family.
    #[must_use]
    pub fn mailbox(&self, family: &FamilyId) -> Vec<Letter> {
        let mut letters = self.letters();
        letters.retain(|letter| letter.family == *family);
        letters
    }

    /// Whether the mailbox says that a family has ended.
    #[must_use]
    pub fn has_ended(&self, family: &FamilyId) -> bool {
        let mailbox = self.0.mailbox.borrow();
        mailbox.0.get(family).is_some_and(|drawer| drawer.ended)
    }

    /// Ends a family in the mailbox, as another tab would that does not ring.
    pub fn end_family(&self, family: &FamilyId) {
        let _ = self.0.mailbox.borrow_mut().end(&End {
            family: family.clone(),
            owner: None,
            unless_above: None,
        });
    }

    /// Takes the mailbox away with all that is in it, as a user does who clears the site's data.
    pub fn empty_mailbox(&self) {
        self.0.mailbox.take();
    }

    /// Has something done by the mailbox, in the order in which it was asked. It is done also where nobody waits for it.
    fn operate<T: 'static>(&self, deed: impl FnOnce(&Self) -> T + 'static) -> Later<T> {
        let delay = self.conditions().mailbox_delay;
        let result = Rc::new(RefCell::new(None));
        let mut operations = self.0.operations.borrow_mut();
        let queued = operations.back().map(|(at, _)| *at);
        let at = (self.now().monotonic + delay).max(queued.unwrap_or(0));
        let is_at_once = delay == 0 && queued.is_none();
        if !is_at_once {
            let result = result.clone();
            let deed = move |world: &Self| drop(result.replace(Some(deed(world))));
            operations.push_back((at, Box::new(deed)));
        } else {
            drop(operations);
            result.replace(Some(deed(self)));
        }
        let world = self.clone();
        Box::pin(async move {
            world.wait_until(at + delay).await;
            poll_fn(|_| {
                let mut result = result.borrow_mut();
                result.take().map_or(Poll::Pending, Poll::Ready)
            })
            .await
        })
    }

    /// Has the mailbox do what is due.
    pub(super) fn run_operations(&self) {
        loop {
            let mut operations = self.0.operations.borrow_mut();
            let now = self.now().monotonic;
            let Some((_, deed)) = operations.pop_front_if(|(at, _)| *at <= now) else {
                return;
            };
            drop(operations);
            deed(self);
        }
    }
}

impl FakePlatform {
    fn acts(&self) -> bool {
        self.0.life.acts(self.0.world.turn())
    }

    /// Hands something to the tabs that are awake and to this one, where there is no mailbox.
    fn hand_out(&self, deed: impl Fn(&mut Drawers) + 'static) {
        let (world, life, deed) = (&self.0.world, &self.0.life, Rc::new(deed));
        deed(&mut life.memory.borrow_mut());
        let conditions = world.conditions();
        for other in world.others(life.page) {
            if !other.deaf.get() && !world.one_in(conditions.rings_lost) {
                let (deed, hearer) = (deed.clone(), other.clone());
                let hear = move || deed(&mut hearer.memory.borrow_mut());
                world.tell_page(&other, conditions.ring_delay, hear);
            }
        }
    }

    /// Asks the tabs that are awake, and this one, where there is no mailbox.
    async fn ask_around(&self, family: &FamilyId) -> Posted {
        let (world, life) = (&self.0.world, &self.0.life);
        let conditions = world.conditions();
        world
            .wait_until(world.now().monotonic + 2 * conditions.ring_delay)
            .await;
        let mut best = life.memory.borrow().posted(family);
        for other in world.others(life.page) {
            if !other.is_awake() || world.one_in(conditions.rings_lost) {
                continue;
            }
            let told = other.memory.borrow().posted(family);
            if rank(&told) > rank(&best) {
                best = told;
            }
        }
        best
    }
}

/// Which of two answers is later.
const fn rank(posted: &Posted) -> u64 {
    match posted {
        Posted::Nothing => 0,
        Posted::Letter { generation, .. } => *generation,
        Posted::Ended => u64::MAX,
    }
}

impl Mailbox for FakePlatform {
    fn newest(&self, family: &FamilyId) -> Later<Result<Posted, NoMailbox>> {
        let family = family.clone();
        if self.0.has_mailbox.get() {
            let look = move |world: &World| world.0.mailbox.borrow().posted(&family);
            let found = self.0.world.operate(look);
            Box::pin(async move { Ok(found.await) })
        } else {
            let tab = self.clone();
            Box::pin(async move { Err(NoMailbox(tab.ask_around(&family).await)) })
        }
    }

    fn post(&self, letter: &Letter) -> Later<Receipt> {
        let letter = letter.clone();
        if self.acts() {
            if self.0.has_mailbox.get() {
                return self.0.world.operate(move |world| world.keep(letter));
            }
            self.hand_out(move |drawers| {
                let _ = drawers.post(letter.clone());
            });
        }
        Box::pin(ready(Receipt::Absent))
    }

    fn mark(&self, family: &FamilyId, generation: u64, unanswered: bool) {
        if self.acts() && self.0.has_mailbox.get() {
            let family = family.clone();
            drop(self.0.world.operate(move |world| {
                let mut mailbox = world.0.mailbox.borrow_mut();
                let drawer = mailbox.0.entry(family).or_default();
                drawer.marked = unanswered.then_some(generation);
            }));
        }
    }

    fn end(
        &self,
        family: &FamilyId,
        owner: Option<&str>,
        unless_above: Option<u64>,
    ) -> Later<Receipt> {
        let end = End {
            family: family.clone(),
            owner: owner.map(str::to_owned),
            unless_above,
        };
        if self.acts() {
            let life = self.0.life.clone();
            if self.0.has_mailbox.get() {
                return self.0.world.operate(move |world| world.finish(&end, &life));
            }
            self.hand_out(move |drawers| drop(drawers.end(&end)));
            self.0.world.ring(life.page, family, u64::MAX);
        }
        Box::pin(ready(Receipt::Absent))
    }
}

impl World {
    fn keep(&self, letter: Letter) -> Receipt {
        let family = letter.family.clone();
        let receipt = self.0.mailbox.borrow_mut().post(letter);
        if receipt == Receipt::Kept {
            self.note(Happening::Committed(family));
        }
        receipt
    }

    fn finish(&self, end: &End, life: &Life) -> Receipt {
        let (receipt, ended) = self.0.mailbox.borrow_mut().end(end);
        if receipt == Receipt::Kept {
            self.note(Happening::Committed(end.family.clone()));
        }
        // Who has left rings no more.
        for family in ended.iter().filter(|_| !life.is_dead()) {
            self.ring(life.page, family, u64::MAX);
        }
        receipt
    }
}

impl Doorbell for FakePlatform {
    fn ring(&self, family: &FamilyId, generation: u64) {
        if self.acts() {
            self.0.world.ring(self.0.life.page, family, generation);
        }
    }

    fn on_ring(&self, hear: OnRing) {
        self.0.life.ear.replace(Some(Rc::from(hear)));
    }
}
