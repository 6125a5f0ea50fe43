use super::metadata::unanswered;
use super::ports::{Exclusion, Level, LockError, Platform, Receipt, TransportError};
use super::{Auth, Error};
use crate::protocol::error::{Endpoint, IdTokenProblem, ProtocolError};
use crate::protocol::id_token::validate_refreshed;
use crate::protocol::jose::jws::CompactJws;
use crate::protocol::metadata::ServerMetadata;
use crate::protocol::secret::Secret;
use crate::protocol::token::{self, RefreshFailure};
use crate::session::input::{Input, Ticket};
use crate::session::record::TokenKey;
use crate::session::state::{SignedOutReason, Warning};
use core::future::poll_fn;
use core::pin::pin;
use std::rc::Rc;

/// What became of a refresh request.
enum Asked {
    /// It is answered, or failed.
    Done(Result<(), Error>),
    /// It was refused, but another tab is ahead of what was sent.
    Passed,
}

impl<P: Platform> Auth<P> {
    /// Refreshes once for all who hold what this ticket was drawn for, and want what follows it. One refresh token has one
    /// queue, whichever tokens are asked for by it.
    pub(super) async fn refresh(&self, past: Ticket) -> Result<(), Error> {
        if let Err(error) = self.load_secondary().await {
            self.apply(Input::NotLoaded(error.clone()));
            self.tell();
            return Err(error);
        }
        self.refresh_loaded(past).await
    }

    pub(super) async fn refresh_once(&self, mut past: Ticket) -> Result<(), Error> {
        loop {
            if !self.0.refresh.is_under_way() {
                self.0.refreshed.replace(Some(past.clone()));
            }
            // A run that was begun for another session, token or generation says nothing about this one.
            let is_ours = self.begun_for(&past);
            let (auth, ticket) = (self.clone(), past.clone());
            let run = Box::pin(async move {
                let result = auth.refresh_under_lock(ticket).await;
                // Listeners run only now: no lock is held any more.
                auth.tell();
                result
            });
            let result = self.0.refresh.join(&self.0.platform, run).await;
            if is_ours {
                return result;
            }
            if self.is_passed_by(&past) {
                return Ok(());
            }
            // What failed for another API at the same server fails here, too.
            let blocked = self.0.session.borrow().blocked(past.key(), self.now());
            blocked.map_or(Ok(()), Err)?;
            let Some(ticket) = self.ticket(past.key()) else {
                return Ok(());
            };
            past = ticket;
        }
    }

    /// Whether a refresh of exactly this is under way.
    pub(super) fn is_refreshing(&self, ticket: &Ticket) -> bool {
        self.0.refresh.is_under_way() && self.begun_for(ticket)
    }

    fn begun_for(&self, ticket: &Ticket) -> bool {
        self.0.refreshed.borrow().as_ref() == Some(ticket)
    }

    /// What a refresh of the session that is held now would be recognised by.
    pub(super) fn ticket(&self, key: &TokenKey) -> Option<Ticket> {
        let session = self.0.session.borrow();
        let refreshable = session.refresh_ticket(key);
        refreshable.map(|(ticket, _)| ticket)
    }

    async fn refresh_under_lock(&self, past: Ticket) -> Result<(), Error> {
        let metadata = match self.metadata().await {
            Ok(metadata) => metadata,
            Err(error) => return Err(self.failed(past, RefreshFailure::Transient, error, None)),
        };
        let (lock, seconds) = (
            past.family().lock_name(),
            lock_timeout(self.0.config.timeout),
        );
        let guard = {
            // Whoever is ahead rings: then there is nothing to queue for.
            let mut queued = pin!(self.0.platform.acquire(&lock, seconds));
            let mut passed = pin!(self.passed_by(&past));
            poll_fn(|context| {
                let queued = queued.as_mut().poll(context).map(Some);
                if queued.is_ready() {
                    return queued;
                }
                passed.as_mut().poll(context).map(|()| None)
            })
            .await
        };
        let guard = match guard {
            None => return self.passed(&past),
            Some(Ok((guard, exclusion))) => {
                if exclusion != Exclusion::Lock {
                    self.warn(Warning::NoLocks);
                }
                Some(guard)
            }
            Some(Err(LockError::Absent)) => {
                self.warn(Warning::NoLocks);
                None
            }
            Some(Err(LockError::Timeout)) => {
                let error = Error::timeout(Endpoint::Token, seconds);
                return Err(self.failed(past, RefreshFailure::Transient, error, None));
            }
        };
        let result = loop {
            self.look().await;
            if self.is_passed_by(&past) {
                break self.passed(&past);
            }
            let refreshable = self.0.session.borrow().refresh_ticket(past.key());
            let Some((ticket, refresh_token)) = refreshable else {
                break self.passed(&past);
            };
            match self.ask(&metadata, ticket, &refresh_token).await {
                Asked::Done(result) => break result,
                Asked::Passed => {}
            }
        };
        drop(guard);
        result
    }

    /// What there is to say to somebody who was passed by.
    fn passed(&self, past: &Ticket) -> Result<(), Error> {
        if self.ticket(past.key()).is_some() {
            return Ok(());
        }
        let reason = self.ended();
        Err(Error::login_required(
            reason.unwrap_or(SignedOutReason::Expired),
        ))
    }

    /// Sends the refresh. The new tokens are sealed, stored and published in the turn of the answer: nothing is awaited
    /// and nothing is read between the two.
    async fn ask(
        &self,
        metadata: &Rc<ServerMetadata>,
        ticket: Ticket,
        refresh_token: &Secret,
    ) -> Asked {
        self.apply(Input::RefreshStarted(ticket.key().clone()));
        let target = self.0.session.borrow().parameters(ticket.key());
        let held = self.held();
        let client_id = &self.0.config.client_id;
        let request = token::refresh_request(metadata, client_id, refresh_token, &target);
        let endpoint = request.endpoint;
        let seconds = self.0.config.timeout;
        let answer = match self.0.platform.send(request, seconds).await {
            Ok(answer) => answer,
            Err(error) => {
                // Only what was never sent has certainly not rotated the refresh token.
                let failure = if error == TransportError::Offline {
                    RefreshFailure::Transient
                } else {
                    RefreshFailure::Unknown
                };
                let error = unanswered(error, endpoint, seconds);
                return Asked::Done(Err(self.failed(ticket, failure, error, None)));
            }
        };
        match token::response(&answer) {
            Ok(tokens) => {
                let id_token = tokens.id_token.clone();
                let access_token = tokens.access_token.clone();
                let late = Box::new(tokens.clone());
                self.0.receipt.take();
                self.apply(Input::Refreshed(ticket.clone(), Box::new(tokens)));
                let published = self.0.receipt.take();
                let is_left = published.is_none();
                if is_left {
                    self.hand_on(held, ticket.clone(), late);
                }
                self.settle(published, false).await;
                let ended = self.ended();
                if let Some(reason) = ended {
                    return Asked::Done(Err(Error::login_required(reason)));
                }
                if is_left {
                    // Who is signed in by now is somebody else: this ID Token says nothing about them.
                    return Asked::Done(Ok(()));
                }
                Asked::Done(self.check_user(metadata, ticket, id_token, access_token))
            }
            Err(error) => {
                let failure = token::classify_refresh(&answer, &error);
                if failure == RefreshFailure::Rejected && self.is_surpassed(&ticket).await {
                    return Asked::Passed;
                }
                let wait = answer.retry_after;
                Asked::Done(Err(self.failed(ticket, failure, error.into(), wait)))
            }
        }
    }

    /// A refusal is believed only where nothing is above what was sent: everything is read again, and the family is ended
    /// by one step that sees to it.
    async fn is_surpassed(&self, ticket: &Ticket) -> bool {
        self.look().await;
        let is_held = |auth: &Self| auth.ticket(ticket.key()).as_ref() == Some(ticket);
        if !is_held(self) {
            return true;
        }
        if !ticket.key().is_default() {
            return false;
        }
        let (family, generation) = (ticket.family(), ticket.generation());
        let end = self.0.platform.end(family, None, Some(generation));
        if let Receipt::Surpassed(_) = end.await {
            self.look().await;
            return !is_held(self);
        }
        false
    }

    fn failed(
        &self,
        ticket: Ticket,
        failure: RefreshFailure,
        error: Error,
        retry_after: Option<u32>,
    ) -> Error {
        self.0.platform.log(
            Level::Warn,
            "refresh failed",
            Some(("code", error.code().as_str())),
        );
        self.apply(Input::RefreshFailed(
            ticket,
            failure,
            error.clone(),
            retry_after,
        ));
        // A refused grant is no session: that is what the caller needs to know. The refusal itself is in the state.
        let reason = self.ended();
        reason.map_or(error, Error::login_required)
    }

    /// Looks at the ID Token of a refresh, once the tokens are safe (OIDC Core §12.2). Another user or issuer ends the
    /// session at once; a signature that cannot be checked just now leaves the claims as they were.
    fn check_user(
        &self,
        metadata: &Rc<ServerMetadata>,
        ticket: Ticket,
        id_token: Option<Secret>,
        access_token: Secret,
    ) -> Result<(), Error> {
        let Some(id_token) = id_token else {
            return Ok(());
        };
        let Ok(claims) = CompactJws::parse(id_token.expose()).map(|jws| jws.payload) else {
            return Ok(());
        };
        let checked = {
            let (config, session) = (&self.0.config, self.0.session.borrow());
            let Some(previous) = session.record().and_then(|record| record.user.as_ref()) else {
                return Ok(());
            };
            let (client_id, tolerance) = (&config.client_id, config.clock_tolerance);
            validate_refreshed(&claims, previous, client_id, tolerance, self.now().wall)
        };
        if let Err(error) = checked {
            if is_about_another(&error) {
                self.apply(Input::UserChanged(ticket, error.into()));
                return Err(Error::login_required(SignedOutReason::UserChanged));
            }
            self.0
                .platform
                .log(Level::Warn, "the ID Token of a refresh was refused", None);
            return Ok(());
        }
        let (auth, metadata) = (self.clone(), metadata.clone());
        self.0.platform.spawn(Box::pin(async move {
            let claims = auth.verified_claims(&id_token, Some(&access_token), &metadata);
            if let Ok(claims) = claims.await {
                auth.apply(Input::UserConfirmed(ticket, claims, id_token));
                auth.tell();
            }
        }));
        Ok(())
    }
}

/// Another user, or another issuer.
fn is_about_another(error: &ProtocolError) -> bool {
    matches!(
        error,
        ProtocolError::SubjectMismatch { .. }
            | ProtocolError::InvalidIdToken {
                claim: "iss",
                problem: IdTokenProblem::Mismatch,
                ..
            }
    )
}

/// Long enough for another tab's whole refresh.
const fn lock_timeout(request_timeout: u32) -> u32 {
    request_timeout.saturating_mul(2).saturating_add(5)
}
