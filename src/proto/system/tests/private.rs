//! Private messages asked of a whole system: who gets what, what is changed, and what never leaves.
mod afar;

use super::world::{Server, World, config, server_line};
use crate::association::tests::Ring;
use crate::authentication::KeyId;
use crate::config::SystemConfig;
use crate::control::{
    ControlConfig, ControlReply, ControlRequest, Done, NoFacts, Operation, PrivateConfig,
    Relaxation, Task,
};
use crate::host::{HostEvent, Output};
use crate::server::{Network, Policy, RestrictFlags};
use core::net::SocketAddr;
use std::sync::Arc;
use truechimer_time::{NtpDuration, NtpTimestamp};
use truechimer_wire::private::{
    AddressItem, ControlItem, Implementation, KeyNumber, PeerChange, PeerItem, PeerListItem,
    PeerStatsItem, PeerSummaryItem, PrivateCode, PrivateError, PrivateItem, PrivateMessage,
    PrivateRequest, RestrictChange, RestrictItem, SystemFlags, SystemItem, SystemStatsItem,
    peer_flags,
};

const HERE: &str = "127.0.0.1:5000";
const AFAR: &str = "192.0.2.99:5000";
const NEW: Implementation = Implementation::Current;

fn world_with(private: Option<PrivateConfig>, policy: Policy) -> World {
    let control = ControlConfig {
        key: KeyId::symmetric(8),
        private,
        ..ControlConfig::default()
    };
    let mut world = World::new(SystemConfig {
        control,
        access: Arc::new(policy),
        ..config(vec![server_line(1), server_line(2)])
    });
    for last in [1, 2] {
        world.serve(last, Server::default());
    }
    world.run_s(120.0);
    world
}

fn world() -> World {
    let key = KeyId::symmetric(7);
    world_with(Some(PrivateConfig { key, flags: 0x46 }), Policy::default())
}

fn send(world: &mut World, from: &str, octets: &[u8], flags: RestrictFlags) -> Vec<Output> {
    world.drain();
    world.control.clear();
    let now = world.now();
    let request = ControlRequest {
        octets,
        source: from.parse().expect("an address"),
        local: SocketAddr::from(([127, 0, 0, 1], 123)),
        flags,
        arrived: now.wall,
    };
    world.system.handle_control(now, &request, &NoFacts);
    world.drain();
    core::mem::take(&mut world.control)
}

fn reply(outputs: &[Output]) -> Option<&ControlReply> {
    outputs.iter().find_map(|output| match output {
        Output::Control(reply) => Some(reply),
        _ => None,
    })
}

/// The items of an answer, or why there are none; `None` is silence.
fn items<I: PrivateItem>(outputs: &[Output]) -> Option<Result<Vec<I>, PrivateError>> {
    let reply = reply(outputs)?;
    let mut all = Vec::new();
    for datagram in &reply.datagrams {
        let message = PrivateMessage::new_checked(datagram).expect("well formed");
        assert!(message.header().is_response && datagram.len() <= 508);
        if let Some(error) = message.header().error {
            return Some(Err(error));
        }
        all.extend(message.read::<I>());
    }
    Some(Ok(all))
}

fn ask<I: PrivateItem>(world: &mut World, code: PrivateCode) -> Result<Vec<I>, PrivateError> {
    let octets = PrivateRequest::plain(NEW, code).to_octets();
    items(&send(world, HERE, &octets, RestrictFlags::NONE)).expect("an answer")
}

fn sealed(request: &PrivateRequest, key: u32, stamp: NtpTimestamp) -> Vec<u8> {
    let mut octets = request.to_seal(stamp, 16);
    let digest = Ring::digest(key, &octets);
    octets.extend_from_slice(&key.to_be_bytes());
    octets.extend_from_slice(&digest);
    octets
}

fn change<I: PrivateItem>(world: &mut World, code: PrivateCode, all: &[I]) -> Vec<Output> {
    // Two requests of one moment are a copy of each other.
    world.run_s(0.01);
    let octets = sealed(&PrivateRequest::new(NEW, code, all), 7, world.now().wall);
    send(world, HERE, &octets, RestrictFlags::NONE)
}

fn task(outputs: &[Output]) -> Option<&Operation> {
    outputs.iter().find_map(|output| match output {
        Output::Operate(operation) => Some(operation),
        _ => None,
    })
}

fn lines<I: PrivateItem>(world: &mut World, code: PrivateCode, all: &[I]) -> String {
    let outputs = change(world, code, all);
    match task(&outputs).map(|it| &it.what) {
        Some(Task::Configure(lines)) => lines.clone(),
        other => panic!("{other:?}, {outputs:?}"),
    }
}

fn error(outputs: &[Output]) -> Option<PrivateError> {
    items::<KeyNumber>(outputs).and_then(Result::err)
}

#[test]
fn not_enabled_nobody_is_answered() {
    let mut world = world_with(None, Policy::default());
    let octets = PrivateRequest::plain(NEW, PrivateCode::SystemInfo).to_octets();
    assert!(send(&mut world, HERE, &octets, RestrictFlags::NONE).is_empty());
    assert_eq!(world.system.control_counts().ignored, 1);
}

#[test]
fn the_clock_and_its_peers_are_shown() {
    let mut world = world();
    let system = ask::<SystemItem>(&mut world, PrivateCode::SystemInfo).expect("an item");
    let system = system.first().expect("an item");
    assert_eq!((system.leap, system.flags, system.peer_mode), (0, 0x46, 3));
    assert!(system.stratum < 16);
    let peers = ask::<PeerSummaryItem>(&mut world, PrivateCode::PeerSummary).expect("items");
    assert_eq!(peers.len(), 2);
    let leads = |it: &&PeerSummaryItem| u16::from(it.flags) & peer_flags::SYSTEM_PEER != 0;
    let leader = peers.iter().find(leads).expect("one leads");
    assert_eq!(leader.remote(), system.peer());
    assert_eq!((leader.mode, leader.port), (3, 123));
    assert!(leader.reach != 0);
    let list = ask::<PeerListItem>(&mut world, PrivateCode::PeerList).expect("items");
    assert_eq!(list.len(), 2);

    let both = [
        PeerListItem::named(leader.remote(), 123),
        PeerListItem::named([10, 9, 9, 9].into(), 123),
    ];
    let octets = PrivateRequest::new(NEW, PrivateCode::PeerInfo, &both).to_octets();
    let outputs = send(&mut world, HERE, &octets, RestrictFlags::NONE);
    let found = items::<PeerItem>(&outputs)
        .expect("an answer")
        .expect("one");
    assert_eq!(found.len(), 1, "the other is nobody");
    assert_eq!(found[0].transmit, NtpTimestamp::ZERO, "a nonce");
    assert!(!found[0].arrived.is_zero() && found[0].stratum == leader.stratum);
    let octets = PrivateRequest::new(NEW, PrivateCode::PeerStats, &both).to_octets();
    let outputs = send(&mut world, HERE, &octets, RestrictFlags::NONE);
    let found = items::<PeerStatsItem>(&outputs)
        .expect("an answer")
        .expect("one");
    assert!(found[0].sent > 0 && found[0].received > 0);
    let octets = PrivateRequest::new(NEW, PrivateCode::PeerInfo, &both[1..]).to_octets();
    let outputs = send(&mut world, HERE, &octets, RestrictFlags::NONE);
    assert_eq!(error(&outputs), Some(PrivateError::NoData));
    let rules = ask::<RestrictItem>(&mut world, PrivateCode::RestrictList).expect("items");
    assert_eq!(rules.len(), 4);
}

#[test]
fn everything_without_arguments_is_answered_and_lists_of_clients_are_not() {
    let mut world = world();
    for number in 0..=255 {
        let code = PrivateCode::from_number(number);
        let octets = PrivateRequest::plain(NEW, code).to_octets();
        let outputs = send(&mut world, HERE, &octets, RestrictFlags::NONE);
        let answer = items::<KeyNumber>(&outputs).expect("an answer");
        let wanted = match number {
            0 | 1 | 4..=9 | 16 | 28 | 34 => Ok(()),
            29 | 38 => Err(PrivateError::NoData),
            23 | 44 => Err(PrivateError::Permission),
            10..=13 | 17..=19 | 26 | 27 | 30..=33 | 37 | 2 | 3 | 36 | 39 => {
                Err(PrivateError::Format)
            }
            _ => Err(PrivateError::Request),
        };
        assert_eq!(answer.map(drop), wanted, "{code:?}");
    }
}

#[test]
fn what_is_no_request_is_never_answered() {
    let mut world = world();
    let good = PrivateRequest::plain(NEW, PrivateCode::SystemInfo).to_octets();
    for (place, bits) in [
        (0, 0x80),
        (0, 0x40),
        (0, 0x38),
        (1, 1),
        (4, 0x10),
        (6, 0x10),
    ] {
        let mut octets = good.clone();
        octets[place] |= bits;
        let outputs = send(&mut world, HERE, &octets, RestrictFlags::NONE);
        assert!(outputs.is_empty(), "{place} {bits:#x}");
    }
    let mut octets = good.clone();
    octets[2] = 9;
    let outputs = send(&mut world, HERE, &octets, RestrictFlags::NONE);
    assert_eq!(error(&outputs), Some(PrivateError::Implementation));
    for len in 0..8 {
        assert!(send(&mut world, HERE, &good[..len], RestrictFlags::NONE).is_empty());
    }
}

#[test]
fn changes_become_lines() {
    let mut world = world();
    let mut peer = PeerChange {
        mode: 3,
        version: 4,
        minpoll: 6,
        maxpoll: 10,
        ..PeerChange::default()
    };
    peer.set_remote([195, 220, 94, 163].into());
    let outputs = change(&mut world, PrivateCode::AddPeer, &[peer]);
    assert!(reply(&outputs).is_none(), "not done yet");
    let Operation { id, what, asker } = task(&outputs).expect("a task").clone();
    assert_eq!(what, Task::Configure("server 195.220.94.163".to_owned()));
    assert_eq!(asker.to_string(), HERE);
    for (succeeded, wanted) in [(true, Ok(Vec::new())), (false, Err(PrivateError::NoData))] {
        let outputs = change(&mut world, PrivateCode::AddPeer, &[peer]);
        let done = Done {
            id: task(&outputs).expect("a task").id,
            succeeded,
            text: String::new(),
            saved: None,
        };
        world.control.clear();
        world.host(HostEvent::Operated(done));
        let outputs = core::mem::take(&mut world.control);
        assert_eq!(items::<KeyNumber>(&outputs), Some(wanted));
    }
    assert_ne!(id.0, 0);

    let mut rule = RestrictChange {
        flags: 0x104,
        ..RestrictChange::default()
    };
    rule.set_network([192, 168, 231, 0].into(), [255, 255, 255, 0].into());
    let code = PrivateCode::AddRestriction;
    assert_eq!(
        lines(&mut world, code, &[rule]),
        "restrict 192.168.231.0 mask 255.255.255.0 notrust nomodify"
    );
    let flags = [SystemFlags { bits: 0x10 }];
    let said = lines(&mut world, PrivateCode::ClearFlags, &flags);
    assert_eq!(said, "disable monitor");
    let keys = [KeyNumber(7), KeyNumber(9)];
    let said = lines(&mut world, PrivateCode::TrustKey, &keys);
    assert_eq!(said, "trustedkey 7 9");
    let known = AddressItem::new(world_server());
    let said = lines(&mut world, PrivateCode::RemovePeer, &[known]);
    assert_eq!(said, format!("unpeer {}", world_server()));
    let nobody = AddressItem::new([10, 9, 9, 9].into());
    let outputs = change(&mut world, PrivateCode::RemovePeer, &[known, nobody]);
    assert_eq!(error(&outputs), Some(PrivateError::NoData));
    assert!(task(&outputs).is_none(), "all or nothing");
}

/// The first of the world's servers.
fn world_server() -> core::net::IpAddr {
    match server_line(1).remote {
        crate::config::Remote::Address(address) => address,
        crate::config::Remote::Name(_) => panic!("an address"),
    }
}

#[test]
fn rules_are_relaxed_only_where_there_are_some() {
    let mut world = world();
    let mut rule = RestrictChange {
        flags: 0x80,
        ..RestrictChange::default()
    };
    rule.set_network([0, 0, 0, 0].into(), [0, 0, 0, 0].into());
    let outputs = change(&mut world, PrivateCode::RemoveRestriction, &[rule]);
    let Some(Task::Relax(relaxed, Relaxation::Flags)) = task(&outputs).map(|it| &it.what) else {
        panic!("{outputs:?}");
    };
    assert_eq!(relaxed.network, Network::ANY_V4);
    assert_eq!(relaxed.flags, RestrictFlags::NOQUERY);
    // A flag that is there already needs no line.
    let outputs = change(&mut world, PrivateCode::AddRestriction, &[rule]);
    assert_eq!(items::<KeyNumber>(&outputs), Some(Ok(Vec::new())));
    assert!(task(&outputs).is_none());
    rule.set_network([10, 0, 0, 0].into(), [255, 0, 0, 0].into());
    for code in [PrivateCode::RemoveRestriction, PrivateCode::DeleteRule] {
        let outputs = change(&mut world, code, &[rule]);
        assert_eq!(error(&outputs), Some(PrivateError::NoData));
    }
    rule.set_network([10, 0, 0, 0].into(), [255, 0, 255, 0].into());
    let outputs = change(&mut world, PrivateCode::AddRestriction, &[rule]);
    assert_eq!(error(&outputs), Some(PrivateError::NoData));
}

#[test]
fn without_the_key_nothing_changes() {
    let mut world = world();
    let flags = [SystemFlags { bits: 0x10 }];
    let request = PrivateRequest::new(NEW, PrivateCode::ClearFlags, &flags);
    let wall = world.now().wall;
    let after = |seconds: f64| wall.plus(NtpDuration::from_seconds(seconds));
    let mut wrong = sealed(&request, 7, wall);
    *wrong.last_mut().expect("a digest") ^= 1;
    let cases = [
        ("no MAC", request.to_octets()),
        ("another key", sealed(&request, 8, wall)),
        ("a key there is not", sealed(&request, 6, wall)),
        ("a wrong digest", wrong),
        ("an old stamp", sealed(&request, 7, after(-10.1))),
        ("a stamp ahead", sealed(&request, 7, after(10.1))),
    ];
    for (what, octets) in cases {
        let outputs = send(&mut world, HERE, &octets, RestrictFlags::NONE);
        assert_eq!(error(&outputs), Some(PrivateError::Permission), "{what}");
        assert!(task(&outputs).is_none(), "{what}");
    }
    let good = sealed(&request, 7, after(0.5));
    let outputs = send(&mut world, HERE, &good, RestrictFlags::NOMODIFY);
    assert_eq!(error(&outputs), Some(PrivateError::Permission), "nomodify");
    let good = sealed(&request, 7, after(0.6));
    let outputs = send(&mut world, HERE, &good, RestrictFlags::NONE);
    assert!(task(&outputs).is_some());
    let outputs = send(&mut world, HERE, &good, RestrictFlags::NONE);
    assert_eq!(error(&outputs), Some(PrivateError::Permission), "a copy");
    assert_eq!(world.system.control_counts().unauthentic, 6);
    let stats = ask::<SystemStatsItem>(&mut world, PrivateCode::SystemStats).expect("an item");
    assert_eq!(stats[0].bad_authentication, 6);
    let counts = ask::<ControlItem>(&mut world, PrivateCode::ControlStats).expect("an item");
    assert_eq!(counts[0].errors, 8);

    let mut keyless = world_with(Some(PrivateConfig::default()), Policy::default());
    let octets = sealed(&request, 7, keyless.now().wall);
    let outputs = send(&mut keyless, HERE, &octets, RestrictFlags::NONE);
    assert_eq!(
        error(&outputs),
        Some(PrivateError::Permission),
        "no request key"
    );
}

#[test]
fn old_programs_get_what_they_understand() {
    let mut world = world();
    let octets = PrivateRequest::plain(Implementation::Old, PrivateCode::PeerSummary).to_octets();
    let outputs = send(&mut world, HERE, &octets[..48], RestrictFlags::NONE);
    let answer = reply(&outputs).expect("an answer");
    let message = PrivateMessage::new_checked(&answer.datagrams[0]).expect("well formed");
    assert_eq!((message.header().items, message.header().item_len), (2, 32));
    let rules = PrivateRequest::plain(Implementation::Old, PrivateCode::RestrictList).to_octets();
    let outputs = send(&mut world, HERE, &rules, RestrictFlags::NONE);
    let answer = reply(&outputs).expect("an answer");
    let message = PrivateMessage::new_checked(&answer.datagrams[0]).expect("well formed");
    assert_eq!((message.header().items, message.header().item_len), (2, 16));
}
