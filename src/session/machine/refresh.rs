//! What comes of a refresh.

use super::super::error::Error;
use super::super::input::Ticket;
use super::super::output::Output;
use super::super::schedule;
use super::super::state::{Event, SignedOutReason};
use super::live::{Postponed, RefusedKey, margin};
use super::{RefreshMode, Session, access_token};
use crate::protocol::json::Json;
use crate::protocol::secret::Secret;
use crate::protocol::time::Now;
use crate::protocol::token::{RefreshFailure, TokenResponse};

impl Session {
    pub(super) fn not_loaded(&mut self, error: Error, now: Now) {
        let Some(live) = self.live() else { return };
        live.refreshing = false;
        live.unconfirmed = false;
        live.postponed = Some(Postponed {
            since: now,
            wait: schedule::MIN_INTERVAL,
            by_server: false,
        });
        live.failure = Some(error.clone());
        self.announce();
        let retry_at =
            (self.mode == RefreshMode::Auto).then(|| now.wall.plus(schedule::MIN_INTERVAL));
        self.outputs
            .push(Output::Emit(Event::RefreshFailed { error, retry_at }));
    }

    #[inline(never)]
    pub(super) fn refresh_started(&mut self) {
        if let Some(live) = self.live() {
            live.refreshing = true;
            live.sent = true;
            live.asked_again = core::mem::replace(&mut live.record.unanswered, true);
            self.persist();
            self.mark(true);
        }
    }

    #[inline(never)]
    pub(super) fn refreshed(&mut self, ticket: &Ticket, tokens: TokenResponse, now: Now) {
        let jitter = self.draw();
        let Some(live) = self.live_of(ticket, 0) else {
            return;
        };
        let record = &mut live.record;
        record.generation += 1;
        record.unanswered = false;
        // RFC 6749 §6, §5.1: what the answer leaves out stays.
        if let Some(refresh_token) = tokens.refresh_token {
            record.refresh_token = Some(refresh_token);
        }
        if let Some(scope) = tokens.scope.filter(|_| ticket.key().is_default()) {
            record.scope = scope;
        }
        let token = access_token(tokens.access_token, tokens.expires_in, now);
        record.hold(ticket.key(), token, now);
        live.margin = margin(&live.record, jitter);
        live.recovered(ticket.key().is_default());
        // It was about the refresh token as much as about the API.
        live.refused_keys.retain(|refused| refused.for_good);
        self.persist();
        self.publish();
        self.tell_refreshed();
    }

    #[inline(never)]
    pub(super) fn refresh_failed(
        &mut self,
        ticket: &Ticket,
        failure: RefreshFailure,
        error: Error,
        retry_after: Option<u32>,
        now: Now,
    ) {
        let jitter = self.draw();
        let Some(live) = self.live_of(ticket, 0) else {
            return;
        };
        live.refreshing = false;
        live.sent = false;
        live.unconfirmed = false;
        // A token for another API that is refused harms none of the others.
        let for_good = failure == RefreshFailure::Misconfigured;
        if !ticket.key().is_default() && (for_good || failure == RefreshFailure::Rejected) {
            live.refused_keys.push(RefusedKey {
                key: ticket.key().clone(),
                error,
                for_good,
            });
            return self.answered();
        }
        if failure == RefreshFailure::Rejected {
            // A token that was sent before and never answered has most likely been rotated by that request.
            let reason = if live.asked_again {
                SignedOutReason::AnswerLost
            } else {
                SignedOutReason::RefreshRejected
            };
            return self.end(reason, Some(error));
        }
        live.failures += 1;
        live.blocked = failure == RefreshFailure::Misconfigured;
        let wait = schedule::backoff(live.failures, retry_after, jitter);
        live.postponed = Some(Postponed {
            since: now,
            wait,
            by_server: retry_after.is_some(),
        });
        live.failure = Some(error.clone());
        if failure == RefreshFailure::Unknown {
            live.asked_again = live.record.unanswered;
        } else {
            self.answered();
        }
        let automatic = failure != RefreshFailure::Misconfigured && self.mode == RefreshMode::Auto;
        let retry_at = automatic.then(|| now.wall.plus(wait));
        self.announce();
        self.outputs
            .push(Output::Emit(Event::RefreshFailed { error, retry_at }));
    }

    /// An answer came, or nothing was sent: this request did not rotate the refresh token. An earlier one may have.
    pub(super) fn answered(&mut self) {
        let Some(live) = self.live() else { return };
        let asked_again = live.asked_again;
        if core::mem::replace(&mut live.record.unanswered, asked_again) != asked_again {
            self.persist();
            self.mark(false);
        }
    }

    #[inline(never)]
    pub(super) fn user_confirmed(&mut self, ticket: &Ticket, user: Json, id_token: Secret) {
        if let Some(live) = self.live_of(ticket, 1) {
            (live.record.user, live.record.id_token) = (Some(user), Some(id_token));
            self.persist();
        }
    }

    #[inline(never)]
    pub(super) fn user_changed(&mut self, ticket: &Ticket, error: Error) {
        if self.live_of(ticket, 1).is_some() {
            self.end(SignedOutReason::UserChanged, Some(error));
        }
    }
}
