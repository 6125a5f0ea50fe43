use super::ports::{Platform, Storage};
use super::{Auth, Error, is_local_path, no_entropy, random};
use crate::protocol::authorization::{AuthorizationRequest, is_free_parameter};
use crate::protocol::json::Json;
use crate::protocol::pkce::CodeVerifier;
use crate::protocol::scope::Scope;
use crate::protocol::secret::Secret;
use crate::protocol::text::number;
use crate::session::transaction::{self, Transaction};

use core::convert::Infallible;
use core::future::pending;

/// What one login asks for, beside the configuration.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LoginOptions {
    /// Parameters of the authorization request; they win over those of the configuration. `scope` is one of them.
    pub parameters: Vec<(String, String)>,
    /// Where to come back to: a path of this origin, with query and fragment.
    pub return_to: String,
    /// What the application wants back: stored, never sent.
    pub app_state: Json,
}

impl Default for LoginOptions {
    fn default() -> Self {
        Self {
            parameters: Vec::new(),
            return_to: "/".to_owned(),
            app_state: Json::Null,
        }
    }
}

impl<P: Platform> Auth<P> {
    /// Prepares a login and gives the URI to send the user to. The login is stored before: its response is of use to
    /// this tab only.
    ///
    /// # Errors
    /// `storage` where it cannot be stored, so that nobody leaves for nothing; `invalid_config` for options that
    /// cannot be used; errors of discovery.
    pub async fn begin_login(&self, options: LoginOptions) -> Result<String, Error> {
        let config = &self.0.config;
        let refuse = |option, problem| Err(Error::invalid_config(option, problem));
        if !options
            .parameters
            .iter()
            .all(|(name, _)| is_free_parameter(name))
        {
            return refuse("extra", "names a parameter that the protocol owns");
        }
        if !is_local_path(&options.return_to) {
            return refuse("returnTo", "not a place of this origin");
        }
        let parameters = merged(&config.parameters, options.parameters);
        let parameter = |wanted| {
            parameters
                .iter()
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value.as_str())
        };
        let scope = match parameter("scope") {
            None => config.scope.clone(),
            Some(text) => match Scope::parse(text) {
                Some(scope) => scope,
                None => return refuse("scope", "has characters that RFC 6749 §3.3 does not allow"),
            },
        };
        // OIDC Core §3.1.2.1: without it there is no ID Token, and so no user.
        if !scope.contains("openid") {
            return refuse("scope", "lacks openid");
        }
        let max_age = match parameter("max_age") {
            None => None,
            Some(text) => match number(text) {
                Some(seconds) => Some(seconds),
                None => return refuse("maxAge", "not a number of seconds"),
            },
        };
        let metadata = self.metadata().await?;
        let platform = &self.0.platform;
        let transaction = Transaction {
            state: transaction::random_state(&config.state_prefix, platform).map_err(no_entropy)?,
            nonce: Secret::new(random(platform)?),
            code_verifier: CodeVerifier::random(platform).map_err(no_entropy)?,
            issuer: config.issuer.as_str().to_owned(),
            client_id: config.client_id.clone(),
            redirect_uri: config.redirect_uri.clone(),
            scope,
            max_age,
            return_to: options.return_to,
            app_state: options.app_state,
            began_at: platform.now().wall,
        };
        self.store_login(&transaction)?;
        let request = AuthorizationRequest {
            client_id: &config.client_id,
            redirect_uri: config.redirect_uri.as_str(),
            scope: &transaction.scope,
            state: transaction.state.expose(),
            nonce: Some(transaction.nonce.expose()),
            code_challenge: &transaction.code_verifier.challenge(),
            parameters: &parameters,
        };
        Ok(request.to_uri(&metadata))
    }

    /// Sends the user to the authorization server. Ends only by an error.
    ///
    /// # Errors
    /// Those of [`Auth::begin_login`].
    pub async fn login(&self, options: LoginOptions) -> Result<Infallible, Error> {
        let uri = self.begin_login(options).await?;
        self.0.platform.assign(&uri);
        Ok(pending().await)
    }

    /// Stores a pending login, and drops those that nobody will come back from.
    fn store_login(&self, login: &Transaction) -> Result<(), Error> {
        let storage = self.0.platform.login_storage();
        let logins = storage
            .keys(transaction::KEY_PREFIX)
            .into_iter()
            .map(|key| {
                let began_at = storage
                    .load(&key)
                    .ok()
                    .flatten()
                    .and_then(|text| transaction::began_at(&text));
                (key, began_at)
            });
        for key in transaction::sweep(logins.collect(), login.began_at) {
            // One that stays is swept by the next login.
            let _ = storage.remove(&key);
        }
        let key = transaction::key(login.state.expose());
        storage
            .save(&key, &login.encode())
            .map_err(|_| Error::storage("write"))
    }
}

/// The configuration's parameters, overridden by the login's own.
fn merged(configured: &[(String, String)], own: Vec<(String, String)>) -> Vec<(String, String)> {
    let overridden = |name: &String| own.iter().any(|(known, _)| known == name);
    let kept = configured
        .iter()
        .filter(|(name, _)| !overridden(name))
        .cloned();
    kept.collect::<Vec<_>>().into_iter().chain(own).collect()
}
