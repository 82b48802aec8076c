//! Statistics files, what the log says, variables for control requests.

use std::collections::{BTreeMap, BTreeSet};

use super::Located;

/// `statistics`, `statsdir`, `filegen`, `logconfig`, `setvar`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Monitoring {
    /// `statsdir`: what the files' names begin with.
    pub stats_dir: Option<Located<String>>,
    /// `statistics`: kinds that are written.
    pub statistics: BTreeSet<StatsKind>,
    /// What `filegen` lines say, a kind each; see [`Monitoring::file_gen`].
    pub file_gens: BTreeMap<StatsKind, FileGen>,
    /// `logconfig`.
    pub log_mask: LogMask,
    /// `setvar`, in order; a name stands once.
    pub variables: Vec<SetVar>,
}

impl Monitoring {
    /// How a kind is written: what its `filegen` lines leave open is the reference's default.
    #[must_use]
    pub fn file_gen(&self, kind: StatsKind) -> FileGen {
        let mut all = self.file_gens.get(&kind).cloned().unwrap_or_default();
        all.file.get_or_insert_with(|| kind.word().to_owned());
        all.period.get_or_insert(FilePeriod::Day);
        all.link.get_or_insert(true);
        all.enabled.get_or_insert(self.statistics.contains(&kind));
        all
    }
}

/// A kind of statistics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StatsKind {
    /// `clockstats`.
    Clock,
    /// `cryptostats`.
    Crypto,
    /// `loopstats`.
    Loop,
    /// `peerstats`.
    Peer,
    /// `protostats`.
    Proto,
    /// `rawstats`.
    Raw,
    /// `sysstats`.
    Sys,
    /// `timingstats`.
    Timing,
    /// `usestats`, of NTPsec.
    Use,
    /// `ntsstats`, of NTPsec.
    Nts,
    /// `ntskestats`, of NTPsec.
    NtsKe,
}

/// The word of each kind in the grammar.
pub(crate) const STATS_KINDS: &[(&str, StatsKind)] = &[
    ("clockstats", StatsKind::Clock),
    ("cryptostats", StatsKind::Crypto),
    ("loopstats", StatsKind::Loop),
    ("peerstats", StatsKind::Peer),
    ("protostats", StatsKind::Proto),
    ("rawstats", StatsKind::Raw),
    ("sysstats", StatsKind::Sys),
    ("timingstats", StatsKind::Timing),
    ("usestats", StatsKind::Use),
    ("ntsstats", StatsKind::Nts),
    ("ntskestats", StatsKind::NtsKe),
];

impl StatsKind {
    /// The kind's word, which is also its file's name where none is said.
    #[must_use]
    pub fn word(self) -> &'static str {
        let own = STATS_KINDS.iter().find(|(_, kind)| *kind == self);
        own.map_or("", |(word, _)| word)
    }
}

/// What `filegen` lines say of a kind; what is absent was not said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileGen {
    /// `file`: name after the `statsdir`.
    pub file: Option<String>,
    /// `type`: when a new file begins.
    pub period: Option<FilePeriod>,
    /// `link` or `nolink`: the plain name is a link to the newest file.
    pub link: Option<bool>,
    /// `enable` or `disable`: whether it is written.
    pub enabled: Option<bool>,
}

/// When a new file begins, which its name tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilePeriod {
    /// `none`: never.
    None,
    /// `pid`: at each start.
    Pid,
    /// `day`: at midnight UTC.
    Day,
    /// `week`: on Monday, at midnight UTC.
    Week,
    /// `month`: on the first of the month.
    Month,
    /// `year`: on the first of January.
    Year,
    /// `age`: every 24 hours of running.
    Age,
}

/// What the log says, by class and kind of event: `logconfig`. All of it by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogMask(u16);

/// Whom a log message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogClass {
    /// `sys`.
    System = 0,
    /// `peer`.
    Peer = 4,
    /// `clock`.
    Clock = 8,
    /// `sync`.
    Sync = 12,
}

/// What a log message tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogEvent {
    /// `info`.
    Info = 0,
    /// `events`.
    Events = 1,
    /// `statistics`.
    Statistics = 2,
    /// `status`.
    Status = 3,
}

impl LogMask {
    /// Nothing.
    pub const NONE: Self = Self(0);

    /// One kind of message.
    #[must_use]
    pub const fn of(class: LogClass, event: LogEvent) -> Self {
        Self(1 << (class as u16 + event as u16))
    }

    /// Whether such a message is to be logged.
    #[must_use]
    pub const fn contains(self, class: LogClass, event: LogEvent) -> bool {
        self.0 & Self::of(class, event).0 != 0
    }

    pub(crate) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl Default for LogMask {
    fn default() -> Self {
        Self(u16::MAX)
    }
}

/// `setvar`: a variable that control requests can read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetVar {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// `default`: told to who asks for all variables.
    pub default: bool,
}
