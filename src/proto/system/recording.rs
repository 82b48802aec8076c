//! What is recorded for statistics files, as far as the configuration wants it.
use super::System;
use crate::host::Output;
use crate::packet::AssociationId;
use crate::statistics::{Measured, RawRecord, Record};
use truechimer_time::Now;

impl System {
    pub(super) fn record_loop(&mut self, now: Now, offset_s: f64) {
        if !self.config.recording.loops {
            return;
        }
        let measured = Measured::Loop {
            offset_s,
            freq_ppm: self.discipline.frequency_ppm(),
            jitter_s: self.discipline.jitter_s(),
            wander_ppm: self.discipline.wander_ppm(),
            time_constant: self.discipline.time_constant(),
        };
        self.record(now, measured);
    }

    pub(super) fn record_peer(&mut self, now: Now, id: AssociationId) {
        if !self.config.recording.peers {
            return;
        }
        let Some(association) = self.associations.get(&id) else {
            return;
        };
        let Some(remote) = association.remote else {
            return;
        };
        let filter = &association.filter;
        let measured = Measured::Peer {
            remote: remote.ip(),
            status: association.status_word().word(),
            offset_s: filter.offset_s(),
            delay_s: filter.delay_s(),
            dispersion_s: filter.dispersion_s(),
            jitter_s: filter.jitter_s(),
        };
        self.record(now, measured);
    }

    pub(super) fn record_exchange(&mut self, now: Now, raw: Option<RawRecord>) {
        if let Some(raw) = raw.filter(|_| self.config.recording.raw) {
            self.record(now, Measured::Raw(raw));
        }
    }

    pub(super) fn record_crypto(&mut self, now: Now, measured: Measured) {
        if self.config.recording.crypto {
            self.record(now, measured);
        }
    }

    fn record(&mut self, now: Now, measured: Measured) {
        let at = now.wall;
        self.outbox.push(Output::Record(Record { at, measured }));
    }
}
