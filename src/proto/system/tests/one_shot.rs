//! `-q`: set the clock once and end, or say that there was nobody to set it by.
use super::world::{LOCAL, Server, World, address, config, named_line, server_line};
use crate::config::{AssociationConfig, AssociationKind, RefclockConfig, SystemConfig};
use crate::host::Exit;
use truechimer_time::leap::LeapIndicator;
use truechimer_wire::ReferenceId;

const NAME: &str = "ntp.example";

fn once(associations: Vec<AssociationConfig>) -> SystemConfig {
    let mut config = config(associations);
    config.steering.enabled = true;
    config.steering.one_shot = true;
    config
}

fn plain(last: u8) -> AssociationConfig {
    AssociationConfig {
        iburst: false,
        ..server_line(last)
    }
}

fn useless() -> Server {
    Server {
        leap: LeapIndicator::NotSynchronized,
        ..Server::default()
    }
}

#[test]
fn sets_the_clock_and_ends() {
    let mut world = World::with_error(once(vec![server_line(1)]), -0.4);
    world.serve(1, Server::default());
    world.run_s(60.0);
    assert!(matches!(
        world.exits[..],
        [Exit::OneShotDone { stepped: true, .. }]
    ));
    assert!(world.error_s.abs() < 1e-3);
}

#[test]
fn a_burst_is_implied() {
    let mut world = World::with_error(once(vec![plain(1)]), -0.4);
    world.serve(1, Server::default());
    world.run_s(20.0);
    assert!(matches!(world.exits[..], [Exit::OneShotDone { .. }]));
}

#[test]
fn the_local_clock_never_leads() {
    for prefer in [false, true] {
        let mut config = once(vec![plain(1)]);
        config.refclocks = vec![RefclockConfig {
            id: LOCAL,
            stratum: 10,
            reference_id: ReferenceId::from_letters("LOCL"),
            minpoll: 6,
            maxpoll: 6,
            prefer,
            always_true: false,
            noselect: false,
        }];
        let mut world = World::new(config);
        world.feed_local();
        world.run_s(190.0);
        assert_eq!(world.status().system_peer, None);
        assert!(world.exits.is_empty(), "the server may yet answer");
        world.run_s(60.0);
        assert_eq!(world.exits, [Exit::NoServers]);
    }
}

#[test]
fn ends_with_the_last_useless_burst() {
    let mut world = World::new(once(vec![plain(1), plain(2)]));
    world.serve(1, useless());
    world.serve(2, useless());
    world.run_s(16.0);
    assert!(world.exits.is_empty());
    world.run_s(14.0);
    assert_eq!(world.exits, [Exit::NoServers]);
    assert_eq!(world.sent.len(), 16, "eight requests each");
}

#[test]
fn a_dead_server_costs_no_more_than_three_polls() {
    let mut world = World::with_error(once(vec![plain(1), plain(2)]), -0.4);
    world.serve(2, useless());
    world.run_s(250.0);
    assert_eq!(world.exits, [Exit::NoServers]);
    assert_eq!(world.sent.len(), 8 + 3);
}

#[test]
fn the_denied_are_not_waited_for() {
    let mut world = World::new(once(vec![plain(1)]));
    world.serve(
        1,
        Server {
            kiss: Some("DENY"),
            ..Server::default()
        },
    );
    world.run_s(1.0);
    assert_eq!(world.exits, [Exit::NoServers]);
}

#[test]
fn a_name_without_address_is_given_up() {
    for kind in [AssociationKind::Server, AssociationKind::Pool] {
        let mut world = World::new(once(vec![named_line(kind, NAME)]));
        world.run_s(5.0);
        assert!(world.exits.is_empty(), "asked again");
        world.run_s(60.0);
        assert_eq!(world.exits, [Exit::NoServers]);
    }
}

#[test]
fn every_member_of_a_pool_is_tried() {
    let mut world = World::new(once(vec![named_line(AssociationKind::Pool, NAME)]));
    let all = (1..=3).map(address).collect();
    world.names.insert(NAME.to_owned(), all);
    for last in 1..=3 {
        world.serve(last, useless());
    }
    world.run_s(60.0);
    assert_eq!(world.exits, [Exit::NoServers]);
    assert_eq!(world.sent.len(), 24);
}

#[test]
fn with_nobody_to_ask_it_ends_at_once() {
    let mut world = World::new(once(Vec::new()));
    world.drain();
    assert_eq!(world.exits, [Exit::NoServers]);
}

#[test]
fn who_only_listens_waits_to_be_told() {
    let mut config = once(Vec::new());
    config.listening.broadcast = true;
    let mut world = World::new(config);
    world.run_s(600.0);
    assert_eq!(world.exits, []);
    let mut world = World::new(once(Vec::new()));
    world.run_s(600.0);
    assert_eq!(world.exits, [Exit::NoServers]);
}
