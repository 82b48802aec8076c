//! Orphan mode against scripted servers: our address is 192.0.2.77.
use super::world::{Server, World, address, config, server_line};
use crate::config::SystemConfig;
use crate::event::SystemEvent;
use crate::host::HostEvent;
use crate::status::Tally;
use truechimer_time::NtpDuration;
use truechimer_time::leap::LeapIndicator;
use truechimer_wire::ReferenceId;

const LOOPBACK: ReferenceId = ReferenceId::from_octets([127, 0, 0, 1]);

/// `tos orphan 6 orphanwait 60` with these servers, some of which are alive.
fn island(servers: &[u8]) -> SystemConfig {
    let mut config = config(servers.iter().map(|last| server_line(*last)).collect());
    config.own_addresses = vec![address(77), "127.0.0.1".parse().expect("an address")];
    config.tos.orphan = Some(6);
    config.tos.orphan_wait_s = 60.0;
    config
}

fn parent() -> Server {
    Server {
        stratum: 6,
        reference_id: LOOPBACK,
        ..Server::default()
    }
}

#[test]
fn without_a_source_our_own_clock_is_served_after_a_while() {
    let mut world = World::new(island(&[1]));
    world.run_s(59.0);
    let status = world.status();
    assert_eq!(
        (status.stratum, status.leap),
        (16, LeapIndicator::NotSynchronized)
    );
    world.run_s(2.0);
    let status = world.status();
    assert_eq!((status.stratum, status.leap), (6, LeapIndicator::NoWarning));
    assert_eq!((status.reference_id, status.system_peer), (LOOPBACK, None));
    assert!(status.root_delay.to_seconds() == 0.0);
    world.run_s(86_400.0);
    let dispersion_s = world.status().root_dispersion.to_seconds();
    assert!(
        dispersion_s < 0.001,
        "a parent does not age: {dispersion_s}"
    );
    assert_eq!(
        world.system_events(&SystemEvent::OrphanParent(6)),
        1,
        "told once"
    );
    world.serve(1, Server::default());
    world.run_until(|world| world.status().stratum == 3);
    assert_eq!(world.tally(1), Some(Tally::SystemPeer));
}

#[test]
fn at_stratum_1_it_says_loop() {
    let mut config = island(&[]);
    config.tos.orphan = Some(1);
    let mut world = World::new(config);
    world.run_s(61.0);
    let said = (world.status().stratum, world.status().reference_id);
    assert_eq!(said, (1, ReferenceId::from_letters("LOOP")));
}

#[test]
fn of_two_parents_the_lower_address_leads_and_ours_counts() {
    let mut world = World::new(island(&[5, 9, 80]));
    for last in [5, 9, 80] {
        world.serve(last, parent());
    }
    world.run_s(600.0);
    assert_eq!(world.tally(5), Some(Tally::SystemPeer));
    assert_eq!(world.tally(9), Some(Tally::Reject));
    let said = (world.status().stratum, world.status().reference_id);
    assert_eq!(said, (7, ReferenceId::from_octets([192, 0, 2, 5])));
    for last in [5, 9] {
        let gone = Server {
            alive: false,
            ..parent()
        };
        world.serve(last, gone);
    }
    world.run_until(|world| world.system_events(&SystemEvent::NoSystemPeer) == 1);
    world.run_s(58.0);
    assert_eq!(
        world.status().stratum,
        7,
        "the last word until the wait is over"
    );
    world.run_s(4.0);
    assert_eq!(
        world.status().stratum,
        6,
        "80 is above our 77, so it follows us"
    );
    assert_eq!(world.tally(80), Some(Tally::Reject));
}

#[test]
fn who_may_follow_an_orphan_is_no_source() {
    let mut world = World::new(island(&[1]));
    let server = Server {
        stratum: 7,
        ..Server::default()
    };
    world.serve(1, server);
    world.run_s(600.0);
    assert_eq!(
        (world.status().stratum, world.tally(1)),
        (6, Some(Tally::Reject))
    );
    world.serve(
        1,
        Server {
            stratum: 5,
            ..server
        },
    );
    world.run_until(|world| world.status().stratum == 6 && world.status().system_peer.is_some());
}

#[test]
fn a_step_begins_the_wait_anew() {
    let mut world = World::new(island(&[]));
    world.run_s(120.0);
    world.host(HostEvent::ForeignStep(NtpDuration::from_seconds(9.0)));
    assert_eq!(world.status().stratum, 16);
    world.run_s(59.0);
    assert_eq!(world.status().stratum, 16);
    world.run_s(2.0);
    assert_eq!(world.status().stratum, 6);
}

#[test]
fn the_configuration_begins_moves_and_ends_it() {
    let mut world = World::new(island(&[]));
    world.run_s(120.0);
    let mut moved = island(&[]);
    moved.tos.orphan = Some(9);
    world.reload(moved);
    assert_eq!(world.status().stratum, 9, "at once");
    world.reload(config(Vec::new()));
    let status = world.status();
    assert_eq!(
        (status.stratum, status.leap),
        (16, LeapIndicator::NotSynchronized)
    );
    world.run_s(600.0);
    assert_eq!(world.status().stratum, 16);
    let mut patient = island(&[]);
    patient.tos.orphan_wait_s = 0.0;
    world.reload(patient);
    assert_eq!(world.status().stratum, 6);
}

#[test]
fn who_sets_the_clock_once_is_no_orphan() {
    let mut config = island(&[1]);
    config.steering.one_shot = true;
    config.tos.orphan_wait_s = 0.0;
    let mut world = World::new(config);
    world.run_s(10.0);
    assert_eq!(world.status().stratum, 16);
}
