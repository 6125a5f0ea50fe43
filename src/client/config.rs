use crate::client::Error;
use crate::protocol::authorization::is_free_parameter;
use crate::protocol::metadata::{Issuer, IssuerProblem};
use crate::protocol::scope::Scope;
use crate::protocol::text::joined;
use crate::protocol::uri::HttpUri;
use crate::session::RefreshMode;

/// What is wrong with a scope (RFC 6749 §3.3).
pub(super) const FORBIDDEN_IN_SCOPE: &str = "has characters that RFC 6749 §3.3 does not allow";

/// What a client is configured with: parsed once, valid ever after.
#[derive(Clone, Debug)]
pub struct Config {
    pub(super) issuer: Issuer,
    pub(super) client_id: String,
    pub(super) redirect_uri: HttpUri,
    pub(super) post_logout_redirect_uri: Option<HttpUri>,
    pub(super) scope: Scope,
    pub(super) parameters: Vec<(String, String)>,
    pub(super) refresh: RefreshMode,
    pub(super) clock_tolerance: i64,
    pub(super) timeout: u32,
    pub(super) state_prefix: String,
}

impl Config {
    /// Begins one, with what every client needs: issuer, `client_id`, `redirect_uri`.
    #[must_use]
    pub fn builder(issuer: &str, client_id: &str, redirect_uri: &str) -> ConfigBuilder {
        ConfigBuilder {
            issuer: issuer.to_owned(),
            client_id: client_id.to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            allow_insecure_issuer: None,
            post_logout_redirect_uri: None,
            scope: "openid".to_owned(),
            parameters: Vec::new(),
            refresh: RefreshMode::Auto,
            clock_tolerance: 30,
            timeout: 10,
            state_prefix: "countersign-".to_owned(),
        }
    }

    /// The storage key of the session: names issuer and client, so that several live side by side on one origin.
    pub(super) fn session_key(&self) -> String {
        self.key("countersign:session:")
    }

    /// The storage key of a logout that is under way.
    pub(super) fn logout_key(&self) -> String {
        self.key("countersign:logout:")
    }

    /// The storage key of the server's metadata.
    pub(super) fn metadata_key(&self) -> String {
        joined(&["countersign:metadata:", self.issuer.as_str()])
    }

    // An issuer has no space in it, so no two pairs have the same key.
    fn key(&self, kind: &str) -> String {
        joined(&[kind, self.issuer.as_str(), " ", &self.client_id])
    }
}

/// A configuration that is being put together.
#[derive(Clone, Debug)]
pub struct ConfigBuilder {
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) allow_insecure_issuer: Option<String>,
    pub(crate) post_logout_redirect_uri: Option<String>,
    pub(crate) scope: String,
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) refresh: RefreshMode,
    pub(crate) clock_tolerance: i64,
    pub(crate) timeout: u32,
    pub(crate) state_prefix: String,
}

impl ConfigBuilder {
    /// An `http:` issuer beyond loopback works only if it is repeated here, exactly.
    #[must_use]
    pub fn allow_insecure_issuer(mut self, issuer: &str) -> Self {
        self.allow_insecure_issuer = Some(issuer.to_owned());
        self
    }

    /// `post_logout_redirect_uri` (OIDC RP-Initiated Logout §2); not sent by default.
    #[must_use]
    pub fn post_logout_redirect_uri(mut self, uri: &str) -> Self {
        self.post_logout_redirect_uri = Some(uri.to_owned());
        self
    }

    /// `scope` (RFC 6749 §3.3); `openid` by default.
    #[must_use]
    pub fn scope(mut self, scope: &str) -> Self {
        self.scope = scope.to_owned();
        self
    }

    /// Sent with every authorization request.
    #[must_use]
    pub fn parameter(mut self, name: &str, value: &str) -> Self {
        self.parameters.push((name.to_owned(), value.to_owned()));
        self
    }

    /// When to refresh; [`RefreshMode::Auto`] by default.
    #[must_use]
    pub const fn refresh(mut self, mode: RefreshMode) -> Self {
        self.refresh = mode;
        self
    }

    /// Tolerated clock difference, in seconds; 30 by default, 600 at the most.
    #[must_use]
    pub const fn clock_tolerance(mut self, seconds: i64) -> Self {
        self.clock_tolerance = seconds;
        self
    }

    /// Limit of one request to the authorization server, in seconds; 10 by default.
    #[must_use]
    pub const fn timeout(mut self, seconds: u32) -> Self {
        self.timeout = seconds;
        self
    }

    /// How the `state` of every login begins: by it a foreign response is recognised.
    #[must_use]
    pub fn state_prefix(mut self, prefix: &str) -> Self {
        self.state_prefix = prefix.to_owned();
        self
    }

    /// Checks all of it.
    ///
    /// # Errors
    /// `invalid_config` naming the option, in its TypeScript spelling.
    pub fn build(self) -> Result<Config, Error> {
        let issuer = Issuer::parse(&self.issuer, self.allow_insecure_issuer.as_deref()).map_err(
            |problem| {
                let problem = match problem {
                    IssuerProblem::Malformed => {
                        "not an absolute http(s) URL without query and fragment"
                    }
                    IssuerProblem::Insecure => {
                        "http: beyond loopback; use https:, or repeat it in allowInsecureIssuer"
                    }
                };
                Error::invalid_config("issuer", problem)
            },
        )?;
        self.check()?;
        let uri = |text: &str, option| {
            HttpUri::parse(text).ok_or_else(|| {
                Error::invalid_config(option, "not an absolute http(s) URL without fragment")
            })
        };
        Ok(Config {
            issuer,
            client_id: self.client_id,
            redirect_uri: uri(&self.redirect_uri, "redirectUri")?,
            post_logout_redirect_uri: self
                .post_logout_redirect_uri
                .map(|text| uri(&text, "postLogoutRedirectUri"))
                .transpose()?,
            scope: Scope::parse(&self.scope)
                .ok_or_else(|| Error::invalid_config("scope", FORBIDDEN_IN_SCOPE))?,
            parameters: self.parameters,
            refresh: self.refresh,
            clock_tolerance: self.clock_tolerance,
            timeout: self.timeout,
            state_prefix: self.state_prefix,
        })
    }

    /// The values that need no parser.
    fn check(&self) -> Result<(), Error> {
        // RFC 6749 Appendix A.1: visible characters and spaces.
        check(
            !self.client_id.is_empty()
                && self.client_id.bytes().all(|b| (0x20..=0x7E).contains(&b)),
            "clientId",
            "empty, or with characters beyond ASCII",
        )?;
        check(
            (0..=600).contains(&self.clock_tolerance),
            "clockTolerance",
            "not between 0 and 600 seconds",
        )?;
        check(
            (1..=300).contains(&self.timeout),
            "timeout",
            "not between 1 and 300 seconds",
        )?;
        check(
            self.parameters
                .iter()
                .all(|(name, _)| is_free_parameter(name)),
            "authorizationParams",
            "names a parameter that the protocol owns",
        )
    }
}

fn check(holds: bool, option: &'static str, problem: &'static str) -> Result<(), Error> {
    if holds {
        Ok(())
    } else {
        Err(Error::invalid_config(option, problem))
    }
}
