//! The one error of the public API. It stands in this layer because the state of a session carries it.

use super::state::SignedOutReason;
use crate::protocol::error::{Endpoint, OAuthErrorResponse, ProtocolError};
use crate::protocol::json::Json;
use core::fmt;

/// What went wrong, whose fault it is, and what there is to know about it. Never a token, a code, a verifier or a claim
/// value; words of the authorization server are data in [`Error::details`], not part of the message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
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
    Protocol(ProtocolError),
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

/// The stable name of an error; `as_str` gives the spelling of the TypeScript type `AuthErrorCode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorCode {
    /// `invalid_config`
    InvalidConfig,
    /// `unsupported_environment`
    UnsupportedEnvironment,
    /// `authorization_error`
    AuthorizationError,
    /// `token_error`
    TokenError,
    /// `invalid_metadata`
    InvalidMetadata,
    /// `invalid_response`
    InvalidResponse,
    /// `stale_callback`
    StaleCallback,
    /// `issuer_mismatch`
    IssuerMismatch,
    /// `invalid_id_token`
    InvalidIdToken,
    /// `subject_mismatch`
    SubjectMismatch,
    /// `login_required`
    LoginRequired,
    /// `network`
    Network,
    /// `timeout`
    Timeout,
    /// `storage`
    Storage,
    /// `internal`
    Internal,
}

impl ErrorCode {
    /// Every code, for the tests that hold Rust, TypeScript and docs together.
    pub const ALL: [Self; 15] = [
        Self::InvalidConfig,
        Self::UnsupportedEnvironment,
        Self::AuthorizationError,
        Self::TokenError,
        Self::InvalidMetadata,
        Self::InvalidResponse,
        Self::StaleCallback,
        Self::IssuerMismatch,
        Self::InvalidIdToken,
        Self::SubjectMismatch,
        Self::LoginRequired,
        Self::Network,
        Self::Timeout,
        Self::Storage,
        Self::Internal,
    ];

    /// The TypeScript spelling.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidConfig => "invalid_config",
            Self::UnsupportedEnvironment => "unsupported_environment",
            Self::AuthorizationError => "authorization_error",
            Self::TokenError => "token_error",
            Self::InvalidMetadata => "invalid_metadata",
            Self::InvalidResponse => "invalid_response",
            Self::StaleCallback => "stale_callback",
            Self::IssuerMismatch => "issuer_mismatch",
            Self::InvalidIdToken => "invalid_id_token",
            Self::SubjectMismatch => "subject_mismatch",
            Self::LoginRequired => "login_required",
            Self::Network => "network",
            Self::Timeout => "timeout",
            Self::Storage => "storage",
            Self::Internal => "internal",
        }
    }

    /// What happened, in a sentence. The npm package has the same sentences; a test compares them.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::InvalidConfig => "an option cannot be used",
            Self::UnsupportedEnvironment => "this page lacks something that the sign-in needs",
            Self::AuthorizationError => "the authorization server refused the login",
            Self::TokenError => "the token endpoint refused the request",
            Self::InvalidMetadata => "the authorization server's metadata cannot be used",
            Self::InvalidResponse => {
                "the authorization server gave an answer that no specification knows"
            }
            Self::StaleCallback => "this callback belongs to no pending login of this browser",
            Self::IssuerMismatch => {
                "the response came from another authorization server than the one asked"
            }
            Self::InvalidIdToken => "the ID Token was refused",
            Self::SubjectMismatch => "the answer is about another user",
            Self::LoginRequired => "there is no session",
            Self::Network => "the authorization server could not be reached",
            Self::Timeout => "the authorization server did not answer in time",
            Self::Storage => "the browser's storage refused",
            Self::Internal => "countersign failed",
        }
    }
}

impl Error {
    /// Its stable name.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::InvalidConfig { .. } => ErrorCode::InvalidConfig,
            Self::UnsupportedEnvironment { .. } => ErrorCode::UnsupportedEnvironment,
            Self::Protocol(ProtocolError::Authorization(_)) => ErrorCode::AuthorizationError,
            Self::Protocol(ProtocolError::Token { .. }) => ErrorCode::TokenError,
            Self::Protocol(ProtocolError::InvalidMetadata { .. }) => ErrorCode::InvalidMetadata,
            Self::Protocol(ProtocolError::InvalidResponse { .. }) => ErrorCode::InvalidResponse,
            Self::Protocol(ProtocolError::IssuerMismatch { .. }) => ErrorCode::IssuerMismatch,
            Self::Protocol(ProtocolError::InvalidIdToken { .. }) => ErrorCode::InvalidIdToken,
            Self::Protocol(ProtocolError::SubjectMismatch { .. }) => ErrorCode::SubjectMismatch,
            Self::StaleCallback { .. } => ErrorCode::StaleCallback,
            Self::LoginRequired(_) => ErrorCode::LoginRequired,
            Self::Network { .. } => ErrorCode::Network,
            Self::Timeout { .. } => ErrorCode::Timeout,
            Self::Storage { .. } => ErrorCode::Storage,
            Self::Internal { .. } => ErrorCode::Internal,
        }
    }

    /// Whether the same call may succeed later without the user doing anything.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        let trouble = |status: u16| status >= 500 || matches!(status, 408 | 429);
        match self {
            Self::Network { .. } | Self::Timeout { .. } => true,
            Self::Protocol(
                ProtocolError::Token { status, .. } | ProtocolError::InvalidResponse { status, .. },
            ) => trouble(*status),
            Self::Protocol(ProtocolError::Authorization(response)) => {
                matches!(
                    response.error.as_str(),
                    "server_error" | "temporarily_unavailable"
                )
            }
            _ => false,
        }
    }

    /// What there is to know, by the members of the TypeScript type `AuthErrorDetails`.
    #[must_use]
    pub fn details(&self) -> Json {
        match self {
            Self::InvalidConfig { option, problem } => {
                Json::object([("option", (*option).into()), ("problem", (*problem).into())])
            }
            Self::UnsupportedEnvironment { missing } => {
                Json::object([("missing", (*missing).into())])
            }
            Self::Protocol(error) => protocol_details(error),
            Self::StaleCallback {
                problem,
                return_to,
                untrusted,
            } => Json::object([
                ("problem", problem.as_str().into()),
                ("returnTo", Json::optional(return_to.as_deref())),
                (
                    "untrusted",
                    untrusted.as_ref().map_or(Json::Null, |response| {
                        Json::Object(response_members(response))
                    }),
                ),
            ]),
            Self::LoginRequired(reason) => Json::object([("reason", reason.as_str().into())]),
            Self::Network { endpoint } => Json::object([("endpoint", endpoint.as_str().into())]),
            Self::Timeout { endpoint, seconds } => Json::object([
                ("endpoint", endpoint.as_str().into()),
                ("seconds", Json::integer(i64::from(*seconds))),
            ]),
            Self::Storage { operation } => Json::object([("operation", (*operation).into())]),
            Self::Internal { location } => Json::object([("location", (*location).into())]),
        }
    }

    /// Code, details and retryability as one document.
    #[must_use]
    pub fn to_json(&self) -> Json {
        Json::object([
            ("code", self.code().as_str().into()),
            ("details", self.details()),
            ("retryable", Json::Bool(self.is_retryable())),
        ])
    }
}

fn protocol_details(error: &ProtocolError) -> Json {
    match error {
        ProtocolError::Authorization(response) => Json::Object(response_members(response)),
        ProtocolError::Token { response, status } => {
            let mut members = response_members(response);
            members.push(("status".to_owned(), Json::integer(i64::from(*status))));
            Json::Object(members)
        }
        ProtocolError::InvalidMetadata { field, problem } => Json::object([
            ("field", (*field).into()),
            ("problem", problem.as_str().into()),
        ]),
        ProtocolError::InvalidResponse {
            endpoint,
            status,
            problem,
        } => Json::object([
            ("endpoint", endpoint.as_str().into()),
            ("status", Json::integer(i64::from(*status))),
            ("problem", (*problem).into()),
        ]),
        ProtocolError::IssuerMismatch {
            expected,
            actual,
            untrusted,
        } => Json::object([
            ("expected", expected.as_str().into()),
            ("actual", Json::optional(actual.as_deref())),
            (
                "untrusted",
                untrusted.as_ref().map_or(Json::Null, |response| {
                    Json::Object(response_members(response))
                }),
            ),
        ]),
        ProtocolError::InvalidIdToken {
            claim,
            problem,
            skew_seconds,
        } => Json::object([
            ("claim", (*claim).into()),
            ("problem", problem.as_str().into()),
            (
                "skewSeconds",
                skew_seconds.map_or(Json::Null, Json::integer),
            ),
        ]),
        ProtocolError::SubjectMismatch { endpoint } => {
            Json::object([("endpoint", endpoint.as_str().into())])
        }
    }
}

fn response_members(response: &OAuthErrorResponse) -> Vec<(String, Json)> {
    let members = [
        ("error", response.error.as_str().into()),
        (
            "error_description",
            Json::optional(response.error_description.as_deref()),
        ),
        ("error_uri", Json::optional(response.error_uri.as_deref())),
    ];
    members
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

impl From<ProtocolError> for Error {
    fn from(error: ProtocolError) -> Self {
        Self::Protocol(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code().message())
    }
}

impl core::error::Error for Error {}
