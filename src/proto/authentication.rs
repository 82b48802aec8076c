//! What the protocol asks of a holder of keys.
use crate::control::KeyFacts;
use core::net::{IpAddr, Ipv6Addr};

/// A symmetric key identifier, 1..=65535 (above lie Autokey's session keys, RFC 5906 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(u32);

impl KeyId {
    /// A symmetric key identifier; `None` outside 1..=65535.
    pub const fn symmetric(id: u32) -> Option<Self> {
        if id >= 1 && id <= 65_535 {
            Some(Self(id))
        } else {
            None
        }
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// What came of verifying a MAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verification {
    /// The digest is right and the key is trusted.
    Verified,
    /// No key has this identifier.
    UnknownKey,
    /// The key exists but no `trustedkey` names it.
    UntrustedKey,
    /// The keys file does not let this address use the key.
    WrongAddress,
    /// The digest is not as long as the key's algorithm makes them: cut off, or of another type.
    WrongLength,
    /// The digest is as long as it should be, and another one.
    WrongDigest,
}

/// Why a packet is not authentic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuthFailure {
    /// It has no MAC.
    NoMac,
    /// Its MAC is of another key than the association's.
    OtherKey,
    /// No key has its identifier.
    UnknownKey,
    /// The key exists but no `trustedkey` names it.
    UntrustedKey,
    /// The keys file does not let this address use the key.
    WrongAddress,
    /// The digest is cut off, or of another type than the key.
    WrongLength,
    /// The digest is wrong: the secrets differ, or the packet was altered.
    WrongDigest,
    /// It says that the other side could not verify us.
    CryptoNak,
    /// Its session key is not the next of the sender's key list (RFC 5906 §4).
    OutOfList,
}

impl AuthFailure {
    /// All of them, in order.
    pub const ALL: [Self; 9] = [
        Self::NoMac,
        Self::OtherKey,
        Self::UnknownKey,
        Self::UntrustedKey,
        Self::WrongAddress,
        Self::WrongLength,
        Self::WrongDigest,
        Self::CryptoNak,
        Self::OutOfList,
    ];

    /// A word for metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoMac => "no_mac",
            Self::OtherKey => "other_key",
            Self::UnknownKey => "unknown_key",
            Self::UntrustedKey => "untrusted_key",
            Self::WrongAddress => "wrong_address",
            Self::WrongLength => "wrong_mac_length",
            Self::WrongDigest => "wrong_digest",
            Self::CryptoNak => "crypto_nak",
            Self::OutOfList => "out_of_list",
        }
    }
}

/// Proof that a MAC was verified under `key`; only [`verify`] can make one.
#[derive(Debug, PartialEq, Eq)]
pub struct MacVerified {
    key: KeyId,
    digest_len: usize,
}

impl MacVerified {
    /// The key it was verified under. An association demands its own (CVE-2015-7974).
    pub const fn key(&self) -> KeyId {
        self.key
    }

    /// Octets of its digest; a reply's are as many.
    pub(crate) const fn digest_len(&self) -> usize {
        self.digest_len
    }
}

/// Octets of the longest session key.
const SESSION_KEY_LEN_MAX: usize = 64;

/// A session key of Autokey (RFC 5906 §4): good for one packet, known to whoever knows the cookie.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionKey {
    octets: [u8; SESSION_KEY_LEN_MAX],
    len: usize,
}

impl SessionKey {
    /// Of a digest, 16 to 64 octets; `None` otherwise.
    pub fn new(digest: &[u8]) -> Option<Self> {
        if digest.len() < 16 {
            return None;
        }
        let mut octets = [0; SESSION_KEY_LEN_MAX];
        octets.get_mut(..digest.len())?.copy_from_slice(digest);
        Some(Self {
            octets,
            len: digest.len(),
        })
    }

    /// The whole digest.
    pub fn octets(&self) -> &[u8] {
        self.octets.get(..self.len).unwrap_or_default()
    }

    /// The first four octets: the next key identifier of a key list, or a cookie.
    pub const fn first_word(&self) -> u32 {
        let [a, b, c, d, ..] = self.octets;
        u32::from_be_bytes([a, b, c, d])
    }
}

impl core::fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("SessionKey")
    }
}

/// Keys, digests and MACs; one per thread, so contexts are reused without a lock.
pub trait Authenticator: Send {
    /// Whether `digest` is the MAC of `message` under a trusted key that the sender's address `from`
    /// may use; comparison in constant time.
    fn check(&mut self, key: KeyId, from: IpAddr, message: &[u8], digest: &[u8]) -> Verification;

    /// Writes the digest of `message` to the start of `out` and returns its length, 16 or 20
    /// octets; one that is longer is cut, unless `out` is exactly as long as it. `None` if the key
    /// is unknown, untrusted, or `out` too short.
    fn seal(&mut self, key: KeyId, message: &[u8], out: &mut [u8]) -> Option<usize>;

    /// First four octets of the MD5 of an IPv6 address: the reference identifier it is known by
    /// (RFC 5905 §7.3). `None` where the platform forbids MD5.
    fn reference_id_of(&mut self, address: Ipv6Addr) -> Option<[u8; 4]>;

    /// Autokey's session key (RFC 5906 §4): the digest of source, destination, key identifier and
    /// cookie. `None` where no digest of Autokey is configured.
    fn session_key(
        &mut self,
        _from: IpAddr,
        _to: IpAddr,
        _key_id: u32,
        _cookie: u32,
    ) -> Option<SessionKey> {
        None
    }

    /// Whether `digest` is the MAC of `message` under a session key; comparison in constant time.
    fn check_session(&mut self, _key: &SessionKey, _message: &[u8], _digest: &[u8]) -> bool {
        false
    }

    /// Writes the digest of `message` under a session key to the start of `out` and returns its
    /// length, 16 or 20 octets; a longer one is cut to 20. `None` if `out` is too short.
    fn seal_session(
        &mut self,
        _key: &SessionKey,
        _message: &[u8],
        _out: &mut [u8],
    ) -> Option<usize> {
        None
    }

    /// How many keys there are, and how they were used so far.
    fn usage(&self) -> KeyFacts {
        KeyFacts::default()
    }
}

/// Verifies the MAC of a packet that came from `from` and gives the proof, or what was wrong.
///
/// # Errors
/// What `Authenticator::check` found wrong.
pub fn verify(
    authenticator: &mut dyn Authenticator,
    key: KeyId,
    from: IpAddr,
    message: &[u8],
    digest: &[u8],
) -> Result<MacVerified, AuthFailure> {
    match authenticator.check(key, from, message, digest) {
        Verification::Verified => Ok(MacVerified {
            key,
            digest_len: digest.len(),
        }),
        Verification::UnknownKey => Err(AuthFailure::UnknownKey),
        Verification::UntrustedKey => Err(AuthFailure::UntrustedKey),
        Verification::WrongAddress => Err(AuthFailure::WrongAddress),
        Verification::WrongLength => Err(AuthFailure::WrongLength),
        Verification::WrongDigest => Err(AuthFailure::WrongDigest),
    }
}

/// Proof that a MAC was verified under a session key of Autokey; only [`verify_session`] can make one.
#[derive(Debug, PartialEq, Eq)]
pub struct SessionVerified(());

/// Verifies the MAC of a packet under a session key.
pub fn verify_session(
    authenticator: &mut dyn Authenticator,
    key: &SessionKey,
    message: &[u8],
    digest: &[u8],
) -> Option<SessionVerified> {
    authenticator
        .check_session(key, message, digest)
        .then_some(SessionVerified(()))
}

/// Knows no key: for sites without a key file.
#[derive(Debug, Default)]
pub struct NoKeys;

impl Authenticator for NoKeys {
    fn check(&mut self, _: KeyId, _: IpAddr, _: &[u8], _: &[u8]) -> Verification {
        Verification::UnknownKey
    }

    fn seal(&mut self, _: KeyId, _: &[u8], _: &mut [u8]) -> Option<usize> {
        None
    }

    fn reference_id_of(&mut self, _: Ipv6Addr) -> Option<[u8; 4]> {
        None
    }
}
