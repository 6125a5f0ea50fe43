//! Layer 3b: what the TypeScript facade calls. Everything crosses as JSON text: the record of a session is JSON anyway,
//! numbers in claims keep their digits, and one reader on each side is enough. (`serde-wasm-bindgen`, outwards only, would
//! add 3.9 kB brotli; docs/size.md.)

mod message;
mod options;

use crate::browser::{Browser, BrowserStorage};
use crate::client::ports::{Later, apart};
use crate::client::{Auth, Error, Subscription};
use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// What the facade hands in.
    pub type Host;

    /// Where the session is kept; `null` where the browser denies it, `undefined` for memory only.
    #[wasm_bindgen(method, getter)]
    fn session(this: &Host) -> JsValue;

    /// Where pending logins are kept; `null` where the browser denies it.
    #[wasm_bindgen(method, getter)]
    fn logins(this: &Host) -> JsValue;

    #[wasm_bindgen(method, getter)]
    fn transport(this: &Host) -> Option<Function>;

    #[wasm_bindgen(method, getter)]
    fn log(this: &Host) -> Option<Function>;

    /// Takes a message: a changed state, or an event.
    #[wasm_bindgen(method)]
    fn tell(this: &Host, message: &str);
}

#[wasm_bindgen(module = "/src/js/deferred.js")]
extern "C" {
    /// A promise that is settled from here.
    type Deferred;

    #[wasm_bindgen(constructor)]
    fn new() -> Deferred;

    #[wasm_bindgen(method, getter)]
    fn promise(this: &Deferred) -> Promise;

    #[wasm_bindgen(method)]
    fn resolve(this: &Deferred, value: JsValue);

    #[wasm_bindgen(method)]
    fn reject(this: &Deferred, reason: JsValue);
}

/// The one exported type.
#[allow(unnameable_types, reason = "JavaScript names it")]
#[wasm_bindgen]
pub struct AuthCore {
    auth: Auth<Browser>,
    _subscriptions: [Subscription; 2],
}

#[wasm_bindgen]
impl AuthCore {
    /// A client with these options, already normalised by the facade.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &str, host: Host) -> Result<Self, JsValue> {
        let config = options::config(options).map_err(|error| reject(&error))?;
        let platform = Browser::with(
            storage(host.session()),
            storage(host.logins()),
            host.transport(),
            host.log(),
        );
        let auth = Auth::new(config, platform);
        let host = std::rc::Rc::new(host);
        // Not the client itself: it owns the listener.
        let (teller, weak) = (host.clone(), auth.downgrade());
        let states = auth.subscribe(move |state| {
            let view = weak.upgrade().and_then(|auth| auth.view());
            teller.tell(&message::state(state, view).to_text());
        });
        let events = auth.on_event(move |event| host.tell(&message::event(event).to_text()));
        Ok(Self {
            auth,
            _subscriptions: [states, events],
        })
    }

    /// Completes a callback, or restores a stored session.
    pub fn start(&self, callback: Option<String>) -> Promise {
        let auth = self.auth.clone();
        self.run(Box::pin(async move {
            auth.run_start(callback).await?;
            Ok(JsValue::UNDEFINED)
        }))
    }

    /// Completes the callback with this URL: `{ returnTo, appState }`.
    #[wasm_bindgen(js_name = handleCallback)]
    pub fn handle_callback(&self, url: String) -> Promise {
        let auth = self.auth.clone();
        self.run(Box::pin(async move {
            let result = auth.handle_callback(&url).await?;
            Ok(message::callback(&result).to_text().into())
        }))
    }

    /// The URL to send the user to.
    #[wasm_bindgen(js_name = beginLogin)]
    pub fn begin_login(&self, options: &str) -> Promise {
        let (auth, options) = (self.auth.clone(), options::login(options));
        self.run(Box::pin(async move {
            auth.begin_login(options).await.map(JsValue::from)
        }))
    }

    /// A token that is good for so long; in place of one that an API has refused, another.
    pub fn refresh(&self, options: &str) -> Promise {
        self.run_loaded(Wish::Token(options.to_owned()))
    }

    /// Forgets the session; the URL at which it ends at the server, if there is one.
    #[wasm_bindgen(js_name = beginLogout)]
    pub fn begin_logout(&self, options: &str) -> Promise {
        self.run_loaded(Wish::Logout(options.to_owned()))
    }

    /// The raw ID Token.
    #[wasm_bindgen(js_name = idToken)]
    pub fn id_token(&self) -> Option<String> {
        self.auth.id_token()
    }

    /// What the server says about the user: the claims.
    #[wasm_bindgen(js_name = userInfo)]
    pub fn user_info(&self) -> Promise {
        self.run_loaded(Wish::UserInfo)
    }
}

/// What the rest of the program is needed for.
enum Wish {
    Logout(String),
    Token(String),
    UserInfo,
}

impl AuthCore {
    fn run(&self, task: Later<Result<JsValue, Error>>) -> Promise {
        let deferred = Deferred::new();
        let promise = deferred.promise();
        self.auth.platform().run_now(Box::pin(async move {
            match task.await {
                Ok(value) => deferred.resolve(value),
                Err(error) => deferred.reject(reject(&error)),
            }
        }));
        promise
    }

    fn run_loaded(&self, wish: Wish) -> Promise {
        let auth = self.auth.clone();
        self.run(Box::pin(async move {
            if let Err(error) = auth.load_secondary().await {
                if matches!(wish, Wish::Logout(_)) {
                    auth.leave_unloaded();
                }
                return Err(error);
            }
            Self::fulfil_loaded(auth, wish).await
        }))
    }

    #[inline(never)]
    fn fulfil_loaded(auth: Auth<Browser>, wish: Wish) -> Later<Result<JsValue, Error>> {
        apart(async move {
            match wish {
                Wish::Logout(options) => {
                    let uri = auth.begin_logout(options::logout(&options)).await?;
                    Ok(uri.map_or(JsValue::UNDEFINED, JsValue::from))
                }
                Wish::Token(options) => {
                    let (options, challenge) = options::token(&options);
                    if let Some(refused) = &options.refused
                        && !auth.token_refused(challenge.as_deref())
                    {
                        return Ok(refused.expose().into());
                    }
                    let token = auth.access_token(options).await?;
                    Ok(token.expose().into())
                }
                Wish::UserInfo => Ok(auth.user_info().await?.to_text().into()),
            }
        })
    }
}

fn storage(object: JsValue) -> BrowserStorage {
    if object.is_undefined() {
        BrowserStorage::Memory
    } else if object.is_null() {
        BrowserStorage::Denied
    } else {
        BrowserStorage::Object(object)
    }
}

fn reject(error: &Error) -> JsValue {
    error.to_json().to_text().into()
}
