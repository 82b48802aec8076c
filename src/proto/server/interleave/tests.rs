//! Clients in interleaved mode, those who only seem to be, and those who are not.
mod hostile;

use super::*;
use crate::server::tests::bench::{Bench, keyed, request};
use crate::server::{AccessRule, Network, Policy, RestrictFlags, Verdict};
use core::net::SocketAddr;
use std::sync::Arc;
use truechimer_time::NtpDuration;

/// A reply leaves so much after it was made.
const LATE_S: f64 = 0.000_2;

fn departures() -> Arc<DepartureTable> {
    Arc::new(DepartureTable::new(600, b"not so secret..."))
}

fn bench_at(table: &Arc<DepartureTable>) -> Bench {
    let mut bench = Bench::new();
    bench.policy = Policy::default().with_departures(Arc::clone(table));
    bench
}

fn seconds(of: f64) -> NtpDuration {
    NtpDuration::from_seconds(of)
}

/// Time passes.
fn wait(bench: &mut Bench, for_s: f64) {
    bench.arrived = bench.arrived.plus(seconds(for_s));
    bench.now.wall = bench.now.wall.plus(seconds(for_s));
    bench.now.mono = bench.now.mono.plus_seconds(for_s);
}

/// A client that keeps to the RFC.
#[derive(Clone)]
struct Asker {
    source: SocketAddr,
    origin: NtpTimestamp,
    nonce: u64,
}

/// What became of a request.
struct Told {
    interleaved: bool,
    header: Header,
    /// When it left, if that was asked for.
    left: Option<NtpTimestamp>,
}

impl Asker {
    fn new(last: u8) -> Self {
        Self {
            source: SocketAddr::from(([198, 51, 100, last], 40_000)),
            origin: NtpTimestamp::ZERO,
            nonce: u64::from(last) << 40,
        }
    }

    fn nonce(&mut self) -> NtpTimestamp {
        self.nonce = self.nonce.wrapping_add(0x9E37_79B9_7F4A_7C15);
        NtpTimestamp::from_bits(self.nonce)
    }

    fn request(&mut self) -> Header {
        let mut header = Header::blank(4, Mode::Client);
        header.poll = 6;
        header.transmit_time = self.nonce();
        if !self.origin.is_zero() {
            header.origin_time = self.origin;
            header.receive_time = self.nonce();
        }
        header
    }

    /// Asks, and has the reply leave late.
    fn ask(&mut self, bench: &mut Bench) -> Told {
        let asked = self.request();
        let told = put(bench, self.source, &asked);
        self.origin = told.header.receive_time;
        told
    }
}

/// The reply to a request, which leaves late.
fn put(bench: &mut Bench, source: SocketAddr, asked: &Header) -> Told {
    bench.source = source;
    let header = bench.reply_to(&asked.to_octets());
    let interleaved = header.origin_time != asked.transmit_time;
    assert!(!interleaved || header.origin_time == asked.receive_time);
    assert_eq!(header.receive_time.to_bits() & 1, 0, "a receive stamp");
    assert_eq!(header.transmit_time.to_bits() & 1, 1, "a transmit stamp");
    let left = bench.now.wall.plus(seconds(LATE_S));
    let noted = note(bench, left);
    Told {
        interleaved,
        header,
        left: noted.then_some(left),
    }
}

/// The kernel tells when the last reply left; whether somebody wanted to know.
fn note(bench: &mut Bench, left: NtpTimestamp) -> bool {
    let table = bench.policy.departures().map(Arc::clone).expect("a table");
    let departure = bench.responder.take_departure();
    if let Some(departure) = &departure {
        table.note_departure(departure, left, bench.snapshot.step_epoch);
    }
    departure.is_some()
}

fn about(one: NtpTimestamp, other: NtpTimestamp) -> bool {
    one.since(other).to_seconds().abs() < 1e-9
}

#[test]
fn every_reply_after_the_first_tells_when_the_one_before_left() {
    let mut bench = bench_at(&departures());
    let mut client = Asker::new(7);
    let mut before = client.ask(&mut bench);
    assert!(!before.interleaved);
    for _ in 0..20 {
        wait(&mut bench, 64.0);
        let told = client.ask(&mut bench);
        assert!(told.interleaved);
        assert!(about(
            told.header.transmit_time,
            before.left.expect("noted")
        ));
        assert!(about(told.header.receive_time, bench.arrived));
        before = told;
    }
    assert_eq!(bench.responder.counters().interleaved, 20);
    assert_eq!(bench.responder.counters().departures_asked, 21);
}

#[test]
fn who_does_not_use_it_is_not_remembered() {
    let table = departures();
    let mut bench = bench_at(&table);
    let source = SocketAddr::from(([198, 51, 100, 9], 123));
    // What ntpd sends: the reply's transmit stamp, its arrival, and the time.
    let mut asked = Header::blank(4, Mode::Client);
    asked.transmit_time = NtpTimestamp::from_bits(77);
    let mut told = put(&mut bench, source, &asked);
    for n in 0..100_u64 {
        wait(&mut bench, 16.0);
        asked.origin_time = told.header.transmit_time;
        asked.receive_time = NtpTimestamp::from_bits(1000 + n);
        asked.transmit_time = NtpTimestamp::from_bits(2000 + n);
        told = put(&mut bench, source, &asked);
        assert!(!told.interleaved && told.left.is_none());
        let shown = [told.header.receive_time, told.header.transmit_time];
        assert!(about(shown[0], bench.arrived) && about(shown[1], bench.now.wall));
    }
    assert_eq!(bench.responder.counters().departures_asked, 1, "the first");
}

#[test]
fn two_equal_stamps_or_none_are_basic() {
    let mut bench = bench_at(&departures());
    let mut client = Asker::new(7);
    client.ask(&mut bench);
    let origin = client.origin;
    wait(&mut bench, 16.0);
    for receive in [NtpTimestamp::ZERO, NtpTimestamp::from_bits(5)] {
        let mut asked = client.request();
        asked.origin_time = origin;
        asked.receive_time = receive;
        asked.transmit_time = NtpTimestamp::from_bits(5);
        let told = put(&mut bench, client.source, &asked);
        assert!(about(told.header.transmit_time, bench.now.wall), "basic");
    }
    client.origin = origin;
    assert!(client.ask(&mut bench).interleaved, "it is still remembered");
}

#[test]
fn a_departure_that_is_not_known_in_time_is_not_waited_for() {
    let mut bench = bench_at(&departures());
    let mut client = Asker::new(7);
    let asked = client.request();
    bench.source = client.source;
    client.origin = bench.reply_to(&asked.to_octets()).receive_time;
    let late = bench.responder.take_departure().expect("asked for");
    wait(&mut bench, 16.0);
    let told = client.ask(&mut bench);
    assert!(!told.interleaved, "basic");
    assert!(told.left.is_some(), "and the next one is asked for");
    let table = bench.policy.departures().map(Arc::clone).expect("a table");
    table.note_departure(&late, bench.now.wall, bench.snapshot.step_epoch);
    assert_eq!(table.unused(), 1);
    wait(&mut bench, 16.0);
    assert!(client.ask(&mut bench).interleaved);
}

#[test]
fn each_departure_is_told_once() {
    let mut bench = bench_at(&departures());
    let mut client = Asker::new(7);
    client.ask(&mut bench);
    wait(&mut bench, 16.0);
    let mut twin = client.clone();
    assert!(client.ask(&mut bench).interleaved);
    wait(&mut bench, 1e-5);
    assert!(!twin.ask(&mut bench).interleaved, "a duplicate");
    wait(&mut bench, 16.0);
    assert!(twin.ask(&mut bench).interleaved);
    assert!(client.ask(&mut bench).interleaved, "its entry is its own");
}

#[test]
fn lost_replies_cost_one_basic_reply() {
    let mut bench = bench_at(&departures());
    let mut client = Asker::new(7);
    client.ask(&mut bench);
    wait(&mut bench, 16.0);
    let mut who_lost = client.clone();
    assert!(client.ask(&mut bench).interleaved);
    wait(&mut bench, 16.0);
    // It never got that, so it asks for the first one again.
    assert!(!who_lost.ask(&mut bench).interleaved);
    wait(&mut bench, 16.0);
    assert!(who_lost.ask(&mut bench).interleaved);
}

#[test]
fn ports_and_threads_may_change() {
    let table = departures();
    let mut threads = [bench_at(&table), bench_at(&table)];
    let mut client = Asker::new(7);
    for turn in 0..20_u16 {
        client.source.set_port(40_000 + turn);
        for bench in &mut threads {
            wait(bench, 16.0);
        }
        let told = client.ask(&mut threads[usize::from(turn % 2)]);
        assert_eq!(told.interleaved, turn > 0);
    }
}

#[test]
fn two_clients_behind_one_address() {
    let mut bench = bench_at(&departures());
    let mut clients: Vec<Asker> = (0..8)
        .map(|n| Asker {
            nonce: n << 50,
            ..Asker::new(7)
        })
        .collect();
    for round in 0..10 {
        for client in &mut clients {
            wait(&mut bench, 0.1 + 1e-7 * f64::from(round));
            let told = client.ask(&mut bench);
            assert_eq!(told.interleaved, round > 0);
        }
    }
}

#[test]
fn two_replies_of_one_address_and_moment_are_never_mixed_up() {
    let mut bench = bench_at(&departures());
    let (mut one, mut other) = (Asker::new(7), Asker::new(7));
    other.nonce = 1 << 50;
    let first = one.ask(&mut bench);
    let second = other.ask(&mut bench);
    assert_ne!(first.header.receive_time, second.header.receive_time);
    wait(&mut bench, 16.0);
    assert!(!other.ask(&mut bench).interleaved, "nobody noted that one");
    assert!(one.ask(&mut bench).interleaved);
}

#[test]
fn a_stamp_of_another_address_is_of_no_use() {
    let mut bench = bench_at(&departures());
    let mut client = Asker::new(7);
    client.ask(&mut bench);
    wait(&mut bench, 16.0);
    let mut thief = Asker {
        origin: client.origin,
        ..Asker::new(8)
    };
    assert!(!thief.ask(&mut bench).interleaved);
    assert!(client.ask(&mut bench).interleaved);
}

#[test]
fn nothing_from_before_a_step_is_told_after_it() {
    let mut bench = bench_at(&departures());
    let mut client = Asker::new(7);
    client.ask(&mut bench);
    wait(&mut bench, 16.0);
    bench.snapshot.step_epoch = bench.arrived.plus(seconds(-1.0));
    assert!(!client.ask(&mut bench).interleaved);
    wait(&mut bench, 16.0);
    assert!(client.ask(&mut bench).interleaved);
    // Made before the step, left after.
    wait(&mut bench, 16.0);
    bench.source = client.source;
    let asked = client.request();
    client.origin = bench.reply_to(&asked.to_octets()).receive_time;
    bench.snapshot.step_epoch = bench.now.wall;
    let left = bench.now.wall;
    assert!(note(&mut bench, left));
    wait(&mut bench, 16.0);
    assert!(!client.ask(&mut bench).interleaved);
}

#[test]
fn a_departure_that_cannot_be_its_own_is_not_told() {
    for late_s in [-0.000_1, 1.5] {
        let mut bench = bench_at(&departures());
        let mut client = Asker::new(7);
        bench.source = client.source;
        let asked = client.request();
        client.origin = bench.reply_to(&asked.to_octets()).receive_time;
        let left = bench.now.wall.plus(seconds(late_s));
        assert!(note(&mut bench, left));
        wait(&mut bench, 16.0);
        assert!(!client.ask(&mut bench).interleaved, "{late_s}");
    }
}

#[test]
fn only_version_4_clients_of_one_host() {
    for (version, mode) in [(3, Mode::Client), (4, Mode::SymmetricActive)] {
        let mut bench = bench_at(&departures());
        let mut asked = Header::blank(version, mode);
        asked.transmit_time = NtpTimestamp::from_bits(9);
        bench.reply_to(&asked.to_octets());
        assert_eq!(bench.responder.take_departure(), None);
    }
    let mut bench = bench_at(&departures());
    bench.policy = Policy::default();
    let mut client = Asker::new(7);
    bench.source = client.source;
    let header = bench.reply_to(&client.request().to_octets());
    assert_eq!(header.receive_time, bench.arrived, "without a table");
    assert_eq!(bench.responder.take_departure(), None);
}

#[test]
fn keyed_clients_too_but_nobody_whose_mac_is_wrong() {
    let mut bench = bench_at(&departures());
    let mut client = Asker::new(7);
    bench.source = client.source;
    for turn in 0..3 {
        let asked = client.request();
        let good = keyed(&asked.to_octets(), 7, 0);
        let header = bench.reply_to(&good);
        let interleaved = header.origin_time == asked.receive_time;
        assert_eq!(interleaved, turn > 0);
        client.origin = header.receive_time;
        let left = bench.now.wall.plus(seconds(LATE_S));
        assert!(note(&mut bench, left));
        wait(&mut bench, 16.0);
        let bad = keyed(&client.request().to_octets(), 7, 1);
        bench.reply_to(&bad);
        assert_eq!(bench.responder.take_departure(), None, "a crypto-NAK");
    }
}

#[test]
fn what_is_refused_has_no_departure() {
    let mut bench = bench_at(&departures());
    bench.answer(&request(4, Mode::Client));
    let rule = AccessRule::new(Network::ANY_V4, RestrictFlags::IGNORE);
    bench.policy = Policy::new([rule], None).with_departures(departures());
    assert!(matches!(
        bench.answer(&request(4, Mode::Client)),
        Verdict::Drop(_)
    ));
    assert_eq!(bench.responder.take_departure(), None);
}
