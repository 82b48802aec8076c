//! Public keys that strangers send: what is accepted of them, before anything is computed with them.
use openssl::bn::BigNumRef;
use openssl::pkey::{Id, PKey, Public};
use openssl::rsa::Rsa;
use truechimer_proto::autokey::job::Failure;

/// Moduli, bits: below, not even MD5's signature fits; above, neither does a certificate in a packet.
const MODULUS_BITS: core::ops::RangeInclusive<i32> = 512..=4096;
/// Longest public exponent, bits: a long one would cost as much as a private operation.
const EXPONENT_BITS_MAX: i32 = 64;
/// Longest subgroup order of DSA, bits.
const ORDER_BITS_MAX: i32 = 256;

/// A key out of a `SubjectPublicKeyInfo`: RSA or DSA, neither uselessly short nor expensively long.
pub(crate) fn read(der: &[u8]) -> Result<PKey<Public>, Failure> {
    let key = PKey::public_key_from_der(der).map_err(|_| Failure::PublicKey)?;
    let sound = match key.id() {
        Id::RSA => key.rsa().is_ok_and(|rsa| is_sound_rsa(&rsa)),
        Id::DSA => key.dsa().is_ok_and(|dsa| {
            is_sound_modulus(dsa.p())
                && dsa.q().num_bits() <= ORDER_BITS_MAX
                && dsa.g().ucmp(dsa.p()).is_lt()
                && dsa.pub_key().ucmp(dsa.p()).is_lt()
        }),
        _ => false,
    };
    if sound {
        Ok(key)
    } else {
        Err(Failure::PublicKey)
    }
}

/// An RSA key out of a PKCS#1 `RSAPublicKey`, as it is asked for cookies with.
pub(crate) fn read_pkcs1(der: &[u8]) -> Result<Rsa<Public>, Failure> {
    let key = Rsa::public_key_from_der_pkcs1(der).map_err(|_| Failure::PublicKey)?;
    if is_sound_rsa(&key) {
        Ok(key)
    } else {
        Err(Failure::PublicKey)
    }
}

fn is_sound_rsa(key: &openssl::rsa::RsaRef<Public>) -> bool {
    is_sound_modulus(key.n())
        && key.e().is_odd()
        && (2..=EXPONENT_BITS_MAX).contains(&key.e().num_bits())
}

fn is_sound_modulus(modulus: &BigNumRef) -> bool {
    modulus.is_odd() && !modulus.is_negative() && MODULUS_BITS.contains(&modulus.num_bits())
}
