//! MV, Mu-Varadharajan: the trusted authority makes one key for each client; any of them verifies
//! the server, and each can be revoked without touching the others.
//!
//! With q the product of primes s_j, p = 2q + 1, g of order q, X_j the n-th powers of random roots
//! and s the product of the s_j of clients in good standing: E = g^(-s ΣX), the server's pair is
//! g^s and g^(s b), client j's pair is (1 + q/s_j) X_j and (ΣX - X_j)/b. Raised to one another and
//! multiplied they are 1/E, unless s_j is no longer in s.

mod authority;

pub use authority::MvAuthority;

use super::arithmetic::{Modulo, divided, is_one, minus, octets};
use crate::keyfile::der::{self, Reader};
use crate::keyfile::numbers::{DsaNumbers, traditional_pem};
use crate::keyfile::{KeyCipher, KeyFileError, KeyText};
use crate::secret::Secret;
use crate::secret_number::SecretNumber;
use openssl::bn::BigNum;

/// What a server holds.
#[derive(Debug)]
pub struct MvKey {
    pub(super) p: BigNum,
    pub(super) q: BigNum,
    pub(super) e: SecretNumber,
    /// g^s and g^(s b), the private and the public value of the container.
    pub(super) pair: [BigNum; 2],
}

/// What one client holds.
#[derive(Debug)]
pub struct MvParameters {
    pub(super) p: BigNum,
    /// (1 + q/s_j) X_j and (ΣX - X_j)/b, the public and the private value of the container.
    pub(super) pair: [SecretNumber; 2],
}

/// A server's answer to a challenge.
#[derive(Debug)]
pub struct MvAnswer {
    y: BigNum,
    pair: [BigNum; 2],
}

impl MvAnswer {
    /// As it is sent: a DER sequence of y and the pair.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        let [first, second] = &self.pair;
        der::integers(&[&self.y, first, second])
    }

    /// As it came.
    #[must_use]
    pub fn from_der(octets: &[u8]) -> Option<Self> {
        let [y, first, second] = Reader::integers(octets)?;
        let pair = [first, second];
        Some(Self { y, pair })
    }
}

impl MvKey {
    /// Reads a server's file, or that part of the trusted authority's file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: &KeyText, password: Option<&[u8]>) -> Result<Self, KeyFileError> {
        Self::from_numbers(text.one(password)?.dsa()?)
    }

    pub(super) fn from_numbers(dsa: DsaNumbers) -> Result<Self, KeyFileError> {
        if is_one(&dsa.q) {
            return Err(KeyFileError::WrongKind("an MV server key"));
        }
        let mut in_p = Modulo::new(&dsa.p)?;
        if !is_one(&*in_p.power(&dsa.g, &dsa.q)?) {
            return Err(KeyFileError::Inconsistent);
        }
        let public = dsa.public.ok_or(KeyFileError::LostPublicValue)?;
        // What a reader puts where the value was lost.
        if public == in_p.power(&dsa.g, &dsa.private)? {
            return Err(KeyFileError::LostPublicValue);
        }
        let pair = [dsa.private.to_owned()?, public];
        Ok(Self {
            p: dsa.p,
            q: dsa.q,
            e: SecretNumber::new(dsa.g),
            pair,
        })
    }

    pub(super) fn container(&self) -> Result<Secret, KeyFileError> {
        let [private, public] = &self.pair;
        Ok(Secret::new(DsaNumbers::der([
            &self.p, &self.q, &self.e, public, private,
        ])?))
    }

    /// The server's file.
    ///
    /// # Errors
    /// OpenSSL's.
    pub fn to_pem(&self, cipher: KeyCipher, password: &[u8]) -> Result<String, KeyFileError> {
        traditional_pem(true, self.container()?.octets(), Some((cipher, password)))
    }

    /// Answers a challenge r: y = r E^k mod p and the pair to the k for a random k.
    ///
    /// # Errors
    /// OpenSSL's.
    pub fn answer(&self, challenge: &[u8]) -> Result<MvAnswer, KeyFileError> {
        let r = BigNum::from_slice(challenge)?;
        let k = SecretNumber::new(Modulo::new(&self.q)?.random()?);
        let mut in_p = Modulo::new(&self.p)?;
        let mask = SecretNumber::new(in_p.power(&self.e, &k)?);
        let y = in_p.product(&r, &mask)?;
        let [first, second] = &self.pair;
        let pair = [in_p.power(first, &k)?, in_p.power(second, &k)?];
        Ok(MvAnswer { y, pair })
    }

    /// Whether a client's key still verifies this server.
    ///
    /// # Errors
    /// OpenSSL's.
    pub fn admits(&self, client: &MvParameters) -> Result<bool, KeyFileError> {
        let challenge = client.challenge()?;
        client.verify(&challenge, &self.answer(&challenge)?)
    }

    /// Octets of a challenge.
    #[must_use]
    pub fn challenge_len(&self) -> usize {
        octets(&self.p)
    }

    /// Modulus, bits.
    #[must_use]
    pub fn bits(&self) -> u32 {
        self.p.num_bits().unsigned_abs()
    }
}

impl MvParameters {
    /// Reads a client's file.
    ///
    /// # Errors
    /// What is wrong with it; `WrongKind` when it is a server's.
    pub fn read(text: &KeyText) -> Result<Self, KeyFileError> {
        Self::from_numbers(text.one(None)?.dsa()?)
    }

    pub(super) fn from_numbers(dsa: DsaNumbers) -> Result<Self, KeyFileError> {
        if !is_one(&dsa.q) || !is_one(&dsa.g) {
            return Err(KeyFileError::WrongKind(
                "MV client parameters; it holds a server's secret",
            ));
        }
        let public = dsa.public.ok_or(KeyFileError::LostPublicValue)?;
        if public.num_bits() <= 1 {
            return Err(KeyFileError::LostPublicValue);
        }
        Ok(Self {
            p: dsa.p,
            pair: [SecretNumber::new(public), dsa.private],
        })
    }

    pub(super) fn container(&self) -> Result<Secret, KeyFileError> {
        let one = BigNum::from_u32(1)?;
        let [public, private] = &self.pair;
        Ok(Secret::new(DsaNumbers::der([
            &self.p, &one, &one, public, private,
        ])?))
    }

    /// The client's file.
    ///
    /// # Errors
    /// OpenSSL's.
    pub fn to_pem(&self) -> Result<String, KeyFileError> {
        traditional_pem(true, self.container()?.octets(), None)
    }

    /// A random challenge as long as p.
    ///
    /// # Errors
    /// OpenSSL's.
    pub fn challenge(&self) -> Result<Vec<u8>, KeyFileError> {
        Ok(Modulo::new(&self.p)?
            .random()?
            .to_vec_padded(self.p.num_bytes())?)
    }

    /// Whether the answer, decrypted with this client's pair, is the challenge.
    ///
    /// # Errors
    /// OpenSSL's.
    pub fn verify(&self, challenge: &[u8], answer: &MvAnswer) -> Result<bool, KeyFileError> {
        let r = BigNum::from_slice(challenge)?;
        let mut in_p = Modulo::new(&self.p)?;
        let [first, second] = &answer.pair;
        let [a, b] = &self.pair;
        let q = minus(&self.p, &*BigNum::from_u32(1)?)?;
        let q = divided(&q, &*BigNum::from_u32(2)?)?;
        for half in [first, second] {
            // Outside the group of order q are numbers of order 1 and 2, whose powers anybody knows.
            if half.num_bits() <= 1
                || half.ucmp(&self.p).is_ge()
                || !is_one(&*in_p.power(half, &q)?)
            {
                return Ok(false);
            }
        }
        let (left, right) = (in_p.power(first, a)?, in_p.power(second, b)?);
        let inverse = SecretNumber::new(in_p.product(&left, &right)?);
        // A mask of 1 would "decrypt" a y that is the challenge itself.
        Ok(inverse.num_bits() > 1 && in_p.product(&answer.y, &inverse)? == r)
    }

    /// Modulus, bits.
    #[must_use]
    pub fn bits(&self) -> u32 {
        self.p.num_bits().unsigned_abs()
    }
}
