//! One datagram of mode 7.
use super::{Implementation, PrivateCode, PrivateError, PrivateItem};
use crate::{MAC_LEN_MAX, Mac, Mode};
use truechimer_time::NtpTimestamp;

/// Octets before the items.
pub const PRIVATE_HEADER_LEN: usize = 8;
/// Octets of items in one answer, at most.
pub const PRIVATE_DATA_MAX: usize = 500;
/// Octets of a request without a MAC, whatever its items: header, items and padding, time stamp.
const REQUEST_LEN: usize = 192;
const STAMP_LEN: usize = 8;
/// A key identifier and a digest of 16 octets.
const MAC_LEN_MIN: usize = 20;

const RESPONSE: u8 = 0x80;
const MORE: u8 = 0x40;
const AUTHENTICATED: u8 = 0x80;
/// Number and size of items have twelve bits.
const COUNT_BITS: u16 = 0x0FFF;

/// The first eight octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrivateHeader {
    /// Whether this is an answer.
    pub is_response: bool,
    /// Whether more datagrams of this answer follow.
    pub has_more: bool,
    /// Protocol version, 0..=7.
    pub version: u8,
    /// Whether a time stamp and a MAC follow.
    pub is_authenticated: bool,
    /// Place of the datagram in its answer, 0..=127.
    pub sequence: u8,
    /// Whose requests these are.
    pub implementation: Implementation,
    /// What is asked.
    pub code: PrivateCode,
    /// What went wrong.
    pub error: Option<PrivateError>,
    /// Items, 0..=4095.
    pub items: u16,
    /// Octets of each, 0..=4095.
    pub item_len: u16,
    /// Whether the four bits before the size are zero, as they must be.
    pub is_regular: bool,
}

impl PrivateHeader {
    /// A request as the reference's ntpdc makes them, without items.
    pub const fn request(implementation: Implementation, code: PrivateCode) -> Self {
        Self {
            is_response: false,
            has_more: false,
            version: 2,
            is_authenticated: false,
            sequence: 0,
            implementation,
            code,
            error: None,
            items: 0,
            item_len: 0,
            is_regular: true,
        }
    }

    fn parse(octets: [u8; PRIVATE_HEADER_LEN]) -> Self {
        let [first, second, implementation, code, e0, e1, s0, s1] = octets;
        let (items, size) = (u16::from_be_bytes([e0, e1]), u16::from_be_bytes([s0, s1]));
        Self {
            is_response: first & RESPONSE != 0,
            has_more: first & MORE != 0,
            version: first >> 3 & 7,
            is_authenticated: second & AUTHENTICATED != 0,
            sequence: second & !AUTHENTICATED,
            implementation: Implementation::from_number(implementation),
            code: PrivateCode::from_number(code),
            error: PrivateError::from_bits(e0 >> 4),
            items: items & COUNT_BITS,
            item_len: size & COUNT_BITS,
            is_regular: size & !COUNT_BITS == 0,
        }
    }

    /// To the wire.
    pub fn to_octets(&self) -> [u8; PRIVATE_HEADER_LEN] {
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        let error = self.error.map_or(0, PrivateError::bits);
        let [e0, e1] = (self.items & COUNT_BITS | u16::from(error) << 12).to_be_bytes();
        let [s0, s1] = (self.item_len & COUNT_BITS).to_be_bytes();
        [
            flag(self.is_response, RESPONSE)
                | flag(self.has_more, MORE)
                | (self.version & 7) << 3
                | Mode::Private.to_bits(),
            flag(self.is_authenticated, AUTHENTICATED) | self.sequence & !AUTHENTICATED,
            self.implementation.number(),
            self.code.number(),
            e0,
            e1,
            s0,
            s1,
        ]
    }

    fn data_len(&self) -> usize {
        usize::from(self.items) * usize::from(self.item_len)
    }
}

/// Why a datagram is no private message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrivateMalformed {
    /// Shorter than the header, or of another mode: nothing is known of it.
    NotPrivate,
    /// Shorter than its items say: the header can still be answered.
    Short(PrivateHeader),
}

/// What authenticates a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trailer<'a> {
    /// When it was made, by the clock of its sender.
    pub stamp: NtpTimestamp,
    /// Key and digest.
    pub mac: Mac<'a>,
    /// What the digest is of: all before the key's number, the stamp included.
    pub authenticated: &'a [u8],
}

/// A datagram of mode 7, known to hold the items its header counts.
#[derive(Clone, Copy, Debug)]
pub struct PrivateMessage<'a> {
    header: PrivateHeader,
    octets: &'a [u8],
    data: &'a [u8],
}

impl<'a> PrivateMessage<'a> {
    /// Looks at a datagram.
    ///
    /// # Errors
    /// The first thing that keeps it from being a private message.
    pub fn new_checked(octets: &'a [u8]) -> Result<Self, PrivateMalformed> {
        let (head, rest) = octets
            .split_first_chunk::<PRIVATE_HEADER_LEN>()
            .ok_or(PrivateMalformed::NotPrivate)?;
        if Mode::from_bits(head[0]) != Mode::Private {
            return Err(PrivateMalformed::NotPrivate);
        }
        let header = PrivateHeader::parse(*head);
        let data = rest
            .get(..header.data_len())
            .ok_or(PrivateMalformed::Short(header))?;
        Ok(Self {
            header,
            octets,
            data,
        })
    }

    /// The header.
    pub const fn header(&self) -> &PrivateHeader {
        &self.header
    }

    /// The octets of each item; as many as the header counts, unless they have no octets.
    pub fn items(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let len = usize::from(self.header.item_len).max(1);
        self.data.chunks_exact(len)
    }

    /// The items, read as this kind.
    pub fn read<I: PrivateItem>(&self) -> impl Iterator<Item = I> + use<'a, I> {
        self.items().map(I::take)
    }

    /// Time stamp and MAC of an authenticated request. A digest of 16 octets ends a datagram of a
    /// fixed size; a longer one follows the items at the next multiple of four, and how long it is
    /// shows in the length of the datagram.
    pub fn trailer(&self) -> Option<Trailer<'a>> {
        if !self.header.is_authenticated {
            return None;
        }
        let end = (PRIVATE_HEADER_LEN + self.data.len() + STAMP_LEN).next_multiple_of(4);
        let rest = self.octets.len().checked_sub(end)?;
        let mac_len = if rest > MAC_LEN_MAX {
            MAC_LEN_MIN
        } else {
            rest
        };
        if mac_len < MAC_LEN_MIN {
            return None;
        }
        let (authenticated, mac) = self.octets.split_at_checked(self.octets.len() - mac_len)?;
        let stamp = authenticated.last_chunk::<STAMP_LEN>()?;
        let (key_id, digest) = mac.split_first_chunk::<4>()?;
        Some(Trailer {
            stamp: NtpTimestamp::from_bits(u64::from_be_bytes(*stamp)),
            mac: Mac {
                key_id: u32::from_be_bytes(*key_id),
                digest,
            },
            authenticated,
        })
    }
}

/// A request on its way out.
#[derive(Clone, Debug)]
pub struct PrivateRequest {
    header: PrivateHeader,
    data: Vec<u8>,
}

impl PrivateRequest {
    /// A request with these items.
    pub fn new<I: PrivateItem>(
        implementation: Implementation,
        code: PrivateCode,
        items: &[I],
    ) -> Self {
        let item_len = match implementation {
            Implementation::Old => I::OLD_LEN,
            _ => I::LEN,
        };
        let mut data = Vec::with_capacity(items.len() * I::LEN);
        for item in items {
            let end = data.len() + item_len;
            item.put(&mut data);
            data.truncate(end);
        }
        Self {
            header: PrivateHeader {
                items: u16::try_from(items.len()).unwrap_or(COUNT_BITS),
                item_len: u16::try_from(item_len).unwrap_or(COUNT_BITS),
                ..PrivateHeader::request(implementation, code)
            },
            data,
        }
    }

    /// A request without items.
    pub const fn plain(implementation: Implementation, code: PrivateCode) -> Self {
        Self {
            header: PrivateHeader::request(implementation, code),
            data: Vec::new(),
        }
    }

    /// What is asked.
    pub const fn code(&self) -> PrivateCode {
        self.header.code
    }

    /// Whose format it is in.
    pub const fn implementation(&self) -> Implementation {
        self.header.implementation
    }

    /// The octets of a request without a MAC.
    pub fn to_octets(&self) -> Vec<u8> {
        self.padded(&self.header, REQUEST_LEN)
    }

    /// What the digest of an authenticated request is of. Append the four octets of the key's number
    /// and a digest of so many octets.
    pub fn to_seal(&self, stamp: NtpTimestamp, digest_len: usize) -> Vec<u8> {
        let header = PrivateHeader {
            is_authenticated: true,
            ..self.header
        };
        let len = if digest_len > 16 {
            (PRIVATE_HEADER_LEN + self.data.len() + STAMP_LEN).next_multiple_of(4)
        } else {
            REQUEST_LEN
        };
        let mut octets = self.padded(&header, len);
        let at = octets.len().saturating_sub(STAMP_LEN);
        octets.truncate(at);
        octets.extend_from_slice(&stamp.to_bits().to_be_bytes());
        octets
    }

    fn padded(&self, header: &PrivateHeader, len: usize) -> Vec<u8> {
        let mut octets = header.to_octets().to_vec();
        octets.extend_from_slice(&self.data);
        let least = octets.len() + STAMP_LEN;
        octets.resize(len.max(least), 0);
        octets
    }
}
