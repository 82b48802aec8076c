//! Symmetric peers that speak Autokey: our key lists for them, and what they are answered.
use super::super::System;
use super::Purpose;
use super::association::DanceOf;
use super::jobs::Owed;
use crate::association::{Blocked, Role};
use crate::autokey::dance::{Message, Trouble, WordOfMessage};
use crate::autokey::job::{Done, Failure, Task};
use crate::autokey::key_list::Lifetime;
use crate::autokey::service::Answer;
use crate::packet::AssociationId;
use std::collections::BTreeMap;
use truechimer_time::Now;
use truechimer_wire::AutokeyCode;

/// How long an answer waits for more to be said, seconds (the reference's RESP_DELAY).
const ANSWER_AFTER_S: f64 = 2.0;

impl System {
    /// Has the end of a new key list signed, if one is wanted; true if its signature is waited for.
    pub(super) fn prepare_list(&mut self, now: Now, id: AssociationId) -> bool {
        let synchronized = self.is_synchronized();
        let (Some(host), Some(association)) = (&self.autokey, self.associations.get_mut(&id))
        else {
            return false;
        };
        let signed_at = host.signed_at();
        let poll = u8::try_from(association.poll.host_poll()).unwrap_or(0);
        let automax = host.automax();
        // Before the first packet our address is not known: that has a key of no list.
        let ends = association.ends();
        let Some((ends, autokey)) = ends.zip(association.autokey.as_mut()) else {
            return false;
        };
        if autokey.ours.is_waiting() {
            return true;
        }
        if signed_at == 0 || !synchronized || !autokey.ours.wants_list() {
            return false;
        }
        let lifetime = Some(Lifetime { automax, poll });
        let list = autokey.ours.take_outdated().or_else(|| {
            autokey.make_list(ends, lifetime, self.authenticator.as_mut(), &mut self.rng)
        });
        let Some(list) = list else {
            return false;
        };
        let task = Task::Sign {
            timestamp: now.wall.seconds(),
            values: vec![(signed_at, autokey.ours.begin(list).value)],
        };
        let of = DanceOf::new(id, autokey.turn);
        if self.ask_crypto(now, Purpose::PeerList(of), task) {
            return true;
        }
        self.peer_list_done(now, of, &Done::Failed(Failure::Busy));
        false
    }

    /// Takes what came of the signature of a list's end.
    pub(super) fn peer_list_done(&mut self, now: Now, of: DanceOf, done: &Done) {
        let Some(autokey) = self.autokey_of(of) else {
            return;
        };
        let end = match done {
            Done::Signed(signed) => signed.first().cloned(),
            _ => None,
        };
        let is_done = end.is_some();
        autokey.ours.finish(end);
        if is_done {
            self.release(now, of.association());
        } else {
            self.put_off(of.association());
        }
    }

    /// Answers what a peer asks: with its next packet, which leaves soon.
    pub(super) fn answer_peer(
        &mut self,
        now: Now,
        id: AssociationId,
        to: WordOfMessage,
        asked: &Message,
    ) {
        let now_s = self.is_synchronized().then(|| now.wall.seconds());
        let (Some(host), Some(association)) = (&self.autokey, self.associations.get_mut(&id))
        else {
            return;
        };
        let local = association.local;
        let Some((local, autokey)) = local.zip(association.autokey.as_mut()) else {
            return;
        };
        // One at a time; what finds us at it is asked again.
        if autokey.ours.answering || autokey.ours.answer.is_some() {
            return;
        }
        let mut answer = Message {
            is_response: true,
            is_error: false,
            code: asked.code,
            association: asked.association,
            body: None,
        };
        match asked.code {
            AutokeyCode::Association => {
                answer.association = autokey.dance.id();
                answer.body = Some(host.own(now_s.is_some()).introduction());
            }
            AutokeyCode::Autokey => answer.body = autokey.ours.end().cloned(),
            _ => {
                let service = host.service(BTreeMap::new());
                let cookie = autokey.dance.host_cookie;
                match service.answer(&asked.as_wire(), now_s, Some(cookie), local) {
                    Answer::Ready(body) => answer.body = Some(body.into()),
                    Answer::Nothing => {}
                    Answer::Error => answer.is_error = true,
                    Answer::Ask(wanted) => {
                        let by = autokey.dance.signer();
                        if let Some(task) = wanted.task_for_peer(by) {
                            let field = asked.body.as_ref().map_or(&[][..], |it| &it.value);
                            self.make_answer(now, id, Owed { to, answer }, task, field);
                            return;
                        }
                    }
                }
            }
        }
        autokey.ours.answer = Some(answer);
        self.answer_soon(now, id);
    }

    /// Has an answer made by a holder of keys, if who asks did not ask too often.
    fn make_answer(&mut self, now: Now, id: AssociationId, owed: Owed, task: Task, field: &[u8]) {
        let (Some(host), Some(association)) = (&self.autokey, self.associations.get_mut(&id))
        else {
            return;
        };
        let Some((remote, autokey)) = association.remote.zip(association.autokey.as_mut()) else {
            return;
        };
        let (bounds, remote) = (host.bounds(), remote.ip());
        let under_way = if matches!(association.role, Role::Passive(_)) {
            match bounds.admit(remote, field, now.mono) {
                Ok(under_way) => Some(under_way),
                Err(_) => return,
            }
        } else if bounds.admits_peer(remote, now.mono) {
            None
        } else {
            return;
        };
        autokey.ours.answering = true;
        let of = DanceOf::new(id, autokey.turn);
        let purpose = Purpose::PeerAnswer(of, owed, under_way);
        if !self.ask_crypto(now, purpose, task)
            && let Some(autokey) = self.autokey_of(of)
        {
            autokey.ours.answering = false;
        }
    }

    /// Takes what came of a job for an answer.
    pub(super) fn peer_answer_done(&mut self, now: Now, of: DanceOf, owed: Owed, done: Done) {
        let Owed { to, mut answer } = owed;
        let Some(autokey) = self.autokey_of(of) else {
            return;
        };
        autokey.ours.answering = false;
        match done {
            Done::Value(value) | Done::Certified { value, .. } => answer.body = Some(value),
            Done::Failed(Failure::Busy) => return,
            // Whoever can alter packets would have the peer begin anew by an error.
            Done::Failed(failure) if answer.code == AutokeyCode::Cookie => {
                let trouble = Trouble { of: to, failure };
                self.write_crypto(now, Some(of.association()), trouble.to_string());
                return;
            }
            _ => answer.is_error = true,
        }
        autokey.ours.answer = Some(answer);
        self.answer_soon(now, of.association());
    }

    fn answer_soon(&mut self, now: Now, id: AssociationId) {
        let Some(association) = self.associations.get_mut(&id) else {
            return;
        };
        if let Some(autokey) = &mut association.autokey {
            autokey.ours.due = Some(now.mono.plus_seconds(ANSWER_AFTER_S));
        }
    }

    /// Sends an answer that is due by itself: nobody is polled. False if none is.
    pub(in super::super) fn run_answer(&mut self, now: Now, id: AssociationId) -> bool {
        let Some(association) = self.associations.get_mut(&id) else {
            return false;
        };
        let polls = association.poll.next().is_some_and(|next| next <= now.mono);
        let answers = association.answer_due().is_some_and(|due| due <= now.mono);
        if polls || !answers {
            return false;
        }
        if let Some(autokey) = &mut association.autokey {
            autokey.ours.due = None;
        }
        self.send_request(id, now);
        true
    }

    /// What a peer does not know yet of our key list, where nothing else is to be said.
    pub(super) fn push_list(&mut self, id: AssociationId) {
        let association = self.associations.get_mut(&id);
        let Some(autokey) = association.and_then(|it| it.autokey.as_mut()) else {
            return;
        };
        let idle = autokey.request.is_none() && autokey.ours.answer.is_none();
        if idle
            && autokey.blocked == Blocked::No
            && autokey.dance.is_proventic()
            && let Some(end) = autokey.ours.take_news()
        {
            autokey.ours.answer = Some(Message {
                is_response: true,
                is_error: false,
                code: AutokeyCode::Autokey,
                association: autokey.dance.peer_id(),
                body: Some(end),
            });
        }
    }
}
