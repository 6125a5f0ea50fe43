use super::Browser;
use super::port::can_verify;
use crate::client::ports::{SignatureCheck, Signatures};
use crate::protocol::jose::alg::Algorithm;

impl Signatures for Browser {
    fn available(&self) -> bool {
        can_verify()
    }

    async fn verify(&self, check: &SignatureCheck<'_>) -> bool {
        let algorithm = match check.algorithm {
            Algorithm::Rs256 => r#"{"name":"RSASSA-PKCS1-v1_5","hash":"SHA-256"}"#,
            Algorithm::Es256 => r#"{"name":"ECDSA","namedCurve":"P-256","hash":"SHA-256"}"#,
        };
        let (jwk, signed) = (check.key.to_jwk(), check.signing_input.as_bytes());
        let call = self.line.call(|port, ticket| {
            port.verify(ticket, algorithm, &jwk, signed, check.signature);
        });
        call.await.0 == 1
    }
}
