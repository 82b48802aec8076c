//! Control messages asked of a whole system: who gets what, and what never leaves.
mod counting;
mod writing;

use super::world::{Server, World, config, named_line, server_line};
use crate::association::tests::Ring;
use crate::authentication::KeyId;
use crate::config::{AssociationKind, SystemConfig};
use crate::control::{ControlConfig, ControlReply, ControlRequest, ExtraVariable, NoFacts};
use crate::host::Output;
use crate::server::{Limits, MruTable, Policy, RestrictFlags, Watch};
use core::net::SocketAddr;
use std::sync::Arc;
use truechimer_wire::{
    ControlError, ControlHeader, ControlItems, ControlMessage, Opcode, PeerStatusWord,
    SystemStatusWord, put_request,
};

const HERE: &str = "127.0.0.1:5000";
const AFAR: &str = "192.0.2.99:5000";

struct Answer {
    status: u16,
    error: Option<ControlError>,
    text: String,
    sealed: bool,
}

impl Answer {
    fn value(&self, name: &str) -> Option<String> {
        let mut items = ControlItems::new(self.text.as_bytes());
        items
            .find(|item| item.name == name)
            .and_then(|item| item.value.map(str::to_owned))
    }
}

fn world() -> World {
    let mut line = server_line(1);
    line.key = KeyId::symmetric(7);
    let control = ControlConfig {
        key: KeyId::symmetric(7),
        may_save: true,
        variables: vec![ExtraVariable {
            name: "site".to_owned(),
            value: "\"lab\"".to_owned(),
            is_default: true,
        }],
        version: "truechimer test".to_owned(),
        ..ControlConfig::default()
    };
    let watch = Watch {
        limits: Limits::default(),
        clients: Arc::new(MruTable::new(700, &[3; 16])),
    };
    let mut world = World::new(SystemConfig {
        control,
        access: Arc::new(Policy::new([], None).with_watch(watch, true)),
        ..config(vec![
            line,
            server_line(2),
            named_line(AssociationKind::Pool, "pool.example"),
        ])
    });
    for last in [1, 2] {
        world.serve(last, Server::default());
    }
    world.run_s(120.0);
    world
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

fn keyed(mut octets: Vec<u8>, key: u32) -> Vec<u8> {
    let digest = Ring::digest(key, &octets);
    octets.extend_from_slice(&key.to_be_bytes());
    octets.extend_from_slice(&digest);
    octets
}

fn request(opcode: Opcode, association: u16, data: &str) -> Vec<u8> {
    put_request(
        &ControlHeader::request(opcode, 5, association),
        data.as_bytes(),
    )
}

fn read(reply: &ControlReply) -> Answer {
    let mut whole = Vec::new();
    let mut answer = Answer {
        status: 0,
        error: None,
        text: String::new(),
        sealed: false,
    };
    for datagram in &reply.datagrams {
        let message = ControlMessage::new_checked(datagram).expect("well formed");
        let header = message.header();
        assert!(header.is_response && header.sequence == 5);
        assert!(message.data().len() <= 468);
        answer.status = header.status;
        answer.error = header
            .is_error
            .then(|| ControlError::from_status(header.status));
        answer.sealed = message.mac().is_some();
        whole.extend_from_slice(message.data());
    }
    answer.text = String::from_utf8_lossy(&whole).into_owned();
    answer
}

fn ask(world: &mut World, octets: &[u8]) -> Option<Answer> {
    let outputs = send(world, HERE, octets, RestrictFlags::NONE);
    outputs.iter().find_map(|output| match output {
        Output::Control(reply) => Some(read(reply)),
        _ => None,
    })
}

fn error(world: &mut World, octets: &[u8]) -> Option<ControlError> {
    ask(world, octets).and_then(|answer| answer.error)
}

/// Number and status word of each association.
fn associations(world: &mut World) -> Vec<(u16, PeerStatusWord)> {
    let outputs = send(
        world,
        HERE,
        &request(Opcode::ReadStatus, 0, ""),
        RestrictFlags::NONE,
    );
    let Some(Output::Control(reply)) = outputs.first() else {
        panic!("no answer");
    };
    let message = ControlMessage::new_checked(&reply.datagrams[0]).expect("well formed");
    let words = message.data().as_chunks::<4>().0.iter();
    words
        .map(|[a, b, c, d]| {
            let word = PeerStatusWord::from_word(u16::from_be_bytes([*c, *d]));
            (u16::from_be_bytes([*a, *b]), word)
        })
        .collect()
}

#[test]
fn status_words_and_variables_agree() {
    let mut world = world();
    let all = associations(&mut world);
    assert_eq!(all.len(), 3);
    let leader = all.iter().find(|(_, word)| word.selection == 6);
    let (leader, word) = *leader.expect("one leads");
    assert!(word.is_configured && word.is_reachable);
    assert_eq!((word.event, word.count), (10, 1), "sys_peer, once");
    let system = ask(&mut world, &request(Opcode::ReadVariables, 0, "")).expect("an answer");
    let word = SystemStatusWord::from_word(system.status);
    assert_eq!(word.source, 6, "NTP");
    assert_eq!(system.value("peer"), Some(leader.to_string()));
    assert_eq!(system.value("stratum").as_deref(), Some("3"));
    assert_eq!(system.value("site").as_deref(), Some("lab"));
    assert!(
        system.text.starts_with("version=\"truechimer test\", "),
        "{}",
        system.text
    );
    for (id, word) in all {
        let answer = ask(
            &mut world,
            &request(Opcode::ReadVariables, id, "reach,keyid,authentic"),
        );
        let answer = answer.expect("an answer");
        assert_eq!(answer.status, word.word());
        let authentic = answer.value("authentic").as_deref() == Some("1");
        let keyed = answer.value("keyid").as_deref() == Some("7");
        assert_eq!(
            (authentic, keyed),
            (word.is_authentic, word.has_key),
            "{}",
            answer.text
        );
        assert_eq!(
            answer.value("reach").as_deref() != Some("0x0"),
            word.is_reachable
        );
    }
}

#[test]
fn facts_change_with_the_world() {
    let mut world = world();
    let reach = |world: &mut World| {
        let (id, _) = associations(world)[1];
        let answer = ask(world, &request(Opcode::ReadVariables, id, "")).expect("an answer");
        let hex = answer.value("reach").unwrap_or_default();
        u8::from_str_radix(hex.trim_start_matches("0x"), 16).expect("a number")
    };
    let before = reach(&mut world);
    assert_ne!(before, 0);
    world.servers.clear();
    world.run_s(1200.0);
    assert_eq!(reach(&mut world), 0);
    let status = ask(&mut world, &request(Opcode::ReadVariables, 0, "peer")).expect("an answer");
    assert_eq!(status.value("peer").as_deref(), Some("0"));
    let uptime = ask(&mut world, &request(Opcode::ReadVariables, 0, "ss_uptime"));
    assert_eq!(
        uptime.and_then(|it| it.value("ss_uptime")).as_deref(),
        Some("1320")
    );
}

#[test]
fn the_outstanding_nonce_is_never_shown() {
    let mut world = world();
    let (id, _) = associations(&mut world)[1];
    let list = ask(
        &mut world,
        &request(Opcode::ReadVariables, id, "peer_var_list"),
    );
    let names = list
        .and_then(|it| it.value("peer_var_list"))
        .expect("a list");
    // A request is on its way, and nobody answers it.
    world.servers.clear();
    let asked = world.sent.len();
    world.run_until(|world| world.sent.len() > asked);
    let text = ask(&mut world, &request(Opcode::ReadVariables, id, &names))
        .expect("all")
        .text;
    let stamps: Vec<_> = ControlItems::new(text.as_bytes())
        .filter(|item| {
            item.value
                .is_some_and(|value| value.starts_with("0x") && value.len() > 15)
        })
        .map(|item| item.name.to_owned())
        .collect();
    // Those of replies and of the server's own clock.
    assert_eq!(stamps, ["reftime", "org", "rec"]);
}

#[test]
fn errors_are_the_references() {
    let mut world = world();
    let plain = |opcode, association, data: &str| request(opcode, association, data);
    for (octets, expected) in [
        (
            plain(Opcode::ReadVariables, 0, "nosuch"),
            ControlError::UnknownVariable,
        ),
        (
            plain(Opcode::ReadVariables, 9, ""),
            ControlError::BadAssociation,
        ),
        (
            plain(Opcode::ReadClock, 0, ""),
            ControlError::BadAssociation,
        ),
        (plain(Opcode::Other(20), 0, ""), ControlError::BadOpcode),
        (plain(Opcode::SetTrap, 0, ""), ControlError::Permission),
        (
            plain(Opcode::Configure, 0, "server a"),
            ControlError::Permission,
        ),
        (
            plain(Opcode::WriteVariables, 0, "site=x"),
            ControlError::Permission,
        ),
        (
            plain(Opcode::ReadOrdered, 0, "ifstats"),
            ControlError::Permission,
        ),
        (
            keyed(plain(Opcode::Configure, 0, "server a"), 8),
            ControlError::Permission,
        ),
        (
            keyed(plain(Opcode::WriteVariables, 0, "stratum=1"), 7),
            ControlError::Permission,
        ),
        (
            keyed(plain(Opcode::WriteVariables, 0, "nosuch=1"), 7),
            ControlError::UnknownVariable,
        ),
        (
            keyed(plain(Opcode::ReadOrdered, 0, "x"), 7),
            ControlError::UnknownVariable,
        ),
        (
            keyed(plain(Opcode::Configure, 3, "server a"), 7),
            ControlError::BadValue,
        ),
    ] {
        assert_eq!(error(&mut world, &octets), Some(expected), "{octets:?}");
    }
}

#[test]
fn what_is_no_whole_request_gets_no_answer() {
    let mut world = world();
    let plain = |opcode, association, data: &str| request(opcode, association, data);
    let mut cut = plain(Opcode::ReadVariables, 0, "leap,stratum");
    cut.truncate(16);
    assert_eq!(error(&mut world, &cut), Some(ControlError::BadFormat));
    // Answers, fragments and other modes get nothing, or two of us would never stop.
    for (place, octet) in [
        (0, 0x23),
        (1, 0x82),
        (1, 0x42),
        (1, 0x22),
        (9, 1),
        (0, 0x3E),
    ] {
        let mut octets = plain(Opcode::ReadVariables, 0, "");
        octets[place] = octet;
        assert!(
            ask(&mut world, &octets).is_none(),
            "octet {place} = {octet:#x}"
        );
    }
}

#[test]
fn recent_clients_only_for_a_nonce() {
    let mut world = world();
    let nonce = ask(&mut world, &request(Opcode::RequestNonce, 0, "")).expect("an answer");
    let nonce = nonce.value("nonce").expect("a nonce");
    let list = |nonce: &str| request(Opcode::ReadMru, 0, &format!("nonce={nonce}, frags=4"));
    let answer = ask(&mut world, &list(&nonce)).expect("an answer");
    assert!(answer.value("now").is_some(), "{}", answer.text);
    assert!(ask(&mut world, &list("0123456789abcdef0123456789abcdef")).is_none());
    assert!(ask(&mut world, &request(Opcode::ReadMru, 0, "frags=4")).is_none());
    let others = send(
        &mut world,
        "127.0.0.1:5001",
        &list(&nonce),
        RestrictFlags::NONE,
    );
    assert!(others.is_empty(), "{others:?}");
    let forbidden = send(&mut world, HERE, &list(&nonce), RestrictFlags::NOMRULIST);
    let [Output::Control(reply)] = &forbidden[..] else {
        panic!("{forbidden:?}");
    };
    assert_eq!(read(reply).error, Some(ControlError::Permission));
    world.run_s(16.0);
    assert!(ask(&mut world, &list(&nonce)).is_none(), "too old");
}

#[test]
fn strangers_are_answered_within_a_budget_and_the_key_lifts_it() {
    let mut world = world();
    let octets = request(Opcode::ReadVariables, 0, "");
    let mut got = 0;
    for _ in 0..1000 {
        for output in send(&mut world, AFAR, &octets, RestrictFlags::NONE) {
            if let Output::Control(reply) = output {
                got += reply.datagrams.iter().map(Vec::len).sum::<usize>();
            }
        }
    }
    assert!((60_000..=65_536).contains(&got), "{got} octets");
    let octets = keyed(octets, 8);
    assert_eq!(
        send(&mut world, AFAR, &octets, RestrictFlags::NONE).len(),
        1
    );
    assert!(world.system.control_counts().ignored > 0);
}
