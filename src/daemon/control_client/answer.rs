//! Answers, put together from the fragments they come in.
use truechimer_wire::{ControlMessage, Opcode};

/// As many fragments as an answer may come in.
pub const FRAGMENTS_MAX: usize = 32;
/// As much data as an answer may hold, octets.
const DATA_MAX: usize = FRAGMENTS_MAX * 480;
/// Versions of NTP that have mode 6 answers.
const VERSIONS: core::ops::RangeInclusive<u8> = 1..=4;

/// A whole answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The status word of what was asked about.
    pub status: u16,
    /// The data of all fragments.
    pub data: Vec<u8>,
}

/// What a datagram did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It is not of this answer, or says nothing new.
    Ignored,
    /// It fits; more is missing.
    Partial,
    /// Nothing is missing any more.
    Complete(Answer),
    /// The server's error code instead of an answer.
    Refused(u8),
    /// More than an answer may hold.
    TooMuch,
}

/// An answer that is being put together.
#[derive(Debug)]
pub struct Assembly {
    opcode: Opcode,
    sequence: u16,
    /// Where each fragment begins and ends, in order; they never overlap.
    fragments: Vec<(usize, usize)>,
    data: Vec<u8>,
    /// The status of the last fragment, once it came.
    last: Option<u16>,
}

impl Assembly {
    /// For the answer to one request.
    pub fn new(opcode: Opcode, sequence: u16) -> Self {
        Self {
            opcode,
            sequence,
            fragments: Vec::new(),
            data: Vec::new(),
            last: None,
        }
    }

    /// Whether anything came yet.
    pub const fn is_empty(&self) -> bool {
        self.fragments.is_empty()
    }

    /// Takes one datagram.
    pub fn take(&mut self, octets: &[u8]) -> Progress {
        let Ok(message) = ControlMessage::new_checked(octets) else {
            return Progress::Ignored;
        };
        let header = message.header();
        let ours = header.is_response
            && VERSIONS.contains(&header.version)
            && header.sequence == self.sequence
            && header.opcode == self.opcode;
        if !ours {
            return Progress::Ignored;
        }
        if header.is_error {
            let [code, _] = header.status.to_be_bytes();
            return Progress::Refused(code);
        }
        let (begin, part) = (usize::from(header.offset), message.data());
        let end = begin + part.len();
        if end > DATA_MAX || self.fragments.len() >= FRAGMENTS_MAX {
            return Progress::TooMuch;
        }
        let empty_middle = part.is_empty() && header.has_more;
        let second_last = self.last.is_some() && !header.has_more;
        if empty_middle || second_last || !self.note(begin, end) {
            return Progress::Ignored;
        }
        if self.data.len() < end {
            self.data.resize(end, 0);
        }
        if let Some(room) = self.data.get_mut(begin..end) {
            room.copy_from_slice(part);
        }
        if !header.has_more {
            self.last = Some(header.status);
        }
        self.outcome()
    }

    /// Whether the stretch is new and overlaps none there is; then it is noted.
    fn note(&mut self, begin: usize, end: usize) -> bool {
        let place = self.fragments.partition_point(|(other, _)| *other < begin);
        let before = place.checked_sub(1).and_then(|at| self.fragments.get(at));
        let after = self.fragments.get(place);
        let clear = before.is_none_or(|(_, other)| *other <= begin)
            && after.is_none_or(|(other, _)| *other != begin && end <= *other);
        if clear {
            self.fragments.insert(place, (begin, end));
        }
        clear
    }

    fn outcome(&mut self) -> Progress {
        let Some(status) = self.last else {
            return Progress::Partial;
        };
        let mut reached = 0;
        for (begin, end) in &self.fragments {
            if *begin != reached {
                return Progress::Partial;
            }
            reached = *end;
        }
        Progress::Complete(Answer {
            status,
            data: core::mem::take(&mut self.data),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use truechimer_wire::{ControlAnswer, ControlHeader, fragments};

    fn datagrams(data: &[u8]) -> Vec<Vec<u8>> {
        let header = ControlHeader {
            is_response: true,
            status: 0x0614,
            ..ControlHeader::request(Opcode::ReadVariables, 7, 0)
        };
        fragments(&ControlAnswer {
            header,
            data,
            sealed: false,
        })
        .collect()
    }

    fn assembly() -> Assembly {
        Assembly::new(Opcode::ReadVariables, 7)
    }

    #[test]
    fn in_any_order_and_twice() {
        let data: Vec<u8> = (0..=255).cycle().take(1500).collect();
        let whole = Progress::Complete(Answer {
            status: 0x0614,
            data: data.clone(),
        });
        let parts = datagrams(&data);
        assert_eq!(parts.len(), 4);
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]] {
            let mut assembly = assembly();
            for (count, place) in order.iter().enumerate() {
                let progress = assembly.take(&parts[*place]);
                if count < 3 {
                    assert_eq!(progress, Progress::Partial);
                    assert_eq!(assembly.take(&parts[*place]), Progress::Ignored);
                } else {
                    assert_eq!(progress, whole);
                }
            }
        }
    }

    #[test]
    fn what_is_not_of_this_answer_is_ignored() {
        let [part] = datagrams(b"leap=0").try_into().expect("one");
        for (at, bits) in [(0, 7), (0, 0x20), (1, 0x80), (1, 1), (3, 1)] {
            let mut other = part.clone();
            other[at] ^= bits;
            assert_eq!(assembly().take(&other), Progress::Ignored, "octet {at}");
        }
        assert_eq!(assembly().take(&part[..11]), Progress::Ignored);
        assert!(matches!(assembly().take(&part), Progress::Complete(_)));
    }

    #[test]
    fn errors_and_excess() {
        let mut refused = datagrams(b"").remove(0);
        refused[1] |= 0x40;
        refused[4] = 5;
        assert_eq!(assembly().take(&refused), Progress::Refused(5));
        let parts = datagrams(&[b'x'; 20_000]);
        let mut assembly = assembly();
        let last = parts.iter().map(|part| assembly.take(part)).last();
        assert_eq!(last, Some(Progress::TooMuch));
    }

    #[test]
    fn a_fragment_over_another_is_ignored() {
        let mut parts = datagrams(&[b'x'; 900]);
        let mut assembly = assembly();
        assert_eq!(assembly.take(&parts[0]), Progress::Partial);
        parts[1][9] -= 4;
        assert_eq!(assembly.take(&parts[1]), Progress::Ignored);
    }
}
