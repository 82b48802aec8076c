//! A datagram split once into header, extension fields and message authentication code.
use crate::extension::split_word;
use crate::{ExtensionFields, HEADER_LEN, Header};

/// Octets of the longest MAC: a key identifier and a digest cut to 20 octets (RFC 7822 §3).
pub const MAC_LEN_MAX: usize = 24;
/// Octets of the MACs that are not cut: NTPv3 has no extension fields to tell them from, so chrony
/// asks in version 3 where a key is of SHA-224, 256, 384 or 512.
const WHOLE_MACS: [usize; 4] = [32, 36, 52, 68];
/// Version from which on digests are cut (RFC 7822 §3).
const VERSION_OF_CUT_MACS: u8 = 4;
/// Longest datagram looked at: Autokey's certificates need most of it, and the reference sends up to
/// 2096 octets before the MAC.
pub const PACKET_LEN_MAX: usize = 2120;

/// Why a datagram is no NTP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// Shorter than a header.
    Short,
    /// Longer than anything this daemon reads.
    Long,
    /// What follows the header is not a multiple of four octets.
    Unaligned,
    /// An extension field's length is zero, unaligned, or runs past the end.
    ExtensionField,
    /// The rest is too short for a MAC and is no crypto-NAK either.
    Mac,
}

/// Message authentication code (RFC 5905 figure 8: key identifier and digest).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mac<'a> {
    /// Which key; 1..=65535 are symmetric keys, above are Autokey session keys.
    pub key_id: u32,
    /// The digest: 16 or 20 octets, or none in a crypto-NAK; up to NTPv3 also 28, 32, 48 or 64.
    pub digest: &'a [u8],
}

impl Mac<'_> {
    /// Whether this is the "I could not verify you" answer of RFC 5905 §9.2.
    pub const fn is_crypto_nak(&self) -> bool {
        self.digest.is_empty()
    }
}

/// A datagram known to hold a header, whole extension fields and at most one MAC.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    octets: &'a [u8],
    header: &'a [u8; HEADER_LEN],
    authenticated_len: usize,
}

impl<'a> Packet<'a> {
    /// Splits a datagram as RFC 7822 §3 and the reference daemon do: while more is left than the
    /// longest MAC it is an extension field (the reference's Autokey sends some of only 8 octets),
    /// what is left then is the MAC.
    ///
    /// # Errors
    /// The first thing that keeps it from being an NTP packet.
    pub fn new_checked(octets: &'a [u8]) -> Result<Self, Malformed> {
        if octets.len() > PACKET_LEN_MAX {
            return Err(Malformed::Long);
        }
        let (header, mut rest) = octets
            .split_first_chunk::<HEADER_LEN>()
            .ok_or(Malformed::Short)?;
        if !rest.len().is_multiple_of(4) {
            return Err(Malformed::Unaligned);
        }
        let version = header[0] >> 3 & 7;
        let whole = version < VERSION_OF_CUT_MACS && WHOLE_MACS.contains(&rest.len());
        while rest.len() > MAC_LEN_MAX && !whole {
            let (_, len) = split_word(rest).ok_or(Malformed::ExtensionField)?;
            if len < 4 || !len.is_multiple_of(4) {
                return Err(Malformed::ExtensionField);
            }
            rest = rest.get(len..).ok_or(Malformed::ExtensionField)?;
        }
        if !whole && !matches!(rest.len(), 0 | 4 | 20 | 24) {
            return Err(Malformed::Mac);
        }
        Ok(Self {
            octets,
            header,
            authenticated_len: octets.len() - rest.len(),
        })
    }

    /// The whole datagram.
    pub const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// The header's meaning.
    pub fn header(&self) -> Header {
        Header::parse(self.header)
    }

    /// The extension fields, in order.
    pub fn extension_fields(&self) -> ExtensionFields<'a> {
        ExtensionFields::over(&self.octets[HEADER_LEN..self.authenticated_len])
    }

    /// The octets a MAC covers: header and extension fields.
    pub fn authenticated(&self) -> &'a [u8] {
        &self.octets[..self.authenticated_len]
    }

    /// The MAC, if there is one.
    pub fn mac(&self) -> Option<Mac<'a>> {
        let (key_id, digest) = self.octets[self.authenticated_len..].split_first_chunk::<4>()?;
        Some(Mac {
            key_id: u32::from_be_bytes(*key_id),
            digest,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(rest: &[u8]) -> Vec<u8> {
        let mut octets = vec![0x23; HEADER_LEN];
        octets.extend_from_slice(rest);
        octets
    }

    #[test]
    fn every_length_up_to_a_mac() {
        for len in 0..HEADER_LEN {
            assert_eq!(
                Packet::new_checked(&vec![0; len]).err(),
                Some(Malformed::Short)
            );
        }
        for (len, good) in [
            (0, true),
            (3, false),
            (4, true),
            (8, false),
            (16, false),
            (20, true),
        ] {
            assert_eq!(
                Packet::new_checked(&with(&vec![9; len])).is_ok(),
                good,
                "{len}"
            );
        }
        assert_eq!(
            Packet::new_checked(&[0; PACKET_LEN_MAX + 1]).err(),
            Some(Malformed::Long)
        );
    }

    #[test]
    fn crypto_nak_and_mac() {
        let nak = with(&[0, 0, 0, 0]);
        let packet = Packet::new_checked(&nak).expect("well formed");
        assert!(packet.mac().expect("a MAC").is_crypto_nak());
        let mut keyed = with(&[0, 0, 0, 42]);
        keyed.extend_from_slice(&[7; 20]);
        let packet = Packet::new_checked(&keyed).expect("well formed");
        assert_eq!(
            packet.mac(),
            Some(Mac {
                key_id: 42,
                digest: &[7; 20]
            })
        );
        assert_eq!(packet.authenticated().len(), HEADER_LEN);
    }

    #[test]
    fn whole_digests_up_to_version_3() {
        for digest_len in [28, 32, 48, 64] {
            let mut octets = with(&[0, 0, 0, 42]);
            octets.extend(vec![7; digest_len]);
            let as_fields = Packet::new_checked(&octets).err();
            assert_eq!(as_fields, Some(Malformed::ExtensionField), "version 4");
            octets[0] = 0x1B;
            let packet = Packet::new_checked(&octets).expect("well formed");
            let mac = packet.mac().expect("a MAC");
            assert_eq!((mac.key_id, mac.digest.len()), (42, digest_len));
            assert_eq!(packet.authenticated().len(), HEADER_LEN);
        }
    }

    #[test]
    fn short_autokey_field_before_a_mac() {
        // The LEAP request of the reference: eight octets, below RFC 7822's least length.
        let mut octets = with(&[0x02, 0x05, 0, 8, 0, 0, 0, 1]);
        octets.extend_from_slice(&[0, 1, 0, 1]);
        octets.extend_from_slice(&[7; 16]);
        let packet = Packet::new_checked(&octets).expect("well formed");
        let fields: Vec<_> = packet.extension_fields().collect();
        assert_eq!(fields.len(), 1);
        assert_eq!(
            (fields[0].field_type, fields[0].value),
            (0x0205, &[0, 0, 0, 1][..])
        );
        assert_eq!(packet.mac().map(|mac| mac.key_id), Some(0x1_0001));
    }

    #[test]
    fn hostile_field_lengths() {
        for len in [0_u16, 3, 6, 60, 0xFFFC] {
            let mut field = vec![0; 28];
            field[2..4].copy_from_slice(&len.to_be_bytes());
            assert_eq!(
                Packet::new_checked(&with(&field)).err(),
                Some(Malformed::ExtensionField),
                "{len}"
            );
        }
    }

    #[test]
    fn fields_without_a_mac() {
        let mut octets = with(&[1, 2, 0, 28]);
        octets.extend_from_slice(&[5; 24]);
        let packet = Packet::new_checked(&octets).expect("well formed");
        assert_eq!(packet.extension_fields().count(), 1);
        assert!(packet.mac().is_none());
    }
}
