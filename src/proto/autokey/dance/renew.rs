//! The other side signs with a key that is not known. It may have a new one, so it is asked who it is
//! anew, and its trail and its group are proven anew, while what was agreed before goes on. Nothing of
//! that is taken before all of it is proven, so that whoever makes us ask gains nothing by it.
use super::{Dance, Effect, Manner, Own, Step, Trouble, WordOfMessage};
use crate::autokey::job::{Done, Failure};
use crate::autokey::status::Flags;
use truechimer_wire::{AutokeyCode, AutokeyMessage};

/// Packets sent for a proof that comes to nothing, until it is given up: a trail of sixteen, and as many
/// plain ones between.
const PACKETS_AT_MOST: u8 = 48;

/// Requests of it in a row: so many polls may go by without a measurement before a source is lost. After
/// them every second packet is a plain one.
const IN_A_ROW: u8 = 6;

/// A proof beside the one that is in force.
#[derive(Debug)]
pub(super) struct Renewal {
    dance: Box<Dance>,
    packets: u8,
}

impl Dance {
    /// Asks anew who the other side is. False if that was not proven at all yet, or is under way.
    pub(crate) fn begin_renewal(&mut self) -> bool {
        if !self.has(Flags::VRFY) || self.renewal.is_some() {
            return false;
        }
        // A broadcast server is asked as any other.
        let manner = match self.manner {
            Manner::Symmetric => Manner::Symmetric,
            Manner::Client | Manner::Listener => Manner::Client,
        };
        let id = u16::try_from(self.id).unwrap_or_default();
        self.renewal = Some(Renewal {
            dance: Box::new(Self::new(manner, id, self.ident.clone(), 0)),
            packets: 0,
        });
        true
    }

    /// Whether the other side is being proven anew.
    pub(crate) const fn is_renewing(&self) -> bool {
        self.renewal.is_some()
    }

    /// What the next packet carries for the new proof: nothing in some, so that time goes on.
    pub(super) fn ask_for_renewal(&mut self, own: &Own<'_>) -> Option<Step> {
        let gives_time = self.is_agreed();
        let renewal = self.renewal.as_mut()?;
        renewal.packets += 1;
        let rests = renewal.packets > IN_A_ROW && renewal.packets.is_multiple_of(2);
        if gives_time && rests {
            return Some(Step::Plain);
        }
        let step = renewal.dance.next(own, true);
        let goes_on = matches!(step, Step::Ask(_) | Step::Prepare(_));
        if goes_on && renewal.packets < PACKETS_AT_MOST {
            return Some(step);
        }
        self.renewal = None;
        None
    }

    /// Takes what was asked for the new proof; `None` if it is about something else.
    pub(super) fn hear_for_renewal(
        &mut self,
        message: &AutokeyMessage<'_>,
        of: WordOfMessage,
        own: &Own<'_>,
    ) -> Option<Result<Vec<Effect>, Trouble>> {
        let is_about = matches!(
            message.code,
            AutokeyCode::Association
                | AutokeyCode::Certificate
                | AutokeyCode::Iff
                | AutokeyCode::Gq
                | AutokeyCode::Mv
        );
        let renewal = self.renewal.as_mut().filter(|_| message.is_response)?;
        if !is_about && !message.is_error {
            return None;
        }
        // One job at a time: an outcome does not say what it is of, and what verified a key list would
        // otherwise prove an identity.
        if self.waiting.is_some() {
            return Some(Ok(Vec::new()));
        }
        let heard = renewal.dance.hear(message, of, own);
        Some(self.settle(heard, of))
    }

    /// Takes the outcome of a job for the new proof; `None` if it was not for that.
    pub(super) fn finish_renewal(
        &mut self,
        done: &Done,
        own: &Own<'_>,
    ) -> Option<Result<Vec<Effect>, Trouble>> {
        let renewal = self.renewal.as_mut()?;
        let of = renewal.dance.waiting.as_ref()?.of;
        let finished = renewal.dance.finish(done.clone(), own);
        Some(self.settle(finished, of))
    }

    /// Whether a job for the new proof is under way.
    pub(super) fn renewal_waits(&self) -> bool {
        let renewal = self.renewal.as_ref();
        renewal.is_some_and(|it| it.dance.is_waiting())
    }

    /// The new proof is one step farther, or failed.
    fn settle(
        &mut self,
        step: Result<Vec<Effect>, Trouble>,
        of: WordOfMessage,
    ) -> Result<Vec<Effect>, Trouble> {
        let proven = |it: &mut Renewal| it.dance.has(Flags::VRFY);
        match step {
            Ok(effects) => match self.renewal.take_if(proven) {
                Some(renewal) => self
                    .take_renewal(*renewal.dance, effects)
                    .map_err(|failure| Trouble { of, failure }),
                None => Ok(effects),
            },
            Err(Trouble { of, failure }) => {
                self.renewal = None;
                // What is in force is not to begin anew for it.
                let failure = match failure {
                    Failure::Protocol => Failure::Certificate,
                    other => other,
                };
                Err(Trouble { of, failure })
            }
        }
    }

    fn take_renewal(&mut self, new: Self, effects: Vec<Effect>) -> Result<Vec<Effect>, Failure> {
        if new.verifier == self.verifier {
            // Its key is the same: what was signed by another was not its.
            return Ok(Vec::new());
        }
        // One that was replaced, and may have been stolen since, is not to come back.
        let begins = |it: &Self| it.own_certificate().map(|it| it.not_before_s);
        if begins(&new) < begins(self) {
            return Err(Failure::Certificate);
        }
        // Its word about what it offers is not signed: who altered that takes no proof away.
        if self.identity.is_some() && new.identity.is_none() {
            return Err(Failure::Identity);
        }
        let agreed = Flags::PROV | Flags::COOK | Flags::AUTO | Flags::LEAP;
        let mut flags =
            new.status.flags.without(Flags::AUTO) | Flags(self.status.flags.0 & agreed.0);
        if self.manner == Manner::Listener {
            // Its list may be another one too, and it was not heard.
            flags = flags.without(Flags::AUTO);
        }
        self.status.flags = flags;
        self.status.signature_nid = new.status.signature_nid;
        self.subject = new.subject;
        self.wanted = new.wanted;
        self.trail = new.trail;
        self.verifier = new.verifier;
        self.gq_public = new.gq_public;
        self.identity = new.identity;
        self.by_name = new.by_name;
        // What its old key signed for us is of no use to those who follow the trail.
        self.note_spare();
        Ok(effects)
    }
}
