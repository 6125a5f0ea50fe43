//! A storage that can be made to fail.

use super::journal::Happening;
use super::world::World;
use crate::client::ports::{Storage, StorageError};
use core::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

/// A storage. Cheap to clone; all clones are one storage, so two tabs can share one.
#[derive(Clone)]
pub struct FakeStorage(Rc<Inner>);

struct Inner {
    world: World,
    shared: Cell<bool>,
    texts: RefCell<BTreeMap<String, String>>,
    trouble: Cell<Trouble>,
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
        Self(Rc::new(Inner {
            world: world.clone(),
            shared: Cell::default(),
            texts: RefCell::default(),
            trouble: Cell::default(),
        }))
    }

    /// Another one with the same texts in it, as `window.open` makes of sessionStorage.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        let duplicate = Self::new(&self.0.world);
        duplicate.0.texts.replace(self.texts());
        duplicate
    }

    /// An empty one that every tab which is given it writes to, as localStorage is.
    #[must_use]
    pub fn shared(world: &World) -> Self {
        let storage = Self::new(world);
        storage.0.shared.set(true);
        storage
    }

    /// From now on it has this trouble.
    pub fn set_trouble(&self, trouble: Trouble) {
        self.0.trouble.set(trouble);
    }

    /// All that it holds, whatever its trouble.
    #[must_use]
    pub fn texts(&self) -> BTreeMap<String, String> {
        self.0.texts.borrow().clone()
    }

    /// Puts a text there, whatever its trouble.
    pub fn put(&self, key: &str, text: &str) {
        self.0
            .texts
            .borrow_mut()
            .insert(key.to_owned(), text.to_owned());
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
        Rc::ptr_eq(&self.0, &other.0)
    }

    fn refuse(&self, troubles: &[Trouble]) -> Result<(), StorageError> {
        if troubles.contains(&self.0.trouble.get()) {
            Err(StorageError)
        } else {
            Ok(())
        }
    }
}

impl Storage for FakeStorage {
    fn load(&self, key: &str) -> Result<Option<String>, StorageError> {
        self.refuse(&[Trouble::Denied])?;
        Ok(self.0.texts.borrow().get(key).cloned())
    }

    fn save(&self, key: &str, value: &str) -> Result<(), StorageError> {
        self.refuse(&[Trouble::Denied, Trouble::Full])?;
        if self.0.trouble.get() != Trouble::LosesWrites {
            self.put(key, value);
            let what = Happening::Stored(key.to_owned(), value.to_owned());
            self.0.world.note(what);
        }
        Ok(())
    }

    fn remove(&self, key: &str) -> Result<(), StorageError> {
        self.refuse(&[Trouble::Denied])?;
        self.0.texts.borrow_mut().remove(key);
        self.0.world.note(Happening::Removed(key.to_owned()));
        Ok(())
    }

    fn keys(&self, prefix: &str) -> Vec<String> {
        if self.refuse(&[Trouble::Denied]).is_err() {
            return Vec::new();
        }
        let texts = self.0.texts.borrow();
        let keys = texts.keys().filter(|key| key.starts_with(prefix));
        keys.cloned().collect()
    }

    fn is_shared(&self) -> bool {
        self.0.shared.get()
    }
}
