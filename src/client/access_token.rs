use super::ports::Platform;
use super::{Auth, Error};
use crate::protocol::secret::Secret;
use crate::protocol::text::joined;
use crate::session::Lookup;
use crate::session::record::TokenKey;
use crate::session::state::SignedOutReason;
use core::fmt;

/// So often is a token asked for, where another session comes each time before it is here.
const TRIES: u32 = 3;

/// What a caller wants of a token.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct TokenOptions {
    /// Which token; the default is the one signed in for. All share one refresh token.
    pub key: TokenKey,
    /// For how many seconds it must be good; without a number, for as long as it takes to arrive.
    pub min_validity: Option<i64>,
    /// Refresh even a fresh one.
    pub force_refresh: bool,
    /// The one that an API has refused: another is wanted. It is refreshed for that once, whoever asks.
    pub refused: Option<Secret>,
}

/// An access token, for the application's own requests.
#[derive(Clone)]
pub struct AccessToken(Secret);

impl AccessToken {
    /// The token.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// The value of an `Authorization` header (RFC 6750 §2.1).
    #[must_use]
    pub fn authorization(&self) -> String {
        joined(&["Bearer ", self.0.expose()])
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(…)")
    }
}

impl<P: Platform> Auth<P> {
    /// An access token that is good for as long as was asked, refreshed if need be; all who ask share one refresh.
    ///
    /// # Errors
    /// `login_required` without a session; otherwise why the refresh failed. A session that stands stays.
    pub async fn access_token(&self, options: TokenOptions) -> Result<AccessToken, Error> {
        let _ = self.started().await;
        let key = self.0.session.borrow().key_of(&options.key);
        if !options.force_refresh
            && let Some(token) = self.held_token(&key, options.min_validity)?
        {
            let is_it = |refused: &Secret| refused.expose() == token.expose();
            let refused = options.refused.filter(is_it);
            // Another may have been refused with it, too, and heard of it first.
            if refused.is_none() || self.0.refused.borrow().as_ref().is_some_and(is_it) {
                return Ok(token);
            }
            let renewed = self.renewed_token(&key).await;
            self.0.refused.replace(refused);
            return renewed;
        }
        self.renewed_token(&key).await
    }

    async fn renewed_token(&self, key: &TokenKey) -> Result<AccessToken, Error> {
        let blocked = self.0.session.borrow().blocked(key, self.now());
        blocked.map_or(Ok(()), Err)?;
        for _ in 0..TRIES {
            match self.ticket(key) {
                Some(ticket) => self.refresh(ticket).await?,
                // It cannot be refreshed: either it is good as it is, or there is no session.
                None => drop(self.held_token(key, None)?),
            }
            // What was just received is handed out, however short the server made it.
            let session = self.0.session.borrow();
            let token = session.record().and_then(|record| record.token(key));
            if let Some(token) = token {
                return Ok(AccessToken(token.value.clone()));
            }
            // Another session came meanwhile, which has none for this API.
        }
        let reason = self.ended();
        Err(Error::login_required(
            reason.unwrap_or(SignedOutReason::NoSession),
        ))
    }

    /// The token that is held, if it is good for so long; `None` where a refresh is needed.
    pub(super) fn held_token(
        &self,
        key: &TokenKey,
        min_validity: Option<i64>,
    ) -> Result<Option<AccessToken>, Error> {
        let session = self.0.session.borrow();
        match session.lookup(key, min_validity, self.now()) {
            Lookup::Fresh(token) => Ok(Some(AccessToken(token))),
            Lookup::Refresh => Ok(None),
            Lookup::Blocked(error) => Err(error),
            Lookup::LoginRequired(reason) => Err(Error::login_required(reason)),
        }
    }
}
