//! What a request must bring.
use truechimer_wire::private::{
    AddressItem, ClockAddress, Fudge, Implementation, PeerChange, PeerListItem, PrivateCode,
    PrivateItem, RestrictChange, SystemFlags, TrapChange,
};

/// What a request must bring.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Requirements {
    /// The request key's MAC.
    pub(crate) key: bool,
    /// Lengths that its items may have, octets.
    lens: &'static [usize],
    /// Lengths without what is about IPv6.
    old_lens: &'static [usize],
    /// Items, at most.
    pub(crate) items: u16,
}

const NOTHING: &[usize] = &[0];
const PEERS: Requirements = Requirements {
    key: false,
    lens: &[PeerListItem::LEN, PeerListItem::OLD_LEN],
    old_lens: &[PeerListItem::OLD_LEN],
    items: MANY,
};
const PLAIN: Requirements = Requirements {
    key: false,
    lens: NOTHING,
    old_lens: NOTHING,
    items: 0,
};
/// As many as a datagram can hold.
const MANY: u16 = u16::MAX;

const fn keyed(lens: &'static [usize], old_lens: &'static [usize], items: u16) -> Requirements {
    Requirements {
        key: true,
        lens,
        old_lens,
        items,
    }
}

impl Requirements {
    /// Those of a request; `None` where it is not answered here. The lists of recent clients are
    /// among these: they are what made mode 7 the amplifier of its day (CVE-2013-5211).
    pub(crate) const fn of(code: PrivateCode) -> Option<Self> {
        const KEY: &[usize] = &[4, 8];
        const FLAGS: &[usize] = &[SystemFlags::LEN];
        const ADDRESS: (&[usize], &[usize]) = (
            &[AddressItem::LEN, AddressItem::OLD_LEN],
            &[AddressItem::OLD_LEN],
        );
        const RULE: (&[usize], &[usize]) = (
            &[
                RestrictChange::LEN,
                RestrictChange::MIDDLE_LENS[1],
                RestrictChange::OLD_LENS[1],
            ],
            &[
                RestrictChange::OLD_LEN,
                RestrictChange::MIDDLE_LENS[0],
                RestrictChange::OLD_LENS[0],
            ],
        );
        const PEER: (&[usize], &[usize]) = (
            &[PeerChange::LEN, PeerChange::OLDEST_LEN],
            &[PeerChange::OLD_LEN, PeerChange::OLDEST_LEN],
        );
        const TRAP: (&[usize], &[usize]) = (
            &[TrapChange::LEN, TrapChange::OLD_LEN],
            &[TrapChange::OLD_LEN],
        );
        Some(match code {
            PrivateCode::PeerList
            | PrivateCode::PeerSummary
            | PrivateCode::SystemInfo
            | PrivateCode::SystemStats
            | PrivateCode::IoStats
            | PrivateCode::MemoryStats
            | PrivateCode::LoopInfo
            | PrivateCode::TimerStats
            | PrivateCode::RestrictList
            | PrivateCode::Authentication
            | PrivateCode::Traps
            | PrivateCode::ControlStats
            | PrivateCode::Kernel => PLAIN,
            PrivateCode::PeerInfo | PrivateCode::PeerStats => PEERS,
            PrivateCode::ClockInfo | PrivateCode::ClockBug => Self {
                lens: &[ClockAddress::LEN],
                old_lens: &[ClockAddress::LEN],
                ..PEERS
            },
            PrivateCode::InterfaceStats | PrivateCode::ReadKeys => keyed(NOTHING, NOTHING, 0),
            PrivateCode::AddPeer => keyed(PEER.0, PEER.1, MANY),
            PrivateCode::RemovePeer => keyed(ADDRESS.0, ADDRESS.1, MANY),
            PrivateCode::SetFlags | PrivateCode::ClearFlags => keyed(FLAGS, FLAGS, 1),
            PrivateCode::AddRestriction
            | PrivateCode::RemoveRestriction
            | PrivateCode::DeleteRule => keyed(RULE.0, RULE.1, MANY),
            PrivateCode::TrustKey | PrivateCode::DistrustKey => keyed(KEY, KEY, MANY),
            PrivateCode::RequestKey | PrivateCode::ControlKey => keyed(KEY, KEY, 1),
            PrivateCode::AddTrap | PrivateCode::ClearTrap => keyed(TRAP.0, TRAP.1, 1),
            PrivateCode::SetFudge => keyed(&[Fudge::LEN], &[Fudge::LEN], MANY),
            PrivateCode::Monitor
            | PrivateCode::MonitorDetails
            | PrivateCode::ResetStats
            | PrivateCode::ResetPeer
            | PrivateCode::RescanInterfaces
            | PrivateCode::Other(_) => return None,
        })
    }

    /// Whether items of this length are what this request brings.
    pub(crate) fn fit(&self, implementation: Implementation, len: u16, items: u16) -> bool {
        let lens = match implementation {
            Implementation::Old => self.old_lens,
            _ => self.lens,
        };
        lens.contains(&usize::from(len))
            && items <= self.items
            && (items > 0 || !self.key || lens == NOTHING)
    }
}
