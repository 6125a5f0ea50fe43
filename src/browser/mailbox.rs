use super::Browser;
use super::port::Call;
use crate::client::ports::{Doorbell, Later, Mailbox, NoMailbox, OnRing, Posted, Receipt};
use crate::protocol::text::{cut, number};
use crate::session::family::{FamilyId, Letter};
use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/browser/tabs.js")]
extern "C" {
    pub(super) type Tabs;

    #[wasm_bindgen(method)]
    fn newest(this: &Tabs, ticket: u32, family: &str);

    #[wasm_bindgen(method)]
    fn post(this: &Tabs, ticket: u32, family: &str, generation: f64, owner: &str, sealed: &str);

    #[wasm_bindgen(method)]
    fn mark(this: &Tabs, family: &str, generation: f64, unanswered: bool);

    #[wasm_bindgen(method, js_name = endFamily)]
    fn end_family(
        this: &Tabs,
        ticket: u32,
        family: &str,
        owner: Option<&str>,
        unless_above: Option<f64>,
    );

    #[wasm_bindgen(method)]
    fn ring(this: &Tabs, family: &str, generation: f64);
}

/// Codes of an answer: there is no mailbox; a refresh of what was found has no answer.
const ABSENT: u32 = 1;
const UNANSWERED: u32 = 2;

impl Mailbox for Browser {
    fn newest(&self, family: &FamilyId) -> Later<Result<Posted, NoMailbox>> {
        let call = self.line.call();
        self.line.tabs.newest(call.ticket, family.as_str());
        Box::pin(async move { found(call.await) })
    }

    fn post(&self, letter: &Letter) -> Later<Receipt> {
        let call = self.line.call();
        self.line.tabs.post(
            call.ticket,
            letter.family.as_str(),
            float(letter.generation),
            &letter.owner,
            &letter.sealed,
        );
        later_receipt(call)
    }

    fn mark(&self, family: &FamilyId, generation: u64, unanswered: bool) {
        self.line
            .tabs
            .mark(family.as_str(), float(generation), unanswered);
    }

    fn end(
        &self,
        family: &FamilyId,
        owner: Option<&str>,
        unless_above: Option<u64>,
    ) -> Later<Receipt> {
        let (call, unless_above) = (self.line.call(), unless_above.map(float));
        self.line
            .tabs
            .end_family(call.ticket, family.as_str(), owner, unless_above);
        later_receipt(call)
    }
}

impl Doorbell for Browser {
    fn ring(&self, family: &FamilyId, generation: u64) {
        self.line.tabs.ring(family.as_str(), float(generation));
    }

    fn on_ring(&self, hear: OnRing) {
        self.line.on_ring(hear);
    }
}

fn found((code, text): (u32, String)) -> Result<Posted, NoMailbox> {
    let posted = match dated(&text) {
        None => Posted::Nothing,
        Some((u64::MAX, _)) => Posted::Ended,
        Some((generation, sealed)) => Posted::Letter {
            generation,
            sealed: sealed.to_owned(),
            unanswered: code == UNANSWERED,
        },
    };
    if code == ABSENT {
        Err(NoMailbox(posted))
    } else {
        Ok(posted)
    }
}

fn later_receipt(call: Call) -> Later<Receipt> {
    Box::pin(async move { receipt(call.await) })
}

fn receipt((code, text): (u32, String)) -> Receipt {
    match generation(&text) {
        _ if code == ABSENT => Receipt::Absent,
        None => Receipt::Kept,
        Some(u64::MAX) => Receipt::Ended,
        Some(later) => Receipt::Surpassed(later),
    }
}

/// A generation, and what stands in the line below it.
pub(super) fn dated(text: &str) -> Option<(u64, &str)> {
    let (digits, rest) = cut(text, b'\n')?;
    Some((generation(digits)?, rest))
}

/// As JavaScript writes it; the end of a family is `Infinity`.
fn generation(digits: &str) -> Option<u64> {
    if digits == "Infinity" {
        return Some(u64::MAX);
    }
    u64::try_from(number(digits)?).ok()
}

#[allow(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "nobody refreshes 2^53 times"
)]
const fn float(generation: u64) -> f64 {
    if generation == u64::MAX {
        f64::INFINITY
    } else {
        generation as f64
    }
}
