//! Forgeries: nothing of the association may change before nonce and MAC are right.
use super::*;
use proptest::prelude::*;

fn unmoved_by(pair: &mut Pair, octets: &[u8], event: PeerEvent) {
    let before = pair.state();
    let heard = pair.hear(octets);
    assert_eq!(heard.events, [event]);
    assert_eq!(heard.after, After::Rest);
    assert_eq!(pair.state(), before);
}

#[test]
fn zero_origin_cve_2015_8138() {
    let mut pair = Pair::new(None);
    let mut header = pair.answer();
    header.origin_time = NtpTimestamp::ZERO;
    unmoved_by(
        &mut pair,
        &header.to_octets(),
        PeerEvent::Refused(PacketTest::Bogus),
    );
    let truth = pair.answer().to_octets();
    assert_eq!(
        pair.hear(&truth).after,
        After::Select,
        "the true answer still counts"
    );
}

#[test]
fn kiss_spoof_cve_2015_7704() {
    for letters in ["RATE", "DENY", "RSTR"] {
        let mut pair = Pair::new(None);
        let mut header = pair.answer();
        header.stratum = 0;
        header.reference_id = ReferenceId::from_letters(letters);
        header.origin_time = NtpTimestamp::from_bits(pair.nonce.to_bits() ^ 1);
        unmoved_by(
            &mut pair,
            &header.to_octets(),
            PeerEvent::Refused(PacketTest::Bogus),
        );
    }
}

#[test]
fn kiss_flood_cve_2015_7705() {
    // A server made to rate-limit us by forged requests kisses us; the kisses answer the forger's
    // requests, not ours, so however many come, we go on as before.
    let mut pair = Pair::new(None);
    for turn in 0..1000 {
        let mut header = pair.answer();
        header.stratum = 0;
        header.reference_id = ReferenceId::from_letters("RATE");
        header.origin_time = NtpTimestamp::from_bits(turn);
        unmoved_by(
            &mut pair,
            &header.to_octets(),
            PeerEvent::Refused(PacketTest::Bogus),
        );
    }
    let truth = pair.answer().to_octets();
    assert_eq!(pair.hear(&truth).after, After::Select);
}

#[test]
fn flood_in_the_servers_name_cve_2016_7426() {
    // No limiter of ours may eat the true reply because of forged ones before it.
    let mut pair = Pair::new(None);
    for turn in 1..5000 {
        let mut header = pair.answer();
        header.origin_time = NtpTimestamp::from_bits(turn);
        pair.hear(&header.to_octets());
    }
    let truth = pair.answer().to_octets();
    assert_eq!(pair.hear(&truth).after, After::Select);
    assert_eq!(pair.association.counts.refused[1], 4999);
}

#[test]
fn wrong_source() {
    let mut pair = Pair::new(None);
    let before = pair.state();
    let octets = pair.answer().to_octets();
    for source in [
        SocketAddr::from(([192, 0, 2, 2], 123)),
        SocketAddr::from((SERVER, 124)),
    ] {
        let heard = pair.hear_from(&octets, source);
        assert_eq!(heard.events, [PeerEvent::Refused(PacketTest::Bogus)]);
    }
    assert_eq!(pair.state(), before);
}

#[test]
fn other_key_cve_2015_7974() {
    let mut pair = Pair::new(Some(key(7)));
    let octets = sealed(&pair.answer(), 8);
    let event = PeerEvent::BadAuthentication {
        key: key(7),
        failure: AuthFailure::OtherKey,
    };
    unmoved_by(&mut pair, &octets, event);
    let truth = sealed(&pair.answer(), 7);
    assert_eq!(pair.hear(&truth).after, After::Select);
}

#[test]
fn no_mac_and_wrong_mac() {
    let mut pair = Pair::new(Some(key(7)));
    let bare = pair.answer().to_octets();
    let event = PeerEvent::BadAuthentication {
        key: key(7),
        failure: AuthFailure::NoMac,
    };
    unmoved_by(&mut pair, &bare, event);
    let mut forged = sealed(&pair.answer(), 7);
    forged[1] ^= 1;
    let event = PeerEvent::BadAuthentication {
        key: key(7),
        failure: AuthFailure::WrongDigest,
    };
    unmoved_by(&mut pair, &forged, event);
    let truncated = &sealed(&pair.answer(), 7)[..48 + 16];
    let event = PeerEvent::BadAuthentication {
        key: key(7),
        failure: AuthFailure::WrongLength,
    };
    unmoved_by(&mut pair, truncated, event);
    let counts = &pair.association.counts;
    assert_eq!(counts.refused[4], 3);
    let of = |failure: AuthFailure| counts.unauthentic[failure as usize];
    let each = [
        AuthFailure::NoMac,
        AuthFailure::WrongDigest,
        AuthFailure::WrongLength,
    ];
    assert_eq!(each.map(of), [1, 1, 1]);
}

#[test]
fn crypto_nak_cve_2015_7871() {
    let mut pair = Pair::new(Some(key(7)));
    let mut nak = pair.answer().to_octets().to_vec();
    nak.extend_from_slice(&[0; 4]);
    let event = PeerEvent::BadAuthentication {
        key: key(7),
        failure: AuthFailure::CryptoNak,
    };
    unmoved_by(&mut pair, &nak, event);
    let mut stray = pair.answer();
    stray.origin_time = NtpTimestamp::from_bits(1);
    let mut stray = stray.to_octets().to_vec();
    stray.extend_from_slice(&[0; 4]);
    unmoved_by(&mut pair, &stray, PeerEvent::Refused(PacketTest::Bogus));
    let truth = sealed(&pair.answer(), 7);
    assert_eq!(pair.hear(&truth).after, After::Select);
}

#[test]
fn an_unkeyed_kiss_does_not_move_a_keyed_association() {
    let mut pair = Pair::new(Some(key(7)));
    let mut header = pair.answer();
    header.stratum = 0;
    header.reference_id = ReferenceId::from_letters("DENY");
    let bare = header.to_octets();
    let event = PeerEvent::BadAuthentication {
        key: key(7),
        failure: AuthFailure::NoMac,
    };
    unmoved_by(&mut pair, &bare, event);
    let heard = pair.hear(&sealed(&header, 7));
    assert_eq!(heard.after, After::Denied);
}

#[test]
fn contradictory_stamps_are_refused() {
    let mut pair = Pair::new(None);
    let mut header = pair.answer();
    header.transmit_time = header.receive_time.plus(NtpDuration::from_seconds(9.0));
    let heard = pair.hear(&header.to_octets());
    assert_eq!(heard.events, [PeerEvent::Refused(PacketTest::Header)]);
    assert_eq!(pair.association.poll.reach(), 0);
}

proptest! {
    #[test]
    fn any_datagram_without_the_nonce_changes_nothing(
        octets in proptest::collection::vec(any::<u8>(), 0..200),
        keyed in any::<bool>(),
    ) {
        let mut pair = Pair::new(keyed.then(|| key(7)));
        prop_assume!(octets.get(24..32) != Some(&pair.nonce.to_bits().to_be_bytes()[..]));
        let before = pair.state();
        let heard = pair.hear(&octets);
        prop_assert_eq!(heard.after, After::Rest);
        prop_assert_eq!(pair.state(), before);
    }

    #[test]
    fn any_reply_with_the_nonce_leaves_sane_numbers(
        mut octets in proptest::collection::vec(any::<u8>(), 48),
        first in prop_oneof![Just(0x24_u8), any::<u8>()],
        stratum in prop_oneof![1..16_u8, any::<u8>()],
    ) {
        let mut pair = Pair::new(None);
        octets[0] = first;
        octets[1] = stratum;
        octets[24..32].copy_from_slice(&pair.nonce.to_bits().to_be_bytes());
        pair.hear(&octets);
        let it = &pair.association;
        let distance_s = it.root_distance_s(pair.now.mono, 15e-6, 0.001);
        prop_assert!(distance_s.is_finite() && distance_s > 0.0);
        prop_assert!(it.filter.offset_s().is_finite());
        prop_assert!((0..=10).contains(&it.poll.host_poll()));
    }
}
