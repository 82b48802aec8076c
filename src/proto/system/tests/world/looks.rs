//! What the tests look at.
use super::{World, address};
use crate::event::{Event, PeerEvent, SystemEvent};
use crate::status::{AssociationStatus, SystemStatus, Tally};
use core::net::IpAddr;

impl World {
    pub(in crate::system::tests) fn status(&self) -> SystemStatus {
        self.system.status(self.now())
    }

    /// The association with the server at this address.
    pub(in crate::system::tests) fn with(&self, last: u8) -> Option<AssociationStatus> {
        let mut all = self.status().associations.into_iter();
        all.find(|it| it.remote.map(|remote| remote.ip()) == Some(address(last)))
    }

    pub(in crate::system::tests) fn tally(&self, last: u8) -> Option<Tally> {
        self.with(last).map(|it| it.tally)
    }

    /// Last octets of the addresses talked to.
    pub(in crate::system::tests) fn members(&self) -> Vec<u8> {
        let all = self.status().associations.into_iter();
        let all = all.filter(|it| it.kind != 'a');
        let mut members: Vec<u8> = all
            .filter_map(|it| match it.remote?.ip() {
                IpAddr::V4(v4) => Some(v4.octets()[3]),
                IpAddr::V6(_) => None,
            })
            .collect();
        members.sort_unstable();
        members
    }

    pub(in crate::system::tests) fn peer_events(&self, wanted: &PeerEvent) -> usize {
        let is_wanted = |it: &&Event| matches!(it, Event::Peer { what, .. } if what == wanted);
        self.events.iter().filter(is_wanted).count()
    }

    pub(in crate::system::tests) fn system_events(&self, wanted: &SystemEvent) -> usize {
        let is_wanted = |it: &&Event| matches!(it, Event::System(what) if what == wanted);
        self.events.iter().filter(is_wanted).count()
    }
}
