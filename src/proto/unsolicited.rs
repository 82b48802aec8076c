//! What became of packets that nobody asked for: broadcasts, symmetric packets, manycast.
//!
//! None of them changes anything before it is authentic, fresh and allowed; what is refused is
//! counted under its reason, here if there is no association that it belongs to.

/// Why a packet that nobody asked for was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unsolicited {
    /// Our own packet came back.
    LoopedBack,
    /// Nothing in the configuration asks for such packets.
    NotWanted,
    /// Our own `restrict` lines refuse it.
    Restricted,
    /// It has no MAC, and must have one.
    NoMac,
    /// Its MAC does not prove it, for whatever reason.
    NotAuthentic,
    /// Not a whole NTP packet, or its fields contradict each other.
    Malformed,
    /// Its transmit stamp is that of the packet before.
    Replayed,
    /// Its transmit stamp is older than that of the packet before.
    Reordered,
    /// It came much sooner than its poll interval allows.
    TooSoon,
    /// Its poll exponent is none that anybody may have.
    PollField,
    /// The sender does not know the time.
    NotSynchronized,
    /// There are as many associations with this address as `ippeerlimit` allows.
    PeerLimit,
    /// There are as many associations as there may be, or enough was heard for now.
    NoRoom,
    /// It claims to answer us and echoes no request of ours that is still open.
    Unasked,
    /// The sender is farther from the root than we, or has its time from us (manycast).
    NoHelp,
}

impl Unsolicited {
    /// All of them, in order.
    pub const ALL: [Self; 15] = [
        Self::LoopedBack,
        Self::NotWanted,
        Self::Restricted,
        Self::NoMac,
        Self::NotAuthentic,
        Self::Malformed,
        Self::Replayed,
        Self::Reordered,
        Self::TooSoon,
        Self::PollField,
        Self::NotSynchronized,
        Self::PeerLimit,
        Self::NoRoom,
        Self::Unasked,
        Self::NoHelp,
    ];

    /// A word for metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LoopedBack => "looped_back",
            Self::NotWanted => "not_wanted",
            Self::Restricted => "restricted",
            Self::NoMac => "no_mac",
            Self::NotAuthentic => "not_authentic",
            Self::Malformed => "malformed",
            Self::Replayed => "replayed",
            Self::Reordered => "reordered",
            Self::TooSoon => "too_soon",
            Self::PollField => "poll_field",
            Self::NotSynchronized => "not_synchronized",
            Self::PeerLimit => "peer_limit",
            Self::NoRoom => "no_room",
            Self::Unasked => "unasked",
            Self::NoHelp => "no_help",
        }
    }
}

/// How many were refused, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnsolicitedCounts([u64; Unsolicited::ALL.len()]);

impl UnsolicitedCounts {
    /// One more.
    pub(crate) fn count(&mut self, reason: Unsolicited) {
        if let Some(count) = self.0.get_mut(reason as usize) {
            *count = count.saturating_add(1);
        }
    }

    /// How many for this reason.
    pub fn of(&self, reason: Unsolicited) -> u64 {
        self.0.get(reason as usize).copied().unwrap_or_default()
    }
}

/// As `3 no_mac, 1 replayed`; `none` while there are none.
impl core::fmt::Display for UnsolicitedCounts {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let mut between = "";
        for reason in Unsolicited::ALL {
            let count = self.of(reason);
            if count > 0 {
                write!(f, "{between}{count} {}", reason.name())?;
                between = ", ";
            }
        }
        if between.is_empty() {
            f.write_str("none")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_told_by_reason() {
        let mut counts = UnsolicitedCounts::default();
        assert_eq!(counts.to_string(), "none");
        for reason in [
            Unsolicited::Replayed,
            Unsolicited::NoMac,
            Unsolicited::NoMac,
        ] {
            counts.count(reason);
        }
        assert_eq!(counts.to_string(), "2 no_mac, 1 replayed");
    }
}
