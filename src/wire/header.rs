//! The 48-octet header of RFC 5905 figure 8.
use crate::ReferenceId;
use truechimer_time::leap::LeapIndicator;
use truechimer_time::{NtpShort, NtpTimestamp};

/// Octets in a header without extension fields or MAC.
pub const HEADER_LEN: usize = 48;

/// Association mode (RFC 5905 figure 10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// 0, not to be seen on the wire; NTPv1 requests carry it.
    Reserved,
    /// 1
    SymmetricActive,
    /// 2
    SymmetricPassive,
    /// 3
    Client,
    /// 4
    Server,
    /// 5
    Broadcast,
    /// 6, RFC 9327 control messages.
    Control,
    /// 7, the reference's private messages.
    Private,
}

impl Mode {
    /// From the three bits; higher bits are ignored.
    pub const fn from_bits(bits: u8) -> Self {
        match bits & 7 {
            0 => Self::Reserved,
            1 => Self::SymmetricActive,
            2 => Self::SymmetricPassive,
            3 => Self::Client,
            4 => Self::Server,
            5 => Self::Broadcast,
            6 => Self::Control,
            _ => Self::Private,
        }
    }

    /// To the three bits.
    pub const fn to_bits(self) -> u8 {
        match self {
            Self::Reserved => 0,
            Self::SymmetricActive => 1,
            Self::SymmetricPassive => 2,
            Self::Client => 3,
            Self::Server => 4,
            Self::Broadcast => 5,
            Self::Control => 6,
            Self::Private => 7,
        }
    }
}

/// The fields of a header, in wire order. Any 48 octets are a header; whether it makes sense is for
/// the packet tests to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Leap second announced by the sender.
    pub leap: LeapIndicator,
    /// Protocol version, 0..=7.
    pub version: u8,
    /// Association mode of the sender.
    pub mode: Mode,
    /// 0 unspecified or kiss, 1 primary, 2..=15 secondary, 16 unsynchronized.
    pub stratum: u8,
    /// Poll exponent, log2 seconds.
    pub poll: i8,
    /// Precision of the sender's clock, log2 seconds.
    pub precision: i8,
    /// Round trip to the primary source.
    pub root_delay: NtpShort,
    /// Error bound to the primary source.
    pub root_dispersion: NtpShort,
    /// Source of the sender's time, or a kiss code at stratum 0.
    pub reference_id: ReferenceId,
    /// When the sender's clock was last set or corrected.
    pub reference_time: NtpTimestamp,
    /// T1: the transmit stamp of the request, echoed.
    pub origin_time: NtpTimestamp,
    /// T2: when the request arrived.
    pub receive_time: NtpTimestamp,
    /// T3: when this packet left.
    pub transmit_time: NtpTimestamp,
}

impl Header {
    /// A header with every field zero but version and mode: what a client that tells nothing of
    /// itself starts from (data minimisation).
    pub const fn blank(version: u8, mode: Mode) -> Self {
        Self {
            leap: LeapIndicator::NoWarning,
            version,
            mode,
            stratum: 0,
            poll: 0,
            precision: 0,
            root_delay: NtpShort::ZERO,
            root_dispersion: NtpShort::ZERO,
            reference_id: ReferenceId::from_octets([0; 4]),
            reference_time: NtpTimestamp::ZERO,
            origin_time: NtpTimestamp::ZERO,
            receive_time: NtpTimestamp::ZERO,
            transmit_time: NtpTimestamp::ZERO,
        }
    }

    /// Total: any 48 octets parse.
    pub fn parse(octets: &[u8; HEADER_LEN]) -> Self {
        let [first, stratum, poll, precision, ..] = *octets;
        Self {
            leap: LeapIndicator::from_bits(first >> 6),
            version: first >> 3 & 7,
            mode: Mode::from_bits(first),
            stratum,
            poll: poll.cast_signed(),
            precision: precision.cast_signed(),
            root_delay: NtpShort::from_bits(u32::from_be_bytes(at(octets, 4))),
            root_dispersion: NtpShort::from_bits(u32::from_be_bytes(at(octets, 8))),
            reference_id: ReferenceId::from_octets(at(octets, 12)),
            reference_time: timestamp(octets, 16),
            origin_time: timestamp(octets, 24),
            receive_time: timestamp(octets, 32),
            transmit_time: timestamp(octets, 40),
        }
    }

    /// The wire form; `version` is cut to its three bits.
    pub fn to_octets(&self) -> [u8; HEADER_LEN] {
        let mut octets = [0; HEADER_LEN];
        octets[0] = self.leap.to_bits() << 6 | (self.version & 7) << 3 | self.mode.to_bits();
        octets[1] = self.stratum;
        octets[2] = self.poll.cast_unsigned();
        octets[3] = self.precision.cast_unsigned();
        octets[4..8].copy_from_slice(&self.root_delay.to_bits().to_be_bytes());
        octets[8..12].copy_from_slice(&self.root_dispersion.to_bits().to_be_bytes());
        octets[12..16].copy_from_slice(&self.reference_id.octets());
        octets[16..24].copy_from_slice(&self.reference_time.to_bits().to_be_bytes());
        octets[24..32].copy_from_slice(&self.origin_time.to_bits().to_be_bytes());
        octets[32..40].copy_from_slice(&self.receive_time.to_bits().to_be_bytes());
        octets[40..48].copy_from_slice(&self.transmit_time.to_bits().to_be_bytes());
        octets
    }
}

/// `offset + N` is below 48 at every call above.
fn at<const N: usize>(octets: &[u8; HEADER_LEN], offset: usize) -> [u8; N] {
    let mut field = [0; N];
    field.copy_from_slice(&octets[offset..offset + N]);
    field
}

fn timestamp(octets: &[u8; HEADER_LEN], offset: usize) -> NtpTimestamp {
    NtpTimestamp::from_bits(u64::from_be_bytes(at(octets, offset)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reply of a stratum 1 server, octet by octet.
    const REPLY: [u8; HEADER_LEN] = [
        0x64, 0x01, 0x0A,
        0xE9, // leap 1, version 4, mode 4; stratum 1; poll 10; precision -23
        0x00, 0x01, 0x80, 0x00, // root delay 1.5 s
        0x00, 0x00, 0x40, 0x00, // root dispersion 0.25 s
        0x47, 0x50, 0x53, 0x00, // GPS
        0xE0, 0, 0, 1, 0, 0, 0, 2, // reference
        0xE0, 0, 0, 3, 0, 0, 0, 4, // origin
        0xE0, 0, 0, 5, 0, 0, 0, 6, // receive
        0xE0, 0, 0, 7, 0, 0, 0, 8, // transmit
    ];

    #[test]
    fn deconstruct() {
        let header = Header::parse(&REPLY);
        assert_eq!(header.leap, LeapIndicator::AddSecond);
        assert_eq!((header.version, header.mode), (4, Mode::Server));
        assert_eq!(
            (header.stratum, header.poll, header.precision),
            (1, 10, -23)
        );
        assert!((header.root_delay.to_seconds() - 1.5).abs() < 1e-9);
        assert!((header.root_dispersion.to_seconds() - 0.25).abs() < 1e-9);
        assert_eq!(header.reference_id.octets(), *b"GPS\0");
        assert_eq!(header.reference_time.to_bits(), 0xE000_0001_0000_0002);
        assert_eq!(header.origin_time.to_bits(), 0xE000_0003_0000_0004);
        assert_eq!(header.receive_time.to_bits(), 0xE000_0005_0000_0006);
        assert_eq!(header.transmit_time.to_bits(), 0xE000_0007_0000_0008);
    }

    #[test]
    fn construct_undoes_deconstruct_for_any_octets() {
        for seed in 0..=255_u8 {
            let mut turn = 0;
            let mut octets = REPLY;
            for octet in &mut octets {
                turn = (turn + 1) % 8;
                *octet = octet.wrapping_mul(31).wrapping_add(seed).rotate_left(turn);
            }
            assert_eq!(Header::parse(&octets).to_octets(), octets);
        }
    }
}
