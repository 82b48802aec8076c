//! Packets that are made the moment they leave, because their receivers take that for T3.
use super::System;
use crate::association::Role;
use crate::host::Departure;
use crate::packet::{Destination, Route, Transmit};
use truechimer_time::Now;

impl System {
    /// What is to be opened and connected before the departure is composed, because our address
    /// there, which the host then tells by `note_local_address`, is part of Autokey's session keys
    /// (RFC 5906 §4). Where that fails, the packet that is composed all the same fails to leave.
    pub fn destination(&self, departure: Departure) -> Option<Destination> {
        let association = self.associations.get(&departure.association)?;
        let line = association.role.line()?;
        if !line.autokey || departure.link.is_some() {
            return None;
        }
        let route = match association.role {
            Role::Peer(_) | Role::Passive(_) => Route::Lasting,
            _ => Route::Fresh,
        };
        let to = association.remote?;
        Some(Destination { to, route })
    }

    /// The packet of a departure, with the moment it leaves; `None` if it has become of no use.
    pub fn compose(&mut self, now: Now, departure: Departure) -> Option<Transmit> {
        if self.ended {
            return None;
        }
        let id = departure.association;
        match (&self.associations.get(&id)?.role, departure.link) {
            (Role::Peer(_) | Role::Passive(_), _) => self.compose_for_peer(now, id),
            (Role::Server(_) | Role::Member { .. } | Role::BroadcastClient(_), None) => {
                self.compose_sealed(id)
            }
            (Role::Broadcast(_), Some(link)) => self.compose_broadcast(now, id, link),
            _ => None,
        }
    }
}
