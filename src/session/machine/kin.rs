//! What a session has to do with its family's other tabs, and with what is stored besides.

use super::super::family::{Entry, Family};
use super::super::output::Output;
use super::super::record::{AccessToken, Record, TokenKey};
use super::super::state::{Event, SignedOut, SignedOutReason, Via};
use super::live::margin;
use super::{Error, Phase, Session};
use crate::protocol::secret::Secret;

impl Session {
    #[inline(never)]
    pub(super) fn heard_of_family(&mut self, entry: Entry) {
        let Some(live) = self.live() else { return };
        let (family, generation) = (&live.record.family.id, live.record.generation);
        match entry {
            Entry::Session(record) if record.family.id == *family => {
                if record.generation > generation {
                    self.adopt(record);
                } else if record.generation == generation
                    && record.unanswered
                    && !live.record.unanswered
                    && !live.sent
                {
                    // Another tab sent it and died, or is still waiting.
                    live.record.unanswered = true;
                    live.asked_again = true;
                    self.persist();
                }
            }
            Entry::Tombstone(ended) if ended == *family => {
                self.leave(SignedOutReason::LoggedOutElsewhere, None);
            }
            Entry::Session(_) | Entry::Tombstone(_) => {}
        }
    }

    #[inline(never)]
    pub(super) fn surpassed(&mut self, mut record: Box<Record>) {
        let held = self.record();
        let held = held.filter(|held| {
            held.family.id == record.family.id && held.generation <= record.generation
        });
        if let Some(held) = held {
            // What was just received for another API is as good as before.
            let received = held.tokens.last().cloned();
            if let Some((key, token)) = received.filter(|(key, _)| record.token(key).is_none()) {
                record.tokens.push((key, token));
            }
            self.adopt(record);
        }
    }

    #[inline(never)]
    pub(super) fn placed(&mut self, family: Family, generation: u64) {
        if let Some(live) = self.live() {
            live.record.family = family;
            live.record.generation = generation;
            if let Some(record) = self.record().map(Record::encode) {
                let record = Output::PersistAnew(Secret::new(record));
                self.outputs.push(record);
            }
            self.publish();
        }
    }

    #[inline(never)]
    pub(super) fn appeared(&mut self, record: Box<Record>) {
        let held = self.record().map(|held| held.family.id.clone());
        // Nothing is shown before the start has found out what there is.
        if matches!(self.phase, Phase::Loading)
            || held.as_ref() == Some(&record.family.id)
            || self.left.contains(&record.family.id)
        {
            return;
        }
        if let Some(held) = held {
            self.left.push(held);
        }
        self.enter(record, Via::OtherTab, false);
    }

    /// Another tab is ahead.
    fn adopt(&mut self, record: Box<Record>) {
        let jitter = self.draw();
        let Some(live) = self.live() else { return };
        let value = |record: &Record| {
            let token = record.token(&TokenKey::default());
            token.map(|token| token.value.expose().to_owned())
        };
        let renewed = value(&record) != value(&live.record);
        live.record = record;
        live.margin = margin(&live.record, jitter);
        live.recovered(renewed);
        // It may have signed in for them.
        live.refused_keys.clear();
        self.persist();
        self.tell_refreshed();
    }

    /// Tells that the refresh token brought something, and until when the token lasts that was signed in for.
    pub(super) fn tell_refreshed(&mut self) {
        self.announce();
        let token = self
            .record()
            .and_then(|record| record.token(&TokenKey::default()));
        let expires_at = token.and_then(AccessToken::expires_at);
        self.outputs
            .push(Output::Emit(Event::Refreshed { expires_at }));
    }

    /// Ends the session for its whole family; a logout for every session of the user's.
    pub(super) fn end(&mut self, reason: SignedOutReason, error: Option<Error>) {
        let logged_out = reason == SignedOutReason::LoggedOut;
        if let Some(record) = self.record() {
            let subject = record.subject().filter(|_| logged_out);
            let end = Output::End(record.family.id.clone(), subject.map(str::to_owned));
            self.leave(reason, error);
            self.outputs.push(end);
        } else if logged_out {
            self.phase = Phase::SignedOut(SignedOut { reason, error });
        }
    }

    /// Ends the session here.
    pub(super) fn leave(&mut self, reason: SignedOutReason, error: Option<Error>) {
        let family = self.record().map(|record| record.family.id.clone());
        self.phase = Phase::SignedOut(SignedOut { reason, error });
        if let Some(family) = family {
            self.left.push(family.clone());
            self.outputs.push(Output::Forget(family));
        }
        self.outputs.push(Output::Emit(Event::SignedOut(reason)));
    }

    /// Publishes what is held now, and rings.
    pub(super) fn publish(&mut self) {
        if let Some(record) = self.record() {
            let ring = Output::Ring(record.family.id.clone(), record.generation);
            self.outputs.push(Output::Publish);
            self.outputs.push(ring);
        }
    }

    /// Notes for the family's other tabs whether a refresh of this generation is without an answer.
    pub(super) fn mark(&mut self, unanswered: bool) {
        if let Some(record) = self.record() {
            let family = record.family.id.clone();
            let mark = Output::Mark(family, record.generation, unanswered);
            self.outputs.push(mark);
        }
    }
}
