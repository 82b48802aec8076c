use core::fmt;
use openssl::error::ErrorStack;

/// Why a key file is not usable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyFileError {
    /// Longer than any key file.
    TooLong,
    /// No PEM block of the kind wanted.
    NoKey,
    /// A block that is cut off, or whose contents are not those of its kind.
    Damaged,
    /// Encrypted, and no password was given.
    NeedsPassword,
    /// The password does not open it.
    WrongPassword,
    /// Encrypted with something unknown here.
    UnknownCipher(String),
    /// DES needs OpenSSL's legacy provider, which is not installed.
    NoLegacyProvider,
    /// Another kind of key than was wanted.
    WrongKind(&'static str),
    /// The public value was lost on the way through PKCS#8.
    LostPublicValue,
    /// Its first line names no key file with a filestamp.
    Unnamed,
    /// The numbers contradict one another.
    Inconsistent,
    /// OpenSSL refuses.
    OpenSsl(String),
}

impl KeyFileError {
    /// The one command that mends it, for the file of that name.
    #[must_use]
    pub fn remedy(&self, file: &str) -> String {
        match self {
            Self::TooLong | Self::NoKey | Self::WrongKind(_) => {
                format!("is it the right file? truechimer keys import {file}")
            }
            Self::Damaged | Self::Inconsistent | Self::Unnamed => {
                format!(
                    "fetch it again from where it was made, then: truechimer keys import {file}"
                )
            }
            Self::NeedsPassword | Self::WrongPassword => format!(
                "give the password it was made with, as `crypto pw PASSWORD`; truechimer keys doctor -p PASSWORD {} tries one",
                folder(file)
            ),
            Self::UnknownCipher(_) => format!(
                "write it anew with a cipher known here: openssl pkey -in {file} -aes256 -out {file}.new"
            ),
            Self::NoLegacyProvider => {
                "install it (Debian 13 and Ubuntu: apt install openssl-provider-legacy)".to_owned()
            }
            Self::LostPublicValue => format!(
                "it cannot be had back from this file; on the server: truechimer keys doctor --repair \
                 {0}, then ntp-keygen -e, and here: truechimer keys import FILE",
                folder(file)
            ),
            Self::OpenSsl(_) => format!("openssl pkey -in {file} -noout says more"),
        }
    }
}

fn folder(file: &str) -> &str {
    file.rsplit_once('/').map_or(".", |(folder, _)| folder)
}

impl fmt::Display for KeyFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("longer than any key file"),
            Self::NoKey => f.write_str("holds no such key"),
            Self::Damaged => f.write_str("damaged"),
            Self::NeedsPassword => f.write_str("encrypted, and no password was given"),
            Self::WrongPassword => f.write_str("the password does not open it"),
            Self::UnknownCipher(name) => write!(f, "encrypted with an unknown cipher ({name})"),
            Self::NoLegacyProvider => {
                f.write_str("encrypted with DES, for which OpenSSL's legacy provider is missing")
            }
            Self::WrongKind(wanted) => write!(f, "holds another key than {wanted}"),
            Self::LostPublicValue => f.write_str(
                "its public value was lost (ntp-keygen 4.2.8 with OpenSSL 1.1 writes such files)",
            ),
            Self::Unnamed => f.write_str(
                "its first line is not that of a key file (# ntpkey_KIND_NAME.FILESTAMP)",
            ),
            Self::Inconsistent => f.write_str("its numbers contradict one another"),
            Self::OpenSsl(what) => write!(f, "OpenSSL: {what}"),
        }
    }
}

impl core::error::Error for KeyFileError {}

impl From<ErrorStack> for KeyFileError {
    fn from(stack: ErrorStack) -> Self {
        let first = stack.errors().first().and_then(|error| error.reason());
        Self::OpenSsl(first.unwrap_or("no reason given").to_owned())
    }
}
