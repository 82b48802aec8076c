//! Any 48 octets are a header, and its wire form gives them back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use truechimer_wire::{HEADER_LEN, Header, KissCode};

fuzz_target!(|octets: &[u8]| {
    let Some(octets) = octets.first_chunk::<HEADER_LEN>() else {
        return;
    };
    let header = Header::parse(octets);
    assert_eq!(header.to_octets(), *octets);
    let _ = KissCode::from_reference_id(header.reference_id);
    assert!(
        header
            .reference_id
            .display(header.stratum)
            .to_string()
            .len()
            <= 32
    );
});
