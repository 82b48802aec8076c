//! Whether an asker is where it says it is. Anybody can make the MAC of a packet with fields from a
//! forged address, and answers are longer than requests. So the transmit stamps that Autokey's askers
//! get carry, below the precision of the clock, a few bits that depend on their address and on a
//! secret; a client sends its server's last transmit stamp back as the origin of its next request
//! (RFC 5905 §8), and whoever does has received what was sent to that address.
use core::hash::{Hash, Hasher};
use core::net::IpAddr;
use siphasher::sip::SipHasher13;
use truechimer_time::{NtpDuration, NtpTimestamp};

/// Bits of a stamp used at least and at most. One in 256 guesses is right: an attacker gains on the
/// average a thirtieth of an octet by a guessed one.
const BITS: (i32, i32) = (8, 16);
/// How long a stamp proves its receiver's address: more than two of the longest usual polls.
const FRESH_S: f64 = 8192.0;

/// Which bits of a stamp carry the proof, where the clock is so precise, log2 seconds.
fn mask(precision: i8) -> u64 {
    let bits = (32 + i32::from(precision)).clamp(BITS.0, BITS.1);
    (1 << bits) - 1
}

fn proof(mut hasher: SipHasher13, stamp: u64, to: IpAddr) -> u64 {
    stamp.hash(&mut hasher);
    to.to_canonical().hash(&mut hasher);
    hasher.finish()
}

/// A transmit stamp that proves the address of who sends it back.
pub(super) fn marked(
    hasher: SipHasher13,
    stamp: NtpTimestamp,
    precision: i8,
    to: IpAddr,
) -> NtpTimestamp {
    let mask = mask(precision);
    let upper = stamp.to_bits() & !mask;
    NtpTimestamp::from_bits(upper | (proof(hasher, upper, to) & mask))
}

/// Whether an origin stamp is one that was sent to this address not long ago.
pub(super) fn is_echo(
    hasher: SipHasher13,
    origin: NtpTimestamp,
    precision: i8,
    from: IpAddr,
    now: NtpTimestamp,
) -> bool {
    // The mark may have moved it beyond the moment at which it was sent.
    let age = now.since(NtpTimestamp::from_bits(origin.to_bits() & !mask(precision)));
    !origin.is_zero()
        && age >= NtpDuration::ZERO
        && age.to_seconds() <= FRESH_S
        && marked(hasher, origin, precision, from) == origin
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKER: IpAddr = IpAddr::V4(core::net::Ipv4Addr::new(192, 0, 2, 7));
    const NOW: NtpTimestamp = NtpTimestamp::from_bits(0xEEAC_8BD0_6F31_80CB);

    fn hasher() -> SipHasher13 {
        SipHasher13::new_with_key(&[3; 16])
    }

    #[test]
    fn a_stamp_proves_the_address_it_was_sent_to_for_a_while() {
        for precision in [-30, -24, -18, -6] {
            let stamp = marked(hasher(), NOW, precision, ASKER);
            let moved_s = stamp.since(NOW).to_seconds().abs();
            assert!(moved_s < 2.0_f64.powi(i32::from(precision).max(-24)));
            let later = |s: f64| NOW.plus(NtpDuration::from_seconds(s));
            let is_echo = |from, at| is_echo(hasher(), stamp, precision, from, at);
            assert!(is_echo(ASKER, later(1.0)));
            assert!(is_echo(
                "::ffff:192.0.2.7".parse().expect("an address"),
                later(1.0)
            ));
            assert!(is_echo(ASKER, later(8000.0)));
            assert!(!is_echo(ASKER, later(8200.0)), "old");
            assert!(!is_echo(ASKER, later(-1.0)), "of the future");
        }
    }

    #[test]
    fn others_and_guesses_prove_next_to_nothing() {
        let stamp = marked(hasher(), NOW, -24, ASKER);
        let later = NOW.plus(NtpDuration::from_seconds(1.0));
        let others = (0..10_000_u32).filter(|number| {
            let address = IpAddr::from((0x0A00_0000 + number).to_be_bytes());
            is_echo(hasher(), stamp, -24, address, later)
        });
        assert!(others.count() < 80, "one in 256");
        let other_secret = SipHasher13::new_with_key(&[4; 16]);
        let guesses = (0..10_000_u64).filter(|number| {
            let guess = NtpTimestamp::from_bits(NOW.to_bits() - number * 7919);
            is_echo(other_secret, guess, -24, ASKER, later)
        });
        assert!(guesses.count() < 80, "one in 256");
        let zero = NtpTimestamp::ZERO;
        assert!(!is_echo(hasher(), zero, -24, ASKER, later));
    }
}
