use super::Browser;
use crate::client::ports::{Http, TransportError};
use crate::protocol::http::{HttpRequest, HttpResponse};
use gloo_net::http::{Method, RequestBuilder, Response};
use js_sys::{Array, Function, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortSignal, ReadableStreamDefaultReader, ReferrerPolicy, RequestCache, RequestCredentials,
    RequestRedirect,
};

/// No document of an authorization server is larger, in bytes.
const LARGEST: usize = 1 << 20;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = fetch)]
    fn fetch(request: &web_sys::Request) -> Promise;
}

impl Http for Browser {
    async fn send(
        &self,
        request: HttpRequest,
        timeout: u32,
    ) -> Result<HttpResponse, TransportError> {
        let signal = AbortSignal::timeout_with_u32(timeout.saturating_mul(1000));
        let deadline = Deadline::new(&signal);
        exchange(self.transport.as_ref(), request, &signal, &deadline)
            .await
            .map_err(|failure| match failure {
                Failure::TooLarge(status) => TransportError::TooLarge(status),
                Failure::Lost if signal.aborted() => TransportError::Timeout,
                Failure::Lost if is_offline() => TransportError::Offline,
                Failure::Lost => TransportError::Network,
            })
    }
}

enum Failure {
    Lost,
    TooLarge(u16),
}

impl From<JsValue> for Failure {
    fn from(_: JsValue) -> Self {
        Self::Lost
    }
}

impl From<gloo_net::Error> for Failure {
    fn from(_: gloo_net::Error) -> Self {
        Self::Lost
    }
}

async fn exchange(
    transport: Option<&Function>,
    request: HttpRequest,
    signal: &AbortSignal,
    deadline: &Deadline,
) -> Result<HttpResponse, Failure> {
    let endpoint = request.endpoint.as_str();
    let request = build(request, signal)?;
    let sent = match transport {
        None => fetch(&request),
        Some(transport) => {
            Promise::resolve(&transport.call2(&JsValue::UNDEFINED, &request, &endpoint.into())?)
        }
    };
    let response = deadline
        .limit(&sent)
        .await?
        .dyn_into::<web_sys::Response>()?;
    let response = Response::from(response);
    let header = |name| response.headers().get(name);
    let (status, content_type) = (
        response.status(),
        header("content-type").unwrap_or_default(),
    );
    let retry_after = header("retry-after").and_then(|seconds| seconds.parse().ok());
    let body = read(&response, deadline).await?;
    let mut answer = HttpResponse::new(status, content_type, body);
    answer.retry_after = retry_after;
    Ok(answer)
}

/// Without cookies, cache and referrer, and no redirect is followed (RFC 9700 §4.12).
fn build(request: HttpRequest, signal: &AbortSignal) -> Result<web_sys::Request, Failure> {
    let method = if request.form.is_some() {
        Method::POST
    } else {
        Method::GET
    };
    let builder = RequestBuilder::new(&request.uri)
        .method(method)
        .credentials(RequestCredentials::Omit)
        .cache(RequestCache::NoStore)
        .redirect(RequestRedirect::Error)
        .referrer_policy(ReferrerPolicy::NoReferrer)
        .abort_signal(Some(signal))
        .header("accept", "application/json");
    let request = match request.form {
        None => builder.build()?,
        Some(form) => builder
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form)?,
    };
    Ok(request.into())
}

/// Reads the body piece by piece, so that a huge one is refused before it is held.
async fn read(response: &Response, deadline: &Deadline) -> Result<String, Failure> {
    let Some(stream) = response.body() else {
        return Ok(String::new());
    };
    let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    let mut body = Vec::new();
    loop {
        let piece = deadline.limit(&reader.read()).await?;
        if Reflect::get(&piece, &"done".into())?.is_truthy() {
            return String::from_utf8(body).map_err(|_| Failure::Lost);
        }
        let bytes: Uint8Array = Reflect::get(&piece, &"value".into())?.dyn_into()?;
        body.append(&mut bytes.to_vec());
        if body.len() > LARGEST {
            // Nobody waits for it to be cancelled.
            let _ = reader.cancel();
            return Err(Failure::TooLarge(response.status()));
        }
    }
}

/// A promise that is rejected when the time is up: an application's `transport` need not listen to the signal.
struct Deadline(Promise);

impl Deadline {
    fn new(signal: &AbortSignal) -> Self {
        Self(Promise::new(&mut |_, reject| {
            signal.set_onabort(Some(&reject))
        }))
    }

    async fn limit(&self, promise: &Promise) -> Result<JsValue, JsValue> {
        JsFuture::from(Promise::race(&Array::of2(promise, &self.0))).await
    }
}

fn is_offline() -> bool {
    web_sys::window().is_some_and(|window| !window.navigator().on_line())
}
