//! No datagram gets a longer one back, whatever it holds and wherever it comes from.
use super::bench::{Bench, digest_len, keyed};
use crate::server::Verdict;
use core::net::{IpAddr, SocketAddr};
use proptest::prelude::*;

fn check(octets: &[u8], source: SocketAddr) {
    let mut bench = Bench::new();
    bench.source = source;
    if let Verdict::Reply(len) = bench.answer(octets) {
        assert!(len <= octets.len(), "{len} for {}", octets.len());
        assert!(bench.out[octets.len()..].iter().all(|octet| *octet == 0xAA));
    }
}

proptest! {
    #[test]
    fn any_octets(
        octets in prop::collection::vec(any::<u8>(), 0..2100),
        address in any::<[u8; 4]>(),
        port in any::<u16>(),
    ) {
        check(&octets, SocketAddr::from((address, port)));
    }

    #[test]
    fn near_requests(
        first in any::<u8>(),
        len in 40_usize..140,
        fill in any::<u8>(),
        address in any::<u128>(),
    ) {
        let mut octets = vec![fill; len];
        octets[0] = first;
        check(&octets, SocketAddr::new(IpAddr::V6(address.into()), 4000));
    }

    #[test]
    fn right_macs(first in any::<u8>(), key in 0_u32..12, body in any::<[u8; 47]>()) {
        prop_assume!(digest_len(key).is_some());
        let mut octets = vec![first];
        octets.extend_from_slice(&body);
        check(&keyed(&octets, key, 0), SocketAddr::from(([10, 0, 0, 1], 4000)));
    }
}

#[test]
fn every_length_of_a_client_request() {
    for len in 0..=2100 {
        let mut octets = vec![0; len];
        if let Some(first) = octets.first_mut() {
            *first = 0x23;
        }
        check(&octets, SocketAddr::from(([10, 0, 0, 1], 4000)));
    }
}
