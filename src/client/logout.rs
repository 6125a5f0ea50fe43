use super::ports::{Platform, Storage};
use super::{Auth, Error, random};
use crate::protocol::json::Object;
use crate::protocol::logout::{EndSession, end_session_uri};
use crate::protocol::secret::Secret;
use crate::protocol::text::joined;
use crate::protocol::uri::HttpUri;
use crate::session::input::Input;

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
        // A callback that is under way would sign in again; what is merely stored is forgotten without being asked about.
        if self.0.callbacks.borrow().is_empty() {
            self.restore();
        } else {
            self.started().await;
        }
        let id_token = self
            .0
            .session
            .borrow()
            .record()
            .and_then(|record| record.id_token.clone());
        self.apply(Input::LoggedOut);
        self.tell();
        if options.local {
            return Ok(None);
        }
        let config = &self.0.config;
        let own = options.post_logout_redirect_uri.as_deref();
        if own.is_some_and(|text| HttpUri::parse(text).is_none()) {
            return Err(Error::invalid_config(
                "postLogoutRedirectUri",
                "not an absolute http(s) URL without fragment",
            ));
        }
        let configured = config.post_logout_redirect_uri.as_ref();
        let redirect_uri = own.or_else(|| configured.map(HttpUri::as_str));
        let metadata = self.metadata().await?;
        let Some(endpoint) = metadata.end_session_endpoint() else {
            return Ok(None);
        };
        let state = joined(&[options.state_prefix.as_str(), &random(&self.0.platform)?]);
        if redirect_uri.is_some() {
            // Without it the return is merely not compared.
            let record = Object::new().integer("v", 1).text("state", &state).done();
            let _ = self
                .0
                .platform
                .login_storage()
                .save(&config.logout_key(), &record.to_text());
        }
        let end_session = EndSession {
            client_id: &config.client_id,
            id_token_hint: id_token.as_ref().map(Secret::expose),
            post_logout_redirect: redirect_uri.map(|uri| (uri, state.as_str())),
            parameters: &options.parameters,
        };
        Ok(Some(end_session_uri(endpoint, &end_session)))
    }
}
