//! What session keys, cookies and the MACs under them are made with.
use crate::algorithm::{Digest, NoAlgorithm, RAW_DIGEST_LEN_MAX};
use core::fmt;
use core::net::IpAddr;
use openssl::md_ctx::MdCtx;
use std::sync::Arc;
use truechimer_proto::authentication::SessionKey;

/// The digest of `crypto digest`, fetched once. Both sides must have the same: it is not negotiated.
#[derive(Clone)]
pub struct AutokeyDigest(Arc<Digest>);

/// Why a word names no digest for Autokey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnusableDigest {
    /// OpenSSL does not know it, or this host forbids it.
    Unavailable,
    /// So many octets do not fit the packet format.
    WrongLength(usize),
}

impl fmt::Display for UnusableDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable => f.write_str(
                "OpenSSL has no such digest, or this host forbids it; MD5 is what others use, then SHA1",
            ),
            Self::WrongLength(len) => write!(
                f,
                "a digest of {len} octets does not fit a packet; MD5 is what others use, then SHA1"
            ),
        }
    }
}

impl core::error::Error for UnusableDigest {}

impl AutokeyDigest {
    /// From its name, in any case; `MD5` is what everybody uses.
    ///
    /// # Errors
    /// Why it is not usable here.
    pub fn from_name(name: &str) -> Result<Self, UnusableDigest> {
        match Digest::fetch(&name.to_ascii_uppercase()) {
            Ok(digest) => Ok(Self(Arc::new(digest))),
            Err(NoAlgorithm::WrongLength(len)) => Err(UnusableDigest::WrongLength(len)),
            Err(NoAlgorithm::Des | NoAlgorithm::Unavailable) => Err(UnusableDigest::Unavailable),
        }
    }

    /// Its name in small letters, as `rv` shows it.
    #[must_use]
    pub fn name(&self) -> String {
        self.0.name.to_ascii_lowercase()
    }

    /// Octets of a MAC on the wire.
    pub(crate) fn wire_len(&self) -> usize {
        self.0.wire_len
    }

    /// The digest of source, destination, key identifier and cookie.
    pub(crate) fn session_key(
        &self,
        context: &mut MdCtx,
        [from, to]: [IpAddr; 2],
        key_id: u32,
        cookie: u32,
    ) -> Option<SessionKey> {
        let (from, to) = (Octets::of(from), Octets::of(to));
        let (key_id, cookie) = (key_id.to_be_bytes(), cookie.to_be_bytes());
        let parts = [from.octets(), to.octets(), &key_id, &cookie];
        let mut raw = [0; RAW_DIGEST_LEN_MAX];
        let len = self.0.run(context, &parts, &mut raw)?;
        SessionKey::new(raw.get(..len)?)
    }

    /// The whole MAC, with zeros behind it: a digest of key and message, not HMAC.
    pub(crate) fn mac(
        &self,
        context: &mut MdCtx,
        key: &SessionKey,
        message: &[u8],
    ) -> Option<[u8; RAW_DIGEST_LEN_MAX]> {
        let mut raw = [0; RAW_DIGEST_LEN_MAX];
        self.0.run(context, &[key.octets(), message], &mut raw)?;
        Some(raw)
    }
}

/// An address as the IP header has it: a mapped one is of IPv4.
enum Octets {
    V4([u8; 4]),
    V6([u8; 16]),
}

impl Octets {
    fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.octets()),
            IpAddr::V6(address) => Self::V6(address.octets()),
        }
    }

    const fn octets(&self) -> &[u8] {
        match self {
            Self::V4(octets) => octets,
            Self::V6(octets) => octets,
        }
    }
}

impl fmt::Debug for AutokeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AutokeyDigest({})", self.0.name)
    }
}
