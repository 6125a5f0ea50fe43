use super::Browser;
use super::port::{Call, OFFLINE, TIMEOUT, TOO_LARGE};
use crate::client::ports::{Http, TransportError};
use crate::protocol::http::{HttpRequest, HttpResponse};
use crate::protocol::secret::Secret;
use crate::protocol::text::{cut, number};

impl Http for Browser {
    async fn send(
        &self,
        request: HttpRequest,
        timeout: u32,
    ) -> Result<HttpResponse, TransportError> {
        let call = self.exchange(request, timeout);
        let (code, text) = call.await;
        answer(code, &text)
    }
}

impl Browser {
    /// The request is gone before its answer is waited for.
    fn exchange(&self, request: HttpRequest, timeout: u32) -> Call {
        let call = self.line.call();
        let token = request.authorization.as_ref().map(Secret::expose);
        self.line.port.exchange(
            call.ticket,
            &request.uri,
            request.endpoint.as_str(),
            request.body.as_deref(),
            request.json,
            token,
            timeout,
        );
        call
    }
}

/// Codes below 100 are failures: no HTTP status is so small, but for the 0 of an opaque response.
fn answer(code: u32, text: &str) -> Result<HttpResponse, TransportError> {
    let status = u16::try_from(code % TOO_LARGE).unwrap_or(0);
    match code {
        OFFLINE => Err(TransportError::Offline),
        TIMEOUT => Err(TransportError::Timeout),
        0 | 100..TOO_LARGE => {
            let (content_type, rest) = cut(text, b'\n').unwrap_or_default();
            let (retry_after, rest) = cut(rest, b'\n').unwrap_or_default();
            let (challenge, body) = cut(rest, b'\n').unwrap_or_default();
            let mut response = HttpResponse::new(status, content_type, body);
            response.retry_after = number(retry_after).and_then(|wait| wait.try_into().ok());
            response.www_authenticate = challenge.to_owned();
            Ok(response)
        }
        TOO_LARGE.. => Err(TransportError::TooLarge(status)),
        _ => Err(TransportError::Network),
    }
}
