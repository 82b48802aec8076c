//! One request and its answer: the outstanding nonce, the transmit stamp, the last reply.
use super::interleave::Before;
use crate::packet::Stamp;
use crate::status::PacketTest;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::RngCore;
use truechimer_time::NtpTimestamp;

/// Interleaved requests in a row without an answer, before we ask in basic mode again: the server may
/// have lost its memory, and what is measured after a longer silence is too old (RFC 9769 §2).
const UNANSWERED_AT_MOST: u8 = 4;

/// A request that may still be answered.
#[derive(Clone, Copy, Debug)]
struct Outstanding {
    nonce: NtpTimestamp,
    late: Option<Asked>,
    sequence: u64,
    left: Option<Stamp>,
}

impl Outstanding {
    /// When it left, and what its reply measures if that is interleaved, if this origin is a nonce of
    /// its. Zero is none (CVE-2015-8138).
    fn echoed_by(&self, origin: NtpTimestamp) -> Option<(Option<Stamp>, Option<Before>)> {
        if origin.is_zero() {
            return None;
        }
        if self.nonce == origin {
            return Some((self.left, None));
        }
        let late = self.late.filter(|it| it.nonce == origin)?;
        Some((self.left, Some(late.before)))
    }
}

/// What an interleaved request asks for.
#[derive(Clone, Copy, Debug)]
struct Asked {
    /// What the request carries as its receive stamp: a nonce too, by which a reply in kind is known.
    nonce: NtpTimestamp,
    before: Before,
}

/// The three stamps of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asking {
    pub(crate) origin: NtpTimestamp,
    pub(crate) receive: NtpTimestamp,
    pub(crate) transmit: NtpTimestamp,
}

/// Proof that a reply echoes a nonce of the one outstanding request; only
/// [`Exchange::check_origin`] makes it.
#[derive(Debug)]
pub(crate) struct OriginProven {
    left: Option<Stamp>,
    before: Option<Before>,
}

impl OriginProven {
    /// T1: when the request left, if that is known.
    pub(crate) const fn left(&self) -> Option<Stamp> {
        self.left
    }

    /// The exchange that the reply's transmit stamp belongs to, if it is interleaved.
    pub(crate) const fn before(&self) -> Option<Before> {
        self.before
    }
}

/// The request on its way and what is remembered of the reply before it.
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    outstanding: Option<Outstanding>,
    answered: Option<Outstanding>,
    last_transmit: Option<NtpTimestamp>,
    /// What the next request may ask the true departure of.
    before: Option<Before>,
    /// Requests since.
    unanswered: u8,
}

impl Exchange {
    /// Opens an exchange and closes the one before: a late answer to that is bogus from now on.
    /// The nonce is what the request carries as transmit stamp; it tells nothing of our clock, and
    /// only who saw the request can echo it. Never zero, so zero never matches (CVE-2015-8138).
    pub(crate) fn begin(&mut self, sequence: u64, rng: &mut ChaCha20Rng) -> NtpTimestamp {
        let nonce = NtpTimestamp::from_bits(rng.next_u64().max(1));
        self.outstanding = Some(Outstanding {
            nonce,
            late: None,
            sequence,
            left: None,
        });
        nonce
    }

    /// The same, in interleaved mode if there is an exchange before that can be asked for: then the
    /// request names it by the server's own stamp, and carries another nonce (RFC 9769 §2).
    pub(crate) fn begin_interleaved(&mut self, sequence: u64, rng: &mut ChaCha20Rng) -> Asking {
        let transmit = self.begin(sequence, rng);
        self.unanswered = self.unanswered.saturating_add(1);
        let before = self
            .before
            .filter(|_| self.unanswered <= UNANSWERED_AT_MOST);
        self.before = before;
        let Some((before, outstanding)) = before.zip(self.outstanding.as_mut()) else {
            return Asking {
                origin: NtpTimestamp::ZERO,
                receive: NtpTimestamp::ZERO,
                transmit,
            };
        };
        // Two nonces that are the same would not tell in which mode the reply is.
        let other = |bits: u64| {
            if bits == transmit.to_bits() {
                !bits
            } else {
                bits
            }
        };
        let nonce = NtpTimestamp::from_bits(other(rng.next_u64().max(1)).max(1));
        outstanding.late = Some(Asked { nonce, before });
        Asking {
            origin: before.receive,
            receive: nonce,
            transmit,
        }
    }

    /// Has the next request ask for the true departure of a reply.
    pub(crate) const fn note_reply(&mut self, reply: Option<Before>) {
        self.before = reply;
        self.unanswered = 0;
    }

    /// Notes when a request left; a stamp for an older request is of no use any more.
    pub(crate) fn note_departure(&mut self, sequence: u64, stamp: Stamp) {
        if let Some(outstanding) = self.outstanding.as_mut()
            && outstanding.sequence == sequence
        {
            outstanding.left = Some(stamp);
        }
    }

    /// What the last reply carried as its transmit stamp. Our own nonces are nobody's business.
    pub(crate) const fn last_transmit(&self) -> Option<NtpTimestamp> {
        self.last_transmit
    }

    /// Whether a request may still be answered.
    pub(crate) fn awaits(&self, sequence: u64) -> bool {
        self.outstanding.is_some_and(|it| it.sequence == sequence)
    }

    /// Forgets a request, if it is still the outstanding one; tells whether it was.
    pub(crate) fn abandon(&mut self, sequence: u64) -> bool {
        let current = self.awaits(sequence);
        if current {
            self.outstanding = None;
        }
        current
    }

    /// Forgets everything: the clock was stepped, or the server is another one now.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }

    /// Whether a reply belongs to the outstanding request. Changes nothing, whatever comes. The nonce
    /// alone decides; what is a duplicate only gives the refusal its name.
    ///
    /// # Errors
    /// `Duplicate` for a second answer or a replay of the last one, `Bogus` for anything else.
    pub(crate) fn check_origin(
        &self,
        origin: NtpTimestamp,
        transmit: NtpTimestamp,
    ) -> Result<OriginProven, PacketTest> {
        if let Some((left, before)) = self.outstanding.and_then(|it| it.echoed_by(origin)) {
            return Ok(OriginProven { left, before });
        }
        let replayed = !transmit.is_zero() && self.last_transmit == Some(transmit);
        let again = self.answered.and_then(|it| it.echoed_by(origin)).is_some();
        Err(if replayed || again {
            PacketTest::Duplicate
        } else {
            PacketTest::Bogus
        })
    }

    /// Closes the exchange: a request has one answer.
    pub(crate) fn finish(&mut self, transmit: NtpTimestamp) {
        if let Some(outstanding) = self.outstanding.take() {
            self.answered = Some(outstanding);
        }
        self.last_transmit = Some(transmit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::StampClass;
    use rand_chacha::rand_core::SeedableRng;

    fn stamp(bits: u64) -> Stamp {
        Stamp {
            at: NtpTimestamp::from_bits(bits),
            class: StampClass::Kernel,
        }
    }

    #[test]
    fn one_answer_per_request() {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        let mut exchange = Exchange::default();
        let transmit = NtpTimestamp::from_bits(77);
        let first = exchange.begin(1, &mut rng);
        exchange.note_departure(1, stamp(5));
        let proof = exchange.check_origin(first, transmit).expect("ours");
        assert_eq!(proof.left(), Some(stamp(5)));
        exchange.finish(transmit);
        let other = NtpTimestamp::from_bits(78);
        let again = exchange.check_origin(first, other);
        assert_eq!(again.err(), Some(PacketTest::Duplicate));
        let second = exchange.begin(2, &mut rng);
        assert_ne!(first, second);
        let replayed = exchange.check_origin(first, transmit);
        assert_eq!(replayed.err(), Some(PacketTest::Duplicate));
        assert!(
            exchange.check_origin(second, transmit).is_ok(),
            "a coarse clock may show the same time twice"
        );
    }

    #[test]
    fn zero_and_stale_origins_are_bogus() {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        let mut exchange = Exchange::default();
        let transmit = NtpTimestamp::from_bits(77);
        let zero = NtpTimestamp::ZERO;
        assert_eq!(
            exchange.check_origin(zero, transmit).err(),
            Some(PacketTest::Bogus),
            "nothing is outstanding"
        );
        let first = exchange.begin(1, &mut rng);
        exchange.begin(2, &mut rng);
        for origin in [zero, first] {
            let refused = exchange.check_origin(origin, transmit).err();
            assert_eq!(refused, Some(PacketTest::Bogus));
        }
    }

    #[test]
    fn stamps_of_older_requests_are_ignored() {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        let mut exchange = Exchange::default();
        exchange.begin(1, &mut rng);
        let nonce = exchange.begin(2, &mut rng);
        exchange.note_departure(1, stamp(5));
        let transmit = NtpTimestamp::from_bits(77);
        let proof = exchange.check_origin(nonce, transmit).expect("ours");
        assert_eq!(proof.left(), None);
        assert!(!exchange.abandon(1));
        assert!(exchange.abandon(2));
        assert!(exchange.check_origin(nonce, transmit).is_err());
    }
}
