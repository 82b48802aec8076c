//! Jobs under way: bounded, each with whom it is for.
use super::association::DanceOf;
use super::broadcast::ListOf;
use super::host::Signing;
use crate::autokey::dance::{Message, WordOfMessage};
use crate::autokey::job::{Class, JobId};
use crate::server::UnderWay;
use core::time::Duration;
use std::collections::BTreeMap;
use truechimer_time::Instant;

/// Jobs under way at once.
const AT_MOST: usize = 256;
/// When a job is given up. The slowest takes a second on a small device; queues are bounded.
const LOST_AFTER: Duration = Duration::from_secs(60);

/// Whom the outcome of a job is for.
#[derive(Debug)]
pub(in super::super) enum Purpose {
    /// The host: what it hands out is signed.
    Signatures(Signing),
    /// A broadcast server: the end of its next key list is signed.
    KeyList(ListOf),
    /// An association.
    Dance(DanceOf),
    /// A symmetric peer: the end of our key list for it is signed.
    PeerList(DanceOf),
    /// A symmetric peer: what it asked is answered so. One that nobody configured takes of what
    /// strangers may cost.
    PeerAnswer(DanceOf, Owed, Option<UnderWay>),
}

/// An answer that is being made.
#[derive(Debug)]
pub(in super::super) struct Owed {
    /// What is answered.
    pub(super) to: WordOfMessage,
    /// The answer, without what comes of the job.
    pub(super) answer: Message,
}

impl Purpose {
    /// Whose job it is.
    pub(super) const fn class(&self) -> Class {
        match self {
            Self::PeerAnswer(_, _, Some(_)) => Class::Asked,
            Self::Signatures(_)
            | Self::KeyList(_)
            | Self::Dance(_)
            | Self::PeerList(_)
            | Self::PeerAnswer(_, _, None) => Class::Own,
        }
    }
}

/// The jobs under way.
#[derive(Debug, Default)]
pub(in super::super) struct Jobs {
    last: u64,
    under_way: BTreeMap<JobId, (Instant, Purpose)>,
}

impl Jobs {
    /// A new job; `None` if there are as many as may be.
    pub(super) fn begin(&mut self, now: Instant, purpose: Purpose) -> Option<JobId> {
        if self.under_way.len() >= AT_MOST {
            return None;
        }
        self.last += 1;
        let id = JobId(self.last);
        self.under_way.insert(id, (now, purpose));
        Some(id)
    }

    /// Whom a job was for; `None` if it was given up.
    pub(super) fn end(&mut self, id: JobId) -> Option<Purpose> {
        Some(self.under_way.remove(&id)?.1)
    }

    /// When the oldest job is given up.
    pub(super) fn next(&self) -> Option<Instant> {
        let (_, (begun, _)) = self.under_way.first_key_value()?;
        Some(begun.plus(LOST_AFTER))
    }

    /// A job that takes too long, so that what waits for it may be tried again.
    pub(super) fn take_lost(&mut self, now: Instant) -> Option<Purpose> {
        let (id, (begun, _)) = self.under_way.first_key_value()?;
        let id = *id;
        (begun.plus(LOST_AFTER) <= now)
            .then(|| self.end(id))
            .flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::AssociationId;
    use crate::server::Bounds;

    #[test]
    fn no_more_than_may_be_and_none_for_ever() {
        let mut jobs = Jobs::default();
        let start = Instant::from_nanoseconds(0);
        let purpose = || Purpose::Signatures(Signing::default());
        let begun = (0..1000).filter_map(|_| jobs.begin(start, purpose()));
        let ids: Vec<JobId> = begun.collect();
        assert_eq!(ids.len(), AT_MOST);
        assert!(jobs.end(ids[3]).is_some());
        assert!(jobs.end(ids[3]).is_none(), "once");
        assert!(jobs.take_lost(start.plus_seconds(59.0)).is_none());
        let later = start.plus_seconds(60.0);
        let lost = core::iter::from_fn(|| jobs.take_lost(later)).count();
        assert_eq!(lost, AT_MOST - 1);
        assert!(jobs.begin(later, purpose()).is_some());
    }

    #[test]
    fn what_a_stranger_of_a_peer_asks_is_not_done_before_our_own() {
        let answer = || Owed {
            to: WordOfMessage::default(),
            answer: Message {
                is_response: true,
                is_error: false,
                code: truechimer_wire::AutokeyCode::Cookie,
                association: 1,
                body: None,
            },
        };
        let of = DanceOf::new(AssociationId(7), 0);
        let configured = Purpose::PeerAnswer(of, answer(), None);
        assert_eq!(configured.class(), Class::Own);
        let bounds = Bounds::new([1; 16]);
        let admit = || bounds.admit([10, 0, 0, 1].into(), b"field", Instant::default());
        let stranger = Purpose::PeerAnswer(of, answer(), admit().ok());
        assert_eq!(stranger.class(), Class::Asked);
        assert!(admit().is_err(), "the same, while it is done");
        drop(stranger);
        assert!(admit().is_ok());
    }
}
