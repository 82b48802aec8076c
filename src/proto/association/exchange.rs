//! One request and its answer: the outstanding nonce, the transmit stamp, the last reply.
use crate::packet::Stamp;
use crate::status::PacketTest;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::RngCore;
use truechimer_time::NtpTimestamp;

/// A request that may still be answered.
#[derive(Clone, Copy, Debug)]
struct Outstanding {
    nonce: NtpTimestamp,
    sequence: u64,
    left: Option<Stamp>,
}

/// Proof that a reply echoes the one outstanding nonce; only [`Exchange::check_origin`] makes it.
#[derive(Debug)]
pub(crate) struct OriginProven {
    left: Option<Stamp>,
}

impl OriginProven {
    /// T1: when the request left, if that is known.
    pub(crate) const fn left(&self) -> Option<Stamp> {
        self.left
    }
}

/// The request on its way and what is remembered of the reply before it.
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    outstanding: Option<Outstanding>,
    answered: Option<NtpTimestamp>,
    last_transmit: Option<NtpTimestamp>,
}

impl Exchange {
    /// Opens an exchange and closes the one before: a late answer to that is bogus from now on.
    /// The nonce is what the request carries as transmit stamp; it tells nothing of our clock, and
    /// only who saw the request can echo it. Never zero, so zero never matches (CVE-2015-8138).
    pub(crate) fn begin(&mut self, sequence: u64, rng: &mut ChaCha20Rng) -> NtpTimestamp {
        let nonce = NtpTimestamp::from_bits(rng.next_u64().max(1));
        self.outstanding = Some(Outstanding {
            nonce,
            sequence,
            left: None,
        });
        nonce
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
        if let Some(outstanding) = self.outstanding
            && outstanding.nonce == origin
            && !origin.is_zero()
        {
            return Ok(OriginProven {
                left: outstanding.left,
            });
        }
        let replayed = !transmit.is_zero() && self.last_transmit == Some(transmit);
        let again = !origin.is_zero() && self.answered == Some(origin);
        Err(if replayed || again {
            PacketTest::Duplicate
        } else {
            PacketTest::Bogus
        })
    }

    /// Closes the exchange: a request has one answer.
    pub(crate) fn finish(&mut self, transmit: NtpTimestamp) {
        if let Some(outstanding) = self.outstanding.take() {
            self.answered = Some(outstanding.nonce);
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
