//! Symmetric packets of strangers: a reply that leaves nothing behind, or the clock thread's business.
use super::bench::{Bench, ELSEWHERE, keyed, request};
use crate::packet::Via;
use crate::server::{AccessRule, Network, Policy, RestrictFlags, Verdict};
use core::net::SocketAddr;
use truechimer_time::{NtpDuration, NtpTimestamp};
use truechimer_wire::{HEADER_LEN, Header, Mode};

fn bench(flags: Option<RestrictFlags>) -> Bench {
    let mut bench = Bench::new();
    let rule = |flags| AccessRule::new(Network::ANY_V4, flags);
    bench.policy = Policy::new(flags.map(rule), None);
    bench.source.set_port(123);
    bench
}

/// A symmetric packet with poll exponent 6 that echoes a stamp of so many seconds ago.
fn echoing(bench: &Bench, age_s: f64) -> [u8; HEADER_LEN] {
    let octets = request(4, Mode::SymmetricActive);
    let origin_time = bench.now.wall.plus(NtpDuration::from_seconds(-age_s));
    Header {
        origin_time,
        ..Header::parse(&octets)
    }
    .to_octets()
}

fn verdict(flags: Option<RestrictFlags>, age_s: f64, key: u32) -> Verdict {
    let mut bench = bench(flags);
    let packet = keyed(&echoing(&bench, age_s), key, 0);
    bench.answer(&packet)
}

#[test]
fn a_right_mac_a_rule_and_a_fresh_echo_go_to_the_clock_thread() {
    let open = Some(RestrictFlags::NONE);
    for age_s in [0.0, 1.0, 64.0, 95.0] {
        assert_eq!(verdict(open, age_s, 7), Verdict::HandOff, "{age_s}");
    }
    let nopeer = Some(RestrictFlags::NOPEER);
    assert_eq!(verdict(nopeer, 64.0, 7), Verdict::HandOff, "it has a MAC");
}

#[test]
fn all_others_get_a_reply_as_ever() {
    let open = Some(RestrictFlags::NONE);
    let noepeer = Some(RestrictFlags::NOEPEER);
    let plain = Verdict::Reply(68);
    assert_eq!(verdict(None, 64.0, 7), plain, "the built-in rules");
    assert_eq!(verdict(noepeer, 64.0, 7), plain);
    for age_s in [-1.0, 97.0, 1e6] {
        assert_eq!(verdict(open, age_s, 7), plain, "an echo {age_s} s old");
    }
    let mut stranger = bench(open);
    let packet = echoing(&stranger, 64.0);
    assert_eq!(stranger.answer(&packet), Verdict::Reply(48), "no MAC");
    let mut first = bench(open);
    let octets = request(4, Mode::SymmetricActive);
    assert!(Header::parse(&octets).origin_time == NtpTimestamp::ZERO);
    assert_eq!(first.answer(&keyed(&octets, 7, 0)), plain, "no echo");
    for wrong in [9, 10, 11] {
        let mut bench = bench(open);
        let packet = keyed(&echoing(&bench, 64.0), wrong, u8::from(wrong == 9));
        assert_eq!(bench.answer(&packet), Verdict::Reply(52), "a crypto-NAK");
    }
    let mut elsewhere = bench(open);
    elsewhere.source = SocketAddr::new(ELSEWHERE, 123);
    let packet = keyed(&echoing(&elsewhere, 64.0), 7, 0);
    assert_eq!(elsewhere.answer(&packet), Verdict::Reply(52));
}

#[test]
fn our_own_address_on_the_loopback_is_under_a_built_in_rule() {
    let mut bench = bench(Some(RestrictFlags::NONE));
    bench.source = SocketAddr::from(([127, 0, 0, 1], 123));
    bench.via = Via::Server(SocketAddr::from(([127, 0, 0, 1], 123)));
    let packet = keyed(&echoing(&bench, 64.0), 7, 0);
    assert_eq!(bench.answer(&packet), Verdict::Reply(68));
}
