//! Requests that came to a group (manycast, RFC 5905 §3.1): which are answered, and who needs no help.
use super::DropReason;
use crate::authentication::Authenticator;
use crate::packet::{Received, Via};
use crate::snapshot::Snapshot;
use core::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use truechimer_time::leap::LeapIndicator;
use truechimer_wire::{Header, Mode, ReferenceId};

/// What a request that names no stratum is taken to have.
const STRATUM_UNSPECIFIED: u8 = 16;

/// `manycastserver`: where clients that look for servers are answered, and whom of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manycast {
    groups: Arc<[IpAddr]>,
    cohort: bool,
}

impl Manycast {
    /// Answers in these groups; with `cohort` (`tos cohort`) also those who are as near to the root
    /// as our own server.
    pub fn new(groups: impl IntoIterator<Item = IpAddr>, cohort: bool) -> Self {
        Self {
            groups: groups.into_iter().collect(),
            cohort,
        }
    }

    /// Whether clients are answered in this group.
    pub fn answers_in(&self, group: IpAddr) -> bool {
        self.groups.contains(&group)
    }
}

/// Where and how a request that came to many came in.
#[derive(Clone, Copy, Debug)]
pub(super) struct ToMany<'a> {
    local: SocketAddr,
    rules: &'a Manycast,
}

/// Whether a datagram came to many, and what of it may be answered at all: clients of our groups.
/// Nobody else gets a word, for one packet to a net must not call forth one from each of its hosts.
///
/// # Errors
/// Why it gets no reply.
pub(super) fn admit<'a>(
    received: &Received<'_>,
    mode: Mode,
    rules: Option<&'a Manycast>,
) -> Result<Option<ToMany<'a>>, DropReason> {
    let Via::Many { to, local, .. } = received.via else {
        return Ok(None);
    };
    let rules = rules.filter(|it| it.answers_in(to));
    match (mode, rules) {
        (Mode::Client, Some(rules)) if received.source.ip() != local.ip() => {
            Ok(Some(ToMany { local, rules }))
        }
        // Our own request came back.
        (Mode::Client, Some(_)) => Err(DropReason::NoHelp),
        (Mode::Client, None) => Err(DropReason::ToMany),
        // What is told to many is no request.
        (Mode::Broadcast, _) => Ok(None),
        _ => Err(DropReason::Mode),
    }
}

impl ToMany<'_> {
    /// Whether we are of use to whoever asks: we know the time, are not farther from the root, and
    /// do not have it from us already (the reference's rule).
    pub(super) fn can_help(
        &self,
        asked: &Header,
        snapshot: &Snapshot,
        authenticator: &mut dyn Authenticator,
    ) -> bool {
        let known = snapshot.leap != LeapIndicator::NotSynchronized
            && (1..STRATUM_UNSPECIFIED).contains(&snapshot.stratum);
        let asker = match asked.stratum {
            0 => STRATUM_UNSPECIFIED,
            stratum => stratum.min(STRATUM_UNSPECIFIED),
        };
        let farthest = if self.rules.cohort { asker + 1 } else { asker };
        known && snapshot.stratum <= farthest && !self.is_followed(asked, authenticator)
    }

    /// Whether the asker says that it follows us. A minimised request says nothing.
    fn is_followed(&self, asked: &Header, authenticator: &mut dyn Authenticator) -> bool {
        let said = asked.reference_id.octets();
        if said == [0; 4] {
            return false;
        }
        let ours = match self.local.ip() {
            IpAddr::V4(v4) => Some(v4.octets()),
            IpAddr::V6(v6) => authenticator.reference_id_of(v6),
        };
        ours.map(ReferenceId::from_octets) == Some(asked.reference_id)
    }
}
