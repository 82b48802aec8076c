//! A listener's life: it hears several sources, loses one and finds it again, and what changes on
//! the way between them.
use super::{GROUP, broadcast_line, campus_keys, listener, listening, source, source_wrong_by};
use crate::build::{association, peer_events, report, status, world};
use truechimer_proto::config::{AssociationConfig, Listening, SystemConfig};
use truechimer_proto::event::PeerEvent;
use truechimer_proto::status::Tally;
use truechimer_sim::{BROADCAST, ClockConfig, Manner, NodeConfig, Path, World};
use truechimer_time::NtpDuration;
use truechimer_time::leap::LeapIndicator;

fn settled(seed: u64) -> (World, truechimer_sim::NodeId, truechimer_sim::NodeId) {
    let mut world = world(seed);
    let server = source(&mut world, "source", &[broadcast_line(GROUP)]);
    let clock = ClockConfig::wrong_by(0.01, 5.0);
    let client = listener(&mut world, "client", clock, listening());
    world.run_until(7200.0);
    (world, server, client)
}

#[test]
fn reach_fills_up_and_the_clock_is_set() {
    let mut world = world(61);
    let server = source(&mut world, "source", &[broadcast_line(GROUP)]);
    let clock = ClockConfig::wrong_by(0.01, 5.0);
    let client = listener(&mut world, "client", clock, listening());
    let mut seen = Vec::new();
    while world.now_s() < 1200.0 {
        world.run_until(world.now_s() + 1.0);
        let all = status(&mut world, client).associations;
        if let Some(heard) = all.first()
            && seen.last() != Some(&heard.reach)
        {
            assert_eq!(heard.kind, 'b');
            seen.push(heard.reach);
        }
    }
    let whole = [0o1, 0o3, 0o7, 0o17, 0o37, 0o77, 0o177, 0o377];
    assert_eq!(seen, whole);
    let heard = association(&mut world, client, server);
    assert_eq!(heard.tally, Tally::SystemPeer);
    let told = &status(&mut world, server).associations;
    let row = told.iter().find(|it| it.kind == 'M').expect("its own row");
    assert_eq!((row.stratum, row.reach, row.when_s), (16, 0, None));
    assert_eq!(row.reference_id.octets(), *b"MCST");
    // 4 ms each way, and the first volley measured it.
    assert!((heard.delay_s - 0.008).abs() < 0.001, "{}", heard.delay_s);
    assert!(matches!(heard.sent, 6 | 12 | 18), "{}", heard.sent);
    world.run_until(7200.0);
    let record = world.record(client, 14_400.0, 10.0);
    report(
        "listener of one source",
        &[("rms_ms", record.error_s.rms * 1e3)],
    );
    assert!(record.error_s.rms < 0.000_2);
}

#[test]
fn without_a_volley_the_delay_is_what_was_said() {
    let mut world = world(62);
    let server = source(&mut world, "source", &[broadcast_line(BROADCAST.into())]);
    let said = SystemConfig {
        listening: Listening {
            novolley: true,
            delay_s: Some(0.004),
            ..listening().listening
        },
        ..SystemConfig::default()
    };
    let unsaid = SystemConfig {
        listening: Listening {
            novolley: true,
            ..listening().listening
        },
        ..SystemConfig::default()
    };
    let clock = ClockConfig::wrong_by(0.01, 0.0);
    let told = listener(&mut world, "told", clock, said);
    let guessing = listener(&mut world, "guessing", clock, unsaid);
    world.run_until(14_400.0);
    assert!(world.error_s(told).abs() < 0.000_5);
    for client in [told, guessing] {
        let heard = association(&mut world, client, server);
        assert_eq!((heard.reach, heard.sent), (0o377, 0));
    }
    let known = association(&mut world, told, server).root_distance_s;
    let guessed = association(&mut world, guessing, server).root_distance_s;
    assert!(guessed > known + 0.04, "{guessed} and {known}: not honest");
}

#[test]
fn a_server_that_does_not_answer_is_heard_all_the_same() {
    let mut world = world(63);
    let server = source(&mut world, "source", &[broadcast_line(GROUP)]);
    world.set_manner(server, Manner::Silent);
    let clock = ClockConfig::wrong_by(0.01, 0.0);
    let client = listener(&mut world, "client", clock, listening());
    world.run_until(14_400.0);
    assert_eq!(association(&mut world, client, server).reach, 0o377);
    assert!(world.error_s(client).abs() < 0.001, "4 ms was assumed");
    let told = peer_events(&world, client);
    let told = told.iter().filter(|it| it.1 == PeerEvent::PathUnknown);
    assert_eq!(told.count(), 1);
}

#[test]
fn several_sources_and_the_majority_of_them() {
    let mut world = world(64);
    let group_and_net = [broadcast_line(GROUP), broadcast_line(BROADCAST.into())];
    let first = source(&mut world, "first", &group_and_net);
    let second = source(&mut world, "second", &[broadcast_line(GROUP)]);
    let wrong = [broadcast_line(BROADCAST.into())];
    let third = source_wrong_by(&mut world, "third", 0.1, &wrong);
    let clock = ClockConfig::wrong_by(0.01, 0.0);
    let client = listener(&mut world, "client", clock, listening());
    world.run_until(7200.0);
    let all = status(&mut world, client).associations;
    assert_eq!(all.len(), 3, "who sends to both is one source");
    let tally = association(&mut world, client, third).tally;
    assert_eq!(tally, Tally::Falseticker);
    for server in [first, second] {
        let tally = association(&mut world, client, server).tally;
        assert!(
            matches!(tally, Tally::SystemPeer | Tally::Candidate),
            "{tally:?}"
        );
    }
    // It followed the wrong one while that was the first it heard.
    assert!(world.error_s(client).abs() < 0.005);
}

#[test]
fn a_source_is_lost_and_found() {
    let (mut world, server, client) = settled(65);
    world.cut(server);
    let mut reaches = Vec::new();
    while world.now_s() < 9000.0 {
        world.run_until(world.now_s() + 1.0);
        let all = status(&mut world, client).associations;
        let reach = all.first().map(|it| it.reach);
        if reaches.last() != Some(&reach) {
            reaches.push(reach);
        }
    }
    assert_eq!(
        reaches.last(),
        Some(&None),
        "nobody configured it: {reaches:?}"
    );
    assert!(reaches.contains(&Some(0)));
    let told = |wanted: PeerEvent, world: &World| {
        let all = peer_events(world, client);
        all.iter().filter(|it| it.1 == wanted).count()
    };
    assert_eq!(told(PeerEvent::Unreachable, &world), 1);
    assert_eq!(told(PeerEvent::Demobilize, &world), 1);
    world.restore(server);
    world.run_until(10_800.0);
    assert_eq!(association(&mut world, client, server).reach, 0o377);
    assert_eq!(told(PeerEvent::Mobilize, &world), 2);
}

#[test]
fn another_path_is_measured_anew() {
    let (mut world, server, client) = settled(66);
    let sent = association(&mut world, client, server).sent;
    let longer = Path::new(0.024, 0.000_2);
    world.path(server, client, longer);
    world.path(client, server, longer);
    let record = world.record(client, 10_800.0, 1.0);
    let heard = association(&mut world, client, server);
    report(
        "listener, path 20 ms longer",
        &[
            ("max_ms", record.error_s.max * 1e3),
            ("sent", f64::from(heard.sent - sent)),
        ],
    );
    assert!(heard.sent > sent, "asked again");
    assert!((heard.delay_s - 0.048).abs() < 0.002, "{}", heard.delay_s);
    // Two packets pass before a third in a row makes it more than chance.
    assert!(record.error_s.max < 0.010, "{}", record.error_s.max);
    world.run_until(21_600.0);
    let after = world.record(client, 28_800.0, 10.0);
    assert!(after.error_s.rms < 0.000_3, "{}", after.error_s.rms);
}

#[test]
fn our_own_clock_is_stepped() {
    let (mut world, server, client) = settled(67);
    world.step_clock(client, NtpDuration::from_seconds(0.9));
    world.run_until(10_800.0);
    assert!(world.error_s(client).abs() < 0.001);
    let heard = association(&mut world, client, server);
    assert_eq!(heard.reach, 0o377);
    assert_eq!(world.unsolicited(client), Default::default());
}

#[test]
fn interleaved_broadcasts_are_heard() {
    let mut world = world(68);
    let line = AssociationConfig {
        interleaved: true,
        ..broadcast_line(GROUP)
    };
    let server = source(&mut world, "source", &[line]);
    let clock = ClockConfig::wrong_by(0.01, 5.0);
    let client = listener(&mut world, "client", clock, listening());
    world.run_until(7200.0);
    let record = world.record(client, 14_400.0, 10.0);
    assert_eq!(association(&mut world, client, server).reach, 0o377);
    assert!(record.error_s.rms < 0.000_2, "{}", record.error_s.rms);
}

#[test]
fn a_configured_server_is_not_doubled() {
    let mut world = world(69);
    let server = source(&mut world, "source", &[broadcast_line(GROUP)]);
    let mut config = listening();
    config.associations = crate::build::client_of(&world, &[server]).associations;
    let client = world.add(NodeConfig {
        keys: Some(campus_keys()),
        ..NodeConfig::machine("client", ClockConfig::wrong_by(0.01, 0.0), config)
    });
    world.run_until(3600.0);
    let all = status(&mut world, client).associations;
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].kind, 'u');
}

#[test]
fn a_server_that_does_not_know_the_time_says_nothing() {
    let mut world = world(70);
    let server = source(&mut world, "source", &[broadcast_line(GROUP)]);
    world.run_until(3600.0);
    assert!(world.told_to_many().is_some());
    let line_sent = |world: &mut World| {
        let all = status(world, server).associations;
        all.iter().find(|it| it.kind == 'M').map(|it| it.sent)
    };
    // Its clock is set by another: nobody knows what it shows until it is set again.
    world.step_clock(server, NtpDuration::from_seconds(-30.0));
    assert_eq!(
        status(&mut world, server).leap,
        LeapIndicator::NotSynchronized
    );
    let before = line_sent(&mut world);
    world.run_until(3605.0);
    assert_eq!(line_sent(&mut world), before);
}
