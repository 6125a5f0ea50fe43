//! When to refresh, and when to try again: functions of numbers. All in milliseconds.

/// A lifetime that no server stated: long enough to be useful, short enough that a refresh token is used now and then.
pub const ASSUMED_LIFETIME: i64 = 3_600_000;

/// At least this long lies between two refreshes that nobody asked for.
pub const MIN_INTERVAL: i64 = 5_000;

/// How long before its expiry a token is refreshed ahead of time: a quarter of its life, a minute at most, and up to a
/// quarter of that more, so that many browsers do not ask at the same moment. `jitter` is uniform over all `u32`.
#[must_use]
pub fn refresh_margin(lifetime: i64, jitter: u32) -> i64 {
    let margin = (lifetime / 4).clamp(0, 60_000);
    margin + spread(margin / 4, jitter)
}

/// How long before its expiry a token is no longer handed out: it has to arrive, too.
#[must_use]
pub fn leeway(lifetime: i64) -> i64 {
    (lifetime / 10).clamp(0, 10_000)
}

/// How long to wait after so many failures in a row: 1, 2, 4 … 60 seconds, and up to a quarter more; the server's own
/// `Retry-After` (in seconds) where it is longer, an hour at most.
#[must_use]
pub fn backoff(failures: u32, retry_after: Option<u32>, jitter: u32) -> i64 {
    let base = 1000_i64
        .checked_shl(failures.saturating_sub(1).min(6))
        .unwrap_or(60_000)
        .min(60_000);
    let asked = i64::from(retry_after.unwrap_or(0).min(3600)) * 1000;
    base.max(asked) + spread(base / 4, jitter)
}

fn spread(width: i64, jitter: u32) -> i64 {
    width * i64::from(jitter) / i64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn margins_fit_the_lifetime() {
        assert_eq!(refresh_margin(3_600_000, 0), 60_000);
        assert_eq!(refresh_margin(3_600_000, u32::MAX), 75_000);
        assert_eq!(refresh_margin(20_000, 0), 5_000);
        assert_eq!(refresh_margin(0, u32::MAX), 0);
        assert_eq!(leeway(3_600_000), 10_000);
        assert_eq!(leeway(10_000), 1_000);
    }

    #[test]
    fn backoff_grows_and_listens_to_the_server() {
        assert_eq!(
            [1, 2, 3, 7, 99].map(|failures| backoff(failures, None, 0)),
            [1000, 2000, 4000, 60_000, 60_000]
        );
        assert_eq!(backoff(1, Some(30), 0), 30_000);
        assert_eq!(backoff(1, Some(u32::MAX), 0), 3_600_000);
        assert_eq!(backoff(1, None, u32::MAX), 1250);
    }
}
