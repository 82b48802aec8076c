//! What happens to the clock: slewed, stepped, given up on, stepped by others, leaps.
use super::world::{Server, World, config, server_line};
use crate::config::{AssociationConfig, SystemConfig};
use crate::event::{PeerEvent, SystemEvent};
use crate::host::{AdjustRefused, Exit, HostEvent};
use truechimer_time::NtpDuration;
use truechimer_time::leap::{LeapIndicator, LeapTable};
use truechimer_wire::ReferenceId;

/// 2026-11-21 as in `world`.
const START_UNIX_S: i64 = 1_795_219_200;

fn steered(associations: Vec<AssociationConfig>) -> SystemConfig {
    let mut config = config(associations);
    config.steering.enabled = true;
    config
}

#[test]
fn removes_offset_and_drift() {
    let mut config = steered(vec![server_line(1)]);
    config.steering.stored_freq_ppm = None;
    let mut world = World::with_error(config, -0.05);
    world.skew_ppm = 50.0;
    world.serve(1, Server::default());
    world.run_s(20_000.0);
    assert!(world.error_s.abs() < 0.001, "{}", world.error_s);
    let freq_ppm = world.status().frequency_ppm;
    assert!((freq_ppm - -50.0).abs() < 1.0, "{freq_ppm}");
    assert!(world.steps_s.is_empty());
    assert!(world.status().time_constant > 6, "poll never rose");
}

#[test]
fn a_step_restarts_everything() {
    let mut world = World::with_error(steered(vec![server_line(1)]), -0.4);
    world.serve(1, Server::default());
    world.run_s(7.0);
    assert_eq!(world.steps_s.len(), 1);
    assert!((world.steps_s[0] - 0.4).abs() < 1e-3);
    let published = *world.published.last().expect("published");
    assert_eq!(published.leap, LeapIndicator::NotSynchronized);
    assert_eq!(published.stratum, 16);
    assert_eq!(published.reference_id, ReferenceId::from_letters("STEP"));
    let after_step = world.now().wall.since(published.step_epoch).to_seconds();
    assert!(
        (0.9..1.1).contains(&after_step),
        "the fourth request went at 6 s: {after_step}"
    );
    let it = world.with(1).expect("still there");
    assert_eq!((it.reach, it.stratum), (0, 16));
    assert_eq!(it.reference_id, ReferenceId::from_letters("STEP"));
    world.run_s(60.0);
    assert_eq!(world.status().leap, LeapIndicator::NoWarning);
    assert_eq!(world.steps_s.len(), 1);
    assert!(world.error_s.abs() < 1e-3);
    let still = world.published.last().map(|it| it.step_epoch);
    assert_eq!(
        still,
        Some(published.step_epoch),
        "the epoch outlives the update"
    );
}

#[test]
fn a_refused_step_changes_nothing() {
    let mut world = World::new(steered(vec![server_line(1)]));
    world.serve(1, Server::default());
    world.run_s(600.0);
    world.error_s = 0.4;
    world.refuses = Some(AdjustRefused::Other(22));
    world.run_s(1200.0);
    assert!(world.steps_s.is_empty());
    assert_eq!(world.system_events(&SystemEvent::ClockSync), 1);
    assert_eq!(world.status().leap, LeapIndicator::NoWarning, "serves on");
    assert_eq!(world.status().stratum, 3);
    assert!(world.published.iter().all(|it| it.step_epoch.is_zero()));
    assert_eq!(world.with(1).map(|it| it.reach), Some(0o377));
    world.refuses = None;
    world.run_s(1200.0);
    assert_eq!(world.steps_s.len(), 1, "tried again");
    assert!(world.error_s.abs() < 1e-3, "{}", world.error_s);
}

#[test]
fn a_refused_first_step_is_tried_again_with_its_pass() {
    let mut config = steered(vec![server_line(1)]);
    config.steering.allow_panic_once = true;
    let mut world = World::with_error(config, -5000.0);
    world.serve(1, Server::default());
    world.refuses = Some(AdjustRefused::Other(22));
    world.run_s(300.0);
    assert_eq!(world.status().leap, LeapIndicator::NotSynchronized);
    assert!(world.exits.is_empty(), "{:?}", world.exits);
    world.refuses = None;
    world.run_s(300.0);
    assert_eq!(world.steps_s.len(), 1);
    assert!(world.exits.is_empty(), "{:?}", world.exits);
}

#[test]
fn past_the_panic_threshold_nothing_more_happens() {
    let mut world = World::with_error(steered(vec![server_line(1)]), -5000.0);
    world.serve(1, Server::default());
    world.run_s(600.0);
    assert!(matches!(world.exits[..], [Exit::Panic { offset_s }] if offset_s > 4999.0));
    assert!(world.steps_s.is_empty());
    assert_eq!(world.system.poll_timeout(), None);
}

#[test]
fn sleep_voids_all_samples_and_is_called_sleep() {
    let mut world = World::new(steered(vec![server_line(1)]));
    world.serve(1, Server::default());
    world.run_s(300.0);
    world.host(HostEvent::Slept(NtpDuration::from_seconds(3600.0)));
    assert_eq!(world.status().stratum, 16);
    assert_eq!(world.with(1).map(|it| it.reach), Some(0));
    assert_eq!(world.system_events(&SystemEvent::Slept(3600.0)), 1);
    world.run_s(900.0);
    assert_eq!(world.status().stratum, 3);
}

#[test]
fn a_foreign_step_voids_all_samples() {
    let mut world = World::new(steered(vec![server_line(1)]));
    world.serve(1, Server::default());
    world.run_s(300.0);
    world.error_s += 1.0;
    world.host(HostEvent::ForeignStep(NtpDuration::from_seconds(1.0)));
    assert_eq!(world.status().stratum, 16);
    assert_eq!(world.with(1).map(|it| it.reach), Some(0));
    assert_eq!(world.system_events(&SystemEvent::ForeignStep(1.0)), 1);
    let epoch = world.published.last().map(|it| it.step_epoch);
    assert_eq!(epoch, Some(world.now().wall));
    world.run_s(900.0);
    assert!(
        world.error_s.abs() < 1e-3,
        "set right again: {}",
        world.error_s
    );
}

#[test]
fn a_leap_of_the_table_is_announced_on_its_day() {
    let end_of_year = 1_798_761_600; // 2027-01-01
    let rows = vec![(1_483_228_800, 37), (end_of_year, 38)];
    let table = LeapTable::new(rows, end_of_year + 86_400 * 100);
    let mut config = config(vec![server_line(1)]);
    config.leap_table = table;
    let mut world = World::new(config);
    world.serve(1, Server::default());
    let mut second = 0;
    let mut run_until = |world: &mut World, unix_s: i64| {
        let until = i32::try_from(unix_s - START_UNIX_S).expect("weeks");
        world.run_s(f64::from(until - second));
        second = until;
    };
    run_until(&mut world, end_of_year - 86_400 * 29);
    assert_eq!(world.status().tai_utc_s, Some(37));
    assert_eq!(world.system_events(&SystemEvent::LeapArmed(true)), 0);
    run_until(&mut world, end_of_year - 86_400 - 60);
    assert_eq!(world.system_events(&SystemEvent::LeapArmed(true)), 1);
    assert_eq!(world.status().leap, LeapIndicator::NoWarning);
    run_until(&mut world, end_of_year - 86_400 + 60);
    assert_eq!(world.status().leap, LeapIndicator::AddSecond);
    let said = world.published.last().map(|it| it.leap);
    assert_eq!(said, Some(LeapIndicator::AddSecond));
    run_until(&mut world, end_of_year - 5);
    let reached = world.with(1).map(|it| it.received);
    // The kernel repeats a second; the host may see it as a step. It is none to us.
    run_until(&mut world, end_of_year);
    world.error_s -= 1.0;
    for server in world.servers.values_mut() {
        server.offset_s -= 1.0;
    }
    world.host(HostEvent::ForeignStep(NtpDuration::from_seconds(-1.0)));
    assert_ne!(world.status().stratum, 16);
    assert_eq!(world.with(1).map(|it| it.received), reached);
    run_until(&mut world, end_of_year + 4000);
    assert_eq!(world.system_events(&SystemEvent::LeapEvent(true)), 1);
    assert_eq!(world.status().tai_utc_s, Some(38));
    assert_eq!(world.status().leap, LeapIndicator::NoWarning);
    assert!(world.steps_s.is_empty());
    let error_s = world.error_s + 1.0;
    assert!(error_s.abs() < 0.01, "{error_s}");
}

#[test]
fn a_leap_said_in_november_is_not_believed() {
    let mut world = World::new(config(vec![server_line(1), server_line(2)]));
    for last in [1, 2] {
        world.serve(
            last,
            Server {
                leap: LeapIndicator::AddSecond,
                ..Server::default()
            },
        );
    }
    world.run_s(600.0);
    assert_eq!(world.peer_events(&PeerEvent::LeapArmed), 2);
    assert_eq!(world.system_events(&SystemEvent::LeapArmed(true)), 0);
    assert_eq!(world.status().leap, LeapIndicator::NoWarning);
}

#[test]
fn no_sample_spans_a_leap() {
    let at = START_UNIX_S + 3600;
    let mut line = server_line(1);
    line.minpoll = 3;
    line.maxpoll = 3;
    let mut config = config(vec![line]);
    config.leap_table = LeapTable::new(vec![(0, 37), (at, 38)], at + 86_400);
    let mut world = World::new(config);
    world.serve(1, Server::default());
    // `world` starts at second 5.
    world.run_s(3600.0 - 5.0 - 9.0);
    let sent = world.sent.len();
    let before = world.with(1).map(|it| it.received);
    world.run_s(18.0);
    assert!(world.sent.len() > sent, "still asking");
    assert_eq!(world.with(1).map(|it| it.received), before);
    world.run_s(30.0);
    assert_ne!(world.with(1).map(|it| it.received), before);
}
