use super::flight::Landing;
use super::ports::{Level, Platform, Storage, TransportError};
use super::{Auth, Error, ErrorKind};
use crate::protocol::discovery::{WellKnown, discovery_request, discovery_response};
use crate::protocol::error::{Endpoint, ProtocolError};
use crate::protocol::http::{HttpRequest, HttpResponse};
use crate::protocol::jose::jwk::{JwkSet, jwks_request, jwks_response};
use crate::protocol::json::{Json, Object};
use crate::protocol::metadata::{ServerMetadata, parse};
use crate::protocol::time::{Now, Timestamp};
use std::cell::RefCell;
use std::rc::Rc;

/// Metadata and keys are used so long without asking again, in milliseconds (one hour).
const LIFETIME: i64 = 3_600_000;
/// After a failure they are asked for again no sooner than this (one minute).
const PAUSE: i64 = 60_000;
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
    /// Where the server cannot be asked, or answers what is no use, a stale copy serves on.
    pub(super) async fn metadata(&self) -> Result<Rc<ServerMetadata>, Error> {
        if let Some(given) = &self.0.config.metadata {
            return Ok(given.clone());
        }
        let cached = self.cached_metadata();
        if !cached.as_ref().is_some_and(|cached| self.is_young(cached)) {
            let auth = self.clone();
            let run = Box::pin(async move { auth.fetch_metadata().await });
            let fetched = self.0.metadata_flight.join(&self.0.platform, run).await;
            if let Err(error) = fetched {
                let mut stale = cached.ok_or(error)?;
                // Not at every call: in a minute again.
                stale.at = self.now().before(LIFETIME - PAUSE);
                self.0.metadata.replace(Some(stale));
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
            if value.holds_private() {
                let message = "the JWK Set holds private keys";
                auth.0.platform.log(Level::Warn, message, None);
            }
            let at = auth.now();
            auth.0.jwks.replace(Some(Cached { value, at }));
            Ok(())
        });
        self.0.jwks_flight.join(&self.0.platform, run)
    }

    async fn fetch_metadata(&self) -> Result<(), Error> {
        let places = if self.0.config.server.oidc {
            [WellKnown::OpenId, WellKnown::OAuth]
        } else {
            [WellKnown::OAuth, WellKnown::OpenId]
        };
        let [first, second] = places;
        let found = match self.discover(first).await {
            // Some servers have but one of the two, and no CORS where there is nothing.
            Err(error) if is_absence(&error) => self.discover(second).await.map_err(|_| error)?,
            found => found?,
        };
        let at = self.now();
        let record = Object::new()
            .integer("v", 1)
            .integer("fetched_at", at.wall.as_millis())
            .json("given", self.0.config.server.given.clone())
            .json("metadata", found.as_json().clone())
            .done();
        // Without it a reload costs a request more.
        let _ = self
            .0
            .platform
            .login_storage()
            .save(&self.0.config.metadata_key(), &record.to_text());
        let value = Rc::new(found);
        self.0.metadata.replace(Some(Cached { value, at }));
        Ok(())
    }

    async fn discover(&self, place: WellKnown) -> Result<ServerMetadata, Error> {
        let server = &self.0.config.server;
        let issuer = server.issuer.as_ref();
        let issuer = issuer.ok_or_else(|| Error::internal("issuer"))?;
        let answer = self.send(discovery_request(issuer, place)).await?;
        Ok(discovery_response(server, &answer)?)
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
            let record =
                Json::parse_stored(&text).filter(|record| record.get_integer("v") == Some(1))?;
            let server = &self.0.config.server;
            // What was given by hand then is in it: given otherwise now, it is another's.
            if record.get("given").unwrap_or(&Json::Null) != &server.given {
                return None;
            }
            let value = parse(server, record.get("metadata")?).ok()?;
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

/// Whether there is nothing at a place, for all we can see.
fn is_absence(error: &Error) -> bool {
    if let ErrorKind::Protocol(error) = error.kind() {
        return matches!(**error, ProtocolError::InvalidResponse { status, .. } if status / 100 == 4);
    }
    matches!(error.kind(), ErrorKind::Network { .. })
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
