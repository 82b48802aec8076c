//! The reference's numbers of events, and how status words count them (RFC 9327 §3.1, §3.2).
use super::{Event, PeerEvent, SystemEvent};
use core::fmt;

/// Most events of one kind in a row that a status word can count.
const IN_A_ROW_MAX: u8 = 15;
/// Numbers of events there are in a status word.
const KINDS: usize = 16;
/// Marks an event of an association beside its number, where both kinds of events are listed.
const PEER_FLAG: u8 = 0x80;

/// What happened so far, by number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventCounts {
    last: u8,
    in_a_row: u8,
    totals: [u32; KINDS],
}

impl EventCounts {
    /// Counts an event; tells whether a status word can still count one of its kind.
    pub(crate) fn note(&mut self, code: u8) -> bool {
        if self.last != code {
            self.last = code;
            self.in_a_row = 0;
        }
        if let Some(total) = self.totals.get_mut(usize::from(code)) {
            *total = total.saturating_add(1);
        }
        let room = self.in_a_row < IN_A_ROW_MAX;
        self.in_a_row += u8::from(room);
        room
    }

    /// Who may reset them has seen the events in a row.
    pub(crate) const fn acknowledge(&mut self) {
        self.in_a_row = 0;
    }

    /// Number of the last event, 0 if there was none.
    pub const fn last(&self) -> u8 {
        self.last
    }

    /// How often the last event came in a row, at most 15.
    pub const fn in_a_row(&self) -> u8 {
        self.in_a_row
    }

    /// Number and how often it happened since the start, of each event that did.
    pub fn totals(&self) -> impl Iterator<Item = (u8, u32)> {
        let numbered = (0..).zip(self.totals);
        numbered.filter(|(_, total)| *total > 0)
    }
}

/// The reference's word for a system event of this number (RFC 9327 appendix B.2).
pub const fn system_event_word(code: u8) -> &'static str {
    const WORDS: [&str; KINDS] = [
        "unspecified",
        "freq_not_set",
        "freq_set",
        "spike_detect",
        "freq_mode",
        "clock_sync",
        "restart",
        "panic_stop",
        "no_sys_peer",
        "leap_armed",
        "leap_disarmed",
        "leap_event",
        "clock_step",
        "kern",
        "TAI",
        "stale_leapsecond_values",
    ];
    WORDS[(code & 0xF) as usize]
}

/// An event as it is to be told: with the status word of its subject, which counts it already.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// What happened.
    pub event: Event,
    /// Status word and number; `None` of what the reference has no number for.
    pub coded: Option<Coded>,
}

/// How the reference numbers an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coded {
    /// Status word of the system or the association, this event included.
    pub status: u16,
    /// Number of the event, 0..=15.
    pub code: u8,
    /// More of the kind came in a row than the word can count: the reference tells no more of
    /// them until something else happens.
    pub beyond_count: bool,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (subject, flag) = match &self.event {
            Event::System(_) => ("0.0.0.0", 0),
            Event::Peer { remote, .. } => (remote.as_str(), PEER_FLAG),
        };
        match (self.coded, &self.event) {
            (None, Event::System(_)) => {}
            (None, Event::Peer { .. }) => write!(f, "{subject} ")?,
            (Some(Coded { status, code, .. }), _) => {
                write!(f, "{subject} {status:04x} {:02x} ", code | flag)?;
            }
        }
        match &self.event {
            Event::System(what) => what.fmt(f),
            Event::Peer {
                association, what, ..
            } => {
                what.fmt(f)?;
                match what {
                    PeerEvent::Mobilize | PeerEvent::Demobilize => {
                        write!(f, " assoc {}", association.0)
                    }
                    _ => Ok(()),
                }
            }
        }
    }
}

impl PeerEvent {
    /// The reference's number (RFC 9327 appendix B.3), of those it has one for.
    pub const fn code(&self) -> Option<u8> {
        Some(match self {
            Self::Mobilize => 1,
            Self::Demobilize => 2,
            Self::Unreachable => 3,
            Self::Reachable => 4,
            Self::Restart | Self::CryptoRestart(_) => 5,
            Self::NoReply => 6,
            Self::RateExceeded(_) => 7,
            Self::AccessDenied(_) => 8,
            Self::LeapArmed => 9,
            Self::SystemPeer => 10,
            Self::BadAuthentication { .. } | Self::BadSession(_) | Self::CryptoTrouble(_) => 12,
            Self::Popcorn(_) => 13,
            Self::Refused(_)
            | Self::Restricted
            | Self::Untrusted
            | Self::Keyless
            | Self::NoInterface
            | Self::PathUnknown
            | Self::Proventic(_)
            | Self::OneKeyTwice(_)
            | Self::IdentityMissing(_)
            | Self::Unagreed => return None,
        })
    }
}

impl SystemEvent {
    /// The reference's number (RFC 9327 appendix B.2), of those it has one for; alarms of ours
    /// that belong into its lists are its number 0, unspecified.
    pub const fn code(&self) -> Option<u8> {
        Some(match self {
            Self::FrequencyNotSet => 1,
            Self::FrequencySet(_) => 2,
            Self::SpikeDetect(_) => 3,
            Self::FrequencyMode => 4,
            Self::ClockSync => 5,
            Self::Restart => 6,
            Self::PanicStop(_) => 7,
            Self::NoSystemPeer => 8,
            Self::LeapArmed(_) => 9,
            Self::LeapDisarmed => 10,
            Self::LeapEvent(_) => 11,
            Self::ClockStep(_) | Self::ForeignStep(_) | Self::Slept(_) => 12,
            Self::Kernel(_) => 13,
            Self::TaiOffset(_) => 14,
            Self::StaleLeapTable { .. } => 15,
            Self::FrequencyLimit(_) | Self::FrequencyJump(_) | Self::WanderJump(_) => 0,
            Self::NameNotResolved(_)
            | Self::StrangeDatagram(_)
            | Self::OrphanParent(_)
            | Self::Unsolicited(..)
            | Self::Namesakes(_) => {
                return None;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::AssociationId;

    #[test]
    fn a_kind_in_a_row_is_counted_to_fifteen() {
        let mut counts = EventCounts::default();
        let said = (0..20).filter(|_| counts.note(12)).count();
        assert_eq!((said, counts.in_a_row(), counts.last()), (15, 15, 12));
        assert!(counts.note(5) && counts.note(12));
        assert_eq!(counts.in_a_row(), 1);
        let totals: Vec<(u8, u32)> = counts.totals().collect();
        assert_eq!(totals, [(5, 1), (12, 21)]);
        assert_eq!(system_event_word(12), "clock_step");
    }

    #[test]
    fn lines_are_the_references() {
        let told = |event, status, code| {
            let coded = Some(Coded {
                status,
                code,
                beyond_count: false,
            });
            Report { event, coded }.to_string()
        };
        let peer = |what: PeerEvent| Event::Peer {
            association: AssociationId(53876),
            remote: "10.98.0.1".to_owned(),
            what,
        };
        let step = Event::System(SystemEvent::ClockStep(0.123_456));
        assert_eq!(
            told(step, 0xC61C, 12),
            "0.0.0.0 c61c 0c clock_step +0.123456 s"
        );
        assert_eq!(
            told(peer(PeerEvent::Mobilize), 0x8011, 1),
            "10.98.0.1 8011 81 mobilize assoc 53876"
        );
        assert_eq!(
            told(peer(PeerEvent::SystemPeer), 0x901A, 10),
            "10.98.0.1 901a 8a sys_peer"
        );
        let plain = Report {
            event: peer(PeerEvent::Restricted),
            coded: None,
        };
        assert!(plain.to_string().starts_with("10.98.0.1 not used: "));
    }
}
