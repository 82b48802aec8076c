//! Status words (RFC 9327 §3.1 to §3.3): what one sees of the state without reading a variable.
use truechimer_time::leap::LeapIndicator;

/// Most events a word can count.
pub(crate) const EVENTS_MAX: u8 = 15;

/// Status word of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemStatusWord {
    /// Leap announced.
    pub leap: LeapIndicator,
    /// Kind of source, 0..=9: 0 none, 1 pulses, 2 to 4 radio of low, high, ultra high frequency,
    /// 5 local, 6 NTP, 7 other, 8 by hand, 9 telephone.
    pub source: u8,
    /// Events since this word was last read, at most 15.
    pub count: u8,
    /// Number of the last event (appendix B.2).
    pub event: u8,
}

impl SystemStatusWord {
    /// From the wire.
    pub fn from_word(word: u16) -> Self {
        let [high, low] = word.to_be_bytes();
        Self {
            leap: LeapIndicator::from_bits(high >> 6),
            source: high & 0x3F,
            count: low >> 4,
            event: low & 0xF,
        }
    }

    /// To the wire.
    pub fn word(self) -> u16 {
        let high = self.leap.to_bits() << 6 | self.source & 0x3F;
        u16::from_be_bytes([high, nibbles(self.count, self.event)])
    }
}

/// Status word of an association.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeerStatusWord {
    /// It is in the configuration, rather than having come by itself.
    pub is_configured: bool,
    /// It has a key.
    pub has_key: bool,
    /// The last packet was authentic.
    pub is_authentic: bool,
    /// One of the last eight polls was answered.
    pub is_reachable: bool,
    /// It is broadcast to.
    pub is_broadcast: bool,
    /// What selection made of it, 0..=7: reject, falseticker, excess, outlier, candidate, backup,
    /// system peer, pulse peer.
    pub selection: u8,
    /// Events since this word was last read, at most 15.
    pub count: u8,
    /// Number of the last event (appendix B.3).
    pub event: u8,
}

impl PeerStatusWord {
    /// From the wire.
    pub fn from_word(word: u16) -> Self {
        let [high, low] = word.to_be_bytes();
        Self {
            is_configured: high & 0x80 != 0,
            has_key: high & 0x40 != 0,
            is_authentic: high & 0x20 != 0,
            is_reachable: high & 0x10 != 0,
            is_broadcast: high & 0x08 != 0,
            selection: high & 7,
            count: low >> 4,
            event: low & 0xF,
        }
    }

    /// To the wire.
    pub fn word(self) -> u16 {
        let bits = [
            (self.is_configured, 0x80),
            (self.has_key, 0x40),
            (self.is_authentic, 0x20),
            (self.is_reachable, 0x10),
            (self.is_broadcast, 0x08),
        ];
        let set = bits.into_iter().filter(|(set, _)| *set);
        let high = set.fold(self.selection & 7, |high, (_, bit)| high | bit);
        u16::from_be_bytes([high, nibbles(self.count, self.event)])
    }
}

/// Status word of a reference clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClockStatusWord {
    /// Events since this word was last read, at most 15.
    pub count: u8,
    /// Number of the last event (appendix B.4).
    pub event: u8,
}

impl ClockStatusWord {
    /// From the wire.
    pub fn from_word(word: u16) -> Self {
        let [_, low] = word.to_be_bytes();
        Self {
            count: low >> 4,
            event: low & 0xF,
        }
    }

    /// To the wire.
    pub fn word(self) -> u16 {
        u16::from(nibbles(self.count, self.event))
    }
}

fn nibbles(count: u8, event: u8) -> u8 {
    count.min(EVENTS_MAX) << 4 | event & 0xF
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_reference() {
        // "conf, authenb, auth, reach, sel_sys.peer, 1 event, interleave_mode"
        let peer = PeerStatusWord::from_word(0xF61E);
        assert!(peer.is_configured && peer.has_key && peer.is_authentic && peer.is_reachable);
        assert_eq!((peer.selection, peer.count, peer.event), (6, 1, 0xE));
        // "leap_none, sync_ntp, 1 event, freq_mode"
        let system = SystemStatusWord::from_word(0x0614);
        assert_eq!(system.leap, LeapIndicator::NoWarning);
        assert_eq!((system.source, system.count, system.event), (6, 1, 4));
    }

    #[test]
    fn every_word_there_and_back() {
        for word in 0..=u16::MAX {
            assert_eq!(SystemStatusWord::from_word(word).word(), word);
            assert_eq!(PeerStatusWord::from_word(word).word(), word);
            assert_eq!(ClockStatusWord::from_word(word).word(), word & 0xFF);
        }
        let many = ClockStatusWord {
            count: 40,
            event: 2,
        };
        assert_eq!(many.word(), 0xF2);
    }
}
