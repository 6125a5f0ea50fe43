use super::Browser;
use crate::client::ports::{LockError, Locks};
use js_sys::{Function, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortSignal;

#[wasm_bindgen]
extern "C" {
    /// Web Locks; web-sys has them as unstable only.
    type LockManager;

    #[wasm_bindgen(method, catch)]
    fn request(
        this: &LockManager,
        name: &str,
        options: &Object,
        granted: &JsValue,
    ) -> Result<Pending, JsValue>;

    /// A promise, with `catch` for a function that is dropped with it.
    type Pending;

    #[wasm_bindgen(method, js_name = catch)]
    fn on_refusal(this: &Pending, handler: &JsValue) -> JsValue;
}

/// A Web Lock, held until dropped.
pub struct Guard(Option<Function>);

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(release) = &self.0 {
            // A promise's resolver does not throw.
            let _ = release.call0(&JsValue::UNDEFINED);
        }
    }
}

impl Locks for Browser {
    type Guard = Guard;

    async fn acquire(&self, name: &str, timeout: u32) -> Result<Guard, LockError> {
        let locks = manager().ok_or(LockError::Absent)?;
        let signal = AbortSignal::timeout_with_u32(timeout.saturating_mul(1000));
        let options = Object::new();
        Reflect::set(&options, &"signal".into(), &signal).map_err(|_| LockError::Absent)?;
        let mut release = None;
        let held = Promise::new(&mut |resolve, _| release = Some(resolve));
        let granted = Promise::new(&mut |resolve, reject| {
            let held = held.clone();
            let grant = Closure::once_into_js(move || {
                // A promise's resolver does not throw.
                let _ = resolve.call0(&JsValue::UNDEFINED);
                held
            });
            // Rejected where locks are refused, and when the time is up; once granted, nobody listens.
            let refuse = Closure::once_into_js(move |error: JsValue| {
                drop(reject.call1(&JsValue::UNDEFINED, &error))
            });
            match locks.request(name, &options, &grant) {
                Ok(pending) => drop(pending.on_refusal(&refuse)),
                Err(error) => drop(
                    refuse
                        .unchecked_ref::<Function>()
                        .call1(&JsValue::UNDEFINED, &error),
                ),
            }
        });
        let guard = Guard(release);
        match JsFuture::from(granted).await {
            Ok(_) => Ok(guard),
            Err(_) if signal.aborted() => Err(LockError::Timeout),
            Err(_) => Err(LockError::Absent),
        }
    }
}

/// Missing on plain http beyond loopback, and in older engines.
fn manager() -> Option<LockManager> {
    let locks = Reflect::get(&web_sys::window()?.navigator(), &"locks".into()).ok()?;
    locks.is_object().then(|| locks.unchecked_into())
}
