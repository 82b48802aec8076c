//! Which keys are used for what. The keys themselves are in a file this room does not read.

use std::ops::RangeInclusive;

use super::Located;

/// `keys`, `trustedkey`, `controlkey`, `requestkey`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Authentication {
    /// The keys file.
    pub keys_file: Option<Located<String>>,
    /// Keys that packets may be authenticated with.
    pub trusted_keys: TrustedKeys,
    /// The key of control requests (mode 6) that change things.
    pub control_key: Option<Located<u16>>,
    /// The key of private requests (mode 7).
    pub request_key: Option<Located<u16>>,
}

/// A set of key identifiers, kept as ranges: `(1 ... 65535)` is one entry.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrustedKeys {
    /// Sorted, disjoint, not adjacent.
    ranges: Vec<RangeInclusive<u16>>,
}

impl TrustedKeys {
    /// Adds all identifiers of a range; an empty range adds none.
    pub fn insert(&mut self, added: RangeInclusive<u16>) {
        if added.is_empty() {
            return;
        }
        let (mut first, mut last) = added.into_inner();
        let from = self
            .ranges
            .partition_point(|r| r.end().saturating_add(1) < first);
        let to = self
            .ranges
            .partition_point(|r| *r.start() <= last.saturating_add(1));
        for overlapped in self.ranges.get(from..to).unwrap_or_default() {
            first = first.min(*overlapped.start());
            last = last.max(*overlapped.end());
        }
        self.ranges.splice(from..to.max(from), [first..=last]);
    }

    /// Removes an identifier.
    pub fn remove(&mut self, key: u16) {
        let Some(at) = self.ranges.iter().position(|range| range.contains(&key)) else {
            return;
        };
        let (first, last) = self.ranges.remove(at).into_inner();
        if key < last {
            self.ranges.insert(at, key + 1..=last);
        }
        if first < key {
            self.ranges.insert(at, first..=key - 1);
        }
    }

    /// Whether a key may be used.
    #[must_use]
    pub fn contains(&self, key: u16) -> bool {
        let after = self.ranges.partition_point(|range| *range.start() <= key);
        after
            .checked_sub(1)
            .and_then(|at| self.ranges.get(at))
            .is_some_and(|r| r.contains(&key))
    }

    /// Whether no key is trusted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The identifiers as ascending ranges that do not touch.
    pub fn ranges(&self) -> impl Iterator<Item = RangeInclusive<u16>> + '_ {
        self.ranges.iter().cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranges_merge_when_they_touch() {
        let mut keys = TrustedKeys::default();
        for range in [5..=5, 1..=2, 9..=12, 3..=4, 65535..=65535, 7..=10] {
            keys.insert(range);
        }
        assert_eq!(
            keys.ranges().collect::<Vec<_>>(),
            [1..=5, 7..=12, 65535..=65535]
        );
        assert!(keys.contains(5) && !keys.contains(6) && keys.contains(65535) && !keys.contains(0));
    }

    proptest! {
        // A saved failure would make a folder beside the crates, where only crates may be.
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn same_as_a_plain_set(ranges in prop::collection::vec((0..60_u16, 0..9_u16), 0..30)) {
            let mut keys = TrustedKeys::default();
            let mut plain = std::collections::BTreeSet::new();
            for (first, length) in ranges {
                keys.insert(first..=first + length);
                plain.extend(first..=first + length);
                keys.remove(first + length / 2);
                plain.remove(&(first + length / 2));
            }
            for key in 0..80 {
                prop_assert_eq!(keys.contains(key), plain.contains(&key));
            }
            let list: Vec<_> = keys.ranges().collect();
            prop_assert!(list.windows(2).all(|w| w[0].end() + 1 < *w[1].start()));
        }
    }
}
