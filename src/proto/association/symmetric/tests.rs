//! What a symmetric peer's packets change, and what forged ones must not.
mod autokey;

use super::*;
use crate::association::tests::{Ring, key};
use crate::association::{After, AssociationId};
use crate::authentication::{AuthFailure, KeyId};
use crate::config::{AssociationConfig, AssociationKind, Remote};
use crate::discipline::Steered;
use crate::event::PeerEvent;
use crate::packet::{Stamp, StampClass, Via};
use core::net::{IpAddr, SocketAddr};
use rand_chacha::rand_core::SeedableRng;
use truechimer_time::leap::LeapIndicator;
use truechimer_time::{Instant, NtpDuration};
use truechimer_wire::ReferenceId;

const PEER: [u8; 4] = [192, 0, 2, 7];
const BASE: Setting = Setting {
    phi_s_per_s: 15e-6,
    allan_s: 2048.0,
    maxdist_s: 1.5,
    precision_s: 1e-6,
    poll_s: 0.0,
    settling: false,
};

/// Our side of a conversation, and the last packet we sent.
struct Talk {
    association: Association,
    now: Now,
    rng: ChaCha20Rng,
    sequence: u64,
    said: Header,
}

impl Talk {
    fn new(key: Option<KeyId>) -> Self {
        Self::with(key, Role::Peer, false)
    }

    fn with(key: Option<KeyId>, role: fn(AssociationConfig) -> Role, interleaved: bool) -> Self {
        let line = AssociationConfig {
            kind: AssociationKind::Peer,
            key,
            interleaved,
            ..AssociationConfig::server(Remote::Address(IpAddr::from(PEER)))
        };
        let now = Now {
            mono: Instant::default().plus_seconds(1000.0),
            wall: NtpTimestamp::from_bits(0xE000_0000_0000_0000),
        };
        let (id, role) = (AssociationId(5), role(line.clone()));
        let mut association = Association::server(id, role, &line, now.mono, now.mono, 1e-6);
        association.remote = Some(SocketAddr::from((PEER, 123)));
        let mut talk = Self {
            association,
            now,
            rng: ChaCha20Rng::from_seed([1; 32]),
            sequence: 0,
            said: Header::blank(4, Mode::SymmetricActive),
        };
        talk.speak();
        talk
    }

    fn wait(&mut self, seconds: f64) {
        self.now = Now {
            mono: self.now.mono.plus_seconds(seconds),
            wall: self.now.wall.plus(NtpDuration::from_seconds(seconds)),
        };
    }

    fn speak(&mut self) -> Vec<u8> {
        self.association.poll.turn(self.now.mono, 6, true);
        self.sequence += 1;
        let snapshot = Snapshot {
            stratum: 3,
            leap: LeapIndicator::NoWarning,
            ..Snapshot::unsynchronized(-20)
        };
        let mut hand = Hand {
            authenticator: &mut Ring,
            rng: &mut self.rng,
            events: &mut Vec::new(),
        };
        let sent = self
            .association
            .speak(self.now, self.sequence, &snapshot, &mut hand)
            .expect("an address and a key");
        assert_eq!(sent.route, Route::Lasting);
        self.said = Header::parse(sent.octets.first_chunk().expect("a header"));
        let left = Stamp {
            at: self.now.wall,
            class: StampClass::Kernel,
        };
        self.association.note_departure(self.sequence, left);
        sent.octets
    }

    /// What an honest peer 0.1 s ahead says, 10 ms away.
    fn answer(&self) -> Header {
        let served = self.now.wall.plus(NtpDuration::from_seconds(0.11));
        Header {
            stratum: 2,
            poll: 4,
            precision: -20,
            reference_id: ReferenceId::from_octets([10, 1, 1, 1]),
            reference_time: served.plus(NtpDuration::from_seconds(-5.0)),
            origin_time: self.said.transmit_time,
            receive_time: served,
            transmit_time: served.plus(NtpDuration::from_seconds(1e-5)),
            ..Header::blank(4, Mode::SymmetricActive)
        }
    }

    fn hear(&mut self, octets: &[u8]) -> Heard {
        let received = Received {
            octets,
            source: SocketAddr::from((PEER, 123)),
            via: Via::Client(self.association.id),
            stamp: Stamp {
                at: self.now.wall.plus(NtpDuration::from_seconds(0.02)),
                class: StampClass::Kernel,
            },
        };
        self.association.take_packet(
            self.now,
            &received,
            (&BASE, Steered::NONE),
            &mut Ring,
            &mut self.rng,
        )
    }

    /// Everything that matters: not the counters, not the flash bits.
    fn state(&self) -> String {
        let it = &self.association;
        format!(
            "{:?} {:?} {:?} {:?} {:?} {:?}",
            it.poll, it.filter, it.peer, it.heard, it.conversation, it.authentic
        )
    }

    fn is_unmoved_by(&mut self, octets: &[u8], event: PeerEvent) {
        let before = self.state();
        let heard = self.hear(octets);
        assert_eq!((heard.events, heard.after), (vec![event], After::Rest));
        assert_eq!(self.state(), before);
    }
}

fn sealed(header: &Header, key_id: u32) -> Vec<u8> {
    let mut octets = header.to_octets().to_vec();
    let digest = Ring::digest(key_id, &octets);
    octets.extend_from_slice(&key_id.to_be_bytes());
    octets.extend_from_slice(&digest);
    octets
}

#[test]
fn our_packet_says_what_we_know() {
    let mut talk = Talk::new(None);
    assert_eq!(talk.said.mode, Mode::SymmetricActive);
    assert_eq!((talk.said.stratum, talk.said.poll), (3, 6));
    assert!(talk.said.origin_time.is_zero() && talk.said.receive_time.is_zero());
    let answer = talk.answer();
    talk.hear(&answer.to_octets());
    talk.wait(64.0);
    talk.speak();
    assert_eq!(talk.said.origin_time, answer.transmit_time);
    assert!(!talk.said.receive_time.is_zero());
}

#[test]
fn an_answer_is_measured_and_its_poll_heeded() {
    let mut talk = Talk::new(None);
    let heard = talk.hear(&talk.answer().to_octets());
    assert_eq!(heard.after, After::Select);
    let it = &talk.association;
    assert!((it.filter.offset_s() - 0.1).abs() < 1e-4);
    assert_eq!(
        (it.poll.reach(), it.peer.mode),
        (1, Some(Mode::SymmetricActive))
    );
    assert_eq!(it.poll.host_poll(), 6);
    let next = it.poll.next().expect("goes on");
    assert!(
        next.seconds_since(talk.now.mono) < 69.0,
        "not under minpoll"
    );
}

#[test]
fn both_modes_answer_an_active_side_and_one_a_passive() {
    let passive = |mode| {
        let mut talk = Talk::with(Some(key(7)), Role::Passive, false);
        assert_eq!(talk.said.mode, Mode::SymmetricPassive);
        let mut answer = talk.answer();
        answer.mode = mode;
        talk.hear(&sealed(&answer, 7)).after
    };
    assert_eq!(passive(Mode::SymmetricActive), After::Select);
    assert_eq!(passive(Mode::SymmetricPassive), After::Rest);
    for mode in [Mode::Client, Mode::Server, Mode::Broadcast] {
        let mut talk = Talk::new(None);
        let mut answer = talk.answer();
        answer.mode = mode;
        talk.is_unmoved_by(&answer.to_octets(), PeerEvent::Refused(PacketTest::Header));
    }
    let mut talk = Talk::new(None);
    let mut answer = talk.answer();
    answer.mode = Mode::SymmetricPassive;
    assert_eq!(talk.hear(&answer.to_octets()).after, After::Select);
}

#[test]
fn nothing_changes_before_the_mac_is_right_cve_2015_1799() {
    let mut talk = Talk::new(Some(key(7)));
    talk.hear(&sealed(&talk.answer(), 7));
    talk.wait(64.0);
    talk.speak();
    let first = Header {
        origin_time: NtpTimestamp::ZERO,
        ..talk.answer()
    };
    for header in [talk.answer(), first] {
        let failed = |failure| PeerEvent::BadAuthentication {
            key: key(7),
            failure,
        };
        let plain = header.to_octets();
        talk.is_unmoved_by(&plain, failed(AuthFailure::NoMac));
        let mut wrong = sealed(&header, 7);
        wrong[60] ^= 1;
        talk.is_unmoved_by(&wrong, failed(AuthFailure::WrongDigest));
        talk.is_unmoved_by(&sealed(&header, 8), failed(AuthFailure::OtherKey));
        let mut altered = sealed(&header, 7);
        altered[2] = 17;
        talk.is_unmoved_by(&altered, failed(AuthFailure::WrongDigest));
    }
    assert_eq!(talk.hear(&sealed(&talk.answer(), 7)).after, After::Select);
}

#[test]
fn a_crypto_nak_is_heeded_only_with_our_nonce_and_does_nothing_then() {
    let mut talk = Talk::new(Some(key(7)));
    let nak = |header: Header| [&header.to_octets()[..], &[0; 4]].concat();
    let bogus = Header {
        origin_time: NtpTimestamp::ZERO,
        ..talk.answer()
    };
    talk.is_unmoved_by(&nak(bogus), PeerEvent::Refused(PacketTest::Bogus));
    let failed = PeerEvent::BadAuthentication {
        key: key(7),
        failure: AuthFailure::CryptoNak,
    };
    talk.is_unmoved_by(&nak(talk.answer()), failed);
    assert_eq!(talk.hear(&sealed(&talk.answer(), 7)).after, After::Select);
}

#[test]
fn replayed_packets_of_the_peer_change_nothing() {
    let mut talk = Talk::new(Some(key(7)));
    let old = sealed(&talk.answer(), 7);
    talk.hear(&old);
    talk.wait(64.0);
    talk.speak();
    talk.is_unmoved_by(&old, PeerEvent::Refused(PacketTest::Duplicate));
    let newer = sealed(&talk.answer(), 7);
    talk.hear(&newer);
    talk.wait(64.0);
    talk.speak();
    talk.is_unmoved_by(&old, PeerEvent::Refused(PacketTest::Bogus));
    talk.is_unmoved_by(&newer, PeerEvent::Refused(PacketTest::Duplicate));
}

/// One key seals both ways: who plays our packets back to us must not make us our own source.
#[test]
fn our_own_packets_that_come_back_are_nobodys() {
    let mut talk = Talk::new(Some(key(7)));
    talk.hear(&sealed(&talk.answer(), 7));
    for _ in 0..6 {
        talk.wait(64.0);
        let ours = talk.speak();
        talk.is_unmoved_by(&ours, PeerEvent::Refused(PacketTest::Duplicate));
    }
}

#[test]
fn interleaving_is_for_who_is_configured_for_it_cve_2016_1548() {
    for (role, asked) in [
        (Role::Peer as fn(AssociationConfig) -> Role, false),
        (Role::Passive, true),
    ] {
        let mut talk = Talk::with(Some(key(7)), role, asked);
        talk.hear(&sealed(&talk.answer(), 7));
        for _ in 0..5 {
            talk.wait(64.0);
            talk.speak();
            let before = talk.association.filter.offset_s().to_bits();
            let pivot = Header {
                origin_time: talk.said.receive_time,
                ..talk.answer()
            };
            let heard = talk.hear(&sealed(&pivot, 7));
            assert_eq!(heard.events, [PeerEvent::Refused(PacketTest::Bogus)]);
            assert_eq!(talk.association.filter.offset_s().to_bits(), before);
            let answer = talk.answer();
            assert_eq!(talk.hear(&sealed(&answer, 7)).after, After::Select);
            assert_ne!(talk.said.origin_time, answer.receive_time, "basic mode");
        }
    }
}

#[test]
fn kisses_of_a_peer_need_our_nonce() {
    let mut talk = Talk::new(None);
    let kiss = |origin_time, letters| Header {
        leap: LeapIndicator::NotSynchronized,
        stratum: 0,
        origin_time,
        reference_id: ReferenceId::from_letters(letters),
        ..talk.answer()
    };
    let guessed = NtpTimestamp::from_bits(talk.said.transmit_time.to_bits() ^ 1);
    let (forged, rate) = (kiss(guessed, "DENY"), kiss(talk.said.transmit_time, "RATE"));
    let heard = talk.hear(&forged.to_octets());
    assert_eq!(heard.events, [PeerEvent::Refused(PacketTest::Bogus)]);
    let heard = talk.hear(&rate.to_octets());
    assert_eq!(heard.events, [PeerEvent::RateExceeded(7)]);
    talk.wait(128.0);
    talk.speak();
    let deny = Header {
        stratum: 0,
        reference_id: ReferenceId::from_letters("DENY"),
        ..talk.answer()
    };
    assert_eq!(talk.hear(&deny.to_octets()).after, After::Denied);
}

#[test]
fn a_peer_that_knows_no_time_is_heard_and_not_measured() {
    let mut talk = Talk::new(None);
    let unknown = Header {
        leap: LeapIndicator::NotSynchronized,
        stratum: 0,
        reference_id: ReferenceId::from_letters("INIT"),
        ..talk.answer()
    };
    let heard = talk.hear(&unknown.to_octets());
    assert_eq!(heard.events, [PeerEvent::Refused(PacketTest::Stratum)]);
    assert_eq!(talk.association.poll.reach(), 0);
    talk.wait(64.0);
    talk.speak();
    assert_eq!(talk.said.origin_time, unknown.transmit_time);
}

#[test]
fn any_octets_are_survived() {
    let mut talk = Talk::new(None);
    let mut noise = 1_u32;
    for len in 0..200_usize {
        let octets: Vec<u8> = (0..len)
            .map(|_| {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                noise.to_be_bytes()[0]
            })
            .collect();
        talk.hear(&octets);
    }
    assert_eq!(talk.association.poll.reach(), 0);
}
