use super::config::FORBIDDEN_IN_SCOPE;
use super::ports::{Platform, Storage};
use super::{Auth, Error, is_local_path, no_entropy};
use crate::protocol::authorization::{AuthorizationRequest, is_free_parameter};
use crate::protocol::json::Json;
use crate::protocol::metadata::ServerMetadata;
use crate::protocol::pkce;
use crate::protocol::scope::Scope;
use crate::protocol::text::number;
use crate::session::transaction::{self, Transaction};

use core::convert::Infallible;
use core::future::pending;

/// What one login asks for, beside the configuration.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LoginOptions {
    /// Parameters of the authorization request, beside those that the protocol owns. `scope` is one of them.
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

/// A login that is not drawn yet.
struct Draft {
    scope: Scope,
    max_age: Option<i64>,
    parameters: Vec<(String, String)>,
    return_to: String,
    app_state: Json,
}

impl<P: Platform> Auth<P> {
    /// Prepares a login and gives the URI to send the user to. The login is stored before: its response is of use to
    /// this tab only.
    ///
    /// # Errors
    /// `storage` where it cannot be stored, so that nobody leaves for nothing; `invalid_config` for options that
    /// cannot be used; errors of discovery.
    pub async fn begin_login(&self, options: LoginOptions) -> Result<String, Error> {
        let draft = self.draft_login(options)?;
        let metadata = self.metadata().await?;
        self.issue_login(*draft, &metadata)
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

    /// What was asked for, checked.
    fn draft_login(&self, options: LoginOptions) -> Result<Box<Draft>, Error> {
        let config = &self.0.config;
        let refuse = |option, problem| Err(Error::invalid_config(option, problem));
        if !is_local_path(&options.return_to) {
            return refuse("returnTo", "not a place of this origin");
        }
        let mut draft = Draft {
            scope: config.scope.clone(),
            max_age: None,
            parameters: options.parameters,
            return_to: options.return_to,
            app_state: options.app_state,
        };
        for (name, value) in &draft.parameters {
            if !is_free_parameter(name) {
                return refuse("extra", "names a parameter that the protocol owns");
            }
            if name == "scope" {
                match Scope::parse(value) {
                    Some(scope) => draft.scope = scope,
                    None => return refuse("scope", FORBIDDEN_IN_SCOPE),
                }
            } else if name == "max_age" {
                draft.max_age = number(value);
                if draft.max_age.is_none() {
                    return refuse("maxAge", "not a number of seconds");
                }
            }
        }
        // OIDC Core §3.1.2.1: without it there is no ID Token, and so no user.
        if !draft.scope.contains("openid") {
            return refuse("scope", "lacks openid");
        }
        Ok(Box::new(draft))
    }

    /// Draws what this login is known by, stores it, and gives the URI.
    fn issue_login(&self, draft: Draft, metadata: &ServerMetadata) -> Result<String, Error> {
        let (config, platform) = (&self.0.config, &self.0.platform);
        let login = transaction::Draft {
            issuer: config.issuer.as_str(),
            client_id: &config.client_id,
            redirect_uri: &config.redirect_uri,
            scope: &draft.scope,
            max_age: draft.max_age,
            return_to: &draft.return_to,
            app_state: draft.app_state,
            state_prefix: &config.state_prefix,
        };
        let login = login
            .draw(platform.now().wall, platform)
            .map_err(no_entropy)?;
        self.store_login(&login)?;
        let request = AuthorizationRequest {
            client_id: &config.client_id,
            redirect_uri: config.redirect_uri.as_str(),
            scope: &draft.scope,
            state: login.state(),
            nonce: Some(login.nonce()),
            code_challenge: &pkce::challenge(login.code_verifier()),
            parameters: &draft.parameters,
        };
        Ok(request.to_uri(metadata))
    }

    /// Stores a pending login, and drops those that nobody will come back from.
    fn store_login(&self, login: &Transaction) -> Result<(), Error> {
        let storage = self.0.platform.login_storage();
        let mut logins = Vec::new();
        for key in storage.keys(transaction::KEY_PREFIX) {
            let text = storage.load(&key).ok().flatten().unwrap_or_default();
            logins.push((key, transaction::began_at(&text)));
        }
        for key in transaction::sweep(logins, login.began_at()) {
            // One that stays is swept by the next login.
            let _ = storage.remove(&key);
        }
        let key = transaction::key(login.state());
        storage
            .save(&key, &login.encode())
            .map_err(|_| Error::storage("write"))
    }
}
