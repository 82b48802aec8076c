//! Nonces: proof that whoever asks for a long list receives what is sent to its address.
//!
//! A nonce holds the moment it was made and a tag over that moment and the asker's address and
//! port. The tag is SipHash-2-4 of them, so only who knows the key can make one. Nothing is
//! remembered.
use core::hash::Hasher;
use core::net::{IpAddr, SocketAddr};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::RngCore;
use siphasher::sip::SipHasher24;
use truechimer_time::NtpTimestamp;

/// How long a nonce is good, seconds, as in the reference.
const GOOD_FOR_S: f64 = 16.0;

/// Makes nonces and knows its own again.
#[derive(Clone)]
pub(crate) struct Nonces {
    hasher: SipHasher24,
}

impl Nonces {
    pub(crate) fn new(rng: &mut ChaCha20Rng) -> Self {
        let mut key = [0; 16];
        rng.fill_bytes(&mut key);
        Self {
            hasher: SipHasher24::new_with_key(&key),
        }
    }

    /// A nonce for this asker, 32 hexadecimal digits.
    pub(crate) fn make(&self, asker: SocketAddr, now: NtpTimestamp) -> String {
        let made = now.to_bits();
        format!("{made:016x}{:016x}", self.tag(asker, made))
    }

    /// Whether this asker was given this nonce, and lately.
    pub(crate) fn is_good(&self, nonce: &str, asker: SocketAddr, now: NtpTimestamp) -> bool {
        let Some((made, tag)) = nonce.split_at_checked(16) else {
            return false;
        };
        let number = |digits: &str| {
            let plain = digits.len() == 16 && digits.bytes().all(|it| it.is_ascii_hexdigit());
            plain
                .then(|| u64::from_str_radix(digits, 16).ok())
                .flatten()
        };
        let (Some(made), Some(tag)) = (number(made), number(tag)) else {
            return false;
        };
        let age_s = now.since(NtpTimestamp::from_bits(made)).to_seconds();
        (0.0..GOOD_FOR_S).contains(&age_s) && self.tag(asker, made) == tag
    }

    fn tag(&self, asker: SocketAddr, made: u64) -> u64 {
        let address = match asker.ip() {
            IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
            IpAddr::V6(v6) => v6.to_bits(),
        };
        let mut hasher = self.hasher;
        hasher.write(&made.to_be_bytes());
        hasher.write(&address.to_be_bytes());
        hasher.write(&asker.port().to_be_bytes());
        hasher.finish()
    }
}

impl core::fmt::Debug for Nonces {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Nonces")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::rand_core::SeedableRng;

    const AT: NtpTimestamp = NtpTimestamp::from_bits(0xE000_0000_1234_5678);

    fn after(seconds: u64) -> NtpTimestamp {
        NtpTimestamp::from_bits(AT.to_bits() + (seconds << 32))
    }

    #[test]
    fn good_for_its_asker_and_for_a_while() {
        let nonces = Nonces::new(&mut ChaCha20Rng::from_seed([7; 32]));
        let asker: SocketAddr = "192.0.2.1:5000".parse().expect("an address");
        let nonce = nonces.make(asker, AT);
        assert!(nonces.is_good(&nonce, asker, after(0)));
        assert!(nonces.is_good(&nonce, asker, after(15)));
        assert!(!nonces.is_good(&nonce, asker, after(16)));
        let before = NtpTimestamp::from_bits(AT.to_bits() - 1);
        assert!(!nonces.is_good(&nonce, asker, before));
        for other in ["192.0.2.1:5001", "192.0.2.2:5000", "[2001:db8::1]:5000"] {
            let other = other.parse().expect("an address");
            assert!(!nonces.is_good(&nonce, other, after(1)));
        }
        let others = Nonces::new(&mut ChaCha20Rng::from_seed([8; 32]));
        assert!(!others.is_good(&nonce, asker, after(1)));
    }

    #[test]
    fn anything_else_is_bad() {
        let nonces = Nonces::new(&mut ChaCha20Rng::from_seed([7; 32]));
        let asker: SocketAddr = "192.0.2.1:5000".parse().expect("an address");
        let nonce = nonces.make(asker, AT);
        let (head, tail) = nonce.split_at(31);
        let turned = if tail == "0" { "1" } else { "0" };
        for bad in [
            "",
            "é",
            head,
            &format!("{head}{turned}"),
            &format!("{nonce}0"),
        ] {
            assert!(!nonces.is_good(bad, asker, after(1)), "{bad}");
        }
    }
}
