//! Associations as items.
use super::super::PeerView;
use super::super::peer_variables::{local, peer_mode, peer_poll};
use super::{fixed, low};
use crate::status::{PacketTest, Tally};
use core::net::SocketAddr;
use truechimer_time::NtpDuration;
use truechimer_wire::private::{
    Native16, Native32, PeerItem, PeerListItem, PeerStatsItem, PeerSummaryItem, peer_flags,
};

/// Stages of the clock filter.
const STAGES: usize = 8;
/// Dispersion of a stage that was never filled, seconds.
const NEVER_FILLED_S: f64 = 16.0;

fn flags(view: &PeerView) -> u16 {
    let leads = matches!(view.status.tally, Tally::SystemPeer | Tally::PpsPeer);
    let all = [
        (view.is_configured, peer_flags::CONFIGURED),
        (leads, peer_flags::SYSTEM_PEER),
        (view.wishes.burst, peer_flags::BURST),
        (view.is_refclock, peer_flags::REFCLOCK),
        (view.wishes.prefer, peer_flags::PREFER),
        (view.has_key, peer_flags::KEYED),
        (view.status.tally == Tally::Candidate, peer_flags::CANDIDATE),
        (leads, peer_flags::SHORTLIST),
        (view.wishes.iburst, peer_flags::IBURST),
    ];
    let set = all.into_iter().filter(|(set, _)| *set);
    set.fold(0, |sum, (_, bit)| sum | bit)
}

/// Those that fit an octet.
fn low_flags(view: &PeerView) -> u8 {
    let [_, low] = flags(view).to_be_bytes();
    low
}

/// A line of `listpeers`.
pub(crate) fn list(view: &PeerView, remote: SocketAddr) -> PeerListItem {
    PeerListItem {
        mode: view.host_mode.to_bits(),
        flags: low_flags(view),
        ..PeerListItem::named(remote.ip().to_canonical(), remote.port())
    }
}

/// A line of `peers`.
pub(crate) fn summary(view: &PeerView, remote: SocketAddr) -> PeerSummaryItem {
    let status = &view.status;
    let mut item = PeerSummaryItem {
        port: remote.port(),
        stratum: status.stratum,
        host_poll: status.host_poll,
        peer_poll: peer_poll(view),
        reach: status.reach,
        flags: low_flags(view),
        mode: view.host_mode.to_bits(),
        delay: fixed(status.delay_s),
        offset: NtpDuration::from_seconds(status.offset_s),
        dispersion: truechimer_time::NtpShort::from_seconds(status.dispersion_s),
        ..PeerSummaryItem::default()
    };
    item.set_addresses(local(view).map(|it| it.ip()), remote.ip().to_canonical());
    item
}

/// All that `showpeer` shows. The transmit stamp stays away: it is a nonce.
pub(crate) fn info(view: &PeerView, remote: SocketAddr) -> PeerItem {
    let status = &view.status;
    let [_, old_flash] = status.flash.to_be_bytes();
    let stage = |place: usize| status.filter.get(place).copied().unwrap_or_default();
    let mut item = PeerItem {
        port: remote.port(),
        flags: low_flags(view),
        leap: status.leap.to_bits(),
        mode: view.host_mode.to_bits(),
        peer_mode: peer_mode(view),
        stratum: status.stratum,
        peer_poll: peer_poll(view),
        host_poll: status.host_poll,
        precision: view.precision,
        version: view.wishes.version,
        reach: status.reach,
        unreach: u8::try_from(status.unreach).unwrap_or(u8::MAX),
        old_flash,
        flash: Native16(status.flash),
        association: status.id.0,
        key: Native32(view.key),
        reference_id: status.reference_id.octets(),
        root_delay: fixed(status.root_delay.to_seconds()),
        root_dispersion: status.root_dispersion,
        reference_time: view.reference_time,
        origin: view.origin,
        arrived: view.arrived,
        filter_delay: core::array::from_fn(|place| fixed(stage(place).1)),
        filter_offset: core::array::from_fn(|place| NtpDuration::from_seconds(stage(place).0)),
        filter_order: order(&status.filter),
        delay: fixed(status.delay_s),
        dispersion: truechimer_time::NtpShort::from_seconds(status.dispersion_s),
        offset: NtpDuration::from_seconds(status.offset_s),
        jitter: truechimer_time::NtpShort::from_seconds(status.jitter_s),
        ..PeerItem::default()
    };
    item.set_addresses(local(view).map(|it| it.ip()), remote.ip().to_canonical());
    item
}

/// The stages by delay, those that were never filled last.
fn order(filter: &[(f64, f64, f64)]) -> [u8; STAGES] {
    let rank = |place: u8| {
        let stage = filter.get(usize::from(place));
        let filled = stage.filter(|(.., dispersion_s)| *dispersion_s < NEVER_FILLED_S);
        filled.map_or(f64::INFINITY, |(_, delay_s, _)| *delay_s)
    };
    let mut order: [u8; STAGES] = [0, 1, 2, 3, 4, 5, 6, 7];
    order.sort_by(|one, other| rank(*one).total_cmp(&rank(*other)));
    order
}

/// All that `pstats` shows.
pub(crate) fn stats(view: &PeerView, remote: SocketAddr) -> PeerStatsItem {
    let status = &view.status;
    let refused = |test: PacketTest| status.refused.get(test as usize).copied().unwrap_or(0);
    let mut item = PeerStatsItem {
        port: remote.port(),
        flags: flags(view),
        reset_s: low(view.up_s),
        heard_s: low(status.when_s.map_or(view.up_s, super::super::whole)),
        next_s: low(view.next_s),
        reachable_s: low(view.reach_changed_s),
        sent: status.sent,
        received: status.received,
        bad_authentication: refused(PacketTest::Authentication),
        bogus: refused(PacketTest::Bogus),
        duplicate: refused(PacketTest::Duplicate),
        bad_dispersion: refused(PacketTest::PeerDistance),
        bad_reference: refused(PacketTest::Header),
        selection: view.selection,
        ..PeerStatsItem::default()
    };
    item.set_addresses(local(view).map(|it| it.ip()), remote.ip().to_canonical());
    item
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_by_delay() {
        let filter = [
            (0.0, 0.3, 0.1),
            (0.0, 0.1, 0.1),
            (0.0, 0.0, 16.0),
            (0.0, 0.2, 0.1),
        ];
        assert_eq!(order(&filter), [1, 3, 0, 2, 4, 5, 6, 7]);
        assert_eq!(order(&[]), [0, 1, 2, 3, 4, 5, 6, 7]);
    }
}
