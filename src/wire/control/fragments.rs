//! An answer that is longer than a datagram, cut into several.
use super::message::{self, CONTROL_DATA_MAX, ControlHeader};

/// A whole answer before it is cut.
#[derive(Clone, Copy, Debug)]
pub struct ControlAnswer<'a> {
    /// Status, opcode, sequence and association; offset, count and `has_more` are set here.
    pub header: ControlHeader,
    /// All of it. Offsets have 16 bits, so what lies beyond 65,535 octets is left out.
    pub data: &'a [u8],
    /// Whether a MAC is to be appended to each fragment, which must then end at a multiple of eight
    /// octets instead of four.
    pub sealed: bool,
}

/// The datagrams of an answer, in order; at least one. Seal each by appending the four octets of
/// the key's identifier and the digest.
pub fn fragments<'a>(answer: &ControlAnswer<'a>) -> impl Iterator<Item = Vec<u8>> + 'a {
    let ControlAnswer {
        header,
        data,
        sealed,
    } = *answer;
    let data = data.get(..usize::from(u16::MAX)).unwrap_or(data);
    let count = data.len().div_ceil(CONTROL_DATA_MAX).max(1);
    (0..count).map(move |place| {
        let from = place * CONTROL_DATA_MAX;
        let until = data.len().min(from + CONTROL_DATA_MAX);
        let header = ControlHeader {
            has_more: place + 1 < count,
            offset: u16::try_from(from).unwrap_or(u16::MAX),
            ..header
        };
        let part = data.get(from..until).unwrap_or_default();
        message::put(&header, part, if sealed { 8 } else { 4 })
    })
}

#[cfg(test)]
mod tests {
    use super::super::{ControlMessage, Opcode};
    use super::*;

    fn answer(data: &[u8], sealed: bool) -> Vec<Vec<u8>> {
        let header = ControlHeader {
            is_response: true,
            ..ControlHeader::request(Opcode::ReadVariables, 3, 0)
        };
        fragments(&ControlAnswer {
            header,
            data,
            sealed,
        })
        .collect()
    }

    #[test]
    fn put_together_again() {
        for len in [0, 1, 467, 468, 469, 936, 937, 5_000] {
            let data: Vec<u8> = (b'a'..=b'z').cycle().take(len).collect();
            let parts = answer(&data, len % 2 == 0);
            let mut whole = Vec::new();
            for (place, part) in parts.iter().enumerate() {
                let part = ControlMessage::new_checked(part).expect("well formed");
                assert_eq!(usize::from(part.header().offset), whole.len());
                assert_eq!(part.header().has_more, place + 1 < parts.len());
                whole.extend_from_slice(part.data());
            }
            assert_eq!(whole, data);
        }
    }

    #[test]
    fn offsets_do_not_wrap() {
        let parts = answer(&vec![b'z'; 100_000], false);
        let last = parts.last().expect("one at least");
        let last = ControlMessage::new_checked(last).expect("well formed");
        let end = usize::from(last.header().offset) + last.data().len();
        assert_eq!(end, 65_535);
        assert!(!last.header().has_more);
    }
}
