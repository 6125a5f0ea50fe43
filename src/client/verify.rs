use super::ports::{Platform, SignatureCheck, Storage, Unsupported};
use super::{Auth, Error};
use crate::protocol::digest::half_sha256;
use crate::protocol::error::{IdTokenProblem, ProtocolError};
use crate::protocol::id_token::compare_at_hash;
use crate::protocol::jose::jwk::PublicKey;
use crate::protocol::jose::jws::CompactJws;
use crate::protocol::json::Json;
use crate::protocol::metadata::ServerMetadata;
use crate::protocol::secret::Secret;
use crate::session::state::Warning;

impl<P: Platform> Auth<P> {
    /// The claims of a token that a key of the server signed (OIDC Core §3.1.3.7, 6). An ID Token comes along with an
    /// access token, which its `at_hash` is compared with.
    pub(super) async fn verified_claims(
        &self,
        token: &Secret,
        access_token: Option<&Secret>,
        metadata: &ServerMetadata,
    ) -> Result<Json, Error> {
        let jws = CompactJws::parse(token.expose())?;
        // OIDC Core §3.1.3.7, 7: a list without any algorithm of ours says nothing about the one that was used.
        let announced = metadata.id_token_signing_algs();
        if access_token.is_some() && jws.algorithm.is_left_out_of(announced) {
            // It may have changed its mind since it was asked: the next login asks anew.
            self.0.metadata.take();
            let key = self.0.config.metadata_key();
            let _ = self.0.platform.login_storage().remove(&key);
            return Err(refuse("alg", IdTokenProblem::UnsupportedAlg));
        }
        let hashed = access_token.map_or("", Secret::expose);
        if let Some(hash) = self.verify(&jws, hashed, metadata).await?
            && access_token.is_some()
        {
            compare_at_hash(&jws.payload, &hash)?;
        }
        Ok(jws.payload)
    }

    /// Holds a token to the keys of the server. Gives the hash of a text, as `at_hash` has it, where it can be computed:
    /// without `crypto.subtle` only SHA-256 can, and the others rest on TLS like the signature.
    async fn verify(
        &self,
        jws: &CompactJws<'_>,
        hashed: &str,
        metadata: &ServerMetadata,
    ) -> Result<Option<String>, Error> {
        if !self.0.platform.available() {
            self.accept_unchecked(metadata)?;
            return Ok(jws.algorithm.is_sha256().then(|| half_sha256(hashed)));
        }
        let key_id = jws.key_id.as_deref();
        let (mut set, mut asked) = (self.jwks(metadata).await?, false);
        loop {
            let keys = set.candidates(jws.algorithm, key_id);
            let fits = |key: &&PublicKey| key.fits_signature(&jws.signature);
            for key in keys.iter().filter(fits) {
                let check = SignatureCheck {
                    algorithm: jws.algorithm,
                    key,
                    signing_input: jws.signing_input,
                    signature: &jws.signature,
                    hashed,
                };
                match self.0.platform.verify(&check).await {
                    Ok(None) => {}
                    Ok(hash) => return Ok(hash),
                    Err(Unsupported) => return Err(refuse("alg", IdTokenProblem::UnsupportedAlg)),
                }
            }
            // OIDC Core §10.1.1: an unknown key may be a new one, and so may the key of a token that names none. Asked
            // for once.
            let newer = if asked || (key_id.is_some() && !keys.is_empty()) {
                None
            } else {
                self.newer_jwks(metadata).await?
            };
            (set, asked) = (newer.ok_or_else(|| unsigned(&keys))?, true);
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

fn unsigned(tried: &[PublicKey]) -> Error {
    if tried.is_empty() {
        refuse("kid", IdTokenProblem::NoMatchingKey)
    } else {
        refuse("signature", IdTokenProblem::BadSignature)
    }
}

fn refuse(claim: &'static str, problem: IdTokenProblem) -> Error {
    ProtocolError::invalid_id_token(claim, problem).into()
}
