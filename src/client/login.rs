use super::config::FORBIDDEN_IN_SCOPE;
use super::ports::{Platform, Storage};
use super::{Auth, Error, is_local_path, no_entropy};
use crate::protocol::authorization::{AuthorizationRequest, is_free_parameter};
use crate::protocol::json::Json;
use crate::protocol::metadata::ServerMetadata;
use crate::protocol::pkce;
use crate::protocol::scope::Scope;
use crate::protocol::text::{joined, number};
use crate::protocol::time::Timestamp;
use crate::session::state::Warning;
use crate::session::token_key::api_of;
use crate::session::transaction::{self, Transaction, Wishes};

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
    /// Another client of this page, of another server, has the same `redirect_uri`: then only `iss` tells their
    /// responses apart (RFC 9700 §4.4.2).
    pub shared_redirect_uri: bool,
    /// The user asked for it, by a click: then it is no part of a login loop. The fourth within a minute without that is
    /// refused.
    pub by_user: bool,
}

impl Default for LoginOptions {
    fn default() -> Self {
        Self {
            parameters: Vec::new(),
            return_to: "/".to_owned(),
            app_state: Json::Null,
            shared_redirect_uri: false,
            by_user: false,
        }
    }
}

/// A login that is not drawn yet.
struct Draft {
    scope: Scope,
    wishes: Wishes,
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
    /// cannot be used; `login_loop` for one that follows others without the user's doing; errors of discovery.
    pub async fn begin_login(&self, options: LoginOptions) -> Result<String, Error> {
        let (shared, by_user) = (options.shared_redirect_uri, options.by_user);
        let draft = self.draft_login(options)?;
        self.stop_login_loop(by_user)?;
        let metadata = self.metadata().await?;
        if shared && !metadata.iss_parameter_supported() {
            self.warn(Warning::SharedRedirectUri);
            self.tell();
        }
        let uri = self.issue_login(*draft, &metadata)?;
        if !by_user {
            self.count_login();
        }
        Ok(uri)
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
            wishes: Wishes::default(),
            parameters: options.parameters,
            return_to: options.return_to,
            app_state: options.app_state,
        };
        for (name, value) in &draft.parameters {
            if !is_free_parameter(name) {
                return refuse("extra", "names a parameter that the protocol owns");
            }
            match name.as_str() {
                "scope" => match Scope::parse(value) {
                    Some(scope) => draft.scope = scope,
                    None => return refuse("scope", FORBIDDEN_IN_SCOPE),
                },
                "max_age" => match number(value) {
                    Some(seconds) => draft.wishes.max_age = Some(seconds),
                    None => return refuse("maxAge", "not a number of seconds"),
                },
                "acr_values" => draft.wishes.acr_values = Some(value.clone()),
                "organization" => draft.wishes.organization = Some(value.clone()),
                "claims" => match Json::parse(value) {
                    Some(claims) if claims.is_object() => essential(&claims, &mut draft.wishes),
                    _ => return refuse("claims", "not a JSON object"),
                },
                _ => {}
            }
        }
        // OIDC Core §3.1.2.1: without it there is no ID Token, and so no user.
        if config.server.oidc && !draft.scope.contains("openid") {
            return refuse("scope", "lacks openid");
        }
        Ok(Box::new(draft))
    }

    /// Draws what this login is known by, stores it, and gives the URI.
    fn issue_login(&self, draft: Draft, metadata: &ServerMetadata) -> Result<String, Error> {
        let (config, platform) = (&self.0.config, &self.0.platform);
        let login = transaction::Draft {
            issuer: config.server_name(),
            client_id: &config.client_id,
            redirect_uri: &config.redirect_uri,
            scope: &draft.scope,
            api: &api_of(&draft.parameters),
            wishes: &draft.wishes,
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
            in_fragment: config.fragment,
            nonce: config.server.oidc.then(|| login.nonce()),
            code_challenge: &pkce::challenge(login.code_verifier()),
            parameters: &draft.parameters,
        };
        Ok(request.to_uri(metadata))
    }

    /// Stores a pending login; now and then, and where the storage is full, those that nobody will come back from are
    /// dropped before.
    fn store_login(&self, login: &Transaction) -> Result<(), Error> {
        let (key, text) = (transaction::key(login.state()), login.encode());
        let save = || self.0.platform.login_storage().save(&key, &text);
        let room = self.0.room_for_logins.get();
        if room == 0 || save().is_err() {
            self.sweep_logins(login.began_at());
            save().map_err(|_| Error::storage("write"))?;
        }
        let room = &self.0.room_for_logins;
        room.set(room.get().saturating_sub(1));
        Ok(())
    }

    /// Looks at all pending logins, which takes time: this page knows how many it adds.
    fn sweep_logins(&self, now: Timestamp) {
        let storage = self.0.platform.login_storage();
        let mut logins = Vec::new();
        for key in storage.keys(transaction::KEY_PREFIX) {
            let text = storage.load(&key).ok().flatten().unwrap_or_default();
            logins.push((key, transaction::began_at(&text)));
        }
        let count = logins.len();
        let dropped = transaction::sweep(logins, now);
        for key in &dropped {
            // One that stays is dropped by the next sweep.
            let _ = storage.remove(key);
        }
        let kept = count.saturating_sub(dropped.len());
        self.0
            .room_for_logins
            .set((transaction::MAX_PENDING + 1).saturating_sub(kept));
    }
}

/// What `claims` calls essential for the ID Token, of what we can check (OIDC Core §5.5.1, §5.5.1.1).
fn essential(claims: &Json, wishes: &mut Wishes) {
    let find = |claim| claims.get("id_token")?.get(claim);
    let is_essential = |claim: &Json| claim.is_true("essential");
    wishes.auth_time_required = find("auth_time").is_some_and(is_essential);
    if let Some(acr) = find("acr").filter(|acr| is_essential(acr)) {
        let several = acr.get("values").and_then(Json::as_array);
        let one = acr.get("value").map_or(&[][..], core::slice::from_ref);
        for value in several.unwrap_or(one).iter().filter_map(Json::as_str) {
            let known = wishes.acr_values.take();
            wishes.acr_values = Some(match known {
                Some(known) => joined(&[&known, " ", value]),
                None => value.to_owned(),
            });
        }
    }
}
