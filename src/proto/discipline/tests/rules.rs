use super::bench::{Bench, at};
use crate::config::{Steering, Tinker};
use crate::discipline::{Discipline, Verdict};
use crate::event::SystemEvent;
use crate::host::{AdjustRefused, Adjustment};
use truechimer_time::leap::LeapIndicator;

fn in_sync(tinker: Tinker) -> Bench {
    let steering = Steering {
        stored_freq_ppm: Some(0.0),
        kernel: false,
        ..Steering::default()
    };
    let mut bench = Bench::new(steering, tinker);
    bench.run(64);
    assert_eq!(bench.discipline.state_name(), "sync");
    bench.adjustments.clear();
    bench.events.clear();
    bench
}

fn steps(bench: &Bench) -> usize {
    bench
        .adjustments
        .iter()
        .filter(|(_, adjustment)| matches!(adjustment, Adjustment::Step(_)))
        .count()
}

#[test]
fn one_spike_changes_nothing() {
    let mut bench = in_sync(Tinker::default());
    assert_eq!(bench.update_of(0.5), Verdict::Ignored);
    assert_eq!(bench.discipline.state_name(), "spike");
    assert_eq!(bench.events, [SystemEvent::SpikeDetect(0.5)]);
    bench.second();
    assert_eq!(bench.update_with(0.0), Verdict::Slewed);
    assert_eq!(steps(&bench), 0);
    assert!(bench.error_s.abs() < 1e-6);
}

#[test]
fn an_offset_that_stays_is_stepped_after_the_stepout_interval() {
    let mut bench = in_sync(Tinker {
        stepout_s: 900.0,
        ..Tinker::default()
    });
    bench.update_with(0.0);
    let from_s = bench.now_s;
    bench.error_s = 2.0;
    let mut stepped_s = None;
    for _ in 0..100 {
        for _ in 0..16 {
            bench.second();
        }
        if bench.update_with(0.0) == (Verdict::Stepped { offset_s: -2.0 }) {
            stepped_s = Some(bench.now_s - from_s);
            break;
        }
    }
    assert_eq!(stepped_s, Some(912.0), "first update past 900 s");
    assert!(bench.error_s.abs() < 1e-9);
    assert!(bench.events.contains(&SystemEvent::ClockStep(-2.0)));
}

#[test]
fn panic_and_its_one_time_pass() {
    let mut bench = Bench::user_space(Tinker::default());
    assert_eq!(bench.update_of(1001.0), Verdict::Panic { offset_s: 1001.0 });
    assert!(bench.events.contains(&SystemEvent::PanicStop(1001.0)));
    assert_eq!(steps(&bench), 0);

    let steering = Steering {
        allow_panic_once: true,
        ..Steering::default()
    };
    let mut bench = Bench::new(steering, Tinker::default());
    assert!(bench.discipline.panic_allowed());
    assert_eq!(
        bench.update_of(5000.0),
        Verdict::Stepped { offset_s: 5000.0 }
    );
    assert!(!bench.discipline.panic_allowed());
    assert_eq!(bench.update_of(5000.0), Verdict::Panic { offset_s: 5000.0 });
    bench
        .discipline
        .reconfigure(at(1.0), steering, Tinker::default());
    assert!(
        !bench.discipline.panic_allowed(),
        "a reload gives no second pass"
    );
}

#[test]
fn a_small_first_offset_spends_the_pass_too() {
    let steering = Steering {
        allow_panic_once: true,
        ..Steering::default()
    };
    let mut bench = Bench::new(steering, Tinker::default());
    bench.update_of(0.001);
    assert_eq!(bench.update_of(5000.0), Verdict::Panic { offset_s: 5000.0 });
}

#[test]
fn forced_the_first_offset_is_stepped_and_the_next_is_not() {
    let steering = Steering {
        force_step_once: true,
        stored_freq_ppm: Some(0.0),
        ..Steering::default()
    };
    let mut bench = Bench::new(steering, Tinker::default());
    assert_eq!(bench.update_of(0.01), Verdict::Stepped { offset_s: 0.01 });
    assert_eq!(bench.update_of(0.01), Verdict::Slewed);
}

#[test]
fn no_panic_threshold_no_panic() {
    let mut bench = Bench::user_space(Tinker {
        panic_s: None,
        ..Tinker::default()
    });
    assert_eq!(bench.update_of(1e9), Verdict::Stepped { offset_s: 1e9 });
}

#[test]
fn what_is_no_number_is_ignored_and_forgotten() {
    let mut bench = in_sync(Tinker::default());
    for offset_s in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(bench.update_of(offset_s), Verdict::Ignored);
    }
    assert_eq!(bench.discipline.state_name(), "sync");
    assert!(bench.adjustments.is_empty());
    bench.error_s = 1e-3;
    bench.run(3600);
    assert!(bench.error_s.abs() < 3e-4, "{}", bench.error_s);
    assert!(bench.discipline.jitter_s().is_finite());
}

#[test]
fn frequency_stops_at_500_ppm() {
    let mut bench = Bench::user_space(Tinker::default());
    bench.oscillator_ppm = -700.0;
    bench.run(4000);
    assert!((bench.discipline.frequency_ppm() - 500.0).abs() < 1e-9);
    let told = bench
        .events
        .iter()
        .filter(|event| matches!(event, SystemEvent::FrequencyLimit(_)));
    assert_eq!(told.count(), 1, "told once");
}

#[test]
fn slewing_far_stays_within_500_ppm() {
    let mut bench = Bench::user_space(Tinker {
        stepfwd_s: None,
        stepback_s: None,
        ..Tinker::default()
    });
    bench.error_s = -3.0;
    bench.oscillator_ppm = 100.0;
    bench.run(48 * 3600);
    assert!(bench.error_s.abs() < 1e-4, "{}", bench.error_s);
}

#[test]
fn without_permission_statistics_go_on() {
    let mut bench = Bench::user_space(Tinker::default());
    bench.kernel.refuses = Some(AdjustRefused::NotPermitted);
    bench.update_of(0.01);
    assert!(!bench.discipline.steering());
    let told = bench.events.len();
    bench.adjustments.clear();
    assert_eq!(
        bench.update_of(0.02),
        Verdict::Slewed,
        "near enough to serve"
    );
    assert_eq!(bench.update_of(3.0), Verdict::Ignored);
    assert_eq!(bench.update_of(3000.0), Verdict::Ignored, "no panic either");
    assert!(bench.adjustments.is_empty() && bench.discipline.next_tick().is_none());
    assert_eq!(bench.events.len(), told, "said once");
    assert!(bench.discipline.jitter_s() > 1e-3);
    assert_eq!(bench.discipline.frequency_at_exit(), None);
}

#[test]
fn a_kernel_without_a_loop_is_steered_by_frequency() {
    let steering = Steering {
        stored_freq_ppm: Some(0.0),
        ..Steering::default()
    };
    let mut bench = Bench::new(steering, Tinker::default());
    bench.kernel.refuses_pll = true;
    bench.error_s = 0.003;
    bench.run(6 * 3600);
    assert!(bench.error_s.abs() < 1e-4, "{}", bench.error_s);
    let refused = bench
        .adjustments
        .iter()
        .filter(|(_, adjustment)| matches!(adjustment, Adjustment::KernelPhase { .. }));
    assert_eq!(refused.count(), 1);
}

#[test]
fn one_shot_steps_or_slews_once() {
    let steering = Steering {
        one_shot: true,
        ..Steering::default()
    };
    let mut bench = Bench::new(steering, Tinker::default());
    let verdict = bench.update_of(2.0);
    assert_eq!(
        verdict,
        Verdict::OneShot {
            offset_s: 2.0,
            stepped: true
        }
    );
    assert_eq!(bench.adjustments.len(), 1);

    let mut bench = Bench::new(steering, Tinker::default());
    bench.error_s = -0.05;
    bench.update_with(0.0);
    assert!(bench.discipline.next_tick().is_none());
    for _ in 0..3600 {
        bench.second();
    }
    assert!(bench.error_s.abs() < 1e-5, "{}", bench.error_s);
    assert!(bench.kernel.freq_ppm.abs() < 1e-9);
}

#[test]
fn an_idle_discipline_asks_for_no_tick_but_the_status() {
    let mut bench = in_sync(Tinker::default());
    bench.minpoll = 12;
    bench.maxpoll = 12;
    bench.update_with(0.0);
    let due = bench.discipline.next_tick().expect("status");
    assert!(due.seconds_since(bench.now().mono) > 1000.0);
    bench.adjustments.clear();
    for _ in 0..4096 {
        bench.second();
    }
    assert_eq!(bench.adjustments.len(), 4, "{:?}", bench.adjustments);
    for (_, adjustment) in &bench.adjustments {
        let Adjustment::Status { max_error, .. } = adjustment else {
            panic!("{adjustment:?}");
        };
        assert!((max_error.to_seconds() - 0.010).abs() < 1e-9);
    }
}

#[test]
fn a_silent_network_ends_the_vouching() {
    let mut bench = in_sync(Tinker::default());
    bench.update_with(0.0);
    for _ in 0..20_000 {
        bench.second();
    }
    assert_eq!(bench.discipline.next_tick(), None);
}

#[test]
fn leap_bits_reach_the_kernel_at_once_and_once() {
    let mut bench = in_sync(Tinker::default());
    bench.update_with(0.0);
    bench.adjustments.clear();
    for leap in [
        LeapIndicator::AddSecond,
        LeapIndicator::AddSecond,
        LeapIndicator::NoWarning,
    ] {
        bench.discipline.announce(bench.now(), leap, Some(37));
        bench.drain();
    }
    let leaps: Vec<_> = bench
        .adjustments
        .iter()
        .map(|(_, adjustment)| match adjustment {
            Adjustment::Status {
                leap, tai_utc_s, ..
            } => (*leap, *tai_utc_s),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        leaps,
        [
            (LeapIndicator::AddSecond, Some(37)),
            (LeapIndicator::NoWarning, Some(37))
        ]
    );
}

#[test]
fn somebody_elses_step_voids_the_slew() {
    let mut bench = in_sync(Tinker::default());
    bench.update_of(0.1);
    assert!(bench.kernel.freq_ppm > 90.0);
    bench.discipline.handle_foreign_step(bench.now());
    bench.drain();
    let base_ppm = bench.discipline.frequency_ppm();
    assert!((bench.kernel.freq_ppm - base_ppm).abs() < 1e-4);
    assert!(bench.discipline.residual_s().abs() < 1e-12);
}

#[test]
fn frequency_from_outside_is_bounded() {
    for (given, used) in [(9e9, Some(500.0)), (f64::NAN, None), (-12.5, Some(-12.5))] {
        let steering = Steering {
            stored_freq_ppm: Some(given),
            ..Steering::default()
        };
        let discipline = Discipline::new(at(0.0), steering, Tinker::default(), -20);
        assert_eq!(discipline.frequency_at_exit(), used);
    }
}

#[test]
fn a_leap_reaches_the_kernel_though_the_network_is_silent() {
    let mut bench = in_sync(Tinker::default());
    bench.update_with(0.0);
    for _ in 0..100_000 {
        bench.second();
    }
    bench.adjustments.clear();
    let now = bench.now();
    bench
        .discipline
        .announce(now, LeapIndicator::AddSecond, None);
    bench.drain();
    let [
        (
            _,
            Adjustment::Status {
                synchronized,
                leap,
                max_error,
                ..
            },
        ),
    ] = bench.adjustments[..]
    else {
        panic!("{:?}", bench.adjustments);
    };
    assert_eq!((synchronized, leap), (false, LeapIndicator::AddSecond));
    assert!(max_error.to_seconds() > 1.4, "aged {max_error:?}");
}

#[test]
fn enabling_again_sets_the_frequency_again() {
    let steering = Steering {
        stored_freq_ppm: Some(20.0),
        kernel: false,
        ..Steering::default()
    };
    let mut bench = Bench::new(steering, Tinker::default());
    let off = Steering {
        enabled: false,
        ..steering
    };
    let now = bench.now();
    bench.discipline.reconfigure(now, off, Tinker::default());
    bench.kernel.freq_ppm = -300.0;
    assert_eq!(bench.update_of(0.05), Verdict::Slewed, "watching");
    assert!((bench.kernel.freq_ppm + 300.0).abs() < 1e-9);
    bench
        .discipline
        .reconfigure(now, steering, Tinker::default());
    bench.drain();
    assert!((bench.kernel.freq_ppm - 20.0).abs() < 1e-4);
}
