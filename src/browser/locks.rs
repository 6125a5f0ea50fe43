use super::Browser;
use super::port::Line;
use crate::client::ports::{Exclusion, LockError, Locks};
use std::rc::Rc;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/browser/locks.js")]
extern "C" {
    #[wasm_bindgen(js_name = Locks)]
    pub(super) type JsLocks;

    #[wasm_bindgen(method)]
    fn lock(this: &JsLocks, ticket: u32, name: &str, seconds: u32);

    #[wasm_bindgen(method)]
    fn release(this: &JsLocks, ticket: u32);
}

/// What a wish came to; anything else is that there is no way. `locks.js` has the same numbers.
const LOCKED: u32 = 0;
const TIMEOUT: u32 = 2;
const LEASED: u32 = 3;

/// A lock, or a wish for one; given up when dropped.
pub struct Guard {
    line: Rc<Line>,
    ticket: u32,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.line.locks.release(self.ticket);
    }
}

impl Locks for Browser {
    type Guard = Guard;

    async fn acquire(&self, name: &str, timeout: u32) -> Result<(Guard, Exclusion), LockError> {
        let call = self.line.call();
        self.line.locks.lock(call.ticket, name, timeout);
        let guard = Guard {
            line: self.line.clone(),
            ticket: call.ticket,
        };
        match call.await.0 {
            LOCKED => Ok((guard, Exclusion::Lock)),
            LEASED => Ok((guard, Exclusion::Lease)),
            TIMEOUT => Err(LockError::Timeout),
            _ => Err(LockError::Absent),
        }
    }
}
