//! `-q`: the clock is set once; who cannot be set by anybody says so and ends.
use super::System;
use super::lookup::Lookup;
use crate::association::Association;
use crate::host::Exit;
use crate::packet::AssociationId;
use truechimer_time::Now;

impl System {
    /// Under `-q` every server gets a burst, asked for or not.
    pub(super) fn ask_once(&self, association: &mut Association) {
        if self.config.steering.one_shot {
            association.poll.ask_once();
        }
    }

    /// Ends if every server was asked in vain. The LOCAL clock cannot set the clock it reads.
    pub(super) fn end_if_hopeless(&mut self, now: Now) {
        if self.ended || !self.config.steering.one_shot {
            return;
        }
        let mut associations = self.associations.values();
        let asked =
            associations.all(|it| it.is_local() || it.emitter.is_some() || self.was_asked(it));
        let filled = self.pools.keys().all(|id| self.is_used_up(now, *id));
        // Who has nobody to ask waits for those who tell unasked.
        let waits = self.servers() + self.pools.len() == 0 && self.config.listening.hears_any();
        if asked && filled && !waits {
            self.end(Exit::NoServers);
        }
    }

    fn was_asked(&self, association: &Association) -> bool {
        if association.remote.is_some() {
            return association.due().is_none();
        }
        // Without an address: none is known, or others use them all.
        let lookup = self.lookups.get(&association.id);
        lookup.is_none_or(|it| it.is_hopeless() || !it.known().is_empty())
    }

    fn is_used_up(&self, now: Now, pool: AssociationId) -> bool {
        if let Some(hunt) = self.pools.get(&pool).and_then(|it| it.hunt.as_ref()) {
            let has_other = self.wants_more(now, pool) && self.unused_address(now, pool).is_some();
            return hunt.is_exhausted() && !has_other;
        }
        let hopeless = self.lookups.get(&pool).is_none_or(Lookup::is_hopeless);
        let known = self.lookups.get(&pool).map(Lookup::known);
        let tried = known.is_some_and(|known| !known.is_empty())
            && !(self.wants_more(now, pool) && self.unused_address(now, pool).is_some());
        hopeless || tried
    }
}
