//! Pools fill up, drop the useless, and survive the loss of DNS.
use super::world::{Server, World, address, config, named_line, server_line};
use crate::config::AssociationKind::Pool;
use crate::config::{SystemConfig, Tos};
use crate::event::PeerEvent;
use crate::status::Tally;
use core::net::IpAddr;

const NAME: &str = "pool.example";

fn pool(maxclock: usize) -> SystemConfig {
    SystemConfig {
        tos: Tos {
            maxclock,
            ..Tos::default()
        },
        ..config(vec![named_line(Pool, NAME)])
    }
}

fn addresses(lasts: core::ops::RangeInclusive<u8>) -> Vec<IpAddr> {
    lasts.map(address).collect()
}

fn filled(maxclock: usize) -> World {
    let mut world = World::new(pool(maxclock));
    world.names.insert(NAME.to_owned(), addresses(1..=20));
    for last in 1..=20 {
        world.serve(last, Server::default());
    }
    world
}

#[test]
fn fills_up_to_maxclock_one_by_one() {
    let mut world = filled(6);
    world.run_s(2.5);
    assert_eq!(world.members(), [1, 2, 3]);
    world.run_s(5000.0);
    assert_eq!(world.members(), [1, 2, 3, 4, 5, 6]);
    let status = world.status();
    assert_eq!(status.stratum, 3);
    let template = &status.associations.iter().find(|it| it.kind == 'p');
    assert_eq!(template.map(|it| it.name.as_str()), Some(NAME));
    assert_eq!(world.asked.len(), 1);
}

#[test]
fn configured_servers_count_too() {
    let mut config = pool(4);
    config.associations.push(server_line(100));
    let mut world = World::new(config);
    world.names.insert(NAME.to_owned(), addresses(1..=9));
    for last in (1..=9).chain([100]) {
        world.serve(last, Server::default());
    }
    world.run_s(600.0);
    assert_eq!(world.members(), [1, 2, 3, 100]);
}

#[test]
fn the_dead_are_replaced() {
    let mut world = filled(4);
    for last in [2, 3] {
        world.serve(
            last,
            Server {
                alive: false,
                ..Server::default()
            },
        );
    }
    world.run_s(8000.0);
    assert_eq!(world.members(), [1, 4, 5, 6]);
    assert_eq!(world.peer_events(&PeerEvent::Demobilize), 2);
    assert_eq!(world.closed.len(), 2);
}

#[test]
fn falsetickers_are_replaced() {
    let mut world = filled(4);
    world.serve(
        2,
        Server {
            offset_s: 3.0,
            ..Server::default()
        },
    );
    world.run_s(8000.0);
    assert_eq!(world.members(), [1, 3, 4, 5]);
}

#[test]
fn the_denied_are_replaced_at_once() {
    let mut world = filled(4);
    world.run_s(30.0);
    world.serve(
        2,
        Server {
            kiss: Some("DENY"),
            ..Server::default()
        },
    );
    world.run_s(200.0);
    assert_eq!(world.members(), [1, 3, 4, 5]);
}

#[test]
fn last_known_addresses_are_kept_when_dns_fails() {
    let mut world = World::new(pool(4));
    world.names.insert(NAME.to_owned(), addresses(1..=4));
    for last in 1..=4 {
        world.serve(last, Server::default());
    }
    world.run_s(600.0);
    world.names.clear();
    for last in 1..=4 {
        world.serve(
            last,
            Server {
                alive: false,
                ..Server::default()
            },
        );
    }
    world.run_s(20_000.0);
    assert_eq!(world.members(), [1, 2, 3, 4], "nothing better is known");
    let before = world.sent.len();
    world.run_s(5000.0);
    assert!(world.sent.len() > before + 12, "and they are still tried");
    for last in 1..=4 {
        world.serve(last, Server::default());
    }
    world.run_s(3000.0);
    let led = (1..=4).any(|last| world.tally(last) == Some(Tally::SystemPeer));
    assert!(led);
}

#[test]
fn used_up_addresses_are_asked_for_anew() {
    let mut world = World::new(pool(4));
    world.names.insert(NAME.to_owned(), addresses(1..=2));
    for last in 1..=9 {
        world.serve(last, Server::default());
    }
    world.run_s(100.0);
    assert_eq!(world.members(), [1, 2]);
    world.names.insert(NAME.to_owned(), addresses(3..=9));
    world.run_s(600.0);
    assert_eq!(world.members(), [1, 2, 3, 4]);
    let asked = world.asked.len();
    assert!(asked <= 4, "{asked}");
}

#[test]
fn questions_become_rare_while_they_bring_nothing() {
    let mut world = World::new(pool(4));
    world.names.insert(NAME.to_owned(), addresses(1..=2));
    for last in 1..=2 {
        world.serve(last, Server::default());
    }
    world.run_s(86_400.0);
    let asked = world.asked.len();
    assert!((60..120).contains(&asked), "about every 1024 s: {asked}");
}

#[test]
fn few_survivors_call_for_more_than_maxclock() {
    // Three agree with nobody: no survivors, so more are tried, slowly, up to twice maxclock.
    let mut world = World::new(pool(3));
    world.names.insert(NAME.to_owned(), addresses(1..=20));
    for last in 1..=20 {
        world.serve(
            last,
            Server {
                offset_s: f64::from(last),
                ..Server::default()
            },
        );
    }
    world.run_s(500.0);
    let many = world.members().len();
    assert!(many > 3 && many <= 6, "{many}");
}

#[test]
fn we_do_not_ask_ourselves() {
    let mut config = pool(4);
    config.own_addresses = vec![address(1)];
    let mut world = World::new(config);
    world.names.insert(NAME.to_owned(), addresses(1..=3));
    world.run_s(60.0);
    assert_eq!(world.members(), [2, 3]);
}

#[test]
fn preemptible_servers_go_when_there_are_too_many() {
    let lines = (1..=5).map(|last| {
        let mut line = server_line(last);
        line.preempt = true;
        line
    });
    let mut config = config(lines.collect());
    config.tos.maxclock = 3;
    let mut world = World::new(config);
    for last in 1..=5 {
        world.serve(
            last,
            Server {
                offset_s: if last <= 3 { 0.0 } else { 0.004 },
                ..Server::default()
            },
        );
    }
    world.run_s(20_000.0);
    assert_eq!(world.members(), [1, 2, 3]);
}

#[test]
fn a_name_that_brought_a_good_member_may_be_asked_again_soon() {
    let mut world = World::new(pool(4));
    world.names.insert(NAME.to_owned(), addresses(1..=1));
    world.serve(1, Server::default());
    // Only one address: asked ever more seldom, by now about every 1024 s.
    world.run_s(20_000.0);
    world.names.insert(NAME.to_owned(), addresses(1..=2));
    world.serve(2, Server::default());
    world.run_until(|world| world.with(2).is_some_and(|it| it.reach != 0));
    world.names.insert(NAME.to_owned(), addresses(3..=3));
    world.run_s(1024.0 + 200.0);
    let asked = world.asked.len();
    world.run_s(300.0);
    assert!(world.members().contains(&3));
    assert!(world.asked.len() > asked, "{asked}");
}
