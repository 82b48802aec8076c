//! What a machine records for its statistics files, and what it says of its oscillator.
use crate::build::{client_of, machine, primaries, report, system_events, world};
use truechimer_proto::event::SystemEvent;
use truechimer_proto::statistics::{Measured, Recording};
use truechimer_sim::{ClockConfig, NodeId, World};

const HOUR_S: f64 = 3600.0;

/// A client of three good servers, whose oscillator wanders as cheap ones do.
fn start(seed: u64, recording: Recording, maxpoll: i8) -> (World, NodeId) {
    let mut world = world(seed);
    let servers = primaries(&mut world, &[0.0; 3]);
    let mut config = client_of(&world, &servers);
    config.recording = recording;
    config.tinker.freq_ppm = Some(-17.0);
    for line in &mut config.associations {
        line.maxpoll = maxpoll;
    }
    let clock = ClockConfig::wrong_by(0.01, 20.0).wandering(0.000_3);
    let client = machine(&mut world, "client", clock, config);
    (world, client)
}

fn jumps(world: &World, node: NodeId) -> Vec<(f64, SystemEvent)> {
    let told = system_events(world, node).into_iter();
    let is_alarm = |(_, event): &(f64, SystemEvent)| {
        matches!(
            event,
            SystemEvent::FrequencyJump(_) | SystemEvent::WanderJump(_)
        )
    };
    told.filter(is_alarm).collect()
}

#[test]
fn a_fan_that_stops_is_told_within_two_hours_and_a_calm_day_is_not() {
    for maxpoll in [6, 10] {
        let (mut world, client) = start(71, Recording::default(), maxpoll);
        world.run_until(24.0 * HOUR_S);
        assert_eq!(jumps(&world, client), [], "a calm day, maxpoll {maxpoll}");
        world.jolt(client, 4.0);
        world.run_until(36.0 * HOUR_S);
        let told = jumps(&world, client);
        let [(at_s, SystemEvent::FrequencyJump(jump_ppm))] = told[..] else {
            panic!("maxpoll {maxpoll}: {told:?}");
        };
        let after_s = at_s - 24.0 * HOUR_S;
        report(
            "frequency jump",
            &[
                ("maxpoll", f64::from(maxpoll)),
                ("told_after_s", after_s),
                ("jump_ppm", jump_ppm),
            ],
        );
        assert!(after_s < 2.0 * HOUR_S, "maxpoll {maxpoll}: {after_s}");
        assert!(jump_ppm < -0.9, "the correction goes the other way");
    }
}

#[test]
fn what_is_asked_for_is_recorded_and_nothing_else() {
    let all = Recording {
        loops: true,
        peers: true,
        raw: true,
        crypto: true,
    };
    let (mut world, client) = start(72, all, 6);
    world.run_until(HOUR_S);
    let (mut loops, mut peers, mut raws) = (0, 0, 0);
    for record in world.records(client) {
        match record.measured {
            Measured::Loop { .. } => loops += 1,
            Measured::Crypto { .. } => panic!("nobody speaks Autokey here"),
            Measured::Peer { status, .. } => {
                peers += 1;
                assert_eq!(status >> 12, 9, "configured and reachable: {status:x}");
            }
            Measured::Raw(raw) => {
                raws += 1;
                let turnaround_s = raw.transmit.since(raw.receive).to_seconds();
                let trip_s = raw.destination.since(raw.origin).to_seconds();
                assert!(trip_s > turnaround_s && trip_s < 0.05, "{raw:?}");
                assert!(raw.local.is_some() && raw.stratum == 1 && raw.mode == 4);
            }
        }
    }
    assert!(
        loops > 20 && peers >= loops && raws > peers,
        "{loops} {peers} {raws}"
    );
    let (mut world, client) = start(72, Recording::default(), 6);
    world.run_until(HOUR_S);
    assert_eq!(world.records(client).len(), 0);
}

#[test]
fn an_oscillator_gone_unsteady_is_told() {
    let (mut world, client) = start(73, Recording::default(), 6);
    world.run_until(12.0 * HOUR_S);
    assert_eq!(jumps(&world, client), []);
    for turn in 0..20 {
        // To and fro around the old mean, so that the mean says nothing.
        let change_ppm = if turn == 0 { 12.0 } else { 24.0 };
        let sign = if turn % 2 == 0 { 1.0 } else { -1.0 };
        world.jolt(client, sign * change_ppm);
        world.run_until(world.now_s() + 600.0);
    }
    let told = jumps(&world, client);
    let first = told.first().map(|(at_s, _)| at_s - 12.0 * HOUR_S);
    let told_after_s = first.expect("an alarm");
    report("unsteady oscillator", &[("told_after_s", told_after_s)]);
    assert!(told_after_s < HOUR_S && told.len() == 1, "{told:?}");
}
