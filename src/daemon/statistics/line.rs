//! Records as lines: fields and formats of ntpd 4.2.8p15, which monitoring scripts split at blanks.
use super::set::Kind;
use core::net::{IpAddr, Ipv4Addr};
use truechimer_proto::event::Report;
use truechimer_proto::statistics::{Measured, RawRecord, Record};
use truechimer_time::NtpTimestamp;

/// Times are taken to be within 68 years of 2026-01-01.
const PIVOT_UNIX_S: i64 = 1_767_225_600;
/// Modified Julian day of 1970-01-01.
const MJD_1970: i64 = 40_587;

/// Something to be written.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// A measurement.
    Record(Record),
    /// An event with its status word, and when it was told.
    Event(NtpTimestamp, Report),
    /// What was counted up to this moment.
    Counts(NtpTimestamp, SystemCounts),
}

/// Datagrams since the counts were last written, by the reference's names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SystemCounts {
    /// How long that was, seconds.
    pub since_s: u64,
    /// All that came.
    pub received: u64,
    /// Answers taken from servers of ours.
    pub processed: u64,
    /// Of version 4.
    pub this_version: u64,
    /// Of versions 1 to 3.
    pub old_version: u64,
    /// Refused by access rules.
    pub restricted: u64,
    /// Too short, too long or malformed, of no mode or version there is.
    pub bad_length: u64,
    /// With a wrong MAC.
    pub bad_auth: u64,
    /// Of no use: its address, the clock stepped meanwhile.
    pub declined: u64,
    /// Too many from one address.
    pub limited: u64,
    /// Kisses sent.
    pub kisses: u64,
}

impl SystemCounts {
    /// What came on top of `before`, within so many seconds.
    #[must_use]
    pub fn since(&self, before: &Self, since_s: u64) -> Self {
        let grown = |of: fn(&Self) -> u64| of(self).saturating_sub(of(before));
        Self {
            since_s,
            received: grown(|it| it.received),
            processed: grown(|it| it.processed),
            this_version: grown(|it| it.this_version),
            old_version: grown(|it| it.old_version),
            restricted: grown(|it| it.restricted),
            bad_length: grown(|it| it.bad_length),
            bad_auth: grown(|it| it.bad_auth),
            declined: grown(|it| it.declined),
            limited: grown(|it| it.limited),
            kisses: grown(|it| it.kisses),
        }
    }
}

impl Entry {
    /// Which files it belongs in; `None` of events that have no number in the reference or are
    /// past its count.
    pub fn kind(&self) -> Option<Kind> {
        match self {
            Self::Record(record) => Some(match record.measured {
                Measured::Loop { .. } => Kind::Loop,
                Measured::Peer { .. } => Kind::Peer,
                Measured::Raw(_) => Kind::Raw,
                Measured::Crypto { .. } => Kind::Crypto,
            }),
            Self::Event(_, report) => {
                let coded = report.coded.filter(|coded| !coded.beyond_count);
                coded.map(|_| Kind::Proto)
            }
            Self::Counts(..) => Some(Kind::Sys),
        }
    }

    /// Unix time of it, seconds.
    pub const fn unix_s(&self) -> i64 {
        self.at().to_unix(PIVOT_UNIX_S).0
    }

    const fn at(&self) -> NtpTimestamp {
        match self {
            Self::Record(record) => record.at,
            Self::Event(at, _) | Self::Counts(at, _) => *at,
        }
    }

    /// The line, its end included.
    pub fn line(&self) -> String {
        let when = when(self.at());
        match self {
            Self::Record(record) => match &record.measured {
                Measured::Raw(raw) => format!("{when} {}\n", raw_fields(raw)),
                Measured::Crypto { remote, text } => {
                    let remote = remote.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
                    format!("{when} {remote} {}\n", one_line(text))
                }
                Measured::Loop {
                    offset_s,
                    freq_ppm,
                    jitter_s,
                    wander_ppm,
                    time_constant,
                } => format!(
                    "{when} {offset_s:.9} {freq_ppm:.3} {jitter_s:.9} {wander_ppm:.6} {time_constant}\n"
                ),
                Measured::Peer {
                    remote,
                    status,
                    offset_s,
                    delay_s,
                    dispersion_s,
                    jitter_s,
                } => format!(
                    "{when} {remote} {status:x} {offset_s:.9} {delay_s:.9} {dispersion_s:.9} {jitter_s:.9}\n"
                ),
            },
            Self::Event(_, report) => format!("{when} {report}\n"),
            Self::Counts(_, it) => format!(
                "{when} {} {} {} {} {} {} {} {} {} {} {}\n",
                it.since_s,
                it.received,
                it.processed,
                it.this_version,
                it.old_version,
                it.restricted,
                it.bad_length,
                it.bad_auth,
                it.declined,
                it.limited,
                it.kisses,
            ),
        }
    }
}

/// Modified Julian day and seconds past midnight UTC; cut, not rounded, so that no day has 86400.
fn when(at: NtpTimestamp) -> String {
    let (unix_s, nanoseconds) = at.to_unix(PIVOT_UNIX_S);
    let day = unix_s.div_euclid(86_400) + MJD_1970;
    let second = unix_s.rem_euclid(86_400);
    format!("{day} {second}.{:03}", nanoseconds / 1_000_000)
}

/// Names come from other hosts' certificates: none may begin a line of its own.
fn one_line(text: &str) -> String {
    text.replace(|letter: char| letter.is_control(), "?")
}

fn raw_fields(raw: &RawRecord) -> String {
    let local = raw
        .local
        .map_or_else(|| "-".to_owned(), |local| local.to_string());
    format!(
        "{} {local} {} {} {} {} {} {} {} {} {} {} {:.6} {:.6} {}",
        raw.remote,
        seconds(raw.origin),
        seconds(raw.receive),
        seconds(raw.transmit),
        seconds(raw.destination),
        raw.leap.to_bits(),
        raw.version,
        raw.mode,
        raw.stratum,
        raw.poll,
        raw.precision,
        raw.root_delay_s,
        raw.root_dispersion_s,
        reference(raw),
    )
}

/// Letters between dots of a primary source, four numbers of all others, kisses among them.
fn reference(raw: &RawRecord) -> String {
    if raw.stratum <= 1 {
        return raw.reference_id.display(raw.stratum).to_string();
    }
    Ipv4Addr::from(raw.reference_id.octets()).to_string()
}

/// Seconds of the era, to the nanosecond.
fn seconds(at: NtpTimestamp) -> String {
    let fraction = at.to_bits() & 0xFFFF_FFFF;
    let nanoseconds = (fraction * 1_000_000_000 + (1 << 31)) >> 32;
    let carry = nanoseconds / 1_000_000_000;
    let whole = u64::from(at.seconds()) + carry;
    format!("{whole}.{:09}", nanoseconds % 1_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use truechimer_proto::event::{Coded, Event, SystemEvent};
    use truechimer_time::leap::LeapIndicator;
    use truechimer_wire::ReferenceId;

    /// 2026-11-24 18:16:03.056.
    fn at() -> NtpTimestamp {
        NtpTimestamp::from_unix(1_795_544_163, 56_123_456)
    }

    fn record(measured: Measured) -> Entry {
        Entry::Record(Record { at: at(), measured })
    }

    #[test]
    fn loop_and_peer_lines() {
        let entry = record(Measured::Loop {
            offset_s: -0.000_001_234_4,
            freq_ppm: -17.123_45,
            jitter_s: 0.000_000_06,
            wander_ppm: 0.001_234_5,
            time_constant: 6,
        });
        assert_eq!(entry.kind(), Some(Kind::Loop));
        assert_eq!(
            entry.line(),
            "61368 65763.056 -0.000001234 -17.123 0.000000060 0.001234 6\n"
        );
        let entry = record(Measured::Peer {
            remote: "fd98::1".parse().expect("an address"),
            status: 0x961A,
            offset_s: 0.000_004_158,
            delay_s: 0.000_018_128,
            dispersion_s: 7.937_5,
            jitter_s: 0.000_001_547,
        });
        assert_eq!(
            entry.line(),
            "61368 65763.056 fd98::1 961a 0.000004158 0.000018128 7.937500000 0.000001547\n"
        );
    }

    #[test]
    fn raw_lines_of_every_stratum() {
        let raw = RawRecord {
            remote: IpAddr::V4(Ipv4Addr::new(10, 98, 0, 1)),
            local: None,
            origin: NtpTimestamp::from_bits(4_004_532_963 << 32 | 0xFFFF_FFFF),
            receive: NtpTimestamp::from_bits(4_004_532_963 << 32 | 0x8000_0000),
            transmit: at(),
            destination: at(),
            leap: LeapIndicator::NotSynchronized,
            version: 4,
            mode: 4,
            stratum: 16,
            poll: 3,
            precision: -24,
            root_delay_s: 0.0,
            root_dispersion_s: 0.000_305_2,
            reference_id: ReferenceId::from_letters("INIT"),
        };
        let line = |raw| record(Measured::Raw(raw)).line();
        assert_eq!(
            line(raw),
            "61368 65763.056 10.98.0.1 - 4004532964.000000000 4004532963.500000000 \
             4004532963.056123456 4004532963.056123456 3 4 4 16 3 -24 0.000000 0.000305 \
             73.78.73.84\n"
        );
        let primary = RawRecord {
            stratum: 1,
            local: Some(IpAddr::V4(Ipv4Addr::new(10, 98, 0, 2))),
            reference_id: ReferenceId::from_letters("GPS"),
            ..raw
        };
        let line = line(primary);
        assert!(
            line.ends_with(" 3 4 4 1 3 -24 0.000000 0.000305 .GPS.\n"),
            "{line}"
        );
        assert!(line.contains(" 10.98.0.1 10.98.0.2 "));
    }

    #[test]
    fn counts_have_thirteen_fields() {
        let counts = SystemCounts {
            since_s: 3600,
            received: 10,
            kisses: 3,
            ..SystemCounts::default()
        };
        let line = Entry::Counts(at(), counts).line();
        assert_eq!(line, "61368 65763.056 3600 10 0 0 0 0 0 0 0 0 3\n");
        assert_eq!(line.split_whitespace().count(), 13);
    }

    #[test]
    fn events_are_written_as_far_as_the_reference_counts_them() {
        let told = |coded| {
            let event = Event::System(SystemEvent::ClockSync);
            Entry::Event(at(), Report { event, coded })
        };
        let mut coded = Coded {
            status: 0xC615,
            code: 5,
            beyond_count: false,
        };
        let entry = told(Some(coded));
        assert_eq!(entry.kind(), Some(Kind::Proto));
        assert_eq!(entry.line(), "61368 65763.056 0.0.0.0 c615 05 clock_sync\n");
        coded.beyond_count = true;
        assert_eq!(told(Some(coded)).kind(), None);
        assert_eq!(told(None).kind(), None);
    }

    #[test]
    fn days_go_on_in_the_next_era_and_have_no_second_too_many() {
        let last = NtpTimestamp::from_unix(1_795_564_799, 999_999_999);
        assert_eq!(when(last), "61368 86399.999");
        let next_era = NtpTimestamp::from_unix(2_085_978_500, 0);
        assert_eq!(when(next_era), "64730 23300.000");
    }
}
