//! A storage that can be made to fail, and that tells each tab its own truth.

use super::journal::Happening;
use super::life::Life;
use super::world::World;
use crate::client::ports::{Storage, StorageError};
use core::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

/// A storage. Cheap to clone; all clones are one storage, so two tabs can share one.
#[derive(Clone)]
pub struct FakeStorage {
    area: Rc<Area>,
    /// Of the page that looks, or of whoever looks from outside.
    life: Rc<Life>,
}

struct Area {
    world: World,
    id: u64,
    shared: bool,
    /// By key all writes that somebody may not see yet, and the one before them.
    texts: RefCell<BTreeMap<String, Vec<Write>>>,
    trouble: Cell<Trouble>,
}

struct Write {
    /// Which page wrote it, and reads it at once.
    by: u64,
    number: u64,
    seen_at: i64,
    text: Option<String>,
}

/// What is wrong with a storage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trouble {
    /// Nothing.
    #[default]
    None,
    /// It takes nothing more; what it has can be read and removed.
    Full,
    /// Every access is refused.
    Denied,
    /// It says yes to every write, and keeps none.
    LosesWrites,
}

impl FakeStorage {
    /// An empty one.
    #[must_use]
    pub fn new(world: &World) -> Self {
        Self::empty(world, false)
    }

    /// Another one with the same texts in it, as `window.open` makes of sessionStorage.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        let duplicate = Self::new(&self.area.world);
        duplicate.restore(self.texts());
        duplicate
    }

    /// An empty one that every tab which is given it writes to, as localStorage is: a tab reads its own writes at once, and
    /// those of others when the [`Conditions`](super::Conditions) say.
    #[must_use]
    pub fn shared(world: &World) -> Self {
        Self::empty(world, true)
    }

    /// From now on it has this trouble.
    pub fn set_trouble(&self, trouble: Trouble) {
        self.area.trouble.set(trouble);
    }

    /// All that it holds, whatever its trouble, and whoever can read it yet.
    #[must_use]
    pub fn texts(&self) -> BTreeMap<String, String> {
        let texts = self.area.texts.borrow();
        let latest = texts.iter().filter_map(|(key, writes)| {
            let text = writes.last()?.text.clone()?;
            Some((key.clone(), text))
        });
        latest.collect()
    }

    /// Puts a text there, whatever its trouble; everybody can read it.
    pub fn put(&self, key: &str, text: &str) {
        self.write(key, Some(text), u64::MAX, 0);
    }

    /// From now on it holds just this, for everybody: a browser that was killed forgets what it wrote last.
    pub fn restore(&self, texts: BTreeMap<String, String>) {
        self.area.texts.take();
        for (key, text) in texts {
            self.put(&key, &text);
        }
    }

    /// The one text whose key begins so; `None` where there is none, or more than one.
    #[must_use]
    pub fn only(&self, prefix: &str) -> Option<(String, String)> {
        let texts = self.texts();
        let mut found = texts.into_iter().filter(|(key, _)| key.starts_with(prefix));
        let only = found.next();
        only.filter(|_| found.next().is_none())
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.area.id == other.area.id
    }

    pub(super) fn id(&self) -> u64 {
        self.area.id
    }

    /// The same storage, as this page sees it.
    pub(super) fn seen_by(&self, life: &Rc<Life>) -> Self {
        Self {
            area: self.area.clone(),
            life: life.clone(),
        }
    }

    fn empty(world: &World, shared: bool) -> Self {
        let area = Area {
            world: world.clone(),
            id: world.next_id(),
            shared,
            texts: RefCell::default(),
            trouble: Cell::default(),
        };
        Self {
            area: Rc::new(area),
            life: Life::eternal(),
        }
    }

    fn refuse(&self, troubles: &[Trouble]) -> Result<(), StorageError> {
        if troubles.contains(&self.area.trouble.get()) {
            Err(StorageError)
        } else {
            Ok(())
        }
    }

    /// What this page reads under a key.
    fn read(&self, key: &str) -> Option<String> {
        let texts = self.area.texts.borrow();
        let mut writes = texts.get(key)?.iter().rev();
        writes.find(|write| self.sees(write))?.text.clone()
    }

    fn sees(&self, write: &Write) -> bool {
        let world = &self.area.world;
        let (page, now) = (self.life.page, world.now().monotonic);
        let was_there = write.number < page.max(world.0.settled.get());
        write.by == page || write.seen_at <= now || was_there
    }

    /// Whether a write or a removal by this page has an effect.
    fn acts(&self) -> bool {
        let world = &self.area.world;
        let acts = self.life.acts(world.turn());
        let loses = self.area.trouble.get() == Trouble::LosesWrites;
        acts && !loses && !world.one_in(world.conditions().writes_lost)
    }

    fn write(&self, key: &str, text: Option<&str>, by: u64, lag: i64) {
        let world = &self.area.world;
        let (number, now) = (world.next_id(), world.now().monotonic);
        let mut texts = self.area.texts.borrow_mut();
        let writes = texts.entry(key.to_owned()).or_default();
        let settled = world.0.settled.get();
        let previous = writes.last().filter(|write| write.number >= settled);
        let previous = previous.map_or(0, |write| write.seen_at);
        // What everybody has seen need not be kept, but for the last of it.
        let seen = writes.iter().rposition(|write| write.seen_at <= now);
        writes.drain(..seen.unwrap_or(0));
        writes.push(Write {
            by,
            number,
            seen_at: now.saturating_add(lag).max(previous),
            text: text.map(str::to_owned),
        });
    }

    /// Writes as this page; the others read it later, and are told if it was something else.
    fn change(&self, key: &str, text: Option<&str>) {
        let world = &self.area.world;
        let conditions = world.conditions();
        let lag = if self.area.shared {
            conditions.storage_lag
        } else {
            0
        };
        let changes = self.read(key).as_deref() != text;
        self.write(key, text, self.life.page, lag);
        if !conditions.storage_events || !changes || lag == i64::MAX {
            return;
        }
        for life in world.others(self.life.page) {
            if life.area == self.area.id {
                let ear = life.ear.borrow().clone();
                if let Some(ear) = ear {
                    world.tell_page(&life, lag, move || ear("", 0));
                }
            }
        }
    }
}

impl Storage for FakeStorage {
    fn load(&self, key: &str) -> Result<Option<String>, StorageError> {
        self.refuse(&[Trouble::Denied])?;
        Ok(self.read(key))
    }

    fn save(&self, key: &str, value: &str) -> Result<(), StorageError> {
        self.refuse(&[Trouble::Denied, Trouble::Full])?;
        if self.acts() {
            self.change(key, Some(value));
            let what = Happening::Stored(key.to_owned(), value.to_owned());
            self.area.world.note(what);
        }
        Ok(())
    }

    fn remove(&self, key: &str) -> Result<(), StorageError> {
        self.refuse(&[Trouble::Denied])?;
        // A removal is not among the writes that are lost.
        if self.life.acts(self.area.world.turn()) {
            self.change(key, None);
            self.area.world.note(Happening::Removed(key.to_owned()));
        }
        Ok(())
    }

    fn keys(&self, prefix: &str) -> Vec<String> {
        if self.refuse(&[Trouble::Denied]).is_err() {
            return Vec::new();
        }
        let keys: Vec<_> = self.area.texts.borrow().keys().cloned().collect();
        let keys = keys.into_iter().filter(|key| key.starts_with(prefix));
        keys.filter(|key| self.read(key).is_some()).collect()
    }

    fn is_shared(&self) -> bool {
        self.area.shared
    }
}
