//! Who may take part in the selection: the peer tests (RFC 5905 §11.2, figure 17's `fit()`).
use crate::association::Association;
use crate::config::Tos;
use crate::packet::AssociationId;
use crate::status::PacketTest;
use core::net::IpAddr;
use truechimer_time::Instant;
use truechimer_time::leap::LeapIndicator;
use truechimer_wire::ReferenceId;

/// A source as the selection sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) id: AssociationId,
    /// Source minus us.
    pub(crate) offset_s: f64,
    /// How long ago the offset was measured.
    pub(crate) age_s: f64,
    /// Root distance, half the width of its correctness interval.
    pub(crate) distance_s: f64,
    pub(crate) jitter_s: f64,
    pub(crate) stratum: u8,
    pub(crate) leap: LeapIndicator,
    pub(crate) prefer: bool,
    pub(crate) always_true: bool,
    /// A reference clock, whose word on leap seconds counts for all.
    pub(crate) refclock: bool,
}

/// What the tests measure by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Yardstick<'a> {
    pub(crate) now: Instant,
    pub(crate) phi_s_per_s: f64,
    pub(crate) tos: &'a Tos,
    pub(crate) own: &'a [OwnAddress],
}

/// An address of this host and the reference identifier that servers synchronized to it show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OwnAddress {
    pub(crate) address: IpAddr,
    pub(crate) reference_id: ReferenceId,
}

/// Who follows this stratum would be of stratum 16, which is none.
const STRATUM_LAST: u8 = 15;

/// Flash bits of the tests this source fails; none if it is fit to be a candidate. (`tos cohort`
/// concerns only whom a manycast server answers, in the reference too.)
pub(crate) fn unfit(association: &Association, by: &Yardstick<'_>) -> u16 {
    let peer = &association.peer;
    let refclock = association.refclock_id().is_some();
    let mut failed = 0;
    // A reference clock claims stratum 0, which no floor is meant to exclude.
    let above_floor = refclock || peer.stratum >= by.tos.floor;
    if peer.leap == LeapIndicator::NotSynchronized
        || !above_floor
        || peer.stratum >= by.tos.ceiling.min(STRATUM_LAST)
    {
        failed |= PacketTest::PeerStratum.bit();
    }
    let poll_s = f64::from(association.poll.host_poll()).exp2();
    let distance_s = association.root_distance_s(by.now, by.phi_s_per_s, by.tos.mindist_s);
    let within = distance_s < by.tos.maxdist_s + by.phi_s_per_s * poll_s;
    if !refclock && !within {
        failed |= PacketTest::PeerDistance.bit();
    }
    if peer.stratum > 1 && loops(association, by.own) {
        failed |= PacketTest::PeerLoop.bit();
    }
    if association.poll.reach() == 0 || association.options.noselect {
        failed |= PacketTest::PeerUnreachable.bit();
    }
    failed
}

/// Whether it gets its time from us. Our loopback address says so only of who is reached through it:
/// every orphan calls its own clock 127.0.0.1.
fn loops(association: &Association, own: &[OwnAddress]) -> bool {
    let Some(remote) = association.remote else {
        return false;
    };
    if association.refclock_id().is_some() {
        return false;
    }
    own.iter().any(|it| {
        it.reference_id == association.peer.reference_id
            && (!it.address.is_loopback() || remote.ip().is_loopback())
    })
}

/// The source as a candidate; `None` if its numbers are none.
pub(crate) fn candidate(association: &Association, by: &Yardstick<'_>) -> Option<Candidate> {
    let offset_s = association.filter.offset_s();
    let distance_s = association.root_distance_s(by.now, by.phi_s_per_s, by.tos.mindist_s);
    let jitter_s = association.filter.jitter_s();
    let finite = offset_s.is_finite() && distance_s.is_finite() && jitter_s.is_finite();
    finite.then_some(Candidate {
        id: association.id,
        offset_s,
        age_s: association.filter.age_s(by.now),
        distance_s,
        jitter_s,
        stratum: association.peer.stratum,
        leap: association.peer.leap,
        prefer: association.options.prefer,
        always_true: association.options.always_true,
        refclock: association.refclock_id().is_some(),
    })
}
