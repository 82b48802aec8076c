//! Telling the operator: events, each with the status word that counts it.
use super::System;
use super::pool::Pool;
use crate::association::Association;
use crate::event::{Coded, Event, PeerEvent, Report, SystemEvent};
use crate::host::Output;
use crate::packet::AssociationId;
use truechimer_wire::{PeerStatusWord, SystemStatusWord};

/// Kinds of source in the system's status word (RFC 9327 §3.1).
const SOURCE_NONE: u8 = 0;
const SOURCE_LOCAL: u8 = 5;
const SOURCE_NTP: u8 = 6;
const SOURCE_OTHER: u8 = 7;

impl Association {
    /// Its status word (RFC 9327 §3.2).
    pub(crate) fn status_word(&self) -> PeerStatusWord {
        PeerStatusWord {
            is_configured: self.role.is_configured(),
            has_key: self.is_keyed(),
            is_authentic: self.authentic,
            is_reachable: self.poll.reach() != 0,
            is_broadcast: self.emitter.is_some(),
            selection: self.tally as u8,
            count: self.events.in_a_row(),
            event: self.events.last(),
        }
    }
}

impl System {
    /// The system's status word (RFC 9327 §3.1).
    pub(crate) fn status_word(&self) -> SystemStatusWord {
        let leader = self.variables.peer;
        let leader = leader.and_then(|id| self.associations.get(&id));
        let source = match leader.map(|it| it.refclock_id()) {
            None => SOURCE_NONE,
            Some(None) => SOURCE_NTP,
            Some(Some(clock)) if clock.is_local() => SOURCE_LOCAL,
            Some(Some(_)) => SOURCE_OTHER,
        };
        SystemStatusWord {
            leap: self.variables.leap,
            source,
            count: self.events.in_a_row(),
            event: self.events.last(),
        }
    }

    /// An association's or a pool's; `None` if there is none of this number.
    pub(super) fn peer_status_word(&self, id: AssociationId) -> Option<PeerStatusWord> {
        let word = self.associations.get(&id).map(Association::status_word);
        word.or_else(|| self.pools.get(&id).map(of_pool))
    }

    pub(super) fn tell_system(&mut self, event: SystemEvent) {
        let coded = event.code().map(|code| {
            let room = self.events.note(code);
            coded(self.status_word().word(), code, room)
        });
        let event = Event::System(event);
        self.outbox.push(Output::Event(Report { event, coded }));
    }

    pub(super) fn tell(&mut self, association: AssociationId, remote: String, what: PeerEvent) {
        let coded = what.code().map(|code| {
            if let Some(association) = self.associations.get_mut(&association) {
                let room = association.events.note(code);
                return coded(association.status_word().word(), code, room);
            }
            // A pool, or a line that came to nothing: there is only this event.
            let template = self.pools.get(&association).map(of_pool);
            let word = PeerStatusWord {
                event: code,
                ..template.unwrap_or_else(of_line)
            };
            coded(word.word(), code, true)
        });
        let event = Event::Peer {
            association,
            remote,
            what,
        };
        self.outbox.push(Output::Event(Report { event, coded }));
    }
}

/// A template lives as long as its line, and nothing happens to it after that began. The reference
/// calls one that asks a group a broadcaster.
fn of_pool(pool: &Pool) -> PeerStatusWord {
    PeerStatusWord {
        has_key: pool.line.key.is_some(),
        is_broadcast: pool.hunt.is_some(),
        ..of_line()
    }
}

fn of_line() -> PeerStatusWord {
    PeerStatusWord {
        is_configured: true,
        count: 1,
        event: PeerEvent::Mobilize.code().unwrap_or_default(),
        ..PeerStatusWord::default()
    }
}

const fn coded(status: u16, code: u8, room: bool) -> Coded {
    Coded {
        status,
        code,
        beyond_count: !room,
    }
}
