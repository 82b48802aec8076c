//! Session keys and MACs.
use crate::{CAPTURES, captured, messages, packets};
use core::net::IpAddr;
use std::sync::Arc;
use truechimer_crypto::autokey::AutokeyDigest;
use truechimer_crypto::{KeyFile, KeyTable, Keyring};
use truechimer_proto::authentication::Authenticator;
use truechimer_wire::{AutokeyCode, Mode, Packet};

pub(crate) fn keyring() -> Keyring {
    let digest = AutokeyDigest::from_name("MD5").expect("everywhere");
    Keyring::new(Arc::new(KeyTable::new(KeyFile::default(), []))).with_autokey_digest(digest)
}

/// The reference's private value is always 0.
pub(crate) fn server_cookie(ring: &mut Keyring, client: IpAddr, server: IpAddr) -> u32 {
    ring.session_key(client, server, 0, 0)
        .expect("a digest")
        .first_word()
}

/// Packets with fields and without.
const PACKETS: [(&str, [u32; 2]); 22] = [
    ("broadcast", [14, 4]),
    ("broadcast-mended", [12, 4]),
    ("export", [24, 22]),
    ("gq", [26, 0]),
    ("gq-mended", [12, 6]),
    ("group", [10, 6]),
    ("iff", [10, 6]),
    ("iff-asis", [26, 0]),
    ("ipv6", [8, 6]),
    ("leap", [10, 8]),
    ("manycast", [26, 6]),
    ("multicast", [12, 4]),
    ("multicast-mended", [14, 4]),
    ("mv", [12, 6]),
    ("mv-asis", [26, 0]),
    ("mv-revoked", [16, 0]),
    ("pc", [6, 6]),
    ("peer", [32, 0]),
    ("peer-active", [45, 0]),
    ("peer-active-mended", [24, 4]),
    ("peer-mended", [23, 4]),
    ("tc", [10, 6]),
];

#[test]
fn every_mac() {
    let mut ring = keyring();
    for ((name, file), (same_name, expected)) in CAPTURES.into_iter().zip(PACKETS) {
        assert_eq!(name, same_name);
        let mut seen = [0; 2];
        for packet in packets(file) {
            let (from, to) = (packet.from, packet.to);
            let packet = Packet::new_checked(&packet.octets).expect(name);
            let mac = packet.mac().expect("a MAC");
            let has_fields = packet.extension_fields().count() > 0;
            // The peers had not agreed on a cookie yet when they sent packets without fields.
            let cookie = match packet.header().mode {
                Mode::Client if !has_fields => server_cookie(&mut ring, from, to),
                Mode::Server if !has_fields => server_cookie(&mut ring, to, from),
                _ => 0,
            };
            let key = ring.session_key(from, to, mac.key_id, cookie);
            let key = key.expect("a digest");
            let message = packet.authenticated();
            assert!(ring.check_session(&key, message, mac.digest), "{name}");
            let mut again = [0; 20];
            let len = ring.seal_session(&key, message, &mut again);
            assert_eq!(&again[..len.expect("room")], mac.digest);
            seen[usize::from(!has_fields)] += 1;
        }
        assert_eq!(seen, expected, "{name}");
    }
}

/// Each key identifier of a broadcast server is the first word of the session key of the one after
/// it; that of the first is what the autokey values name.
#[test]
fn key_lists_of_broadcasts() {
    let mut ring = keyring();
    for name in [
        "broadcast",
        "broadcast-mended",
        "multicast",
        "multicast-mended",
    ] {
        let mut last = None;
        let mut followed = 0;
        for seen in captured(name) {
            let packet = Packet::new_checked(&seen.octets).expect(name);
            if packet.header().mode != Mode::Broadcast {
                continue;
            }
            let id = packet.mac().expect("a MAC").key_id;
            let key = ring.session_key(seen.from, seen.to, id, 0);
            let next = key.expect("a digest").first_word();
            let message = messages(&packet).remove(0);
            let body = message.body.expect("a body");
            match last {
                None => {
                    assert_eq!(message.code, AutokeyCode::Autokey);
                    let sequence = 99_u32;
                    let values = [next.to_be_bytes(), sequence.to_be_bytes()];
                    assert_eq!(body.value, values.as_flattened(), "{name}");
                }
                Some(last) => {
                    assert_eq!(message.code, AutokeyCode::Association);
                    assert_eq!(next, last, "{name}");
                    followed += 1;
                }
            }
            last = Some(id);
        }
        assert_eq!(followed, 3, "{name}");
    }
}
