//! Answers of mode 7, put together from their datagrams.
use core::fmt;
use std::io;
use truechimer_wire::private::{
    Implementation, PrivateCode, PrivateError, PrivateItem, PrivateMessage, PrivateRequest,
};

/// Datagrams of an answer, at most: their places have seven bits.
const DATAGRAMS_MAX: usize = 128;
/// Versions of NTP that have mode 7 answers.
const VERSIONS: core::ops::RangeInclusive<u8> = 1..=4;

/// Why there is no answer.
#[derive(Debug)]
pub enum PrivateFailure {
    /// Nothing came.
    Timeout,
    /// Datagrams are missing.
    Incomplete,
    /// The server says no.
    Refused(PrivateError),
    /// The kernel says no while doing this.
    System(&'static str, io::Error),
    /// The operator wants no more.
    Interrupted,
    /// There is no usable key.
    NoKey,
}

impl fmt::Display for PrivateFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout => f.write_str("nothing received"),
            Self::Incomplete => f.write_str("parts of the answer are missing"),
            Self::Refused(error) => write!(f, "refused: {error:?}"),
            Self::System(what, error) => write!(f, "{what}: {error}"),
            Self::Interrupted => f.write_str("interrupted"),
            Self::NoKey => f.write_str("there is no usable key"),
        }
    }
}

impl core::error::Error for PrivateFailure {}

/// The items of a whole answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrivateItems {
    /// Octets of each.
    pub item_len: usize,
    /// All of them.
    pub octets: Vec<u8>,
}

impl PrivateItems {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.octets.len() / self.item_len.max(1)
    }

    /// Read as this kind.
    pub fn read<I: PrivateItem>(&self) -> impl Iterator<Item = I> + use<'_, I> {
        self.octets.chunks_exact(self.item_len.max(1)).map(I::take)
    }
}

/// Whoever can be asked: a daemon, or a recording of one.
pub trait AskPrivately {
    /// Asks once.
    ///
    /// # Errors
    /// When there is no whole and good answer.
    fn ask(
        &mut self,
        request: &PrivateRequest,
        sealed: bool,
    ) -> Result<PrivateItems, PrivateFailure>;
}

/// What a datagram did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrivateProgress {
    /// It is not of this answer, or says nothing new.
    Ignored,
    /// It fits; more is missing.
    Partial,
    /// Nothing is missing any more.
    Complete(PrivateItems),
    /// The server's error instead of an answer.
    Refused(PrivateError),
}

/// An answer that is being put together.
#[derive(Debug)]
pub struct PrivateAssembly {
    implementation: Implementation,
    code: PrivateCode,
    item_len: Option<u16>,
    /// The items of each datagram, by its place.
    parts: Vec<Option<Vec<u8>>>,
    last: Option<u8>,
}

impl PrivateAssembly {
    /// For the answer to one request.
    pub fn new(request: &PrivateRequest) -> Self {
        Self {
            implementation: request.implementation(),
            code: request.code(),
            item_len: None,
            parts: vec![None; DATAGRAMS_MAX],
            last: None,
        }
    }

    /// Whether anything came yet.
    pub const fn is_empty(&self) -> bool {
        self.item_len.is_none()
    }

    /// Takes one datagram.
    pub fn take(&mut self, octets: &[u8]) -> PrivateProgress {
        let Ok(message) = PrivateMessage::new_checked(octets) else {
            return PrivateProgress::Ignored;
        };
        let header = message.header();
        let ours = header.is_response
            && header.is_regular
            && !header.is_authenticated
            && VERSIONS.contains(&header.version)
            && header.implementation == self.implementation
            && header.code == self.code;
        if !ours {
            return PrivateProgress::Ignored;
        }
        if let Some(error) = header.error {
            return PrivateProgress::Refused(error);
        }
        let len = *self.item_len.get_or_insert(header.item_len);
        let second_last = self.last.is_some() && !header.has_more;
        let place = self.parts.get_mut(usize::from(header.sequence));
        let Some(part @ None) = place.filter(|_| len == header.item_len && !second_last) else {
            return PrivateProgress::Ignored;
        };
        *part = Some(message.items().collect::<Vec<_>>().concat());
        if !header.has_more {
            self.last = Some(header.sequence);
        }
        self.outcome()
    }

    fn outcome(&mut self) -> PrivateProgress {
        let Some(last) = self.last else {
            return PrivateProgress::Partial;
        };
        let all = self.parts.get(..=usize::from(last)).unwrap_or_default();
        if all.iter().any(Option::is_none) {
            return PrivateProgress::Partial;
        }
        PrivateProgress::Complete(PrivateItems {
            item_len: self.item_len.unwrap_or(0).into(),
            octets: all.iter().flatten().flatten().copied().collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use truechimer_wire::private::{PeerSummaryItem, PrivateAnswer, PrivateHeader};

    fn datagrams() -> Vec<Vec<u8>> {
        let mut answer = PrivateAnswer::new(Implementation::Current);
        for stratum in 0..20 {
            let item = PeerSummaryItem {
                stratum,
                ..PeerSummaryItem::default()
            };
            answer.push(&item);
        }
        let code = PrivateCode::PeerSummary;
        answer.datagrams(&PrivateHeader::request(Implementation::Current, code))
    }

    fn assembly() -> PrivateAssembly {
        PrivateAssembly::new(&PrivateRequest::plain(
            Implementation::Current,
            PrivateCode::PeerSummary,
        ))
    }

    #[test]
    fn in_any_order_and_twice() {
        let parts = datagrams();
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]] {
            let mut assembly = assembly();
            for (count, place) in order.iter().enumerate() {
                let progress = assembly.take(&parts[*place]);
                if count < 3 {
                    assert_eq!(progress, PrivateProgress::Partial);
                    assert_eq!(assembly.take(&parts[*place]), PrivateProgress::Ignored);
                    continue;
                }
                let PrivateProgress::Complete(items) = progress else {
                    panic!("{progress:?}");
                };
                let strata = items.read::<PeerSummaryItem>().map(|it| it.stratum);
                assert!(strata.eq(0..20));
            }
        }
    }

    #[test]
    fn what_is_not_of_this_answer_is_ignored() {
        let part = datagrams().remove(3);
        for (at, bits) in [
            (0, 7),
            (0, 0x80),
            (0, 0x38),
            (1, 0x80),
            (2, 1),
            (3, 1),
            (6, 0x10),
        ] {
            let mut other = part.clone();
            other[at] ^= bits;
            assert_eq!(
                assembly().take(&other),
                PrivateProgress::Ignored,
                "octet {at}"
            );
        }
        assert_eq!(assembly().take(&part[..7]), PrivateProgress::Ignored);
        let mut refused = part.clone();
        refused[4] |= 0x70;
        let wanted = PrivateProgress::Refused(PrivateError::Permission);
        assert_eq!(assembly().take(&refused), wanted);
        let mut assembly = assembly();
        assert_eq!(assembly.take(&part), PrivateProgress::Partial);
        let mut second = part;
        second[1] = 5;
        assert_eq!(
            assembly.take(&second),
            PrivateProgress::Ignored,
            "a second end"
        );
    }
}
