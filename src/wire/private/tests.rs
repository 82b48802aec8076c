//! Against what the reference's own programs sent (4.2.8p15, captured), and whatever else may come.
use super::*;
use core::net::IpAddr;
use proptest::prelude::*;
use truechimer_time::{NtpDuration, NtpTimestamp};

fn octets(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pair = |pair: &[u8]| {
        let text = core::str::from_utf8(pair).expect("digits");
        u8::from_str_radix(text, 16).expect("digits")
    };
    digits.chunks_exact(2).map(pair).collect()
}

fn padded(hex: &str, len: usize) -> Vec<u8> {
    let mut octets = octets(hex);
    octets.resize(len, 0);
    octets
}

/// `restrict 192.168.231.0 255.255.255.0 nomodify notrust` of ntpdc under key 1, MD5.
fn restrict_request() -> Vec<u8> {
    let mut all = padded(
        "178003110001003c c0a8e700 ffffff00 00000000 7d550000 0104 0000 3235352e 00000000 30000000
         01000000 00000000 1457dae8 7d550000 08000000",
        184,
    );
    all.extend(octets(
        "eeb572f2126d1bd5 00000001 68abc7fd875eec5a55b716f7502ae895",
    ));
    all
}

#[test]
fn a_keyed_request_of_the_reference() {
    let all = restrict_request();
    let message = PrivateMessage::new_checked(&all).expect("well formed");
    let header = message.header();
    assert_eq!(header.code, PrivateCode::AddRestriction);
    assert_eq!(header.implementation, Implementation::Current);
    assert_eq!((header.items, header.item_len, header.version), (1, 60, 2));
    let item = message.items().next().expect("an item");
    let change = RestrictChange::of_any_release(item);
    assert_eq!(change.address(), IpAddr::from([192, 168, 231, 0]));
    assert_eq!(change.mask(), IpAddr::from([255, 255, 255, 0]));
    assert_eq!((change.flags, change.match_flags), (0x104, 0));
    let trailer = message.trailer().expect("a MAC");
    assert_eq!(trailer.mac.key_id, 1);
    assert_eq!(trailer.mac.digest.len(), 16);
    assert_eq!(trailer.authenticated.len(), 192);
    assert_eq!(trailer.stamp.to_bits(), 0xeeb5_72f2_126d_1bd5);
}

#[test]
fn a_longer_digest_follows_the_item() {
    // `restrict 10.1.0.0 255.255.0.0 nomodify` under key 2, SHA1.
    let all = octets(
        "178003110001003c0a010000ffff00000000000019560000010000003235352e00000000ff7f000002000000
         0000000014d76def1956000008000000000000000000 0000eeb57305a5eced900000000234b9b76ccf3a81c3
         c44691204e81c1b8cd310418",
    );
    let message = PrivateMessage::new_checked(&all).expect("well formed");
    let trailer = message.trailer().expect("a MAC");
    assert_eq!((trailer.mac.key_id, trailer.mac.digest.len()), (2, 20));
    assert_eq!(trailer.stamp.to_bits(), 0xeeb5_7305_a5ec_ed90);
    assert_eq!(trailer.authenticated.len(), 76);
}

#[test]
fn requests_of_ours_are_the_references() {
    let mut change = PeerChange {
        mode: 3,
        version: 4,
        minpoll: 6,
        maxpoll: 10,
        flags: PeerChange::KEYED | PeerChange::PREFER | PeerChange::IBURST,
        key: Native32(1),
        ..PeerChange::default()
    };
    change.set_remote([10, 9, 9, 9].into());
    let request = PrivateRequest::new(Implementation::Current, PrivateCode::AddPeer, &[change]);
    let stamp = NtpTimestamp::from_bits(0xEEB5_0000_0000_0001);
    let mut wanted = octets("1780030a000100a80a0909090304060a0b000000");
    wanted.extend(1_u32.to_ne_bytes());
    wanted.resize(184, 0);
    wanted.extend(octets("eeb50000 00000001"));
    assert_eq!(request.to_seal(stamp, 16), wanted);
    let sealed = request.to_seal(stamp, 20);
    assert_eq!(sealed.len(), 184);
    let plain = PrivateRequest::plain(Implementation::Current, PrivateCode::PeerSummary);
    assert_eq!(plain.to_octets(), padded("17000301", 192));
    let named = PeerListItem::named([10, 9, 9, 10].into(), 123);
    let one = PrivateRequest::new(Implementation::Current, PrivateCode::PeerInfo, &[named]);
    assert_eq!(one.to_octets(), padded("17000302000100200a09090a007b", 192));
    let keys = [KeyNumber(7)];
    let trust = PrivateRequest::new(Implementation::Current, PrivateCode::TrustKey, &keys);
    assert_eq!(trust.to_octets()[..8], octets("1700031a00010008"));
}

#[test]
fn a_key_is_found_in_any_order_of_octets() {
    for hex in [
        "0700000000000000",
        "0000000000000007",
        "00000007",
        "07000000",
    ] {
        assert_eq!(KeyNumber::take(&octets(hex)), KeyNumber(7), "{hex}");
    }
    let mut choice = Vec::new();
    KeyChoice {
        number: 7,
        ..KeyChoice::default()
    }
    .put(&mut choice);
    assert_eq!(KeyNumber::take(&choice), KeyNumber(7));
    for hex in ["", "00000000", "0000000000000000", "01020304"] {
        assert_eq!(KeyNumber::take(&octets(hex)), KeyNumber(0), "{hex}");
    }
}

#[test]
fn rules_of_older_releases() {
    let old = octets("0a000000 ff000000 0104 2000");
    let change = RestrictChange::of_any_release(&old);
    assert_eq!((change.flags, change.match_flags), (0x104, 0x2000));
    let mut middle = octets("0a000000 ff000000 ffff 0104 2000 0000");
    middle.extend([0; 36]);
    let change = RestrictChange::of_any_release(&middle);
    assert_eq!((change.flags, change.match_flags), (0x104, 0x2000));
    assert_eq!(change.address(), IpAddr::from([10, 0, 0, 0]));
}

#[test]
fn answers_of_the_reference() {
    let all = octets(
        "97000301000200487f0000017f7f0100007b0506060109030000000000000000000000000002d13e00000000
         0000000000000000000000000000000000000000000000000000000000000000000000000a09090a0a09090a
         007b10060a0001030000000000000000000000000003fdff0000000000000000000000000000000000000000
         0000000000000000000000000000000000000000",
    );
    let message = PrivateMessage::new_checked(&all).expect("well formed");
    let header = message.header();
    assert!(header.is_response && !header.has_more && header.error.is_none());
    let peers: Vec<PeerSummaryItem> = message.read().collect();
    assert_eq!(peers.len(), 2);
    let (clock, server) = (&peers[0], &peers[1]);
    assert_eq!(clock.remote(), IpAddr::from([127, 127, 1, 0]));
    assert_eq!(clock.local(), IpAddr::from([127, 0, 0, 1]));
    assert_eq!((clock.stratum, clock.reach, clock.mode), (5, 1, 3));
    assert_eq!(
        u16::from(clock.flags),
        peer_flags::CONFIGURED | peer_flags::REFCLOCK
    );
    assert_eq!(clock.dispersion.to_bits(), 0x0002_d13e);
    assert_eq!(
        (server.stratum, server.host_poll, server.peer_poll),
        (16, 6, 10)
    );

    let refused = octets("9700031170000000");
    let message = PrivateMessage::new_checked(&refused).expect("well formed");
    assert_eq!(message.header().error, Some(PrivateError::Permission));
    assert_eq!(message.items().count(), 0);
}

#[test]
fn an_item_of_the_system_and_one_of_the_rules() {
    let all = octets(
        "970003040001005000000000000310e80000000000000005494e49540000000000000000 03000000
         ce000000 fffff334 00000000 0000000000000000 00000000 00000000 00000000
         00000000000000000000000000000000",
    );
    let message = PrivateMessage::new_checked(&all).expect("well formed");
    let item: SystemItem = message.read().next().expect("an item");
    assert_eq!((item.leap, item.stratum, item.precision), (3, 16, -24));
    assert_eq!(item.reference_id, *b"INIT");
    let flags = system_flags::AUTH | system_flags::NTP | system_flags::KERNEL;
    assert_eq!(
        item.flags,
        flags | system_flags::MONITOR | system_flags::STATS
    );
    assert_eq!(item.broadcast_delay, -3276);
}

#[test]
fn answers_are_cut_and_counted() {
    let request = PrivateHeader::request(Implementation::Current, PrivateCode::PeerSummary);
    let mut answer = PrivateAnswer::new(Implementation::Current);
    assert_eq!(
        answer.datagrams(&request),
        [octets("9700030140000000")],
        "nothing is an error"
    );
    for last in 0..20 {
        let mut item = PeerSummaryItem::default();
        item.set_addresses(None, [10, 0, 0, last].into());
        answer.push(&item);
    }
    let datagrams = answer.datagrams(&request);
    assert_eq!(datagrams.len(), 4);
    assert_eq!(datagrams.iter().map(Vec::len).sum::<usize>(), answer.len());
    let mut all: Vec<PeerSummaryItem> = Vec::new();
    for (place, datagram) in datagrams.iter().enumerate() {
        assert!(datagram.len() <= 508);
        let message = PrivateMessage::new_checked(datagram).expect("well formed");
        assert_eq!(usize::from(message.header().sequence), place);
        assert_eq!(message.header().has_more, place < 3);
        all.extend(message.read::<PeerSummaryItem>());
    }
    assert_eq!(all.len(), 20);
    assert_eq!(all[19].remote(), IpAddr::from([10, 0, 0, 19]));
    let mut endless = PrivateAnswer::new(Implementation::Old);
    for _ in 0..10_000 {
        endless.push(&PeerSummaryItem::default());
    }
    let datagrams = endless.datagrams(&request);
    assert_eq!(datagrams.len(), 128);
    assert_eq!(datagrams[127][0] & 0x40, 0, "the last says so");
    assert_eq!(datagrams[0][4..8], octets("000f0020"));
}

/// Its octets are as many as it says, and come back as they went.
fn whole<I: PrivateItem + PartialEq + core::fmt::Debug>(octets: &[u8]) {
    let item = I::take(octets);
    let mut again = Vec::new();
    item.put(&mut again);
    assert_eq!(again.len(), I::LEN);
    assert!(I::OLD_LEN <= I::LEN);
    assert_eq!(I::take(&again), item);
}

proptest! {
    #[test]
    fn items_there_and_back(octets in prop::collection::vec(any::<u8>(), 0..340)) {
        whole::<PeerListItem>(&octets);
        whole::<PeerSummaryItem>(&octets);
        whole::<PeerItem>(&octets);
        whole::<PeerStatsItem>(&octets);
        whole::<SystemItem>(&octets);
        whole::<SystemStatsItem>(&octets);
        whole::<MemoryItem>(&octets);
        whole::<IoItem>(&octets);
        whole::<TimerItem>(&octets);
        whole::<LoopItem>(&octets);
        whole::<AuthenticationItem>(&octets);
        whole::<ControlItem>(&octets);
        whole::<KernelItem>(&octets);
        whole::<RestrictItem>(&octets);
        whole::<InterfaceItem>(&octets);
        whole::<ClockItem>(&octets);
        whole::<ClockBug>(&octets);
        whole::<TrapItem>(&octets);
        whole::<PeerChange>(&octets);
        whole::<AddressItem>(&octets);
        whole::<SystemFlags>(&octets);
        whole::<RestrictChange>(&octets);
        whole::<KeyNumber>(&octets);
        whole::<Fudge>(&octets);
        whole::<TrapChange>(&octets);
        let _ = RestrictChange::of_any_release(&octets);
    }

    #[test]
    fn any_datagram(octets in prop::collection::vec(any::<u8>(), 0..600)) {
        if let Ok(message) = PrivateMessage::new_checked(&octets) {
            let count = message.items().count();
            let header = message.header();
            prop_assert!(header.item_len == 0 || count == usize::from(header.items));
            if let Some(trailer) = message.trailer() {
                prop_assert!(matches!(trailer.mac.digest.len(), 16..=20));
                let len = trailer.authenticated.len() + 4 + trailer.mac.digest.len();
                prop_assert_eq!(len, octets.len());
            }
            if header.is_regular {
                prop_assert_eq!(&header.to_octets()[..], &octets[..8]);
            }
        }
    }

    #[test]
    fn what_is_sealed_is_found_again(len in 16..=20_usize, span in any::<i64>()) {
        let fudge = Fudge { time: NtpDuration::from_bits(span), ..Fudge::default() };
        let request = PrivateRequest::new(Implementation::Current, PrivateCode::SetFudge, &[fudge]);
        let stamp = NtpTimestamp::from_bits(0xEEB5_0000_0000_0001);
        let sealed = request.to_seal(stamp, len);
        let mut all = sealed.clone();
        all.extend(9_u32.to_be_bytes());
        all.extend(vec![5; len]);
        let message = PrivateMessage::new_checked(&all).expect("well formed");
        let trailer = message.trailer().expect("a MAC");
        prop_assert_eq!(trailer.authenticated, &sealed[..]);
        prop_assert_eq!((trailer.mac.key_id, trailer.mac.digest.len()), (9, len));
        prop_assert_eq!(trailer.stamp, stamp);
        prop_assert_eq!(message.read::<Fudge>().next(), Some(fudge));
    }
}
