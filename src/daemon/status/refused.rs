//! What a daemon refused of the packets that nobody asked for, by reason.
use core::fmt;
use serde::Serialize;
use std::collections::BTreeMap;

/// How many by reason; reasons that nothing was refused for are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(super) struct Refused(BTreeMap<String, u64>);

impl Refused {
    /// From the daemon's variable: `3 no_mac, 1 replayed`, or `none`.
    pub(super) fn of(text: &str) -> Self {
        let counts = text.split(", ").filter_map(|each| {
            let (count, reason) = each.split_once(' ')?;
            Some((reason.to_owned(), count.parse().ok()?))
        });
        Self(counts.collect())
    }

    /// Whether nothing was refused.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// As `3 no_mac, 1 replayed`.
impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (reason, count)) in self.0.iter().enumerate() {
            let between = if at == 0 { "" } else { ", " };
            write!(f, "{between}{count} {reason}")?;
        }
        Ok(())
    }
}
