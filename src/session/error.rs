//! The one error of the public API. It stands in this layer because the state of a session carries it.

pub use super::error_code::ErrorCode;
use super::login_loop::LikelyCause;
use super::state::SignedOutReason;
use crate::protocol::error::{Endpoint, OAuthErrorResponse, ProtocolError};
use crate::protocol::json::{Json, Object};
use core::fmt;
use std::sync::Arc;

/// What went wrong, whose fault it is, and what there is to know about it. Never a token, a code, a verifier or a claim
/// value; words of the authorization server are data in [`Error::details`], not part of the message.
///
/// One word, and shared: every result moves it, and whoever waits for one outcome has a clone.
#[derive(Clone, Debug)]
pub struct Error(Arc<ErrorKind>);

/// What went wrong; see [`Error::kind`].
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The developer's: an option that can't be used.
    InvalidConfig {
        /// The option.
        option: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The page's: something that we need is not there.
    UnsupportedEnvironment {
        /// What is missing.
        missing: &'static str,
    },
    /// The authorization server's.
    Protocol(Box<ProtocolError>),
    /// A callback that belongs to no pending login of this browser (RFC 6749 §10.12).
    StaleCallback {
        /// In which way.
        problem: StaleProblem,
        /// Where the login had begun, if that is still known.
        return_to: Option<String>,
        /// The error that the response carried; not to be believed.
        untrusted: Option<OAuthErrorResponse>,
    },
    /// There is no session, or none any more.
    LoginRequired(SignedOutReason),
    /// Too many logins in too short a time without the user's doing: the next one does not leave.
    LoginLoop {
        /// How many have left.
        logins: u32,
        /// In so many seconds.
        seconds: i64,
        /// What to look at first.
        likely: LikelyCause,
    },
    /// The rest of the program could not be loaded: see [`crate::client::ports::Secondary`].
    WasmLoadFailed,
    /// No answer came: offline, refused connection, blocked by CORS.
    Network {
        /// Which request.
        endpoint: Endpoint,
    },
    /// No answer came in time.
    Timeout {
        /// Which request.
        endpoint: Endpoint,
        /// The limit.
        seconds: u32,
    },
    /// The storage refused.
    Storage {
        /// What: `read`, `write` or `remove`.
        operation: &'static str,
    },
    /// A bug of ours.
    Internal {
        /// Where.
        location: &'static str,
    },
}

/// In which way a callback is stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StaleProblem {
    /// It has no `state`.
    Missing,
    /// No login of this browser drew its `state`.
    Unknown,
    /// The login began too long ago.
    Expired,
    /// It was handled before.
    Used,
}

impl StaleProblem {
    /// Every one, for the tests that hold Rust and TypeScript together.
    pub const ALL: [Self; 4] = [Self::Missing, Self::Unknown, Self::Expired, Self::Used];

    /// The spelling of the TypeScript type.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Unknown => "unknown",
            Self::Expired => "expired",
            Self::Used => "used",
        }
    }
}

impl Error {
    /// What went wrong, to match on.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0
    }

    /// Its stable name.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self.kind() {
            ErrorKind::InvalidConfig { .. } => ErrorCode::InvalidConfig,
            ErrorKind::UnsupportedEnvironment { .. } => ErrorCode::UnsupportedEnvironment,
            ErrorKind::Protocol(error) => match **error {
                ProtocolError::Authorization(_) => ErrorCode::AuthorizationError,
                ProtocolError::Token { .. } => ErrorCode::TokenError,
                ProtocolError::InvalidMetadata { .. } => ErrorCode::InvalidMetadata,
                ProtocolError::InvalidResponse { .. } => ErrorCode::InvalidResponse,
                ProtocolError::IssuerMismatch { .. } => ErrorCode::IssuerMismatch,
                ProtocolError::InvalidIdToken { .. } => ErrorCode::InvalidIdToken,
                ProtocolError::SubjectMismatch { .. } => ErrorCode::SubjectMismatch,
            },
            ErrorKind::StaleCallback { .. } => ErrorCode::StaleCallback,
            ErrorKind::LoginRequired(_) => ErrorCode::LoginRequired,
            ErrorKind::LoginLoop { .. } => ErrorCode::LoginLoop,
            ErrorKind::WasmLoadFailed => ErrorCode::WasmLoadFailed,
            ErrorKind::Network { .. } => ErrorCode::Network,
            ErrorKind::Timeout { .. } => ErrorCode::Timeout,
            ErrorKind::Storage { .. } => ErrorCode::Storage,
            ErrorKind::Internal { .. } => ErrorCode::Internal,
        }
    }

    /// Whether the same call may succeed later without the user doing anything.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self.kind() {
            ErrorKind::WasmLoadFailed | ErrorKind::Network { .. } | ErrorKind::Timeout { .. } => {
                true
            }
            ErrorKind::Protocol(error) => match &**error {
                ProtocolError::Token { status, .. }
                | ProtocolError::InvalidResponse { status, .. } => {
                    *status >= 500 || matches!(status, 408 | 429)
                }
                ProtocolError::Authorization(response) => {
                    matches!(
                        response.error.as_str(),
                        "server_error" | "temporarily_unavailable"
                    )
                }
                ProtocolError::InvalidMetadata { .. }
                | ProtocolError::IssuerMismatch { .. }
                | ProtocolError::InvalidIdToken { .. }
                | ProtocolError::SubjectMismatch { .. } => false,
            },
            ErrorKind::InvalidConfig { .. }
            | ErrorKind::UnsupportedEnvironment { .. }
            | ErrorKind::StaleCallback { .. }
            | ErrorKind::LoginRequired(_)
            | ErrorKind::LoginLoop { .. }
            | ErrorKind::Storage { .. }
            | ErrorKind::Internal { .. } => false,
        }
    }

    /// Whether the server asked for the user: a silent login can't succeed (OIDC Core §3.1.2.6).
    pub(super) fn needs_interaction(&self) -> bool {
        let ErrorKind::Protocol(error) = self.kind() else {
            return false;
        };
        matches!(&**error, ProtocolError::Authorization(response) if response.needs_interaction())
    }

    /// By how much a clock is wrong, where that is why an ID Token was refused.
    pub(super) fn skew_seconds(&self) -> Option<i64> {
        let ErrorKind::Protocol(error) = self.kind() else {
            return None;
        };
        let ProtocolError::InvalidIdToken { skew_seconds, .. } = **error else {
            return None;
        };
        skew_seconds
    }

    /// What there is to know, by the members of the TypeScript type `AuthErrorDetails`.
    #[must_use]
    pub fn details(&self) -> Json {
        let mut details = Object::new();
        match self.kind() {
            ErrorKind::InvalidConfig { option, problem } => {
                details.text("option", option).text("problem", problem);
            }
            ErrorKind::UnsupportedEnvironment { missing } => {
                details.text("missing", missing);
            }
            ErrorKind::Protocol(error) => protocol_details(error, &mut details),
            ErrorKind::StaleCallback {
                problem,
                return_to,
                untrusted,
            } => {
                details
                    .text("problem", problem.as_str())
                    .optional("returnTo", return_to.as_deref())
                    .json("untrusted", untrusted_response(untrusted.as_ref()));
            }
            ErrorKind::LoginRequired(reason) => {
                details.text("reason", reason.as_str());
            }
            ErrorKind::LoginLoop {
                logins,
                seconds,
                likely,
            } => {
                details
                    .integer("logins", i64::from(*logins))
                    .integer("seconds", *seconds)
                    .text("likely", likely.as_str());
            }
            ErrorKind::WasmLoadFailed => {
                details.json("url", Json::Null).text("problem", "network");
            }
            ErrorKind::Network { endpoint } => {
                details.text("endpoint", endpoint.as_str());
            }
            ErrorKind::Timeout { endpoint, seconds } => {
                details
                    .text("endpoint", endpoint.as_str())
                    .integer("seconds", i64::from(*seconds));
            }
            ErrorKind::Storage { operation } => {
                details.text("operation", operation);
            }
            ErrorKind::Internal { location } => {
                details.text("location", location);
            }
        }
        details.done()
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn invalid_config(option: &'static str, problem: &'static str) -> Self {
        ErrorKind::InvalidConfig { option, problem }.into()
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn unsupported_environment(missing: &'static str) -> Self {
        ErrorKind::UnsupportedEnvironment { missing }.into()
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn login_required(reason: SignedOutReason) -> Self {
        ErrorKind::LoginRequired(reason).into()
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn timeout(endpoint: Endpoint, seconds: u32) -> Self {
        ErrorKind::Timeout { endpoint, seconds }.into()
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn storage(operation: &'static str) -> Self {
        ErrorKind::Storage { operation }.into()
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn internal(location: &'static str) -> Self {
        ErrorKind::Internal { location }.into()
    }

    /// Code, details and retryability as one document.
    #[must_use]
    pub fn to_json(&self) -> Json {
        Object::new()
            .text("code", self.code().as_str())
            .json("details", self.details())
            .flag("retryable", self.is_retryable())
            .done()
    }
}

fn protocol_details(error: &ProtocolError, details: &mut Object) {
    match error {
        ProtocolError::Authorization(response) => response_details(response, details),
        ProtocolError::Token { response, status } => {
            response_details(response, details);
            details.integer("status", i64::from(*status));
        }
        ProtocolError::InvalidMetadata { field, problem } => {
            details
                .text("field", field)
                .text("problem", problem.as_str());
        }
        ProtocolError::InvalidResponse {
            endpoint,
            status,
            problem,
            words,
        } => {
            details
                .text("endpoint", endpoint.as_str())
                .integer("status", i64::from(*status))
                .text("problem", problem);
            if let Some(words) = words {
                response_details(words, details);
            }
        }
        ProtocolError::IssuerMismatch {
            expected,
            actual,
            untrusted,
        } => {
            details
                .text("expected", expected)
                .optional("actual", actual.as_deref())
                .json("untrusted", untrusted_response(untrusted.as_ref()));
        }
        ProtocolError::InvalidIdToken {
            claim,
            problem,
            skew_seconds,
        } => {
            details
                .text("claim", claim)
                .text("problem", problem.as_str())
                .optional_integer("skewSeconds", *skew_seconds);
        }
        ProtocolError::SubjectMismatch { endpoint } => {
            details.text("endpoint", endpoint.as_str());
        }
    }
}

fn response_details(response: &OAuthErrorResponse, details: &mut Object) {
    details
        .text("error", &response.error)
        .optional("error_description", response.error_description.as_deref())
        .optional("error_uri", response.error_uri.as_deref());
}

fn untrusted_response(response: Option<&OAuthErrorResponse>) -> Json {
    let Some(response) = response else {
        return Json::Null;
    };
    let mut details = Object::new();
    response_details(response, &mut details);
    details.done()
}

/// By what there is to know: the derived comparison of every kind would be larger, and see nothing more.
impl PartialEq for Error {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.to_json() == other.to_json()
    }
}

impl Eq for Error {}

impl From<ErrorKind> for Error {
    #[cold]
    #[inline(never)]
    fn from(kind: ErrorKind) -> Self {
        Self(Arc::new(kind))
    }
}

impl From<Box<ProtocolError>> for Error {
    #[cold]
    #[inline(never)]
    fn from(error: Box<ProtocolError>) -> Self {
        ErrorKind::Protocol(error).into()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code().message())
    }
}

impl core::error::Error for Error {}
