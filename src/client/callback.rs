use super::flight::Landing;
use super::ports::{Platform, Storage};
use super::{Auth, Error, ErrorKind, is_local_path, no_entropy};
use crate::protocol::authorization::{self, AuthorizationResponse, Refusal};
use crate::protocol::digest::sha256 as digest;
use crate::protocol::error::{IdTokenProblem, OAuthErrorResponse, ProtocolError};
use crate::protocol::form;
use crate::protocol::http::HttpRequest;
use crate::protocol::id_token;
use crate::protocol::json::Json;
use crate::protocol::metadata::ServerMetadata;
use crate::protocol::text::{before, cut};
use crate::protocol::token::{self, TokenResponse};
use crate::session::error::StaleProblem;
use crate::session::family::Family;
use crate::session::input::{Input, NewSession};
use crate::session::record::TokenKey;
use crate::session::state::Warning;
use crate::session::transaction::{self, Transaction};
use std::cell::RefCell;
use std::rc::Rc;

/// A completed callback.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CallbackResult {
    /// Where the application was; `None` where a callback was handled before and the session lives.
    pub return_to: Option<String>,
    /// What it wanted back.
    pub app_state: Json,
}

/// One callback, whoever asks for it.
pub(super) struct Callback {
    /// Of its URI: what tells it from others, and keeps no code.
    digest: String,
    landing: Landing,
    result: RefCell<Option<CallbackResult>>,
}

/// A code that was traded, and for what.
struct Exchanged {
    transaction: Transaction,
    tokens: Box<TokenResponse>,
    user: Option<Json>,
}

impl<P: Platform> Auth<P> {
    /// Whether a URI is a response to a login of this client: its path is the `redirect_uri`'s and its `state` bears
    /// our prefix. A bare `code` or `error` of somebody else's is not.
    #[must_use]
    pub fn is_callback(&self, uri: &str) -> bool {
        let state = form::find(self.response_part(uri), "state");
        // A repeated `state` is ours if any is: it is refused, not overlooked.
        self.is_redirect_uri(uri)
            && state.map_or(true, |state| {
                state.is_some_and(|state| state.starts_with(&self.0.config.state_prefix))
            })
    }

    /// Completes the callback with this URI. A second call with the same one gets the first result.
    ///
    /// # Errors
    /// What refused it. A session that was there before stays.
    pub async fn handle_callback(&self, uri: &str) -> Result<CallbackResult, Error> {
        let (auth, for_start) = (self.clone(), uri.to_owned());
        // If nothing was started yet, this callback is what there is to start with.
        let _ = self.run_start(Some(for_start)).await;
        let result = auth.complete_callback(uri).await;
        auth.tell();
        result
    }

    /// The same, without waiting for the start, which waits for it.
    pub(super) async fn complete_callback(&self, uri: &str) -> Result<CallbackResult, Error> {
        let callback = self.callback(uri);
        let (auth, run, uri) = (self.clone(), callback.clone(), uri.to_owned());
        let run = Box::pin(async move {
            let exchanged = auth.exchange(&uri).await;
            if auth.stored_text().is_some() {
                // Without it, what is stored counts as nothing.
                let _ = auth.load_secondary().await;
            }
            let result = auth.conclude(exchanged)?;
            run.result.replace(Some(result));
            Ok(())
        });
        callback.landing.once(&self.0.platform, run).await?;
        let result = callback.result.borrow().clone();
        result.ok_or_else(|| Error::internal("callback"))
    }

    /// The callback with this URI, known or new.
    fn callback(&self, uri: &str) -> Rc<Callback> {
        // What the page adds to its own hash makes no other callback.
        let uri = if self.0.config.fragment {
            uri
        } else {
            before(uri, b'#')
        };
        let mut callbacks = self.0.callbacks.borrow_mut();
        let digest = digest(uri);
        let known = callbacks
            .iter()
            .find(|known| known.digest == digest)
            .cloned();
        known.unwrap_or_else(|| {
            let callback = Rc::new(Callback {
                digest,
                landing: Landing::default(),
                result: RefCell::new(None),
            });
            callbacks.push(callback.clone());
            callback
        })
    }

    /// Tells the session how a callback ended.
    fn conclude(&self, result: Result<Exchanged, Error>) -> Result<CallbackResult, Error> {
        let family = Family::random(&self.0.platform).map_err(no_entropy);
        let result = result.and_then(|exchanged| family.map(|family| (exchanged, family)));
        match result {
            Ok((exchanged, new_family)) => {
                self.note_callback(None);
                let stored = self.stored_session();
                self.apply(Input::SignedIn(Box::new(NewSession {
                    tokens: *exchanged.tokens,
                    user: exchanged.user,
                    requested_scope: exchanged.transaction.scope(),
                    api: exchanged.transaction.api().to_owned(),
                    new_family,
                    stored,
                    shared: self.0.platform.session_storage().is_shared(),
                })));
                self.settle_soon();
                Ok(CallbackResult {
                    return_to: Some(exchanged.transaction.return_to().to_owned()),
                    app_state: exchanged.transaction.app_state(),
                })
            }
            Err(error) => {
                self.restore();
                let lives = self.0.session.borrow().record().is_some();
                // A bookmark, a reload, the back button: with a live session there is nothing to complain about.
                if lives && matches!(error.kind(), ErrorKind::StaleCallback { .. }) {
                    return Ok(CallbackResult {
                        return_to: None,
                        app_state: Json::Null,
                    });
                }
                self.note_callback(Some(&error));
                self.apply(Input::CallbackFailed(error.clone()));
                Err(error)
            }
        }
    }

    /// From the callback's URI to validated tokens.
    async fn exchange(&self, uri: &str) -> Result<Exchanged, Error> {
        let (response, transaction) = self.receive(uri)?;
        let metadata = self.metadata().await?;
        let request = self.accept(response, &transaction, &metadata)?;
        if self.0.config.server.oidc {
            // The keys are on their way while the code is: the callback needs one round trip, not two.
            self.prefetch_jwks(&metadata);
        }
        let mut tokens = Box::new(token::response(&self.send(request).await?)?);
        let mut user = None;
        if self.0.config.server.oidc {
            let id_token = tokens.id_token.as_ref();
            let id_token = id_token.ok_or_else(|| {
                ProtocolError::invalid_id_token("id_token", IdTokenProblem::Missing)
            })?;
            let claims = self.verified_claims(id_token, Some(&tokens.access_token), &metadata);
            let claims = claims.await?;
            self.check_claims(&claims, &transaction, &metadata)?;
            user = Some(claims);
        } else {
            // Nobody asked for one, and nobody checks it.
            tokens.id_token = None;
        }
        Ok(Exchanged {
            transaction,
            tokens,
            user,
        })
    }

    /// Holds the ID Token to what the login asked for.
    fn check_claims(
        &self,
        claims: &Json,
        transaction: &Transaction,
        metadata: &ServerMetadata,
    ) -> Result<(), Error> {
        let expected = id_token::Expected {
            issuer: metadata.issuer().unwrap_or_default(),
            client_id: &self.0.config.client_id,
            nonce: transaction.nonce(),
            max_age: transaction.max_age(),
            auth_time_required: transaction.auth_time_required(),
            acr_values: transaction.acr_values(),
            organization: transaction.organization(),
            clock_tolerance: self.0.config.clock_tolerance,
        };
        Ok(id_token::validate(
            claims,
            &expected,
            self.0.platform.now().wall,
        )?)
    }

    /// Reads the callback and takes the login that was waiting for it.
    fn receive(&self, uri: &str) -> Result<(AuthorizationResponse, Transaction), Error> {
        if !self.is_redirect_uri(uri) {
            return Err(stale(StaleProblem::Unknown, None, None));
        }
        let part = self.response_part(uri);
        let response = AuthorizationResponse::parse(part)?;
        let untrusted = response.untrusted_error();
        let state = form::find(part, "state").ok().flatten();
        match state.filter(|state| !state.is_empty()) {
            None => Err(stale(StaleProblem::Missing, None, untrusted)),
            Some(state) => {
                let transaction = self.take_login(&state, untrusted)?;
                Ok((response, transaction))
            }
        }
    }

    /// Takes a pending login out of the storage, for good: by one write, before anything is sent (RFC 6749 §10.12).
    fn take_login(
        &self,
        state: &str,
        untrusted: Option<&OAuthErrorResponse>,
    ) -> Result<Transaction, Error> {
        let storage = self.0.platform.login_storage();
        let key = transaction::key(state);
        let text = storage.load(&key).map_err(|_| Error::storage("read"))?;
        let unknown = || Err(stale(StaleProblem::Unknown, None, untrusted));
        let transaction = match transaction::decode(&text.unwrap_or_default()) {
            transaction::Stored::Pending(transaction) => transaction,
            transaction::Stored::Used(return_to) => {
                let return_to = return_to.filter(|path| is_local_path(path));
                return Err(stale(StaleProblem::Used, return_to, untrusted));
            }
            transaction::Stored::Absent => return unknown(),
        };
        // RFC 9700 §4.4: the code goes to the server that was asked. Another client's login is left to that client.
        if transaction.issuer() != self.0.config.server_name()
            || transaction.client_id() != self.0.config.client_id
        {
            return unknown();
        }
        if storage.save(&key, &transaction.used_marker()).is_err() && storage.remove(&key).is_err()
        {
            return Err(Error::storage("remove"));
        }
        if !is_local_path(transaction.return_to()) {
            return unknown();
        }
        Ok(transaction)
    }

    /// Checks the response against the login; the token request that follows from it.
    fn accept(
        &self,
        response: AuthorizationResponse,
        transaction: &Transaction,
        metadata: &ServerMetadata,
    ) -> Result<HttpRequest, Error> {
        let untrusted = response.untrusted_error().cloned();
        if response.names_issuer() && metadata.issuer().is_none() {
            self.warn(Warning::IssuerUnchecked);
        }
        let expected = authorization::Expected {
            state: transaction.state(),
            expired: transaction.expired(self.0.platform.now().wall),
            metadata,
            redirect_uri: transaction.redirect_uri(),
            code_verifier: transaction.code_verifier(),
        };
        match authorization::accept(response, &expected) {
            Ok(code) => Ok(token::code_request(
                metadata,
                &self.0.config.client_id,
                &code,
                &TokenKey::default().parameters(transaction.api()),
            )),
            Err(Refusal::State) => Err(stale(StaleProblem::Unknown, None, untrusted.as_ref())),
            Err(Refusal::Expired) => {
                let return_to = Some(transaction.return_to().to_owned());
                Err(stale(StaleProblem::Expired, return_to, untrusted.as_ref()))
            }
            Err(Refusal::Protocol(error)) => Err(error.into()),
        }
    }

    /// Where a response stands: only there is it read (OAuth 2.0 Multiple Response Types §2.1).
    fn response_part<'a>(&self, uri: &'a str) -> &'a str {
        if self.0.config.fragment {
            cut(uri, b'#').map_or("", |(_, fragment)| fragment)
        } else {
            cut(before(uri, b'#'), b'?').map_or("", |(_, query)| query)
        }
    }

    fn is_redirect_uri(&self, uri: &str) -> bool {
        before(before(uri, b'#'), b'?') == self.0.config.redirect_uri.without_query()
    }
}

fn stale(
    problem: StaleProblem,
    return_to: Option<String>,
    untrusted: Option<&OAuthErrorResponse>,
) -> Error {
    let kind = ErrorKind::StaleCallback {
        problem,
        return_to,
        untrusted: untrusted.cloned(),
    };
    kind.into()
}
