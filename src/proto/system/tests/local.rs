//! The LOCAL clock stands in when nobody else is left, and vouches for nothing but itself.
use super::world::{LOCAL, Server, World, address, config, named_line, server_line};
use crate::config::{AssociationConfig, AssociationKind, RefclockConfig, SystemConfig};
use crate::event::SystemEvent;
use crate::host::HostEvent;
use crate::status::Tally;
use truechimer_time::NtpDuration;
use truechimer_time::leap::LeapIndicator;
use truechimer_wire::ReferenceId;

fn local_clock() -> RefclockConfig {
    RefclockConfig {
        id: LOCAL,
        stratum: 10,
        reference_id: ReferenceId::from_letters("LOCL"),
        minpoll: 6,
        maxpoll: 6,
        prefer: false,
        always_true: false,
        noselect: false,
    }
}

fn with_local(associations: Vec<AssociationConfig>) -> SystemConfig {
    SystemConfig {
        refclocks: vec![local_clock()],
        ..config(associations)
    }
}

fn steered(associations: Vec<AssociationConfig>) -> SystemConfig {
    let mut config = with_local(associations);
    config.steering.enabled = true;
    config
}

fn dead() -> Server {
    Server {
        alive: false,
        ..Server::default()
    }
}

fn fed(config: SystemConfig, error_s: f64) -> World {
    let mut world = World::with_error(config, error_s);
    world.feed_local();
    world
}

#[test]
fn alone_it_leads_at_once() {
    let mut world = fed(with_local(Vec::new()), 0.0);
    world.run_s(1.0);
    let status = world.status();
    assert_eq!(status.stratum, 11);
    assert_eq!(status.leap, LeapIndicator::NoWarning);
    assert_eq!(
        status.reference_id,
        ReferenceId::from_octets([127, 127, 1, 0])
    );
    let dispersion_s = status.root_dispersion.to_seconds();
    assert!(dispersion_s < 0.1, "{dispersion_s}");
    assert_eq!(status.associations.len(), 1);
    assert_eq!(status.associations[0].kind, 'l');
    assert_eq!(status.associations[0].tally, Tally::SystemPeer);
}

#[test]
fn a_primary_clock_gives_its_own_identifier() {
    let mut config = with_local(Vec::new());
    config.refclocks[0].stratum = 0;
    let mut world = fed(config, 0.0);
    world.run_s(64.0);
    assert_eq!(world.status().stratum, 1);
    assert_eq!(
        world.status().reference_id,
        ReferenceId::from_letters("LOCL")
    );
}

#[test]
fn it_waits_for_servers_and_gives_way_to_them() {
    let mut world = fed(with_local(vec![server_line(1)]), 0.0);
    world.run_s(290.0);
    assert_eq!(world.status().stratum, 16, "the server may yet answer");
    world.run_s(150.0);
    assert_eq!(world.status().stratum, 11);
    world.serve(1, Server::default());
    world.run_s(64.0 * 40.0);
    assert_eq!(world.status().stratum, 3);
    assert_eq!(world.tally(1), Some(Tally::SystemPeer));
}

#[test]
fn how_long_it_waits_is_the_operators() {
    let mut config = with_local(vec![server_line(1)]);
    config.tos.orphan_wait_s = 30.0;
    let mut world = fed(config, 0.0);
    world.run_s(29.0);
    assert_eq!(world.status().stratum, 16);
    world.run_s(64.0);
    assert_eq!(world.status().stratum, 11);
}

#[test]
fn it_waits_for_broadcasts_too() {
    let mut config = with_local(Vec::new());
    config.listening.broadcast = true;
    let mut world = fed(config, 0.0);
    world.run_s(290.0);
    assert_eq!(world.status().stratum, 16);
    world.run_s(80.0);
    assert_eq!(world.status().stratum, 11);
}

#[test]
fn preferred_it_is_a_candidate_like_any() {
    let mut config = with_local(vec![server_line(1)]);
    config.refclocks[0].prefer = true;
    let mut world = fed(config, 0.0);
    world.run_s(64.0);
    assert_eq!(world.status().stratum, 11);
}

/// A LOCAL clock that led, gave way to server 1 long ago and has been kept waiting since.
fn given_way() -> World {
    let mut world = fed(steered(vec![server_line(1)]), 0.0);
    world.run_s(400.0);
    assert_eq!(world.status().stratum, 11);
    world.serve(1, Server::default());
    world.run_s(3600.0);
    assert_eq!(world.status().stratum, 3);
    world
}

fn waits_anew(world: &mut World, stratum: u8) {
    assert_eq!(world.status().system_peer, None);
    let lost = world.system_events(&SystemEvent::NoSystemPeer);
    assert_eq!(lost, 1);
    world.run_s(280.0);
    assert_eq!(world.status().stratum, stratum, "too early to stand in");
    world.run_s(120.0);
    assert_eq!(world.status().stratum, 11);
}

#[test]
fn it_waits_anew_after_a_step() {
    let mut world = given_way();
    world.serve(1, dead());
    world.host(HostEvent::ForeignStep(NtpDuration::from_seconds(9.0)));
    waits_anew(&mut world, 16);
}

#[test]
fn it_waits_anew_after_a_denial() {
    let mut world = given_way();
    world.serve(
        1,
        Server {
            kiss: Some("DENY"),
            ..Server::default()
        },
    );
    world.run_until(|world| world.status().system_peer.is_none());
    waits_anew(&mut world, 3);
}

#[test]
fn it_waits_anew_after_a_reload() {
    let mut world = given_way();
    world.reload(steered(vec![server_line(2)]));
    waits_anew(&mut world, 3);
}

#[test]
fn it_waits_anew_when_a_denied_pool_member_led() {
    let mut config = steered(Vec::new());
    config.associations = vec![named_line(AssociationKind::Pool, "pool.example")];
    let mut world = fed(config, 0.0);
    world
        .names
        .insert("pool.example".to_owned(), vec![address(1)]);
    world.serve(1, Server::default());
    world.run_s(3600.0);
    assert_eq!(world.tally(1), Some(Tally::SystemPeer));
    world.serve(
        1,
        Server {
            kiss: Some("DENY"),
            ..Server::default()
        },
    );
    world.run_until(|world| world.with(1).is_none());
    assert_eq!(world.status().system_peer, None);
    assert_eq!(world.system_events(&SystemEvent::NoSystemPeer), 1);
    world.run_s(280.0);
    assert_eq!(world.status().stratum, 3, "too early to stand in");
}

#[test]
fn it_spends_no_panic_pass() {
    let mut config = steered(vec![server_line(1)]);
    config.steering.allow_panic_once = true;
    let mut world = fed(config, -5000.0);
    world.run_s(900.0);
    let status = world.status();
    assert_eq!(status.stratum, 11, "it leads");
    assert_eq!(status.discipline_state, "freq_set", "and sets no clock");
    world.serve(1, Server::default());
    world.run_s(1500.0);
    assert!(world.exits.is_empty(), "{:?}", world.exits);
    assert_eq!(world.steps_s.len(), 1);
    assert!(world.error_s.abs() < 0.01, "{}", world.error_s);
}

#[test]
fn preferred_it_is_heard_while_a_server_leads() {
    let mut config = with_local(vec![server_line(1)]);
    config.refclocks[0].prefer = true;
    let mut world = World::new(config);
    world.serve(1, Server::default());
    world.run_s(300.0);
    assert_eq!(world.tally(1), Some(Tally::SystemPeer));
    world.feed_local();
    world.run_s(130.0);
    assert_eq!(world.status().stratum, 11);
    world.run_s(3600.0);
    assert_eq!(world.status().stratum, 11, "and goes on to be");
}
