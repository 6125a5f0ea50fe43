use super::ports::{Level, NoMailbox, Platform, Storage};
use super::{Auth, Error, random};
use crate::protocol::json::Object;
use crate::protocol::logout::{EndSession, end_session_uri, parameter_name};
use crate::protocol::metadata::ServerMetadata;
use crate::protocol::revocation::{TokenTypeHint, revocation_request};
use crate::protocol::secret::Secret;
use crate::protocol::text::joined;
use crate::protocol::uri::HttpUri;
use crate::session::family::Entry;
use crate::session::input::Input;
use crate::session::record::{Record, TokenKey};

/// How to log out.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct LogoutOptions {
    /// Only this browser forgets; the server's session stays.
    pub local: bool,
    /// Instead of the configured one.
    pub post_logout_redirect_uri: Option<String>,
    /// What else to send.
    pub parameters: Vec<(String, String)>,
    /// How the `state` of the return begins; by it the return is told from a login's.
    pub state_prefix: String,
    /// Whether the refresh token is revoked, too (RFC 7009); without a word it is, unless the logout is local or sends the
    /// access token as a hint.
    pub revoke: Option<bool>,
    /// The session ended while the page slept, as its storage says: only that one is left, here, and nothing is asked or
    /// told. What its user has signed in to since stands.
    pub elsewhere: bool,
}

impl<P: Platform> Auth<P> {
    /// Forgets the session, then sends the user to where it ends at the server, if there is such a place.
    ///
    /// # Errors
    /// Those of [`Auth::begin_logout`].
    pub async fn logout(&self, options: LogoutOptions) -> Result<(), Error> {
        if let Some(uri) = self.begin_logout(options).await? {
            self.0.platform.assign(&uri);
        }
        Ok(())
    }

    /// Forgets the session, then gives the URI at which it ends at the server; `None` where there is nothing to go to.
    /// OIDC RP-Initiated Logout §2.
    ///
    /// # Errors
    /// Where the server's metadata cannot be had: the session is forgotten here all the same.
    pub async fn begin_logout(&self, options: LogoutOptions) -> Result<Option<String>, Error> {
        if options.elsewhere {
            if let Some(family) = self.family() {
                self.apply(Input::Family(Entry::Tombstone(family.id)));
                self.tell();
            }
            return Ok(None);
        }
        // A callback that is under way would sign in again; what is merely stored is forgotten without being asked about.
        if self.0.callbacks.borrow().is_empty() {
            self.restore();
        } else {
            let _ = self.started().await;
        }
        let record = self.held();
        // Asked before the family ends: what is revoked is the newest that any tab has.
        let family = record.as_ref().map(|record| record.family.id.clone());
        let newest = family.map(|family| self.0.platform.newest(&family));
        self.apply(Input::LoggedOut);
        self.tell();
        let newer = match newest.zip(record.as_ref()) {
            Some((newest, record)) => {
                let (Ok(posted) | Err(NoMailbox(posted))) = newest.await;
                self.open(&record.family, &posted)
            }
            None => None,
        };
        let record = record.map(|held| match newer {
            Some(newer) if newer.generation > held.generation => newer,
            _ => held,
        });
        self.settle_end().await;
        // RFC 7009 §2.1: access tokens go with the refresh token, and a hint that was revoked says nothing.
        let hints = parameter_name(&self.0.config.logout, "access_token_hint").is_some();
        let revokes = options.revoke.unwrap_or(!options.local && !hints);
        if options.local && !revokes {
            return Ok(None);
        }
        let own = options.post_logout_redirect_uri.as_deref();
        if own.is_some_and(|text| HttpUri::parse(text).is_none()) {
            return Err(Error::invalid_config(
                "postLogoutRedirectUri",
                "not an absolute http(s) URL without fragment",
            ));
        }
        let metadata = self.metadata().await?;
        if revokes && let Some(record) = &record {
            let access_token = record.token(&TokenKey::default());
            let access_token = access_token.map(|token| &token.value);
            self.revoke(&metadata, record.refresh_token.as_ref(), access_token)
                .await;
        }
        if options.local {
            return Ok(None);
        }
        self.end_session(&metadata, record.as_deref(), &options)
    }

    /// Forgets the session where the rest of the program cannot be loaded: this tab's only, and nobody is told.
    #[cfg(all(target_arch = "wasm32", feature = "js"))]
    pub(crate) fn leave_unloaded(&self) {
        self.apply(Input::Left);
        self.tell();
    }

    /// Revokes the session's tokens: the refresh token, and with it all others, or the only one that there is. Waits for a
    /// second at the most; a logout goes on whatever comes of it (RFC 7009 §2.2.1).
    async fn revoke(
        &self,
        metadata: &ServerMetadata,
        refresh_token: Option<&Secret>,
        access_token: Option<&Secret>,
    ) {
        let token = match (refresh_token, access_token) {
            (Some(token), _) => Some((token, TokenTypeHint::RefreshToken)),
            (None, Some(token)) => Some((token, TokenTypeHint::AccessToken)),
            (None, None) => None,
        };
        if let Some((endpoint, (token, hint))) = metadata.revocation_endpoint().zip(token) {
            let config = &self.0.config;
            let (client_id, as_json) = (&config.client_id, config.json_revocation);
            let request = revocation_request(endpoint, client_id, token, hint, as_json);
            let answer = self.0.platform.send(request, 1).await;
            if answer.map_or(true, |answer| answer.status != 200) {
                let platform = &self.0.platform;
                platform.log(Level::Warn, "the tokens may not be revoked", None);
            }
        }
    }

    /// Revokes the tokens of a session that ended before they came, nobody waiting; unless there is another by now: a
    /// server may hold both for one grant.
    pub(super) fn revoke_soon(&self, refresh_token: Option<Secret>, access_token: Option<Secret>) {
        let auth = self.clone();
        self.0.platform.spawn(Box::pin(async move {
            if auth.0.session.borrow().record().is_none()
                && let Ok(metadata) = auth.metadata().await
            {
                auth.revoke(&metadata, refresh_token.as_ref(), access_token.as_ref())
                    .await;
            }
        }));
    }

    /// Where the session ends at the server, if there is such a place. OIDC RP-Initiated Logout §2.
    fn end_session(
        &self,
        metadata: &ServerMetadata,
        record: Option<&Record>,
        options: &LogoutOptions,
    ) -> Result<Option<String>, Error> {
        let config = &self.0.config;
        let dialect = &config.logout;
        let own = dialect.get_str("endpoint");
        let Some(endpoint) = own.or_else(|| metadata.end_session_endpoint()) else {
            return Ok(None);
        };
        let configured = config.post_logout_redirect_uri.as_ref();
        let redirect_uri = options.post_logout_redirect_uri.as_deref();
        let redirect_uri = redirect_uri.or_else(|| configured.map(HttpUri::as_str));
        let mut state = None;
        if redirect_uri.is_some() && parameter_name(dialect, "state").is_some() {
            let drawn = joined(&[options.state_prefix.as_str(), &random(&self.0.platform)?]);
            // Without it the return is merely not compared.
            let record = Object::new().integer("v", 1).text("state", &drawn).done();
            let storage = self.0.platform.login_storage();
            let _ = storage.save(&config.logout_key(), &record.to_text());
            state = Some(drawn);
        }
        let id_token = record.and_then(|record| record.id_token.as_ref());
        let access_token = record.and_then(|record| record.token(&TokenKey::default()));
        let end_session = EndSession {
            client_id: &config.client_id,
            id_token_hint: id_token.map(Secret::expose),
            access_token_hint: access_token.map(|token| token.value.expose()),
            post_logout_redirect_uri: redirect_uri,
            state: state.as_deref(),
            parameters: &options.parameters,
        };
        Ok(Some(end_session_uri(endpoint, dialect, &end_session)))
    }
}
