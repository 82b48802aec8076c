//! Who asks: groups, peers, strangers who only claim an address.
use super::super::bench::LOCAL;
use super::world::{World, field};
use crate::autokey::facts::CertificateFacts;
use crate::autokey::job::Done;
use crate::packet::{LinkId, Via};
use crate::server::{AccessRule, Manycast, Network, Policy, RestrictFlags};
use crate::server::{AutokeyOutcome, DropReason, Verdict};
use core::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use truechimer_time::{NtpDuration, NtpTimestamp};
use truechimer_wire::{AutokeyCode, Mode};

const GROUP: IpAddr = IpAddr::V4(Ipv4Addr::new(224, 0, 1, 1));

#[test]
fn a_host_of_a_group_tells_its_name_to_who_asks_it_alone() {
    let mut world = World::named("alice@one");
    for name in [&b"bob@one"[..], b"bob@two", b"bob"] {
        assert!(world.ask(AutokeyCode::Association, name).body.is_some());
    }
}

#[test]
fn a_host_of_two_groups_is_of_the_askers() {
    let mut world = World::named("alice@one");
    let own = |subject: &str, public_key: &[u8]| {
        Arc::new(CertificateFacts {
            der: Arc::new([]),
            subject: subject.to_owned(),
            issuer: subject.to_owned(),
            serial: 1,
            not_before_s: 0,
            not_after_s: 1,
            trusted: true,
            private: false,
            signature_nid: 668,
            public_key: public_key.into(),
            signature_len: 64,
            gq_public: None,
            filestamp: 6,
        })
    };
    let mut host = (*world.service.host).clone();
    host.certificates = vec![
        own("alice@one", b"ours"),
        own("alice@two", b"ours"),
        own("dave@three", b"his"),
    ];
    host.groups = ["one", "two"].map(str::to_owned).into();
    world.service.host = Arc::new(host);
    for (asker, name) in [
        ("bob@one", "alice@one"),
        ("bob@two", "alice@two"),
        ("bob@three", "alice@one"),
        ("bob", "alice@one"),
    ] {
        let said = world.ask(AutokeyCode::Association, asker.as_bytes());
        let (_, _, value) = said.body.expect("a name");
        assert_eq!(String::from_utf8_lossy(&value), name, "{asker}");
    }
    world.bench.via = Via::Many {
        to: GROUP,
        link: LinkId(1),
        local: LOCAL,
    };
    world.bench.policy = Policy::default().with_manycast(Manycast::new([GROUP], false));
    let said = world.ask(AutokeyCode::Association, b"bob@two");
    assert!(said.body.is_some());
    let refused = Verdict::Drop(DropReason::AutokeyGroup);
    let other = world.ask_for(AutokeyCode::Association, b"bob@three");
    assert_eq!(other, refused);
}

#[test]
fn strangers_of_all_the_world_are_answered_only_if_the_operator_insists() {
    let mut world = World::new();
    world.bench.via = Via::Server(([9, 9, 9, 9], 123).into());
    let fields = field(AutokeyCode::Association, b"bob");
    let octets = world.request(Mode::Client, &fields, 0);
    // A crypto-NAK, as from any host without Autokey.
    assert_eq!(world.answer(&octets), Verdict::Reply(52));
    world.service.insecure = true;
    assert!(world.ask(AutokeyCode::Association, b"bob").body.is_some());
}

#[test]
fn a_search_in_a_group_is_answered_to_members() {
    let mut world = World::named("alice@one");
    world.bench.via = Via::Many {
        to: GROUP,
        link: LinkId(1),
        local: LOCAL,
    };
    world.bench.policy = Policy::default().with_manycast(Manycast::new([GROUP], false));
    let refused = Verdict::Drop(DropReason::AutokeyGroup);
    for name in [&b"bob"[..], b"bob@two"] {
        assert_eq!(world.ask_for(AutokeyCode::Association, name), refused);
    }
    let said = world.ask(AutokeyCode::Association, b"bob@one");
    assert!(said.body.is_some());
    // A wrong session key is no reason to complain to a group.
    let fields = field(AutokeyCode::Association, b"bob@one");
    let octets = world.request(Mode::Client, &fields, 1);
    assert_eq!(world.answer(&octets), Verdict::Drop(DropReason::Unproven));
}

#[test]
fn a_peer_is_handed_over_once_it_shows_that_it_was_heard() {
    let mut world = World::new();
    let fields = field(AutokeyCode::Association, b"bob");
    let none = RestrictFlags::NONE;
    world.bench.policy = Policy::new([AccessRule::new(Network::ANY_V4, none)], None);
    let octets = world.request(Mode::SymmetricActive, &fields, 0);
    let verdict = world.answer(&octets);
    assert_eq!(verdict, Verdict::Reply(68), "the time alone");
    let stamp = world.bench.out[40..48].try_into().expect("eight octets");
    world.heard = NtpTimestamp::from_bits(u64::from_be_bytes(stamp));
    let octets = world.request(Mode::SymmetricActive, &fields, 0);
    assert_eq!(world.answer(&octets), Verdict::HandOff);
    world.bench.policy = Policy::default();
    assert_eq!(world.answer(&octets), Verdict::Reply(68), "noepeer");
}

#[test]
fn an_unproven_address_gets_no_long_answer_and_costs_no_key() {
    let mut world = World::new();
    let most = 3 * (HEADER + 32 + 20);
    let said = world.ask(AutokeyCode::Certificate, b"alice");
    assert_eq!((said.body, said.is_error), (None, false));
    assert!(said.len <= most);
    // What it got proves it.
    let said = world.ask(AutokeyCode::Certificate, b"alice");
    assert!(said.body.is_some() && said.len > most, "{}", said.len);

    world.heard = NtpTimestamp::ZERO;
    let asked = [
        (AutokeyCode::Cookie, &[0x30; 74][..]),
        (AutokeyCode::Sign, &[0x30; 300]),
        (AutokeyCode::Iff, &[7; 20]),
    ];
    for (code, value) in asked {
        world.heard = NtpTimestamp::ZERO;
        let said = world.ask(code, value);
        assert_eq!((said.body, said.is_error), (None, false), "{code:?}");
        assert_eq!(world.ask_for(code, value), Verdict::Park);
        let parked = world.parked();
        let value = super::world::signed(1, &[1]);
        assert!(world.finish(&parked, &Done::Value(value)).is_some());
    }
    let counters = world.bench.responder.counters();
    assert_eq!(counters.autokey(AutokeyOutcome::Unproven), 4);
    assert_eq!(counters.autokey(AutokeyOutcome::Parked), 3);
}

/// Octets of a header.
const HEADER: usize = 48;

#[test]
fn a_stamp_of_somebody_else_proves_nothing() {
    let mut world = World::new();
    let mut parked = 0;
    for number in 0..200 {
        world.bench.source.set_ip([198, 51, 100, number].into());
        world.heard = NtpTimestamp::ZERO;
        world.introduce();
        world.bench.source.set_ip([203, 0, 113, number].into());
        if world.ask_for(AutokeyCode::Cookie, &[0x30; 74]) == Verdict::Park {
            parked += 1;
        }
    }
    assert!(parked <= 5, "one in 256, and not {parked} of 200");
}

#[test]
fn an_old_stamp_proves_nothing_any_more() {
    let mut world = World::new();
    world.introduce();
    let later = NtpDuration::from_seconds(9000.0);
    world.bench.now.wall = world.bench.now.wall.plus(later);
    world.bench.arrived = world.bench.arrived.plus(later);
    let said = world.ask(AutokeyCode::Cookie, &[0x30; 74]);
    assert!(said.body.is_none());
}
