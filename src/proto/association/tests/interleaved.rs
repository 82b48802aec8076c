//! Interleaved exchanges with a server (RFC 9769 §2): what is asked, what is believed, what is
//! measured.
use super::*;
use crate::status::PacketTest;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// The server's clock minus ours, seconds.
const AHEAD_S: f64 = 0.1;
/// Each way, seconds.
const WAY_S: f64 = 0.01;
/// A reply leaves so much later than it says, seconds.
const LATE_S: f64 = 0.002;

/// A server that keeps to the RFC, and the path to it.
struct Talk {
    pair: Pair,
    /// Of each reply that may be asked for: its receive stamp, and when it truly left.
    left: BTreeMap<u64, NtpTimestamp>,
    /// The server knows of no interleaved mode.
    basic: bool,
    request: Header,
}

impl Talk {
    fn new() -> Self {
        let mut pair = Pair::new(None);
        let Role::Server(line) = &mut pair.association.role else {
            unreachable!("a server")
        };
        line.interleaved = true;
        let mut talk = Self {
            pair,
            left: BTreeMap::new(),
            basic: false,
            request: Header::blank(4, Mode::Client),
        };
        talk.ask();
        talk
    }

    /// Sixteen seconds later, the next request.
    fn ask(&mut self) {
        self.pair.wait(16.0);
        let pair = &mut self.pair;
        pair.association.poll.turn(pair.now.mono, 4, true);
        pair.sequence += 1;
        let asked =
            pair.association
                .request(pair.sequence, &mut Ring, &mut pair.rng, &mut Vec::new());
        let octets = asked.expect("an address").octets;
        self.request = Header::parse(octets.first_chunk().expect("a header"));
        pair.nonce = self.request.transmit_time;
        let stamp = Stamp {
            at: pair.now.wall,
            class: StampClass::Kernel,
        };
        pair.association.note_departure(pair.sequence, stamp);
    }

    fn served(&self) -> NtpTimestamp {
        let after = NtpDuration::from_seconds(AHEAD_S + WAY_S);
        self.pair.now.wall.plus(after)
    }

    /// What the server says to the request.
    fn answer(&mut self) -> Header {
        let receive = self.served();
        let said = receive.plus(NtpDuration::from_seconds(1e-5));
        let asks = self.request.receive_time != self.request.transmit_time;
        let known = self
            .left
            .remove(&self.request.origin_time.to_bits())
            .filter(|_| asks && !self.basic);
        self.left.insert(
            receive.to_bits(),
            said.plus(NtpDuration::from_seconds(LATE_S)),
        );
        let mut header = self.pair.answer();
        header.receive_time = receive;
        (header.origin_time, header.transmit_time) = match known {
            Some(left) => (self.request.receive_time, left),
            None => (self.request.transmit_time, said),
        };
        header
    }

    /// It arrives when a reply does that left as late as it does.
    fn hear(&mut self, header: &Header) -> Heard {
        let after = NtpDuration::from_seconds(2.0 * WAY_S + LATE_S + 1e-5);
        let received = Received {
            octets: &header.to_octets(),
            source: SocketAddr::from((SERVER, 123)),
            via: Via::Client(self.pair.association.id),
            stamp: Stamp {
                at: self.pair.now.wall.plus(after),
                class: StampClass::Kernel,
            },
        };
        let pair = &mut self.pair;
        pair.association.take_packet(
            pair.now,
            &received,
            (&BASE, Steered::NONE),
            &mut Ring,
            &mut pair.rng,
        )
    }

    fn turn(&mut self) -> Header {
        let header = self.answer();
        self.hear(&header);
        self.ask();
        header
    }

    /// The last offset measured, less the truth.
    fn wrong_s(&self) -> f64 {
        let stages = self.pair.association.filter.stages(self.pair.now.mono, 0.0);
        stages[0].0 - AHEAD_S
    }

    fn is_interleaved(&self) -> bool {
        !self.request.origin_time.is_zero()
    }
}

fn refused_as(heard: &Heard) -> Option<PacketTest> {
    heard.events.iter().find_map(|event| match event {
        PeerEvent::Refused(test) => Some(*test),
        _ => None,
    })
}

#[test]
fn the_first_request_is_basic_and_tells_nothing() {
    let talk = Talk::new();
    let header = talk.request;
    assert!(header.origin_time.is_zero() && header.receive_time.is_zero());
    assert!(!header.transmit_time.is_zero());
}

#[test]
fn true_departures_take_the_error_out() {
    let mut talk = Talk::new();
    let first = talk.turn();
    assert!((talk.wrong_s() + LATE_S / 2.0).abs() < 1e-6, "basic");
    let asked = talk.request;
    assert_eq!(asked.origin_time, first.receive_time);
    assert_ne!(asked.receive_time, asked.transmit_time);
    assert!(!asked.receive_time.is_zero());
    for _ in 0..5 {
        let reply = talk.turn();
        assert!(reply.transmit_time.since(reply.receive_time).to_seconds() < -1.0);
        assert!(talk.wrong_s().abs() < 1e-6, "{}", talk.wrong_s());
        let it = &talk.pair.association;
        let held_s = it.held.expect("interleaved").to_seconds();
        assert!((held_s - LATE_S - 1e-5).abs() < 1e-9, "{held_s}");
        assert_eq!(it.stamps, Some((StampClass::Kernel, StampClass::Kernel)));
        assert_eq!(it.counts.flash, 0);
    }
    assert_eq!(talk.pair.association.poll.reach().count_ones(), 6);
}

#[test]
fn nonces_are_never_the_same_twice() {
    let mut talk = Talk::new();
    let mut seen = Vec::new();
    for _ in 0..20 {
        talk.turn();
        seen.push(talk.request.receive_time);
        seen.push(talk.request.transmit_time);
    }
    seen.sort_by_key(|at| at.to_bits());
    seen.dedup();
    assert_eq!(seen.len(), 40);
}

#[test]
fn a_server_without_the_mode_is_measured_in_basic_mode() {
    let mut talk = Talk::new();
    talk.basic = true;
    for _ in 0..5 {
        talk.turn();
        assert!((talk.wrong_s() + LATE_S / 2.0).abs() < 1e-6);
        assert_eq!(talk.pair.association.held, None);
    }
}

#[test]
fn who_is_not_configured_for_it_takes_no_interleaved_reply() {
    // CVE-2016-1548: nobody else turns an association to interleaved mode.
    let mut pair = Pair::new(None);
    pair.hear(&pair.answer().to_octets());
    pair.wait(16.0);
    pair.ask();
    let mut forged = pair.answer();
    let before = pair.state();
    for origin in [NtpTimestamp::ZERO, forged.receive_time] {
        forged.origin_time = origin;
        let heard = pair.hear(&forged.to_octets());
        assert_eq!(refused_as(&heard), Some(PacketTest::Bogus));
    }
    assert_eq!(pair.state(), before);
}

#[test]
fn what_echoes_neither_nonce_is_bogus_and_changes_nothing() {
    let mut talk = Talk::new();
    talk.turn();
    let good = talk.answer();
    let before = talk.pair.state();
    for origin in [
        NtpTimestamp::ZERO,
        talk.request.origin_time,
        good.receive_time,
        good.transmit_time,
        NtpTimestamp::from_bits(talk.request.receive_time.to_bits() ^ 1),
    ] {
        let mut forged = good;
        forged.origin_time = origin;
        let heard = talk.hear(&forged);
        assert_eq!(refused_as(&heard), Some(PacketTest::Bogus), "{origin:?}");
    }
    assert_eq!(talk.pair.state(), before);
    assert_eq!(refused_as(&talk.hear(&good)), None, "the true one is taken");
}

#[test]
fn a_second_answer_in_either_mode_is_a_duplicate() {
    let mut talk = Talk::new();
    talk.turn();
    let good = talk.answer();
    talk.hear(&good);
    let state = talk.pair.state();
    let mut other = good;
    other.origin_time = talk.request.transmit_time;
    other.transmit_time = good.receive_time;
    for again in [good, other] {
        let heard = talk.hear(&again);
        assert_eq!(refused_as(&heard), Some(PacketTest::Duplicate));
    }
    talk.pair.wait(16.0);
    assert_eq!(talk.pair.state(), state);
}

#[test]
fn an_old_reply_is_refused_whatever_its_mode() {
    let mut talk = Talk::new();
    talk.turn();
    let late = talk.answer();
    talk.ask();
    assert_eq!(refused_as(&talk.hear(&late)), Some(PacketTest::Bogus));
    let reply = talk.answer();
    assert_eq!(reply.origin_time, talk.request.transmit_time, "basic");
    talk.hear(&reply);
    assert!((talk.wrong_s() + LATE_S / 2.0).abs() < 1e-6);
}

#[test]
fn a_lost_request_is_asked_for_again() {
    let mut talk = Talk::new();
    let first = talk.turn();
    talk.ask();
    assert_eq!(talk.request.origin_time, first.receive_time);
    let reply = talk.answer();
    assert_eq!(reply.origin_time, talk.request.receive_time, "interleaved");
    talk.hear(&reply);
    assert!(talk.wrong_s().abs() < 1e-6);
}

#[test]
fn after_four_requests_in_vain_the_next_is_basic() {
    let mut talk = Talk::new();
    talk.turn();
    for _ in 0..3 {
        assert!(talk.is_interleaved());
        talk.ask();
    }
    assert!(talk.is_interleaved(), "the fourth");
    talk.ask();
    assert!(!talk.is_interleaved() && talk.request.receive_time.is_zero());
    talk.turn();
    assert!(talk.is_interleaved(), "and then again");
}

#[test]
fn a_reply_that_contradicts_the_newer_exchange_gives_way_to_it() {
    let mut talk = Talk::new();
    talk.turn();
    let mut reply = talk.answer();
    // The server's clock was set 5 s ahead between the two.
    let jump = NtpDuration::from_seconds(5.0);
    reply.receive_time = reply.receive_time.plus(jump);
    talk.hear(&reply);
    let wrong_s = talk.wrong_s();
    assert!((wrong_s - 5.0).abs() < WAY_S, "{wrong_s}");
}

#[test]
fn a_departure_that_cannot_be_measures_nothing() {
    for left_s in [-0.001, 2.0 * WAY_S + 1.0] {
        let mut talk = Talk::new();
        let first = talk.turn();
        let mut reply = talk.answer();
        reply.transmit_time = first.receive_time.plus(NtpDuration::from_seconds(left_s));
        let heard = talk.hear(&reply);
        assert_eq!(refused_as(&heard), Some(PacketTest::Header), "{left_s}");
        reply.transmit_time = NtpTimestamp::ZERO;
        talk.ask();
        reply.origin_time = talk.request.receive_time;
        let heard = talk.hear(&reply);
        assert_eq!(refused_as(&heard), Some(PacketTest::Unsynchronized));
    }
}

#[test]
fn a_clock_that_was_set_since_the_reply_left_is_no_contradiction() {
    let mut talk = Talk::new();
    talk.turn();
    let mut reply = talk.answer();
    reply.reference_time = reply.receive_time;
    let heard = talk.hear(&reply);
    assert_eq!(refused_as(&heard), None);
    assert!(talk.wrong_s().abs() < 1e-6);
}

#[test]
fn a_kiss_is_obeyed_and_asked_for_no_departure() {
    let mut talk = Talk::new();
    let first = talk.turn();
    let mut kiss = talk.answer();
    kiss.stratum = 0;
    kiss.reference_id = ReferenceId::from_letters("RATE");
    kiss.origin_time = talk.request.transmit_time;
    let heard = talk.hear(&kiss);
    assert!(matches!(heard.events[..], [PeerEvent::RateExceeded(_)]));
    talk.ask();
    assert_eq!(talk.request.origin_time, first.receive_time);
}

proptest! {
    /// Whatever is lost, doubled or late, each measurement is one of an exchange that took place:
    /// wrong by what a basic reply is, or right.
    #[test]
    fn no_loss_makes_a_wrong_measurement(fates in prop::collection::vec(0_u8..8, 1..60)) {
        let mut talk = Talk::new();
        let mut old = Vec::new();
        for fate in fates {
            let reply = talk.answer();
            if fate & 1 != 0 {
                talk.hear(&reply);
            }
            if fate & 2 != 0 {
                talk.hear(&reply);
            }
            if fate & 4 != 0 {
                old.push(reply);
            }
            for late in &old {
                talk.hear(late);
            }
            let stages = talk.pair.association.filter.stages(talk.pair.now.mono, 0.0);
            for (offset_s, ..) in stages.iter().filter(|stage| stage.2 < 16.0) {
                let wrong_s = offset_s - AHEAD_S;
                prop_assert!(
                    wrong_s.abs() < 1e-6 || (wrong_s + LATE_S / 2.0).abs() < 1e-6,
                    "{wrong_s}"
                );
            }
            talk.ask();
        }
    }
}
