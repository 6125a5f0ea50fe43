//! The mailbox between tabs: coherent, and atomic in each of its steps, as IndexedDB is.

use super::journal::Happening;
use super::platform::FakePlatform;
use super::world::World;
use crate::client::ports::{Doorbell, Later, Mailbox, NoMailbox, OnRing, Posted, Receipt};
use crate::session::family::{FamilyId, Letter};
use core::future::ready;
use std::rc::Rc;

/// What the mailbox has of one family.
#[derive(Default)]
pub(super) struct Drawer {
    pub(super) letters: Vec<Letter>,
    pub(super) ended: bool,
    /// The generation whose refresh has no answer yet.
    pub(super) marked: Option<u64>,
}

impl Drawer {
    fn newest(&self) -> Option<&Letter> {
        self.letters.iter().max_by_key(|letter| letter.generation)
    }
}

impl World {
    pub(super) fn newest(&self, family: &FamilyId) -> Posted {
        let mailbox = self.0.mailbox.borrow();
        match mailbox.get(family) {
            Some(drawer) if drawer.ended => Posted::Ended,
            Some(drawer) => drawer
                .newest()
                .map_or(Posted::Nothing, |letter| Posted::Letter {
                    generation: letter.generation,
                    sealed: letter.sealed.clone(),
                    unanswered: drawer.marked == Some(letter.generation),
                }),
            None => Posted::Nothing,
        }
    }

    pub(super) fn post(&self, letter: &Letter) -> Receipt {
        let mut mailbox = self.0.mailbox.borrow_mut();
        let drawer = mailbox.entry(letter.family.clone()).or_default();
        if drawer.ended {
            return Receipt::Ended;
        }
        if let Some(newest) = drawer.newest().map(|newest| newest.generation)
            && newest >= letter.generation
        {
            return Receipt::Surpassed(newest);
        }
        drawer.letters.clear();
        drawer.letters.push(letter.clone());
        drop(mailbox);
        self.note(Happening::Committed(letter.family.clone()));
        Receipt::Kept
    }

    pub(super) fn mark(&self, family: &FamilyId, generation: u64, unanswered: bool) {
        let mut mailbox = self.0.mailbox.borrow_mut();
        mailbox.entry(family.clone()).or_default().marked = unanswered.then_some(generation);
    }

    /// Ends families; gives those that were ended now.
    pub(super) fn end(
        &self,
        family: &FamilyId,
        owner: Option<&str>,
        unless_above: Option<u64>,
    ) -> (Receipt, Vec<FamilyId>) {
        let mut mailbox = self.0.mailbox.borrow_mut();
        let drawer = mailbox.entry(family.clone()).or_default();
        if let Some((newest, known)) = drawer.newest().map(|it| it.generation).zip(unless_above)
            && newest > known
        {
            return (Receipt::Surpassed(newest), Vec::new());
        }
        let mut ended = Vec::new();
        for (id, drawer) in mailbox.iter_mut() {
            let is_owners = drawer
                .letters
                .iter()
                .any(|it| Some(it.owner.as_str()) == owner);
            if id == family || is_owners {
                drawer.letters.clear();
                drawer.ended = true;
                ended.push(id.clone());
            }
        }
        drop(mailbox);
        self.note(Happening::Committed(family.clone()));
        (Receipt::Kept, ended)
    }
}

impl Mailbox for FakePlatform {
    fn newest(&self, family: &FamilyId) -> Later<Result<Posted, NoMailbox>> {
        Box::pin(ready(if self.0.has_mailbox.get() {
            Ok(self.0.world.newest(family))
        } else {
            Err(NoMailbox(Posted::Nothing))
        }))
    }

    fn post(&self, letter: &Letter) -> Later<Receipt> {
        let has_mailbox = self.0.has_mailbox.get();
        Box::pin(ready(if has_mailbox {
            self.0.world.post(letter)
        } else {
            Receipt::Absent
        }))
    }

    fn mark(&self, family: &FamilyId, generation: u64, unanswered: bool) {
        if self.0.has_mailbox.get() {
            self.0.world.mark(family, generation, unanswered);
        }
    }

    fn end(
        &self,
        family: &FamilyId,
        owner: Option<&str>,
        unless_above: Option<u64>,
    ) -> Later<Receipt> {
        let mut receipt = Receipt::Absent;
        if self.0.has_mailbox.get() {
            let ended;
            (receipt, ended) = self.0.world.end(family, owner, unless_above);
            for family in ended {
                self.ring(&family, u64::MAX);
            }
        }
        Box::pin(ready(receipt))
    }
}

impl Doorbell for FakePlatform {
    fn ring(&self, family: &FamilyId, generation: u64) {
        let world = &self.0.world;
        let ring = (self.0.id, family.clone(), generation);
        world.0.rings.borrow_mut().push(ring);
        let ears = world.0.ears.borrow().clone();
        for (page, ear) in ears.into_iter().filter(|(page, _)| *page != self.0.id) {
            let family = family.clone();
            let task = async move { ear(family.as_str(), generation) };
            world.spawn(page, Box::pin(task));
        }
    }

    fn on_ring(&self, hear: OnRing) {
        let mut ears = self.0.world.0.ears.borrow_mut();
        ears.insert(self.0.id, Rc::from(hear));
    }
}
