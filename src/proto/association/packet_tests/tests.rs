use super::super::tests::{ELSEWHERE, Ring, key};
use super::*;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use truechimer_time::{NtpDuration, NtpShort, NtpTimestamp};
use truechimer_wire::ReferenceId;

struct Bench {
    exchange: Exchange,
    nonce: NtpTimestamp,
}

impl Bench {
    fn new() -> Self {
        let mut exchange = Exchange::default();
        let nonce = exchange.begin(1, &mut ChaCha20Rng::from_seed([3; 32]));
        Self { exchange, nonce }
    }

    /// A reply that passes everything.
    fn good(&self) -> Header {
        let mut header = Header::blank(4, Mode::Server);
        header.stratum = 2;
        header.precision = -20;
        header.reference_id = ReferenceId::from_octets([192, 0, 2, 9]);
        header.origin_time = self.nonce;
        header.reference_time = NtpTimestamp::from_bits(5 << 32);
        header.receive_time = NtpTimestamp::from_bits(9 << 32);
        header.transmit_time = NtpTimestamp::from_bits((9 << 32) + 1);
        header
    }

    fn identify(&self, octets: &[u8], own_key: Option<KeyId>) -> Result<Reply, Refusal> {
        self.identify_from(octets, own_key, IpAddr::from([192, 0, 2, 1]))
    }

    fn identify_from(
        &self,
        octets: &[u8],
        own_key: Option<KeyId>,
        from: IpAddr,
    ) -> Result<Reply, Refusal> {
        identify(octets, &self.exchange, own_key, from, &mut Ring)
    }
}

fn with_mac(header: &Header, key_id: u32) -> Vec<u8> {
    let mut octets = header.to_octets().to_vec();
    let digest = Ring::digest(key_id, &octets);
    octets.extend_from_slice(&key_id.to_be_bytes());
    octets.extend_from_slice(&digest);
    octets
}

fn refused(result: Result<Reply, Refusal>) -> Option<PacketTest> {
    result.err().map(Refusal::test)
}

#[test]
fn a_good_reply_passes() {
    let bench = Bench::new();
    let header = bench.good();
    let reply = bench.identify(&header.to_octets(), None).expect("good");
    assert_eq!(reply.header, header);
    assert!(examine(&header).is_ok());
    assert_eq!(kiss(&header), None);
}

#[test]
fn version_and_mode() {
    let bench = Bench::new();
    for version in 0..=7 {
        let mut header = bench.good();
        header.version = version;
        let passes = bench.identify(&header.to_octets(), None).is_ok();
        assert_eq!(passes, (1..=4).contains(&version), "{version}");
    }
    for bits in 0..=7 {
        let mut header = bench.good();
        header.mode = Mode::from_bits(bits);
        let passes = bench.identify(&header.to_octets(), None).is_ok();
        assert_eq!(passes, bits == 4, "{bits}");
    }
}

#[test]
fn malformed_is_a_bad_header() {
    let bench = Bench::new();
    let mut octets = bench.good().to_octets().to_vec();
    octets.push(0);
    assert_eq!(
        refused(bench.identify(&octets, None)),
        Some(PacketTest::Header)
    );
    assert_eq!(refused(bench.identify(&[], None)), Some(PacketTest::Header));
}

#[test]
fn zero_origin_is_bogus() {
    // CVE-2015-8138: the reference once took a zero origin for a first answer.
    let bench = Bench::new();
    let mut header = bench.good();
    header.origin_time = NtpTimestamp::ZERO;
    let answer = bench.identify(&header.to_octets(), None);
    assert_eq!(refused(answer), Some(PacketTest::Bogus));
}

#[test]
fn second_answer_and_replay_are_duplicates() {
    let mut bench = Bench::new();
    let header = bench.good();
    bench.exchange.finish(header.transmit_time);
    let again = bench.identify(&header.to_octets(), None);
    assert_eq!(refused(again), Some(PacketTest::Duplicate));
    bench.nonce = bench
        .exchange
        .begin(2, &mut ChaCha20Rng::from_seed([4; 32]));
    let replayed = bench.identify(&header.to_octets(), None);
    assert_eq!(refused(replayed), Some(PacketTest::Duplicate));
    let mut coarse = bench.good();
    coarse.transmit_time = header.transmit_time;
    assert!(bench.identify(&coarse.to_octets(), None).is_ok());
}

#[test]
fn zero_stamps_are_unsynchronized() {
    let bench = Bench::new();
    for clear in [
        (|header: &mut Header| header.receive_time = NtpTimestamp::ZERO) as fn(&mut Header),
        |header| header.transmit_time = NtpTimestamp::ZERO,
    ] {
        let mut header = bench.good();
        clear(&mut header);
        assert_eq!(examine(&header).err(), Some(PacketTest::Unsynchronized));
    }
}

#[test]
fn stratum_and_leap() {
    let bench = Bench::new();
    for (stratum, passes) in [(0, false), (1, true), (15, true), (16, false), (255, false)] {
        let mut header = bench.good();
        header.stratum = stratum;
        assert_eq!(examine(&header).is_ok(), passes, "{stratum}");
        if !passes {
            assert_eq!(examine(&header).err(), Some(PacketTest::Stratum));
        }
    }
    let mut header = bench.good();
    header.leap = LeapIndicator::NotSynchronized;
    assert_eq!(examine(&header).err(), Some(PacketTest::Stratum));
}

#[test]
fn root_distance() {
    let bench = Bench::new();
    for (delay_s, dispersion_s, passes) in [
        (0.0, 15.9, true),
        (0.0, 16.0, false),
        (30.0, 0.9, true),
        (30.0, 1.0, false),
        (65535.0, 0.0, false),
    ] {
        let mut header = bench.good();
        header.root_delay = NtpShort::from_seconds(delay_s);
        header.root_dispersion = NtpShort::from_seconds(dispersion_s);
        assert_eq!(examine(&header).is_ok(), passes, "{delay_s} {dispersion_s}");
    }
}

#[test]
fn set_after_it_was_read() {
    let bench = Bench::new();
    let mut header = bench.good();
    header.reference_time = NtpTimestamp::from_bits(10 << 32);
    assert_eq!(examine(&header).err(), Some(PacketTest::Header));
    for (late_s, passes) in [(0.0009, true), (0.0011, false)] {
        let late = NtpDuration::from_seconds(late_s);
        header.reference_time = header.transmit_time.plus(late);
        assert_eq!(examine(&header).is_ok(), passes, "{late_s}");
    }
    header.reference_time = NtpTimestamp::ZERO;
    assert!(examine(&header).is_ok(), "zero says nothing");
}

#[test]
fn keyed_takes_nothing_unkeyed() {
    let bench = Bench::new();
    let answer = bench.identify(&bench.good().to_octets(), Some(key(7)));
    assert_eq!(
        answer.err(),
        Some(Refusal::Unauthentic(key(7), AuthFailure::NoMac))
    );
}

#[test]
fn keyed_takes_its_own_key_only() {
    // CVE-2015-7974: another trusted key must not speak for this server.
    let bench = Bench::new();
    let right = with_mac(&bench.good(), 7);
    let reply = bench.identify(&right, Some(key(7))).expect("verified");
    assert!(matches!(reply.authenticity, Authenticity::Verified(_)));
    let other = with_mac(&bench.good(), 8);
    let refusal = Refusal::Unauthentic(key(7), AuthFailure::OtherKey);
    assert_eq!(bench.identify(&other, Some(key(7))).err(), Some(refusal));
}

#[test]
fn a_key_speaks_only_from_the_addresses_of_the_keys_file() {
    let bench = Bench::new();
    let right = with_mac(&bench.good(), 7);
    let answer = bench.identify_from(&right, Some(key(7)), ELSEWHERE);
    let refusal = Refusal::Unauthentic(key(7), AuthFailure::WrongAddress);
    assert_eq!(answer.err(), Some(refusal));
}

#[test]
fn wrong_digest() {
    let bench = Bench::new();
    let mut octets = with_mac(&bench.good(), 7);
    if let Some(last) = octets.last_mut() {
        *last ^= 1;
    }
    let refusal = Refusal::Unauthentic(key(7), AuthFailure::WrongDigest);
    assert_eq!(bench.identify(&octets, Some(key(7))).err(), Some(refusal));
}

#[test]
fn crypto_nak_proves_nothing() {
    // CVE-2015-7871: it must authenticate nothing, with or without a key of ours.
    let bench = Bench::new();
    let mut nak = bench.good().to_octets().to_vec();
    nak.extend_from_slice(&[0; 4]);
    let keyed = bench.identify(&nak, Some(key(7)));
    assert_eq!(
        keyed.err(),
        Some(Refusal::Unauthentic(key(7), AuthFailure::CryptoNak))
    );
    let unkeyed = bench.identify(&nak, None);
    assert_eq!(refused(unkeyed), Some(PacketTest::Authentication));
    let mut header = bench.good();
    header.origin_time = NtpTimestamp::from_bits(1);
    let mut stray = header.to_octets().to_vec();
    stray.extend_from_slice(&[0; 4]);
    let answer = bench.identify(&stray, Some(key(7)));
    assert_eq!(answer.err(), Some(Refusal::Test(PacketTest::Bogus)));
}

#[test]
fn kisses_by_code_at_stratum_zero_only() {
    let bench = Bench::new();
    for (letters, code) in [
        ("RATE", Some(KissCode::Rate)),
        ("DENY", Some(KissCode::Deny)),
        ("RSTR", Some(KissCode::Rstr)),
        ("INIT", None),
        ("XYZZ", None),
    ] {
        let mut header = bench.good();
        header.stratum = 0;
        header.reference_id = ReferenceId::from_letters(letters);
        assert_eq!(kiss(&header), code);
        header.stratum = 1;
        assert_eq!(kiss(&header), None, "a clock may be called {letters}");
    }
}
