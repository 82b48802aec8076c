//! Files of Autokey keys: two lines of comment that name the file and its date, then PEM. Every
//! generation is read: traditional PEM and PKCS#8, plain and encrypted, after any mail program.

mod cipher;
pub(crate) mod der;
mod error;
mod legacy;
mod name;
pub(crate) mod numbers;
pub(crate) mod pem;
mod shape;
#[cfg(test)]
mod tests;

pub use cipher::KeyCipher;
pub use error::KeyFileError;
pub use name::{FileName, FileRole};

use crate::secret::wipe;
use numbers::Numbers;
use pem::Block;

/// Largest file looked at, octets: an MV file of thirty clients has some 50 000.
pub const FILE_LEN_MAX: usize = 1 << 18;

/// A file's text, taken apart.
#[derive(Clone, Debug)]
pub struct KeyText {
    name: Option<FileName>,
    date: Option<String>,
    blocks: Vec<Block>,
}

/// Keys may lie in it as they are.
impl Drop for KeyText {
    fn drop(&mut self) {
        for block in &mut self.blocks {
            wipe(&mut block.body);
        }
    }
}

impl KeyText {
    /// Takes a file's text apart; decrypts nothing.
    ///
    /// # Errors
    /// It is too long, or holds no PEM, or PEM that is cut off.
    pub fn parse(text: &[u8]) -> Result<Self, KeyFileError> {
        if text.len() > FILE_LEN_MAX {
            return Err(KeyFileError::TooLong);
        }
        let text = String::from_utf8_lossy(text);
        let text = text.trim_start_matches('\u{FEFF}');
        let blocks = pem::blocks(text).ok_or(KeyFileError::Damaged)?;
        if blocks.is_empty() {
            return Err(KeyFileError::NoKey);
        }
        // The daemon takes the filestamp from the first line; a mail may have others before it.
        let mut comments = text
            .lines()
            .map(pem::mend_line)
            .take_while(|line| !line.starts_with("-----BEGIN"))
            .filter_map(|line| line.strip_prefix('#'))
            .map(str::trim);
        let name = comments.find_map(FileName::parse);
        let date = comments.next().map(str::to_owned);
        Ok(Self { name, date, blocks })
    }

    /// Of several files in one text, as `ntp-keygen -e` writes those of several schemes. Each begins with
    /// its name; what one has behind its own is its own.
    ///
    /// # Errors
    /// As [`Self::parse`] has them, of the first that is not well.
    pub fn parse_each(text: &[u8]) -> Result<Vec<Self>, KeyFileError> {
        if text.len() > FILE_LEN_MAX {
            return Err(KeyFileError::TooLong);
        }
        let text = String::from_utf8_lossy(text);
        let (mut parts, mut begin, mut at, mut is_ended) = (Vec::new(), 0, 0, false);
        for line in text.split_inclusive('\n') {
            let mended = pem::mend_line(line);
            if is_ended && names_a_file(mended) {
                parts.push(&text[begin..at]);
                (begin, is_ended) = (at, false);
            }
            is_ended |= mended.starts_with(pem::END);
            at += line.len();
        }
        parts.push(&text[begin..]);
        let parts = parts.into_iter().map(str::as_bytes);
        parts.map(Self::parse).collect()
    }

    /// The name in its first line.
    #[must_use]
    pub fn name(&self) -> Option<&FileName> {
        self.name.as_ref()
    }

    /// When its first block was made: NTP seconds.
    #[must_use]
    pub fn filestamp(&self) -> Option<u32> {
        self.name.as_ref().and_then(|name| name.filestamp)
    }

    /// The date in its second line.
    #[must_use]
    pub fn date(&self) -> Option<&str> {
        self.date.as_deref()
    }

    /// Its PEM blocks, free of what mails and terminals did to them.
    #[must_use]
    pub fn clean(&self) -> String {
        self.blocks.iter().map(pem::text).collect()
    }

    /// Whether a password is needed to read it.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.blocks
            .iter()
            .any(|block| block.dek_info.is_some() || block.label == numbers::PKCS8_ENCRYPTED)
    }

    /// Whether it holds a certificate.
    #[must_use]
    pub fn is_certificate(&self) -> bool {
        self.certificate_der().is_some()
    }

    pub(crate) fn certificate_der(&self) -> Option<&[u8]> {
        let block = self.blocks.iter().find(|block| {
            matches!(
                block.label.as_str(),
                "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE"
            )
        })?;
        Some(&block.body)
    }

    /// The numbers of every private key in it.
    pub(crate) fn numbers(&self, password: Option<&[u8]>) -> Result<Vec<Numbers>, KeyFileError> {
        let keys: Vec<&Block> = self
            .blocks
            .iter()
            .filter(|block| block.label.ends_with("PRIVATE KEY"))
            .collect();
        if keys.is_empty() {
            return Err(KeyFileError::NoKey);
        }
        keys.into_iter()
            .map(|block| numbers::decode(block, password))
            .collect()
    }

    /// The numbers of the one private key it should hold.
    pub(crate) fn one(&self, password: Option<&[u8]>) -> Result<Numbers, KeyFileError> {
        self.numbers(password)?
            .into_iter()
            .next()
            .ok_or(KeyFileError::NoKey)
    }
}

/// Whether a file's first line is like this one.
fn names_a_file(line: &str) -> bool {
    let named = line.strip_prefix('#').map(str::trim);
    let named = named.and_then(FileName::parse);
    named.is_some_and(|name| name.filestamp.is_some())
}

/// The two lines of comment that begin a file, and the empty one after them.
#[must_use]
pub fn heading(name: &FileName, date: &str) -> String {
    format!("# {name}\n# {date}\n\n")
}
