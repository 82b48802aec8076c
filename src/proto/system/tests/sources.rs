//! Selection end to end: who is followed, who is not, and what is said of it.
use super::world::{Server, World, address, config, server_line};
use crate::config::{AssociationConfig, Tos};
use crate::event::{PeerEvent, SystemEvent};
use crate::status::{PacketTest, Tally};
use truechimer_time::leap::LeapIndicator;
use truechimer_wire::ReferenceId;

fn plain(last: u8) -> AssociationConfig {
    AssociationConfig {
        iburst: false,
        ..server_line(last)
    }
}

#[test]
fn four_samples_before_the_clock_is_set() {
    let mut world = World::with_error(config(vec![server_line(1)]), 0.05);
    world.serve(1, Server::default());
    world.run_s(5.0); // requests at 0, 2, 4 s
    assert_eq!(world.with(1).map(|it| it.reach), Some(1));
    assert_eq!(world.status().leap, LeapIndicator::NotSynchronized);
    world.run_s(2.5); // and at 6 s
    let status = world.status();
    assert_eq!(status.leap, LeapIndicator::NoWarning);
    assert_eq!(status.stratum, 3);
    assert_eq!(world.tally(1), Some(Tally::SystemPeer));
    assert_eq!(
        status.reference_id,
        ReferenceId::from_octets([192, 0, 2, 1])
    );
    assert!(
        (status.offset_s - -0.05).abs() < 1e-3,
        "{}",
        status.offset_s
    );
    assert_eq!(world.peer_events(&PeerEvent::Reachable), 1);
    assert_eq!(world.peer_events(&PeerEvent::SystemPeer), 1);
}

#[test]
fn without_iburst_four_polls() {
    let mut world = World::new(config(vec![plain(1)]));
    world.serve(1, Server::default());
    world.run_s(64.0 * 2.9);
    assert_eq!(world.status().stratum, 16);
    world.run_s(64.0 * 1.4);
    assert_eq!(world.status().stratum, 3);
}

#[test]
fn reach_fills_up() {
    let mut world = World::new(config(vec![plain(1)]));
    world.serve(1, Server::default());
    world.run_s(68.0 * 8.0);
    assert_eq!(world.with(1).map(|it| it.reach), Some(0o377));
}

#[test]
fn a_falseticker_of_four() {
    let mut world = World::new(config((1..=4).map(server_line).collect()));
    for last in 1..=3 {
        world.serve(last, Server::default());
    }
    world.serve(
        4,
        Server {
            offset_s: 0.3,
            ..Server::default()
        },
    );
    world.run_s(300.0);
    assert_eq!(world.tally(4), Some(Tally::Falseticker));
    let leaders = (1..=3).filter(|last| world.tally(*last) == Some(Tally::SystemPeer));
    assert_eq!(leaders.count(), 1);
    assert!(world.status().offset_s.abs() < 0.001);
    assert!(world.error_s.abs() < 0.001);
}

#[test]
fn a_falseticker_heard_first_does_not_set_the_clock() {
    for liar in 1..=3 {
        let mut world = World::with_error(config((1..=3).map(server_line).collect()), 0.05);
        for last in 1..=3 {
            let lies = last == liar;
            let server = Server {
                offset_s: if lies { 0.3 } else { 0.0 },
                way_s: if lies { 0.0005 } else { 0.02 },
                ..Server::default()
            };
            world.serve(last, server);
        }
        for _ in 0..120 {
            world.run_s(1.0);
            assert!(world.error_s.abs() < 0.06, "{liar}: {}", world.error_s);
        }
        assert_eq!(world.tally(liar), Some(Tally::Falseticker));
        assert_eq!(world.status().stratum, 3, "set within two minutes");
    }
}

#[test]
fn two_that_disagree_are_waited_for_only_so_long() {
    let mut world = World::new(config((1..=3).map(server_line).collect()));
    for (last, offset_s) in [(1, 0.0), (2, 0.5), (3, 0.0)] {
        let server = Server {
            offset_s,
            way_s: 0.4,
            ..Server::default()
        };
        world.serve(last, server);
    }
    world.run_s(40.0);
    assert_eq!(world.status().stratum, 16, "bounds too wide to tell");
    world.run_s(200.0);
    assert_eq!(world.status().stratum, 3, "but not for ever");
}

#[test]
fn a_server_that_follows_us_is_a_loop() {
    let mut config = config(vec![server_line(1), server_line(2)]);
    config.own_addresses = vec![address(77), "127.0.0.1".parse().expect("an address")];
    let mut world = World::new(config);
    world.serve(
        1,
        Server {
            reference_id: ReferenceId::from_octets([192, 0, 2, 77]),
            ..Server::default()
        },
    );
    world.serve(
        2,
        Server {
            // An orphan's reference identifier: our loopback too, but not us.
            reference_id: ReferenceId::from_octets([127, 0, 0, 1]),
            ..Server::default()
        },
    );
    world.run_s(60.0);
    let flash = world.with(1).map(|it| it.flash);
    assert_eq!(flash, Some(PacketTest::PeerLoop.bit()));
    assert_eq!(world.tally(1), Some(Tally::Reject));
    assert_eq!(world.tally(2), Some(Tally::SystemPeer));
}

#[test]
fn floor_and_ceiling() {
    let mut config = config(vec![server_line(1), server_line(2), server_line(3)]);
    config.tos = Tos {
        floor: 2,
        ceiling: 5,
        ..Tos::default()
    };
    let mut world = World::new(config);
    for (last, stratum) in [(1, 1), (2, 4), (3, 5)] {
        world.serve(
            last,
            Server {
                stratum,
                ..Server::default()
            },
        );
    }
    world.run_s(60.0);
    assert_eq!(world.tally(1), Some(Tally::Reject));
    assert_eq!(world.tally(2), Some(Tally::SystemPeer));
    assert_eq!(world.tally(3), Some(Tally::Reject));
}

#[test]
fn nobody_follows_stratum_15() {
    assert_eq!((Tos::default().floor, Tos::default().ceiling), (0, 15));
    for ceiling in [Tos::default().ceiling, 16, 255] {
        let mut config = config(vec![server_line(1), server_line(2)]);
        config.tos.ceiling = ceiling;
        let mut world = World::new(config);
        for (last, stratum) in [(1, 15), (2, 14)] {
            world.serve(
                last,
                Server {
                    stratum,
                    ..Server::default()
                },
            );
        }
        world.run_s(60.0);
        let flash = world.with(1).map(|it| it.flash);
        assert_eq!(flash, Some(PacketTest::PeerStratum.bit()));
        assert_eq!(world.status().stratum, 15);
    }
}

#[test]
fn noselect_is_watched_only() {
    let mut line = server_line(1);
    line.noselect = true;
    let mut world = World::new(config(vec![line]));
    world.serve(1, Server::default());
    world.run_s(600.0);
    assert_eq!(world.status().stratum, 16);
    assert!(
        world
            .with(1)
            .is_some_and(|it| it.reach != 0 && it.delay_s > 0.0)
    );
}

#[test]
fn too_far_from_the_root() {
    let mut world = World::new(config(vec![server_line(1)]));
    world.serve(
        1,
        Server {
            way_s: 1.6,
            ..Server::default()
        },
    );
    world.run_s(120.0);
    let flash = world.with(1).map(|it| it.flash);
    assert_eq!(flash, Some(PacketTest::PeerDistance.bit()));
    assert_eq!(world.status().stratum, 16);
}

#[test]
fn sources_lost_time_kept() {
    let mut world = World::new(config(vec![server_line(1)]));
    world.serve(1, Server::default());
    world.run_s(300.0);
    let before = world.status();
    world.serve(
        1,
        Server {
            alive: false,
            ..Server::default()
        },
    );
    let start = world.mono;
    world.run_until(|world| world.peer_events(&PeerEvent::Unreachable) == 1);
    assert_eq!(
        world.system_events(&SystemEvent::NoSystemPeer),
        1,
        "at once, not when the last sample has left the filter"
    );
    world.run_s(40_000.0 - world.mono.seconds_since(start));
    let status = world.status();
    assert_eq!(
        status.leap,
        LeapIndicator::NoWarning,
        "as ntpd: still served"
    );
    assert_eq!(status.stratum, before.stratum);
    assert_eq!(status.system_peer, None);
    assert_eq!(world.system_events(&SystemEvent::NoSystemPeer), 1);
    assert_eq!(world.peer_events(&PeerEvent::Unreachable), 1);
    let grown_s = status.root_dispersion.to_seconds() - before.root_dispersion.to_seconds();
    assert!(
        (0.5..0.7).contains(&grown_s),
        "15 ppm of 40000 s: {grown_s}"
    );
    assert_eq!(world.with(1).map(|it| it.host_poll), Some(10), "backed off");
}

#[test]
fn the_second_of_two_equal_servers_is_refused() {
    let mut world = World::new(config(vec![server_line(1), server_line(1)]));
    world.drain();
    assert_eq!(world.members(), [1]);
    assert_eq!(world.peer_events(&PeerEvent::Demobilize), 1);
}

#[test]
fn associations_are_bounded() {
    let lines = (0..=255).chain(0..=255).enumerate().map(|(port, last)| {
        let mut line = server_line(last);
        line.port = u16::try_from(port + 1000).expect("small");
        line
    });
    let mut world = World::new(config(lines.collect()));
    world.drain();
    assert_eq!(world.status().associations.len(), 256);
    assert!(world.status().associations.iter().all(|it| it.id.0 != 0));
}

#[test]
fn a_reply_after_the_next_request_is_bogus() {
    let mut world = World::new(config(vec![plain(1)]));
    world.serve(
        1,
        Server {
            late_s: 80.0,
            ..Server::default()
        },
    );
    world.run_s(600.0);
    let it = world.with(1).expect("there");
    assert!(it.received >= 7, "{}", it.received);
    assert_eq!(it.refused[PacketTest::Bogus as usize], it.received);
    assert_eq!((it.reach, it.stratum), (0, 16));
}
