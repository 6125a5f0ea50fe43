use super::flight::Landing;
use super::ports::{Platform, Storage};
use super::{Auth, State};
use crate::session::input::Input;
use crate::session::record::{Record, TokenKey};
use crate::session::state::Warning;

impl<P: Platform> Auth<P> {
    /// Finds out what there is: completes the callback whose URI is given, or restores a stored session. Never fails;
    /// what went wrong is in the state. Runs once: a second call gets the first result.
    pub async fn start(&self, callback_uri: Option<String>) -> State {
        let _ = self.run_start(callback_uri).await;
        self.state()
    }

    /// The same, for who does not ask how it went.
    pub(crate) fn run_start(&self, callback_uri: Option<String>) -> Landing {
        let auth = self.clone();
        let run = Box::pin(async move {
            if auth.0.config.server.is_insecure_exception() {
                auth.warn(Warning::InsecureIssuer);
            }
            if auth.stored_text().is_some() {
                auth.load_secondary().await?;
            }
            let is_new = match callback_uri {
                // The session is Loading until the callback is through; its result is in the state.
                Some(uri) => auth
                    .complete_callback(&uri)
                    .await
                    .is_ok_and(|done| done.return_to.is_some()),
                None => {
                    auth.restore();
                    false
                }
            };
            // A stored session whose token has expired is shown once a refresh had an answer.
            let is_loading = *auth.0.session.borrow().state() == State::Loading;
            let ticket = auth.ticket(&TokenKey::default());
            if is_loading && let Some(ticket) = ticket {
                let _ = auth.refresh(ticket).await;
            } else if !is_new && auth.family().is_some() {
                auth.look_soon();
            }
            auth.tell();
            Ok(())
        });
        self.0.started.once(&self.0.platform, run)
    }

    /// What every method waits for. It cannot fail; what went wrong is in the state.
    pub(super) fn started(&self) -> Landing {
        self.run_start(None)
    }

    /// Hands the stored session to the machine, unless it has one.
    pub(super) fn restore(&self) {
        let stored = self.stored_session();
        self.apply(Input::Restored(stored));
    }

    /// The stored session; a record that we cannot use counts as none, and one of a newer version is left alone.
    pub(super) fn stored_session(&self) -> Option<Box<Record>> {
        let text = self.stored_text()?;
        // Whoever can wait has loaded it before: who cannot looks again once it is there.
        if !self.0.platform.has_secondary() {
            return None;
        }
        self.decode_loaded(&text)
    }

    pub(super) fn stored_text(&self) -> Option<String> {
        let storage = self.0.platform.session_storage();
        storage.load(&self.0.config.session_key()).ok().flatten()
    }
}
