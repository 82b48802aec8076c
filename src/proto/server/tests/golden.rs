//! Octet by octet.
use super::bench::{Bench, digest, keyed, request};
use crate::server::Verdict;
use truechimer_time::leap::LeapIndicator;
use truechimer_wire::Mode;

/// Leap 0, version 4, mode 3; poll 6; only the transmit stamp is set.
const REQUEST: [u8; 48] = [
    0x23, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12, 0x34, 0x56, 0x78, 0x9A, 0xBC, 0xDE, 0xF0,
];
const REPLY: [u8; 48] = [
    0x64, 2, 6, 0xE9, // leap 1, version 4, mode 4; stratum 2; poll 6; precision -23
    0, 1, 0x80, 0, // root delay 1.5 s
    0, 0, 0x40, 0, // root dispersion 0.25 s
    10, 0, 0, 1, // reference identifier
    0xE0, 0, 0, 1, 0, 0, 0, 2, // reference time
    0x12, 0x34, 0x56, 0x78, 0x9A, 0xBC, 0xDE, 0xF0, // origin: the request's transmit stamp
    0xE0, 0, 0, 5, 0, 0, 0, 0, // receive
    0xE0, 0, 0, 5, 0, 0x10, 0, 0, // transmit
];

#[test]
fn a_plain_request() {
    let mut bench = Bench::new();
    assert_eq!(request(4, Mode::Client), REQUEST);
    assert_eq!(bench.answer(&REQUEST), Verdict::Reply(48));
    assert_eq!(bench.out[..48], REPLY);
    assert_eq!(bench.out[48], 0xAA, "no octet more");
}

#[test]
fn a_keyed_request_is_sealed_under_its_key() {
    for (key, digest_len) in [(7, 16), (8, 20)] {
        let mut bench = Bench::new();
        let octets = keyed(&REQUEST, key, 0);
        assert_eq!(bench.answer(&octets), Verdict::Reply(52 + digest_len));
        assert_eq!(bench.out[..48], REPLY);
        assert_eq!(bench.out[48..52], key.to_be_bytes());
        assert_eq!(
            bench.out[52..52 + digest_len],
            digest(key, &REPLY)[..digest_len]
        );
    }
}

#[test]
fn a_wrong_mac_gets_a_crypto_nak() {
    let wrong = [
        keyed(&REQUEST, 7, 1),
        keyed(&REQUEST, 3, 0),
        keyed(&REQUEST, 10, 0),
        keyed(&REQUEST, 0x1_0000, 0),
        keyed(&REQUEST, 0, 0),
    ];
    let mut bench = Bench::new();
    for octets in &wrong {
        assert_eq!(bench.answer(octets), Verdict::Reply(52));
        assert_eq!(bench.out[..48], REPLY);
        assert_eq!(bench.out[48..52], [0; 4]);
    }
    assert_eq!(bench.responder.counters().crypto_naks, 5);
}

#[test]
fn an_unsynchronized_server_says_so() {
    let mut bench = Bench::new();
    bench.snapshot = crate::snapshot::Snapshot::unsynchronized(-20);
    let reply = bench.reply_to(&REQUEST);
    assert_eq!(reply.leap, LeapIndicator::NotSynchronized);
    assert_eq!((reply.stratum, reply.precision), (0, -20));
    assert_eq!(reply.reference_id.octets(), *b"INIT");
}

#[test]
fn dispersion_ages_until_the_reply_leaves() {
    let mut bench = Bench::new();
    bench.now.mono = bench.now.mono.plus_seconds(1000.0);
    let reply = bench.reply_to(&REQUEST);
    assert!((reply.root_dispersion.to_seconds() - 0.265).abs() < 2e-5);
}

#[test]
fn poll_is_echoed_within_reason() {
    let mut bench = Bench::new();
    for (asked, told) in [(0, 3), (-128, 3), (10, 10), (127, 17)] {
        let mut octets = REQUEST;
        octets[2] = i8::cast_unsigned(asked);
        assert_eq!(bench.reply_to(&octets).poll, told);
    }
}
