//! What a browser does to its tabs.

use super::world::World;

/// How tabs of a [`World`] hear of each other. At first as well as can be: at once, once, and always. All times are
/// milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Conditions {
    /// What a tab writes to a shared storage, others read so much later. `i64::MAX`: when [`World::settle_storages`] says.
    pub storage_lag: i64,
    /// Whether tabs are told of such a write, once they can read it: one that changes something.
    pub storage_events: bool,
    /// A ring is heard so much later, also when a lock was passed on meanwhile.
    pub ring_delay: i64,
    /// How often a ring is heard again, each time as much later.
    pub ring_repeats: u32,
    /// Of so many rings, one is not heard: at random, by the seed. Every one with 1, none with 0.
    pub rings_lost: u32,
    /// What is handed to the mailbox, or asked of it, is done so much later, in order; and its result is there as much
    /// later again.
    pub mailbox_delay: i64,
    /// Of so many writes to any storage, one is lost, though it seems to be done: at random, by the seed. Every one with
    /// 1, none with 0.
    pub writes_lost: u32,
}

impl World {
    /// From now on it is like this.
    pub fn set_conditions(&self, conditions: Conditions) {
        self.0.conditions.set(conditions);
    }

    /// What it is like.
    #[must_use]
    pub fn conditions(&self) -> Conditions {
        self.0.conditions.get()
    }

    /// What is lost by [`Conditions`] is drawn from here on.
    pub fn set_seed(&self, seed: u64) {
        self.0.drawn.set(seed);
    }

    /// All that was written to shared storages so far can be read everywhere.
    pub fn settle_storages(&self) {
        self.0.settled.set(self.next_id());
    }

    /// Whether this is the one in so many.
    pub(super) fn one_in(&self, many: u32) -> bool {
        let drawn = splitmix(&self.0.drawn);
        many > 0 && drawn.is_multiple_of(u64::from(many))
    }
}

/// The next number of a splitmix64 sequence.
pub(super) fn splitmix(drawn: &core::cell::Cell<u64>) -> u64 {
    drawn.set(drawn.get().wrapping_add(0x9E37_79B9_7F4A_7C15));
    let mixed = drawn.get();
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
