//! Captures of ntpd 4.2.8p15 with itself, every scheme and mode, and of ours with ours: each packet is
//! taken apart and put together again, each MAC, signature and cookie computed anew.

mod capture;
mod keys;
mod macs;
mod ours;
mod service;
mod signatures;

use capture::{Seen, packets};
use truechimer_wire::{AutokeyMessage, Packet};

macro_rules! captures {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_bytes!(concat!("../../fixtures/golden/", $name, ".pcap")))),*]
    };
}

/// All captures of Autokey.
const CAPTURES: [(&str, &[u8]); 22] = captures!(
    "broadcast",
    "broadcast-mended",
    "export",
    "gq",
    "gq-mended",
    "group",
    "iff",
    "iff-asis",
    "ipv6",
    "leap",
    "manycast",
    "multicast",
    "multicast-mended",
    "mv",
    "mv-asis",
    "mv-revoked",
    "pc",
    "peer",
    "peer-active",
    "peer-active-mended",
    "peer-mended",
    "tc",
);

/// Of ours, made by `tests/interop/autokey/record.rs`.
const OURS: [(&str, &[u8]); 5] = captures!("ours-tc", "ours-iff", "ours-gq", "ours-mv", "ours-pc");

/// A capture by its name.
fn captured(wanted: &str) -> Vec<Seen> {
    let mut all = CAPTURES.iter().chain(&OURS);
    let found = all.find(|(name, _)| *name == wanted);
    packets(found.expect("a capture of that name").1)
}

/// Every message of a packet.
fn messages<'a>(packet: &Packet<'a>) -> Vec<AutokeyMessage<'a>> {
    let fields = packet.extension_fields();
    fields
        .map(|field| AutokeyMessage::new_checked(&field).expect("a message"))
        .collect()
}

#[test]
fn messages_are_written_as_the_reference_writes_them() {
    let mut seen = 0;
    for (name, file) in CAPTURES.into_iter().chain(OURS) {
        for packet in packets(file) {
            let packet = Packet::new_checked(&packet.octets).expect(name);
            let mut again = packet.authenticated()[..48].to_vec();
            for message in messages(&packet) {
                let mut field = [0xAA; 2048];
                let len = message.write(&mut field).expect("room");
                again.extend_from_slice(&field[..len]);
                seen += 1;
            }
            assert_eq!(again, packet.authenticated(), "{name}");
        }
    }
    assert!(seen > 300, "{seen}");
}
