//! Getting a wrong clock right, in both modes, and when not to.
use crate::build::{
    client_of, machine, primaries, report, status, system_events, user_space, world,
};
use truechimer_proto::config::{Steering, SystemConfig, Tinker};
use truechimer_proto::event::SystemEvent;
use truechimer_proto::host::Exit;
use truechimer_sim::{ClockConfig, NodeConfig, NodeId, World};
use truechimer_time::NtpDuration;

/// One client of four good servers, wrong by this much.
fn start(seed: u64, clock: ClockConfig, change: impl FnOnce(&mut SystemConfig)) -> (World, NodeId) {
    let mut world = world(seed);
    let servers = primaries(&mut world, &[0.0; 4]);
    let mut config = client_of(&world, &servers);
    change(&mut config);
    let client = machine(&mut world, "client", clock, config);
    (world, client)
}

/// 400 ms and 50 ppm: stepped, then held below a millisecond within the hour.
fn converges(scenario: &str, steering: Steering) {
    let clock = ClockConfig::wrong_by(0.4, 50.0);
    let (mut world, client) = start(11, clock, |config| config.steering = steering);
    let settled_s = world
        .settles(client, 0.001, 900.0, 5400.0)
        .expect("settles");
    let record = world.record(client, 14_400.0, 10.0);
    report(
        scenario,
        &[
            ("settled_s", settled_s),
            ("rms_ms", record.error_s.rms * 1e3),
            ("max_ms", record.error_s.max * 1e3),
            ("frequency_rms_ppm", record.frequency_ppm.rms),
        ],
    );
    assert!(settled_s < 3600.0);
    assert!(record.error_s.max < 0.001);
    let frequency_ppm = status(&mut world, client).frequency_ppm;
    assert!((frequency_ppm + 50.0).abs() < 1.0, "{frequency_ppm}");
    let steps = system_events(&world, client);
    let steps = steps
        .iter()
        .filter(|(_, event)| matches!(event, SystemEvent::ClockStep(_)));
    assert_eq!(steps.count(), 1);
    let stored_ppm = world.stored_freq_ppm(client).expect("a frequency to keep");
    assert!((stored_ppm + 50.0).abs() < 2.0, "{stored_ppm}");
}

#[test]
fn converge_in_user_space() {
    converges("converge user space", user_space());
}

#[test]
fn converge_in_the_kernel() {
    converges("converge kernel", Steering::default());
}

#[test]
fn slew_when_stepping_is_forbidden() {
    let (mut world, client) = start(12, ClockConfig::wrong_by(0.4, 50.0), |config| {
        config.tinker.stepfwd_s = None;
        config.tinker.stepback_s = None;
    });
    let before_s = world.error_s(client);
    let mut jump_s: f64 = 0.0;
    let mut last_s = before_s;
    while world.now_s() < 7200.0 {
        world.run_until(world.now_s() + 1.0);
        let error_s = world.error_s(client);
        jump_s = jump_s.max((error_s - last_s).abs());
        last_s = error_s;
    }
    let record = world.record(client, 28_800.0, 10.0);
    report(
        "slew only",
        &[
            ("jump_us", jump_s * 1e6),
            ("rms_ms", record.error_s.rms * 1e3),
        ],
    );
    assert!(
        jump_s < 0.000_6,
        "never faster than 500 ppm and the oscillator: {jump_s}"
    );
    assert!(last_s.abs() < 0.01, "{last_s}");
    assert!(record.error_s.rms < 0.001);
}

#[test]
fn known_frequency_needs_no_measuring() {
    let (mut world, client) = start(13, ClockConfig::wrong_by(0.05, 50.0), |config| {
        config.steering.stored_freq_ppm = Some(-50.0);
    });
    let settled_s = world
        .settles(client, 0.001, 600.0, 3600.0)
        .expect("settles");
    report("known frequency", &[("settled_s", settled_s)]);
    assert!(settled_s < 900.0, "{settled_s}");
}

#[test]
fn panic_past_a_thousand_seconds() {
    let (mut world, client) = start(14, ClockConfig::wrong_by(-2000.0, 0.0), |_| {});
    world.run_until(600.0);
    let (at_s, exit) = world.exit(client).expect("an end");
    let Exit::Panic { offset_s } = exit else {
        panic!("{exit:?}");
    };
    report("panic", &[("at_s", at_s), ("offset_s", offset_s)]);
    assert!((offset_s - 2000.0).abs() < 0.1);
    assert!((world.error_s(client) + 2000.0).abs() < 0.1, "left alone");
}

#[test]
fn large_offset_once_and_not_twice() {
    let (mut world, client) = start(15, ClockConfig::wrong_by(-2000.0, 0.0), |config| {
        config.steering.allow_panic_once = true;
    });
    world.run_until(3600.0);
    assert_eq!(world.exit(client), None);
    assert!(world.error_s(client).abs() < 0.01);
    world.step_clock(client, NtpDuration::from_seconds(3000.0));
    world.run_until(20_000.0);
    let (at_s, exit) = world.exit(client).expect("the allowance was spent");
    report("large offset once", &[("ended_at_s", at_s)]);
    assert!(matches!(exit, Exit::Panic { offset_s } if (offset_s + 3000.0).abs() < 0.1));
}

#[test]
fn years_behind_is_set_at_once_when_allowed() {
    // A board without a battery: 1970.
    let (mut world, client) = start(16, ClockConfig::wrong_by(-1.79e9, 10.0), |config| {
        config.steering.allow_panic_once = true;
    });
    world.run_until(3600.0);
    assert_eq!(world.exit(client), None);
    assert!(world.error_s(client).abs() < 0.02);
}

#[test]
fn one_shot_sets_and_ends() {
    let (mut world, client) = start(17, ClockConfig::wrong_by(3.0, 0.0), |config| {
        config.steering.one_shot = true;
    });
    world.run_until(300.0);
    let (at_s, exit) = world.exit(client).expect("an end");
    report(
        "one shot",
        &[("at_s", at_s), ("error_ms", world.error_s(client) * 1e3)],
    );
    assert!(matches!(exit, Exit::OneShotDone { stepped: true, .. }));
    assert!(at_s < 30.0);
    assert!(world.error_s(client).abs() < 0.005);
}

#[test]
fn without_the_right_to_steer_the_clock_is_left_alone() {
    let mut world = world(18);
    let servers = primaries(&mut world, &[0.0; 3]);
    let config = client_of(&world, &servers);
    let clock = ClockConfig::wrong_by(0.05, 1.0);
    let client = world.add(NodeConfig {
        may_steer: false,
        ..NodeConfig::machine("client", clock, config)
    });
    world.run_until(7200.0);
    assert!((world.error_s(client) - 0.05 - 7200.0e-6).abs() < 1e-6);
    let refusals = system_events(&world, client);
    let refusals = refusals
        .iter()
        .filter(|(_, event)| matches!(event, SystemEvent::Kernel(_)));
    assert_eq!(refusals.count(), 1, "said once");
    assert!(status(&mut world, client).system_peer.is_some());
}

#[test]
fn frequency_beyond_the_limit_is_told() {
    let (mut world, client) = start(19, ClockConfig::wrong_by(0.0, 700.0), |config| {
        config.tinker = Tinker::default();
    });
    world.run_until(7200.0);
    let events = system_events(&world, client);
    let told = events
        .iter()
        .any(|(_, event)| matches!(event, SystemEvent::FrequencyLimit(_)));
    assert!(told);
}
