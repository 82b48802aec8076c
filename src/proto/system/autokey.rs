//! Autokey as far as it concerns the system: the host's own values, and jobs for holders of keys.
mod association;
mod broadcast;
mod host;
mod jobs;
mod listener;
mod peer;
mod search;
mod settings;
mod trouble;

pub(super) use host::Host;
pub(super) use jobs::{Jobs, Purpose};

use super::System;
use crate::autokey::job::{CryptoJob, Done, Failure, JobId, Task};
use crate::event::SystemEvent;
use crate::host::Output;
use truechimer_time::{Instant, Now};

impl System {
    /// Has something done that only a holder of keys can do. False if there is no Autokey, or too much
    /// of that is under way.
    pub(super) fn ask_crypto(&mut self, now: Now, purpose: Purpose, task: Task) -> bool {
        let Some(host) = &self.autokey else {
            return false;
        };
        let generation = host.generation();
        let class = purpose.class();
        let Some(id) = self.jobs.begin(now.mono, purpose) else {
            return false;
        };
        let job = CryptoJob { generation, task };
        self.outbox.push(Output::Crypto(id, class, job));
        true
    }

    /// Takes what came of `Output::Crypto`.
    pub fn handle_crypto_done(&mut self, now: Now, id: JobId, done: Done) {
        if self.ended {
            return;
        }
        if let Some(purpose) = self.jobs.end(id) {
            self.crypto_done(now, purpose, done);
        }
        self.pump(now);
        self.publish();
    }

    fn crypto_done(&mut self, now: Now, purpose: Purpose, done: Done) {
        match purpose {
            Purpose::KeyList(of) => self.key_list_done(of, done),
            Purpose::Signatures(signing) => {
                let host = self.autokey.as_mut();
                let told = host.and_then(|it| it.take_signatures(now, &signing, done));
                if let Some(text) = told {
                    self.write_crypto(now, None, text);
                }
                self.hasten_signatures(now);
            }
            Purpose::Dance(of) => self.dance_done(now, of, done),
            Purpose::PeerList(of) => self.peer_list_done(now, of, &done),
            Purpose::PeerAnswer(of, owed, _) => self.peer_answer_done(now, of, owed, done),
        }
    }

    /// When something of Autokey wants its turn.
    pub(super) fn autokey_due(&self) -> Option<Instant> {
        let retry = self.autokey.as_ref().and_then(|it| it.next());
        retry.into_iter().chain(self.jobs.next()).min()
    }

    /// Gives up jobs that nobody finishes, has signed what is to be signed, and tells server threads
    /// what they answer from.
    pub(super) fn run_autokey(&mut self, now: Now) {
        while let Some(purpose) = self.jobs.take_lost(now.mono) {
            self.crypto_done(now, purpose, Done::Failed(Failure::Busy));
        }
        let leap = self.leap_value();
        let synchronized = self.is_synchronized();
        let Some(host) = &mut self.autokey else {
            return;
        };
        let namesakes = host.take_namesakes(now);
        host.note_leap(leap);
        if let Some((signing, task)) = host.begin_signing(now, synchronized)
            && !self.ask_crypto(now, Purpose::Signatures(signing), task)
            && let Some(host) = &mut self.autokey
        {
            host.put_off(now);
        }
        self.tell_service(false);
        if let Some(namesakes) = namesakes {
            self.write_crypto(now, None, namesakes.to_string());
            self.tell_system(SystemEvent::Namesakes(namesakes));
        }
    }

    /// Tells server threads what they answer from, if that changed or if this is `news` of key lists.
    fn tell_service(&mut self, news: bool) {
        let is_untold = self.autokey.as_mut().is_some_and(|it| it.take_untold());
        if !is_untold && !news {
            return;
        }
        let lists = self.list_ends();
        if let Some(host) = &self.autokey {
            self.outbox.push(Output::Autokey(Some(host.service(lists))));
        }
    }
}
