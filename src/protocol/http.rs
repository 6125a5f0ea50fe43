//! Requests and responses as plain values; who sends them is not this layer's business.

use super::error::{Endpoint, ProtocolError};
use super::json::Json;
use super::text::is_blank;

/// A request to the authorization server. Always without cookies, cache, referrer and redirects.
#[derive(Clone)]
#[non_exhaustive]
pub struct HttpRequest {
    /// Which endpoint it goes to, for errors and for `transport`.
    pub endpoint: Endpoint,
    /// Absolute URI.
    pub uri: String,
    /// A form body makes it a POST, without one it is a GET. Never printed: it holds codes and tokens.
    pub form: Option<String>,
}

impl HttpRequest {
    pub(crate) fn get(endpoint: Endpoint, uri: &str) -> Self {
        Self {
            endpoint,
            uri: uri.to_owned(),
            form: None,
        }
    }

    pub(crate) fn post(endpoint: Endpoint, uri: &str, form: String) -> Self {
        Self {
            endpoint,
            uri: uri.to_owned(),
            form: Some(form),
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
