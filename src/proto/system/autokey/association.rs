//! Autokey's associations as far as the system has a part in them: jobs, what is written down, and
//! when one begins anew.
use super::super::System;
use super::super::leap::unix_s_near;
use super::Purpose;
use crate::association::{Association, Autokey, Blocked, Role, Spoken};
use crate::autokey::certificates::CertificateFlags;
use crate::autokey::dance::{Effect, Manner, Step, Trouble};
use crate::autokey::job::{Done, Failure, Task};
use crate::event::{CryptoRestart, GroupName, PeerEvent};
use crate::packet::{AssociationId, Transmit};
use crate::statistics::Measured;
use rand_chacha::rand_core::RngCore;
use truechimer_time::Now;
use truechimer_time::leap::LeapIndicator;

/// TAI-UTC that is believed, seconds: what it was in 1972, and more than will be in two centuries.
const TAI_UTC_S: core::ops::RangeInclusive<i32> = 10..=100;

/// Whose outcome a job is: of an association, as it was then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct DanceOf {
    association: AssociationId,
    turn: u32,
}

impl DanceOf {
    pub(super) const fn new(association: AssociationId, turn: u32) -> Self {
        Self { association, turn }
    }

    pub(super) const fn association(self) -> AssociationId {
        self.association
    }
}

impl System {
    /// What an association has of Autokey, if it did not begin anew since.
    pub(super) fn autokey_of(&mut self, of: DanceOf) -> Option<&mut Autokey> {
        let association = self.associations.get_mut(&of.association)?;
        let autokey = association.autokey.as_deref_mut();
        autokey.filter(|it| it.turn == of.turn)
    }

    /// Gives a new association what it needs of Autokey, if its line asks for it.
    pub(in super::super) fn equip(&mut self, now: Now, association: &mut Association) {
        let Some(line) = association.role.line().filter(|it| it.autokey) else {
            return;
        };
        let manner = match association.role {
            Role::Peer(_) | Role::Passive(_) => Manner::Symmetric,
            Role::BroadcastClient(_) => Manner::Listener,
            Role::Server(_) | Role::Member { .. } => Manner::Client,
            Role::Broadcast(_) | Role::Refclock(_) => return,
        };
        let of_all = || self.config.autokey.as_ref()?.ident.clone();
        let ident = line.ident.clone();
        let ident = if association.role.is_configured() {
            ident
        } else {
            ident.or_else(of_all)
        };
        let random = self.rng.next_u32();
        let autokey = Autokey::new(manner, association.id, ident, now.mono, random);
        association.autokey = Some(Box::new(autokey));
    }

    /// Whether who is not configured has to prove the group that `ident` names.
    pub(in super::super) fn demands_group(&self) -> bool {
        let host = self.config.autokey.as_ref();
        host.is_some_and(|it| it.ident.is_some())
    }

    /// Decides what the next packet carries; false if there is to be none now.
    pub(in super::super) fn prepare_autokey(&mut self, now: Now, id: AssociationId) -> bool {
        let synchronized = self.is_synchronized();
        let (Some(association), Some(host)) = (self.associations.get_mut(&id), &self.autokey)
        else {
            return false;
        };
        let is_symmetric = association.is_symmetric();
        let is_peer_synchronized = association.peer.leap != LeapIndicator::NotSynchronized;
        let Some(autokey) = &mut association.autokey else {
            return true;
        };
        if autokey.is_stalled() {
            autokey.restart(now.mono, self.rng.next_u32());
        }
        let step = autokey
            .dance
            .next(&host.own(synchronized), is_peer_synchronized);
        (autokey.request, autokey.blocked) = match step {
            Step::Ask(message) => (Some(message), Blocked::No),
            Step::Plain => (None, Blocked::No),
            Step::Prepare(task) => {
                autokey.blocked = Blocked::Job;
                self.perform(now, id, task);
                return false;
            }
            Step::Wait => (None, Blocked::Job),
            Step::Stuck(_) => (None, Blocked::Stuck),
        };
        let is_stuck = autokey.blocked == Blocked::Stuck;
        let tells = is_stuck && !core::mem::replace(&mut autokey.told_stuck, is_stuck);
        let goes = autokey.blocked == Blocked::No;
        if tells {
            let ident = GroupName::new(autokey.dance.ident().unwrap_or_default());
            let remote = association.shown_remote();
            self.tell(id, remote, PeerEvent::IdentityMissing(ident));
        }
        if goes && is_symmetric {
            return self.prepare_for_peer(now, id);
        }
        goes
    }

    /// Whether a packet can go to a peer, which may have to wait for a list of keys.
    fn prepare_for_peer(&mut self, now: Now, id: AssociationId) -> bool {
        if self.prepare_list(now, id) {
            if let Some(association) = self.associations.get_mut(&id)
                && let Some(autokey) = &mut association.autokey
            {
                autokey.blocked = Blocked::Job;
            }
            return false;
        }
        self.push_list(id);
        true
    }

    /// The packet that was decided on.
    pub(in super::super) fn compose_sealed(&mut self, id: AssociationId) -> Option<Transmit> {
        let sequence = self.next_sequence;
        let association = self.associations.get_mut(&id)?;
        self.next_sequence += 1;
        association.request_sealed(sequence, self.authenticator.as_mut(), &mut self.rng)
    }

    /// Takes what an authentic packet said of Autokey.
    pub(in super::super) fn hear_spoken(&mut self, now: Now, id: AssociationId, said: &Spoken) {
        let synchronized = self.is_synchronized();
        let (Some(host), Some(association)) = (&self.autokey, self.associations.get_mut(&id))
        else {
            return;
        };
        let asked = said.message.as_ref().filter(|it| !it.is_response);
        let asked = asked.filter(|_| association.is_symmetric()).cloned();
        let Some(autokey) = &mut association.autokey else {
            return;
        };
        let own = host.own(synchronized);
        let heard = match &said.message {
            Some(message) => autokey.dance.hear(&message.as_wire(), said.of, &own),
            None => Err(Trouble {
                of: said.of,
                failure: Failure::Length,
            }),
        };
        let is_sound = heard.is_ok();
        self.take_effects(now, id, heard);
        if let Some(asked) = asked.filter(|_| is_sound) {
            self.answer_peer(now, id, said.of, &asked);
        }
    }

    /// Takes what came of a job for an association.
    pub(super) fn dance_done(&mut self, now: Now, of: DanceOf, done: Done) {
        let synchronized = self.is_synchronized();
        let id = of.association;
        let (Some(host), Some(association)) = (&self.autokey, self.associations.get_mut(&id))
        else {
            return;
        };
        let found = association.autokey.as_mut();
        let Some(autokey) = found.filter(|it| it.turn == of.turn) else {
            return;
        };
        let is_done = !matches!(done, Done::Failed(_));
        let finished = autokey.dance.finish(done, &host.own(synchronized));
        self.take_effects(now, id, finished);
        if is_done {
            self.release(now, id);
        } else {
            self.put_off(id);
        }
    }

    /// What could not be done is tried again when its turn comes: at once it would fail again, and
    /// nothing else would be done meanwhile.
    pub(super) fn put_off(&mut self, id: AssociationId) {
        let association = self.associations.get_mut(&id);
        if let Some(autokey) = association.and_then(|it| it.autokey.as_mut())
            && autokey.blocked == Blocked::Job
        {
            autokey.blocked = Blocked::No;
        }
    }

    /// Sends what waited for a job.
    pub(super) fn release(&mut self, now: Now, id: AssociationId) {
        let autokey = self.associations.get_mut(&id);
        let autokey = autokey.and_then(|it| it.autokey.as_mut());
        let Some(autokey) = autokey else { return };
        let busy = autokey.dance.is_waiting() || autokey.ours.is_waiting();
        let waited = autokey.blocked == Blocked::Job && !busy;
        if waited {
            autokey.blocked = Blocked::No;
            self.send_request(id, now);
        }
    }

    fn perform(&mut self, now: Now, id: AssociationId, task: Task) {
        let autokey = self
            .associations
            .get(&id)
            .and_then(|it| it.autokey.as_ref());
        let Some(autokey) = autokey else { return };
        let of = DanceOf {
            association: id,
            turn: autokey.turn,
        };
        if !self.ask_crypto(now, Purpose::Dance(of), task) {
            // It is asked for again when its turn comes, not at once: whoever has no time now has
            // none in a moment.
            self.give_up(id);
        }
    }

    /// A job that nobody takes.
    fn give_up(&mut self, id: AssociationId) {
        let synchronized = self.is_synchronized();
        let (Some(host), Some(association)) = (&self.autokey, self.associations.get_mut(&id))
        else {
            return;
        };
        if let Some(autokey) = &mut association.autokey {
            let busy = Done::Failed(Failure::Busy);
            // Busy is nobody's trouble.
            let _ = autokey.dance.finish(busy, &host.own(synchronized));
        }
    }

    fn take_effects(&mut self, now: Now, id: AssociationId, heard: Result<Vec<Effect>, Trouble>) {
        let effects = match heard {
            Ok(effects) => effects,
            Err(trouble) => return self.take_trouble(now, id, trouble),
        };
        for effect in effects {
            match effect {
                Effect::Perform(task) => self.perform(now, id, task),
                Effect::Line(text) => self.write_crypto(now, Some(id), text),
                Effect::Install(read, by) => {
                    let flags = if read.is_self_issued() {
                        CertificateFlags::VALID
                    } else {
                        CertificateFlags::VALID | CertificateFlags::SIGN
                    };
                    self.install(now, id, &read, by, flags);
                }
                Effect::Adopt(read, by) => {
                    self.install(now, id, &read, by, CertificateFlags::VALID);
                }
                Effect::Leap { tai_utc_s, since } => self.learn_leap(now, tai_utc_s, since),
                Effect::NewCookie => self.discard_list(id),
            }
        }
        self.tell_proventic(id);
    }

    fn discard_list(&mut self, id: AssociationId) {
        let association = self.associations.get_mut(&id);
        if let Some(autokey) = association.and_then(|it| it.autokey.as_mut()) {
            autokey.ours.discard();
        }
    }

    /// Says once that it is proven, and by what.
    fn tell_proventic(&mut self, id: AssociationId) {
        let Some(association) = self.associations.get_mut(&id) else {
            return;
        };
        let Some(autokey) = &mut association.autokey else {
            return;
        };
        if autokey.told_proventic || !autokey.dance.is_agreed() {
            return;
        }
        autokey.told_proventic = true;
        let event = PeerEvent::Proventic(autokey.dance.identity());
        let remote = association.shown_remote();
        self.tell(id, remote.clone(), event);
        if let Some(other) = self.where_same_key(id) {
            self.tell(id, remote, PeerEvent::OneKeyTwice(other));
        }
    }

    /// Takes TAI-UTC where there is no table. When leap seconds are to come is not for one server to
    /// say, and whoever sits between can be one.
    fn learn_leap(&mut self, now: Now, tai_utc_s: u32, since: u32) {
        let is_to_come = unix_s_near(now, since) > super::super::leap::unix_s(now);
        // Nobody ever deleted a second.
        let now_s = tai_utc_s.saturating_sub(u32::from(is_to_come));
        if let Ok(now_s) = i32::try_from(now_s)
            && TAI_UTC_S.contains(&now_s)
        {
            self.leap.tell_tai(now_s);
            self.refresh_leap(now);
        }
    }

    /// A server that was started anew does not know our cookie.
    pub(in super::super) fn hear_crypto_nak(&mut self, now: Now, id: AssociationId) {
        let association = self.associations.get_mut(&id);
        let Some(autokey) = association.and_then(|it| it.autokey.as_mut()) else {
            return;
        };
        autokey.naks = autokey.naks.saturating_add(1);
        // Nothing was agreed yet, so nothing is lost: it would not understand us the next time either.
        if autokey.dance.status().word() != 0 {
            self.begin_anew(now, id, CryptoRestart::CryptoNak);
        }
    }

    /// Begins anew with who was spoken to for long enough, and with a peer that was started anew; true
    /// if so.
    pub(in super::super) fn refresh_autokey(&mut self, now: Now, id: AssociationId) -> bool {
        let association = self.associations.get(&id);
        let why = association.and_then(|it| it.begins_anew(now.mono));
        if let Some(why) = why {
            self.begin_anew(now, id, why);
        }
        why.is_some()
    }

    pub(super) fn begin_anew(&mut self, now: Now, id: AssociationId, why: CryptoRestart) {
        let precision_s = self.precision_s();
        let Some(association) = self.associations.get_mut(&id) else {
            return;
        };
        let ends = self.config.ephemeral_ends;
        let is_to_end = match (&association.role, why) {
            // Its next packet introduces it anew, with the number that it has now.
            (Role::BroadcastClient(_), _) => true,
            (Role::Member { .. } | Role::Passive(_), CryptoRestart::Error) => ends.on_crypto_error,
            (Role::Member { .. } | Role::Passive(_), CryptoRestart::CryptoNak) => {
                ends.on_crypto_nak
            }
            _ => false,
        };
        if is_to_end {
            let remote = association.shown_remote();
            self.tell(id, remote, PeerEvent::CryptoRestart(why));
            self.demobilize(now, id);
            self.select(now);
            return;
        }
        let letters = why.letters();
        association.restart(now.mono, letters, precision_s, &mut self.rng);
        association.restart_autokey(now.mono, &mut self.rng);
        let patience = association
            .autokey
            .as_mut()
            .and_then(|it| it.note_restart());
        if let Some(doublings) = patience {
            let polls = f64::from(doublings.min(6)).exp2();
            let poll_s = f64::from(association.poll.host_poll()).exp2();
            association
                .poll
                .resume(now.mono.plus_seconds(polls * poll_s));
        }
        let remote = association.shown_remote();
        self.tell(id, remote, PeerEvent::CryptoRestart(why));
        if self.variables.peer == Some(id) {
            self.lose_leader(now);
        }
        self.select(now);
    }

    /// Writes a line into cryptostats.
    pub(in super::super) fn write_crypto(
        &mut self,
        now: Now,
        of: Option<AssociationId>,
        text: String,
    ) {
        let remote = of.and_then(|id| self.associations.get(&id)?.remote);
        let remote = remote.map(|it| it.ip());
        self.record_crypto(now, Measured::Crypto { remote, text });
    }
}
