//! A platform in virtual time, for an application's own tests and for ours (feature `testing`).
//!
//! A [`World`] has two clocks that move only when they are told to, a server that answers as it is told to, and any
//! number of tabs. Each tab is a [`FakePlatform`]: give it to [`crate::client::Auth::new`] and drive the world.
//!
//! ```
//! use countersign::client::{Auth, Config, LoginOptions};
//! use countersign::testing::{Reply, World};
//!
//! let world = World::new();
//! world.on_request(|_| Reply::json(
//!     r#"{"issuer":"https://as.example","authorization_endpoint":"https://as.example/authorize",
//!         "token_endpoint":"https://as.example/token","jwks_uri":"https://as.example/jwks"}"#,
//! ));
//! let config = Config::builder("https://as.example", "spa", "https://app.example/").build()?;
//! let auth = Auth::new(config, world.tab());
//! let uri = world.run(async move { auth.begin_login(LoginOptions::default()).await });
//! assert!(uri.is_some_and(|uri| uri.is_ok_and(|uri| uri.starts_with("https://as.example/authorize?"))));
//! # Ok::<(), countersign::client::Error>(())
//! ```

mod conditions;
mod journal;
mod life;
mod locks;
mod mailbox;
mod platform;
mod server;
mod storage;
mod tasks;
mod time;
mod world;

pub use conditions::Conditions;
pub use journal::{Happening, Moment, Outcome};
pub use locks::FakeGuard;
pub use platform::{Arithmetic, FakePlatform, LogLine, Randomness, Rest};
pub use server::{Reply, Request};
pub use storage::{FakeStorage, Trouble};
pub use world::World;
