//! A configuration read again: what did not change goes on.
use super::world::{Server, World, address, config, named_line, server_line};
use crate::config::{AssociationKind, SystemConfig};
use crate::event::{Event, PeerEvent, SystemEvent};
use crate::host::HostEvent;
use crate::status::Tally;
use truechimer_time::leap::LeapTable;

#[test]
fn unchanged_lines_keep_their_associations() {
    let mut world = World::new(config(vec![server_line(1), server_line(2)]));
    for last in 1..=3 {
        world.serve(last, Server::default());
    }
    world.run_s(300.0);
    let before = world.with(1).expect("there");
    world.reload(config(vec![server_line(3), server_line(1)]));
    assert_eq!(world.members(), [1, 3]);
    let after = world.with(1).expect("still there");
    assert_eq!((before.id, before.sent), (after.id, after.sent));
    assert_eq!(before.filter.len(), after.filter.len());
    assert_ne!(world.status().stratum, 16, "still synchronized");
    assert_eq!(world.peer_events(&PeerEvent::Demobilize), 1);
    assert_eq!(world.closed.len(), 1);
    // Monitors take the event for a restart of the daemon, which this is not.
    let restart = |event: &&Event| matches!(event, Event::System(SystemEvent::Restart));
    assert_eq!(world.events.iter().filter(restart).count(), 1, "the start");
    world.run_s(300.0);
    assert!(world.tally(3).is_some_and(|it| it != Tally::Reject));
}

#[test]
fn a_changed_line_begins_anew() {
    let mut world = World::new(config(vec![server_line(1)]));
    world.serve(1, Server::default());
    world.run_s(300.0);
    let before = world.with(1).expect("there");
    let mut changed = server_line(1);
    changed.minpoll = 4;
    world.reload(config(vec![changed]));
    let after = world.with(1).expect("there");
    assert_ne!(before.id, after.id);
    assert_eq!(after.host_poll, 4);
}

#[test]
fn a_pool_goes_with_its_members() {
    let pool = named_line(AssociationKind::Pool, "pool.example");
    let mut world = World::new(config(vec![pool.clone()]));
    let all = (1..=5).map(address).collect();
    world.names.insert("pool.example".to_owned(), all);
    world.run_s(60.0);
    assert_eq!(world.members(), [1, 2, 3, 4, 5]);
    world.reload(config(vec![pool]));
    assert_eq!(world.members(), [1, 2, 3, 4, 5], "unchanged");
    world.reload(config(Vec::new()));
    assert!(world.status().associations.is_empty());
}

#[test]
fn own_addresses_may_change() {
    let mut world = World::new(config(vec![server_line(1)]));
    world.serve(
        1,
        Server {
            reference_id: truechimer_wire::ReferenceId::from_octets([192, 0, 2, 77]),
            ..Server::default()
        },
    );
    world.run_s(60.0);
    assert_eq!(world.tally(1), Some(Tally::SystemPeer));
    world.host(HostEvent::OwnAddresses(vec![address(77)]));
    world.run_s(1200.0);
    assert_eq!(world.tally(1), Some(Tally::Reject));
}

#[test]
fn a_new_line_takes_its_address_from_a_pool() {
    let pool = named_line(AssociationKind::Pool, "pool.example");
    let mut world = World::new(config(vec![pool.clone()]));
    let all = (1..=3).map(address).collect();
    world.names.insert("pool.example".to_owned(), all);
    for last in 1..=3 {
        world.serve(last, Server::default());
    }
    world.run_s(60.0);
    let mut line = server_line(2);
    line.prefer = true;
    world.reload(config(vec![pool, line]));
    assert_eq!(world.members(), [1, 2, 3]);
    world.run_s(600.0);
    assert_eq!(world.tally(2), Some(Tally::SystemPeer), "preferred");
}

#[test]
fn the_denied_are_asked_again() {
    let mut world = World::new(config(vec![server_line(1)]));
    world.serve(
        1,
        Server {
            kiss: Some("DENY"),
            ..Server::default()
        },
    );
    world.run_s(600.0);
    assert_eq!(world.sent.len(), 1);
    world.serve(1, Server::default());
    world.reload(config(vec![server_line(1)]));
    world.run_s(600.0);
    assert_eq!(world.tally(1), Some(Tally::SystemPeer));
}

#[test]
fn a_leap_table_may_be_taken_away() {
    let table = LeapTable::new(vec![(1_483_228_800, 37)], i64::MAX);
    let with_table = SystemConfig {
        leap_table: table,
        ..config(vec![server_line(1)])
    };
    let mut world = World::new(with_table);
    world.serve(1, Server::default());
    world.run_s(60.0);
    assert_eq!(world.status().tai_utc_s, Some(37));
    world.reload(config(vec![server_line(1)]));
    assert_eq!(world.status().tai_utc_s, None);
}
