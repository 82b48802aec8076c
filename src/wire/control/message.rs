//! One datagram of mode 6: header, data, padding, MAC.
use super::Opcode;
use crate::{MAC_LEN_MAX, Mac, Mode};
use truechimer_time::leap::LeapIndicator;

/// Octets before the data.
pub const CONTROL_HEADER_LEN: usize = 12;
/// Octets of data in one datagram, at most (RFC 9327 §2).
pub const CONTROL_DATA_MAX: usize = 468;
/// Shortest MAC: a key identifier and a digest of 16 octets.
const MAC_LEN_MIN: usize = 20;
/// Where data end and a MAC begins, counted from the start of the datagram, is a multiple of this.
const MAC_ALIGNMENT: usize = 8;

const RESPONSE: u8 = 0x80;
const ERROR: u8 = 0x40;
const MORE: u8 = 0x20;

/// The first twelve octets (RFC 9327 figure 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ControlHeader {
    /// Of the system that sends it.
    pub leap: LeapIndicator,
    /// Protocol version, 0..=7.
    pub version: u8,
    /// Whether this is an answer.
    pub is_response: bool,
    /// Whether `status` is an error.
    pub is_error: bool,
    /// Whether more fragments of this answer follow.
    pub has_more: bool,
    /// What is asked.
    pub opcode: Opcode,
    /// Chosen by the asker.
    pub sequence: u16,
    /// Status word of what was asked about, or an error.
    pub status: u16,
    /// The association; 0 is the system.
    pub association: u16,
    /// Where the data belong in the whole answer, octets.
    pub offset: u16,
    /// Octets of data.
    pub count: u16,
}

impl ControlHeader {
    /// A request of version 4 without data.
    pub const fn request(opcode: Opcode, sequence: u16, association: u16) -> Self {
        Self {
            leap: LeapIndicator::NoWarning,
            version: 4,
            is_response: false,
            is_error: false,
            has_more: false,
            opcode,
            sequence,
            status: 0,
            association,
            offset: 0,
            count: 0,
        }
    }

    /// From the wire. The mode bits are not looked at.
    pub fn parse(octets: &[u8; CONTROL_HEADER_LEN]) -> Self {
        let [first, second, s0, s1, t0, t1, a0, a1, o0, o1, c0, c1] = *octets;
        Self {
            leap: LeapIndicator::from_bits(first >> 6),
            version: first >> 3 & 7,
            is_response: second & RESPONSE != 0,
            is_error: second & ERROR != 0,
            has_more: second & MORE != 0,
            opcode: Opcode::from_bits(second),
            sequence: u16::from_be_bytes([s0, s1]),
            status: u16::from_be_bytes([t0, t1]),
            association: u16::from_be_bytes([a0, a1]),
            offset: u16::from_be_bytes([o0, o1]),
            count: u16::from_be_bytes([c0, c1]),
        }
    }

    /// To the wire.
    pub fn to_octets(&self) -> [u8; CONTROL_HEADER_LEN] {
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        let mut octets = [0; CONTROL_HEADER_LEN];
        octets[0] = self.leap.to_bits() << 6 | (self.version & 7) << 3 | Mode::Control.to_bits();
        octets[1] = flag(self.is_response, RESPONSE)
            | flag(self.is_error, ERROR)
            | flag(self.has_more, MORE)
            | self.opcode.bits();
        let words = [
            self.sequence,
            self.status,
            self.association,
            self.offset,
            self.count,
        ];
        for (slot, word) in octets[2..].chunks_exact_mut(2).zip(words) {
            slot.copy_from_slice(&word.to_be_bytes());
        }
        octets
    }
}

/// Why a datagram is no control message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlMalformed {
    /// Shorter than the header, or of another mode: nothing is known of it.
    NotControl,
    /// The data are shorter than their count says, or the length is not a multiple of four: the
    /// header can still be answered.
    BadFormat(ControlHeader),
}

/// A datagram of mode 6, known to hold the data its header counts.
#[derive(Clone, Copy, Debug)]
pub struct ControlMessage<'a> {
    header: ControlHeader,
    data: &'a [u8],
    authenticated: &'a [u8],
    mac: Option<Mac<'a>>,
}

impl<'a> ControlMessage<'a> {
    /// Splits a datagram: the data as counted, padding up to eight or four octets, and what is left
    /// is a MAC if it has the length of one.
    ///
    /// # Errors
    /// The first thing that keeps it from being a control message.
    pub fn new_checked(octets: &'a [u8]) -> Result<Self, ControlMalformed> {
        let (head, rest) = octets
            .split_first_chunk::<CONTROL_HEADER_LEN>()
            .ok_or(ControlMalformed::NotControl)?;
        if Mode::from_bits(head[0]) != Mode::Control {
            return Err(ControlMalformed::NotControl);
        }
        let header = ControlHeader::parse(head);
        let count = usize::from(header.count);
        let data = match rest.get(..count) {
            Some(data) if octets.len().is_multiple_of(4) => data,
            _ => return Err(ControlMalformed::BadFormat(header)),
        };
        let mac_at = mac_at(octets, CONTROL_HEADER_LEN + count);
        let trailer = octets.split_at_checked(mac_at);
        let (authenticated, mac) = match trailer {
            Some((before, after)) if (MAC_LEN_MIN..=MAC_LEN_MAX).contains(&after.len()) => {
                let mac = after.split_first_chunk::<4>().map(|(key_id, digest)| Mac {
                    key_id: u32::from_be_bytes(*key_id),
                    digest,
                });
                (before, mac)
            }
            _ => (octets, None),
        };
        Ok(Self {
            header,
            data,
            authenticated,
            mac,
        })
    }

    /// The header.
    pub const fn header(&self) -> &ControlHeader {
        &self.header
    }

    /// The data as counted, without padding.
    pub const fn data(&self) -> &'a [u8] {
        self.data
    }

    /// What a MAC covers: header, data and padding.
    pub const fn authenticated(&self) -> &'a [u8] {
        self.authenticated
    }

    /// The MAC, if there is one.
    pub const fn mac(&self) -> Option<Mac<'a>> {
        self.mac
    }
}

/// Where a MAC begins after data that end at `end`: at a multiple of eight octets behind zeros, as
/// the reference has it, or at one of four, as NTPsec's ntpq does. No key has the number zero.
fn mac_at(octets: &[u8], end: usize) -> usize {
    let (near, far) = (end.next_multiple_of(4), end.next_multiple_of(MAC_ALIGNMENT));
    match octets.get(near..far) {
        Some(between) if between.iter().all(|octet| *octet == 0) => far,
        _ => near,
    }
}

/// Writes a request: header with the count of `data`, data, and padding to where a MAC may begin.
/// `header.count` need not be set. Data beyond [`CONTROL_DATA_MAX`] are left out.
///
/// With a key, append the four octets of its identifier and the digest of what is returned.
pub fn put_request(header: &ControlHeader, data: &[u8]) -> Vec<u8> {
    put(header, data, MAC_ALIGNMENT)
}

/// Header, data and zeros up to a multiple of `alignment`.
pub(super) fn put(header: &ControlHeader, data: &[u8], alignment: usize) -> Vec<u8> {
    let data = data.get(..CONTROL_DATA_MAX).unwrap_or(data);
    let header = ControlHeader {
        count: u16::try_from(data.len()).unwrap_or(0),
        ..*header
    };
    let len = CONTROL_HEADER_LEN + data.len();
    let mut octets = Vec::with_capacity(len.next_multiple_of(alignment) + MAC_LEN_MAX);
    octets.extend_from_slice(&header.to_octets());
    octets.extend_from_slice(data);
    octets.resize(len.next_multiple_of(alignment), 0);
    octets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_of_ntpq() {
        // `ntpq -c rv`: twelve octets and no data.
        let octets = [0x16, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        let message = ControlMessage::new_checked(&octets).expect("well formed");
        let header = message.header();
        assert_eq!(header.version, 2);
        assert_eq!(header.opcode, Opcode::ReadVariables);
        assert_eq!((header.sequence, header.association), (1, 0));
        assert!(message.data().is_empty() && message.mac().is_none());
        assert_eq!(header.to_octets(), octets);
    }

    #[test]
    fn the_mac_begins_at_a_multiple_of_eight() {
        for len in [0, 1, 3, 4, 5, 11, 12, 400] {
            let header = ControlHeader::request(Opcode::Configure, 7, 0);
            let mut octets = put_request(&header, &vec![b'x'; len]);
            let covered = octets.clone();
            octets.extend_from_slice(&9_u32.to_be_bytes());
            octets.extend_from_slice(&[5; 20]);
            let message = ControlMessage::new_checked(&octets).expect("well formed");
            assert_eq!(message.data().len(), len);
            assert_eq!(message.authenticated(), covered);
            let mac = message.mac().expect("a MAC");
            assert_eq!((mac.key_id, mac.digest), (9, &[5; 20][..]));
        }
    }

    #[test]
    fn ntpsecs_mac_begins_at_a_multiple_of_four() {
        for (len, digest) in [(16, 16), (16, 20), (20, 20), (3, 16)] {
            let header = ControlHeader {
                count: len,
                ..ControlHeader::request(Opcode::Configure, 7, 0)
            };
            let mut octets = header.to_octets().to_vec();
            octets.extend(std::iter::repeat_n(b'x', len.into()));
            octets.resize(octets.len().next_multiple_of(4), 0);
            let covered = octets.len();
            octets.extend_from_slice(&9_u32.to_be_bytes());
            octets.extend(std::iter::repeat_n(5, digest));
            let message = ControlMessage::new_checked(&octets).expect("well formed");
            assert_eq!(message.authenticated().len(), covered, "{len}, {digest}");
            assert_eq!(message.mac().map(|mac| mac.digest.len()), Some(digest));
        }
    }

    #[test]
    fn every_length_is_taken_or_refused() {
        let mut octets = put_request(
            &ControlHeader::request(Opcode::ReadStatus, 1, 2),
            &[b'a'; 60],
        );
        octets.extend_from_slice(&[7; 24]);
        for len in 0..octets.len() {
            let outcome = ControlMessage::new_checked(&octets[..len]);
            match len {
                0..12 => assert_eq!(outcome.err(), Some(ControlMalformed::NotControl)),
                72.. if len % 4 == 0 => assert!(outcome.is_ok()),
                _ => assert!(matches!(outcome, Err(ControlMalformed::BadFormat(_)))),
            }
        }
        octets[0] = 0x23;
        assert!(ControlMessage::new_checked(&octets).is_err());
    }
}
