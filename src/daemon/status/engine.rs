//! How a daemon's server threads receive.
use super::variables::Variables;
use core::fmt;
use serde::Serialize;

/// What is asked for; daemons of before do not know these.
pub(super) const NAMES: &str =
    "engine,engine_reason,ring_starved,ring_cutshort,ring_failed,ring_cancelled";

/// The engine, and how often it had to begin receiving again, by cause.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Engine {
    name: String,
    reason: String,
    starved: Option<u64>,
    cut_short: Option<u64>,
    failed: Option<u64>,
    cancelled: Option<u64>,
}

impl Engine {
    pub(super) fn of(variables: &Variables) -> Option<Self> {
        let count = |name: &str| variables.text(name)?.parse().ok();
        Some(Self {
            name: variables.text("engine")?.to_owned(),
            reason: variables.text("engine_reason")?.to_owned(),
            starved: count("ring_starved"),
            cut_short: count("ring_cutshort"),
            failed: count("ring_failed"),
            cancelled: count("ring_cancelled"),
        })
    }
}

/// As `uring: io_uring can be had`.
impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.reason)?;
        let all = [self.starved, self.cut_short, self.failed, self.cancelled];
        match all.into_iter().flatten().sum() {
            0_u64 => Ok(()),
            again => write!(f, "; began to receive again {again} times"),
        }
    }
}
