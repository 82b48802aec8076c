//! The volley of a client that hears a broadcast server: first who that is, then how far away.
use super::client::Sealed;
use crate::association::packet_tests::{Authenticity, Refusal, Reply};
use crate::association::{Association, Heard};
use crate::authentication::{AuthFailure, Authenticator};
use crate::clock_filter::Setting;
use crate::discipline::Steered;
use crate::packet::Received;
use crate::status::PacketTest;
use truechimer_time::Now;

impl Association {
    /// Takes a datagram that came in on the socket of a volley, and was counted.
    ///
    /// # Errors
    /// Why it is refused.
    pub(in crate::association) fn take_sealed_volley(
        &mut self,
        now: Now,
        received: &Received<'_>,
        base: &Setting,
        steered: Steered,
        authenticator: &mut dyn Authenticator,
        heard: &mut Heard,
    ) -> Result<(), Refusal> {
        let Sealed {
            header,
            origin,
            proof,
            said,
        } = self.identify_sealed(received, authenticator)?;
        let agreed = self.asked_when_agreed();
        if said.is_none() && agreed {
            let reply = Reply {
                header,
                origin,
                authenticity: Authenticity::Proventic(proof),
            };
            self.take_volley_reply(now, received, reply, base, steered, heard);
            return Ok(());
        }
        self.exchange.finish(header.transmit_time);
        if !agreed {
            self.counts.flash |= PacketTest::Authentication.bit();
        }
        heard.said.extend(said);
        if self.takes_step()
            && let Some(listener) = &mut self.listener
        {
            listener.volley.prolong();
        }
        Ok(())
    }

    /// Counts a broadcast that is not of its sender's list.
    pub(crate) fn refuse_session(&mut self, why: AuthFailure) -> Heard {
        self.refused(Refusal::Session(why))
    }
}
