use super::flight::Landing;
use super::ports::{Platform, Storage};
use super::{Auth, Error, ErrorKind, is_local_path, no_entropy};
use crate::protocol::authorization::{self, AuthorizationResponse, Refusal};
use crate::protocol::error::{IdTokenProblem, OAuthErrorResponse, ProtocolError};
use crate::protocol::form;
use crate::protocol::id_token;
use crate::protocol::json::Json;
use crate::protocol::text::{before, cut};
use crate::protocol::token::{self, TokenResponse};
use crate::session::error::StaleProblem;
use crate::session::family::Family;
use crate::session::input::{Input, NewSession};
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
    uri: String,
    landing: Landing,
    result: RefCell<Option<CallbackResult>>,
}

impl<P: Platform> Auth<P> {
    /// Whether a URI is a response to a login of this client: its path is the `redirect_uri`'s and its `state` bears
    /// our prefix. A bare `code` or `error` of somebody else's is not.
    #[must_use]
    pub fn is_callback(&self, uri: &str) -> bool {
        let uri = without_fragment(uri);
        let state = form::find(query(uri), "state");
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
        self.start(Some(for_start)).await;
        let result = auth.complete_callback(uri).await;
        auth.tell();
        result
    }

    /// The same, without waiting for the start, which waits for it.
    pub(super) async fn complete_callback(&self, uri: &str) -> Result<CallbackResult, Error> {
        let callback = self.callback(without_fragment(uri));
        let (auth, run) = (self.clone(), callback.clone());
        let run = Box::pin(async move {
            let result = auth.conclude(auth.exchange(&run.uri).await)?;
            run.result.replace(Some(result));
            Ok(())
        });
        callback.landing.once(&self.0.platform, run).await?;
        let result = callback.result.borrow().clone();
        result.ok_or_else(|| Error::internal("callback"))
    }

    /// The callback with this URI, known or new.
    fn callback(&self, uri: &str) -> Rc<Callback> {
        let mut callbacks = self.0.callbacks.borrow_mut();
        let known = callbacks.iter().find(|known| known.uri == uri).cloned();
        known.unwrap_or_else(|| {
            let callback = Rc::new(Callback {
                uri: uri.to_owned(),
                landing: Landing::default(),
                result: RefCell::new(None),
            });
            callbacks.push(callback.clone());
            callback
        })
    }

    /// Tells the session how a callback ended.
    fn conclude(
        &self,
        result: Result<(Transaction, TokenResponse, Json), Error>,
    ) -> Result<CallbackResult, Error> {
        let family = Family::random(&self.0.platform).map_err(no_entropy);
        let result = result.and_then(|exchanged| family.map(|family| (exchanged, family)));
        match result {
            Ok(((transaction, tokens, user), new_family)) => {
                let requested_scope = transaction.scope;
                let stored = self.stored_session();
                self.apply(Input::SignedIn(Box::new(NewSession {
                    tokens,
                    user: Some(user),
                    requested_scope,
                    new_family,
                    stored,
                })));
                Ok(CallbackResult {
                    return_to: Some(transaction.return_to),
                    app_state: transaction.app_state,
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
                self.apply(Input::CallbackFailed(error.clone()));
                Err(error)
            }
        }
    }

    /// From the callback's URI to validated tokens.
    async fn exchange(&self, uri: &str) -> Result<(Transaction, TokenResponse, Json), Error> {
        let config = &self.0.config;
        if !self.is_redirect_uri(uri) {
            return Err(stale(StaleProblem::Unknown, None, None));
        }
        let response = AuthorizationResponse::parse(query(uri))?;
        let untrusted = response.untrusted_error().cloned();
        let state = form::find(query(uri), "state")
            .ok()
            .flatten()
            .filter(|state| !state.is_empty());
        let state = state.ok_or_else(|| stale(StaleProblem::Missing, None, untrusted.clone()))?;
        let transaction = self.take_login(&state, untrusted.as_ref())?;

        let metadata = self.metadata().await?;
        let expected = authorization::Expected {
            state: &transaction.state,
            expired: transaction.expired(self.0.platform.now().wall),
            metadata: &metadata,
            redirect_uri: &transaction.redirect_uri,
            code_verifier: &transaction.code_verifier,
        };
        let code = authorization::accept(response, &expected).map_err(|refusal| match refusal {
            Refusal::State => stale(StaleProblem::Unknown, None, untrusted.clone()),
            Refusal::Expired => stale(
                StaleProblem::Expired,
                Some(transaction.return_to.clone()),
                untrusted.clone(),
            ),
            Refusal::Protocol(error) => error.into(),
        })?;

        // The keys are on their way while the code is: the callback needs one round trip, not two.
        self.prefetch_jwks(&metadata);
        let answer = self
            .send(token::code_request(&metadata, &config.client_id, &code))
            .await?;
        let tokens = token::response(&answer)?;
        let id_token = tokens
            .id_token
            .as_ref()
            .ok_or_else(|| ProtocolError::invalid_id_token("id_token", IdTokenProblem::Missing))?;
        let user = self.verified_claims(id_token, &metadata).await?;
        let expected = id_token::Expected {
            issuer: metadata.issuer.as_str(),
            client_id: &config.client_id,
            nonce: &transaction.nonce,
            max_age: transaction.max_age,
            access_token: &tokens.access_token,
            clock_tolerance: config.clock_tolerance,
        };
        id_token::validate(&user, &expected, self.0.platform.now().wall)?;
        Ok((transaction, tokens, user))
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
        let transaction = match text.as_deref().map(transaction::decode) {
            Some(transaction::Stored::Pending(transaction)) => *transaction,
            Some(transaction::Stored::Used(return_to)) => {
                return Err(stale(
                    StaleProblem::Used,
                    return_to.filter(|path| is_local_path(path)),
                    untrusted.cloned(),
                ));
            }
            Some(transaction::Stored::Absent) | None => {
                return Err(stale(StaleProblem::Unknown, None, untrusted.cloned()));
            }
        };
        // RFC 9700 §4.4: the code goes to the server that was asked. Another client's login is left to that client.
        if transaction.issuer != self.0.config.issuer.as_str()
            || transaction.client_id != self.0.config.client_id
        {
            return Err(stale(StaleProblem::Unknown, None, untrusted.cloned()));
        }
        if storage.save(&key, &transaction.used_marker()).is_err() && storage.remove(&key).is_err()
        {
            return Err(Error::storage("remove"));
        }
        if !is_local_path(&transaction.return_to) {
            return Err(stale(StaleProblem::Unknown, None, untrusted.cloned()));
        }
        Ok(transaction)
    }

    fn is_redirect_uri(&self, uri: &str) -> bool {
        before(uri, b'?') == self.0.config.redirect_uri.without_query()
    }
}

fn stale(
    problem: StaleProblem,
    return_to: Option<String>,
    untrusted: Option<OAuthErrorResponse>,
) -> Error {
    let kind = ErrorKind::StaleCallback {
        problem,
        return_to,
        untrusted,
    };
    kind.into()
}

fn without_fragment(uri: &str) -> &str {
    before(uri, b'#')
}

fn query(uri: &str) -> &str {
    cut(uri, b'?').map_or("", |(_, query)| query)
}
