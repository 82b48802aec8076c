//! Broadcast servers that speak Autokey (RFC 5906 §9) and are heard: who they are is asked of them in
//! the volley, and from then on their packets are known by their list of keys.
use super::super::System;
use super::super::broadcast::{Arrival, Proof};
use crate::association::{Ends, Road, Spoken, verify_between};
use crate::authentication::{AuthFailure, KeyId};
use crate::packet::{AssociationId, Received};
use crate::unsolicited::Unsolicited;
use truechimer_time::Now;
use truechimer_wire::{AutokeyCode, Packet};

impl System {
    /// Whether a broadcast is to be proven by Autokey: its sender is known so, or not known and names a
    /// session key.
    pub(in super::super) fn is_by_autokey(
        &self,
        packet: &Packet<'_>,
        known: Option<AssociationId>,
    ) -> bool {
        let known = known.and_then(|id| self.associations.get(&id));
        let names_session = || {
            let mac = packet.mac().filter(|mac| !mac.is_crypto_nak());
            mac.is_some_and(|mac| KeyId::symmetric(mac.key_id).is_none())
        };
        known.map_or_else(names_session, |it| it.autokey.is_some())
    }

    /// Takes a broadcast with the MAC of a session key, which anybody can make: so it is believed for
    /// what its message proves, and for time only if its key is the next of a list that was proven.
    ///
    /// # Errors
    /// Why nothing came of it.
    pub(in super::super) fn hear_sealed_broadcast(
        &mut self,
        now: Now,
        at: Arrival,
        received: &Received<'_>,
        packet: &Packet<'_>,
        known: Option<AssociationId>,
    ) -> Result<(), Unsolicited> {
        let ends = Ends::new(received.source.ip(), at.to);
        let authenticator = self.authenticator.as_mut();
        if self.autokey.is_none() || verify_between(packet, ends, 0, authenticator).is_none() {
            return self.refuse_unproven(now, known, None, AuthFailure::WrongDigest);
        }
        let said = packet.extension_fields().next();
        let said = said.as_ref().map(Spoken::new);
        let header = packet.header();
        let road = Road {
            to: at.to,
            link: at.link,
        };
        let id = match known {
            Some(id) => self.take_road(id, road)?,
            None => {
                let code = said
                    .as_ref()
                    .and_then(|it| it.message.as_ref())
                    .map(|it| it.code);
                let introduces = code == Some(AutokeyCode::Association);
                // Without a volley nothing could ever be proven.
                if !introduces || self.config.listening.novolley {
                    return Err(Unsolicited::NotAuthentic);
                }
                let ends = (received.source, at.local);
                self.mobilize_listener(now, ends, road, &header, Some(Proof::Session))?
            }
        };
        let is_next = self.is_next_of_list(id, ends, packet);
        if let Some(said) = said.filter(|it| self.hears_unasked(id, it)) {
            self.hear_spoken(now, id, &said);
        }
        match is_next {
            Some(true) => self.take_broadcast(now, id, received, &header),
            Some(false) => {
                let Some(association) = self.associations.get_mut(&id) else {
                    return Ok(());
                };
                let heard = association.refuse_session(AuthFailure::OutOfList);
                self.after(now, id, heard, false);
                Err(Unsolicited::NotAuthentic)
            }
            None => {
                // It speaks, though nothing of it is proven yet.
                if let Some(association) = self.associations.get_mut(&id) {
                    let prolongs = association.takes_step();
                    association.poll.answered_step(now.mono, prolongs);
                }
                Ok(())
            }
        }
    }

    fn hears_unasked(&self, id: AssociationId, said: &Spoken) -> bool {
        let autokey = self
            .associations
            .get(&id)
            .and_then(|it| it.autokey.as_ref());
        let message = said.message.as_ref();
        autokey
            .zip(message)
            .is_some_and(|(it, message)| it.dance.hears_unasked(message))
    }

    /// Whether a packet's key is the next of its sender's list; `None` as long as that is not known.
    fn is_next_of_list(
        &mut self,
        id: AssociationId,
        ends: Ends,
        packet: &Packet<'_>,
    ) -> Option<bool> {
        let association = self.associations.get_mut(&id)?;
        let dance = &mut association.autokey.as_mut()?.dance;
        if !dance.knows_list() || !dance.is_proventic() {
            return None;
        }
        let key_id = packet.mac()?.key_id;
        let authenticator = self.authenticator.as_mut();
        Some(dance.admits(key_id, |key_id| ends.session_key(key_id, 0, authenticator)))
    }
}
