//! Public keys that strangers send: what is accepted of them, before anything is computed with them.
//!
//! Their numbers are looked at as they stand: a DSA key may come without parameters (RFC 3279), and
//! OpenSSL's binding would then follow a null pointer.
use crate::keyfile::der::Reader;
use crate::keyfile::numbers::{DSA_OID, RSA_OID};
use openssl::bn::BigNum;
use openssl::pkey::{PKey, Public};
use openssl::rsa::Rsa;
use truechimer_proto::autokey::job::Failure;

/// Moduli, bits: below, not even MD5's signature fits; above, neither does a certificate in a packet.
const MODULUS_BITS: core::ops::RangeInclusive<i32> = 512..=4096;
/// Longest public exponent, bits: a long one would cost as much as a private operation.
const EXPONENT_BITS_MAX: i32 = 64;
/// Orders of DSA's subgroups, bits.
const ORDER_BITS: core::ops::RangeInclusive<i32> = 160..=256;
/// Tag of DER.
const BIT_STRING: u8 = 0x03;

/// A key out of a `SubjectPublicKeyInfo`: RSA or DSA, neither uselessly short nor expensively long.
pub(crate) fn read(der: &[u8]) -> Result<PKey<Public>, Failure> {
    let key = is_sound(der).then(|| PKey::public_key_from_der(der));
    key.and_then(Result::ok).ok_or(Failure::PublicKey)
}

/// An RSA key out of a PKCS#1 `RSAPublicKey`, as it is asked for cookies with.
pub(crate) fn read_pkcs1(der: &[u8]) -> Result<Rsa<Public>, Failure> {
    let key = is_sound_rsa(der).then(|| Rsa::public_key_from_der_pkcs1(der));
    key.and_then(Result::ok).ok_or(Failure::PublicKey)
}

fn is_sound(info: &[u8]) -> bool {
    let parts = || {
        let mut info = Reader::new(info).sequence()?;
        let mut algorithm = info.sequence()?;
        let name = algorithm.oid()?;
        let (unused_bits, key) = info.element(BIT_STRING)?.split_first()?;
        let is_whole = *unused_bits == 0 && info.is_empty();
        is_whole.then_some((name, algorithm, key))
    };
    match parts() {
        Some((RSA_OID, _, key)) => is_sound_rsa(key),
        Some((DSA_OID, mut algorithm, key)) => algorithm
            .any()
            .is_some_and(|(_, parameters)| is_sound_dsa(parameters, key)),
        _ => false,
    }
}

fn is_sound_rsa(key: &[u8]) -> bool {
    Reader::integers(key).is_some_and(|[modulus, exponent]| {
        is_sound_modulus(&modulus)
            && exponent.is_odd()
            && (2..=EXPONENT_BITS_MAX).contains(&exponent.num_bits())
    })
}

/// Of the three parameters, without their sequence's tag and length, and of the public value.
fn is_sound_dsa(parameters: &[u8], public: &[u8]) -> bool {
    let mut parameters = Reader::new(parameters);
    let mut read = || {
        Some([
            parameters.integer()?,
            parameters.integer()?,
            parameters.integer()?,
            Reader::new(public).integer()?,
        ])
    };
    read().is_some_and(|[p, q, g, public]| {
        is_sound_modulus(&p)
            && ORDER_BITS.contains(&q.num_bits())
            && [g, public]
                .iter()
                .all(|it| it.num_bits() > 1 && it.ucmp(&p).is_lt())
    })
}

fn is_sound_modulus(modulus: &BigNum) -> bool {
    modulus.is_odd() && MODULUS_BITS.contains(&modulus.num_bits())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        use crate::{KeyKind, PrivateKey};
        let read_again = |kind, bits| {
            let key = PrivateKey::generate(kind, bits).expect("a key");
            let der = key.0.public_key_to_der().expect("written");
            read(&der).map(|key| key.size())
        };
        assert_eq!(read_again(KeyKind::Rsa, 512), Ok(64));
        assert_eq!(read_again(KeyKind::Rsa, 2048), Ok(256));
        assert!(read_again(KeyKind::Dsa, 1024).is_ok());
        let rsa = |exponent: &[u8], bits: i32| {
            let mut modulus = BigNum::new().expect("a number");
            modulus.set_bit(bits - 1).expect("room");
            modulus.set_bit(0).expect("room");
            let exponent = BigNum::from_slice(exponent).expect("a number");
            let der = crate::keyfile::der::integers(&[&modulus, &exponent]);
            read_pkcs1(&der).map(|key| key.size())
        };
        assert_eq!(rsa(&[1, 0, 1], 4096), Ok(512));
        assert_eq!(rsa(&[3], 512), Ok(64));
        for (exponent, bits) in [(&[3][..], 511), (&[3], 4097), (&[4], 512), (&[1], 512)] {
            assert_eq!(
                rsa(exponent, bits),
                Err(Failure::PublicKey),
                "{exponent:?} {bits}"
            );
        }
        assert_eq!(rsa(&[0xFF; 9], 512), Err(Failure::PublicKey));
    }

    /// RFC 3279 lets a DSA key leave its parameters to its issuer's.
    #[test]
    fn dsa_without_parameters() {
        let der = [
            0x30, 0x11, 0x30, 0x09, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x38, 0x04, 0x01, 0x03,
            0x04, 0x00, 0x02, 0x01, 0x05,
        ];
        assert_eq!(read(&der).err(), Some(Failure::PublicKey));
    }
}
