//! The stable names of errors.

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
    /// `login_loop`
    LoginLoop,
    /// `wasm_load_failed`
    WasmLoadFailed,
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
    pub const ALL: [Self; 17] = [
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
        Self::LoginLoop,
        Self::WasmLoadFailed,
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
            Self::LoginLoop => "login_loop",
            Self::WasmLoadFailed => "wasm_load_failed",
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
            Self::LoginLoop => "one login follows the other without the user's doing",
            Self::WasmLoadFailed => "the wasm side could not be loaded",
            Self::Network => "the authorization server could not be reached",
            Self::Timeout => "the authorization server did not answer in time",
            Self::Storage => "the browser's storage refused",
            Self::Internal => "countersign failed",
        }
    }
}
