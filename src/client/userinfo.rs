use super::access_token::{AccessToken, TokenOptions};
use super::ports::Platform;
use super::{Auth, Error, ErrorKind};
use crate::protocol::error::{Endpoint, MetadataProblem, ProtocolError};
use crate::protocol::json::Json;
use crate::protocol::metadata::ServerMetadata;
use crate::protocol::secret::Secret;
use crate::protocol::userinfo::{
    UserInfo, check_signed, check_subject, refuses_token, userinfo_request, userinfo_response,
};
use crate::session::state::SignedOutReason;

impl<P: Platform> Auth<P> {
    /// What the server says about the user just now: its `UserInfo` answer, about the `sub` of the ID Token or not used
    /// (OIDC Core §5.3). An access token that it refuses is refreshed once.
    ///
    /// Members of `_claim_sources` are handed on as they are: no endpoint in them is called (OIDC Core §5.6.2).
    ///
    /// # Errors
    /// `invalid_config` in plain OAuth, `login_required` without a session, `invalid_metadata` where the server has no
    /// such endpoint, `subject_mismatch` for another user's claims, `invalid_response` for a refusal, too. The session
    /// stays as it was.
    pub async fn user_info(&self) -> Result<Json, Error> {
        if !self.0.config.server.oidc {
            let problem = "there is no ID Token to compare UserInfo with";
            return Err(Error::invalid_config("oidc", problem));
        }
        let (mut options, mut refused) = (TokenOptions::default(), None::<AccessToken>);
        let (metadata, answer) = loop {
            let token = self.access_token(options.clone()).await?;
            // Somebody else may have refreshed a refused one meanwhile.
            if refused
                .as_ref()
                .is_some_and(|refused| token.expose() == refused.expose())
                && !options.force_refresh
            {
                options.force_refresh = true;
                continue;
            }
            let metadata = self.metadata().await?;
            let Some(endpoint) = metadata.userinfo_endpoint() else {
                let (field, problem) = ("userinfo_endpoint", MetadataProblem::Missing);
                return Err(ProtocolError::invalid_metadata(field, problem).into());
            };
            let request = userinfo_request(endpoint, Secret::new(token.expose()));
            let answer = self.send(request).await?;
            if refused.is_some() || !refuses_token(&answer) {
                break (metadata, answer);
            }
            refused = Some(token);
        };
        let claims = match userinfo_response(&answer)? {
            UserInfo::Claims(claims) => claims,
            UserInfo::Signed(token) => self.signed_claims(&token, &metadata).await?,
        };
        // A signature that could not be checked is warned of.
        self.tell();
        let session = self.0.session.borrow();
        let Some(user) = session.record().and_then(|record| record.user.as_ref()) else {
            let reason = session.ended().unwrap_or(SignedOutReason::NoSession);
            return Err(Error::login_required(reason));
        };
        check_subject(&claims, user)?;
        Ok(claims)
    }

    async fn signed_claims(
        &self,
        token: &Secret,
        metadata: &ServerMetadata,
    ) -> Result<Json, Error> {
        let verified = self.verified_claims(token, None, metadata).await;
        let claims = verified.map_err(|error| of_userinfo(&error).unwrap_or(error))?;
        let config = &self.0.config;
        let issuer = config.server.issuer().unwrap_or_default();
        let (tolerance, now) = (config.clock_tolerance, self.now().wall);
        check_signed(&claims, issuer, &config.client_id, tolerance, now)?;
        Ok(claims)
    }
}

/// What is wrong with a signed answer is no fault of the ID Token.
fn of_userinfo(error: &Error) -> Option<Error> {
    let ErrorKind::Protocol(error) = error.kind() else {
        return None;
    };
    let ProtocolError::InvalidIdToken { claim, .. } = **error else {
        return None;
    };
    let problem = if claim == "id_token" { "jwt" } else { claim };
    Some(ProtocolError::invalid_response(Endpoint::Userinfo, 200, problem).into())
}
