use crate::client::Error;
use crate::protocol::issuer::{Issuer, IssuerProblem};
use crate::protocol::json::Json;
use crate::protocol::metadata::{self, Server, ServerMetadata};
use crate::protocol::scope::Scope;
use crate::protocol::text::joined;
use crate::protocol::uri::HttpUri;
use crate::session::RefreshMode;
use std::rc::Rc;

/// What is wrong with a scope (RFC 6749 §3.3).
pub(super) const FORBIDDEN_IN_SCOPE: &str = "has characters that RFC 6749 §3.3 does not allow";

/// What is wrong with an endpoint by hand (RFC 6749 §3.1, §3.2).
const NO_ENDPOINT: &str = "not an absolute https URL without fragment";

/// What a client is configured with: parsed once, valid ever after.
#[derive(Clone, Debug)]
pub struct Config {
    pub(super) server: Server,
    /// What was given by hand, where it is enough.
    pub(super) metadata: Option<Rc<ServerMetadata>>,
    pub(super) client_id: String,
    pub(super) redirect_uri: HttpUri,
    pub(super) post_logout_redirect_uri: Option<HttpUri>,
    pub(super) scope: Scope,
    pub(super) refresh: RefreshMode,
    pub(super) clock_tolerance: i64,
    pub(super) timeout: u32,
    pub(super) state_prefix: String,
    /// Whether the response comes in the fragment (OAuth 2.0 Multiple Response Types §2.1).
    pub(super) fragment: bool,
    /// How the server wants to be left, where it has its own way: `{ endpoint, params }`.
    pub(super) logout: Json,
    /// Whether it wants to be asked for a revocation in JSON.
    pub(super) json_revocation: bool,
}

impl Config {
    /// Begins one for OpenID Connect, with what every client needs: issuer, `client_id`, `redirect_uri`.
    #[must_use]
    pub fn builder(issuer: &str, client_id: &str, redirect_uri: &str) -> ConfigBuilder {
        let builder = Self::plain_oauth(client_id, redirect_uri).without("oidc");
        builder.issuer(issuer)
    }

    /// Begins one for plain OAuth 2.0: no ID Token, and so no user. It needs an issuer, or both endpoints by
    /// [`ConfigBuilder::metadata`].
    #[must_use]
    pub fn plain_oauth(client_id: &str, redirect_uri: &str) -> ConfigBuilder {
        ConfigBuilder(Vec::new())
            .with("oidc", Json::Bool(false))
            .with("clientId", client_id.into())
            .with("redirectUri", redirect_uri.into())
            .with("statePrefix", "countersign-".into())
    }

    /// Reads the options of the TypeScript package, or of the builder. A member that is missing has its default.
    pub(crate) fn read(options: &Json) -> Result<Self, Error> {
        let text = |name| options.get_str(name).unwrap_or_default();
        let client_id = text("clientId");
        // RFC 6749 Appendix A.1: visible characters and spaces.
        if client_id.is_empty() || !client_id.bytes().all(|b| (0x20..=0x7E).contains(&b)) {
            let problem = "empty, or with characters beyond ASCII";
            return Err(Error::invalid_config("clientId", problem));
        }
        let tolerance = (0, 600, "not between 0 and 600 seconds");
        let timeout = (1, 300, "not between 1 and 300 seconds");
        let server = server(options)?;
        let default_scope = if server.oidc { "openid" } else { "" };
        let scope = Scope::parse(options.get_str("scope").unwrap_or(default_scope));
        let post_logout_redirect_uri = options.get("postLogoutRedirectUri");
        let logout = options.get("logout").cloned().unwrap_or(Json::Null);
        if logout.is_object() && !is_endpoint(&server, logout.get_str("endpoint")) {
            return Err(Error::invalid_config("logout", NO_ENDPOINT));
        }
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
            metadata: given_metadata(&server)?,
            server,
            client_id: client_id.to_owned(),
            state_prefix: text("statePrefix").to_owned(),
            fragment: options.get_str("responseMode") == Some("fragment"),
            logout,
            json_revocation: options.get_str("revocation") == Some("json"),
        })
    }

    /// What names the server in the storage: its issuer, or without one its authorization endpoint.
    pub(super) fn server_name(&self) -> &str {
        let endpoint = self.server.given.get_str("authorization_endpoint");
        self.server.issuer().or(endpoint).unwrap_or_default()
    }

    /// The storage key of the session: names issuer and client, so that several live side by side on one origin.
    pub(super) fn session_key(&self) -> String {
        self.key("countersign:session:")
    }

    /// The storage key of a logout that is under way.
    pub(super) fn logout_key(&self) -> String {
        self.key("countersign:logout:")
    }

    /// The storage key of the logins that left without the user's doing.
    pub(super) fn login_loop_key(&self) -> String {
        self.key("countersign:loop:")
    }

    /// The storage key of the server's metadata.
    pub(super) fn metadata_key(&self) -> String {
        joined(&["countersign:metadata:", self.server_name()])
    }

    // A URI has no space in it, so no two pairs have the same key.
    fn key(&self, kind: &str) -> String {
        joined(&[kind, self.server_name(), " ", &self.client_id])
    }
}

/// A configuration that is being put together: the options by their TypeScript spelling.
#[derive(Clone, Debug)]
pub struct ConfigBuilder(Vec<(String, Json)>);

impl ConfigBuilder {
    /// Issuer Identifier, compared exactly (OIDC Discovery §3, RFC 8414 §2).
    #[must_use]
    pub fn issuer(self, issuer: &str) -> Self {
        self.with("issuer", issuer.into())
    }

    /// Metadata by hand, as one document (RFC 8414 §2): its members win over those of the server's own document, which is
    /// not asked for where the necessary endpoints are given.
    #[must_use]
    pub fn metadata(self, document: Json) -> Self {
        self.with("metadata", document)
    }

    /// The response comes in the fragment (OAuth 2.0 Multiple Response Types §2.1); in the query by default.
    #[must_use]
    pub fn response_in_fragment(self) -> Self {
        self.with("responseMode", "fragment".into())
    }

    /// How the server wants to be left, where it does not follow RP-Initiated Logout: `{ endpoint, params }`, with the
    /// names of parameters where they differ, and `null` for those to leave out.
    #[must_use]
    pub fn logout(self, dialect: Json) -> Self {
        self.with("logout", dialect)
    }

    /// The server wants to be asked for a revocation in JSON; in a form by default (RFC 7009 §2.1).
    #[must_use]
    pub fn revocation_by_json(self) -> Self {
        self.with("revocation", "json".into())
    }

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

    fn with(self, option: &str, value: Json) -> Self {
        let mut builder = self.without(option);
        builder.0.push((option.to_owned(), value));
        builder
    }

    fn without(mut self, option: &str) -> Self {
        self.0.retain(|(known, _)| known != option);
        self
    }
}

/// The server: its issuer, which only plain OAuth with endpoints by hand can do without.
fn server(options: &Json) -> Result<Server, Error> {
    let mut server = Server {
        issuer: None,
        oidc: options.get("oidc") != Some(&Json::Bool(false)),
        given: options.get("metadata").cloned().unwrap_or(Json::Null),
    };
    let exception = options.get_str("allowInsecureIssuer");
    let issuer = options.get_str("issuer");
    if issuer.is_some() || server.oidc || !server.is_given() {
        let issuer = Issuer::parse(issuer.unwrap_or_default(), exception);
        server.issuer = Some(issuer.map_err(|problem| {
            let problem = match problem {
                IssuerProblem::Malformed => {
                    "not an absolute http(s) URL without query and fragment"
                }
                IssuerProblem::Insecure => {
                    "http: beyond loopback; use https:, or repeat it in allowInsecureIssuer"
                }
            };
            Error::invalid_config("issuer", problem)
        })?);
    }
    Ok(server)
}

/// The metadata, where enough of it was given by hand.
fn given_metadata(server: &Server) -> Result<Option<Rc<ServerMetadata>>, Error> {
    if !server.is_given() {
        return Ok(None);
    }
    let metadata = metadata::parse(server, &Json::Null);
    let metadata = metadata.map_err(|_| Error::invalid_config("metadata", NO_ENDPOINT))?;
    Ok(Some(Rc::new(metadata)))
}

fn is_endpoint(server: &Server, text: Option<&str>) -> bool {
    text.and_then(HttpUri::parse)
        .is_some_and(|uri| server.allows(&uri))
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
