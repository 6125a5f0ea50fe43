//! One session, many tabs: what this tab hands to the others of its family, and what it takes from them
//! (docs/sessions.md).

use super::Auth;
use super::ports::{Later, Level, NoMailbox, Platform, Posted, Receipt, Storage};
use crate::protocol::digest::sha256;
use crate::protocol::text::joined;
use crate::protocol::token::TokenResponse;
use crate::session::family::{Entry, Family, FamilyId, Letter};
use crate::session::input::{Input, Ticket};
use crate::session::record::{Peek, Record, Stored};
use crate::session::state::Warning;
use crate::session::{RefreshMode, Session};
use core::future::poll_fn;
use core::task::Poll;

/// How often a write is tried: a storage may say yes and keep nothing.
const TRIES: u32 = 3;

/// What was handed to the mailbox, and what it will say to it.
pub(super) struct Pending {
    pub(super) family: FamilyId,
    pub(super) generation: u64,
    receipt: Later<Receipt>,
}

impl<P: Platform> Auth<P> {
    // ── The storage ──────────────────────────────────────────────────────────

    /// Writes the session's record, by one write; where the storage refuses, the session lives on in memory, and an old
    /// record that would be wrong after a reload is removed. In a shared storage another family's record, or none, means
    /// that somebody signed in or out there: then only a sign-in writes, and the mailbox decides.
    pub(super) fn persist(&self, record: &str, anew: bool) {
        let storage = self.0.platform.session_storage();
        if storage.is_memory() {
            return;
        }
        let key = self.0.config.session_key();
        let stored = storage.load(&key).ok().flatten();
        let stored = Record::peek(&stored.unwrap_or_default());
        if stored == Peek::Newer {
            self.0.storage_is_newer.set(true);
        }
        if self.0.storage_is_newer.get() {
            self.warn(Warning::StorageFallback);
            return;
        }
        if storage.is_shared() && !anew && stored != Record::peek(record) {
            return;
        }
        for _ in 0..TRIES {
            if storage.save(&key, record).is_err() {
                break;
            }
            let kept = storage.load(&key).ok().flatten();
            if kept.as_deref() == Some(record) {
                return;
            }
        }
        let _ = storage.remove(&key);
        self.warn(Warning::StorageFallback);
    }

    /// Removes the record of a family that was left; another's stays.
    pub(super) fn forget(&self, family: &FamilyId) {
        let storage = self.0.platform.session_storage();
        let key = self.0.config.session_key();
        let stored = storage.load(&key).ok().flatten();
        match Record::peek(&stored.unwrap_or_default()) {
            Peek::Newer => return,
            Peek::Family(stored) if stored != family.as_str() => return,
            Peek::Family(_) | Peek::Nothing => {}
        }
        // What cannot be removed is overwritten; what can be neither was most likely never stored.
        if storage.remove(&key).is_err() && storage.save(&key, "").is_err() {
            self.warn(Warning::StorageFallback);
        }
    }

    // ── To the others ────────────────────────────────────────────────────────

    /// Commits what is held to the mailbox: sealed and issued in this turn, whoever waits for the receipt.
    #[inline(never)]
    pub(super) fn publish_record(&self) -> Option<Pending> {
        let letter = {
            let session = self.0.session.borrow();
            session.record().and_then(|record| self.letter(record))
        };
        letter.map(|letter| Pending {
            receipt: self.0.platform.post(&letter),
            family: letter.family,
            generation: letter.generation,
        })
    }

    fn letter(&self, record: &Record) -> Option<Letter> {
        let (family, generation) = (&record.family, record.generation);
        // Without randomness nothing was founded.
        let sealed = family.seal(generation, &record.encode(), &self.0.platform);
        Some(Letter {
            family: family.id.clone(),
            generation,
            owner: self.owner(record.subject().unwrap_or_default()),
            sealed: sealed.ok()?,
        })
    }

    /// Whose a session is: the same for every session of a user at this client, and nothing that can be read.
    fn owner(&self, subject: &str) -> String {
        let config = &self.0.config;
        let (server, client) = (config.server_name(), &config.client_id);
        sha256(&joined(&[server, "\n", client, "\n", subject]))
    }

    /// Ends a family for all its tabs; with a `sub`, every family of that user.
    pub(super) fn end_family(&self, family: &FamilyId, subject: Option<&str>) {
        let owner = subject.map(|subject| self.owner(subject));
        let receipt = self.0.platform.end(family, owner.as_deref(), None);
        self.0.receipt.replace(Some(Pending {
            family: family.clone(),
            generation: 0,
            receipt,
        }));
    }

    /// Waits until an end is written where it outlives the page.
    pub(super) async fn settle_end(&self) {
        let pending = self.0.receipt.take();
        if let Some(pending) = pending {
            pending.receipt.await;
        }
    }

    /// Waits for the receipt of what was published, and draws the consequence. A sign-in is newer than what was there
    /// before: it goes on in a family of its own where that one has ended, and above what surpassed it.
    pub(super) async fn settle(&self, mut published: Option<Pending>, anew: bool) {
        while let Some(pending) = published {
            let receipt = pending.receipt.await;
            let held = self.held().filter(|held| {
                held.family.id == pending.family && held.generation == pending.generation
            });
            // Whoever went on meanwhile has a receipt of his own.
            let Some(held) = held else { return };
            // A family that a sign-in has founded can only have ended after it.
            let stayed = anew && held.generation > 1;
            let (family, generation) = match receipt {
                Receipt::Kept => return,
                Receipt::Absent => return self.warn(Warning::NoMailbox),
                Receipt::Ended if stayed => match Family::random(&self.0.platform) {
                    Ok(new) => (new, 0),
                    // It was founded with randomness: there is some.
                    Err(_) => return,
                },
                Receipt::Ended => {
                    self.apply(Input::Family(Entry::Tombstone(pending.family)));
                    let access_token = held.tokens.last().map(|(_, token)| token.value.clone());
                    self.revoke_soon(held.refresh_token, access_token);
                    return;
                }
                Receipt::Surpassed(generation) if anew => (held.family, generation),
                Receipt::Surpassed(generation) => {
                    let posted = self.newest(&pending.family).await;
                    if let Some(record) = self.open(&held.family, &posted) {
                        return self.apply(Input::Surpassed(record));
                    }
                    (held.family, generation)
                }
            };
            self.apply(Input::Placed(Box::new(family), generation + 1));
            published = self.0.receipt.take();
        }
    }

    /// The same for a sign-in, nobody waiting.
    pub(super) fn settle_soon(&self) {
        let (auth, published) = (self.clone(), self.0.receipt.take());
        let generation = self.generation();
        self.0.arriving.set(self.0.arriving.get() + 1);
        self.0.platform.spawn(Box::pin(async move {
            // Without it nothing is published; the next look does.
            if auth.load_secondary().await.is_ok() {
                auth.settle_loaded(published, generation).await;
            }
            auth.0.arriving.set(auth.0.arriving.get() - 1);
            auth.tell();
        }));
    }

    pub(super) fn generation(&self) -> Option<u64> {
        let session = self.0.session.borrow();
        session.record().map(|record| record.generation)
    }

    /// Hands on what came for a session that was left meanwhile: it may live on in other tabs. Where it does not, nobody
    /// may use it.
    pub(super) fn hand_on(
        &self,
        left: Option<Box<Record>>,
        ticket: Ticket,
        tokens: Box<TokenResponse>,
    ) {
        let (now, family) = (self.now(), ticket.family().clone());
        let (generation, access_token) = (ticket.generation() + 1, tokens.access_token.clone());
        let refresh_token = tokens.refresh_token.clone();
        let mut theirs = Session::new(RefreshMode::OnDemand, 0);
        theirs.handle(Input::Restored(left), now);
        theirs.handle(Input::Refreshed(ticket, tokens), now);
        let letter = theirs.record().and_then(|record| self.letter(record));
        let receipt = letter.map(|letter| self.0.platform.post(&letter));
        let auth = self.clone();
        self.0.platform.spawn(Box::pin(async move {
            if let Some(receipt) = receipt
                && receipt.await == Receipt::Kept
            {
                auth.0.platform.ring(&family, generation);
            } else {
                auth.revoke_soon(refresh_token, Some(access_token));
            }
        }));
    }

    // ── From the others ──────────────────────────────────────────────────────

    /// Takes in what other tabs left, in the mailbox and in a shared storage, and publishes what is ahead of it.
    pub(super) async fn look(&self) {
        self.look_into_storage().await;
        let Some(family) = self.family() else { return };
        let was_removed = self.is_removed();
        let posted = self.newest(&family.id).await;
        let mut behind = false;
        match &posted {
            Posted::Nothing => behind = true,
            // A sign-in that is on its way into a family that has ended founds another one.
            Posted::Ended if self.0.arriving.get() > 0 => {}
            Posted::Ended => self.apply(Input::Family(Entry::Tombstone(family.id.clone()))),
            Posted::Letter { generation, .. } => {
                if let Some(record) = self.open(&family, &posted) {
                    self.apply(Input::Family(Entry::Session(record)));
                }
                let session = self.0.session.borrow();
                behind = session
                    .record()
                    .is_some_and(|held| held.generation > *generation);
            }
        }
        if matches!(posted, Posted::Ended) || self.family().is_none_or(|it| it.id != family.id) {
            return;
        }
        // Whoever logs out removes the record and ends the family in one turn. It lives: a tab whose storage was behind
        // took this record for one that it had to remove.
        if was_removed && self.is_removed() {
            let held = self.held().map(|held| held.encode());
            self.persist(&held.unwrap_or_default(), true);
        }
        if behind {
            // Nobody waits for this receipt: what surpasses it rings.
            drop(self.publish_record());
        }
    }

    /// Whether a shared storage, which can be read, has no record.
    fn is_removed(&self) -> bool {
        let storage = self.0.platform.session_storage();
        storage.is_shared() && storage.load(&self.0.config.session_key()) == Ok(None)
    }

    /// The same, nobody waiting.
    pub(super) fn look_soon(&self) {
        let auth = self.clone();
        let late = !self.0.platform.has_secondary();
        self.0.platform.spawn(Box::pin(async move {
            // What is there is found by the next look.
            if auth.load_secondary().await.is_ok() {
                auth.look_loaded(late).await;
                auth.tell();
            }
        }));
    }

    /// Another tab rang. A ring is a hint: it costs a look.
    pub(super) fn hear_ring(&self, family: &str, generation: u64) {
        let is_news = family.is_empty() || {
            let session = self.0.session.borrow();
            session.record().is_some_and(|held| {
                held.family.id.as_str() == family && held.generation != generation
            })
        };
        if is_news {
            self.look_soon();
        }
    }

    /// Out of the back/forward cache: what another page of this tab has signed in to meanwhile is the session, at once.
    pub(super) fn follow_this_tab(&self) {
        if !self.0.platform.session_storage().is_shared()
            && let Some(stored) = self.stored_session()
        {
            self.apply(Input::Appeared(stored));
        }
    }

    /// In a shared storage the stored family rules, unless it has ended. In the tab's own a later page may have left one,
    /// while this one slept.
    async fn look_into_storage(&self) {
        let is_shared = self.0.platform.session_storage().is_shared();
        if !is_shared && self.family().is_some() {
            return;
        }
        let Some(mut stored) = self.stored_session() else {
            return;
        };
        let family = stored.family.clone();
        if self.family().is_some_and(|held| held.id == family.id) {
            return self.apply(Input::Family(Entry::Session(stored)));
        }
        let posted = self.newest(&family.id).await;
        // Somebody may have signed in meanwhile: what was read is the past then.
        let Some(again) = self.stored_session().filter(|it| it.family.id == family.id) else {
            return;
        };
        stored = again;
        if matches!(posted, Posted::Ended) {
            let held = self.held().map(|held| held.encode());
            if let Some(held) = held {
                self.persist(&held, true);
            }
            return;
        }
        if let Some(newer) = self
            .open(&family, &posted)
            .filter(|newer| newer.generation > stored.generation)
        {
            stored = newer;
        }
        self.apply(Input::Appeared(stored));
    }

    async fn newest(&self, family: &FamilyId) -> Posted {
        self.0
            .platform
            .newest(family)
            .await
            .unwrap_or_else(|NoMailbox(posted)| {
                self.warn(Warning::NoMailbox);
                posted
            })
    }

    /// Reads a letter; `None` for what cannot be opened by the family's key, or is not what it says.
    pub(super) fn open(&self, family: &Family, posted: &Posted) -> Option<Box<Record>> {
        let Posted::Letter {
            generation,
            sealed,
            unanswered,
        } = posted
        else {
            return None;
        };
        let text = family.open(*generation, sealed);
        let stored = text.map(|text| Record::decode(text.expose(), self.now()));
        if let Some(Stored::Record(mut record)) = stored
            && record.family.id == family.id
            && record.generation == *generation
        {
            record.unanswered |= unanswered;
            return Some(record);
        }
        self.0
            .platform
            .log(Level::Warn, "a letter in the mailbox cannot be read", None);
        None
    }

    pub(super) fn family(&self) -> Option<Family> {
        let session = self.0.session.borrow();
        session.record().map(|record| record.family.clone())
    }

    /// Waits until what a ticket was drawn for has been passed by: by another tab's refresh whose token serves, or by the
    /// end of the session.
    pub(super) async fn passed_by(&self, past: &Ticket) {
        poll_fn(|context| {
            if self.is_passed_by(past) {
                return Poll::Ready(());
            }
            let waker = context.waker().clone();
            self.0.watchers.borrow_mut().push(waker);
            Poll::Pending
        })
        .await;
    }

    /// Not "did somebody refresh?" but "is what is held now what was wanted?".
    pub(super) fn is_passed_by(&self, past: &Ticket) -> bool {
        let held = self.ticket(past.key());
        held.is_none()
            || held.as_ref() != Some(past)
                && matches!(self.held_token(past.key(), None), Ok(Some(_)))
    }
}
