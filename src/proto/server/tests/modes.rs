use super::bench::{Bench, request};
use crate::server::{DropReason, Verdict};
use truechimer_wire::Mode;

/// The mode of the reply, or the verdict where there is none.
fn outcome(version: u8, mode: Mode, port: u16) -> Result<Mode, Verdict> {
    let mut bench = Bench::new();
    bench.source.set_port(port);
    let octets = request(version, mode);
    match bench.answer(&octets) {
        Verdict::Reply(48) => {
            let reply = bench.reply_to(&octets);
            assert_eq!(reply.version, version);
            Ok(reply.mode)
        }
        verdict => Err(verdict),
    }
}

#[test]
fn every_version_of_a_client_request() {
    for version in 0..8 {
        let expected = match version {
            1..=4 => Ok(Mode::Server),
            _ => Err(Verdict::Drop(DropReason::Version)),
        };
        for port in [123, 1024, 65_535] {
            assert_eq!(outcome(version, Mode::Client, port), expected, "{version}");
        }
    }
}

#[test]
fn symmetric_strangers_get_a_passive_reply() {
    for version in 1..=4 {
        assert_eq!(
            outcome(version, Mode::SymmetricActive, 123),
            Ok(Mode::SymmetricPassive)
        );
    }
}

#[test]
fn version_1_without_a_mode_goes_by_port() {
    assert_eq!(outcome(1, Mode::Reserved, 5000), Ok(Mode::Server));
    assert_eq!(outcome(1, Mode::Reserved, 123), Ok(Mode::SymmetricPassive));
    for version in [0, 2, 3, 4, 5] {
        assert_eq!(
            outcome(version, Mode::Reserved, 5000),
            Err(Verdict::Drop(DropReason::Mode))
        );
    }
}

#[test]
fn what_is_no_request_is_never_answered() {
    for version in 0..8 {
        for mode in [Mode::Server, Mode::SymmetricPassive] {
            assert_eq!(outcome(version, mode, 123), Err(Verdict::HandOff));
        }
        for mode in [Mode::Control, Mode::Private] {
            let dropped = Err(Verdict::Drop(DropReason::NotQueried));
            assert_eq!(outcome(version, mode, 123), dropped);
        }
        let dropped = Err(Verdict::Drop(DropReason::Mode));
        assert_eq!(outcome(version, Mode::Broadcast, 123), dropped);
    }
}

#[test]
fn no_two_responders_can_be_made_to_loop() {
    for first in 0..=255_u8 {
        let (mut one, mut other) = (Bench::new(), Bench::new());
        let mut octets = request(4, Mode::Client);
        octets[0] = first;
        if let Verdict::Reply(len) = one.answer(&octets) {
            other.source.set_port(123);
            let verdict = other.answer(&one.out[..len]);
            assert!(!matches!(verdict, Verdict::Reply(_)), "{first:#04x}");
        }
    }
}

#[test]
fn unknown_extension_fields_are_passed_over() {
    let mut octets = request(4, Mode::Client).to_vec();
    octets.extend_from_slice(&[0xF1, 0x23, 0, 28]);
    octets.extend_from_slice(&[9; 24]);
    assert_eq!(Bench::new().answer(&octets), Verdict::Reply(48));
    let keyed = super::bench::keyed(&octets, 7, 0);
    assert_eq!(Bench::new().answer(&keyed), Verdict::Reply(68));
}

#[test]
fn private_requests_are_handed_over_where_they_are_enabled() {
    use crate::server::{AccessRule, Network, Policy, RestrictFlags};
    let here = [127, 0, 0, 1].into();
    let mut octets = request(2, Mode::Private);
    let mut verdict = |private: bool, first: u8, flags| {
        let mut bench = Bench::new();
        let rule = AccessRule::new(Network::host(here), flags);
        bench.policy = Policy::new([rule], None).with_private(private);
        bench.source = (here, 5000).into();
        bench.via = crate::packet::Via::Server((here, 123).into());
        octets[0] = first;
        bench.answer(&octets)
    };
    let (request, answer) = (0x17, 0x97);
    let none = RestrictFlags::NONE;
    assert_eq!(verdict(true, request, none), Verdict::Control(none));
    assert_eq!(
        verdict(true, answer, none),
        Verdict::Drop(DropReason::Mode),
        "an answer is never answered"
    );
    assert_eq!(
        verdict(false, request, none),
        Verdict::Drop(DropReason::Mode),
        "unless it is asked for"
    );
    assert_eq!(
        verdict(true, request, RestrictFlags::NOQUERY),
        Verdict::Drop(DropReason::NotQueried)
    );
}
