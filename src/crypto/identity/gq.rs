//! GQ, Guillou-Quisquater: the group shares n and b, the server holds u, its certificate carries
//! v = (1/u)^b mod n.
use super::arithmetic::{Modulo, is_one, md5, octets};
use crate::keyfile::numbers::traditional_pem;
use crate::keyfile::{KeyCipher, KeyFileError, KeyText, der};
use crate::secret::Secret;
use crate::secret_number::SecretNumber;
use openssl::bn::{BigNum, BigNumRef};
use openssl::rsa::Rsa;

/// What the whole group holds.
#[derive(Debug)]
pub struct GqParameters {
    n: BigNum,
    b: BigNum,
}

/// What a server holds.
#[derive(Debug)]
pub struct GqKey {
    group: GqParameters,
    u: SecretNumber,
    v: BigNum,
}

/// A server's answer to a challenge: y, and the MD5 of x.
#[derive(Debug)]
pub struct GqAnswer {
    y: BigNum,
    x_md5: BigNum,
}

impl GqAnswer {
    /// As it is sent: a DER sequence of y and the MD5.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        der::integers(&[&self.y, &self.x_md5])
    }

    /// As it came.
    #[must_use]
    pub fn from_der(octets: &[u8]) -> Option<Self> {
        let [y, x_md5] = der::Reader::integers(octets)?;
        Some(Self { y, x_md5 })
    }
}

impl GqKey {
    /// Largest modulus, bits: the reference reads v from the certificate only while its length
    /// fits one octet of DER.
    pub const BITS_MAX: u32 = 1016;

    /// New parameters and a new key. Below 512 bits OpenSSL makes none, so 512 are taken; the
    /// modulus is rounded to whole octets, because p15 sends challenges unpadded.
    ///
    /// # Errors
    /// OpenSSL's.
    pub fn generate(bits: u32) -> Result<Self, KeyFileError> {
        let bits = bits.clamp(512, Self::BITS_MAX).next_multiple_of(8);
        let n = Rsa::generate(bits)?.n().to_owned()?;
        let b = Modulo::new(&n)?.random()?;
        Self::of_group(GqParameters { n, b })
    }

    /// A new key of the same group.
    ///
    /// # Errors
    /// OpenSSL's.
    pub fn renew(&self) -> Result<Self, KeyFileError> {
        let own = |number: &BigNumRef| number.to_owned();
        Self::of_group(GqParameters {
            n: own(&self.group.n)?,
            b: own(&self.group.b)?,
        })
    }

    fn of_group(group: GqParameters) -> Result<Self, KeyFileError> {
        let mut in_n = Modulo::new(&group.n)?;
        let u = loop {
            let u = in_n.random()?;
            if in_n.is_prime_to(&u)? {
                break SecretNumber::new(u);
            }
        };
        let inverse = SecretNumber::new(in_n.inverse(&u)?);
        let v = in_n.power(&inverse, &group.b)?;
        Ok(Self { group, u, v })
    }

    /// Reads a server's file.
    ///
    /// # Errors
    /// What is wrong with it; `WrongKind` for a client's.
    pub fn read(text: &KeyText, password: Option<&[u8]>) -> Result<Self, KeyFileError> {
        let rsa = text.one(password)?.rsa()?;
        let [_, u, v, ..] = rsa.rest;
        let v = v.to_owned()?;
        if is_one(&u) && is_one(&v) {
            return Err(KeyFileError::WrongKind("a GQ server key"));
        }
        let group = GqParameters { n: rsa.n, b: rsa.e };
        let key = Self { group, u, v };
        if key.is_consistent()? {
            Ok(key)
        } else {
            Err(KeyFileError::WrongKind("a GQ server key"))
        }
    }

    /// u^b v = 1 mod n.
    fn is_consistent(&self) -> Result<bool, KeyFileError> {
        let mut in_n = Modulo::new(&self.group.n)?;
        let power = in_n.power(&self.u, &self.group.b)?;
        Ok(is_one(&*in_n.product(&power, &self.v)?))
    }

    /// The part for clients.
    #[must_use]
    pub const fn parameters(&self) -> &GqParameters {
        &self.group
    }

    /// v, for the certificate: big-endian, without leading zeros.
    #[must_use]
    pub fn public_value(&self) -> Vec<u8> {
        self.v.to_vec()
    }

    /// The server's file: an RSA container with n, e = b, p = u, q = v and ones.
    ///
    /// # Errors
    /// OpenSSL's.
    pub fn to_pem(&self, cipher: KeyCipher, password: &[u8]) -> Result<String, KeyFileError> {
        let one = BigNum::from_u32(1)?;
        let GqParameters { n, b } = &self.group;
        let numbers: [&BigNumRef; 8] = [n, b, &one, &self.u, &self.v, &one, &one, &one];
        let der = Secret::new(der::numbers(&numbers)?);
        traditional_pem(false, der.octets(), Some((cipher, password)))
    }

    /// Answers a challenge r: y = k u^r mod n, x = k^b mod n for a random k.
    ///
    /// # Errors
    /// OpenSSL's.
    pub fn answer(&self, challenge: &[u8]) -> Result<GqAnswer, KeyFileError> {
        let r = BigNum::from_slice(challenge)?;
        let mut in_n = Modulo::new(&self.group.n)?;
        let k = SecretNumber::new(in_n.random()?);
        let power = SecretNumber::new(in_n.power(&self.u, &r)?);
        let y = in_n.product(&k, &power)?;
        let x = in_n.power(&k, &self.group.b)?;
        Ok(GqAnswer { y, x_md5: md5(&x)? })
    }

    /// The two checks that generation reports: u^b v = 1, and an exchange that succeeds.
    ///
    /// # Errors
    /// OpenSSL's.
    pub fn confirm(&self) -> Result<[bool; 2], KeyFileError> {
        let challenge = self.group.challenge()?;
        let answer = self.answer(&challenge)?;
        let shown = self
            .group
            .verify(&challenge, &answer, &self.public_value())?;
        Ok([self.is_consistent()?, shown])
    }
}

impl GqParameters {
    /// Reads a client's file.
    ///
    /// # Errors
    /// What is wrong with it; `WrongKind` when it holds a server's secret.
    pub fn read(text: &KeyText) -> Result<Self, KeyFileError> {
        let rsa = text.one(None)?.rsa()?;
        let [_, u, v, ..] = &rsa.rest;
        if !is_one(u) || !is_one(v) {
            return Err(KeyFileError::WrongKind(
                "GQ client parameters; it holds a server's secret",
            ));
        }
        if rsa.e.num_bits() < 2 || rsa.e.ucmp(&rsa.n).is_ge() {
            return Err(KeyFileError::Inconsistent);
        }
        Ok(Self { n: rsa.n, b: rsa.e })
    }

    /// The client's file: n and e = b, and ones.
    ///
    /// # Errors
    /// OpenSSL's.
    pub fn to_pem(&self) -> Result<String, KeyFileError> {
        let one = BigNum::from_u32(1)?;
        let numbers: [&BigNumRef; 8] = [&self.n, &self.b, &one, &one, &one, &one, &one, &one];
        traditional_pem(false, &der::numbers(&numbers)?, None)
    }

    /// A random challenge as long as n.
    ///
    /// # Errors
    /// OpenSSL's.
    pub fn challenge(&self) -> Result<Vec<u8>, KeyFileError> {
        Ok(Modulo::new(&self.n)?
            .random()?
            .to_vec_padded(self.n.num_bytes())?)
    }

    /// Whether an answer shows that the server holds the u of the v in its certificate: MD5 of
    /// v^r y^b mod n is that of x.
    ///
    /// # Errors
    /// OpenSSL's.
    pub fn verify(
        &self,
        challenge: &[u8],
        answer: &GqAnswer,
        public_value: &[u8],
    ) -> Result<bool, KeyFileError> {
        let (r, v) = (
            BigNum::from_slice(challenge)?,
            BigNum::from_slice(public_value)?,
        );
        let is_of_group =
            |number: &BigNumRef| number.num_bits() > 1 && number.ucmp(&self.n).is_lt();
        // With a v or a y of 0 or 1 nobody needs u, nor even n and b, to make x come out right.
        if !is_of_group(&v) || !is_of_group(&answer.y) {
            return Ok(false);
        }
        let mut in_n = Modulo::new(&self.n)?;
        let left = in_n.power(&v, &r)?;
        let right = in_n.power(&answer.y, &self.b)?;
        let x = in_n.product(&left, &right)?;
        Ok(x.num_bits() > 1 && md5(&x)? == answer.x_md5)
    }

    /// Octets of a challenge.
    #[must_use]
    pub fn challenge_len(&self) -> usize {
        octets(&self.n)
    }

    /// Modulus, bits.
    #[must_use]
    pub fn bits(&self) -> u32 {
        self.n.num_bits().unsigned_abs()
    }

    /// The numbers the group shares, with their names.
    #[must_use]
    pub fn show(&self) -> Vec<(&'static str, String)> {
        super::show([("n", &self.n), ("b", &self.b)])
    }
}
