//! What a configuration says, as plain data. Defaults are those of ntpd 4.2.8.

mod access;
mod association;
mod authentication;
mod refclock;
mod system;

use crate::diagnostic::Span;

pub use access::{
    FLAG_NAMES, Families, ListenAction, ListenRule, ListenTarget, RestrictFlags, RestrictRule,
    RestrictTarget,
};
pub use association::{Association, AssociationKind, AssociationOptions, Family, Host};
pub use authentication::{Authentication, TrustedKeys};
pub use refclock::{Fudge, LOCAL_DRIVER, Refclock};
pub use system::{Files, SystemFlags, Tinker, Tos};

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
    /// `server` and `pool` lines, in order.
    pub associations: Vec<Association>,
    /// `server 127.127.t.u` lines with their `fudge` lines, in order.
    pub refclocks: Vec<Refclock>,
    /// `restrict` lines, in order.
    pub restrictions: Vec<RestrictRule>,
    /// `interface` and `nic` lines, in order: the last one that matches counts.
    pub listen_rules: Vec<ListenRule>,
    /// Keys.
    pub authentication: Authentication,
    /// `tos`: selection and clustering.
    pub tos: Tos,
    /// `tinker`: the clock discipline.
    pub tinker: Tinker,
    /// `enable` and `disable`.
    pub flags: SystemFlags,
    /// Files to read and write.
    pub files: Files,
}
