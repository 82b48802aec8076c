//! What the clock thread has done by holders of keys.
use super::ClockThread;
use crate::errands::{Errands, Finished};
use crossbeam_channel::Receiver;
use truechimer_proto::autokey::job::{Class, CryptoJob, Done, Failure, JobId};
use truechimer_proto::autokey::pool_counts::PoolCounts;
use truechimer_sys::clock;

/// Outcomes taken a turn, so that no flood of requests keeps the clock waiting.
const TAKEN_A_TURN: usize = 64;

/// The way there and back.
pub(super) struct OutForKeys {
    errands: Errands,
    finished: Receiver<Finished>,
}

impl OutForKeys {
    pub(super) fn new((errands, finished): (Errands, Receiver<Finished>)) -> Self {
        Self { errands, finished }
    }
}

impl ClockThread {
    /// Has a job done. Where that cannot be, nobody has the time, and the protocol tries again.
    pub(super) fn have_done(&mut self, id: JobId, class: Class, job: CryptoJob) {
        let sent = self.crypto.as_ref();
        if sent.is_some_and(|crypto| crypto.errands.send_own(id, class, job)) {
            self.serving.note_sent_out();
        } else {
            let busy = Done::Failed(Failure::Busy);
            self.system.handle_crypto_done(clock::now(), id, busy);
        }
    }

    /// Takes what came of jobs.
    pub(super) fn hear_crypto(&mut self) {
        let Some(crypto) = &self.crypto else {
            return;
        };
        for finished in crypto.finished.try_iter().take(TAKEN_A_TURN) {
            self.serving.note_come_back();
            match finished {
                Finished::Own(id, done) => self.system.handle_crypto_done(clock::now(), id, done),
                Finished::Asked(parked, done) => {
                    self.serving.finish(&parked, &done, &self.system);
                }
            }
        }
        self.hurry |= !crypto.finished.is_empty();
    }

    /// What became of all jobs so far, where there is somebody who does them.
    pub(super) fn crypto_counts(&self) -> Option<PoolCounts> {
        Some(self.crypto.as_ref()?.errands.counts())
    }

    /// Whether somebody works for this thread who cannot wake it.
    pub(super) const fn waits_for_keys(&self) -> bool {
        self.serving.roster().is_none() && self.serving.is_out()
    }
}
