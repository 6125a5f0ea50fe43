use super::Browser;
use super::port::UNSUPPORTED;
use crate::client::ports::{SignatureCheck, Signatures, Unsupported};

impl Signatures for Browser {
    fn available(&self) -> bool {
        self.line.port.can_verify()
    }

    async fn verify(&self, check: &SignatureCheck<'_>) -> Result<Option<String>, Unsupported> {
        let jwk = check.key.to_jwk();
        let (signed, hashed) = (check.signing_input.as_bytes(), check.hashed.as_bytes());
        let (call, name) = (self.line.call(), check.algorithm.name());
        self.line
            .port
            .verify(call.ticket, name, &jwk, signed, check.signature, hashed);
        match call.await {
            (UNSUPPORTED, _) => Err(Unsupported),
            (code, hash) => Ok((code == 1).then_some(hash)),
        }
    }
}
