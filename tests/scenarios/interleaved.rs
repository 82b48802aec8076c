//! Interleaved mode with servers (RFC 9769 §2) where replies leave later than they say.
use crate::build::{START_UNIX_S, association, client_of, machine, primaries, report};
use truechimer_sim::{ClockConfig, Path, World};

/// How late they leave, on average, seconds.
const LATE_S: f64 = 0.001;
const HOUR_S: f64 = 3600.0;

/// The client's error, rms and on average, and the last offset's delay, all in seconds.
fn run(seed: u64, interleaved: bool, loss: f64) -> (f64, f64, f64) {
    let mut world = World::new(seed, START_UNIX_S);
    world.default_path(Path::new(0.001, 0.000_005).losing(loss));
    let servers = primaries(&mut world, &[0.0]);
    world.leaves_late(servers[0], LATE_S);
    let mut config = client_of(&world, &servers);
    config.associations[0].interleaved = interleaved;
    let clock = ClockConfig::wrong_by(0.01, 20.0).wandering(0.000_1);
    let client = machine(&mut world, "client", clock, config);
    world.run_until(3.0 * HOUR_S);
    let record = world.record(client, 9.0 * HOUR_S, 10.0);
    let delay_s = association(&mut world, client, servers[0]).delay_s;
    (record.error_s.rms, record.error_s.mean, delay_s)
}

#[test]
fn true_departures_take_out_what_late_replies_put_in() {
    let mut ratios = Vec::new();
    for seed in 1..=5 {
        let (basic_s, bias_s, long_s) = run(seed, false, 0.0);
        let (rms_s, mean_s, delay_s) = run(seed, true, 0.0);
        let figures = [
            ("basic_rms_us", basic_s * 1e6),
            ("basic_mean_us", bias_s * 1e6),
            ("rms_us", rms_s * 1e6),
            ("mean_us", mean_s * 1e6),
            ("basic_delay_ms", long_s * 1e3),
            ("delay_ms", delay_s * 1e3),
        ];
        report("late replies", &figures);
        // At least half of the lateness counts as delay of the way back, half of that as offset.
        assert!(bias_s.abs() > LATE_S / 5.0, "{bias_s}");
        assert!(mean_s.abs() < LATE_S / 50.0, "{mean_s}");
        assert!((delay_s - 0.002).abs() < 0.000_1, "{delay_s}");
        ratios.push(basic_s / rms_s);
    }
    ratios.sort_by(f64::total_cmp);
    assert!(ratios[0] > 5.0, "{ratios:?}");
}

#[test]
fn and_where_a_tenth_of_all_packets_is_lost() {
    let (basic_s, ..) = run(7, false, 0.1);
    let (rms_s, ..) = run(7, true, 0.1);
    let figures = [("basic_rms_us", basic_s * 1e6), ("rms_us", rms_s * 1e6)];
    report("late replies, a tenth lost", &figures);
    assert!(rms_s < basic_s / 1.5, "{rms_s} and {basic_s}");
}
