//! Requests and responses as plain values; who sends them is not this layer's business.

use super::error::{Endpoint, ProtocolError};
use super::json::Json;
use super::secret::Secret;
use super::text::is_blank;

/// A request to the authorization server. Always without cookies, cache, referrer and redirects.
#[derive(Clone)]
#[non_exhaustive]
pub struct HttpRequest {
    /// Which endpoint it goes to, for errors and for `transport`.
    pub endpoint: Endpoint,
    /// Absolute URI.
    pub uri: String,
    /// A body makes it a POST, without one it is a GET. Never printed: it holds codes and tokens.
    pub body: Option<String>,
    /// Whether the body is JSON; otherwise it is a form.
    pub json: bool,
    /// The access token of the `Authorization` header (RFC 6750 §2.1).
    pub authorization: Option<Secret>,
}

impl HttpRequest {
    /// Without anything.
    #[must_use]
    pub fn get(endpoint: Endpoint, uri: &str) -> Self {
        Self {
            endpoint,
            uri: uri.to_owned(),
            body: None,
            json: false,
            authorization: None,
        }
    }

    /// With an access token.
    #[must_use]
    pub fn get_authorized(endpoint: Endpoint, uri: &str, access_token: Secret) -> Self {
        Self {
            authorization: Some(access_token),
            ..Self::get(endpoint, uri)
        }
    }

    /// With a form.
    #[must_use]
    pub fn post(endpoint: Endpoint, uri: &str, form: String) -> Self {
        Self {
            body: Some(form),
            ..Self::get(endpoint, uri)
        }
    }

    /// With a JSON document.
    #[must_use]
    pub fn post_json(endpoint: Endpoint, uri: &str, document: &Json) -> Self {
        Self {
            json: true,
            ..Self::post(endpoint, uri, document.to_text())
        }
    }
}

/// What came back.
#[derive(Clone)]
#[non_exhaustive]
pub struct HttpResponse {
    /// Status code.
    pub status: u16,
    /// `Content-Type`, empty where there was none.
    pub content_type: String,
    /// `Retry-After` in seconds, where it could be read (RFC 9110 §10.2.3).
    pub retry_after: Option<u32>,
    /// `WWW-Authenticate`, empty where there was none or it could not be read.
    pub www_authenticate: String,
    /// The body as text. Never printed: it holds tokens.
    pub body: String,
}

impl HttpResponse {
    /// All parts.
    #[must_use]
    pub fn new(status: u16, content_type: impl Into<String>, body: impl Into<String>) -> Self {
        Self {
            status,
            content_type: content_type.into(),
            retry_after: None,
            www_authenticate: String::new(),
            body: body.into(),
        }
    }

    /// The body as a JSON object, whatever the `Content-Type` says: many servers mislabel it.
    #[must_use]
    pub fn json_object(&self) -> Option<Json> {
        Json::parse(&self.body).filter(Json::is_object)
    }

    /// The body of a 200 as a JSON object.
    ///
    /// # Errors
    /// `invalid_response` naming the endpoint, the status and what is wrong.
    pub fn ok_object(&self, endpoint: Endpoint) -> Result<Json, Box<ProtocolError>> {
        let refused = |problem| ProtocolError::invalid_response(endpoint, self.status, problem);
        if self.status != 200 {
            return Err(refused("status"));
        }
        self.json_object().ok_or_else(|| {
            refused(if is_blank(&self.body) {
                "empty"
            } else {
                "not_json"
            })
        })
    }

    /// Whether it is a page rather than an answer: a proxy, a captive portal, an error page.
    #[must_use]
    pub fn is_html(&self) -> bool {
        let kind = self.content_type.as_bytes();
        let first = self.body.bytes().find(|byte| !byte.is_ascii_whitespace());
        kind.windows(4)
            .any(|word| word.eq_ignore_ascii_case(b"html"))
            || first == Some(b'<')
    }
}
