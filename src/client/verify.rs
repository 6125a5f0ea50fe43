use super::ports::{Platform, SignatureCheck};
use super::{Auth, Error};
use crate::protocol::error::{IdTokenProblem, ProtocolError};
use crate::protocol::jose::jwk::{JwkSet, PublicKey};
use crate::protocol::jose::jws::CompactJws;
use crate::protocol::json::Json;
use crate::protocol::metadata::ServerMetadata;
use crate::protocol::secret::Secret;
use crate::session::state::Warning;
use std::rc::Rc;

impl<P: Platform> Auth<P> {
    /// The claims of an ID Token whose signature is verified with a key of the server (OIDC Core §3.1.3.7, 6).
    pub(super) async fn verified_claims(
        &self,
        id_token: &Secret,
        metadata: &ServerMetadata,
    ) -> Result<Json, Error> {
        let jws = CompactJws::parse(id_token.expose())?;
        if !self.0.platform.available() {
            self.accept_unchecked(metadata)?;
            return Ok(jws.payload);
        }
        for key in self.keys_for(&jws, metadata).await? {
            let check = SignatureCheck {
                algorithm: jws.algorithm,
                key: &key,
                signing_input: jws.signing_input,
                signature: &jws.signature,
            };
            if self.0.platform.verify(&check).await {
                return Ok(jws.payload);
            }
        }
        Err(refuse("signature", IdTokenProblem::BadSignature))
    }

    async fn keys_for(
        &self,
        jws: &CompactJws<'_>,
        metadata: &ServerMetadata,
    ) -> Result<Vec<PublicKey>, Error> {
        let find = |set: Rc<JwkSet>| set.candidates(jws.algorithm, jws.key_id.as_deref());
        let mut keys = find(self.jwks(metadata).await?);
        // OIDC Core §10.1.1: an unknown key may be a new one; asked for once.
        if keys.is_empty()
            && let Some(newer) = self.newer_jwks(metadata).await?
        {
            keys = find(newer);
        }
        if keys.is_empty() {
            Err(refuse("kid", IdTokenProblem::NoMatchingKey))
        } else {
            Ok(keys)
        }
    }

    /// OIDC Core §3.1.3.7, 6: a token that came straight from the token endpoint over TLS may stand on that alone. It
    /// does so only where the page cannot check signatures; over plain http only by the application's own exception.
    fn accept_unchecked(&self, metadata: &ServerMetadata) -> Result<(), Error> {
        if metadata.token_endpoint().starts_with("https:")
            || self.0.config.server.is_insecure_exception()
        {
            self.warn(Warning::SignatureUnchecked);
            Ok(())
        } else {
            Err(Error::unsupported_environment("crypto.subtle"))
        }
    }
}

fn refuse(claim: &'static str, problem: IdTokenProblem) -> Error {
    ProtocolError::invalid_id_token(claim, problem).into()
}
