//! When a broadcast client asks: a few requests at a random moment, so that a thousand clients that
//! hear the same first packet do not ask together, and again now and then.
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::RngCore;
use truechimer_time::Instant;

/// Requests of a volley. Five thousand clients that begin together within the default 256 s make
/// 117 of them a second.
pub(crate) const REQUESTS: u8 = 6;
/// Between two requests of a volley, seconds.
const SPACING_S: f64 = 2.0;
/// Between two volleys on average, seconds: at first soon, for one volley alone says too little of
/// a noisy path, each time later by half, and in the end once in an hour.
const FIRST_PAUSE_S: f64 = 600.0;
const LAST_PAUSE_S: f64 = 3600.0;

/// Where a volley stands.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    /// `novolley`, or the server does not want it.
    Never,
    Waits(Instant),
    /// So many requests are still to be sent; after the last its answer is waited for.
    Asks {
        left: u8,
        next: Instant,
    },
}

/// What a turn of a volley asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    /// Send a request.
    Request,
    /// All requests were sent and had time to be answered.
    End,
}

/// The volleys of one client.
#[derive(Debug)]
pub(crate) struct Volley {
    state: State,
    /// Within how many seconds a volley that is called for begins.
    wait_s: f64,
    pause_s: f64,
}

impl Volley {
    /// The first begins at a random moment within `wait_s`.
    pub(crate) fn new(now: Instant, wait_s: f64, rng: &mut ChaCha20Rng) -> Self {
        let mut this = Self {
            state: State::Never,
            wait_s: wait_s.clamp(0.0, LAST_PAUSE_S),
            pause_s: FIRST_PAUSE_S,
        };
        this.state = State::Waits(this.soon(now, rng));
        this
    }

    /// None at all.
    pub(crate) const fn never() -> Self {
        Self {
            state: State::Never,
            wait_s: 0.0,
            pause_s: LAST_PAUSE_S,
        }
    }

    /// Calls for a volley soon, as the path seems to be another one. True if there will be one.
    pub(crate) fn call(&mut self, now: Instant, rng: &mut ChaCha20Rng) -> bool {
        let soon = self.soon(now, rng);
        match self.state {
            State::Never => return false,
            State::Waits(at) => self.state = State::Waits(at.min(soon)),
            State::Asks { .. } => {}
        }
        self.pause_s = FIRST_PAUSE_S;
        true
    }

    /// One more request: the last one measured nothing.
    pub(crate) const fn prolong(&mut self) {
        if let State::Asks { left, next } = self.state {
            self.state = State::Asks {
                left: left.saturating_add(1),
                next,
            };
        }
    }

    /// Sends no more requests of the volley under way.
    pub(crate) const fn cut_short(&mut self) {
        if let State::Asks { next, .. } = self.state {
            self.state = State::Asks { left: 0, next };
        }
    }

    /// Asks no more: the server said so.
    pub(crate) const fn stop(&mut self) {
        self.state = State::Never;
    }

    /// Ends the volley under way without a result; the next comes at its time.
    pub(crate) fn put_off(&mut self, now: Instant, rng: &mut ChaCha20Rng) {
        if self.state != State::Never {
            self.state = State::Waits(now.plus_seconds(self.pause_s * (0.5 + fraction(rng))));
            self.pause_s = (self.pause_s * 1.5).min(LAST_PAUSE_S);
        }
    }

    pub(crate) const fn next(&self) -> Option<Instant> {
        match self.state {
            State::Never => None,
            State::Waits(at) | State::Asks { next: at, .. } => Some(at),
        }
    }

    /// Takes a turn.
    pub(crate) fn turn(&mut self, now: Instant, rng: &mut ChaCha20Rng) -> Due {
        if self.next().is_none_or(|next| next > now) {
            return Due::Nothing;
        }
        let left = match self.state {
            State::Asks { left, .. } => left,
            _ => REQUESTS,
        };
        let Some(left) = left.checked_sub(1) else {
            self.put_off(now, rng);
            return Due::End;
        };
        self.state = State::Asks {
            left,
            next: now.plus_seconds(SPACING_S),
        };
        Due::Request
    }

    fn soon(&self, now: Instant, rng: &mut ChaCha20Rng) -> Instant {
        now.plus_seconds(self.wait_s * fraction(rng))
    }
}

/// Uniform in 0..1.
fn fraction(rng: &mut ChaCha20Rng) -> f64 {
    f64::from(rng.next_u32()) / 4_294_967_296.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::rand_core::SeedableRng;

    #[test]
    fn six_requests_then_silence_for_ever_longer() {
        let mut rng = ChaCha20Rng::from_seed([3; 32]);
        let start = Instant::default().plus_seconds(1000.0);
        let mut volley = Volley::new(start, 256.0, &mut rng);
        let mut ends = Vec::new();
        let mut requests = 0;
        while ends.len() < 12 {
            let at = volley.next().expect("always another");
            match volley.turn(at, &mut rng) {
                Due::Nothing => panic!("it was due"),
                Due::Request => requests += 1,
                Due::End => ends.push(at.seconds_since(start)),
            }
        }
        assert_eq!(requests, 12 * u32::from(REQUESTS));
        assert!(ends[0] < 256.0 + 12.0);
        let last_s = ends[11] - ends[10];
        assert!((1800.0..5412.0).contains(&last_s), "{last_s}");
    }

    #[test]
    fn first_volleys_are_spread_evenly() {
        let mut rng = ChaCha20Rng::from_seed([4; 32]);
        let start = Instant::default();
        let mut early = 0;
        for _ in 0..4000 {
            let volley = Volley::new(start, 256.0, &mut rng);
            let at_s = volley.next().map_or(0.0, |at| at.seconds_since(start));
            assert!(at_s < 256.0);
            early += u32::from(at_s < 64.0);
        }
        assert!((900..1100).contains(&early), "{early}");
    }

    #[test]
    fn never_means_never() {
        let mut rng = ChaCha20Rng::from_seed([5; 32]);
        let mut volley = Volley::never();
        assert!(!volley.call(Instant::default(), &mut rng));
        assert_eq!(volley.next(), None);
        let mut refused = Volley::new(Instant::default(), 1.0, &mut rng);
        refused.stop();
        refused.put_off(Instant::default(), &mut rng);
        assert_eq!(refused.next(), None);
    }
}
