use super::bench::{Bench, ELSEWHERE, LOCAL, keyed, request};
use crate::authentication::AuthFailure;
use crate::packet::Via;
use crate::server::{AccessRule, DropReason, Network, Policy, RestrictFlags, Verdict};
use core::net::{Ipv4Addr, SocketAddr};
use truechimer_time::{NtpDuration, NtpTimestamp};
use truechimer_wire::Mode;

fn restricted(flags: RestrictFlags) -> Bench {
    let mut bench = Bench::new();
    let rule = AccessRule::new(Network::ANY_V4, flags);
    bench.policy = Policy::new([rule], None);
    bench
}

fn verdict_from(source: &str, via: Via) -> Verdict {
    let mut bench = Bench::new();
    bench.source = source.parse().expect("an address");
    bench.via = via;
    bench.answer(&request(4, Mode::Client))
}

#[test]
fn impossible_senders() {
    let local = Via::Server(LOCAL);
    for source in [
        "127.0.0.1:5000",
        "127.127.1.0:5000",
        "[::1]:5000",
        "[::ffff:127.0.0.1]:5000",
        "0.0.0.0:5000",
        "[::]:5000",
        "224.0.1.1:123",
        "[ff02::101]:123",
        "255.255.255.255:123",
    ] {
        let dropped = Verdict::Drop(DropReason::SourceAddress);
        assert_eq!(verdict_from(source, local), dropped, "{source}");
    }
    assert_eq!(
        verdict_from("198.51.100.7:0", local),
        Verdict::Drop(DropReason::SourcePort)
    );
}

#[test]
fn loopback_over_loopback_is_fine() {
    let loopback = Via::Server(SocketAddr::from((Ipv4Addr::LOCALHOST, 123)));
    assert_eq!(verdict_from("127.0.0.1:5000", loopback), Verdict::Reply(48));
    assert_eq!(
        verdict_from("127.127.1.0:5000", loopback),
        Verdict::Drop(DropReason::SourceAddress)
    );
}

#[test]
fn flags_are_enforced() {
    let plain = request(4, Mode::Client);
    let drops = |flags, octets: &[u8]| restricted(flags).answer(octets);
    assert_eq!(
        drops(RestrictFlags::IGNORE, &plain),
        Verdict::Drop(DropReason::Ignored)
    );
    assert_eq!(
        drops(RestrictFlags::NOSERVE, &plain),
        Verdict::Drop(DropReason::NotServed)
    );
    assert_eq!(
        drops(RestrictFlags::NOTRUST, &plain),
        Verdict::Drop(DropReason::NotTrusted)
    );
    assert_eq!(
        drops(RestrictFlags::NOTRUST, &keyed(&plain, 7, 0)),
        Verdict::Reply(68)
    );
    assert_eq!(
        drops(RestrictFlags::NOTRUST, &keyed(&plain, 7, 1)),
        Verdict::Reply(52),
        "told, not served"
    );
    assert_eq!(drops(RestrictFlags::VERSION, &plain), Verdict::Reply(48));
    assert_eq!(
        drops(RestrictFlags::VERSION, &request(3, Mode::Client)),
        Verdict::Drop(DropReason::Version)
    );
    let others = RestrictFlags::NOQUERY.with(RestrictFlags::NOPEER);
    assert_eq!(drops(others, &plain), Verdict::Reply(48));
}

#[test]
fn one_in_ten_is_lost_for_tests() {
    let mut bench = restricted(RestrictFlags::FLAKE);
    let octets = request(4, Mode::Client);
    for _ in 0..2000 {
        let verdict = bench.answer(&octets);
        let lost = Verdict::Drop(DropReason::Flaked);
        assert!(verdict == lost || verdict == Verdict::Reply(48));
    }
    let lost = bench.responder.counters().dropped(DropReason::Flaked);
    assert!((140..260).contains(&lost), "{lost}");
}

#[test]
fn the_reference_time_is_blurred_and_never_in_the_future() {
    let mut bench = restricted(RestrictFlags::SERVERRESPONSE_FUZZ);
    let octets = request(4, Mode::Client);
    let honest = bench.snapshot.reference_time;
    for _ in 0..100 {
        let said = bench.reply_to(&octets).reference_time;
        assert!(said != honest, "one chance in four milliards");
        assert!(said.since(honest).abs().to_seconds() <= 1.0);
        assert!(said.since(bench.arrived) <= NtpDuration::ZERO);
    }
    bench.snapshot.reference_time = bench.arrived;
    for _ in 0..100 {
        let said = bench.reply_to(&octets).reference_time;
        assert!(said.since(bench.arrived) <= NtpDuration::ZERO);
    }
    bench.snapshot.reference_time = NtpTimestamp::ZERO;
    assert!(bench.reply_to(&octets).reference_time.is_zero());
}

#[test]
fn a_crypto_nak_is_not_answered() {
    let mut octets = request(4, Mode::Client).to_vec();
    octets.extend_from_slice(&[0; 4]);
    assert_eq!(
        Bench::new().answer(&octets),
        Verdict::Drop(DropReason::CryptoNak)
    );
}

#[test]
fn a_key_from_an_address_the_keys_file_does_not_list_is_bad() {
    let octets = keyed(&request(4, Mode::Client), 7, 0);
    let mut bench = Bench::new();
    assert_eq!(bench.answer(&octets), Verdict::Reply(68));
    bench.source = SocketAddr::new(ELSEWHERE, 123);
    assert_eq!(bench.answer(&octets), Verdict::Reply(52), "a crypto-NAK");
    let counters = bench.responder.counters();
    assert_eq!(counters.crypto_naks, 1);
    assert_eq!(counters.unauthentic(AuthFailure::WrongAddress), 1);
}

/// What is wrong with a MAC is counted by its name; what is too short for any is no packet.
#[test]
fn bad_macs_are_counted_by_what_is_wrong_with_them() {
    let plain = request(4, Mode::Client);
    let mut bench = Bench::new();
    let mut of_the_other_length = keyed(&plain, 7, 0);
    of_the_other_length.extend([0; 4]);
    for (octets, failure) in [
        (keyed(&plain, 7, 1), AuthFailure::WrongDigest),
        (keyed(&plain, 10, 0), AuthFailure::UntrustedKey),
        (keyed(&plain, 65_000, 0), AuthFailure::UnknownKey),
        (keyed(&plain, 70_000, 0), AuthFailure::UnknownKey),
        (of_the_other_length, AuthFailure::WrongLength),
    ] {
        let before = bench.responder.counters().unauthentic(failure);
        assert_eq!(bench.answer(&octets), Verdict::Reply(52), "{failure:?}");
        let after = bench.responder.counters().unauthentic(failure);
        assert_eq!(after, before + 1, "{failure:?}");
    }
    assert_eq!(bench.responder.counters().crypto_naks, 5);
    let whole = keyed(&plain, 7, 0);
    for cut in [8, 12, 16] {
        let verdict = bench.answer(&whole[..plain.len() + cut]);
        assert_eq!(verdict, Verdict::Drop(DropReason::MacLength), "{cut}");
    }
}

#[test]
fn a_key_that_will_not_seal_is_no_reply() {
    let octets = keyed(&request(4, Mode::Client), 9, 0);
    assert_eq!(
        Bench::new().answer(&octets),
        Verdict::Drop(DropReason::Unsealed)
    );
}

#[test]
fn stamps_from_both_sides_of_a_step() {
    let octets = request(4, Mode::Client);
    let stepped = Verdict::Drop(DropReason::Stepped);
    let mut bench = Bench::new();
    bench.snapshot.step_epoch = bench.arrived.plus(NtpDuration::from_bits(1));
    assert_eq!(bench.answer(&octets), stepped, "arrived before the epoch");
    bench.snapshot.step_epoch = bench.arrived;
    assert_eq!(bench.answer(&octets), Verdict::Reply(48));
    bench.now.wall = bench.arrived.plus(NtpDuration::from_bits(-1));
    assert_eq!(bench.answer(&octets), stepped, "leaves before it arrived");
}

#[test]
fn the_turn_of_the_era_is_no_step() {
    let mut bench = Bench::new();
    bench.arrived = NtpTimestamp::from_bits(u64::MAX - 5);
    bench.now.wall = NtpTimestamp::from_bits(9);
    bench.snapshot.step_epoch = NtpTimestamp::from_bits(u64::MAX - (1 << 40));
    assert_eq!(bench.answer(&request(4, Mode::Client)), Verdict::Reply(48));
}

#[test]
fn every_drop_is_counted_under_its_name() {
    let mut bench = Bench::new();
    let good = request(4, Mode::Client);
    bench.answer(&good);
    bench.answer(&request(2, Mode::Client));
    bench.answer(&request(5, Mode::Client));
    bench.answer(&good[..40]);
    bench.answer(&[]);
    bench.answer(&request(4, Mode::Broadcast));
    bench.answer(&request(4, Mode::Server));
    bench.answer(&keyed(&good, 7, 1));
    bench.source = SocketAddr::from(([10, 0, 0, 1], 0));
    bench.answer(&good);
    let counters = *bench.responder.counters();
    assert_eq!(counters.received, 9);
    assert_eq!(counters.replied, 3, "plain, old, crypto-NAK");
    assert_eq!(counters.handed_off, 1);
    assert_eq!(counters.dropped(DropReason::Malformed), 2);
    let dropped: u64 = DropReason::ALL
        .map(|reason| counters.dropped(reason))
        .iter()
        .sum();
    assert_eq!(
        counters.received,
        counters.replied + counters.handed_off + dropped
    );
    let reference = counters.plus(&counters).reference();
    assert_eq!(reference[0], ("ss_received", 18));
    assert_eq!(reference[1], ("ss_thisver", 6));
    assert_eq!(reference[2], ("ss_oldver", 2));
    assert_eq!(reference[3], ("ss_badformat", 10));
    assert_eq!(reference[4], ("ss_badauth", 2));
}

#[test]
fn a_short_buffer_is_no_panic() {
    let octets = keyed(&request(4, Mode::Client), 7, 0);
    let received = crate::packet::Received {
        octets: &octets,
        source: SocketAddr::from(([10, 0, 0, 1], 1000)),
        via: Via::Server(LOCAL),
        stamp: crate::packet::Stamp {
            at: super::bench::ARRIVED,
            class: crate::packet::StampClass::User,
        },
    };
    let mut bench = Bench::new();
    for len in 0..68 {
        let mut out = vec![0; len];
        let verdict = bench.responder.answer(
            bench.now,
            &received,
            &bench.snapshot,
            &bench.policy,
            &mut super::bench::Checksum,
            &mut out,
        );
        assert!(matches!(
            verdict,
            Verdict::Drop(DropReason::NoRoom | DropReason::Unsealed)
        ));
    }
}
