use super::*;
use rand_chacha::rand_core::SeedableRng;

const PLAIN: Habits = Habits {
    minpoll: 6,
    maxpoll: 10,
    iburst: false,
    burst: false,
    once: false,
};

fn at(second: f64) -> Instant {
    Instant::default().plus_seconds(second)
}

struct Bench {
    poll: PollProcess,
    rng: ChaCha20Rng,
    now: Instant,
}

impl Bench {
    fn new(habits: Habits) -> Self {
        Self {
            poll: PollProcess::new(habits, at(0.0), at(0.0)),
            rng: ChaCha20Rng::from_seed([7; 32]),
            now: at(0.0),
        }
    }

    /// One request; returns seconds waited before it.
    fn ask(&mut self, system_poll: i8) -> (f64, Turn) {
        let next = self.poll.next().expect("not stopped");
        let waited_s = next.seconds_since(self.now);
        self.now = next;
        let turn = self.poll.turn(next, system_poll, true);
        self.poll.sent(next);
        let wanted = self.poll.host_poll();
        self.poll.reschedule(next, wanted, &mut self.rng);
        (waited_s, turn)
    }

    fn answer(&mut self) {
        self.now = self.now.plus_seconds(0.05);
        self.poll.answered(self.now);
        let wanted = self.poll.host_poll();
        self.poll.reschedule(self.now, wanted, &mut self.rng);
        self.poll.reached();
    }
}

#[test]
fn iburst_is_eight_requests_two_seconds_apart() {
    let mut bench = Bench::new(Habits {
        iburst: true,
        ..PLAIN
    });
    bench.ask(6);
    bench.answer();
    for request in 2..=8 {
        let (waited_s, turn) = bench.ask(6);
        assert!((1.9..2.1).contains(&waited_s), "{request}: {waited_s}");
        assert!(!turn.fresh);
        bench.answer();
    }
    let (waited_s, turn) = bench.ask(6);
    assert!(waited_s > 16.0, "{waited_s}");
    assert!(turn.fresh);
}

#[test]
fn a_burst_may_be_hastened_as_far_as_the_headway_lets_it() {
    let mut bench = Bench::new(Habits {
        iburst: true,
        minpoll: 3,
        ..PLAIN
    });
    bench.ask(3);
    // As long as a dance would have it.
    for request in 2..=15 {
        bench.answer();
        bench.poll.answered_step(bench.now, true);
        bench.poll.hasten(bench.now);
        let in_debt = bench.poll.headway_s(bench.now) > 56.0;
        let (waited_s, _) = bench.ask(3);
        assert_eq!(in_debt, request > 13, "{request}");
        if !in_debt {
            assert!((waited_s - 1.5).abs() < 1e-6, "{request}: {waited_s}");
        }
    }
    let mut slow = Bench::new(PLAIN);
    slow.ask(6);
    slow.answer();
    slow.poll.hasten(slow.now);
    let (waited_s, _) = slow.ask(6);
    assert!(waited_s > 60.0, "no burst: {waited_s}");
}

#[test]
fn a_request_that_does_not_wait_for_the_poll_is_counted_all_the_same() {
    let mut bench = Bench::new(PLAIN);
    bench.ask(10);
    let mut waits = Vec::new();
    for _ in 0..12 {
        bench.poll.advance(bench.now);
        waits.push(bench.ask(10).0);
    }
    let (first, last) = waits.split_at(4);
    assert!(first.iter().all(|it| *it <= 2.1), "{waits:?}");
    assert!(last.iter().any(|it| *it > 50.0), "{waits:?}");
    bench.poll.stop();
    bench.poll.advance(bench.now);
    assert_eq!(bench.poll.next(), None);
}

#[test]
fn no_burst_without_an_answer() {
    let mut bench = Bench::new(Habits {
        iburst: true,
        ..PLAIN
    });
    bench.ask(6);
    let (waited_s, _) = bench.ask(6);
    assert!(waited_s >= 64.0, "{waited_s}");
}

#[test]
fn interval_follows_the_system_and_is_spread() {
    let mut bench = Bench::new(PLAIN);
    let mut seen = Vec::new();
    for _ in 0..20 {
        bench.ask(8);
        bench.answer();
        let (waited_s, _) = bench.ask(8);
        bench.answer();
        seen.push(waited_s);
    }
    assert!(
        seen[1..]
            .iter()
            .all(|waited_s| (255.9..272.1).contains(waited_s)),
        "{seen:?}"
    );
    let least = seen[1..].iter().copied().fold(f64::MAX, f64::min);
    let most = seen[1..].iter().copied().fold(0.0, f64::max);
    assert!(most - least > 4.0, "all alike: {seen:?}");
}

#[test]
fn clamps_to_minpoll_and_maxpoll() {
    let mut bench = Bench::new(PLAIN);
    bench.ask(3);
    bench.answer();
    bench.ask(3);
    assert_eq!(bench.poll.host_poll(), 6);
    bench.answer();
    bench.ask(17);
    assert_eq!(bench.poll.host_poll(), 10);
}

#[test]
fn backs_off_when_nobody_answers() {
    let mut bench = Bench::new(PLAIN);
    bench.ask(6);
    bench.answer();
    let mut lost = Vec::new();
    let mut rose = None;
    for poll in 1..=20 {
        let (_, turn) = bench.ask(6);
        if turn.lost {
            lost.push(poll);
        }
        if bench.poll.host_poll() > 6 {
            rose = rose.or(Some(poll));
        }
    }
    assert_eq!(lost, [8], "unreachable once, after eight polls");
    assert_eq!(rose, Some(17), "ten polls after reach was lost");
    assert_eq!(bench.poll.host_poll(), 10);
    assert_eq!(bench.poll.unanswered(), 20);
}

#[test]
fn rate_kiss_is_remembered_and_bounded() {
    let mut bench = Bench::new(Habits {
        iburst: true,
        ..PLAIN
    });
    bench.ask(6);
    assert_eq!(bench.poll.slow_down(bench.now, 0), 7);
    let wanted = bench.poll.host_poll();
    bench.poll.reschedule(bench.now, wanted, &mut bench.rng);
    let (waited_s, _) = bench.ask(6);
    assert!(waited_s >= 256.0, "two of the new intervals: {waited_s}");
    assert_eq!(bench.poll.host_poll(), 7, "the system cannot undo it");
    assert!(!bench.poll.habits().iburst);
    assert_eq!(bench.poll.slow_down(bench.now, 17), 10, "bounded");
    assert_eq!(bench.poll.slow_down(bench.now, 17), 10, "and stays so");
    let mut slow = Bench::new(Habits {
        maxpoll: 12,
        ..PLAIN
    });
    assert_eq!(
        slow.poll.slow_down(at(0.0), 17),
        10,
        "not the operator's 12"
    );
    assert_eq!(slow.poll.slow_down(at(0.0), -128), 10);
    let mut slowest = Bench::new(Habits {
        minpoll: 12,
        maxpoll: 12,
        ..PLAIN
    });
    assert_eq!(slowest.poll.slow_down(at(0.0), 17), 12, "never faster");
}

#[test]
fn rate_kiss_wears_off() {
    let habits = Habits {
        iburst: true,
        ..PLAIN
    };
    let mut bench = Bench::new(habits);
    bench.ask(6);
    assert_eq!(bench.poll.slow_down(bench.now, 8), 8);
    for (answers, expected) in [(15, 8), (1, 7), (15, 7), (1, 6), (40, 6)] {
        for _ in 0..answers {
            bench.ask(3);
            bench.answer();
        }
        assert_eq!(bench.poll.habits().minpoll, expected);
        assert_eq!(bench.poll.habits().iburst, expected == 6);
    }
    let now = bench.now;
    assert_eq!(bench.poll.slow_down(now, 0), 7);
    bench.poll.restart(now, &mut bench.rng);
    assert_eq!(bench.poll.habits().minpoll, 7, "a step is no excuse");
    bench.poll.forget_rate();
    assert_eq!(bench.poll.habits().minpoll, 6, "another server");
    assert!(bench.poll.habits().iburst);
}

#[test]
fn stopped_stays_stopped() {
    let mut bench = Bench::new(PLAIN);
    bench.poll.stop();
    bench.poll.answered(bench.now);
    bench.poll.reschedule(bench.now, 6, &mut bench.rng);
    bench.poll.restart(bench.now, &mut bench.rng);
    assert_eq!(bench.poll.next(), None);
}

#[test]
fn one_second_polls_are_possible() {
    let mut bench = Bench::new(Habits {
        minpoll: 0,
        maxpoll: 0,
        ..PLAIN
    });
    for _ in 0..5 {
        bench.ask(6);
        bench.answer();
    }
    let (waited_s, _) = bench.ask(6);
    assert!((0.9..1.1).contains(&waited_s), "{waited_s}");
}

/// It may need our word to become a source itself, which it is not to wait for.
#[test]
fn a_peer_that_is_heard_is_met_at_its_pace_and_one_that_went_is_not() {
    let habits = Habits {
        minpoll: 3,
        ..PLAIN
    };
    let mut bench = Bench::new(habits);
    for _ in 0..20 {
        bench.ask(10);
    }
    let (waited_s, _) = bench.ask(10);
    assert!(waited_s > 500.0, "{waited_s}");
    bench.poll.heed(3);
    let mut paces = Vec::new();
    for _ in 0..10 {
        bench.ask(10);
        paces.push(
            bench
                .poll
                .next()
                .expect("not stopped")
                .seconds_since(bench.now)
                < 9.0,
        );
    }
    let expected = [[true; 7].as_slice(), &[false; 3]].concat();
    assert_eq!(paces, expected, "unreached all the while");
}
