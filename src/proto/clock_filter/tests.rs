use super::*;

const SETTING: Setting = Setting {
    phi_s_per_s: 15e-6,
    allan_s: 2048.0,
    maxdist_s: 1.5,
    precision_s: 1e-6,
    poll_s: 64.0,
    settling: false,
};

fn at(second: f64) -> Instant {
    Instant::default().plus_seconds(1000.0 + second)
}

fn sample(offset_s: f64, delay_s: f64) -> Sample {
    Sample {
        offset_s,
        delay_s,
        dispersion_s: 0.001,
    }
}

fn filled(samples: &[(f64, f64)]) -> ClockFilter {
    let mut filter = ClockFilter::new(at(0.0), SETTING.precision_s);
    for (turn, &(offset_s, delay_s)) in (1_u8..).zip(samples) {
        filter.push(
            at(64.0 * f64::from(turn)),
            sample(offset_s, delay_s),
            &SETTING,
        );
    }
    filter
}

fn near(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-9, "{a} is not {b}");
}

#[test]
fn least_delay_wins() {
    let filter = filled(&[(0.010, 0.030), (0.002, 0.010), (0.020, 0.050)]);
    near(filter.offset_s(), 0.002);
    near(filter.delay_s(), 0.010);
    // RMS of 8 ms and 18 ms over two differences.
    near(
        filter.jitter_s(),
        ((0.008_f64.powi(2) + 0.018_f64.powi(2)) / 2.0).sqrt(),
    );
}

#[test]
fn dispersion_halves_with_every_sample() {
    let mut filter = ClockFilter::new(at(0.0), SETTING.precision_s);
    // 16 s * (1/2 + ... + 1/256), then half of it leaves with each sample.
    for (turn, expected_s) in (1_u8..).zip([7.938, 3.938, 1.939, 0.939]) {
        filter.push(at(2.0 * f64::from(turn)), sample(0.0, 0.01), &SETTING);
        assert!(
            (filter.dispersion_s() - expected_s).abs() < 2e-3,
            "{turn}: {}",
            filter.dispersion_s()
        );
    }
}

#[test]
fn a_sample_is_used_once() {
    let mut filter = filled(&[(0.002, 0.010)]);
    let used = filter.used();
    assert_eq!(
        filter.push(at(128.0), sample(0.0021, 0.020), &SETTING),
        Filtered::Old
    );
    assert_eq!(filter.used(), used);
    assert_eq!(
        filter.push(at(192.0), sample(0.0021, 0.005), &SETTING),
        Filtered::Fresh
    );
    assert_eq!(filter.used(), Some(at(192.0)));
}

#[test]
fn ages_at_phi() {
    let mut filter = filled(&[(0.0, 0.01)]);
    filter.push(at(64.0 + 1000.0), sample(0.0, 0.01), &SETTING);
    let stages = filter.stages(at(64.0 + 2000.0), SETTING.phi_s_per_s);
    near(stages[0].2, 0.001 + 0.015);
    near(stages[1].2, 0.001 + 0.030);
    near(stages[2].2, 16.0);
}

#[test]
fn past_the_allan_intercept_dispersion_counts() {
    // The old sample has the lesser delay, but 3000 s have added 45 ms to its dispersion.
    let mut filter = filled(&[(0.5, 0.010)]);
    filter.push(at(64.0 + 3000.0), sample(0.1, 0.012), &SETTING);
    near(filter.offset_s(), 0.1);
    let mut young = filled(&[(0.5, 0.010)]);
    young.push(at(64.0 + 2000.0), sample(0.1, 0.012), &SETTING);
    near(young.offset_s(), 0.5);
}

#[test]
fn newest_counts_while_settling() {
    let settling = Setting {
        settling: true,
        ..SETTING
    };
    let mut filter = filled(&[(0.002, 0.010)]);
    let outcome = filter.push(at(128.0), sample(0.004, 0.020), &settling);
    assert_eq!(outcome, Filtered::Fresh);
    near(filter.offset_s(), 0.004);
}

#[test]
fn silence_is_no_measurement() {
    for settling in [false, true] {
        let setting = Setting {
            settling,
            ..SETTING
        };
        // The best sample leaves first; the next best would be an old one.
        let mut filter = filled(&[(0.002, 0.010), (0.007, 0.020), (0.008, 0.030)]);
        filter.push(at(64.0 * 4.0), sample(0.002, 0.010), &setting);
        let (used, jitter_s) = (filter.used(), filter.jitter_s());
        for turn in 5_u8..=11 {
            let outcome = filter.push_silence(at(64.0 * f64::from(turn)), &setting);
            assert_eq!(outcome, Filtered::Old);
            near(filter.offset_s(), 0.002);
            near(filter.delay_s(), 0.010);
            near(filter.jitter_s(), jitter_s);
            assert_eq!(filter.used(), used);
        }
        assert!(filter.dispersion_s() > 7.0);
    }
}

#[test]
fn popcorn_gate_by_the_numbers() {
    let wide = Setting {
        maxdist_s: 20.0,
        ..SETTING
    };
    let mut filter = ClockFilter::new(at(0.0), wide.precision_s);
    assert_eq!(
        filter.push(at(1.0), sample(0.0, 0.01), &wide),
        Filtered::Fresh
    );
    for turn in 2_u8..10 {
        filter.push_silence(at(f64::from(turn)), &wide);
    }
    // One usable stage: jitter is the precision, so 10 us is a spike; after 2 polls it is not.
    let spike = filter.clone().push(at(100.0), sample(1e-5, 0.01), &wide);
    assert!(matches!(spike, Filtered::Popcorn(apart_s) if (apart_s - 1e-5).abs() < 1e-12));
    let later = filter.push(at(1.0 + 128.0), sample(1e-5, 0.01), &wide);
    assert_eq!(later, Filtered::Fresh);
}

#[test]
fn silence_crowds_out() {
    let mut filter = filled(&[(0.002, 0.010)]);
    for turn in 2_u8..9 {
        assert_ne!(
            filter.push_silence(at(64.0 * f64::from(turn)), &SETTING),
            Filtered::Empty
        );
    }
    assert_eq!(
        filter.push_silence(at(64.0 * 9.0), &SETTING),
        Filtered::Empty
    );
    assert!(filter.dispersion_s() > 15.9);
    near(filter.offset_s(), 0.002);
}

#[test]
fn far_samples_do_not_blur_the_jitter() {
    // Two nearest always count; the third is past MAXDIST and does not.
    let filter = filled(&[(0.0, 0.01), (0.004, 0.02), (5.0, 1.6)]);
    near(filter.jitter_s(), 0.004);
}
