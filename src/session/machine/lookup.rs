//! What a session says when it is asked. Nothing here changes it.

use super::super::error::{Error, ErrorKind};
use super::super::input::Ticket;
use super::super::record::TokenKey;
use super::super::schedule;
use super::super::state::SignedOutReason;
use super::{Phase, Session};
use crate::protocol::error::{OAuthErrorResponse, ProtocolError};
use crate::protocol::secret::Secret;
use crate::protocol::time::Now;

/// So long after a failure, in milliseconds, who asks hears of the same one.
const MOMENT: i64 = 1000;

/// More seconds than any token lives.
const FOREVER: i64 = 1 << 40;

/// What a session has to say to a wish for a token.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Lookup {
    /// Here it is.
    Fresh(Secret),
    /// A refresh is needed.
    Refresh,
    /// A refresh would not help, for this reason.
    Blocked(Error),
    /// There is no session.
    LoginRequired(SignedOutReason),
}

impl Session {
    /// The ticket for a refresh that is about to be sent, and the token to send; `None` where none may be sent.
    #[must_use]
    pub fn refresh_ticket(&self, key: &TokenKey) -> Option<(Ticket, Secret)> {
        let record = self.record().filter(|record| self.is_refreshable(record))?;
        let token = record.refresh_token.clone()?;
        Some((Ticket::draw(record, key), token))
    }

    /// Looks for a token that is good for so many seconds; without a number, for as long as it takes to arrive.
    #[must_use]
    pub fn lookup(&self, key: &TokenKey, min_validity: Option<i64>, now: Now) -> Lookup {
        let live = match &self.phase {
            Phase::Loading => return Lookup::LoginRequired(SignedOutReason::NoSession),
            Phase::SignedOut(signed_out) => return Lookup::LoginRequired(signed_out.reason),
            Phase::SignedIn(live) => live,
        };
        let refreshable = self.is_refreshable(&live.record);
        if let Some(token) = live.record.token(key) {
            let lifetime = token.lifetime.unwrap_or(schedule::ASSUMED_LIFETIME);
            let default = if refreshable {
                schedule::leeway(lifetime)
            } else {
                0
            };
            let needed = min_validity.map_or(default, |seconds| seconds.clamp(0, FOREVER) * 1000);
            // Without a refresh token an unknown end is no reason to stop using it.
            let remaining = token.remaining(now).unwrap_or_else(|| {
                if refreshable {
                    lifetime - now.since(token.received)
                } else {
                    i64::MAX
                }
            });
            if remaining > needed {
                return Lookup::Fresh(token.value.clone());
            }
        }
        if !refreshable {
            // Only the user can get more than what was signed in for.
            let reason = if key.is_default() {
                SignedOutReason::Expired
            } else {
                SignedOutReason::InteractionRequired
            };
            return Lookup::LoginRequired(reason);
        }
        self.blocked(key, now)
            .map_or(Lookup::Refresh, Lookup::Blocked)
    }

    /// Why a refresh would not help just now: the server asked to be left alone, or does not accept this client. A moment
    /// after any failure the answer would be the same, and an application that asks in a loop gets it at once.
    #[must_use]
    pub fn blocked(&self, key: &TokenKey, now: Now) -> Option<Error> {
        let Phase::SignedIn(live) = &self.phase else {
            return None;
        };
        if let Some(refused) = live.refused_keys.iter().find(|refused| refused.key == *key) {
            return Some(refused.error.clone());
        }
        if !key.is_covered_by(&live.record.api) {
            return Some(not_signed_in_for());
        }
        let waits = live.postponed.as_ref().is_some_and(|postponed| {
            let moment = if postponed.by_server {
                postponed.wait
            } else {
                MOMENT
            };
            postponed.left(now) > postponed.wait - moment
        });
        let failure = live.failure.clone().filter(|_| live.blocked || waits);
        // The API that was signed in for is refused: that harms none of the others.
        failure.filter(|error| key.is_default() || !(live.blocked && is_about_target(error)))
    }

    /// The key by which this session holds what is wished for.
    #[must_use]
    pub fn key_of(&self, wished: &TokenKey) -> TokenKey {
        wished.within(self.api())
    }

    /// The parameters of a request for this token.
    #[must_use]
    pub fn parameters(&self, key: &TokenKey) -> String {
        key.parameters(self.api())
    }

    fn api(&self) -> &str {
        self.record().map_or("", |record| &record.api)
    }

    /// Why there is no session, once it is known that there is none.
    #[must_use]
    pub const fn ended(&self) -> Option<SignedOutReason> {
        if let Phase::SignedOut(signed_out) = &self.phase {
            Some(signed_out.reason)
        } else {
            None
        }
    }
}

/// RFC 8707 §2, RFC 6749 §5.2: it is this API that the server does not give a token for, or this scope.
fn is_about_target(error: &Error) -> bool {
    let ErrorKind::Protocol(error) = error.kind() else {
        return false;
    };
    let ProtocolError::Token { response, .. } = &**error else {
        return false;
    };
    matches!(&*response.error, "invalid_target" | "invalid_scope")
}

/// What a server would say, without asking it (RFC 8707 §2).
fn not_signed_in_for() -> Error {
    let response = OAuthErrorResponse {
        error: "invalid_target".to_owned(),
        error_description: Some("name this resource at sign-in, too".to_owned()),
        error_uri: None,
    };
    let status = 0;
    Box::new(ProtocolError::Token { response, status }).into()
}
