//! Instants and durations. Always a parameter; nothing here reads a clock.

/// An instant by the wall clock, in milliseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From epoch milliseconds, as in JavaScript's `Date`.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Epoch milliseconds.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Epoch seconds, rounded down: a NumericDate (RFC 7519 §2).
    #[must_use]
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Later by so many milliseconds; never overflows.
    #[must_use]
    pub const fn plus(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Milliseconds since `earlier`; negative where it lies ahead.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// What two clocks say: the wall clock, which jumps, and the monotonic one, which stops in sleep on some systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Now {
    /// The wall clock.
    pub wall: Timestamp,
    /// The monotonic clock, in milliseconds since some point of its own.
    pub monotonic: i64,
}

impl Now {
    /// Both readings, taken together.
    #[must_use]
    pub const fn new(wall: Timestamp, monotonic: i64) -> Self {
        Self { wall, monotonic }
    }

    /// Milliseconds since `earlier`: the larger difference, since each clock can only fail by showing too little
    /// (the wall clock put back, the monotonic one asleep) or, harmlessly, by a jump ahead.
    #[must_use]
    pub fn since(self, earlier: Self) -> i64 {
        self.wall
            .since(earlier.wall)
            .max(self.monotonic.saturating_sub(earlier.monotonic))
            .max(0)
    }

    /// The readings that these clocks would have given so many milliseconds ago.
    #[must_use]
    pub const fn before(self, millis: i64) -> Self {
        Self {
            wall: self.wall.plus(-millis),
            monotonic: self.monotonic.saturating_sub(millis),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const START: Now = Now::new(Timestamp::from_millis(1_000_000), 500);

    #[test]
    fn elapsed_time_survives_a_clock_put_back_and_a_sleep() {
        let put_back = Now::new(Timestamp::from_millis(0), 10_500);
        let slept = Now::new(Timestamp::from_millis(4_600_000), 501);
        assert_eq!(put_back.since(START), 10_000);
        assert_eq!(slept.since(START), 3_600_000);
        assert_eq!(START.since(slept), 0);
    }
}
