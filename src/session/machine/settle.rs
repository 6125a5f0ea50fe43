//! What follows from an input, once it is taken in: every input ends here.

use super::super::output::Output;
use super::super::record::{AccessToken, TokenKey};
use super::super::state::{Event, Freshness, SignedIn, SignedOutReason, State};
use super::live::{expired, remaining};
use super::{Phase, RefreshMode, Session};
use crate::protocol::time::Now;
use std::sync::Arc;

impl Session {
    /// What follows from the time alone, and from what was just heard: expiry, the next refresh, the next wake-up, and
    /// whether the state differs.
    pub(super) fn settle(&mut self, now: Now) {
        if let Phase::SignedIn(live) = &self.phase
            && !self.is_refreshable(&live.record)
            && expired(&live.record, now)
        {
            self.leave(SignedOutReason::Expired, None);
        }
        let mode = self.mode;
        if let Phase::SignedIn(live) = &mut self.phase {
            let refreshable = live.record.refresh_token.is_some() && mode != RefreshMode::Off;
            let wakes_itself =
                refreshable && !live.blocked && (mode == RefreshMode::Auto || live.unconfirmed);
            let due_in = live.due_in(now);
            if wakes_itself && !live.refreshing && due_in.is_some_and(|due_in| due_in <= 0) {
                live.refreshing = true;
                self.outputs.push(Output::Refresh(TokenKey::default()));
            }
            // Whatever comes first: the refresh, or the moment at which the token is no longer fresh.
            let expires_in = remaining(&live.record, now).filter(|left| *left > 0);
            let refresh_in = due_in.filter(|_| wakes_itself && !live.refreshing);
            let first = match (refresh_in, expires_in) {
                (Some(refresh_in), Some(expires_in)) => Some(refresh_in.min(expires_in)),
                (one, other) => one.or(other),
            };
            if let Some(millis) = first {
                self.outputs
                    .push(Output::WakeAt(now.wall.plus(millis.max(1))));
            }
        }
        let state = self.present(now);
        if matches!(state, State::SignedIn(_)) {
            self.announce();
        }
        if state != self.told {
            self.told = state;
            self.outputs.push(Output::StateChanged);
        }
    }

    /// Tells that the session began, or was found: once, and before anything else is told of it.
    pub(super) fn announce(&mut self) {
        let untold = self.live().and_then(|live| live.untold.take());
        if let Some(via) = untold {
            self.outputs.push(Output::Emit(Event::SignedIn(via)));
        }
    }

    fn present(&self, now: Now) -> State {
        match &self.phase {
            Phase::Loading => State::Loading,
            Phase::SignedOut(signed_out) => State::SignedOut(signed_out.clone()),
            Phase::SignedIn(live) if live.unconfirmed => State::Loading,
            Phase::SignedIn(live) => State::SignedIn(Arc::new(SignedIn {
                user: live.record.user.clone(),
                scope: live.record.scope.clone(),
                expires_at: live
                    .record
                    .token(&TokenKey::default())
                    .and_then(AccessToken::expires_at),
                freshness: if expired(&live.record, now) {
                    Freshness::Stale
                } else {
                    Freshness::Fresh
                },
                refreshable: live.record.refresh_token.is_some(),
                error: live.failure.clone().or_else(|| live.refused.clone()),
                generation: live.record.generation,
            })),
        }
    }
}
