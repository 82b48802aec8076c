//! A packet that passes its check falls apart into header, fields and MAC without a rest.
#![no_main]

use libfuzzer_sys::fuzz_target;
use truechimer_wire::{HEADER_LEN, PACKET_LEN_MAX, Packet};

fuzz_target!(|octets: &[u8]| {
    let Ok(packet) = Packet::new_checked(octets) else {
        return;
    };
    assert!(octets.len() <= PACKET_LEN_MAX);
    let fields: usize = packet
        .extension_fields()
        .map(|field| field.value.len() + 4)
        .sum();
    let mac = packet.mac().map_or(0, |mac| mac.digest.len() + 4);
    assert_eq!(packet.authenticated().len(), HEADER_LEN + fields);
    assert_eq!(HEADER_LEN + fields + mac, octets.len());
    assert_eq!(packet.octets(), octets);
    assert_eq!(packet.header().to_octets()[..], octets[..HEADER_LEN]);
});
