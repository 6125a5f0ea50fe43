use super::flight::Landing;
use super::ports::{Platform, Storage, TransportError};
use super::{Auth, Error, ErrorKind};
use crate::protocol::error::{Endpoint, ProtocolError};
use crate::protocol::http::{HttpRequest, HttpResponse};
use crate::protocol::jose::jwk::{JwkSet, jwks_request, jwks_response};
use crate::protocol::json::{Json, Object};
use crate::protocol::metadata::{ServerMetadata, discovery_request, discovery_response, parse};
use crate::protocol::time::{Now, Timestamp};
use std::cell::RefCell;
use std::rc::Rc;

/// Metadata and keys are used so long without asking again, in milliseconds (one hour).
const LIFETIME: i64 = 3_600_000;
/// Keys are asked for again on an unknown `kid`, but not more often than this (30 seconds).
const COOLDOWN: i64 = 30_000;

/// Something that was fetched, and when.
pub(super) struct Cached<T> {
    value: Rc<T>,
    at: Now,
}

impl<T> Clone for Cached<T> {
    fn clone(&self) -> Self {
        Self {
            value: self.value.clone(),
            at: self.at,
        }
    }
}

impl<P: Platform> Auth<P> {
    /// The server's metadata: from memory, from the tab's storage (so that it outlives the redirect), or from the server.
    /// A stale copy is better than none when the server cannot be asked.
    pub(super) async fn metadata(&self) -> Result<Rc<ServerMetadata>, Error> {
        let cached = self.cached_metadata();
        if !cached.as_ref().is_some_and(|cached| self.is_young(cached)) {
            let auth = self.clone();
            let run = Box::pin(async move { auth.fetch_metadata().await });
            let fetched = self.0.metadata_flight.join(&self.0.platform, run).await;
            if let Err(error) = fetched
                && !(cached.is_some() && error.is_retryable())
            {
                return Err(error);
            }
        }
        held(&self.0.metadata)
    }

    /// Sends a request of ours.
    pub(super) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Error> {
        let (endpoint, seconds) = (request.endpoint, self.0.config.timeout);
        self.0
            .platform
            .send(request, seconds)
            .await
            .map_err(|error| unanswered(error, endpoint, seconds))
    }

    /// Asks for the keys now, so that they are there when they are needed.
    pub(super) fn prefetch_jwks(&self, metadata: &Rc<ServerMetadata>) {
        let (auth, metadata) = (self.clone(), metadata.clone());
        self.0.platform.spawn(Box::pin(async move {
            // Who needs them asks again, and hears the error.
            let _ = auth.jwks(&metadata).await;
        }));
    }

    /// The server's keys.
    pub(super) async fn jwks(&self, metadata: &ServerMetadata) -> Result<Rc<JwkSet>, Error> {
        let cached = self.0.jwks.borrow().clone();
        if !cached.is_some_and(|cached| self.is_young(&cached)) {
            self.fetch_jwks(metadata).await?;
        }
        held(&self.0.jwks)
    }

    /// The server's keys, asked for again, unless that was done a moment ago: OIDC Core §10.1.1.
    pub(super) async fn newer_jwks(
        &self,
        metadata: &ServerMetadata,
    ) -> Result<Option<Rc<JwkSet>>, Error> {
        // Counted between two such requests: the keys that were prefetched a moment ago may be older than the token.
        let asked_at = self.0.jwks_renewed_at.get();
        if asked_at.is_some_and(|at| self.now().since(at) < COOLDOWN) {
            return Ok(None);
        }
        self.0.jwks_renewed_at.set(Some(self.now()));
        self.fetch_jwks(metadata).await?;
        held(&self.0.jwks).map(Some)
    }

    fn fetch_jwks(&self, metadata: &ServerMetadata) -> Landing {
        let (auth, request) = (self.clone(), jwks_request(metadata));
        let run = Box::pin(async move {
            let value = Rc::new(jwks_response(&auth.send(request).await?)?);
            let at = auth.now();
            auth.0.jwks.replace(Some(Cached { value, at }));
            Ok(())
        });
        self.0.jwks_flight.join(&self.0.platform, run)
    }

    async fn fetch_metadata(&self) -> Result<(), Error> {
        let issuer = &self.0.config.issuer;
        let value = discovery_response(issuer, &self.send(discovery_request(issuer)).await?)?;
        let at = self.now();
        let record = Object::new()
            .integer("v", 1)
            .integer("fetched_at", at.wall.as_millis())
            .json("metadata", value.as_json().clone())
            .done();
        // Without it a reload costs a request more.
        let _ = self
            .0
            .platform
            .login_storage()
            .save(&self.0.config.metadata_key(), &record.to_text());
        let value = Rc::new(value);
        self.0.metadata.replace(Some(Cached { value, at }));
        Ok(())
    }

    fn cached_metadata(&self) -> Option<Cached<ServerMetadata>> {
        let in_memory = self.0.metadata.borrow().clone();
        in_memory.or_else(|| {
            let text = self
                .0
                .platform
                .login_storage()
                .load(&self.0.config.metadata_key())
                .ok()
                .flatten()?;
            let record = Json::parse(&text).filter(|record| record.get_integer("v") == Some(1))?;
            let value = parse(&self.0.config.issuer, record.get("metadata")?).ok()?;
            let age = self
                .0
                .platform
                .now()
                .wall
                .since(Timestamp::from_millis(record.get_integer("fetched_at")?));
            let cached = Cached {
                value: Rc::new(value),
                at: self.now().before(age.saturating_abs()),
            };
            self.0.metadata.replace(Some(cached.clone()));
            Some(cached)
        })
    }

    fn is_young<T>(&self, cached: &Cached<T>) -> bool {
        self.now().since(cached.at) < LIFETIME
    }
}

/// Why a request of ours has no answer.
pub(super) fn unanswered(error: TransportError, endpoint: Endpoint, seconds: u32) -> Error {
    match error {
        TransportError::Offline | TransportError::Network => ErrorKind::Network { endpoint }.into(),
        TransportError::Timeout => Error::timeout(endpoint, seconds),
        TransportError::TooLarge(status) => {
            ProtocolError::invalid_response(endpoint, status, "too_large").into()
        }
    }
}

/// What a fetch has just brought.
fn held<T>(cache: &RefCell<Option<Cached<T>>>) -> Result<Rc<T>, Error> {
    let cached = cache.borrow().clone();
    cached
        .map(|cached| cached.value)
        .ok_or_else(|| Error::internal("metadata"))
}
