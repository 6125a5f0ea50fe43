//! countersign: sign-in for browser applications by redirect, with the OAuth 2.0 Authorization Code Flow,
//! PKCE and OpenID Connect, and a session that outlives reloads, sleep and rotation.
//!
//! Four layers, each importing only from itself and from those before it:
//!
//! 1. [`protocol`]: what the specifications say, as values and pure functions;
//! 2. [`session`]: the life of a login as a state machine that asks for what it needs and never acts;
//! 3. [`client`]: [`client::Auth`], which acts, through ports;
//! 4. `browser` and `js`: the ports over web APIs, and the exports behind the npm package (wasm32 only).
//!
//! On wasm32, with `default-features = false`:
//!
//! ```text
//! let config = Config::builder("https://idp.example.com", "spa", "https://app.example.com/")
//!     .scope("openid profile offline_access")
//!     .build()?;
//! let auth = Auth::new(config, Browser::new());
//! if let State::SignedIn(session) = auth.start(None).await {
//!     greet(session.user.as_ref());
//! } else {
//!     auth.login(LoginOptions::default()).await?; // leaves the page
//! }
//! ```

#[cfg(target_arch = "wasm32")]
pub mod browser;
pub mod client;
#[cfg(all(target_arch = "wasm32", feature = "js"))]
mod js;
pub mod protocol;
pub mod session;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

/// 2 kB brotli smaller than the standard allocator, and enough for a few documents at a time (docs/size.md).
#[cfg(all(target_arch = "wasm32", feature = "js"))]
#[global_allocator]
static ALLOCATOR: countersign_heap::Heap = countersign_heap::heap();

#[cfg(all(test, target_arch = "wasm32"))]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
