//! IFF, the modified Schnorr scheme: the server holds b, everybody v = g^(q-b) mod p.
use super::arithmetic::{Modulo, is_one, is_prime, md5, minus, octets};
use crate::keyfile::der::{self, Reader};
use crate::keyfile::numbers::{DsaNumbers, Numbers, traditional_pem};
use crate::keyfile::{KeyCipher, KeyFileError, KeyText};
use crate::secret::Secret;
use crate::secret_number::SecretNumber;
use openssl::bn::{BigNum, BigNumRef};
use openssl::dsa::Dsa;

/// Smallest and largest modulus, bits.
const BITS_MIN: i32 = 256;
const BITS_MAX: i32 = 4096;

/// What a client holds; anybody may read it.
#[derive(Debug)]
pub struct IffParameters {
    p: BigNum,
    q: BigNum,
    g: BigNum,
    v: BigNum,
}

/// What a server holds.
#[derive(Debug)]
pub struct IffKey {
    public: IffParameters,
    b: SecretNumber,
    /// Whether the file's own public value was lost.
    mended: bool,
}

/// A server's answer to a challenge: y, and the MD5 of x.
#[derive(Debug)]
pub struct IffAnswer {
    y: BigNum,
    x_md5: BigNum,
}

impl IffAnswer {
    /// As it is sent: a DER sequence of y and the MD5.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        der::integers(&[&self.y, &self.x_md5])
    }

    /// As it came.
    #[must_use]
    pub fn from_der(octets: &[u8]) -> Option<Self> {
        let [y, x_md5] = Reader::integers(octets)?;
        Some(Self { y, x_md5 })
    }
}

impl IffKey {
    /// New parameters and a new key. Below 512 bits OpenSSL takes 512.
    ///
    /// # Errors
    /// OpenSSL's.
    pub fn generate(bits: u32) -> Result<Self, KeyFileError> {
        let dsa = Dsa::generate_params(bits.max(512))?;
        let own = |number: &BigNumRef| number.to_owned();
        let (p, q, g) = (own(dsa.p())?, own(dsa.q())?, own(dsa.g())?);
        let b = SecretNumber::new(Modulo::new(&q)?.random()?);
        let v = Modulo::new(&p)?.power(&g, &SecretNumber::new(minus(&q, &b)?))?;
        let public = IffParameters { p, q, g, v };
        Ok(Self {
            public,
            b,
            mended: false,
        })
    }

    /// Reads a server's file. A public value that is wrong or lost is computed anew.
    ///
    /// # Errors
    /// What is wrong with the file; `WrongKind` for a client's.
    pub fn read(text: &KeyText, password: Option<&[u8]>) -> Result<Self, KeyFileError> {
        Self::from_numbers(text.one(password)?)
    }

    fn from_numbers(numbers: Numbers) -> Result<Self, KeyFileError> {
        let dsa = numbers.dsa()?;
        check_group(&dsa)?;
        if is_one(&dsa.private) {
            return Err(KeyFileError::WrongKind("an IFF server key"));
        }
        if dsa.private.ucmp(&dsa.q).is_ge() {
            return Err(KeyFileError::Inconsistent);
        }
        let exponent = SecretNumber::new(minus(&dsa.q, &dsa.private)?);
        let v = Modulo::new(&dsa.p)?.power(&dsa.g, &exponent)?;
        let mended = dsa.public.as_ref() != Some(&v);
        let public = IffParameters {
            p: dsa.p,
            q: dsa.q,
            g: dsa.g,
            v,
        };
        Ok(Self {
            public,
            b: dsa.private,
            mended,
        })
    }

    /// Whether the file it was read from lacks the right public value: a daemon that exports from
    /// it gives clients something useless.
    #[must_use]
    pub const fn was_mended(&self) -> bool {
        self.mended
    }

    #[cfg(test)]
    pub(super) fn b_hex(&self) -> String {
        self.b.to_hex_str().expect("digits").to_string()
    }

    /// The part for clients.
    #[must_use]
    pub const fn parameters(&self) -> &IffParameters {
        &self.public
    }

    /// The server's file, in the traditional form that keeps v.
    ///
    /// # Errors
    /// OpenSSL's.
    pub fn to_pem(&self, cipher: KeyCipher, password: &[u8]) -> Result<String, KeyFileError> {
        let IffParameters { p, q, g, v } = &self.public;
        let der = Secret::new(DsaNumbers::der([p, q, g, v, &self.b])?);
        traditional_pem(true, der.octets(), Some((cipher, password)))
    }

    /// Answers a challenge r: y = k + b r mod q for a random k, x = g^k mod p.
    ///
    /// # Errors
    /// OpenSSL's.
    pub fn answer(&self, challenge: &[u8]) -> Result<IffAnswer, KeyFileError> {
        let r = BigNum::from_slice(challenge)?;
        let mut in_q = Modulo::new(&self.public.q)?;
        let k = SecretNumber::new(in_q.random()?);
        // The asker picks r and can time us: b is only multiplied under a random factor.
        let blind = SecretNumber::new(in_q.random()?);
        let unblind = SecretNumber::new(in_q.inverse(&blind)?);
        let blinded_b = SecretNumber::new(in_q.product(&self.b, &blind)?);
        let blinded_k = SecretNumber::new(in_q.product(&k, &blind)?);
        let blinded_br = SecretNumber::new(in_q.product(&blinded_b, &r)?);
        let blinded_y = in_q.sum(&blinded_k, &blinded_br)?;
        let y = in_q.product(&blinded_y, &unblind)?;
        let x = Modulo::new(&self.public.p)?.power(&self.public.g, &k)?;
        Ok(IffAnswer { y, x_md5: md5(&x)? })
    }

    /// The two checks that generation reports: g^(q-b) g^b = 1, and an exchange that succeeds.
    ///
    /// # Errors
    /// OpenSSL's.
    pub fn confirm(&self) -> Result<[bool; 2], KeyFileError> {
        let mut in_p = Modulo::new(&self.public.p)?;
        let power = in_p.power(&self.public.g, &self.b)?;
        let product = in_p.product(&power, &self.public.v)?;
        let challenge = self.public.challenge()?;
        let answer = self.answer(&challenge)?;
        Ok([is_one(&product), self.public.verify(&challenge, &answer)?])
    }
}

impl IffParameters {
    /// Reads a client's file.
    ///
    /// # Errors
    /// What is wrong with it; `LostPublicValue` when it proves nothing, `WrongKind` when it holds
    /// a server's secret.
    pub fn read(text: &KeyText) -> Result<Self, KeyFileError> {
        let dsa = text.one(None)?.dsa()?;
        check_group(&dsa)?;
        if !is_one(&dsa.private) {
            return Err(KeyFileError::WrongKind(
                "IFF client parameters; it holds the server's secret",
            ));
        }
        let v = dsa.public.ok_or(KeyFileError::LostPublicValue)?;
        // g^1: what a reader puts where the value was lost.
        if v == dsa.g || v.num_bits() <= 1 {
            return Err(KeyFileError::LostPublicValue);
        }
        if v.ucmp(&dsa.p).is_ge() || !is_one(&*Modulo::new(&dsa.p)?.power(&v, &dsa.q)?) {
            return Err(KeyFileError::Inconsistent);
        }
        Ok(Self {
            p: dsa.p,
            q: dsa.q,
            g: dsa.g,
            v,
        })
    }

    /// The client's file: the private value is 1, and nothing in it is secret.
    ///
    /// # Errors
    /// OpenSSL's.
    pub fn to_pem(&self) -> Result<String, KeyFileError> {
        let one = BigNum::from_u32(1)?;
        traditional_pem(
            true,
            &DsaNumbers::der([&self.p, &self.q, &self.g, &self.v, &one])?,
            None,
        )
    }

    /// A random challenge as long as q.
    ///
    /// # Errors
    /// OpenSSL's.
    pub fn challenge(&self) -> Result<Vec<u8>, KeyFileError> {
        Ok(Modulo::new(&self.q)?
            .random()?
            .to_vec_padded(self.q.num_bytes())?)
    }

    /// Whether an answer shows that the server holds b: MD5 of g^y v^r mod p is that of x.
    ///
    /// # Errors
    /// OpenSSL's.
    pub fn verify(&self, challenge: &[u8], answer: &IffAnswer) -> Result<bool, KeyFileError> {
        if answer.y.ucmp(&self.q).is_ge() {
            return Ok(false);
        }
        let r = BigNum::from_slice(challenge)?;
        let mut in_p = Modulo::new(&self.p)?;
        let left = in_p.power(&self.g, &answer.y)?;
        let right = in_p.power(&self.v, &r)?;
        let x = in_p.product(&left, &right)?;
        Ok(md5(&x)? == answer.x_md5)
    }

    /// Octets of a challenge.
    #[must_use]
    pub fn challenge_len(&self) -> usize {
        octets(&self.q)
    }

    /// Modulus, bits.
    #[must_use]
    pub fn bits(&self) -> u32 {
        self.p.num_bits().unsigned_abs()
    }

    /// The public numbers with their names.
    #[must_use]
    pub fn show(&self) -> Vec<(&'static str, String)> {
        super::show([
            ("p", &self.p),
            ("q", &self.q),
            ("g", &self.g),
            ("v", &self.v),
        ])
    }
}

/// p and q of a sensible size, q prime, and g of order q.
fn check_group(dsa: &DsaNumbers) -> Result<(), KeyFileError> {
    let sound = (BITS_MIN..=BITS_MAX).contains(&dsa.p.num_bits())
        && dsa.q.num_bits() >= 128
        && dsa.q.ucmp(&dsa.p).is_lt()
        && dsa.g.num_bits() > 1
        && is_prime(&dsa.q)?
        && is_one(&*Modulo::new(&dsa.p)?.power(&dsa.g, &dsa.q)?);
    if sound {
        Ok(())
    } else {
        Err(KeyFileError::Inconsistent)
    }
}
