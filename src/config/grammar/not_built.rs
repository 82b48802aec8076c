//! Words of the ntpd 4.2.8 grammar (up to p18) that are not built yet. Strike a word out when it is.

use crate::settings::RestrictFlags;

/// An option that is not built, and how many words of value follow it.
pub(super) struct NotBuilt {
    pub(super) name: &'static str,
    pub(super) values: usize,
}

const fn flag(name: &'static str) -> NotBuilt {
    NotBuilt { name, values: 0 }
}

const fn valued(name: &'static str) -> NotBuilt {
    NotBuilt { name, values: 1 }
}

pub(super) const DIRECTIVES: &[&str] = &[
    "automax",
    "broadcast",
    "broadcastclient",
    "broadcastdelay",
    "crypto",
    "delrestrict",
    "device",
    "discard",
    "dscp",
    "filegen",
    "ident",
    "keysdir",
    "leapsmearinterval",
    "logconfig",
    "manycastclient",
    "manycastserver",
    "mdnstries",
    "mru",
    "multicastclient",
    "nonvolatile",
    "ntpsigndsocket",
    "peer",
    "phone",
    "pollskewlist",
    "reset",
    "revoke",
    "rlimit",
    "saveconfigdir",
    "setvar",
    "simulate",
    "statistics",
    "statsdir",
    "tick",
    "trap",
    "ttl",
    "unconfig",
    "unpeer",
];

/// Options of `server` and `pool` whose loss leaves the server usable.
pub(super) const ASSOCIATION_OPTIONS: &[NotBuilt] =
    &[valued("ttl"), flag("xleave"), flag("xmtnonce")];

/// Flags of `restrict` that are not enforced. What restricts control messages, traps or passive
/// associations is not among them: there are none, so that nobody has them.
pub(super) const RESTRICT_FLAGS: RestrictFlags = RestrictFlags::LIMITED
    .with(RestrictFlags::KOD)
    .with(RestrictFlags::FLAKE)
    .with(RestrictFlags::MSSNTP)
    .with(RestrictFlags::SERVERRESPONSE_FUZZ);

pub(super) const FUDGE_OPTIONS: &[NotBuilt] = &[valued("abbrev"), valued("minjitter")];

pub(super) const TOS_OPTIONS: &[NotBuilt] = &[
    valued("beacon"),
    valued("orphan"),
    valued("orphanwait"),
    valued("bcpollbstep"),
    valued("basedate"),
];

pub(super) const TINKER_OPTIONS: &[NotBuilt] = &[valued("huffpuff"), valued("tick")];

/// Words of `enable` and `disable` that are not built: what they name is off, so that to disable
/// them is no news.
pub(super) const SYSTEM_FLAGS: &[&str] = &[
    "bclient",
    "calibrate",
    "mode7",
    "monitor",
    "peer_clear_digest_early",
    "stats",
    "unpeer_crypto_early",
    "unpeer_crypto_nak_early",
    "unpeer_digest_early",
];
