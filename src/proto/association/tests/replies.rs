//! Requests, good replies, kisses.
use super::*;

#[test]
fn requests_tell_nothing() {
    for (version, first_octet) in [(1, 0x0B), (2, 0x13), (3, 0x1B), (4, 0x23)] {
        let mut pair = Pair::new(None);
        pair.association.options.version = version;
        let mut seen = Vec::new();
        for sequence in 10..20 {
            let mut events = Vec::new();
            let request = pair
                .association
                .request(sequence, &mut Ring, &mut pair.rng, &mut events)
                .expect("has an address");
            assert_eq!(request.octets.len(), 48);
            assert_eq!(request.octets[0], first_octet);
            assert!(request.octets[1..40].iter().all(|octet| *octet == 0));
            seen.push(request.octets[40..].to_vec());
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 10, "nonces repeat");
    }
}

#[test]
fn keyed_requests_carry_a_mac() {
    let mut pair = Pair::new(Some(key(7)));
    let mut events = Vec::new();
    let request = pair
        .association
        .request(9, &mut Ring, &mut pair.rng, &mut events)
        .expect("has a key");
    assert_eq!(request.octets[48..52], [0, 0, 0, 7]);
    assert_eq!(request.octets[52..], Ring::digest(7, &request.octets[..48]));
}

#[test]
fn a_missing_key_is_said_once_and_nothing_is_sent() {
    let mut pair = Pair::new(None);
    pair.association.options.key = Some(key(1234));
    let mut events = Vec::new();
    for sequence in 10..13 {
        let request = pair
            .association
            .request(sequence, &mut Ring, &mut pair.rng, &mut events);
        assert!(request.is_none());
    }
    assert_eq!(events.len(), 1);
}

#[test]
fn a_good_reply_is_a_sample() {
    let mut pair = Pair::new(None);
    let heard = pair.hear(&pair.answer().to_octets());
    assert_eq!(heard.events, [PeerEvent::Reachable]);
    assert_eq!(heard.after, After::Select);
    let it = &pair.association;
    assert!(
        (it.filter.offset_s() - 0.1).abs() < 1e-5,
        "{}",
        it.filter.offset_s()
    );
    assert!((it.filter.delay_s() - 0.02).abs() < 1e-4);
    assert_eq!(it.stamps, Some((StampClass::Kernel, StampClass::User)));
    assert_eq!(it.poll.reach(), 1);
    assert_eq!(it.counts.flash, 0);
}

#[test]
fn our_own_stamp_is_needed() {
    let mut pair = Pair::new(None);
    let mut events = Vec::new();
    let request = pair
        .association
        .request(99, &mut Ring, &mut pair.rng, &mut events)
        .expect("has an address");
    let octets = request.octets.first_chunk().expect("a header");
    pair.nonce = Header::parse(octets).transmit_time;
    let heard = pair.hear(&pair.answer().to_octets());
    assert_eq!(
        heard.events,
        [PeerEvent::Refused(PacketTest::Unsynchronized)]
    );
    assert_eq!(pair.association.poll.reach(), 0);
}

#[test]
fn one_answer_per_request() {
    let mut pair = Pair::new(None);
    let octets = pair.answer().to_octets();
    pair.hear(&octets);
    let before = pair.state();
    let again = pair.hear(&octets);
    assert_eq!(again.events, [PeerEvent::Refused(PacketTest::Duplicate)]);
    assert_eq!(pair.state(), before);
    pair.wait(64.0);
    pair.ask();
    let before = pair.state();
    let replayed = pair.hear(&octets);
    assert_eq!(replayed.events, [PeerEvent::Refused(PacketTest::Duplicate)]);
    assert_eq!(pair.state(), before);
    assert_eq!(pair.association.counts.refused[0], 2);
}

#[test]
fn an_unsynchronized_server_is_shown_but_not_reached() {
    let mut pair = Pair::new(None);
    let mut header = pair.answer();
    header.leap = LeapIndicator::NotSynchronized;
    header.stratum = 0;
    header.reference_id = ReferenceId::from_letters("STEP");
    let heard = pair.hear(&header.to_octets());
    assert_eq!(heard.events, [PeerEvent::Refused(PacketTest::Stratum)]);
    let it = &pair.association;
    assert_eq!(it.peer.stratum, 16);
    assert_eq!(it.peer.reference_id, ReferenceId::from_letters("STEP"));
    assert_eq!(it.poll.reach(), 0);
    assert_eq!(it.counts.flash, PacketTest::Stratum.bit());
    assert_eq!(it.counts.refused[5], 1);
}

fn kiss_of(pair: &Pair, letters: &str) -> Header {
    let mut header = pair.answer();
    header.leap = LeapIndicator::NotSynchronized;
    header.stratum = 0;
    header.poll = 8;
    header.reference_id = ReferenceId::from_letters(letters);
    header
}

#[test]
fn rate_slows_down() {
    let mut pair = Pair::new(None);
    let heard = pair.hear(&kiss_of(&pair, "RATE").to_octets());
    assert_eq!(heard.events, [PeerEvent::RateExceeded(8)]);
    assert_eq!(pair.association.poll.host_poll(), 8);
    let next = pair.association.poll.next().expect("still asking");
    assert!(next.seconds_since(pair.now.mono) >= 512.0);
}

#[test]
fn both_forms_of_a_kiss_are_heard() {
    // ntpd puts our nonce into all stamps, chrony leaves them as in any reply or zero.
    let mut pair = Pair::new(None);
    let mut header = kiss_of(&pair, "RATE");
    header.receive_time = pair.nonce;
    header.transmit_time = pair.nonce;
    assert_eq!(pair.hear(&header.to_octets()).events.len(), 1);
    assert_eq!(pair.association.poll.host_poll(), 8);
    let mut pair = Pair::new(None);
    let mut header = kiss_of(&pair, "RATE");
    header.receive_time = NtpTimestamp::ZERO;
    header.transmit_time = NtpTimestamp::ZERO;
    pair.hear(&header.to_octets());
    assert_eq!(pair.association.poll.host_poll(), 8);
}

#[test]
fn deny_and_rstr_stop() {
    for letters in ["DENY", "RSTR"] {
        let mut pair = Pair::new(None);
        let heard = pair.hear(&kiss_of(&pair, letters).to_octets());
        assert_eq!(heard.after, After::Denied);
        let code = ReferenceId::from_letters(letters);
        assert_eq!(heard.events, [PeerEvent::AccessDenied(code)]);
        let it = &pair.association;
        assert_eq!(it.poll.next(), None);
        assert_eq!(it.peer.reference_id, code);
        assert_eq!(it.counts.refused[3], 1);
    }
}

#[test]
fn other_kisses_change_nothing_but_what_is_shown() {
    let mut pair = Pair::new(None);
    let heard = pair.hear(&kiss_of(&pair, "XFUN").to_octets());
    assert_eq!(heard.events, [PeerEvent::Refused(PacketTest::Stratum)]);
    let it = &pair.association;
    assert_eq!(it.poll.host_poll(), 6);
    assert!(it.poll.next().is_some());
    assert_eq!(it.peer.reference_id, ReferenceId::from_letters("XFUN"));
}

#[test]
fn restart_forgets_samples_and_requests() {
    let mut pair = Pair::new(None);
    pair.hear(&pair.answer().to_octets());
    pair.wait(64.0);
    pair.ask();
    let (now, precision_s) = (pair.now.mono, 1e-6);
    pair.association
        .restart(now, "STEP", precision_s, &mut pair.rng);
    let late = pair.hear(&pair.answer().to_octets());
    assert_eq!(late.events, [PeerEvent::Refused(PacketTest::Bogus)]);
    let it = &pair.association;
    assert_eq!(it.poll.reach(), 0);
    assert!(it.filter.dispersion_s() > 15.9);
    assert_eq!(it.peer.reference_id, ReferenceId::from_letters("STEP"));
}
