//! Waiting with a deadline.

use std::thread;
use std::time::{Duration, Instant};

/// How often a condition is looked at.
const PAUSE: Duration = Duration::from_millis(200);

/// Asks `probe` until it has an answer.
///
/// # Panics
/// When `limit` is over; the message names `what`.
pub fn until<T>(what: &str, limit: Duration, mut probe: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(
            start.elapsed() < limit,
            "waited {} s in vain for: {what}",
            limit.as_secs()
        );
        thread::sleep(PAUSE);
    }
}

/// Asks `probe` until it says yes.
///
/// # Panics
/// When `limit` is over; the message names `what`.
pub fn until_true(what: &str, limit: Duration, mut probe: impl FnMut() -> bool) {
    until(what, limit, || probe().then_some(()));
}

/// So many seconds.
#[must_use]
pub const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}
