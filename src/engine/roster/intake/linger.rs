//! When it pays to wait a little longer than for the first datagram: a wake-up costs several times
//! what an answer does, and the kernel has stamped a datagram when it came, so its receive timestamp
//! is the same whenever it is read.
use core::time::Duration;
use truechimer_time::Instant;

/// Datagrams that should come meanwhile, at least.
const WORTH_IT: f64 = 2.0;
/// After a wait that brought so many the thread is busy as it is, and more are there already.
const BUSY: usize = 32;
/// What the newest pace counts for.
const WEIGHT: f64 = 0.125;

/// Decides for one thread.
#[derive(Clone, Copy, Debug)]
pub(in crate::roster) struct Patience {
    span: Duration,
    asked: Option<Instant>,
    /// Datagrams a second.
    pace: f64,
}

impl Patience {
    /// Lingers so long, or never.
    pub(in crate::roster) const fn new(span: Duration) -> Self {
        Self {
            span,
            asked: None,
            pace: 0.0,
        }
    }

    /// Asked before each wait, with what came in since the last one was asked about.
    #[expect(clippy::cast_precision_loss, reason = "datagrams of one wait")]
    pub(super) fn lingers(&mut self, now: Instant, taken: usize) -> Option<Duration> {
        if self.span.is_zero() {
            return None;
        }
        let before = self.asked.replace(now)?;
        let elapsed_s = now.since(before).as_secs_f64().max(1e-6);
        self.pace += WEIGHT * (taken as f64 / elapsed_s - self.pace);
        let expected = self.pace * self.span.as_secs_f64();
        (expected >= WORTH_IT && taken < BUSY).then_some(self.span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use truechimer_sys::clock;

    /// Whether it lingers after a hundred waits that each brought so many.
    fn after(span_us: u64, wait_us: u64, taken: usize) -> bool {
        let mut patience = Patience::new(Duration::from_micros(span_us));
        let mut now = clock::monotonic();
        for _ in 0..100 {
            patience.lingers(now, taken);
            now = now.plus(Duration::from_micros(wait_us));
        }
        patience.lingers(now, taken).is_some()
    }

    #[test]
    fn only_above_a_rate_and_not_when_busy() {
        // 1,000 and 19,000 a second, and 21,000 and 50,000.
        assert!(!after(100, 1000, 1));
        assert!(!after(100, 53, 1));
        assert!(after(100, 47, 1));
        assert!(after(100, 100, 5));
        assert!(!after(100, 100, BUSY));
        assert!(!after(0, 10, 5));
    }

    #[test]
    fn soon_after_the_load_has_gone_it_answers_at_once_again() {
        let mut patience = Patience::new(Duration::from_micros(100));
        let mut now = clock::monotonic();
        for _ in 0..1000 {
            patience.lingers(now, 5);
            now = now.plus(Duration::from_micros(100));
        }
        let mut lingered = 0;
        for _ in 0..100 {
            now = now.plus(Duration::from_millis(10));
            lingered += usize::from(patience.lingers(now, 1).is_some());
        }
        assert!(lingered < 10, "{lingered}");
    }
}
