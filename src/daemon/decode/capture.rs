//! Frames from a capture file, pcap or pcapng, as they come.
use super::frame::Layer;
use core::fmt;
use pcap_parser::traits::PcapReaderIterator;
use pcap_parser::{Block, InterfaceDescriptionBlock, PcapBlockOwned, PcapError, create_reader};
use std::io::Read;

/// Longest block taken: a frame of 256 KiB, tcpdump's most, and room for a pcapng block's options.
const BLOCK_LEN_MAX: usize = 1 << 20;
/// Octets of room at first: enough for what is on a network.
const BLOCK_LEN_USUAL: usize = 1 << 16;
/// Most interfaces of a pcapng section.
const INTERFACES_MAX: usize = 4096;
/// The first octets of each format, as far as they tell it from text.
const MAGIC: [[u8; 4]; 7] = [
    [0xA1, 0xB2, 0xC3, 0xD4],
    [0xD4, 0xC3, 0xB2, 0xA1],
    [0xA1, 0xB2, 0x3C, 0x4D],
    [0x4D, 0x3C, 0xB2, 0xA1],
    [0xA1, 0xB2, 0xCD, 0x34],
    [0x34, 0xCD, 0xB2, 0xA1],
    [0x0A, 0x0D, 0x0D, 0x0A],
];

/// A frame.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    /// Its number in the capture, from 1.
    pub(super) number: u64,
    /// When it was captured: Unix seconds and nanoseconds.
    pub(super) captured: Option<(i64, u32)>,
    /// What it begins with; none if the capture's link type is not known here.
    pub(super) layer: Option<Layer>,
    pub(super) octets: &'a [u8],
}

/// Why a capture cannot be read on; `at` counts octets from its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// It begins like a capture and is none.
    Header,
    /// It ends in the middle of a block.
    CutShort {
        /// Where the block begins.
        at: usize,
    },
    /// A block is longer than any frame.
    TooLong {
        /// Where the block begins.
        at: usize,
    },
    /// A block contradicts itself.
    Block {
        /// Where the block begins.
        at: usize,
    },
    /// A frame is of an interface that was not described before.
    Interface {
        /// Where the block begins.
        at: usize,
    },
    /// The operating system's.
    Read {
        /// Up to where it was read.
        at: usize,
    },
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header => f.write_str("octet 0: a broken header of a capture"),
            Self::CutShort { at } => write!(
                f,
                "octet {at}: the capture ends in the middle of a block; it was cut short"
            ),
            Self::TooLong { at } => write!(
                f,
                "octet {at}: a block of more than {BLOCK_LEN_MAX} octets; the capture is damaged"
            ),
            Self::Block { at } => write!(
                f,
                "octet {at}: a block that contradicts itself; the capture is damaged"
            ),
            Self::Interface { at } => write!(
                f,
                "octet {at}: a frame of an interface that is not described; the capture is damaged"
            ),
            Self::Read { at } => write!(f, "octet {at}: cannot be read on"),
        }
    }
}

impl core::error::Error for Broken {}

/// Whether a file that begins so is a capture.
pub(super) fn is_capture(start: &[u8]) -> bool {
    start
        .first_chunk::<4>()
        .is_some_and(|magic| MAGIC.contains(magic))
}

/// How many octets of a stream tell what it is and, of a capture, make its first block: the reader
/// wants that at once.
pub(super) fn octets_to_begin(start: &[u8]) -> usize {
    /// Of the old format, and more than tells a capture from text.
    const HEADER_LEN: usize = 24;
    const SECTION: [u8; 4] = [0x0A, 0x0D, 0x0D, 0x0A];
    let word = |at: usize| start.get(at..).and_then(<[u8]>::first_chunk::<4>);
    let len = match (word(0), word(4), word(8)) {
        (Some(&SECTION), Some(len), Some([0x1A, ..])) => u32::from_be_bytes(*len),
        (Some(&SECTION), Some(len), Some(_)) => u32::from_le_bytes(*len),
        _ => 0,
    };
    usize::try_from(len)
        .unwrap_or(BLOCK_LEN_MAX)
        .clamp(HEADER_LEN, BLOCK_LEN_MAX)
}

/// What a file said before its frames.
#[derive(Default)]
struct Described {
    /// Of an old file.
    link_type: u16,
    is_nanoseconds: bool,
    /// Of a pcapng section.
    interfaces: Vec<Interface>,
}

struct Interface {
    link_type: u16,
    /// Units a second.
    resolution: u64,
    offset_s: i64,
    snap_len: u32,
}

/// Hands out every frame in turn.
///
/// # Errors
/// Where and why the capture cannot be read on; the frames before that were handed out.
pub(super) fn read<R: Read + Send>(
    source: R,
    mut each: impl FnMut(&Frame<'_>),
) -> Result<(), Broken> {
    let mut reader = create_reader(BLOCK_LEN_USUAL, source).map_err(|_| Broken::Header)?;
    let mut described = Described::default();
    let mut number = 0;
    loop {
        let at = reader.consumed();
        match reader.next() {
            Ok((len, block)) => {
                let frame = described.take(&block, at)?;
                if let Some((captured, link_type, octets)) = frame {
                    number += 1;
                    each(&Frame {
                        number,
                        captured,
                        layer: Layer::of_link_type(link_type),
                        octets,
                    });
                }
                reader.consume(len);
            }
            Err(PcapError::Eof) => return Ok(()),
            Err(PcapError::Incomplete(_)) => more(reader.as_mut(), at)?,
            Err(PcapError::UnexpectedEof) => return Err(Broken::CutShort { at }),
            Err(PcapError::BufferTooSmall) => {
                if !reader.grow(BLOCK_LEN_MAX) {
                    return Err(Broken::TooLong { at });
                }
            }
            Err(_) => return Err(Broken::Block { at }),
        }
    }
}

/// Reads on; where nothing comes and no end either, the block does not fit.
fn more(reader: &mut (dyn PcapReaderIterator + Send), at: usize) -> Result<(), Broken> {
    let before = reader.data().len();
    reader.refill().map_err(|_| Broken::Read { at })?;
    if reader.data().len() == before && !reader.reader_exhausted() {
        return Err(Broken::TooLong { at });
    }
    Ok(())
}

type Raw<'a> = (Option<(i64, u32)>, u16, &'a [u8]);

impl Described {
    fn take<'a>(
        &mut self,
        block: &'a PcapBlockOwned<'a>,
        at: usize,
    ) -> Result<Option<Raw<'a>>, Broken> {
        match block {
            PcapBlockOwned::LegacyHeader(header) => {
                self.link_type = link_type(header.network.0);
                self.is_nanoseconds = header.is_nanosecond_precision();
                Ok(None)
            }
            PcapBlockOwned::Legacy(frame) => {
                let scale = if self.is_nanoseconds { 1 } else { 1000 };
                let nanoseconds = frame.ts_usec.saturating_mul(scale);
                let captured = (i64::from(frame.ts_sec), nanoseconds.min(999_999_999));
                Ok(Some((Some(captured), self.link_type, frame.data)))
            }
            PcapBlockOwned::NG(block) => self.next_generation(block, at),
        }
    }

    fn next_generation<'a>(
        &mut self,
        block: &'a Block<'a>,
        at: usize,
    ) -> Result<Option<Raw<'a>>, Broken> {
        match block {
            Block::SectionHeader(_) => {
                self.interfaces.clear();
                Ok(None)
            }
            Block::InterfaceDescription(it) => {
                if self.interfaces.len() == INTERFACES_MAX {
                    return Err(Broken::TooLong { at });
                }
                self.interfaces.push(Interface::new(it));
                Ok(None)
            }
            Block::EnhancedPacket(it) => {
                let index = usize::try_from(it.if_id).unwrap_or(usize::MAX);
                let interface = self.interfaces.get(index).ok_or(Broken::Interface { at })?;
                let units = u64::from(it.ts_high) << 32 | u64::from(it.ts_low);
                let octets = captured(it.data, it.caplen, at)?;
                let moment = interface.moment(units);
                Ok(Some((moment, interface.link_type, octets)))
            }
            Block::SimplePacket(it) => {
                let interface = self.interfaces.first().ok_or(Broken::Interface { at })?;
                let len = match interface.snap_len {
                    0 => it.origlen,
                    snap_len => it.origlen.min(snap_len),
                };
                let octets = captured(it.data, len, at)?;
                Ok(Some((None, interface.link_type, octets)))
            }
            _ => Ok(None),
        }
    }
}

/// Without the padding.
fn captured(data: &[u8], len: u32, at: usize) -> Result<&[u8], Broken> {
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    data.get(..len).ok_or(Broken::Block { at })
}

impl Interface {
    fn new(block: &InterfaceDescriptionBlock<'_>) -> Self {
        let exponent = u32::from(block.if_tsresol & 0x7F);
        let resolution = if block.if_tsresol & 0x80 == 0 {
            10_u64.checked_pow(exponent)
        } else {
            1_u64.checked_shl(exponent)
        };
        Self {
            link_type: link_type(block.linktype.0),
            resolution: resolution.unwrap_or(1_000_000),
            offset_s: block.if_tsoffset,
            snap_len: block.snaplen,
        }
    }

    fn moment(&self, units: u64) -> Option<(i64, u32)> {
        let (seconds, rest) = (units / self.resolution, units % self.resolution);
        let seconds = i64::try_from(seconds).ok()?.checked_add(self.offset_s)?;
        let nanoseconds = u128::from(rest) * 1_000_000_000 / u128::from(self.resolution);
        Some((seconds, u32::try_from(nanoseconds).ok()?))
    }
}

/// The upper half of the word says whether frames have checksums behind them.
const fn link_type(word: i32) -> u16 {
    let [_, _, high, low] = word.to_be_bytes();
    u16::from_be_bytes([high, low])
}
