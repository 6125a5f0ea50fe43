use crate::client::ports::{Storage, StorageError};
use js_sys::Object;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// Anything with `getItem`, `setItem` and `removeItem`: `sessionStorage`, `localStorage`, an application's own.
    #[derive(Clone)]
    pub type JsStorage;

    #[wasm_bindgen(method, catch, js_name = getItem)]
    fn get_item(this: &JsStorage, key: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch, js_name = setItem)]
    fn set_item(this: &JsStorage, key: &str, value: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch, js_name = removeItem)]
    fn remove_item(this: &JsStorage, key: &str) -> Result<(), JsValue>;
}

/// Where texts are kept.
#[derive(Clone)]
#[allow(clippy::exhaustive_enums, reason = "made by applications")]
pub enum BrowserStorage {
    /// In this object.
    Object(JsStorage),
    /// Nowhere, and that is as it should be: the session lives in memory.
    Memory,
    /// Nowhere, because the browser denies access.
    Denied,
}

impl BrowserStorage {
    /// The tab's sessionStorage, unless the browser denies it.
    #[must_use]
    pub fn tab() -> Self {
        let storage = web_sys::window().and_then(|window| window.session_storage().ok().flatten());
        storage.map_or(Self::Denied, |storage| {
            Self::Object(storage.unchecked_into())
        })
    }
}

impl Storage for BrowserStorage {
    fn load(&self, key: &str) -> Result<Option<String>, StorageError> {
        match self {
            Self::Object(storage) => storage
                .get_item(key)
                .map(|value| value.as_string())
                .map_err(|_| StorageError),
            Self::Memory => Ok(None),
            Self::Denied => Err(StorageError),
        }
    }

    fn save(&self, key: &str, value: &str) -> Result<(), StorageError> {
        match self {
            Self::Object(storage) => storage.set_item(key, value).map_err(|_| StorageError),
            Self::Memory => Ok(()),
            Self::Denied => Err(StorageError),
        }
    }

    fn remove(&self, key: &str) -> Result<(), StorageError> {
        match self {
            Self::Object(storage) => storage.remove_item(key).map_err(|_| StorageError),
            Self::Memory => Ok(()),
            Self::Denied => Err(StorageError),
        }
    }

    fn keys(&self, prefix: &str) -> Vec<String> {
        let Self::Object(storage) = self else {
            return Vec::new();
        };
        let keys = Object::keys(storage.unchecked_ref::<Object>());
        keys.iter()
            .filter_map(|key| key.as_string())
            .filter(|key| key.starts_with(prefix))
            .collect()
    }
}
