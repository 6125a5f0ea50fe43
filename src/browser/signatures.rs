use super::Browser;
use crate::client::ports::{SignatureCheck, Signatures};
use crate::protocol::jose::alg::Algorithm;
use js_sys::{Array, JSON, Object};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{CryptoKey, SubtleCrypto};

impl Signatures for Browser {
    fn available(&self) -> bool {
        subtle().is_some()
    }

    async fn verify(&self, check: &SignatureCheck<'_>) -> bool {
        arithmetic(check)
            .await
            .is_ok_and(|verified| verified.is_truthy())
    }
}

/// A key or signature that the engine refuses is an error here, and no match to the caller.
async fn arithmetic(check: &SignatureCheck<'_>) -> Result<JsValue, JsValue> {
    let subtle = subtle().ok_or(JsValue::NULL)?;
    // One object serves both calls: each takes the members that it knows.
    let algorithm: Object = JSON::parse(match check.algorithm {
        Algorithm::Rs256 => r#"{"name":"RSASSA-PKCS1-v1_5","hash":"SHA-256"}"#,
        Algorithm::Es256 => r#"{"name":"ECDSA","namedCurve":"P-256","hash":"SHA-256"}"#,
    })?
    .unchecked_into();
    let jwk: Object = JSON::parse(&check.key.to_jwk())?.unchecked_into();
    let usages = Array::of1(&"verify".into());
    let key =
        JsFuture::from(subtle.import_key_with_object("jwk", &jwk, &algorithm, false, &usages)?)
            .await?;
    let key: CryptoKey = key.unchecked_into();
    let verified = subtle.verify_with_object_and_u8_array_and_u8_array(
        &algorithm,
        &key,
        check.signature,
        check.signing_input.as_bytes(),
    )?;
    JsFuture::from(verified).await
}

/// Missing on plain http beyond loopback.
fn subtle() -> Option<SubtleCrypto> {
    let subtle = web_sys::window()?.crypto().ok()?.subtle();
    (!subtle.is_undefined()).then_some(subtle)
}
