//! Asking a server.
use super::{Ends, Spoken, random_key_id, verify_between};
use crate::association::packet_tests::{Authenticity, Refusal, Reply, answering, kiss};
use crate::association::{Association, Heard};
use crate::authentication::{AuthFailure, Authenticator, SessionVerified};
use crate::clock_filter::Setting;
use crate::discipline::Steered;
use crate::packet::{Received, Route, Transmit};
use crate::status::PacketTest;
use rand_chacha::ChaCha20Rng;
use truechimer_time::Now;
use truechimer_wire::{Header, KissCode, Mode, Packet};

use crate::association::exchange::OriginProven;

/// A reply that is the server's, as far as the cookie proves it.
pub(super) struct Sealed {
    pub(super) header: Header,
    pub(super) origin: OriginProven,
    pub(super) proof: SessionVerified,
    pub(super) said: Option<Spoken>,
}

impl Association {
    /// The next request, with what the dance wants it to carry. Needs our address, which is part of
    /// the key. It echoes the server's last transmit stamp, for a server that gives more than it is
    /// given only to who can hear it.
    pub(crate) fn request_sealed(
        &mut self,
        sequence: u64,
        authenticator: &mut dyn Authenticator,
        rng: &mut ChaCha20Rng,
    ) -> Option<Transmit> {
        let to = self.remote?;
        let ends = Ends::new(self.local?, to.ip());
        let autokey = self.autokey.as_mut()?;
        let message = autokey.request.take();
        self.said_unreachable = false;
        let mut header = Header::blank(self.options.version, Mode::Client);
        header.origin_time = self.exchange.last_transmit().unwrap_or_default();
        header.transmit_time = self.exchange.begin(sequence, rng);
        let mut octets = header.to_octets().to_vec();
        let has_message = message.is_some();
        let written = message.is_none_or(|it| it.append(&mut octets).is_some());
        // The order of a key list proves nothing here, so a key that nobody can foretell is better.
        let key_id = random_key_id(rng);
        let sealed = autokey.seal(&mut octets, ends, key_id, has_message, authenticator);
        if !written || sealed.is_none() {
            self.exchange.abandon(sequence);
            return None;
        }
        Some(self.departs(octets, to, Route::Fresh, sequence))
    }

    pub(super) fn identify_sealed(
        &self,
        received: &Received<'_>,
        authenticator: &mut dyn Authenticator,
    ) -> Result<Sealed, Refusal> {
        if self.remote != Some(received.source) {
            return Err(Refusal::Test(PacketTest::Bogus));
        }
        let (packet, origin) = answering(received.octets, &self.exchange, None)?;
        let said = packet.extension_fields().next();
        let said = said.as_ref().map(Spoken::new);
        let proof = self
            .authenticate_sealed(&packet, received, said.is_some(), authenticator)
            .map_err(Refusal::Session)?;
        Ok(Sealed {
            header: packet.header(),
            origin,
            proof,
            said,
        })
    }

    /// Whether a reply is sealed under key and cookie of the request that it answers.
    fn authenticate_sealed(
        &self,
        packet: &Packet<'_>,
        received: &Received<'_>,
        has_message: bool,
        authenticator: &mut dyn Authenticator,
    ) -> Result<SessionVerified, AuthFailure> {
        let mac = packet.mac().ok_or(AuthFailure::NoMac)?;
        if mac.is_crypto_nak() {
            return Err(AuthFailure::CryptoNak);
        }
        let sent = self.autokey.as_ref().and_then(|it| it.sent);
        let sent = sent.filter(|it| it.key_id == mac.key_id);
        let sent = sent.ok_or(AuthFailure::OtherKey)?;
        let local = self.local.ok_or(AuthFailure::WrongDigest)?;
        // Anybody can make the MAC of a message, so one that nobody asked for is nobody's.
        if has_message && !sent.has_message {
            return Err(AuthFailure::WrongDigest);
        }
        let cookie = if has_message { 0 } else { sent.cookie };
        let ends = Ends::new(received.source.ip(), local);
        verify_between(packet, ends, cookie, authenticator).ok_or(AuthFailure::WrongDigest)
    }

    /// Takes a datagram that came in on the socket of the last request, and was counted.
    ///
    /// # Errors
    /// Why it is refused.
    pub(in crate::association) fn take_sealed_reply(
        &mut self,
        now: Now,
        received: &Received<'_>,
        base: &Setting,
        authenticator: &mut dyn Authenticator,
        rng: &mut ChaCha20Rng,
        heard: &mut Heard,
    ) -> Result<(), Refusal> {
        let Sealed {
            header,
            origin,
            proof,
            said,
        } = self.identify_sealed(received, authenticator)?;
        let is_proventic = self.asked_when_agreed();
        if said.is_some() || !is_proventic {
            self.exchange.finish(header.transmit_time);
            self.take_step(now, &header, is_proventic, rng, heard);
            heard.said.extend(said);
            self.hasten_dance(now);
            return Ok(());
        }
        let reply = Reply {
            header,
            origin,
            authenticity: Authenticity::Proventic(proof),
        };
        let answer = self.close(received, reply, Steered::NONE);
        self.take_answer(now, received, answer, base, rng, heard);
        if heard.fresh
            && let Some(autokey) = &mut self.autokey
        {
            autokey.restarts = 0;
        }
        self.hasten_dance(now);
        Ok(())
    }

    /// There is more to come than in other bursts, and time is wanted as soon.
    fn hasten_dance(&mut self, now: Now) {
        let autokey = self.autokey.as_ref();
        if autokey.is_some_and(|it| it.steps_left > 0 && !it.dance.is_complete()) {
            self.poll.hasten(now.mono);
        }
        self.hasten_renewal(now.mono);
    }

    /// A packet that is of use to the dance alone. What its header says is shown as long as nothing
    /// better is known.
    pub(in crate::association) fn take_step(
        &mut self,
        now: Now,
        header: &Header,
        is_proventic: bool,
        rng: &mut ChaCha20Rng,
        heard: &mut Heard,
    ) {
        if !is_proventic {
            self.authentic = false;
            self.counts.flash |= PacketTest::Authentication.bit();
        }
        // It may be anybody's who sees the requests: to ask more seldom costs little, to ask no more is
        // what such a one may want.
        if kiss(header).is_some() {
            self.take_kiss(now, KissCode::Rate, header, rng, heard);
            return;
        }
        if !is_proventic {
            self.note_header(header, heard);
        }
        let prolongs = self.takes_step();
        self.poll.answered_step(now.mono, prolongs);
        let wanted = self.poll.host_poll();
        self.poll.reschedule(now.mono, wanted, rng);
    }
}
