//! Sockets on which others than servers are heard: symmetric peers, and whoever sends to many.
use super::ClockThread;
use crate::clerk::Desk;
use crate::clients::{kernels, ours};
use crate::ears::Business;
use truechimer_proto::packet::Received;
use truechimer_sys::clock;

/// Datagrams taken from one such socket in a turn.
const BATCH: usize = 8;

impl ClockThread {
    /// Serves peers' sockets, whose places in the poll set begin at `first`.
    pub(super) fn hear_peers(&mut self, first: usize) {
        let Self {
            system,
            senders,
            serving,
            set,
            buffer,
            ..
        } = self;
        for place in 0..senders.len() {
            let ready = set.readiness(first + place);
            if !ready.readable && !ready.error {
                continue;
            }
            if let Some((arrival, local)) = senders.handle_ready(place, ready, system, buffer) {
                let nobody = Desk {
                    local,
                    unwanted: true,
                    many: None,
                };
                let listener = serving.listeners().at(local);
                let desk = listener.map_or(nobody, |listener| {
                    listener.traffic.note_received(1);
                    listener.desk()
                });
                serving.answer(&arrival, desk, system);
            }
        }
    }

    /// Serves the sockets that hear many, whose places in the poll set begin at `first`.
    pub(super) fn hear_many(&mut self, first: usize) {
        let Self {
            system,
            ears,
            serving,
            set,
            buffer,
            ..
        } = self;
        let mut ignored = 0;
        for (place, ear) in (first..).zip(ears.open()) {
            if !ear.is_ready(set.readiness(place)) {
                continue;
            }
            for _ in 0..BATCH {
                let Ok(received) = ear.socket.receive(buffer) else {
                    break;
                };
                ear.traffic.note_received(1);
                let now = clock::now();
                let business = received.map_or(Business::None, |arrival| {
                    ears.business(ear.wanted.to, arrival.octets)
                });
                let desk = ear.wanted.desk();
                match (received, business) {
                    (Some(arrival), Business::Told) => {
                        let received = Received {
                            octets: arrival.octets,
                            source: arrival.source,
                            via: desk.via(),
                            stamp: arrival.stamp.map_or_else(|| ours(now.wall), kernels),
                        };
                        system.handle_packet(now, &received);
                    }
                    (Some(arrival), Business::Searched) => serving.answer(&arrival, desk, system),
                    _ => ignored += 1,
                }
            }
        }
        ears.ignored += ignored;
    }
}
