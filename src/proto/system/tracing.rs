//! Traces, where they are asked for.
use super::System;
use crate::association::Heard;
use crate::event::PeerEvent;
use crate::host::Output;
use crate::packet::{AssociationId, Received};
use crate::trace::{self, Match, Proof, Trace, TraceLevel};
use crate::unsolicited::Unsolicited;
use truechimer_time::Now;
use truechimer_wire::Packet;

impl System {
    /// A packet, once it is known what it is and what its MAC proved.
    pub(super) fn trace_packet(
        &mut self,
        now: Now,
        received: &Received<'_>,
        code: Match,
        proof: Proof,
    ) {
        if self.config.trace < TraceLevel::PACKETS {
            return;
        }
        if self.config.trace >= TraceLevel::RULES {
            self.outbox.push(Output::Trace(Trace::Restricted {
                at: now.mono,
                local: trace::local(&received.via),
                remote: received.source,
                flags: self.config.access.flags_for(received.source),
            }));
        }
        let trace = Trace::received(now.mono, received, code, proof);
        self.outbox.push(Output::Trace(trace));
    }

    /// A packet that nobody asked for, once it is known why it was refused, if it was.
    pub(super) fn trace_unasked(
        &mut self,
        now: Now,
        received: &Received<'_>,
        code: Match,
        refused: Option<Unsolicited>,
    ) {
        if self.config.trace >= TraceLevel::PACKETS {
            self.trace_packet(now, received, code, proof_unasked(received, refused));
        }
    }

    /// The polling of an association, after it changed.
    pub(super) fn trace_poll(&mut self, now: Now, id: AssociationId) {
        if self.config.trace < TraceLevel::POLLS {
            return;
        }
        let Some(association) = self.associations.get(&id) else {
            return;
        };
        self.outbox.push(Output::Trace(Trace::Polled {
            at: now.mono,
            remote: association.shown_remote(),
            poll: association.poll.view(now.mono),
        }));
    }
}

/// What the MAC of a packet to an association proved, by what became of it there.
pub(super) fn proof(received: &Received<'_>, heard: &Heard) -> Proof {
    let packet = Packet::new_checked(received.octets).ok();
    let Some(mac) = packet.as_ref().and_then(Packet::mac) else {
        return Proof::None;
    };
    let is_wrong = |event: &PeerEvent| {
        matches!(
            event,
            PeerEvent::BadAuthentication { .. } | PeerEvent::BadSession(_)
        )
    };
    if mac.is_crypto_nak() {
        Proof::CryptoNak
    } else if heard.events.iter().any(is_wrong) {
        Proof::Wrong
    } else if heard.raw.is_some() || !heard.said.is_empty() {
        Proof::Right
    } else {
        Proof::None
    }
}

/// The same of a packet that nobody asked for.
fn proof_unasked(received: &Received<'_>, refused: Option<Unsolicited>) -> Proof {
    use Unsolicited::{
        NoHelp, NotAuthentic, NotSynchronized, PeerLimit, PollField, Reordered, Replayed, TooSoon,
    };
    let packet = Packet::new_checked(received.octets).ok();
    let Some(mac) = packet.as_ref().and_then(Packet::mac) else {
        return Proof::None;
    };
    match refused {
        _ if mac.is_crypto_nak() => Proof::CryptoNak,
        Some(NotAuthentic) => Proof::Wrong,
        // These are looked at behind the MAC.
        None
        | Some(Replayed | Reordered | TooSoon | PollField | NotSynchronized | PeerLimit | NoHelp) => {
            Proof::Right
        }
        Some(_) => Proof::None,
    }
}
