use crate::client::Error;
use crate::protocol::json::Json;
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
    pub(super) refresh: RefreshMode,
    pub(super) clock_tolerance: i64,
    pub(super) timeout: u32,
    pub(super) state_prefix: String,
}

impl Config {
    /// Begins one, with what every client needs: issuer, `client_id`, `redirect_uri`.
    #[must_use]
    pub fn builder(issuer: &str, client_id: &str, redirect_uri: &str) -> ConfigBuilder {
        ConfigBuilder(Vec::new())
            .with("issuer", issuer.into())
            .with("clientId", client_id.into())
            .with("redirectUri", redirect_uri.into())
            .with("statePrefix", "countersign-".into())
    }

    /// Reads the options of the TypeScript package, or of the builder. A member that is missing has its default.
    pub(crate) fn read(options: &Json) -> Result<Self, Error> {
        let text = |name| options.get_str(name).unwrap_or_default();
        let issuer = Issuer::parse(text("issuer"), options.get_str("allowInsecureIssuer"));
        let issuer = issuer.map_err(|problem| {
            let problem = match problem {
                IssuerProblem::Malformed => {
                    "not an absolute http(s) URL without query and fragment"
                }
                IssuerProblem::Insecure => {
                    "http: beyond loopback; use https:, or repeat it in allowInsecureIssuer"
                }
            };
            Error::invalid_config("issuer", problem)
        })?;
        let client_id = text("clientId");
        // RFC 6749 Appendix A.1: visible characters and spaces.
        if client_id.is_empty() || !client_id.bytes().all(|b| (0x20..=0x7E).contains(&b)) {
            let problem = "empty, or with characters beyond ASCII";
            return Err(Error::invalid_config("clientId", problem));
        }
        let tolerance = (0, 600, "not between 0 and 600 seconds");
        let timeout = (1, 300, "not between 1 and 300 seconds");
        let scope = Scope::parse(options.get_str("scope").unwrap_or("openid"));
        let post_logout_redirect_uri = options.get("postLogoutRedirectUri");
        Ok(Self {
            clock_tolerance: seconds(options, "clockTolerance", 30, tolerance)?.into(),
            timeout: seconds(options, "timeout", 10, timeout)?,
            redirect_uri: uri(options, "redirectUri")?,
            post_logout_redirect_uri: post_logout_redirect_uri
                .map(|_| uri(options, "postLogoutRedirectUri"))
                .transpose()?,
            scope: scope.ok_or_else(|| Error::invalid_config("scope", FORBIDDEN_IN_SCOPE))?,
            refresh: match options.get_str("refresh") {
                Some("onDemand") => RefreshMode::OnDemand,
                Some("off") => RefreshMode::Off,
                _ => RefreshMode::Auto,
            },
            issuer,
            client_id: client_id.to_owned(),
            state_prefix: text("statePrefix").to_owned(),
        })
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

/// A configuration that is being put together: the options by their TypeScript spelling.
#[derive(Clone, Debug)]
pub struct ConfigBuilder(Vec<(String, Json)>);

impl ConfigBuilder {
    /// An `http:` issuer beyond loopback works only if it is repeated here, exactly.
    #[must_use]
    pub fn allow_insecure_issuer(self, issuer: &str) -> Self {
        self.with("allowInsecureIssuer", issuer.into())
    }

    /// `post_logout_redirect_uri` (OIDC RP-Initiated Logout §2); not sent by default.
    #[must_use]
    pub fn post_logout_redirect_uri(self, uri: &str) -> Self {
        self.with("postLogoutRedirectUri", uri.into())
    }

    /// `scope` (RFC 6749 §3.3); `openid` by default.
    #[must_use]
    pub fn scope(self, scope: &str) -> Self {
        self.with("scope", scope.into())
    }

    /// When to refresh; [`RefreshMode::Auto`] by default.
    #[must_use]
    pub fn refresh(self, mode: RefreshMode) -> Self {
        let mode = match mode {
            RefreshMode::Auto => "auto",
            RefreshMode::OnDemand => "onDemand",
            RefreshMode::Off => "off",
        };
        self.with("refresh", mode.into())
    }

    /// Tolerated clock difference, in seconds; 30 by default, 600 at the most.
    #[must_use]
    pub fn clock_tolerance(self, seconds: i64) -> Self {
        self.with("clockTolerance", Json::integer(seconds))
    }

    /// Limit of one request to the authorization server, in seconds; 10 by default.
    #[must_use]
    pub fn timeout(self, seconds: u32) -> Self {
        self.with("timeout", Json::integer(seconds.into()))
    }

    /// How the `state` of every login begins: by it a foreign response is recognised.
    #[must_use]
    pub fn state_prefix(self, prefix: &str) -> Self {
        self.with("statePrefix", prefix.into())
    }

    /// Checks all of it.
    ///
    /// # Errors
    /// `invalid_config` naming the option, in its TypeScript spelling.
    pub fn build(self) -> Result<Config, Error> {
        Config::read(&Json::Object(self.0))
    }

    fn with(mut self, option: &str, value: Json) -> Self {
        self.0.retain(|(known, _)| known != option);
        self.0.push((option.to_owned(), value));
        self
    }
}

/// A number of seconds within bounds; anything else that stands there is refused.
fn seconds(
    options: &Json,
    option: &'static str,
    default: u32,
    (least, most, problem): (i64, i64, &'static str),
) -> Result<u32, Error> {
    let Some(value) = options.get(option) else {
        return Ok(default);
    };
    value
        .as_integer()
        .filter(|seconds| (least..=most).contains(seconds))
        .and_then(|seconds| u32::try_from(seconds).ok())
        .ok_or_else(|| Error::invalid_config(option, problem))
}

fn uri(options: &Json, option: &'static str) -> Result<HttpUri, Error> {
    let text = options.get_str(option).unwrap_or_default();
    HttpUri::parse(text).ok_or_else(|| {
        Error::invalid_config(option, "not an absolute http(s) URL without fragment")
    })
}
