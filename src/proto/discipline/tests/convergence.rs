use super::bench::Bench;
use crate::config::{Steering, Tinker};
use crate::discipline::Verdict;
use crate::event::SystemEvent;
use crate::host::Adjustment;

fn never_step() -> Tinker {
    Tinker {
        stepfwd_s: None,
        stepback_s: None,
        ..Tinker::default()
    }
}

#[test]
fn with_defaults_400_ms_and_50_ppm_are_gone_in_twenty_minutes() {
    for kernel in [false, true] {
        let steering = Steering {
            kernel,
            ..Steering::default()
        };
        let mut bench = Bench::new(steering, Tinker::default());
        bench.error_s = 0.4;
        bench.oscillator_ppm = 50.0;
        bench.run(1200);
        assert!(bench.error_s.abs() < 2e-4, "error {}", bench.error_s);
        let freq_ppm = bench.discipline.frequency_ppm();
        assert!((freq_ppm + 50.0).abs() < 0.1, "frequency {freq_ppm}");
        assert_eq!(bench.kernel.pll, kernel);
    }
}

#[test]
fn user_space_removes_400_ms_and_50_ppm() {
    let mut bench = Bench::user_space(never_step());
    bench.error_s = -0.4;
    bench.oscillator_ppm = 50.0;
    // At a poll exponent of 6 this loop's slow mode takes 15 000 s.
    bench.run(40 * 3600);
    assert!(bench.error_s.abs() < 1e-5, "error {}", bench.error_s);
    let freq_ppm = bench.discipline.frequency_ppm();
    assert!((freq_ppm + 50.0).abs() < 0.1, "frequency {freq_ppm}");
    assert_eq!(bench.discipline.state_name(), "sync");
    let touched_kernel_loop = bench
        .adjustments
        .iter()
        .any(|(_, adjustment)| matches!(adjustment, Adjustment::KernelPhase { .. }));
    assert!(!touched_kernel_loop);
}

#[test]
fn kernel_loop_removes_400_ms_and_50_ppm() {
    let tinker = Tinker {
        stepfwd_s: Some(0.5),
        stepback_s: Some(0.5),
        ..Tinker::default()
    };
    let mut bench = Bench::new(Steering::default(), tinker);
    bench.error_s = 0.4;
    bench.oscillator_ppm = -50.0;
    bench.run(12 * 3600);
    assert!(bench.error_s.abs() < 1e-5, "error {}", bench.error_s);
    let freq_ppm = bench.discipline.frequency_ppm();
    assert!((freq_ppm - 50.0).abs() < 0.1, "frequency {freq_ppm}");
    assert!((freq_ppm - bench.kernel.freq_ppm).abs() < 1e-9, "read back");
    assert!(bench.kernel.pll);
}

#[test]
fn without_a_drift_file_the_frequency_is_measured_over_the_stepout_interval() {
    let mut bench = Bench::user_space(Tinker::default());
    bench.error_s = 0.1;
    bench.oscillator_ppm = 80.0;
    assert_eq!(bench.update_with(0.0), Verdict::Slewed);
    assert_eq!(bench.discipline.state_name(), "freq_measure");
    while bench.now_s < 299.0 {
        bench.second();
        assert_eq!(bench.update_with(0.0), Verdict::Ignored);
    }
    bench.second();
    assert_eq!(bench.update_with(0.0), Verdict::Slewed);
    let freq_ppm = bench.discipline.frequency_ppm();
    assert!((freq_ppm + 80.0).abs() < 0.1, "{freq_ppm}");
    assert_eq!(bench.discipline.state_name(), "sync");
    assert_eq!(bench.events[0], SystemEvent::FrequencyNotSet);
    assert_eq!(bench.events[1], SystemEvent::FrequencyMode);
    assert!(matches!(bench.events[2], SystemEvent::FrequencySet(_)));
    assert_eq!(bench.events[3], SystemEvent::ClockSync);
}

#[test]
fn a_step_before_measuring_does_not_spoil_the_measurement() {
    let mut bench = Bench::user_space(Tinker::default());
    bench.error_s = 30.0;
    bench.oscillator_ppm = -120.0;
    assert_eq!(bench.update_with(0.0), Verdict::Stepped { offset_s: -30.0 });
    assert!(bench.error_s.abs() < 1e-9);
    for _ in 0..320 {
        bench.second();
    }
    assert_eq!(bench.update_with(0.0), Verdict::Slewed);
    assert!((bench.discipline.frequency_ppm() - 120.0).abs() < 0.1);
}

#[test]
fn a_stored_frequency_is_used_at_once() {
    let steering = Steering {
        stored_freq_ppm: Some(-33.0),
        kernel: false,
        ..Steering::default()
    };
    let mut bench = Bench::new(steering, Tinker::default());
    bench.oscillator_ppm = 33.0;
    bench.error_s = 0.05;
    assert!((bench.kernel.freq_ppm + 33.0).abs() < 1e-4);
    bench.run(1800);
    assert!(bench.error_s.abs() < 1e-4, "{}", bench.error_s);
    assert_eq!(bench.events[0], SystemEvent::FrequencySet(-33.0));
}

#[test]
fn early_frequency_is_held_until_the_transient_is_over() {
    let steering = Steering {
        stored_freq_ppm: Some(0.0),
        kernel: true,
        ..Steering::default()
    };
    let mut bench = Bench::new(steering, Tinker::default());
    bench.error_s = -0.1;
    for _ in 0..4 {
        bench.update_with(-0.01);
        for _ in 0..64 {
            bench.second();
        }
        assert!(bench.discipline.frequency_ppm().abs() < 1e-12);
        assert!(!bench.kernel.pll, "user space during the holdoff");
    }
    bench.update_with(0.0);
    for _ in 0..64 {
        bench.second();
    }
    bench.update_with(0.0);
    assert!(bench.kernel.pll, "then the kernel");
}

#[test]
fn what_the_kernel_did_counts_not_what_was_asked() {
    let steering = Steering {
        stored_freq_ppm: Some(0.0),
        kernel: false,
        ..Steering::default()
    };
    let mut bench = Bench::new(steering, Tinker::default());
    bench.error_s = -0.02;
    bench.kernel.bias_ppm = 100.0;
    bench.update_with(0.0);
    for _ in 0..60 {
        bench.second();
    }
    let believed_s = bench.discipline.residual_s();
    assert!(
        (believed_s + bench.error_s).abs() < 5e-4,
        "{believed_s} {}",
        bench.error_s
    );
}

#[test]
fn a_stalled_host_overshoots_and_knows_it() {
    let steering = Steering {
        stored_freq_ppm: Some(0.0),
        kernel: false,
        ..Steering::default()
    };
    let mut bench = Bench::new(steering, Tinker::default());
    bench.error_s = -0.01;
    bench.update_with(0.0);
    let stalled_s = 100.0;
    bench.error_s += bench.kernel.freq_ppm * 1e-6 * stalled_s;
    bench.now_s += stalled_s;
    assert!(bench.error_s > 0.005, "the stall took it past zero");
    for _ in 0..600 {
        bench.second();
    }
    assert!(bench.error_s.abs() < 1e-4, "{}", bench.error_s);
}
