//! The numbers in a private key's container, taken as they stand: Autokey's identity schemes hide
//! their own in it.
use super::KeyFileError;
use super::cipher::{self, KeyCipher};
use super::der::{self, Reader};
use super::pem::{self, Block};
use crate::secret_number::SecretNumber;
use openssl::bn::{BigNum, BigNumRef};

pub(super) const PKCS8_ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";
const PKCS8: &str = "PRIVATE KEY";
const DSA: &str = "DSA PRIVATE KEY";
const RSA: &str = "RSA PRIVATE KEY";

pub(crate) const RSA_OID: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01];
pub(crate) const DSA_OID: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x38, 0x04, 0x01];

/// What a container holds.
#[derive(Debug)]
pub(crate) enum Numbers {
    Dsa(DsaNumbers),
    Rsa(RsaNumbers),
}

#[derive(Debug)]
pub(crate) struct DsaNumbers {
    pub(crate) p: BigNum,
    pub(crate) q: BigNum,
    pub(crate) g: BigNum,
    /// PKCS#8 has no place for it.
    pub(crate) public: Option<BigNum>,
    pub(crate) private: SecretNumber,
}

#[derive(Debug)]
pub(crate) struct RsaNumbers {
    pub(crate) n: BigNum,
    pub(crate) e: BigNum,
    /// d, p, q, d mod p-1, d mod q-1, 1/q mod p.
    pub(crate) rest: [SecretNumber; 6],
}

impl DsaNumbers {
    /// The traditional container, whose bits are five numbers.
    pub(crate) fn der(
        [p, q, g, public, private]: [&BigNumRef; 5],
    ) -> Result<Vec<u8>, KeyFileError> {
        Ok(der::numbers(&[p, q, g, public, private])?)
    }
}

impl Numbers {
    /// All digits of a DSA container.
    #[cfg(test)]
    pub(crate) fn hex(self) -> String {
        let dsa = self.dsa().expect("a DSA container");
        let public = dsa.public.expect("a public value");
        [&*dsa.p, &dsa.q, &dsa.g, &public, &dsa.private]
            .map(|number| number.to_hex_str().expect("digits").to_string())
            .join(" ")
    }

    pub(crate) fn dsa(self) -> Result<DsaNumbers, KeyFileError> {
        match self {
            Self::Dsa(numbers) => Ok(numbers),
            Self::Rsa(_) => Err(KeyFileError::WrongKind("a DSA container")),
        }
    }

    pub(crate) fn rsa(self) -> Result<RsaNumbers, KeyFileError> {
        match self {
            Self::Rsa(numbers) => Ok(numbers),
            Self::Dsa(_) => Err(KeyFileError::WrongKind("an RSA container")),
        }
    }
}

/// Reads one block.
pub(super) fn decode(block: &Block, password: Option<&[u8]>) -> Result<Numbers, KeyFileError> {
    let asked = || password.ok_or(KeyFileError::NeedsPassword);
    // A wrong password leaves sound padding once in 256 tries: then the contents tell.
    let guessed = KeyFileError::WrongPassword;
    match (block.label.as_str(), &block.dek_info) {
        (label @ (DSA | RSA), Some(dek_info)) => {
            let plain = cipher::open_traditional(dek_info, asked()?, &block.body)?;
            traditional(label, plain.octets()).ok_or(guessed)
        }
        (label @ (DSA | RSA), None) => traditional(label, &block.body).ok_or(KeyFileError::Damaged),
        (PKCS8_ENCRYPTED, _) => {
            let plain = cipher::open_pkcs8(asked()?, &block.body)?;
            pkcs8(plain.octets()).unwrap_or(Err(guessed))
        }
        (PKCS8, None) => pkcs8(&block.body).unwrap_or(Err(KeyFileError::Damaged)),
        _ => Err(KeyFileError::WrongKind("RSA or DSA")),
    }
}

fn traditional(label: &str, octets: &[u8]) -> Option<Numbers> {
    if label == RSA {
        return rsa(octets);
    }
    let mut numbers = Reader::new(octets).sequence()?;
    numbers.small()?;
    Some(Numbers::Dsa(DsaNumbers {
        p: modulus(&mut numbers)?,
        q: numbers.integer()?,
        g: numbers.integer()?,
        public: Some(numbers.integer()?),
        private: SecretNumber::new(numbers.integer()?),
    }))
}

/// `None` when it is no PrivateKeyInfo (RFC 5208), which tells of a wrong password.
fn pkcs8(octets: &[u8]) -> Option<Result<Numbers, KeyFileError>> {
    let mut info = Reader::new(octets).sequence()?;
    info.small()?;
    let mut algorithm = info.sequence()?;
    let name = algorithm.oid()?;
    let key = info.octet_string()?;
    match name {
        RSA_OID => rsa(key).map(Ok),
        DSA_OID => {
            let mut parameters = algorithm.sequence()?;
            Some(Ok(Numbers::Dsa(DsaNumbers {
                p: modulus(&mut parameters)?,
                q: parameters.integer()?,
                g: parameters.integer()?,
                public: None,
                private: SecretNumber::new(Reader::new(key).integer()?),
            })))
        }
        _ => Some(Err(KeyFileError::WrongKind("RSA or DSA"))),
    }
}

fn rsa(octets: &[u8]) -> Option<Numbers> {
    let mut numbers = Reader::new(octets).sequence()?;
    numbers.small()?;
    let (n, e) = (modulus(&mut numbers)?, numbers.integer()?);
    let mut secret = || numbers.integer().map(SecretNumber::new);
    let rest = [
        secret()?,
        secret()?,
        secret()?,
        secret()?,
        secret()?,
        secret()?,
    ];
    Some(Numbers::Rsa(RsaNumbers { n, e, rest }))
}

/// A modulus is odd and more than 1: OpenSSL's arithmetic asks for that.
fn modulus(numbers: &mut Reader<'_>) -> Option<BigNum> {
    numbers
        .integer()
        .filter(|number| number.is_odd() && number.num_bits() > 16)
}

/// Writes a traditional container, encrypted if there is a password.
pub(crate) fn traditional_pem(
    dsa: bool,
    octets: &[u8],
    seal: Option<(KeyCipher, &[u8])>,
) -> Result<String, KeyFileError> {
    let (dek_info, body) = match seal {
        None => (None, octets.to_vec()),
        Some((cipher, password)) => {
            let (dek_info, body) = cipher::seal_traditional(cipher, password, octets)?;
            (Some(dek_info), body)
        }
    };
    let label = if dsa { DSA } else { RSA }.to_owned();
    Ok(pem::text(&Block {
        label,
        dek_info,
        body,
    }))
}
