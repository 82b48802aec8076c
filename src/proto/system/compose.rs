//! Packets that are made the moment they leave, because their receivers take that for T3.
use super::System;
use crate::association::Role;
use crate::host::Departure;
use crate::packet::Transmit;
use truechimer_time::Now;

impl System {
    /// The packet of a departure, with the moment it leaves; `None` if it has become of no use.
    pub fn compose(&mut self, now: Now, departure: Departure) -> Option<Transmit> {
        if self.ended {
            return None;
        }
        let id = departure.association;
        match (&self.associations.get(&id)?.role, departure.link) {
            (Role::Peer(_) | Role::Passive(_), _) => self.compose_for_peer(now, id),
            (Role::Broadcast(_), Some(link)) => self.compose_broadcast(now, id, link),
            _ => None,
        }
    }
}
