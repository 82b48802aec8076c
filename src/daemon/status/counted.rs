//! What a daemon counted, by name.
use core::fmt;
use serde::Serialize;
use std::collections::BTreeMap;

/// How many by name; names that nothing was counted for are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(super) struct Counted(BTreeMap<String, u64>);

impl Counted {
    /// From the daemon's variable: `3 no_mac, 1 replayed`, or `none`.
    pub(super) fn of(text: &str) -> Self {
        let counts = text.split(", ").filter_map(|each| {
            let (count, name) = each.split_once(' ')?;
            Some((name.to_owned(), count.parse().ok()?))
        });
        Self(counts.collect())
    }

    /// Whether nothing was counted.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// As `3 no_mac, 1 replayed`.
impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (name, count)) in self.0.iter().enumerate() {
            let between = if at == 0 { "" } else { ", " };
            write!(f, "{between}{count} {name}")?;
        }
        Ok(())
    }
}
