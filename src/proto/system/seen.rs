//! Transmit stamps of authentic packets: a packet that comes again makes no association.
use std::collections::VecDeque;
use truechimer_time::NtpTimestamp;

/// The latest stamps, so many at most.
#[derive(Debug)]
pub(super) struct Seen<const AT_MOST: usize>(VecDeque<NtpTimestamp>);

impl<const AT_MOST: usize> Seen<AT_MOST> {
    pub(super) fn knows(&self, transmit: NtpTimestamp) -> bool {
        self.0.contains(&transmit)
    }

    pub(super) fn note(&mut self, transmit: NtpTimestamp) {
        if self.0.len() >= AT_MOST {
            self.0.pop_front();
        }
        self.0.push_back(transmit);
    }
}

impl<const AT_MOST: usize> Default for Seen<AT_MOST> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}
