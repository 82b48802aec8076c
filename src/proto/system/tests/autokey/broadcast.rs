//! Broadcast servers that speak Autokey: keys backwards along a list, its end told and signed.
use super::super::world::{Server, World, config, server_line};
use super::support::{autokey, sign_all};
use crate::association::tests::Ring;
use crate::authentication::Authenticator;
use crate::autokey::key_list::{Chain, ListEnd};
use crate::config::{AssociationConfig, AssociationKind, Remote, SystemConfig};
use crate::host::HostEvent;
use crate::packet::{Link, LinkId};
use core::net::{IpAddr, Ipv4Addr};
use truechimer_time::NtpDuration;
use truechimer_wire::{AutokeyCode, AutokeyMessage, Packet};

const GROUP: IpAddr = IpAddr::V4(Ipv4Addr::new(224, 0, 1, 1));
const HERE: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(10, 0, 2, 1)),
    IpAddr::V4(Ipv4Addr::new(10, 0, 3, 1)),
];

fn speaking(generation: u64) -> SystemConfig {
    let line = AssociationConfig {
        kind: AssociationKind::Broadcast,
        autokey: true,
        minpoll: 6,
        hops: 2,
        ..AssociationConfig::server(Remote::Address(GROUP))
    };
    SystemConfig {
        autokey: Some(autokey(generation)),
        ..config(vec![server_line(1), line])
    }
}

fn links(count: usize) -> HostEvent {
    let link = |(place, local): (usize, &IpAddr)| Link {
        id: LinkId(u32::try_from(place).expect("small") + 2),
        local: *local,
        broadcast: None,
        multicast: true,
    };
    HostEvent::Links(HERE[..count].iter().enumerate().map(link).collect())
}

/// A packet that was heard, its MAC verified.
struct Heard {
    key_id: u32,
    code: AutokeyCode,
    association: u32,
    value: Vec<u8>,
    from: IpAddr,
}

struct Net {
    world: World,
}

impl Net {
    fn new(count: usize) -> Self {
        let mut world = World::new(speaking(1));
        world.serve(1, Server::default());
        world.host(links(count));
        world.run_until(|world| !world.jobs.is_empty());
        sign_all(&mut world);
        Self { world }
    }

    /// What leaves in the next so many seconds, holders of keys doing what they are asked.
    fn listen_s(&mut self, seconds: u32) -> Vec<Heard> {
        let mut heard = Vec::new();
        for _ in 0..seconds {
            self.world.run_s(1.0);
            if !self.world.jobs.is_empty() {
                sign_all(&mut self.world);
            }
            for (_, departure) in core::mem::take(&mut self.world.departures) {
                let now = self.world.now();
                if let Some(transmit) = self.world.system.compose(now, departure) {
                    let link = departure.link.expect("to many");
                    let from = HERE[usize::try_from(link.0).expect("small") - 2];
                    heard.push(read(&transmit.octets, from));
                }
                self.world.drain();
            }
        }
        heard
    }
}

fn read(octets: &[u8], from: IpAddr) -> Heard {
    let packet = Packet::new_checked(octets).expect("a packet");
    let mac = packet.mac().expect("a MAC");
    let key = Ring
        .session_key(from, GROUP, mac.key_id, 0)
        .expect("a digest");
    assert!(Ring.check_session(&key, packet.authenticated(), mac.digest));
    let field = packet.extension_fields().next().expect("a field");
    let said = AutokeyMessage::new_checked(&field).expect("well formed");
    assert!(said.is_response && !said.is_error);
    Heard {
        key_id: mac.key_id,
        code: said.code,
        association: said.association,
        value: said.body.expect("a body").value.to_vec(),
        from,
    }
}

#[test]
fn a_list_is_told_first_and_then_walked_backwards() {
    let mut net = Net::new(1);
    let heard = net.listen_s(64 * 150);
    assert!(heard.len() >= 148, "one each round: {}", heard.len());
    let mut chain: Option<Chain> = None;
    let mut lists = 0;
    for it in &heard {
        if it.code == AutokeyCode::Autokey {
            let end = ListEnd::from_octets(&it.value).expect("eight octets");
            assert_eq!(end.sequence, 63, "2^(12-6) keys");
            chain = Some(Chain::new(end));
            lists += 1;
        } else {
            assert_eq!(
                (it.code, &it.value[..]),
                (AutokeyCode::Association, &b"alice"[..])
            );
        }
        let next = |key_id| Ring.session_key(it.from, GROUP, key_id, 0);
        let chain = chain.as_mut().expect("the first tells a list");
        assert!(chain.admits(it.key_id, next));
    }
    assert_eq!(lists, 3, "150 packets");
}

#[test]
fn the_list_in_use_can_be_asked_for_at_the_address_that_uses_it() {
    let mut net = Net::new(2);
    let heard = net.listen_s(64 * 3);
    for from in HERE {
        let said = heard.iter().filter(|it| it.from == from);
        let (first, others): (Vec<&Heard>, Vec<&Heard>) =
            said.partition(|it| it.code == AutokeyCode::Autokey);
        assert_eq!(first.len(), 1);
        assert!(!others.is_empty());
        let service = net.world.services.last().cloned().flatten().expect("there");
        let id = u16::try_from(first[0].association).expect("ours");
        let end = &service.key_lists[&(crate::packet::AssociationId(id), from)];
        assert_eq!(end.value, first[0].value);
        assert_eq!(end.filestamp, service.signed_at());
        assert_eq!(end.signature, b"signed by 1");
    }
    let ends = |it: &&Heard| it.code == AutokeyCode::Autokey;
    let ends: Vec<&[u8]> = heard.iter().filter(ends).map(|it| &it.value[..]).collect();
    assert_ne!(ends[0], ends[1], "each address has its own");
}

#[test]
fn a_step_and_other_keys_begin_a_new_list() {
    let mut net = Net::new(1);
    assert!(!net.listen_s(64 * 3).is_empty());
    let lists = |heard: &[Heard]| {
        let ends = |it: &&Heard| it.code == AutokeyCode::Autokey;
        heard.iter().filter(ends).count()
    };
    net.world.reload(speaking(2));
    assert_eq!(lists(&net.listen_s(64 * 3)), 1, "signed by other keys");
    let back = NtpDuration::from_seconds(-0.5);
    net.world.host(HostEvent::ForeignStep(back));
    assert_eq!(
        lists(&net.listen_s(64 * 10)),
        1,
        "the stamp may be of the future"
    );
    // Another address on the same interface.
    net.world.host(links(0));
    assert!(net.listen_s(64 * 2).is_empty());
    net.world.host(links(1));
    assert_eq!(lists(&net.listen_s(64 * 3)), 1);
}

#[test]
fn nothing_leaves_without_a_signature() {
    let mut net = Net::new(1);
    net.world.run_s(64.0 * 10.0);
    assert!(net.world.departures.is_empty());
    assert!(!net.world.jobs.is_empty());
}
