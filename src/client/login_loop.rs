use super::ports::{Platform, Storage};
use super::{Auth, Error, ErrorKind};
use crate::protocol::bearer;
use crate::session::login_loop::{LikelyCause, Logins};
use crate::session::state::SignedOutReason;

impl<P: Platform> Auth<P> {
    /// Takes note that an API answered 401, with this `WWW-Authenticate` if it could be read; a login loop that comes from
    /// there is told by it. Says whether it was the access token that was refused (RFC 6750 §3.1): what cannot be read
    /// counts as that.
    pub fn token_refused(&self, challenge: Option<&str>) -> bool {
        if let Some(mut logins) = self.logins()
            && logins.likely() == LikelyCause::Storage
            && logins.note(LikelyCause::ApiRejectsToken)
        {
            self.keep(&logins);
        }
        challenge.is_none_or(|challenge| {
            bearer::refusal(challenge).is_some_and(|error| error == "invalid_token")
        })
    }

    /// Refuses a login that follows too many others. The user's own is never refused, and forgets those.
    pub(super) fn stop_login_loop(&self, by_user: bool) -> Result<(), Error> {
        if by_user {
            self.0.has_left.set(false);
        }
        // This page's login was let go already.
        if self.0.has_left.get() {
            return Ok(());
        }
        let text = self.stored_logins();
        if text.is_empty() {
            return Ok(());
        }
        let Some(logins) = Logins::decode(&text, self.now().wall) else {
            return Ok(());
        };
        if by_user {
            // What cannot be removed is over in a minute.
            let key = self.0.config.login_loop_key();
            let _ = self.0.platform.login_storage().remove(&key);
            return Ok(());
        }
        match logins.too_many(self.now().wall) {
            Some((count, seconds)) => {
                // A time that a clock has left in the future is now by then, and passes.
                self.keep(&logins);
                Err(Error::from(ErrorKind::LoginLoop {
                    logins: count,
                    seconds,
                    likely: self.likely(&logins),
                }))
            }
            _ => Ok(()),
        }
    }

    /// Counts a login that leaves without the user's doing. A page leaves once, however often it asks for it.
    pub(super) fn count_login(&self) {
        if !self.0.has_left.get()
            && let Some(mut logins) = self.logins()
        {
            self.0.has_left.set(true);
            logins.leave(self.now().wall);
            self.keep(&logins);
        }
    }

    /// Takes note of what became of the latest login.
    pub(super) fn note_callback(&self, refused: Option<&Error>) {
        self.0.has_left.set(false);
        // A login that follows a good one has lost its session, as long as nothing else is known.
        let likely = refused.map_or(LikelyCause::Storage, LikelyCause::of);
        if let Some(mut logins) = self.logins()
            && logins.note(likely)
        {
            self.keep(&logins);
        }
    }

    fn likely(&self, logins: &Logins) -> LikelyCause {
        let is_gone = matches!(
            self.ended(),
            Some(SignedOutReason::NoSession | SignedOutReason::CallbackFailed)
        );
        let likely = logins.likely();
        if likely == LikelyCause::Storage && !is_gone {
            // It is there, or known to have ended.
            LikelyCause::Unknown
        } else {
            likely
        }
    }

    fn logins(&self) -> Option<Logins> {
        Logins::decode(&self.stored_logins(), self.now().wall)
    }

    fn stored_logins(&self) -> String {
        let storage = self.0.platform.login_storage();
        let text = storage.load(&self.0.config.login_loop_key());
        text.ok().flatten().unwrap_or_default()
    }

    /// Where it cannot be kept, nothing is counted: that alone is no reason to refuse a login.
    fn keep(&self, logins: &Logins) {
        let key = self.0.config.login_loop_key();
        let _ = self.0.platform.login_storage().save(&key, &logins.encode());
    }
}
