//! The encryption of key files: the traditional one of PEM, and PBES2 of PKCS#8.
use super::der::Reader;
use super::{KeyFileError, legacy};
use crate::secret::{Secret, wipe};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkcs5;
use openssl::rand::rand_bytes;
use openssl::symm::{self, Cipher};

/// Rounds of PBKDF2 believed; a file must not cost seconds.
const ROUNDS_MAX: u32 = 1_000_000;
/// Octets of the initial vector that the traditional way takes as salt.
const SALT_LEN: usize = 8;

/// What private keys are encrypted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyCipher {
    /// AES-256-CBC.
    Aes256,
    /// AES-192-CBC.
    Aes192,
    /// AES-128-CBC.
    Aes128,
    /// DES-EDE3-CBC, what the reference writes.
    TripleDes,
    /// DES-CBC, what NTP of before 2004 wrote. It protects nothing.
    Des,
}

const ALL: [KeyCipher; 5] = [
    KeyCipher::Aes256,
    KeyCipher::Aes192,
    KeyCipher::Aes128,
    KeyCipher::TripleDes,
    KeyCipher::Des,
];

impl KeyCipher {
    /// As `-C` and `DEK-Info` name it, in any case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let upper = name
            .to_ascii_uppercase()
            .replace("AES128", "AES-128")
            .replace("AES256", "AES-256");
        match upper.as_str() {
            "DES3" | "3DES" => Some(Self::TripleDes),
            "DES" => Some(Self::Des),
            "AES-128" => Some(Self::Aes128),
            "AES-256" => Some(Self::Aes256),
            _ => ALL.into_iter().find(|cipher| cipher.name() == upper),
        }
    }

    /// As `DEK-Info` has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aes256 => "AES-256-CBC",
            Self::Aes192 => "AES-192-CBC",
            Self::Aes128 => "AES-128-CBC",
            Self::TripleDes => "DES-EDE3-CBC",
            Self::Des => "DES-CBC",
        }
    }

    /// OpenSSL's, with the legacy provider loaded where it is needed.
    pub(crate) fn openssl(self) -> Result<Cipher, KeyFileError> {
        Ok(match self {
            Self::Aes256 => Cipher::aes_256_cbc(),
            Self::Aes192 => Cipher::aes_192_cbc(),
            Self::Aes128 => Cipher::aes_128_cbc(),
            Self::TripleDes => Cipher::des_ede3_cbc(),
            Self::Des => {
                legacy::load()?;
                Cipher::des_cbc()
            }
        })
    }

    fn from_oid(oid: &[u8]) -> Option<Self> {
        match oid {
            [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x02] => Some(Self::Aes128),
            [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x16] => Some(Self::Aes192),
            [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2A] => Some(Self::Aes256),
            [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x03, 0x07] => Some(Self::TripleDes),
            [0x2B, 0x0E, 0x03, 0x02, 0x07] => Some(Self::Des),
            _ => None,
        }
    }
}

/// The key of the traditional encryption: MD5, once, over password and salt.
fn traditional_key(cipher: Cipher, password: &[u8], salt: &[u8]) -> Result<Secret, KeyFileError> {
    let pair = pkcs5::bytes_to_key(cipher, MessageDigest::md5(), password, Some(salt), 1)?;
    Ok(Secret::new(pair.key))
}

/// Undoes the traditional encryption. A wrong password mostly shows in the padding, and else in
/// what comes out.
pub(super) fn open_traditional(
    dek_info: &str,
    password: &[u8],
    body: &[u8],
) -> Result<Secret, KeyFileError> {
    let (name, iv) = dek_info.split_once(',').ok_or(KeyFileError::Damaged)?;
    let cipher = KeyCipher::from_name(name)
        .ok_or_else(|| KeyFileError::UnknownCipher(name.to_owned()))?
        .openssl()?;
    let iv = hexadecimal(iv.trim()).ok_or(KeyFileError::Damaged)?;
    if Some(iv.len()) != cipher.iv_len() {
        return Err(KeyFileError::Damaged);
    }
    let key = traditional_key(cipher, password, &iv[..SALT_LEN])?;
    let plain = symm::decrypt(cipher, key.octets(), Some(&iv), body);
    plain
        .map(Secret::new)
        .map_err(|_| KeyFileError::WrongPassword)
}

/// The traditional encryption: `DEK-Info` and body.
pub(super) fn seal_traditional(
    cipher: KeyCipher,
    password: &[u8],
    plain: &[u8],
) -> Result<(String, Vec<u8>), KeyFileError> {
    let method = cipher.openssl()?;
    let mut iv = vec![0; method.iv_len().unwrap_or(SALT_LEN)];
    rand_bytes(&mut iv)?;
    let key = traditional_key(method, password, &iv[..SALT_LEN])?;
    let body = symm::encrypt(method, key.octets(), Some(&iv), plain)?;
    let iv: String = iv.iter().map(|octet| format!("{octet:02X}")).collect();
    Ok((format!("{},{iv}", cipher.name()), body))
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    let octet = |pair: &[u8]| {
        let text = core::str::from_utf8(pair)
            .ok()
            .filter(|text| text.len() == 2)?;
        u8::from_str_radix(text, 16).ok()
    };
    pairs.map(octet).collect()
}

const PBES2: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x05, 0x0D];
const PBKDF2: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x05, 0x0C];
/// Of hmacWithSHA1 and its kind; the last octet tells which.
const HMAC_WITH: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x02];

/// Undoes PBES2 (RFC 8018 §6.2) of an EncryptedPrivateKeyInfo.
pub(super) fn open_pkcs8(password: &[u8], body: &[u8]) -> Result<Secret, KeyFileError> {
    let (derivation, mut encryption, sealed) = pbes2_parts(body)?;
    let cipher = encryption
        .oid()
        .and_then(KeyCipher::from_oid)
        .ok_or_else(|| KeyFileError::UnknownCipher("of a PKCS#8 file".to_owned()))?
        .openssl()?;
    let iv = encryption.octet_string().ok_or(KeyFileError::Damaged)?;
    if Some(iv.len()) != cipher.iv_len() {
        return Err(KeyFileError::Damaged);
    }
    let (salt, rounds, digest) = pbkdf2_parts(derivation)?;
    let mut key = vec![0; cipher.key_len()];
    pkcs5::pbkdf2_hmac(password, salt, rounds, digest, &mut key)?;
    let plain = symm::decrypt(cipher, &key, Some(iv), sealed);
    wipe(&mut key);
    plain
        .map(Secret::new)
        .map_err(|_| KeyFileError::WrongPassword)
}

/// Key derivation, encryption scheme, and what is encrypted.
fn pbes2_parts(body: &[u8]) -> Result<(Reader<'_>, Reader<'_>, &[u8]), KeyFileError> {
    let begin = || {
        let mut info = Reader::new(body).sequence()?;
        let mut algorithm = info.sequence()?;
        Some((algorithm.oid()?, algorithm, info))
    };
    let (name, mut algorithm, mut info) = begin().ok_or(KeyFileError::Damaged)?;
    // The parameters of others have another shape.
    if name != PBES2 {
        let name = "PBES1 of a PKCS#8 file".to_owned();
        return Err(KeyFileError::UnknownCipher(name));
    }
    let mut read = || {
        let mut parameters = algorithm.sequence()?;
        let (derivation, encryption) = (parameters.sequence()?, parameters.sequence()?);
        Some((derivation, encryption, info.octet_string()?))
    };
    read().ok_or(KeyFileError::Damaged)
}

/// Salt, rounds and digest.
fn pbkdf2_parts(mut derivation: Reader<'_>) -> Result<(&[u8], usize, MessageDigest), KeyFileError> {
    let name = derivation.oid().ok_or(KeyFileError::Damaged)?;
    if name != PBKDF2 {
        return Err(KeyFileError::UnknownCipher("of a PKCS#8 file".to_owned()));
    }
    let mut read = || {
        let mut parameters = derivation.sequence()?;
        let (salt, rounds) = (parameters.octet_string()?, parameters.small()?);
        let _ = parameters.small();
        let digest = match parameters.sequence() {
            None => Nid::SHA1,
            Some(mut algorithm) => match algorithm.oid()?.strip_prefix(HMAC_WITH)? {
                [7] => Nid::SHA1,
                [8] => Nid::SHA224,
                [9] => Nid::SHA256,
                [10] => Nid::SHA384,
                [11] => Nid::SHA512,
                _ => return None,
            },
        };
        let rounds = usize::try_from(rounds)
            .ok()
            .filter(|_| (1..=ROUNDS_MAX).contains(&rounds))?;
        Some((salt, rounds, MessageDigest::from_nid(digest)?))
    };
    read().ok_or(KeyFileError::Damaged)
}
