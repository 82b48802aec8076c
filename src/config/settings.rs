//! What a configuration says, as plain data. Defaults are those of ntpd 4.2.8.

mod access;
mod association;
mod authentication;
mod autokey;
mod machine;
mod monitoring;
mod rates;
mod refclock;
mod system;

use crate::diagnostic::Span;
use std::collections::BTreeMap;

pub use access::{
    FLAG_NAMES, Families, ListenAction, ListenRule, ListenTarget, RestrictFlags, RestrictRule,
    RestrictTarget,
};
pub use association::{Association, AssociationKind, AssociationOptions, Family, Host};
pub use authentication::{Authentication, TrustedKeys};
pub use autokey::{Autokey, LegacyFile, Secret};
pub use machine::{
    Broadcasting, CounterSet, Engine, EngineName, HardwareStamping, Machine, PollSkew,
    ResourceLimits, StampFilter, Trap,
};
pub(crate) use monitoring::STATS_KINDS;
pub use monitoring::{
    FileGen, FilePeriod, LogClass, LogEvent, LogMask, Monitoring, SetVar, StatsKind,
};
pub use rates::{Discard, Mru, MruSize};
pub use refclock::{Device, Fudge, LOCAL_DRIVER, Refclock};
pub use system::{BaseDate, Files, SystemFlags, Tinker, Tos};

/// A value and the place that set it, so that a later complaint can point there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it was set.
    pub span: Span,
}

/// A whole configuration.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settings {
    /// `server`, `pool`, `peer`, `broadcast` and `manycastclient` lines, in order.
    pub associations: Vec<Association>,
    /// `server 127.127.t.u` lines with their `fudge` lines, in order.
    pub refclocks: Vec<Refclock>,
    /// `restrict` lines, in order.
    pub restrictions: Vec<RestrictRule>,
    /// `interface` and `nic` lines, in order: the last one that matches counts.
    pub listen_rules: Vec<ListenRule>,
    /// Keys.
    pub authentication: Authentication,
    /// Autokey.
    pub autokey: Autokey,
    /// `tos`: selection and clustering.
    pub tos: Tos,
    /// `tinker`: the clock discipline.
    pub tinker: Tinker,
    /// `enable` and `disable`.
    pub flags: SystemFlags,
    /// Files to read and write.
    pub files: Files,
    /// `discard`: rate limits.
    pub discard: Discard,
    /// `mru`: the table of recent clients.
    pub mru: Mru,
    /// Statistics, the log and variables for control requests.
    pub monitoring: Monitoring,
    /// Broadcast, multicast and manycast.
    pub broadcasting: Broadcasting,
    /// What concerns this host.
    pub machine: Machine,
    /// Where words of `tos` and `tinker` were last set, under `tos WORD` and `tinker WORD`,
    /// `broadcastclient`, and `mode7`, under `enable mode7`.
    pub places: BTreeMap<String, Span>,
}

impl Settings {
    /// Those whose time is asked for by a line each: `server` and `pool`.
    pub fn asked(&self) -> impl Iterator<Item = &Association> {
        let asked =
            |it: &&Association| matches!(it.kind, AssociationKind::Server | AssociationKind::Pool);
        self.associations.iter().filter(asked)
    }

    /// The keys that something uses, each with the place that says so: of associations first, then
    /// those of control requests.
    pub fn used_keys(&self) -> impl Iterator<Item = (u16, &Span)> {
        let associations = self.associations.iter();
        let associations = associations.filter_map(|it| Some((it.options.key?, &it.span)));
        let authentication = &self.authentication;
        let remote = [&authentication.control_key, &authentication.request_key];
        let remote = remote.into_iter().flatten();
        associations.chain(remote.map(|key| (key.value, &key.span)))
    }
}
