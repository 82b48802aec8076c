//! The sending side: what leaves through which interface, and when it truly left (RFC 9769 §4).
use super::KeyLists;
use crate::packet::{LinkId, Stamp};
use truechimer_time::NtpTimestamp;

/// What is known of the packet before, on each interface.
#[derive(Debug, Default)]
pub(crate) struct Emitter {
    links: Vec<Last>,
    /// No interface fits, and that was said.
    pub(crate) homeless: bool,
    /// Of Autokey.
    pub(crate) lists: KeyLists,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    link: LinkId,
    sequence: u64,
    left: Option<NtpTimestamp>,
}

impl Emitter {
    /// Begins a packet. Returns when the one before left through this interface, if that is known:
    /// what a receiver of interleaved broadcasts takes as T3 of that packet.
    pub(crate) fn begin(&mut self, link: LinkId, sequence: u64) -> Option<NtpTimestamp> {
        let next = Last {
            link,
            sequence,
            left: None,
        };
        match self.links.iter_mut().find(|it| it.link == link) {
            Some(last) => core::mem::replace(last, next).left,
            None => {
                self.links.push(next);
                None
            }
        }
    }

    /// Notes when a packet left; a stamp of an older one is of no use any more.
    pub(crate) fn note_departure(&mut self, sequence: u64, stamp: Stamp) {
        if let Some(last) = self.links.iter_mut().find(|it| it.sequence == sequence) {
            last.left = Some(stamp.at);
        }
    }

    /// Forgets interfaces that are gone, so that the list is no longer than that of the host.
    pub(crate) fn keep(&mut self, is_there: impl Fn(LinkId) -> bool) {
        self.links.retain(|it| is_there(it.link));
        self.lists.keep(is_there);
    }

    /// The clock was stepped: stamps from before mean nothing.
    pub(crate) fn forget_time(&mut self) {
        self.links.clear();
        self.lists.forget();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::StampClass;

    fn stamp(bits: u64) -> Stamp {
        Stamp {
            at: NtpTimestamp::from_bits(bits),
            class: StampClass::Kernel,
        }
    }

    #[test]
    fn the_stamp_of_the_packet_before_and_no_older_one() {
        let mut emitter = Emitter::default();
        let (a, b) = (LinkId(1), LinkId(2));
        assert_eq!(emitter.begin(a, 1), None);
        emitter.note_departure(1, stamp(10));
        assert_eq!(emitter.begin(b, 2), None, "each interface its own");
        assert_eq!(emitter.begin(a, 3), Some(NtpTimestamp::from_bits(10)));
        emitter.note_departure(1, stamp(11));
        assert_eq!(emitter.begin(a, 4), None, "no stamp of packet 3 ever came");
        emitter.note_departure(4, stamp(12));
        emitter.forget_time();
        assert_eq!(emitter.begin(a, 5), None);
    }
}
