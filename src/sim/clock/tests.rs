use super::*;
use truechimer_time::leap::LeapIndicator;

const START_UNIX_S: i64 = 1_700_006_400 - 10; // ten seconds before a midnight

fn clock(config: ClockConfig) -> (Clock, Truth) {
    let truth = Truth::new(START_UNIX_S);
    let clock = Clock::new(config, &truth, Random::new(1, 1), false);
    (clock, truth)
}

fn error_s(clock: &mut Clock, truth: &Truth, at_s: f64) -> f64 {
    let true_ns = NtpDuration::from_seconds(at_s)
        .to_nanoseconds()
        .unsigned_abs();
    let now = clock.now(true_ns, truth);
    now.wall.since(truth.wall(true_ns)).to_seconds()
}

fn status(leap: LeapIndicator) -> Adjustment {
    Adjustment::Status {
        synchronized: true,
        leap,
        max_error: NtpDuration::ZERO,
        estimated_error: NtpDuration::ZERO,
        tai_utc_s: Some(37),
    }
}

#[test]
fn drifts_and_is_steered() {
    let (mut clock, truth) = clock(ClockConfig::wrong_by(0.25, 100.0));
    assert!((error_s(&mut clock, &truth, 1000.5) - 0.35005).abs() < 1e-9);
    clock.apply(Adjustment::Step(NtpDuration::from_seconds(-0.35005)));
    clock.apply(Adjustment::Frequency { freq_ppm: -100.0 });
    assert!(error_s(&mut clock, &truth, 2000.0).abs() < 2e-5);
    assert!(
        clock.frequency_error_ppm().abs() < 0.011,
        "the product of both is left"
    );
}

#[test]
fn kernel_loop_takes_out_phase_with_its_time_constant() {
    let (mut clock, truth) = clock(ClockConfig::wrong_by(-0.1, 0.0));
    clock.now(0, &truth);
    clock.apply(Adjustment::KernelPhase {
        offset: NtpDuration::from_seconds(0.1),
        time_constant: 4,
    });
    // 1 - (1 - 2^-6)^64 of it after 64 s; the first chunk begins with the next second.
    let left = error_s(&mut clock, &truth, 65.0);
    assert!(
        (left + 0.1 * (1.0 - 1.0 / 64.0_f64).powi(64)).abs() < 1e-4,
        "{left}"
    );
    let applied = clock.apply(Adjustment::KernelPhase {
        offset: NtpDuration::from_seconds(-left),
        time_constant: 4,
    });
    // offset * interval / 2^(2 (2 + 2 + 4)), the interval 65 s.
    let expected_ppm = -left * 65.0 / 65_536.0 * 1e6;
    let freq_ppm = applied.outcome.expect("applied").freq_ppm;
    assert!(
        (freq_ppm - expected_ppm).abs() < 1e-3,
        "{freq_ppm} {expected_ppm}"
    );
}

#[test]
fn timers_hit_their_moment() {
    let (mut clock, truth) = clock(ClockConfig::wrong_by(0.0, 200.0));
    let now = clock.now(0, &truth);
    let due = now.mono.plus_seconds(64.7);
    let mut then = now;
    while then.mono < due {
        then = clock.now(clock.true_ns_of(due), &truth);
    }
    assert!(then.mono.since(due).as_nanos() < 10);
}

#[test]
fn leap_seconds_as_the_kernel_makes_them() {
    for (leap, change_s) in [
        (LeapIndicator::AddSecond, 1),
        (LeapIndicator::DeleteSecond, -1),
    ] {
        let (mut clock, mut truth) = clock(ClockConfig::wrong_by(0.0, 0.0));
        truth.add_leap(START_UNIX_S + 10, change_s);
        clock.now(0, &truth);
        clock.apply(status(leap));
        for tenth in 0..200 {
            let error = error_s(&mut clock, &truth, f64::from(tenth) / 10.0 + 0.05);
            assert!(error.abs() < 1e-6, "{leap:?} at {tenth}: {error}");
        }
        let applied = clock.apply(Adjustment::Frequency { freq_ppm: 0.0 });
        assert_eq!(applied.outcome.expect("applied").tai_utc_s, 37 + change_s);
    }
}

#[test]
fn wander_is_a_random_walk() {
    let mut square = 0.0;
    for stream in 0..200 {
        let truth = Truth::new(START_UNIX_S);
        let config = ClockConfig::wrong_by(0.0, 0.0).wandering(0.01);
        let mut clock = Clock::new(config, &truth, Random::new(7, stream), false);
        clock.now(1_600 * SECOND_NS, &truth);
        square += clock.frequency_error_ppm().powi(2);
    }
    // 0.01 ppm times the root of 1600 s.
    let deviation_ppm = (square / 200.0).sqrt();
    assert!((deviation_ppm - 0.4).abs() < 0.06, "{deviation_ppm}");
}
