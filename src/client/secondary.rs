//! The rest of the program, which a sign-in does not need, and the functions by which it is entered. The npm package has it
//! in a second wasm (docs/size.md): each of them is called behind [`Auth::load_secondary`] only, and named in
//! `scripts/core.mjs`.

use super::family::Pending;
use super::ports::{Later, Platform, apart};
use super::{Auth, Error, ErrorKind};
use crate::session::input::Ticket;
use crate::session::record::{Record, Stored};

impl<P: Platform> Auth<P> {
    /// Waits for the rest of the program. What follows stands in functions that are named in `scripts/core.mjs`, and
    /// are called behind this only.
    pub(crate) async fn load_secondary(&self) -> Result<(), Error> {
        let loaded = self.0.platform.load_secondary().await;
        loaded.map_err(|_| ErrorKind::WasmLoadFailed.into())
    }

    #[inline(never)]
    pub(super) fn refresh_loaded(&self, past: Ticket) -> Later<Result<(), Error>> {
        let auth = self.clone();
        apart(async move { auth.refresh_once(past).await })
    }

    #[inline(never)]
    pub(super) fn look_loaded(&self, late: bool) -> Later<()> {
        let auth = self.clone();
        apart(async move {
            if late {
                auth.follow_this_tab();
            }
            auth.look().await;
        })
    }

    #[inline(never)]
    pub(super) fn settle_loaded(
        &self,
        mut published: Option<Pending>,
        generation: Option<u64>,
    ) -> Later<()> {
        let auth = self.clone();
        apart(async move {
            if published.is_none() && auth.generation() == generation {
                published = auth.publish_record();
                if let Some(pending) = &published {
                    let ring = (pending.family.clone(), pending.generation);
                    auth.0.rings.borrow_mut().push(ring);
                    auth.tell();
                }
            }
            auth.settle(published, true).await;
        })
    }

    #[inline(never)]
    pub(super) fn decode_loaded(&self, text: &str) -> Option<Box<Record>> {
        match Record::decode(text, self.now()) {
            // An application that went over to OpenID Connect, or back: who promises a user has one.
            Stored::Record(record) => {
                Some(record).filter(|it| it.user.is_some() == self.0.config.server.oidc)
            }
            Stored::Absent => None,
            Stored::Newer => {
                self.0.storage_is_newer.set(true);
                None
            }
        }
    }
}
