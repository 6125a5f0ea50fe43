use super::port::{keys, load, save, tab_storage};
use crate::client::ports::{Storage, StorageError};
use crate::protocol::text::pieces;
use wasm_bindgen::JsValue;

/// Where texts are kept.
#[derive(Clone)]
#[allow(clippy::exhaustive_enums, reason = "made by applications")]
pub enum BrowserStorage {
    /// In this object, with `getItem`, `setItem` and `removeItem`: `sessionStorage`, `localStorage`, an application's own.
    Object(JsValue),
    /// Nowhere, and that is as it should be: the session lives in memory.
    Memory,
    /// Nowhere, because the browser denies access.
    Denied,
}

impl BrowserStorage {
    /// The tab's sessionStorage, unless the browser denies it.
    #[must_use]
    pub fn tab() -> Self {
        let storage = tab_storage();
        if storage.is_null() {
            Self::Denied
        } else {
            Self::Object(storage)
        }
    }

    fn write(&self, key: &str, value: Option<&str>) -> Result<(), StorageError> {
        let done = match self {
            Self::Object(storage) => save(storage, key, value),
            Self::Memory => true,
            Self::Denied => false,
        };
        if done { Ok(()) } else { Err(StorageError) }
    }
}

impl Storage for BrowserStorage {
    fn load(&self, key: &str) -> Result<Option<String>, StorageError> {
        match self {
            Self::Object(storage) => {
                let text = load(storage, key).ok_or(StorageError)?;
                // What could not be removed was overwritten with nothing.
                Ok(Some(text).filter(|text| !text.is_empty()))
            }
            Self::Memory => Ok(None),
            Self::Denied => Err(StorageError),
        }
    }

    fn save(&self, key: &str, value: &str) -> Result<(), StorageError> {
        self.write(key, Some(value))
    }

    fn remove(&self, key: &str) -> Result<(), StorageError> {
        self.write(key, None)
    }

    fn keys(&self, prefix: &str) -> Vec<String> {
        let Self::Object(storage) = self else {
            return Vec::new();
        };
        let lines = keys(storage, prefix);
        let mut keys = Vec::new();
        for key in pieces(&lines, b'\n') {
            if key.starts_with(prefix) {
                keys.push(key.to_owned());
            }
        }
        keys
    }

    fn is_shared(&self) -> bool {
        matches!(self, Self::Object(storage) if *storage != tab_storage())
    }

    fn is_memory(&self) -> bool {
        matches!(self, Self::Memory)
    }
}
