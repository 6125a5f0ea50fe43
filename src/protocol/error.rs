//! What can be wrong with an answer of the authorization server. Texts of the server stay data; claim values, tokens and
//! codes are in none of it.

/// An endpoint of the authorization server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Endpoint {
    /// Authorization endpoint, whose answer is the callback (RFC 6749 §3.1).
    Authorization,
    /// Metadata (OIDC Discovery §4, RFC 8414 §3).
    Discovery,
    /// JWK Set (RFC 7517 §5).
    Jwks,
    /// Token endpoint (RFC 6749 §3.2).
    Token,
    /// `UserInfo` endpoint (OIDC Core §5.3).
    Userinfo,
    /// Revocation endpoint (RFC 7009 §2).
    Revocation,
}

impl Endpoint {
    /// Every one, for the tests that hold Rust and TypeScript together.
    pub const ALL: [Self; 6] = [
        Self::Authorization,
        Self::Discovery,
        Self::Jwks,
        Self::Token,
        Self::Userinfo,
        Self::Revocation,
    ];

    /// The spelling of the TypeScript type `Endpoint`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Authorization => "authorization",
            Self::Discovery => "discovery",
            Self::Jwks => "jwks",
            Self::Token => "token",
            Self::Userinfo => "userinfo",
            Self::Revocation => "revocation",
        }
    }
}

/// An error response, in the server's own words (RFC 6749 §4.1.2.1, §5.2).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OAuthErrorResponse {
    /// `error`
    pub error: String,
    /// `error_description`
    pub error_description: Option<String>,
    /// `error_uri`
    pub error_uri: Option<String>,
}

impl OAuthErrorResponse {
    /// Whether the server asks for the user: a silent login can't succeed (OIDC Core §3.1.2.6).
    #[must_use]
    pub fn needs_interaction(&self) -> bool {
        matches!(
            self.error.as_str(),
            "login_required"
                | "interaction_required"
                | "consent_required"
                | "account_selection_required"
        )
    }
}

/// What is wrong with a member of the metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetadataProblem {
    /// A required member is not there.
    Missing,
    /// Of another type, or no absolute http(s) URI.
    Malformed,
    /// The `issuer` is another than the one asked (OIDC Discovery §4.3).
    Mismatch,
    /// `http:` where it is not allowed.
    Insecure,
    /// The server says that it can't do what we need.
    Unsupported,
}

impl MetadataProblem {
    /// Every one, for the tests that hold Rust and TypeScript together.
    pub const ALL: [Self; 5] = [
        Self::Missing,
        Self::Malformed,
        Self::Mismatch,
        Self::Insecure,
        Self::Unsupported,
    ];

    /// The spelling of the TypeScript type.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Malformed => "malformed",
            Self::Mismatch => "mismatch",
            Self::Insecure => "insecure",
            Self::Unsupported => "unsupported",
        }
    }
}

/// What is wrong with an ID Token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdTokenProblem {
    /// Not a compact JWS, or a claim of another type.
    Malformed,
    /// The claim, or the ID Token, is not there.
    Missing,
    /// Another value than the one expected.
    Mismatch,
    /// `exp` has passed.
    Expired,
    /// `iat` or `nbf` lies ahead.
    NotYetValid,
    /// `auth_time` lies further back than `max_age`, or `iat` than a fresh token's can.
    TooOld,
    /// `none`, `HS*`, or anything else that is not on our list, the server's or the engine's.
    UnsupportedAlg,
    /// No key of the JWK Set fits.
    NoMatchingKey,
    /// The signature does not verify.
    BadSignature,
}

impl IdTokenProblem {
    /// Every one, for the tests that hold Rust and TypeScript together.
    pub const ALL: [Self; 9] = [
        Self::Malformed,
        Self::Missing,
        Self::Mismatch,
        Self::Expired,
        Self::NotYetValid,
        Self::TooOld,
        Self::UnsupportedAlg,
        Self::NoMatchingKey,
        Self::BadSignature,
    ];

    /// The spelling of the TypeScript type.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Missing => "missing",
            Self::Mismatch => "mismatch",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::TooOld => "too_old",
            Self::UnsupportedAlg => "unsupported_alg",
            Self::NoMatchingKey => "no_matching_key",
            Self::BadSignature => "bad_signature",
        }
    }
}

/// An answer that is refused, or that refuses. Results carry it boxed, so that they move one word.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProtocolError {
    /// The authorization server refused the login (RFC 6749 §4.1.2.1).
    Authorization(OAuthErrorResponse),
    /// The token endpoint refused (RFC 6749 §5.2).
    Token {
        /// In its own words.
        response: OAuthErrorResponse,
        /// HTTP status.
        status: u16,
    },
    /// The metadata can't be used.
    InvalidMetadata {
        /// The member.
        field: &'static str,
        /// What is wrong with it.
        problem: MetadataProblem,
    },
    /// An answer that no specification knows.
    InvalidResponse {
        /// Where it came from.
        endpoint: Endpoint,
        /// HTTP status; 0 for the callback, which is none.
        status: u16,
        /// What is wrong: a fixed word, or the name of a member or parameter.
        problem: &'static str,
        /// What the server said, where it said something.
        words: Option<OAuthErrorResponse>,
    },
    /// The response came from another authorization server than the one asked (RFC 9207 §2.4).
    IssuerMismatch {
        /// The issuer asked.
        expected: String,
        /// `iss` of the response.
        actual: Option<String>,
        /// The error that the response carried; not to be believed.
        untrusted: Option<OAuthErrorResponse>,
    },
    /// OIDC Core §3.1.3.7.
    InvalidIdToken {
        /// The claim, or `alg`, `signature`, `id_token`.
        claim: &'static str,
        /// What is wrong with it.
        problem: IdTokenProblem,
        /// By how many seconds this device's clock differs from the server's, where that is the reason.
        skew_seconds: Option<i64>,
    },
    /// A refresh answered for another user (OIDC Core §12.2).
    SubjectMismatch {
        /// Where.
        endpoint: Endpoint,
    },
}

impl ProtocolError {
    #[cold]
    #[inline(never)]
    pub(crate) fn invalid_metadata(field: &'static str, problem: MetadataProblem) -> Box<Self> {
        Box::new(Self::InvalidMetadata { field, problem })
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn invalid_response(
        endpoint: Endpoint,
        status: u16,
        problem: &'static str,
    ) -> Box<Self> {
        Box::new(Self::InvalidResponse {
            endpoint,
            status,
            problem,
            words: None,
        })
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn invalid_id_token(claim: &'static str, problem: IdTokenProblem) -> Box<Self> {
        Box::new(Self::InvalidIdToken {
            claim,
            problem,
            skew_seconds: None,
        })
    }
}
