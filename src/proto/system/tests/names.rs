//! Named servers: found, lost, moved.
use super::looked_up;
use super::world::{Server, World, address, config, named_line, server_line};
use crate::config::AssociationConfig;
use crate::config::AssociationKind::Server as Line;
use crate::event::{PeerEvent, SystemEvent};
use crate::host::{HostEvent, Output};
use crate::packet::SendFailure;
use crate::status::Tally;
use core::net::IpAddr;

const NAME: &str = "ntp.example";

fn named() -> World {
    World::new(config(vec![named_line(Line, NAME)]))
}

#[test]
fn the_first_address_is_used() {
    let mut world = named();
    world
        .names
        .insert(NAME.to_owned(), vec![address(1), address(2)]);
    world.serve(1, Server::default());
    world.serve(2, Server::default());
    world.run_s(60.0);
    assert_eq!(world.members(), [1]);
    assert_eq!(world.tally(1), Some(Tally::SystemPeer));
    assert_eq!(world.asked.len(), 1);
    world.run_s(4000.0);
    assert_eq!(
        world.asked.len(),
        1,
        "no need to ask again while it answers"
    );
    assert_eq!(world.with(1).map(|it| it.name), Some(NAME.to_owned()));
}

#[test]
fn a_dead_name_is_asked_for_again_and_told_once() {
    let mut world = named();
    world.run_s(600.0);
    let event = SystemEvent::NameNotResolved(NAME.to_owned());
    assert_eq!(world.system_events(&event), 1);
    assert!(
        (6..=9).contains(&world.asked.len()),
        "{}",
        world.asked.len()
    );
    assert!(world.sent.is_empty());
    world.names.insert(NAME.to_owned(), vec![address(1)]);
    world.serve(1, Server::default());
    world.run_s(1100.0);
    assert_eq!(world.tally(1), Some(Tally::SystemPeer));
}

#[test]
fn a_server_that_moved_is_followed() {
    let mut world = named();
    world.names.insert(NAME.to_owned(), vec![address(1)]);
    world.serve(1, Server::default());
    world.run_s(600.0);
    world.serve(
        1,
        Server {
            alive: false,
            ..Server::default()
        },
    );
    world.names.insert(NAME.to_owned(), vec![address(2)]);
    world.serve(2, Server::default());
    world.run_s(12_000.0);
    assert_eq!(world.members(), [2]);
    assert_eq!(world.tally(2), Some(Tally::SystemPeer));
    assert_eq!(world.peer_events(&PeerEvent::Restart), 1);
}

#[test]
fn an_address_outlives_its_name() {
    let mut world = named();
    world.names.insert(NAME.to_owned(), vec![address(1)]);
    world.serve(1, Server::default());
    world.run_s(600.0);
    world.names.clear();
    world.serve(
        1,
        Server {
            alive: false,
            ..Server::default()
        },
    );
    world.run_s(12_000.0);
    assert_eq!(world.members(), [1], "kept though the name is gone");
    world.serve(1, Server::default());
    world.run_s(3000.0);
    assert_eq!(world.tally(1), Some(Tally::SystemPeer));
}

#[test]
fn two_names_of_one_server_share_its_addresses() {
    let lines = vec![server_line(1), named_line(Line, NAME)];
    let mut world = World::new(config(lines));
    world
        .names
        .insert(NAME.to_owned(), vec![address(1), address(2)]);
    world.run_s(10.0);
    assert_eq!(world.members(), [1, 2]);
}

/// Ten seconds in which every request to a listed address has no route; returns how many.
fn without_route(world: &mut World, unroutable: &[IpAddr]) -> usize {
    let mut failed = 0;
    for _ in 0..100 {
        let now = world.now();
        world.system.handle_timeout(now);
        while let Some(output) = world.system.poll_output() {
            match output {
                Output::Send(transmit) if unroutable.contains(&transmit.to.ip()) => {
                    failed += 1;
                    let failure = SendFailure::Unreachable;
                    world
                        .system
                        .handle_send_failure(now, transmit.ticket, failure);
                }
                Output::Resolve(resolve) => {
                    let event = HostEvent::Resolved {
                        request: resolve.request,
                        outcome: looked_up(&world.names, NAME),
                    };
                    world.system.handle_host(now, event);
                }
                _ => {}
            }
        }
        world.mono = world.mono.plus_seconds(0.1);
    }
    failed
}

#[test]
fn the_next_address_when_there_is_no_route() {
    let mut world = named();
    let v6 = "2001:db8::1".parse().expect("an address");
    world.names.insert(NAME.to_owned(), vec![v6, address(2)]);
    assert_eq!(without_route(&mut world, &[v6]), 1);
    assert_eq!(world.members(), [2]);
}

#[test]
fn without_any_route_it_does_not_spin() {
    let mut world = named();
    let all = vec![address(1), address(2)];
    world.names.insert(NAME.to_owned(), all.clone());
    assert_eq!(without_route(&mut world, &all), 2);
}

/// Where requests go in so many seconds, if every one is at once said to be unanswerable and the
/// first is answered after that, or not.
fn asked_while_refused(seconds: u32, first_answers: bool) -> Vec<IpAddr> {
    let mut world = named();
    let known = vec![address(1), address(2)];
    world.names.insert(NAME.to_owned(), known);
    if first_answers {
        world.serve(1, Server::default());
    }
    let mut asked = Vec::new();
    for _ in 0..seconds * 10 {
        let now = world.now();
        world.system.handle_timeout(now);
        while let Some(output) = world.system.poll_output() {
            match output {
                Output::Send(transmit) => {
                    asked.push(transmit.to.ip());
                    world.system.handle_unreachable(now, &transmit.ticket);
                    world.transmit(transmit);
                }
                Output::Resolve(resolve) => {
                    let event = HostEvent::Resolved {
                        request: resolve.request,
                        outcome: looked_up(&world.names, NAME),
                    };
                    world.system.handle_host(now, event);
                }
                _ => {}
            }
        }
        world.mono = world.mono.plus_seconds(0.1);
    }
    asked
}

#[test]
fn a_refusal_costs_no_answer_but_ends_the_wait_for_one() {
    let (first, second) = (address(1), address(2));
    let asked = asked_while_refused(30, false);
    assert_eq!(asked, [first, second]);
    let asked = asked_while_refused(30, true);
    assert!(asked.len() > 6, "a burst: {asked:?}");
    assert!(asked.iter().all(|it| *it == first), "{asked:?}");
}

#[test]
fn questions_out_are_bounded() {
    let lines = (0..100).map(|n| named_line(Line, &format!("{n}.example")));
    let mut world = World::new(config(lines.collect()));
    let now = world.now();
    world.system.handle_timeout(now);
    let mut asked = 0;
    while let Some(output) = world.system.poll_output() {
        asked += usize::from(matches!(output, Output::Resolve(_)));
    }
    assert_eq!(asked, 16);
}

#[test]
fn another_known_address_is_tried_while_dns_is_down() {
    let mut world = named();
    let all = vec![address(1), address(2), address(3)];
    world.names.insert(NAME.to_owned(), all);
    world.serve(1, Server::default());
    world.serve(3, Server::default());
    world.run_s(600.0);
    world.names.clear();
    world.servers.remove(&address(1));
    world.run_s(5000.0);
    assert_eq!(world.members(), [3]);
    assert_eq!(world.tally(3), Some(Tally::SystemPeer));
    world.servers.remove(&address(3));
    world.serve(1, Server::default());
    world.run_s(20_000.0);
    assert_eq!(world.members(), [1], "round to the first again");
    assert_eq!(world.tally(1), Some(Tally::SystemPeer));
}

#[test]
fn a_denial_leads_to_the_next_address() {
    let mut world = named();
    world
        .names
        .insert(NAME.to_owned(), vec![address(1), address(2)]);
    let denies = Server {
        kiss: Some("DENY"),
        ..Server::default()
    };
    world.serve(1, denies);
    world.serve(2, Server::default());
    world.run_s(60.0);
    assert_eq!(world.tally(2), Some(Tally::SystemPeer));
    world.serve(2, denies);
    world.run_s(2000.0);
    let sent = world.sent.len();
    world.run_s(20_000.0);
    assert_eq!(world.sent.len(), sent, "nobody left to ask");
}

#[test]
fn a_rate_kiss_stays_with_its_address() {
    let mut world = named();
    world.names.insert(NAME.to_owned(), vec![address(1)]);
    world.serve(
        1,
        Server {
            kiss: Some("RATE"),
            ..Server::default()
        },
    );
    world.run_s(60.0);
    assert_eq!(world.with(1).map(|it| it.host_poll), Some(7));
    world.servers.clear();
    world.names.insert(NAME.to_owned(), vec![address(2)]);
    world.run_until(|world| world.with(2).is_some());
    assert_eq!(world.with(2).map(|it| it.host_poll), Some(6));
}

#[test]
fn a_name_takes_its_address_from_a_pool() {
    let mut world = World::new(config(vec![
        named_line(crate::config::AssociationKind::Pool, "pool.example"),
        named_line(Line, NAME),
    ]));
    world
        .names
        .insert("pool.example".to_owned(), vec![address(1), address(2)]);
    world.serve(1, Server::default());
    world.serve(2, Server::default());
    world.run_s(10.0);
    assert_eq!(world.members(), [1, 2]);
    world.names.insert(NAME.to_owned(), vec![address(1)]);
    world.run_s(300.0);
    assert_eq!(world.members(), [1, 2]);
    assert_eq!(world.with(1).map(|it| it.name), Some(NAME.to_owned()));
}

/// Whatever comes first, and whichever is given by name.
#[test]
fn a_named_server_that_is_a_peer_too() {
    let peer = crate::config::AssociationKind::Peer;
    let by_address = AssociationConfig {
        kind: peer,
        ..server_line(1)
    };
    for lines in [
        vec![by_address.clone(), named_line(Line, NAME)],
        vec![named_line(Line, NAME), by_address],
        vec![named_line(peer, NAME), server_line(1)],
    ] {
        let mut world = World::new(config(lines));
        world.names.insert(NAME.to_owned(), vec![address(1)]);
        world.serve(1, Server::default());
        world.run_s(60.0);
        let remotes = world.status().associations.into_iter();
        let remotes: Vec<_> = remotes.map(|it| it.remote.map(|it| it.ip())).collect();
        assert_eq!(remotes, [Some(address(1)); 2]);
    }
}
