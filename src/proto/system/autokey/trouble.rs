//! What goes wrong in the dance of an association: told, and answered where there is an answer.
use super::super::System;
use crate::autokey::dance::Trouble;
use crate::autokey::job::Failure;
use crate::event::{CryptoRestart, CryptoTrouble, GroupName, PeerEvent};
use crate::packet::AssociationId;
use truechimer_time::Now;

impl System {
    pub(super) fn take_trouble(&mut self, now: Now, id: AssociationId, trouble: Trouble) {
        self.write_crypto(now, Some(id), trouble.to_string());
        self.tell_trouble(id, trouble);
        match trouble.failure {
            Failure::Protocol => self.begin_anew(now, id, CryptoRestart::Error),
            Failure::Signature | Failure::SignatureLength => self.prove_anew(now, id),
            _ => {}
        }
    }

    /// Each kind once until the association begins anew, for who sees our packets can cause it at will.
    fn tell_trouble(&mut self, id: AssociationId, trouble: Trouble) {
        // That it begins anew is told as such.
        if trouble.failure == Failure::Protocol {
            return;
        }
        let Some(association) = self.associations.get_mut(&id) else {
            return;
        };
        let remote = association.shown_remote();
        let Some(autokey) = association.autokey.as_mut() else {
            return;
        };
        if autokey.is_news(trouble.failure) {
            let told = CryptoTrouble {
                failure: trouble.failure,
                is_of_identity: trouble.of.is_of_identity(),
                group: autokey.dance.ident().map(GroupName::new),
            };
            self.tell(id, remote, PeerEvent::CryptoTrouble(told));
        }
    }

    /// Who signs with a key that is not known may have another one.
    fn prove_anew(&mut self, now: Now, id: AssociationId) {
        let Some(association) = self.associations.get_mut(&id) else {
            return;
        };
        let autokey = association.autokey.as_mut();
        if !autokey.is_some_and(|it| it.begin_renewal(now.mono)) {
            return;
        }
        match &mut association.listener {
            // Without volleys nothing was ever proven of it.
            Some(listener) => {
                let _ = listener.volley.call(now.mono, &mut self.rng);
            }
            None => association.poll.advance(now.mono),
        }
    }
}
