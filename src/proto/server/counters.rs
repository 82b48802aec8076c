//! What became of the datagrams; every drop has a name.
use crate::authentication::AuthFailure;

/// Why a datagram got no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DropReason {
    /// From port 0: nobody can be there.
    SourcePort,
    /// From an address nobody can have: loopback from the wire, 127.127/16, multicast, none.
    SourceAddress,
    /// `restrict ignore`.
    Ignored,
    /// A control message, and `restrict noquery`.
    NotQueried,
    /// `restrict noserve`.
    NotServed,
    /// The one in ten of `restrict flake`.
    Flaked,
    /// `restrict notrust`, and no MAC.
    NotTrusted,
    /// Version 0, 5 or later, or refused by `restrict version`.
    Version,
    /// Over a limit of `discard`, and `restrict limited`.
    Limited,
    /// Not a mode that is answered here.
    Mode,
    /// Not a whole NTP packet.
    Malformed,
    /// Its MAC is cut off: no digest has that length.
    MacLength,
    /// A complaint about a MAC of ours, which is not to be answered.
    CryptoNak,
    /// The clock was stepped between arrival and reply, so the two stamps do not belong together.
    Stepped,
    /// The reply would be longer than the request, or than the buffer.
    NoRoom,
    /// The key verified the request but will not seal the reply.
    Unsealed,
    /// More control requests than one asker may send.
    ControlRate,
    /// It came to a broadcast address, or to a group in which we answer nobody.
    ToMany,
    /// It came to a group and its MAC is not right; nobody complains there.
    Unproven,
    /// It came to a group, and we are of no use to who asks: we do not know the time, are farther from
    /// its root, or are its server already.
    NoHelp,
    /// Its session key is right, and its field is no request of Autokey.
    AutokeyForm,
    /// It is of no group of Autokey, or of another than it must be.
    AutokeyGroup,
    /// Its answer is being made already.
    AutokeyDuplicate,
    /// Its address asked for more public-key operations than one may.
    AutokeyRate,
    /// All together did, or as many as may be are under way.
    AutokeyBusy,
}

impl DropReason {
    /// All of them, in order.
    pub const ALL: [Self; 25] = [
        Self::SourcePort,
        Self::SourceAddress,
        Self::Ignored,
        Self::NotQueried,
        Self::NotServed,
        Self::Flaked,
        Self::NotTrusted,
        Self::Version,
        Self::Limited,
        Self::Mode,
        Self::Malformed,
        Self::MacLength,
        Self::CryptoNak,
        Self::Stepped,
        Self::NoRoom,
        Self::Unsealed,
        Self::ControlRate,
        Self::ToMany,
        Self::Unproven,
        Self::NoHelp,
        Self::AutokeyForm,
        Self::AutokeyGroup,
        Self::AutokeyDuplicate,
        Self::AutokeyRate,
        Self::AutokeyBusy,
    ];

    /// A word for metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SourcePort => "source_port",
            Self::SourceAddress => "source_address",
            Self::Ignored => "ignore",
            Self::NotQueried => "noquery",
            Self::NotServed => "noserve",
            Self::Flaked => "flake",
            Self::NotTrusted => "notrust",
            Self::Version => "version",
            Self::Limited => "limited",
            Self::Mode => "mode",
            Self::Malformed => "malformed",
            Self::MacLength => "mac_length",
            Self::CryptoNak => "crypto_nak",
            Self::Stepped => "stepped",
            Self::NoRoom => "no_room",
            Self::Unsealed => "unsealed",
            Self::ControlRate => "control_rate",
            Self::ToMany => "to_many",
            Self::Unproven => "unproven",
            Self::NoHelp => "no_help",
            Self::AutokeyForm => "autokey_form",
            Self::AutokeyGroup => "autokey_group",
            Self::AutokeyDuplicate => "autokey_duplicate",
            Self::AutokeyRate => "autokey_rate",
            Self::AutokeyBusy => "autokey_busy",
        }
    }
}

/// What became of requests with a right session key of Autokey.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AutokeyOutcome {
    /// Told the time, without a field.
    Plain,
    /// Given a value that was ready.
    Ready,
    /// Told that there is nothing to give.
    Nothing,
    /// Told so because its address was not proven; the next request will prove it.
    Unproven,
    /// Told that it cannot be.
    Error,
    /// Left to a holder of keys.
    Parked,
}

impl AutokeyOutcome {
    /// All of them, in order.
    pub const ALL: [Self; 6] = [
        Self::Plain,
        Self::Ready,
        Self::Nothing,
        Self::Unproven,
        Self::Error,
        Self::Parked,
    ];

    /// A word for metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Ready => "ready",
            Self::Nothing => "nothing",
            Self::Unproven => "unproven",
            Self::Error => "error",
            Self::Parked => "parked",
        }
    }
}

/// Words before the drops.
const HEAD_WORDS: usize = 11;

/// Words of 64 bits the counts pack into, for publication in atomics.
pub const COUNTER_WORDS: usize =
    HEAD_WORDS + DropReason::ALL.len() + AuthFailure::ALL.len() + AutokeyOutcome::ALL.len();

/// Counts of one server thread; whoever shows them adds the threads up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Datagrams in.
    pub received: u64,
    /// Replies out, crypto-NAKs and kisses included.
    pub replied: u64,
    /// Crypto-NAKs out: requests whose MAC was wrong.
    pub crypto_naks: u64,
    /// Kisses out: requests over a limit that were told so.
    pub kod_sent: u64,
    /// Requests over a limit that got the time all the same, at random.
    pub spared: u64,
    /// Datagrams left to the clock thread.
    pub handed_off: u64,
    /// Requests of version 4.
    pub this_version: u64,
    /// Requests of versions 1 to 3.
    pub old_version: u64,
    /// Replies in interleaved mode: each told when the one before it left.
    pub interleaved: u64,
    /// Replies whose departure was asked for.
    pub departures_asked: u64,
    /// Replies whose departure was not, though their clients seem to use the mode: over the budget of
    /// those who have not shown that they get our replies, or no room in the table.
    pub departures_passed_over: u64,
    drops: [u64; DropReason::ALL.len()],
    unauthentic: [u64; AuthFailure::ALL.len()],
    autokey: [u64; AutokeyOutcome::ALL.len()],
}

impl Counters {
    pub(super) const fn count_drop(&mut self, reason: DropReason) {
        self.drops[reason as usize] += 1;
    }

    /// A request that is told so by a crypto-NAK.
    pub(super) const fn count_unauthentic(&mut self, failure: AuthFailure) {
        self.crypto_naks += 1;
        self.unauthentic[failure as usize] += 1;
    }

    /// A request with a right session key.
    pub(super) const fn count_autokey(&mut self, outcome: AutokeyOutcome) {
        self.autokey[outcome as usize] += 1;
    }

    /// Of how many requests with a right session key this became.
    pub const fn autokey(&self, outcome: AutokeyOutcome) -> u64 {
        self.autokey[outcome as usize]
    }

    /// How many requests got a crypto-NAK for this.
    pub const fn unauthentic(&self, failure: AuthFailure) -> u64 {
        self.unauthentic[failure as usize]
    }

    /// How many were dropped for this reason.
    pub const fn dropped(&self, reason: DropReason) -> u64 {
        self.drops[reason as usize]
    }

    /// Packed for publication in atomics.
    pub fn to_words(&self) -> [u64; COUNTER_WORDS] {
        let mut words = [0; COUNTER_WORDS];
        let (head, reasons) = words.split_at_mut(HEAD_WORDS);
        head.copy_from_slice(&[
            self.received,
            self.replied,
            self.crypto_naks,
            self.kod_sent,
            self.spared,
            self.handed_off,
            self.this_version,
            self.old_version,
            self.interleaved,
            self.departures_asked,
            self.departures_passed_over,
        ]);
        let counts = self.drops.iter().chain(&self.unauthentic);
        let counts = counts.chain(&self.autokey);
        for (word, count) in reasons.iter_mut().zip(counts) {
            *word = *count;
        }
        words
    }

    /// Unpacked.
    pub fn from_words(words: [u64; COUNTER_WORDS]) -> Self {
        let [
            received,
            replied,
            crypto_naks,
            kod_sent,
            spared,
            handed_off,
            this_version,
            old_version,
            interleaved,
            departures_asked,
            departures_passed_over,
            reasons @ ..,
        ] = words;
        let mut reasons = reasons.into_iter();
        let mut next = || reasons.next().unwrap_or_default();
        Self {
            received,
            replied,
            crypto_naks,
            kod_sent,
            spared,
            handed_off,
            this_version,
            old_version,
            interleaved,
            departures_asked,
            departures_passed_over,
            drops: core::array::from_fn(|_| next()),
            unauthentic: core::array::from_fn(|_| next()),
            autokey: core::array::from_fn(|_| next()),
        }
    }

    /// The counts of another thread on top.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        let mut words = self.to_words();
        for (mine, theirs) in words.iter_mut().zip(other.to_words()) {
            *mine += theirs;
        }
        Self::from_words(words)
    }

    /// The reference's `ss_*` system statistics as far as serving makes them; what our servers
    /// answer comes on top.
    pub fn reference(&self) -> [(&'static str, u64); 9] {
        let dropped = |reasons: &[DropReason]| reasons.iter().map(|r| self.dropped(*r)).sum();
        [
            ("ss_received", self.received),
            ("ss_thisver", self.this_version),
            ("ss_oldver", self.old_version),
            (
                "ss_badformat",
                dropped(&[
                    DropReason::SourcePort,
                    DropReason::Malformed,
                    DropReason::MacLength,
                    DropReason::Version,
                    DropReason::Mode,
                    DropReason::AutokeyForm,
                ]),
            ),
            (
                "ss_badauth",
                self.crypto_naks + self.dropped(DropReason::Unproven),
            ),
            (
                "ss_declined",
                dropped(&[
                    DropReason::SourceAddress,
                    DropReason::Stepped,
                    DropReason::NoRoom,
                    DropReason::Unsealed,
                    DropReason::NoHelp,
                    DropReason::AutokeyGroup,
                    DropReason::AutokeyDuplicate,
                ]),
            ),
            (
                "ss_restricted",
                dropped(&[
                    DropReason::Ignored,
                    DropReason::NotQueried,
                    DropReason::NotServed,
                    DropReason::Flaked,
                    DropReason::NotTrusted,
                    DropReason::CryptoNak,
                    DropReason::ToMany,
                ]),
            ),
            (
                "ss_limited",
                self.dropped(DropReason::Limited)
                    + self.dropped(DropReason::ControlRate)
                    + self.dropped(DropReason::AutokeyRate)
                    + self.dropped(DropReason::AutokeyBusy)
                    + self.kod_sent,
            ),
            ("ss_kodsent", self.kod_sent),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_back() {
        let mut word = 0;
        let words = [(); COUNTER_WORDS].map(|()| {
            word += 1;
            word
        });
        let counters = Counters::from_words(words);
        assert_eq!(counters.to_words(), words);
        assert_eq!(counters.autokey(AutokeyOutcome::Parked), word);
        let twice = counters.plus(&counters);
        assert_eq!(twice.to_words(), words.map(|word| 2 * word));
    }
}
