//! Host and sign keys.
use crate::keyfile::numbers::{DsaNumbers, Numbers, RsaNumbers, traditional_pem};
use crate::keyfile::{KeyCipher, KeyFileError, KeyText, der};
use crate::secret::Secret;
use openssl::bn::{BigNum, BigNumContext, BigNumRef};
use openssl::dsa::Dsa;
use openssl::pkey::{Id, PKey, Private};
use openssl::rsa::Rsa;

/// RSA or DSA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA, which host keys are.
    Rsa,
    /// DSA, for sign keys only.
    Dsa,
}

impl KeyKind {
    /// As in file names and scheme names.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rsa => "RSA",
            Self::Dsa => "DSA",
        }
    }
}

/// How a private key is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyForm {
    /// `ENCRYPTED PRIVATE KEY`.
    Pkcs8,
    /// `RSA PRIVATE KEY` or `DSA PRIVATE KEY` with `DEK-Info`, as NTP of before 2010 reads it.
    Traditional,
}

/// A private key.
pub struct PrivateKey(pub(crate) PKey<Private>);

impl core::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(
            f,
            "PrivateKey({}, {} bits)",
            self.kind().name(),
            self.bits()
        )
    }
}

impl PrivateKey {
    /// A new key. OpenSSL makes none below 512 bits.
    ///
    /// # Errors
    /// OpenSSL's.
    pub fn generate(kind: KeyKind, bits: u32) -> Result<Self, KeyFileError> {
        let key = match kind {
            KeyKind::Rsa => PKey::from_rsa(Rsa::generate(bits)?)?,
            KeyKind::Dsa => PKey::from_dsa(Dsa::generate(bits)?)?,
        };
        Ok(Self(key))
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: &KeyText, password: Option<&[u8]>) -> Result<Self, KeyFileError> {
        match text.one(password)? {
            Numbers::Rsa(numbers) => rsa(&numbers),
            Numbers::Dsa(numbers) => dsa(numbers),
        }
    }

    /// RSA or DSA.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        if self.0.id() == Id::DSA {
            KeyKind::Dsa
        } else {
            KeyKind::Rsa
        }
    }

    /// Modulus, bits.
    #[must_use]
    pub fn bits(&self) -> u32 {
        self.0.bits()
    }

    /// The text of its file, encrypted.
    ///
    /// # Errors
    /// OpenSSL's; that DES is not to be had.
    pub fn to_pem(
        &self,
        form: KeyForm,
        cipher: KeyCipher,
        password: &[u8],
    ) -> Result<String, KeyFileError> {
        match form {
            KeyForm::Pkcs8 => {
                let text = self
                    .0
                    .private_key_to_pem_pkcs8_passphrase(cipher.openssl()?, password)?;
                String::from_utf8(text).map_err(|_| KeyFileError::Inconsistent)
            }
            KeyForm::Traditional => {
                let (is_dsa, der) = match self.kind() {
                    KeyKind::Rsa => (false, self.0.rsa()?.private_key_to_der()?),
                    KeyKind::Dsa => (true, dsa_der(&*self.0.dsa()?)?),
                };
                let der = Secret::new(der);
                traditional_pem(is_dsa, der.octets(), Some((cipher, password)))
            }
        }
    }
}

fn dsa_der(key: &openssl::dsa::DsaRef<Private>) -> Result<Vec<u8>, KeyFileError> {
    DsaNumbers::der([key.p(), key.q(), key.g(), key.pub_key(), key.priv_key()])
}

fn rsa(numbers: &RsaNumbers) -> Result<PrivateKey, KeyFileError> {
    let [d, p, q, dp, dq, inverse] = &numbers.rest;
    let all: [&BigNumRef; 8] = [&numbers.n, &numbers.e, d, p, q, dp, dq, inverse];
    let der = Secret::new(der::numbers(&all)?);
    let key = Rsa::private_key_from_der(der.octets())?;
    // Identity keys hide in the same container.
    if !key.check_key().unwrap_or(false) {
        return Err(KeyFileError::WrongKind("an RSA key"));
    }
    Ok(PrivateKey(PKey::from_rsa(key)?))
}

fn dsa(numbers: DsaNumbers) -> Result<PrivateKey, KeyFileError> {
    let mut public = BigNum::new()?;
    let mut context = BigNumContext::new_secure()?;
    public.mod_exp(&numbers.g, &numbers.private, &numbers.p, &mut context)?;
    if numbers.public.is_some_and(|claimed| claimed != public) {
        return Err(KeyFileError::WrongKind("a DSA key"));
    }
    let private = numbers.private.to_owned()?;
    let key = Dsa::from_private_components(numbers.p, numbers.q, numbers.g, private, public)?;
    Ok(PrivateKey(PKey::from_dsa(key)?))
}
