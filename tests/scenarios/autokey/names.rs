//! Servers that are given by name.
use super::hosts::{Host, Kind};
use super::{add, address, client_config, flags_after_s, is_reached, server_config};
use crate::build::{report, world};
use truechimer_proto::config::{AssociationConfig, Remote};

/// A name's first address is nobody's: the dance is done with the next, whose cookie and keys are its own.
#[test]
fn by_a_name_whose_first_address_is_dead() {
    let alice = Host::new("alice", Kind::Trusted, None, &[]);
    let bob = Host::new("bob", Kind::Plain, None, &[]);
    let mut world = world(43);
    add(&mut world, 1, &alice, server_config(&alice, 1));
    world.name("ntp", &[address(99), address(1)]);
    let named = AssociationConfig {
        iburst: true,
        minpoll: 3,
        maxpoll: 6,
        autokey: true,
        ..AssociationConfig::server(Remote::Name("ntp".to_owned()))
    };
    let node = add(&mut world, 2, &bob, client_config(&bob, vec![named]));
    let took_s = flags_after_s(&mut world, node, 0x7f03, 7200.0);
    report("autokey by name", &[("took_s", took_s)]);
    assert!(took_s > 0.0, "{:#?}", world.events(node));
    assert!(is_reached(&mut world, node));
}
